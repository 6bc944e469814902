// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetLineage} from "../interfaces/IAssetLineage.sol";
import {Clock} from "../libraries/Clock.sol";
import {Assessment, AssetId, AssetState, PartyNo, Relation, Roles, ScenarioCode, Stage} from "../Types.sol";
import {AssetRecord} from "./AssetRecord.sol";

/// @title Implements IAssetLineage. The interface documents the functions.
abstract contract AssetLineage is AssetRecord, IAssetLineage {
    /// The maximum number of ancestors of an asset. It limits the work of `annulledAncestor`, which may visit all
    /// ancestors. An ancestor counts once for each path from the asset to the ancestor.
    uint256 private constant MAX_ANCESTORS = 128;
    ScenarioCode private constant QUALITY = ScenarioCode.wrap("quality");
    ScenarioCode private constant APPRAISAL = ScenarioCode.wrap("appraise");

    struct Lineage {
        uint16 ancestors;
        AssetId[] parents;
    }

    // Storage slot 7.
    mapping(AssetId id => Lineage) private _lineages;

    /// @inheritdoc IAssetLineage
    function link(AssetId id, Relation relation, AssetId parent) external {
        // Check all conditions before any change.
        PartyNo by = _actor(Roles.ALL);
        Asset storage asset = _assets[id];
        _requireHolder(id, asset, by);
        bool open = asset.stage == Stage.Submitted || asset.stage == Stage.Returned;
        if (asset.state != AssetState.Applied || !open) revert AssetWrongStage(id, asset.kind, asset.stage);
        AssetState state = _assets[parent].state;
        if (state != AssetState.Confirmed) revert AssetWrongState(parent, state);
        Lineage storage lineage = _lineages[id];
        uint256 ancestors = uint256(lineage.ancestors) + 1 + _lineages[parent].ancestors;
        if (ancestors > MAX_ANCESTORS) revert AssetTooMany(id, MAX_ANCESTORS);
        // Change the state and emit the events.
        lineage.ancestors = uint16(ancestors);
        lineage.parents.push(parent);
        uint40 at = Clock.nowSeconds();
        emit Linked(id, relation, parent, at, by);
        _fold(id, abi.encode(bytes32("asset/linked/v1"), id, relation, parent, at, by));
    }

    /// @inheritdoc IAssetLineage
    function replace(AssetId id, AssetId successor) external {
        PartyNo by = _actor(Roles.ALL);
        (Asset storage asset, uint40 at) = _valid(id);
        (Asset storage next,) = _valid(successor);
        _requireHolder(id, asset, by);
        _requireHolder(successor, next, by);
        if (AssetId.unwrap(id) == AssetId.unwrap(successor)) revert AssetWrongState(id, asset.state);
        emit Replaced(id, successor, at, by);
        _fold(id, abi.encode(bytes32("asset/replaced/v1"), id, successor, at, by));
    }

    /// @inheritdoc IAssetLineage
    function assess(AssetId id, Assessment kind, bytes32 report, uint40 validTo) external {
        // Check all conditions before any change.
        PartyNo by = _actor(Roles.ASSESSOR);
        Asset storage asset = _requireExists(id);
        _requireThirdParty(id, asset, by);
        uint40 at = Clock.nowSeconds();
        ScenarioCode code = kind == Assessment.Quality ? QUALITY : APPRAISAL;
        (uint40 from, uint40 to) = _REGISTRY.accreditationOf(by, code);
        if (at < from || at >= to) revert AssetNotAccredited(id, by, kind);
        if (report == 0) revert AssetZero();
        if (validTo <= at) revert AssetTimePast(id, validTo);
        // Change the state and emit the events.
        emit Assessed(id, kind, report, validTo, at, by);
        _fold(id, abi.encode(bytes32("asset/assessed/v1"), id, kind, report, validTo, at, by));
    }

    /// @inheritdoc IAssetLineage
    function parentsOf(AssetId id) external view returns (AssetId[] memory parents) {
        return _lineages[id].parents;
    }

    /// @inheritdoc IAssetLineage
    function annulledAncestor(AssetId id) public view returns (AssetId ancestor) {
        AssetId[] storage parents = _lineages[id].parents;
        for (uint256 i = 0; i < parents.length; ++i) {
            if (_assets[parents[i]].state == AssetState.Annulled) return parents[i];
            ancestor = annulledAncestor(parents[i]);
            if (AssetId.unwrap(ancestor) != 0) return ancestor;
        }
    }
}
