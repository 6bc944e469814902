// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {IAssetRecord} from "../interfaces/IAssetRecord.sol";
import {IOrigin} from "../interfaces/IOrigin.sol";
import {IPartyRegistry} from "../interfaces/IPartyRegistry.sol";
import {Clock} from "../libraries/Clock.sol";
import {EventHead} from "../libraries/EventHead.sol";
import {ApplicationKind, AssetId, AssetState, NOBODY, PartyNo, Roles, Stage} from "../Types.sol";

/// @title Stores the record of each asset and the head of the asset's hash chain, and checks the conditions that
/// several acts share.
abstract contract AssetRecord is IAssetRecord, ERC2771Context {
    /// The role that reviews applications and decides objections.
    uint32 internal constant REGISTRARS = Roles.REGISTRAR;

    IPartyRegistry internal immutable _REGISTRY;
    bytes32 internal immutable _ORIGIN;

    // Storage slots 0 and 1: this mapping and the mapping below.
    /// Every act reads and writes an `Asset`, so the fields of an `Asset` are packed into one 256-bit word (9 * 8 + 2 *
    /// 32 + 3 * 40 bits).
    mapping(AssetId id => Asset) internal _assets;
    mapping(AssetId id => bytes32) internal _heads;

    /// @param forwarder The trusted ERC-2771 forwarder. The contract also reads the ledger's origin from the forwarder.
    /// @param registry The party registry of this ledger.
    constructor(address forwarder, IPartyRegistry registry) ERC2771Context(forwarder) {
        _REGISTRY = registry;
        _ORIGIN = IOrigin(forwarder).origin();
    }

    /// Reverts unless every creditor consents to a transfer to `to`. AssetLiens implements this function.
    function _requireConsent(AssetId id, uint8 liens, PartyNo to) internal view virtual;

    /// Returns the calling party; reverts unless the party is active and has one of the roles in `anyOf`.
    function _actor(uint32 anyOf) internal view returns (PartyNo) {
        return _REGISTRY.actor(_msgSender(), anyOf);
    }

    /// Returns what `_actor` returns, but also reverts while the ledger is paused.
    function _actorUnlessPaused(uint32 anyOf) internal view returns (PartyNo) {
        return _REGISTRY.actorUnlessPaused(_msgSender(), anyOf);
    }

    /// Adds an event to the asset's hash chain. `encoded` is the event's tag and fields, ABI-encoded.
    function _fold(AssetId id, bytes memory encoded) internal {
        _heads[id] = EventHead.fold(_heads[id], EventHead.digest(encoded));
    }

    /// Returns the asset and the present time. Reverts unless the asset's registration is confirmed and has not
    /// expired.
    function _valid(AssetId id) internal view returns (Asset storage asset, uint40 at) {
        asset = _assets[id];
        at = Clock.nowSeconds();
        if (asset.state != AssetState.Confirmed) revert AssetWrongState(id, asset.state);
        if (at >= asset.validTo) revert AssetExpired(id, asset.validTo);
    }

    /// Returns the asset and the present time. Reverts unless the registration is confirmed, not expired, not frozen
    /// and without an open objection.
    function _free(AssetId id) internal view returns (Asset storage asset, uint40 at) {
        (asset, at) = _valid(id);
        if (asset.frozen) revert AssetFrozen(id);
        if (asset.objections != 0) revert AssetObjected(id, asset.objections);
    }

    /// Returns the asset and the present time. Reverts unless the asset may be transferred to `to`: the asset must meet
    /// the conditions of `_free`, no application may be open, and every creditor must consent.
    function _movable(AssetId id, PartyNo to) internal view returns (Asset storage asset, uint40 at) {
        (asset, at) = _free(id);
        _requireNoApplication(id, asset);
        if (asset.liens != 0) _requireConsent(id, asset.liens, to);
    }

    /// Reverts while an application for the asset is open.
    function _requireNoApplication(AssetId id, Asset storage asset) internal view {
        if (asset.stage != Stage.None) revert AssetApplicationOpen(id, asset.kind, asset.stage);
    }

    /// Reverts while the asset is offered for transfer, so that the holder cannot change the asset or grant rights in
    /// it before the recipient accepts.
    function _requireNoOffer(AssetId id, Asset storage asset, uint40 at) internal view {
        if (asset.offeredTo != NOBODY && at <= asset.until) revert AssetOfferOpen(id, asset.offeredTo, asset.until);
    }

    /// Reverts unless the party holds the asset.
    function _requireHolder(AssetId id, Asset storage asset, PartyNo by) internal view {
        if (asset.holder != by) revert AssetNotHolder(id, asset.holder);
    }

    /// Reverts if the party holds the asset, because a party must not review its own asset.
    function _requireThirdParty(AssetId id, Asset storage asset, PartyNo by) internal view {
        if (asset.holder == by) revert AssetSelfReview(id, by);
    }

    /// Reverts unless the recipient `to` is an active party and not the acting party `by`.
    function _requireRecipient(AssetId id, PartyNo to, PartyNo by) internal view {
        if (to == by || !_REGISTRY.isActive(to)) revert AssetBadRecipient(id, to);
    }

    /// Returns the asset, whatever its state is; reverts if the asset was never registered.
    function _requireExists(AssetId id) internal view returns (Asset storage asset) {
        asset = _assets[id];
        if (asset.state == AssetState.None) revert AssetWrongState(id, AssetState.None);
    }

    /// Removes the open offer of a transfer, and the deadline of the offer.
    function _clearOffer(Asset storage asset) internal {
        asset.offeredTo = NOBODY;
        asset.until = 0;
    }

    /// Removes the open application, and the end of its public notice.
    function _closeApplication(Asset storage asset) internal {
        asset.kind = ApplicationKind.None;
        asset.stage = Stage.None;
        asset.until = 0;
    }
}
