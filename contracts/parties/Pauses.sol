// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPauses} from "../interfaces/IPauses.sol";
import {Clock} from "../libraries/Clock.sol";
import {PartyNo} from "../Types.sol";
import {PartyRecord} from "./PartyRecord.sol";

/// @title Implements IPauses. The interface documents the functions.
abstract contract Pauses is PartyRecord, IPauses {
    /// The newest pause, packed into one storage slot (40 + 40 + 40 bits).
    struct Pause {
        uint40 from;
        uint40 until;
        /// The total seconds of all earlier pauses.
        uint40 before;
    }

    /// How long a pause lasts, unless a proposal ends the pause earlier.
    uint40 private constant MAX_PAUSE = 7 days;
    /// How long a party must wait after the end of its own pause before it can pause the ledger again.
    uint40 private constant PAUSE_REST = 30 days;

    // Storage slots 6 and 7: the newest pause and the mapping below.
    Pause private _pause;
    mapping(PartyNo guardian => uint40) private _restsUntil;

    /// @inheritdoc IPauses
    function pause() external {
        // Check all conditions before any change.
        PartyNo by = actor(_msgSender(), GUARDS);
        _requireRunning();
        uint40 at = Clock.nowSeconds();
        uint40 rest = _restsUntil[by];
        if (at < rest) revert PartyPauseRest(rest);
        // Change the state and emit the events.
        uint40 until = at + MAX_PAUSE;
        _pause = Pause(at, until, _pause.before + _pause.until - _pause.from);
        _restsUntil[by] = until + PAUSE_REST;
        emit Paused(until, at, by);
        _fold(abi.encode(bytes32("party/paused/v1"), until, at, by));
    }

    /// @inheritdoc IPauses
    function endPause() external {
        // Check all conditions before any change.
        PartyNo by = _requireDecided();
        if (pausedUntil() == 0) revert PartyNotPaused();
        // Change the state and emit the events.
        uint40 at = Clock.nowSeconds();
        _pause.until = at;
        emit PauseEnded(at, by);
        _fold(abi.encode(bytes32("party/pause-ended/v1"), at, by));
    }

    /// @inheritdoc IPauses
    function actorUnlessPaused(address account, uint32 anyOf) external view returns (PartyNo no) {
        no = actor(account, anyOf);
        _requireRunning();
    }

    /// @inheritdoc IPauses
    function pausedUntil() public view returns (uint40) {
        uint40 until = _pause.until;
        return Clock.nowSeconds() < until ? until : 0;
    }

    /// @inheritdoc IPauses
    function running() public view returns (uint40) {
        uint40 at = Clock.nowSeconds();
        uint40 end = at < _pause.until ? at : _pause.until;
        return at - _pause.before - (end - _pause.from);
    }

    /// Reverts while the ledger is paused.
    function _requireRunning() internal view {
        uint40 until = pausedUntil();
        if (until != 0) revert PartyPaused(until);
    }
}
