// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyNo} from "../Types.sol";

/// @title The pause, by which one guardian stops what a thief would do first: anchoring, registering and binding.
/// @notice Delays stand still meanwhile: they count *running time*, the seconds that were not paused. A pause never
/// stops reports, vetoes, holds, withdrawals, revocations, uses and questions.
interface IPauses {
    /// @notice Anchoring, registering and binding are stopped up to, not including, `until`.
    event Paused(uint40 until, uint40 at, PartyNo by);
    /// @notice The pause was ended before its time.
    event PauseEnded(uint40 at, PartyNo by);

    /// @notice The ledger is paused until then.
    error PartyPaused(uint40 until);
    /// @notice The ledger is not paused.
    error PartyNotPaused();
    /// @notice The party paused the ledger lately, and may not before this time.
    error PartyPauseRest(uint40 until);

    /// @notice Pause for 7 days. For authorities and supervisors; each rests for 30 days after its own pause.
    function pause() external;

    /// @notice End the pause now. Decided, without delay.
    function endPause() external;

    /// @notice As `IPartyRecord.actor`, and reverts while the ledger is paused.
    function actorUnlessPaused(address account, uint32 anyOf) external view returns (PartyNo no);

    /// @notice When the pause ends; 0 if the ledger is not paused.
    function pausedUntil() external view returns (uint40);

    /// @notice The running time: seconds UTC less all paused seconds.
    function running() external view returns (uint40);
}
