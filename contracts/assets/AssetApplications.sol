// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetApplications} from "../interfaces/IAssetApplications.sol";
import {Clock} from "../libraries/Clock.sol";
import {EventHead} from "../libraries/EventHead.sol";
import {ApplicationKind, AssetId, AssetState, Grade, NOBODY, PartyNo, Roles, Stage} from "../Types.sol";
import {AssetRecord} from "./AssetRecord.sol";

/// @title Implements IAssetApplications. The interface documents the functions.
abstract contract AssetApplications is AssetRecord, IAssetApplications {
    uint32 private constant APPLIES = Roles.PROVIDER | Roles.CONSUMER;
    uint32 private constant CLEARS = Roles.AUTHORITY | Roles.CDO | Roles.SUPERVISOR;

    uint40 private immutable _MINIMUM_NOTICE;

    // Storage slot 2.
    uint32 private _count;
    // Storage slot 3.
    mapping(bytes32 fingerprint => AssetId) private _fingerprints;

    constructor(uint40 notice) {
        _MINIMUM_NOTICE = notice;
    }

    /// @inheritdoc IAssetApplications
    function register(AssetId id, bytes32 content, bytes32 fingerprint, Grade grade) external {
        _register(Registration(id, content, fingerprint, grade), _actorUnlessPaused(APPLIES));
    }

    /// @inheritdoc IAssetApplications
    function registerMany(Registration[] calldata assets) external {
        PartyNo by = _actorUnlessPaused(APPLIES);
        for (uint256 i = 0; i < assets.length; ++i) {
            _register(assets[i], by);
        }
    }

    /// @inheritdoc IAssetApplications
    function file(AssetId id, ApplicationKind kind, bytes32 content, bytes32 fingerprint, Grade grade) external {
        // Check all conditions before any change.
        PartyNo by = _actor(Roles.ALL);
        Asset storage asset = _assets[id];
        _requireHolder(id, asset, by);
        bool again = asset.stage == Stage.Returned && kind == asset.kind;
        if (!again) _requireFree(id, asset, kind);
        if (kind != ApplicationKind.First) _requireFilable(id, asset, kind);
        if (content == 0) revert AssetZero();
        if (grade == Grade.Core || grade < asset.grade) revert AssetGrade(id, grade);
        // Change the state and emit the events.
        if (fingerprint != 0) _reserve(id, fingerprint);
        if (fingerprint != 0 || grade != asset.grade) {
            asset.grade = grade;
            asset.cleared = false;
        }
        _clearOffer(asset);
        if (!again) ++asset.applications;
        asset.kind = kind;
        asset.stage = Stage.Submitted;
        uint40 at = Clock.nowSeconds();
        emit Filed(id, kind, content, fingerprint, grade, at, by);
        _fold(id, abi.encode(bytes32("asset/filed/v1"), id, kind, content, fingerprint, grade, at, by));
    }

    /// @inheritdoc IAssetApplications
    function advance(AssetId[] calldata ids, Stage stage, uint40 until, bytes32 grounds) external {
        PartyNo by = _actor(REGISTRARS);
        for (uint256 i = 0; i < ids.length; ++i) {
            _advance(ids[i], stage, until, grounds, by);
        }
    }

    /// @inheritdoc IAssetApplications
    function reject(AssetId id, bytes32 grounds) external {
        // Check all conditions before any change.
        PartyNo by = _actor(REGISTRARS);
        Asset storage asset = _assets[id];
        _requireThirdParty(id, asset, by);
        if (grounds == 0) revert AssetZero();
        if (asset.stage != Stage.Accepted && asset.stage != Stage.Reviewed) {
            revert AssetWrongStage(id, asset.kind, asset.stage);
        }
        // Change the state and emit the events.
        _reject(id, asset, grounds, Clock.nowSeconds(), by);
    }

    /// @inheritdoc IAssetApplications
    function confirm(AssetId id, uint40 validTo) external {
        _confirm(id, validTo, _actorUnlessPaused(REGISTRARS));
    }

    /// @inheritdoc IAssetApplications
    function confirmMany(AssetId[] calldata ids, uint40 validTo) external {
        PartyNo by = _actorUnlessPaused(REGISTRARS);
        for (uint256 i = 0; i < ids.length; ++i) {
            _confirm(ids[i], validTo, by);
        }
    }

    /// @inheritdoc IAssetApplications
    function clear(AssetId id, bytes32 report) external {
        // Check all conditions before any change.
        PartyNo by = _actor(CLEARS);
        Asset storage asset = _requireExists(id);
        _requireThirdParty(id, asset, by);
        if (report == 0) revert AssetZero();
        if (asset.grade != Grade.Important || asset.cleared) revert AssetGrade(id, asset.grade);
        // Change the state and emit the events.
        asset.cleared = true;
        uint40 at = Clock.nowSeconds();
        emit Cleared(id, report, at, by);
        _fold(id, abi.encode(bytes32("asset/cleared/v1"), id, report, at, by));
    }

    /// @inheritdoc IAssetApplications
    function assetByFingerprint(bytes32 fingerprint) external view returns (AssetId id) {
        return _fingerprints[fingerprint];
    }

    /// @inheritdoc IAssetApplications
    function minimumNotice() external view returns (uint40) {
        return _MINIMUM_NOTICE;
    }

    /// @inheritdoc IAssetApplications
    function count() external view returns (uint32) {
        return _count;
    }

    /// Rejects an application. If it is the first application, the registration is rejected too.
    function _reject(AssetId id, Asset storage asset, bytes32 grounds, uint40 at, PartyNo by) internal {
        ApplicationKind kind = asset.kind;
        if (kind == ApplicationKind.First) asset.state = AssetState.Rejected;
        _closeApplication(asset);
        emit Rejected(id, kind, grounds, at, by);
        _fold(id, abi.encode(bytes32("asset/application-rejected/v1"), id, kind, grounds, at, by));
    }

    function _register(Registration memory entry, PartyNo by) private {
        // Check all conditions before any change.
        AssetId id = entry.id;
        if (AssetId.unwrap(id) == 0 || entry.content == 0 || entry.fingerprint == 0) revert AssetZero();
        if (_assets[id].state != AssetState.None) revert AssetAlreadyRegistered(id);
        if (entry.grade == Grade.Core) revert AssetGrade(id, entry.grade);
        // Change the state and emit the events.
        _reserve(id, entry.fingerprint);
        uint40 at = Clock.nowSeconds();
        uint32 assetNo = ++_count;
        _assets[id] = Asset({
            state: AssetState.Applied,
            kind: ApplicationKind.First,
            stage: Stage.Submitted,
            grade: entry.grade,
            cleared: false,
            frozen: false,
            objections: 0,
            liens: 0,
            applications: 1,
            holder: by,
            offeredTo: NOBODY,
            until: 0,
            validTo: 0,
            since: at
        });
        emit Registered(id, assetNo, by, entry.content, entry.fingerprint, entry.grade, at, by);
        bytes32 digest = EventHead.digest(
            abi.encode(
                bytes32("asset/registered/v1"),
                id,
                assetNo,
                by,
                entry.content,
                entry.fingerprint,
                entry.grade,
                at,
                by
            )
        );
        _heads[id] = EventHead.fold(EventHead.genesis(_ORIGIN, address(this), AssetId.unwrap(id)), digest);
    }

    /// Reserves a fingerprint for an asset. Reverts if the fingerprint is reserved for another asset whose registration
    /// has not ended.
    function _reserve(AssetId id, bytes32 fingerprint) private {
        AssetId earlier = _fingerprints[fingerprint];
        if (AssetId.unwrap(earlier) != 0 && AssetId.unwrap(earlier) != AssetId.unwrap(id)) {
            if (_assets[earlier].state <= AssetState.Confirmed) {
                revert AssetDuplicateFingerprint(fingerprint, earlier);
            }
        }
        _fingerprints[fingerprint] = id;
    }

    /// Reverts unless the registration is confirmed and a new application of this kind can be filed for it.
    function _requireFree(AssetId id, Asset storage asset, ApplicationKind kind) private view {
        _requireNoApplication(id, asset);
        if (asset.state != AssetState.Confirmed) revert AssetWrongState(id, asset.state);
        if (kind < ApplicationKind.Change) revert AssetWrongStage(id, kind, asset.stage);
        if (asset.applications == type(uint8).max) revert AssetTooMany(id, type(uint8).max);
    }

    /// Reverts if the registration has expired (unless the application is a cancellation), if the asset is frozen
    /// (unless the application is a correction), or if the asset is offered for transfer. These conditions also apply
    /// when a returned application is filed again.
    function _requireFilable(AssetId id, Asset storage asset, ApplicationKind kind) private view {
        uint40 at = Clock.nowSeconds();
        if (kind != ApplicationKind.Cancel && at >= asset.validTo) revert AssetExpired(id, asset.validTo);
        if (kind != ApplicationKind.Correct && asset.frozen) revert AssetFrozen(id);
        _requireNoOffer(id, asset, at);
    }

    function _advance(AssetId id, Stage stage, uint40 until, bytes32 grounds, PartyNo by) private {
        // Check all conditions before any change.
        Asset storage asset = _assets[id];
        _requireThirdParty(id, asset, by);
        if (!_follows(asset.stage, stage)) revert AssetWrongStage(id, asset.kind, asset.stage);
        uint40 at = Clock.nowSeconds();
        if (stage == Stage.Noticed) {
            uint40 earliest = at + _MINIMUM_NOTICE;
            if (until < earliest) revert AssetNoticeShort(id, until, earliest);
        } else if (until != 0) {
            revert AssetNoticeShort(id, until, 0);
        }
        if (stage == Stage.Returned && grounds == 0) revert AssetZero();
        // Change the state and emit the events.
        asset.stage = stage;
        asset.until = until;
        emit Advanced(id, stage, until, grounds, at, by);
        _fold(id, abi.encode(bytes32("asset/advanced/v1"), id, stage, until, grounds, at, by));
    }

    function _follows(Stage from, Stage to) private pure returns (bool) {
        if (to == Stage.Accepted) return from == Stage.Submitted;
        if (to == Stage.Reviewed) return from == Stage.Accepted;
        if (to == Stage.Noticed) return from == Stage.Reviewed;
        return to == Stage.Returned && (from == Stage.Submitted || from == Stage.Accepted);
    }

    function _confirm(AssetId id, uint40 validTo, PartyNo by) private {
        // Check all conditions before any change.
        Asset storage asset = _assets[id];
        ApplicationKind kind = asset.kind;
        _requireThirdParty(id, asset, by);
        uint40 at = Clock.nowSeconds();
        _requireConfirmable(id, asset, at);
        if (kind == ApplicationKind.Cancel && asset.liens != 0) _requireConsent(id, asset.liens, NOBODY);
        bool prolongs = kind == ApplicationKind.First || kind == ApplicationKind.Renew;
        if (prolongs ? validTo <= at || validTo <= asset.validTo : validTo != 0) revert AssetTimePast(id, validTo);
        // Change the state and emit the events.
        if (prolongs) asset.validTo = validTo;
        else validTo = asset.validTo;
        asset.state = kind == ApplicationKind.Cancel ? AssetState.Cancelled : AssetState.Confirmed;
        _closeApplication(asset);
        emit Confirmed(id, kind, validTo, at, by);
        _fold(id, abi.encode(bytes32("asset/confirmed/v1"), id, kind, validTo, at, by));
    }

    function _requireConfirmable(AssetId id, Asset storage asset, uint40 at) private view {
        ApplicationKind kind = asset.kind;
        if (asset.stage == Stage.Noticed) {
            if (at <= asset.until) revert AssetNoticeRuns(id, asset.until);
        } else if (asset.stage != Stage.Reviewed || kind <= ApplicationKind.Change) {
            revert AssetWrongStage(id, kind, asset.stage);
        }
        if (asset.objections != 0) revert AssetObjected(id, asset.objections);
        if (asset.frozen && kind != ApplicationKind.Correct) revert AssetFrozen(id);
        if (asset.grade == Grade.Important && !asset.cleared && kind != ApplicationKind.Cancel) {
            revert AssetNotCleared(id);
        }
    }
}
