// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetLiens} from "../interfaces/IAssetLiens.sol";
import {Clock} from "../libraries/Clock.sol";
import {AssetId, NOBODY, PartyNo, Roles} from "../Types.sol";
import {AssetRecord} from "./AssetRecord.sol";

/// @title Implements IAssetLiens. The interface documents the functions.
abstract contract AssetLiens is AssetRecord, IAssetLiens {
    /// The maximum number of liens that an asset can have at one time. `Asset.liens` has one bit for each lien.
    uint8 private constant MAX_LIENS = 8;

    // Storage slot 6.
    mapping(AssetId id => mapping(uint8 lien => Lien)) private _liens;

    /// @inheritdoc IAssetLiens
    function pledge(AssetId id, PartyNo creditor, bool sole, bytes32 terms) external returns (uint8 lien) {
        // Check all conditions before any change.
        PartyNo by = _actor(Roles.ALL);
        (Asset storage asset, uint40 at) = _free(id);
        _requireHolder(id, asset, by);
        _requireRecipient(id, creditor, by);
        if (terms == 0) revert AssetZero();
        uint8 rank;
        (lien, rank) = _next(id, asset.liens, sole);
        // Change the state and emit the events.
        asset.liens |= uint8(1 << lien);
        _liens[id][lien] = Lien(creditor, rank, sole, NOBODY, at);
        emit Pledged(id, lien, creditor, rank, sole, terms, at, by);
        _fold(id, abi.encode(bytes32("asset/pledged/v1"), id, lien, creditor, rank, sole, terms, at, by));
    }

    /// @inheritdoc IAssetLiens
    function consentToTransfer(AssetId id, uint8 lien, PartyNo to) external {
        PartyNo by = _actor(Roles.ALL);
        _requireCreditor(id, lien, by);
        _liens[id][lien].consentTo = to;
        uint40 at = Clock.nowSeconds();
        emit LienConsented(id, lien, to, at, by);
        _fold(id, abi.encode(bytes32("asset/consented/v1"), id, lien, to, at, by));
    }

    /// @inheritdoc IAssetLiens
    function release(AssetId id, uint8 lien) external {
        PartyNo by = _actor(Roles.ALL);
        _requireCreditor(id, lien, by);
        _assets[id].liens &= ~uint8(1 << lien);
        delete _liens[id][lien];
        uint40 at = Clock.nowSeconds();
        emit LienReleased(id, lien, at, by);
        _fold(id, abi.encode(bytes32("asset/released/v1"), id, lien, at, by));
    }

    /// @inheritdoc IAssetLiens
    function lienOf(AssetId id, uint8 lien) external view returns (Lien memory standing) {
        return _liens[id][lien];
    }

    /// Reverts if a creditor has not consented to a transfer to `to`. The error names the first lien whose creditor has
    /// not consented.
    function _requireConsent(AssetId id, uint8 liens, PartyNo to) internal view override {
        for (uint8 lien = 0; lien < MAX_LIENS; ++lien) {
            if (liens & (1 << lien) == 0) continue;
            Lien storage standing = _liens[id][lien];
            if (to == NOBODY || standing.consentTo != to) revert AssetPledged(id, lien, standing.creditor);
        }
    }

    /// Returns the number and the rank of a new lien: the lowest number that no lien has now, and the highest rank of
    /// the present liens plus 1.
    function _next(AssetId id, uint8 liens, bool sole) private view returns (uint8 lien, uint8 rank) {
        if (liens == 0) return (0, 1);
        lien = MAX_LIENS;
        for (uint8 i = MAX_LIENS; i > 0; --i) {
            uint8 place = i - 1;
            if (liens & (1 << place) == 0) {
                lien = place;
                continue;
            }
            Lien storage standing = _liens[id][place];
            if (sole || standing.sole) revert AssetPledged(id, place, standing.creditor);
            if (standing.rank > rank) rank = standing.rank;
        }
        if (lien == MAX_LIENS) revert AssetTooMany(id, MAX_LIENS);
        if (rank == type(uint8).max) revert AssetTooMany(id, rank);
        ++rank;
    }

    /// Reverts unless the party is the creditor of the lien.
    function _requireCreditor(AssetId id, uint8 lien, PartyNo by) private view {
        PartyNo creditor = _liens[id][lien].creditor;
        if (creditor != by) revert AssetWrongLien(id, lien, creditor);
    }
}
