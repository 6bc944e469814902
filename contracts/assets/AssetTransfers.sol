// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetTransfers} from "../interfaces/IAssetTransfers.sol";
import {Clock} from "../libraries/Clock.sol";
import {AssetId, AssetState, NOBODY, PartyNo, Reason, Roles} from "../Types.sol";
import {AssetRecord} from "./AssetRecord.sol";

/// @title Implements IAssetTransfers. The interface documents the functions.
abstract contract AssetTransfers is AssetRecord, IAssetTransfers {
    uint32 private constant FREEZES = Roles.AUTHORITY | Roles.SUPERVISOR;
    uint32 private constant ANNULS = Roles.REGISTRAR | Roles.AUTHORITY | Roles.SUPERVISOR;

    /// @inheritdoc IAssetTransfers
    function offerTransfer(AssetId id, PartyNo to, uint40 deadline) external {
        // Check all conditions before any change.
        PartyNo by = _actor(Roles.ALL);
        (Asset storage asset, uint40 at) = _movable(id, to);
        _requireHolder(id, asset, by);
        _requireRecipient(id, to, by);
        if (deadline < at) revert AssetTimePast(id, deadline);
        _requireNoOffer(id, asset, at);
        // Change the state and emit the events.
        asset.offeredTo = to;
        asset.until = deadline;
        emit TransferOffered(id, to, deadline, at, by);
        _fold(id, abi.encode(bytes32("asset/offered/v1"), id, to, deadline, at, by));
    }

    /// @inheritdoc IAssetTransfers
    function acceptTransfer(AssetId id) external {
        // Check all conditions before any change.
        PartyNo by = _actor(Roles.ALL);
        (Asset storage asset, uint40 at) = _movable(id, by);
        _requireOfferee(id, asset, by);
        if (at > asset.until) revert AssetOfferLapsed(id, asset.until);
        // Change the state and emit the events.
        PartyNo from = asset.holder;
        asset.holder = by;
        asset.since = at;
        _clearOffer(asset);
        emit TransferAccepted(id, from, by, at, by);
        _fold(id, abi.encode(bytes32("asset/accepted/v1"), id, from, by, at, by));
    }

    /// @inheritdoc IAssetTransfers
    function rejectTransfer(AssetId id) external {
        PartyNo by = _actor(Roles.ALL);
        Asset storage asset = _assets[id];
        _requireOfferee(id, asset, by);
        _clearOffer(asset);
        uint40 at = Clock.nowSeconds();
        emit TransferRejected(id, by, at, by);
        _fold(id, abi.encode(bytes32("asset/rejected/v1"), id, by, at, by));
    }

    /// @inheritdoc IAssetTransfers
    function withdrawOffer(AssetId id) external {
        PartyNo by = _actor(Roles.ALL);
        Asset storage asset = _assets[id];
        _requireHolder(id, asset, by);
        PartyNo to = asset.offeredTo;
        if (to == NOBODY) revert AssetNoOffer(id);
        _clearOffer(asset);
        uint40 at = Clock.nowSeconds();
        emit TransferWithdrawn(id, to, at, by);
        _fold(id, abi.encode(bytes32("asset/withdrawn/v1"), id, to, at, by));
    }

    /// @inheritdoc IAssetTransfers
    function reassign(AssetId id, PartyNo to, bytes32 grounds) external {
        // Check all conditions before any change.
        if (msg.sender != address(_REGISTRY)) revert AssetNotDecided();
        PartyNo by = _actor(Roles.AUTHORITY);
        Asset storage asset = _requireStanding(id);
        PartyNo from = asset.holder;
        if (!_REGISTRY.isSilent(from)) revert AssetHolderSpeaks(id, from);
        _requireRecipient(id, to, from);
        if (grounds == 0) revert AssetZero();
        // Change the state and emit the events.
        uint40 at = Clock.nowSeconds();
        asset.holder = to;
        asset.since = at;
        // Without an offer, `until` can be the end of a public notice, which a reassignment must not change.
        if (asset.offeredTo != NOBODY) _clearOffer(asset);
        emit Reassigned(id, from, to, grounds, at, by);
        _fold(id, abi.encode(bytes32("asset/reassigned/v1"), id, from, to, grounds, at, by));
    }

    /// @inheritdoc IAssetTransfers
    function freeze(AssetId id, Reason reason) external {
        PartyNo by = _actor(FREEZES);
        Asset storage asset = _requireStanding(id);
        _requireThirdParty(id, asset, by);
        if (asset.frozen) revert AssetFrozen(id);
        asset.frozen = true;
        uint40 at = Clock.nowSeconds();
        emit Frozen(id, reason, at, by);
        _fold(id, abi.encode(bytes32("asset/frozen/v1"), id, reason, at, by));
    }

    /// @inheritdoc IAssetTransfers
    function unfreeze(AssetId id, Reason reason) external {
        PartyNo by = _actor(FREEZES);
        Asset storage asset = _requireStanding(id);
        _requireThirdParty(id, asset, by);
        if (!asset.frozen) revert AssetNotFrozen(id);
        asset.frozen = false;
        uint40 at = Clock.nowSeconds();
        emit Unfrozen(id, reason, at, by);
        _fold(id, abi.encode(bytes32("asset/unfrozen/v1"), id, reason, at, by));
    }

    /// @inheritdoc IAssetTransfers
    function annul(AssetId id, Reason reason, bytes32 grounds) external {
        // Check all conditions before any change.
        PartyNo by = _actor(ANNULS);
        Asset storage asset = _assets[id];
        _requireThirdParty(id, asset, by);
        if (asset.state != AssetState.Confirmed) revert AssetWrongState(id, asset.state);
        if (grounds == 0) revert AssetZero();
        // Change the state and emit the events.
        asset.state = AssetState.Annulled;
        _clearOffer(asset);
        _closeApplication(asset);
        uint40 at = Clock.nowSeconds();
        emit Annulled(id, reason, grounds, at, by);
        _fold(id, abi.encode(bytes32("asset/annulled/v1"), id, reason, grounds, at, by));
    }

    /// Returns the asset. Reverts unless the state of its registration is `Applied` or `Confirmed`.
    function _requireStanding(AssetId id) private view returns (Asset storage asset) {
        asset = _assets[id];
        AssetState state = asset.state;
        if (state != AssetState.Applied && state != AssetState.Confirmed) revert AssetWrongState(id, state);
    }

    function _requireOfferee(AssetId id, Asset storage asset, PartyNo by) private view {
        PartyNo to = asset.offeredTo;
        if (to == NOBODY) revert AssetNoOffer(id);
        if (to != by) revert AssetNotOfferee(id, to);
    }
}
