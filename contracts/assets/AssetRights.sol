// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRights} from "../interfaces/IAssetRights.sol";
import {Clock} from "../libraries/Clock.sol";
import {AssetId, PartyNo, Roles} from "../Types.sol";
import {AssetRecord} from "./AssetRecord.sol";

/// @title Implements IAssetRights. The interface documents the functions.
abstract contract AssetRights is AssetRecord, IAssetRights {
    /// The maximum number of rights that can ever be granted in an asset. It limits the gas of `grant`, which compares
    /// a new right with all earlier rights.
    uint256 private constant MAX_RIGHTS = 256;

    // Storage slot 5.
    mapping(AssetId id => Right[]) private _rights;

    /// @inheritdoc IAssetRights
    function grant(AssetId id, Right calldata right, bytes32 scope) external returns (uint16 no) {
        // Check all conditions before any change.
        PartyNo by = _actor(Roles.ALL);
        (Asset storage asset, uint40 at) = _free(id);
        _requireRecipient(id, right.grantee, by);
        if (right.from < at || right.to <= right.from || right.to > asset.validTo) {
            revert AssetRightPeriod(id, right.from, right.to);
        }
        if (right.parent == 0) {
            _requireHolder(id, asset, by);
            _requireNoOffer(id, asset, at);
            _requireNoOverlap(id, right);
        } else {
            _requireLicensable(id, right, by);
        }
        if (_rights[id].length == MAX_RIGHTS) revert AssetTooMany(id, MAX_RIGHTS);
        // Change the state and emit the events.
        _rights[id].push(right);
        no = uint16(_rights[id].length);
        _emitGranted(id, no, right, scope, at, by);
        _fold(id, abi.encode(bytes32("asset/right-granted/v1"), id, no, right, scope, at, by));
    }

    /// @inheritdoc IAssetRights
    function transferRight(AssetId id, uint16 no, PartyNo to) external {
        // Check all conditions before any change.
        PartyNo by = _actor(Roles.ALL);
        (, uint40 at) = _free(id);
        Right storage right = _inForce(id, no, at);
        if (right.grantee != by || !right.transferable) revert AssetRightForbids(id, no);
        _requireRecipient(id, to, by);
        // Change the state and emit the events.
        right.grantee = to;
        emit RightTransferred(id, no, by, to, at, by);
        _fold(id, abi.encode(bytes32("asset/right-transferred/v1"), id, no, by, to, at, by));
    }

    /// @inheritdoc IAssetRights
    function endRight(AssetId id, uint16 no, bytes32 grounds) external {
        // Check all conditions before any change.
        PartyNo by = _actor(Roles.ALL);
        uint40 at = Clock.nowSeconds();
        Right storage right = _inForce(id, no, at);
        if (right.grantee != by) {
            by = _actor(REGISTRARS);
            _requireThirdParty(id, _assets[id], by);
            if (grounds == 0) revert AssetZero();
        }
        // Change the state and emit the events.
        right.to = at;
        if (right.from > at) right.from = at;
        emit RightEnded(id, no, grounds, at, by);
        _fold(id, abi.encode(bytes32("asset/right-ended/v1"), id, no, grounds, at, by));
    }

    /// @inheritdoc IAssetRights
    function rightsOf(AssetId id) external view returns (Right[] memory rights) {
        return _rights[id];
    }

    function _requireNoOverlap(AssetId id, Right calldata right) private view {
        Right[] storage rights = _rights[id];
        uint256 length = rights.length;
        for (uint256 i = 0; i < length; ++i) {
            Right memory other = rights[i];
            // Skip licences. It is enough to compare the rights that have no parent, because the period of a licence
            // lies within the period of such a right.
            if (other.parent != 0 || other.kind != right.kind || !(other.exclusive || right.exclusive)) continue;
            if (other.from < right.to && right.from < other.to) revert AssetRightOverlaps(id, uint16(i + 1));
        }
    }

    function _requireLicensable(AssetId id, Right calldata right, PartyNo by) private view {
        Right storage parent = _inForce(id, right.parent, right.from);
        if (parent.grantee != by || !parent.sublicensable || parent.kind != right.kind || right.exclusive) {
            revert AssetRightForbids(id, right.parent);
        }
        if (right.from < parent.from || right.to > parent.to) revert AssetRightPeriod(id, right.from, right.to);
    }

    /// Returns the right with the number `no`. Reverts if this right has ended at the time `at`, or if a right above
    /// this right (its parent, the parent's parent and so on) has ended.
    function _inForce(AssetId id, uint16 no, uint40 at) private view returns (Right storage right) {
        Right[] storage rights = _rights[id];
        if (no == 0 || no > rights.length) revert AssetRightForbids(id, no);
        right = rights[no - 1];
        if (at >= right.to) revert AssetRightForbids(id, no);
        // A parent right has a lower number than its licences, so this loop ends.
        for (uint16 above = right.parent; above != 0; above = rights[above - 1].parent) {
            if (at >= rights[above - 1].to) revert AssetRightForbids(id, above);
        }
    }

    function _emitGranted(AssetId id, uint16 no, Right calldata right, bytes32 scope, uint40 at, PartyNo by) private {
        emit RightGranted(
            id,
            no,
            right.kind,
            right.exclusive,
            right.sublicensable,
            right.transferable,
            right.grantee,
            right.from,
            right.to,
            right.parent,
            scope,
            at,
            by
        );
    }
}
