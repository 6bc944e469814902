// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetObjections} from "../interfaces/IAssetObjections.sol";
import {Clock} from "../libraries/Clock.sol";
import {AssetId, AssetState, ObjectionState, PartyNo, Roles, Stage} from "../Types.sol";
import {AssetApplications} from "./AssetApplications.sol";

/// @title Implements IAssetObjections. The interface documents the functions.
abstract contract AssetObjections is AssetApplications, IAssetObjections {
    uint32 private constant OBJECTS = Roles.SUBJECT | Roles.PROVIDER | Roles.CONSUMER | Roles.BROKER;

    // Storage slot 4.
    mapping(AssetId id => Objection[]) private _objections;

    /// @inheritdoc IAssetObjections
    function object(AssetId id, bytes32 grounds) external returns (uint32 no) {
        // Check all conditions before any change.
        PartyNo by = _actor(OBJECTS);
        Asset storage asset = _assets[id];
        _requireThirdParty(id, asset, by);
        if (grounds == 0) revert AssetZero();
        uint40 at = Clock.nowSeconds();
        bool toApplication = asset.stage == Stage.Noticed && at <= asset.until;
        if (!toApplication) {
            if (asset.state == AssetState.Applied) revert AssetNoticeOver(id, asset.until);
            if (asset.state != AssetState.Confirmed) revert AssetWrongState(id, asset.state);
        }
        if (asset.objections == type(uint8).max) revert AssetTooMany(id, type(uint8).max);
        // Change the state and emit the events.
        ++asset.objections;
        _objections[id].push(Objection(by, ObjectionState.Filed, toApplication ? asset.applications : 0, at));
        no = uint32(_objections[id].length);
        emit Objected(id, no, toApplication, grounds, at, by);
        _fold(id, abi.encode(bytes32("asset/objected/v1"), id, no, toApplication, grounds, at, by));
    }

    /// @inheritdoc IAssetObjections
    function decide(AssetId id, uint32 no, ObjectionState state, bytes32 grounds) external {
        // Check all conditions before any change.
        PartyNo by = _actor(REGISTRARS);
        Asset storage asset = _assets[id];
        _requireThirdParty(id, asset, by);
        if (no == 0 || no > _objections[id].length) revert AssetWrongObjection(id, no, ObjectionState.None);
        Objection storage objection = _objections[id][no - 1];
        if (objection.objector == by) revert AssetSelfReview(id, by);
        if (!_follows(objection.state, state)) revert AssetWrongObjection(id, no, objection.state);
        if (grounds == 0) revert AssetZero();
        // Change the state and emit the events.
        objection.state = state;
        if (state >= ObjectionState.Upheld) --asset.objections;
        uint40 at = Clock.nowSeconds();
        emit ObjectionDecided(id, no, state, grounds, at, by);
        _fold(id, abi.encode(bytes32("asset/decided/v1"), id, no, state, grounds, at, by));
        if (state == ObjectionState.Upheld) _uphold(id, asset, objection.application, grounds, at, by);
    }

    /// @inheritdoc IAssetObjections
    function objectionOf(AssetId id, uint32 no) external view returns (Objection memory objection) {
        if (no != 0 && no <= _objections[id].length) objection = _objections[id][no - 1];
    }

    /// Carries out an upheld objection. An objection against the registration freezes the asset. An objection against
    /// an application rejects the application, unless the application has already been decided.
    function _uphold(AssetId id, Asset storage asset, uint8 application, bytes32 grounds, uint40 at, PartyNo by)
        private
    {
        if (application == 0) {
            if (asset.state == AssetState.Confirmed) asset.frozen = true;
        } else if (application == asset.applications && asset.stage == Stage.Noticed) {
            _reject(id, asset, grounds, at, by);
        }
    }

    function _follows(ObjectionState from, ObjectionState to) private pure returns (bool) {
        if (to == ObjectionState.Admitted || to == ObjectionState.Refused) return from == ObjectionState.Filed;
        if (to == ObjectionState.Verified) return from == ObjectionState.Admitted;
        return from == ObjectionState.Verified && (to == ObjectionState.Upheld || to == ObjectionState.Dismissed);
    }
}
