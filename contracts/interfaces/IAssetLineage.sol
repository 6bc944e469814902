// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Assessment, AssetId, PartyNo, Relation} from "../Types.sol";

/// @title Lineage: the parents of an asset, the asset that replaced the asset, and the reports of third parties about
/// the asset.
interface IAssetLineage {
    /// @notice A new asset, whose first application is still open, was linked to the confirmed asset from which it is
    /// made.
    event Linked(AssetId indexed id, Relation relation, AssetId indexed parent, uint40 at, PartyNo by);
    /// @notice Another asset of the same holder replaced this asset.
    event Replaced(AssetId indexed id, AssetId indexed successor, uint40 at, PartyNo by);
    /// @notice An accredited third party assessed the asset. `report` is the report's digest, valid until `validTo`.
    event Assessed(
        AssetId indexed id, Assessment kind, bytes32 report, uint40 validTo, uint40 at, PartyNo by
    );

    /// @notice The party is not accredited for reports of this kind at the present time.
    error AssetNotAccredited(AssetId id, PartyNo party, Assessment kind);

    /// @notice Record the confirmed asset from which a new asset is made. The new asset's holder may call this before
    /// the first application is accepted. The links cannot form a circle, because the parent is already confirmed and
    /// the new asset is not.
    function link(AssetId id, Relation relation, AssetId parent) external;

    /// @notice Record that another asset replaces this asset. Both assets must be confirmed, and only the party that
    /// holds both assets may call this.
    function replace(AssetId id, AssetId successor) external;

    /// @notice Record the digest of a quality report or a valuation. Assessors may call this if they are not the holder
    /// and are accredited in the party registry for the scenario code "quality" or "appraise".
    function assess(AssetId id, Assessment kind, bytes32 report, uint40 validTo) external;

    /// @notice Return the assets from which this asset is made directly (its parents).
    function parentsOf(AssetId id) external view returns (AssetId[] memory parents);

    /// @notice Return an annulled asset from which this asset is made, directly or indirectly; zero if there is no such
    /// asset.
    function annulledAncestor(AssetId id) external view returns (AssetId ancestor);
}
