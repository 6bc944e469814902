// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {IAssetRegistry} from "./interfaces/IAssetRegistry.sol";
import {IPartyRegistry} from "./interfaces/IPartyRegistry.sol";
import {Clock} from "./libraries/Clock.sol";
import {EventHead} from "./libraries/EventHead.sol";
import {AssetId, AssetState, NOBODY, PartyNo, Reason, Roles} from "./Types.sol";

/// @title Implements IAssetRegistry; the documentation is there.
contract AssetRegistry is IAssetRegistry, ERC2771Context {
    uint32 private constant APPLIES = Roles.PROVIDER | Roles.CONSUMER;
    uint32 private constant CONFIRMS = Roles.REGISTRAR;
    uint32 private constant FREEZES = Roles.AUTHORITY | Roles.SUPERVISOR;

    IPartyRegistry private immutable _REGISTRY;

    // slot 0
    uint32 private _count;
    // slots 1 to 3
    /// 8 + 8 + 3 * 32 + 3 * 40 bits: every move reads and writes one slot.
    mapping(AssetId id => Asset) private _assets;
    mapping(AssetId id => bytes32) private _heads;
    mapping(bytes32 fingerprint => AssetId) private _fingerprints;

    /// @param forwarder The trusted ERC-2771 forwarder.
    /// @param registry The parties.
    constructor(address forwarder, IPartyRegistry registry) ERC2771Context(forwarder) {
        _REGISTRY = registry;
    }

    /// @inheritdoc IAssetRegistry
    function register(AssetId id, bytes32 content, bytes32 fingerprint) external {
        _register(Registration(id, content, fingerprint), _actor(APPLIES));
    }

    /// @inheritdoc IAssetRegistry
    function registerMany(Registration[] calldata assets) external {
        PartyNo by = _actor(APPLIES);
        for (uint256 i = 0; i < assets.length; ++i) {
            _register(assets[i], by);
        }
    }

    /// @inheritdoc IAssetRegistry
    function confirm(AssetId id, uint40 validTo) external {
        _confirm(id, validTo, _actor(CONFIRMS));
    }

    /// @inheritdoc IAssetRegistry
    function confirmMany(AssetId[] calldata ids, uint40 validTo) external {
        PartyNo by = _actor(CONFIRMS);
        for (uint256 i = 0; i < ids.length; ++i) {
            _confirm(ids[i], validTo, by);
        }
    }

    /// @inheritdoc IAssetRegistry
    function offerTransfer(AssetId id, PartyNo to, uint40 deadline) external {
        // Check
        PartyNo by = _actor(Roles.ALL);
        (Asset storage asset, uint40 at) = _movable(id);
        if (asset.holder != by) revert AssetNotHolder(id, asset.holder);
        if (to == NOBODY || to == by) revert AssetBadRecipient(id, to);
        if (deadline < at) revert AssetTimePast(id, deadline);
        if (asset.offeredTo != NOBODY && at <= asset.offerDeadline) {
            revert AssetOfferOpen(id, asset.offeredTo, asset.offerDeadline);
        }
        // Effect
        asset.offeredTo = to;
        asset.offerDeadline = deadline;
        emit TransferOffered(id, to, deadline, at, by);
        _fold(id, sha256(abi.encode(bytes32("asset/offered/v1"), id, to, deadline, at, by)));
    }

    /// @inheritdoc IAssetRegistry
    function acceptTransfer(AssetId id) external {
        // Check
        PartyNo by = _actor(Roles.ALL);
        (Asset storage asset, uint40 at) = _movable(id);
        _requireOfferee(id, asset, by);
        if (at > asset.offerDeadline) revert AssetOfferLapsed(id, asset.offerDeadline);
        // Effect
        PartyNo from = asset.holder;
        asset.holder = by;
        asset.since = at;
        _clearOffer(asset);
        emit TransferAccepted(id, from, by, at, by);
        _fold(id, sha256(abi.encode(bytes32("asset/accepted/v1"), id, from, by, at, by)));
    }

    /// @inheritdoc IAssetRegistry
    function rejectTransfer(AssetId id) external {
        PartyNo by = _actor(Roles.ALL);
        Asset storage asset = _assets[id];
        _requireOfferee(id, asset, by);
        _clearOffer(asset);
        uint40 at = Clock.nowSeconds();
        emit TransferRejected(id, by, at, by);
        _fold(id, sha256(abi.encode(bytes32("asset/rejected/v1"), id, by, at, by)));
    }

    /// @inheritdoc IAssetRegistry
    function withdrawOffer(AssetId id) external {
        PartyNo by = _actor(Roles.ALL);
        Asset storage asset = _assets[id];
        if (asset.holder != by) revert AssetNotHolder(id, asset.holder);
        PartyNo to = asset.offeredTo;
        if (to == NOBODY) revert AssetNoOffer(id);
        _clearOffer(asset);
        uint40 at = Clock.nowSeconds();
        emit TransferWithdrawn(id, to, at, by);
        _fold(id, sha256(abi.encode(bytes32("asset/withdrawn/v1"), id, to, at, by)));
    }

    /// @inheritdoc IAssetRegistry
    function freeze(AssetId id, Reason reason) external {
        PartyNo by = _actor(FREEZES);
        Asset storage asset = _assets[id];
        if (asset.state == AssetState.None) revert AssetWrongState(id, asset.state);
        if (asset.frozen) revert AssetFrozen(id);
        asset.frozen = true;
        uint40 at = Clock.nowSeconds();
        emit Frozen(id, reason, at, by);
        _fold(id, sha256(abi.encode(bytes32("asset/frozen/v1"), id, reason, at, by)));
    }

    /// @inheritdoc IAssetRegistry
    function unfreeze(AssetId id, Reason reason) external {
        PartyNo by = _actor(FREEZES);
        Asset storage asset = _assets[id];
        if (!asset.frozen) revert AssetNotFrozen(id);
        asset.frozen = false;
        uint40 at = Clock.nowSeconds();
        emit Unfrozen(id, reason, at, by);
        _fold(id, sha256(abi.encode(bytes32("asset/unfrozen/v1"), id, reason, at, by)));
    }

    /// @inheritdoc IAssetRegistry
    function assetOf(AssetId id) external view returns (Asset memory asset) {
        return _assets[id];
    }

    /// @inheritdoc IAssetRegistry
    function headOf(AssetId id) external view returns (bytes32) {
        return _heads[id];
    }

    /// @inheritdoc IAssetRegistry
    function assetByFingerprint(bytes32 fingerprint) external view returns (AssetId id) {
        return _fingerprints[fingerprint];
    }

    /// @inheritdoc IAssetRegistry
    function count() external view returns (uint32) {
        return _count;
    }

    function _register(Registration memory entry, PartyNo by) private {
        // Check
        AssetId id = entry.id;
        if (AssetId.unwrap(id) == 0 || entry.fingerprint == 0) revert AssetZero();
        if (_assets[id].state != AssetState.None) revert AssetAlreadyRegistered(id);
        AssetId earlier = _fingerprints[entry.fingerprint];
        if (AssetId.unwrap(earlier) != 0) revert AssetDuplicateFingerprint(entry.fingerprint, earlier);
        // Effect
        uint40 at = Clock.nowSeconds();
        uint32 assetNo = ++_count;
        _fingerprints[entry.fingerprint] = id;
        _assets[id] = Asset(AssetState.Registered, false, by, by, NOBODY, 0, 0, at);
        emit Registered(id, assetNo, by, entry.content, entry.fingerprint, at, by);
        _heads[id] = EventHead.fold(
            EventHead.genesis(address(this), AssetId.unwrap(id)),
            sha256(
                abi.encode(
                    bytes32("asset/registered/v1"), id, assetNo, by, entry.content, entry.fingerprint, at, by
                )
            )
        );
    }

    function _confirm(AssetId id, uint40 validTo, PartyNo by) private {
        // Check
        Asset storage asset = _assets[id];
        if (asset.state != AssetState.Registered) revert AssetWrongState(id, asset.state);
        if (asset.applicant == by) revert AssetSelfReview(id, by);
        if (asset.frozen) revert AssetFrozen(id);
        uint40 at = Clock.nowSeconds();
        if (validTo <= at) revert AssetTimePast(id, validTo);
        // Effect
        asset.state = AssetState.Confirmed;
        asset.validTo = validTo;
        emit Confirmed(id, validTo, at, by);
        _fold(id, sha256(abi.encode(bytes32("asset/confirmed/v1"), id, validTo, at, by)));
    }

    /// A confirmed asset that is neither frozen nor expired, and the time.
    function _movable(AssetId id) private view returns (Asset storage asset, uint40 at) {
        asset = _assets[id];
        at = Clock.nowSeconds();
        if (asset.state != AssetState.Confirmed) revert AssetWrongState(id, asset.state);
        if (asset.frozen) revert AssetFrozen(id);
        if (at >= asset.validTo) revert AssetExpired(id, asset.validTo);
    }

    function _requireOfferee(AssetId id, Asset storage asset, PartyNo by) private view {
        PartyNo to = asset.offeredTo;
        if (to == NOBODY) revert AssetNoOffer(id);
        if (to != by) revert AssetNotOfferee(id, to);
    }

    function _clearOffer(Asset storage asset) private {
        asset.offeredTo = NOBODY;
        asset.offerDeadline = 0;
    }

    function _actor(uint32 anyOf) private view returns (PartyNo) {
        return _REGISTRY.actor(_msgSender(), anyOf);
    }

    function _fold(AssetId id, bytes32 digest) private {
        _heads[id] = EventHead.fold(_heads[id], digest);
    }
}
