// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetApplications} from "../../../contracts/interfaces/IAssetApplications.sol";
import {IAssetRecord} from "../../../contracts/interfaces/IAssetRecord.sol";
import {ApplicationKind, AssetId, AssetState, Grade, PartyNo, Stage} from "../../../contracts/Types.sol";
import {AssetWorld} from "./AssetWorld.sol";
import {Refold} from "../Refold.sol";
import {vm} from "../Vm.sol";

/// Makes assets with an application of any kind at any stage.
abstract contract AssetStages is AssetWorld {
    AssetId internal constant NEW = AssetId.wrap("new");
    bytes32 internal constant PRINT = "new print";
    uint256 internal constant KINDS = uint256(type(ApplicationKind).max) + 1;
    uint256 internal constant STAGES = uint256(type(Stage).max) + 1;

    /// Checks that the test emitted events of the asset, and that the head of the asset's hash chain covers exactly
    /// these events.
    modifier folding(AssetId id) {
        bytes32 scope = AssetId.unwrap(id);
        bytes32 head = assets.headOf(id);
        if (head == 0) head = Refold.genesis(assets.origin(), block.chainid, address(assets), scope);
        vm.recordLogs();
        _;
        bytes32 after_ = Refold.over(head, vm.getRecordedLogs(), address(assets), scope);
        assertTrue(after_ != head, "the asset emitted no event");
        assertEq(assets.headOf(id), after_);
    }

    /// Registers an asset of the provider, and brings an application of this kind to this stage. If kind or stage is
    /// `None`, the asset is confirmed and has no open application.
    function bring(AssetId id, ApplicationKind kind, Stage stage) internal {
        register(id, keccak256(abi.encode(id)), Grade.General);
        if (kind == ApplicationKind.First && stage != Stage.None) return _bringTo(id, stage);
        _confirmed(id);
        if (kind == ApplicationKind.None || stage == Stage.None) return;
        file(id, kind);
        _bringTo(id, stage);
    }

    /// Registers a new asset and ends its registration in this state.
    function end(AssetId id, AssetState state) internal {
        if (state == AssetState.Rejected) {
            bring(id, ApplicationKind.First, Stage.Accepted);
            reject(id);
        } else if (state == AssetState.Cancelled) {
            bring(id, ApplicationKind.Cancel, Stage.Reviewed);
            confirm(id, 0);
        } else {
            bring(id, ApplicationKind.None, Stage.None);
            annul(id);
        }
    }

    function register(AssetId id, bytes32 fingerprint, Grade grade) internal {
        by(PROVIDER);
        assets.register(id, "content", fingerprint, grade);
    }

    function reject(AssetId id) internal {
        by(REGISTRAR);
        assets.reject(id, GROUNDS);
    }

    function clear(AssetId id) internal {
        by(CDO);
        assets.clear(id, "report");
    }

    function nth(uint256 n) internal pure returns (AssetId) {
        return AssetId.wrap(bytes32(1 + n));
    }

    function endings() internal pure returns (AssetState[3] memory) {
        return [AssetState.Rejected, AssetState.Cancelled, AssetState.Annulled];
    }

    function assertState(AssetId id, AssetState state) internal view {
        assertEq(uint256(assets.assetOf(id).state), uint256(state));
    }

    function assertApplication(AssetId id, ApplicationKind kind, Stage stage, uint40 until) internal view {
        IAssetRecord.Asset memory asset = assets.assetOf(id);
        assertEq(uint256(asset.kind), uint256(kind));
        assertEq(uint256(asset.stage), uint256(stage));
        assertEq(asset.until, until);
    }

    function assertNoApplication(AssetId id) internal view {
        assertApplication(id, ApplicationKind.None, Stage.None, 0);
    }

    function assertPrint(bytes32 fingerprint, AssetId id) internal view {
        assertEq(AssetId.unwrap(assets.assetByFingerprint(fingerprint)), AssetId.unwrap(id));
    }

    function expectDuplicate(bytes32 fingerprint, AssetId earlier) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IAssetApplications.AssetDuplicateFingerprint.selector, fingerprint, earlier)
        );
    }

    function expectNoticeShort(AssetId id, uint40 until, uint40 earliest) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IAssetApplications.AssetNoticeShort.selector, id, until, earliest)
        );
    }

    function expectNoticeRuns(AssetId id, uint40 until) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetApplications.AssetNoticeRuns.selector, id, until));
    }

    function expectNotCleared(AssetId id) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetApplications.AssetNotCleared.selector, id));
    }

    function expectOfferOpen(PartyNo to, uint40 deadline) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetOfferOpen.selector, ASSET, to, deadline));
    }

    function _bringTo(AssetId id, Stage stage) private {
        if (stage == Stage.Returned) return advance(id, stage);
        for (uint256 next = uint256(Stage.Accepted); next <= uint256(stage); ++next) {
            advance(id, Stage(next));
        }
    }
}
