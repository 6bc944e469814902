// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Assessment, AssetId, PartyNo, Relation} from "../Types.sol";

/// @title Where an asset comes from, what replaced it, and what third parties report on it.
interface IAssetLineage {
    /// @notice The asset under application comes from a registered one.
    event Linked(AssetId indexed id, Relation relation, AssetId indexed parent, uint40 at, PartyNo by);
    /// @notice Another asset of the same holder takes this one's place.
    event Replaced(AssetId indexed id, AssetId indexed successor, uint40 at, PartyNo by);
    /// @notice An accredited third party reported; `report` is its digest, valid until `validTo`.
    event Assessed(
        AssetId indexed id, Assessment kind, bytes32 report, uint40 validTo, uint40 at, PartyNo by
    );

    /// @notice The party has no accreditation for such reports now.
    error AssetNotAccredited(AssetId id, PartyNo party, Assessment kind);

    /// @notice Say from which confirmed asset the new one comes. For its holder, while its first application is not
    /// accepted yet. So parents are confirmed and children are not: no circle can be made.
    function link(AssetId id, Relation relation, AssetId parent) external;

    /// @notice Say that another confirmed asset replaces this one. For the holder of both.
    function replace(AssetId id, AssetId successor) external;

    /// @notice Commit to a quality report or a valuation. For assessors other than the holder, accredited in the party
    /// registry for the scenario code "quality" or "appraise".
    function assess(AssetId id, Assessment kind, bytes32 report, uint40 validTo) external;

    /// @notice The assets from which this one comes directly.
    function parentsOf(AssetId id) external view returns (AssetId[] memory parents);

    /// @notice An annulled asset from which this one comes, directly or not; zero if there is none.
    function annulledAncestor(AssetId id) external view returns (AssetId ancestor);
}
