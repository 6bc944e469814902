// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRecord} from "../../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetTransfers} from "../../../../contracts/interfaces/IAssetTransfers.sol";
import {ApplicationKind, AssetId, AssetState, PartyNo, PartyStatus, Stage} from "../../../../contracts/Types.sol";
import {ConfirmedAssetWorld} from "../ConfirmedAssetWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests the reassignment of an asset whose holder can no longer act; see AssetReassign.tree.
contract AssetReassignTest is ConfirmedAssetWorld {
    function test_reassign_GivenNoApprovedProposal() public {
        _silence();
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            vm.expectRevert(abi.encodeWithSelector(IAssetTransfers.AssetNotDecided.selector));
            by(PartyNo.wrap(no));
            assets.reassign(ASSET, CONSUMER, GROUNDS);
        }
    }

    function test_reassign_GivenNoProposalIsBeingCarriedOut() public {
        _silence();
        expectUnknownAccount(address(registry));
        vm.prank(address(registry));
        assets.reassign(ASSET, CONSUMER, GROUNDS);
    }

    function test_reassign_GivenAKeyMayActForTheHolder() public {
        setStatus(PROVIDER, PartyStatus.Sanctioned);
        uint32 no = _propose(ASSET, CONSUMER, GROUNDS);
        vm.expectRevert(abi.encodeWithSelector(IAssetTransfers.AssetHolderSpeaks.selector, ASSET, PROVIDER));
        _confirm(no, ASSET, CONSUMER, GROUNDS);
    }

    function test_reassign_GivenTheAssetHasEndedOrDoesNotExist() public {
        endAssets();
        _silence();
        AssetId[4] memory ids_ = [MISSING, REJECTED, CANCELLED, ANNULLED];
        AssetState[4] memory states =
            [AssetState.None, AssetState.Rejected, AssetState.Cancelled, AssetState.Annulled];
        for (uint256 i = 0; i < ids_.length; ++i) {
            uint32 no = _propose(ids_[i], CONSUMER, GROUNDS);
            expectWrongState(ids_[i], states[i]);
            _confirm(no, ids_[i], CONSUMER, GROUNDS);
        }
    }

    function test_reassign_WhenTheRecipientIsTheHolderOrNotActive() public {
        _silence();
        setStatus(BANK, PartyStatus.Suspended);
        PartyNo[3] memory to = [PROVIDER, BANK, PartyNo.wrap(ALL_PARTIES + 1)];
        for (uint256 i = 0; i < to.length; ++i) {
            uint32 no = _propose(ASSET, to[i], GROUNDS);
            vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetBadRecipient.selector, ASSET, to[i]));
            _confirm(no, ASSET, to[i], GROUNDS);
        }
    }

    function test_reassign_WhenThereAreNoGrounds() public {
        _silence();
        uint32 no = _propose(ASSET, CONSUMER, 0);
        expectZero();
        _confirm(no, ASSET, CONSUMER, 0);
    }

    function test_reassign_WhenTheCallIsValid() public folds {
        _silence();
        vm.warp(START + 5);
        uint32 no = _propose(ASSET, CONSUMER, GROUNDS);
        expectEvent();
        emit IAssetTransfers.Reassigned(ASSET, PROVIDER, CONSUMER, GROUNDS, START + 5, AUTHORITY);
        _confirm(no, ASSET, CONSUMER, GROUNDS);
        assertEq(assets.assetOf(ASSET).holder, CONSUMER);
        assertEq(assets.assetOf(ASSET).since, START + 5);
        assertEq(assets.assetOf(PENDING).holder, PROVIDER);
    }

    function test_reassign_GivenTheHolderIsClosed() public {
        setStatus(PROVIDER, PartyStatus.Closed);
        _reassign(ASSET);
        assertEq(assets.assetOf(ASSET).holder, CONSUMER);
    }

    function test_reassign_GivenTheAssetIsOffered() public {
        offer(BANK, DEADLINE);
        _silence();
        _reassign(ASSET);
        assertNoOffer();
        expectNoOffer(ASSET);
        by(BANK);
        assets.rejectTransfer(ASSET);
    }

    /// A reassignment must not end the public notice of an application, because the application could then be confirmed
    /// too early.
    function test_reassign_GivenAnApplicationIsUnderPublicNotice() public {
        _noticed(PENDING);
        _silence();
        _reassign(PENDING);
        IAssetRecord.Asset memory asset = assets.assetOf(PENDING);
        assertEq(asset.until, NOTICE_END);
        assertEq(uint256(asset.stage), uint256(Stage.Noticed));
        assertEq(uint256(asset.kind), uint256(ApplicationKind.First));
        assertEq(asset.holder, CONSUMER);
    }

    function test_reassign_GivenTheAssetIsFrozenAndPledged() public {
        by(PROVIDER);
        assets.pledge(ASSET, BANK, false, TERMS);
        freeze(ASSET);
        _silence();
        _reassign(ASSET);
        assertTrue(assets.assetOf(ASSET).frozen, "it stays frozen");
        assertEq(assets.assetOf(ASSET).liens, 1);
    }

    function _silence() private {
        by(PROVIDER);
        registry.report(PROVIDER, accountOf(PROVIDER));
    }

    function _reassign(AssetId id) private {
        _confirm(_propose(id, CONSUMER, GROUNDS), id, CONSUMER, GROUNDS);
    }

    function _propose(AssetId id, PartyNo to, bytes32 grounds) private returns (uint32 no) {
        by(AUTHORITY);
        return registry.propose(address(assets), abi.encodeCall(IAssetTransfers.reassign, (id, to, grounds)));
    }

    function _confirm(uint32 no, AssetId id, PartyNo to, bytes32 grounds) private {
        by(SECOND_OFFICER);
        registry.confirm(no, address(assets), abi.encodeCall(IAssetTransfers.reassign, (id, to, grounds)));
    }
}
