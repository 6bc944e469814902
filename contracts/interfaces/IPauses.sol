// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyNo} from "../Types.sol";

/// @title The pause: one authority or supervisor can stop anchoring, registering and the binding of keys for a while.
/// @notice A pause stops the acts that a thief of keys would try first. Waiting periods count only *running time*, the
/// seconds that were not paused, so no waiting period can end during a pause. A pause never stops reports, vetoes,
/// holds, withdrawals, revocations, uses and reads.
interface IPauses {
    /// @notice Anchoring, registering and the binding of keys are stopped until the time `until` (exclusive).
    event Paused(uint40 until, uint40 at, PartyNo by);
    /// @notice Two officers ended the pause early.
    event PauseEnded(uint40 at, PartyNo by);

    /// @notice The ledger is paused until the time `until`.
    error PartyPaused(uint40 until);
    /// @notice The ledger is not paused.
    error PartyNotPaused();
    /// @notice The party paused the ledger recently. It may pause the ledger again from the time `until` on.
    error PartyPauseRest(uint40 until);

    /// @notice Pause anchoring, registering and the binding of keys for 7 days. Authorities and supervisors may call
    /// this. After its own pause, a party cannot pause again for 30 days.
    function pause() external;

    /// @notice End the pause now. Needs a decided proposal, which has no waiting period.
    function endPause() external;

    /// @notice Return what `IPartyRecord.actor` returns, but also revert while the ledger is paused.
    function actorUnlessPaused(address account, uint32 anyOf) external view returns (PartyNo no);

    /// @notice Return when the pause ends; 0 if the ledger is not paused.
    function pausedUntil() external view returns (uint40);

    /// @notice Return the running time: seconds UTC minus all paused seconds.
    function running() external view returns (uint40);
}
