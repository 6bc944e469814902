// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRecord} from "../../contracts/interfaces/IAssetRecord.sol";
import {IAssetTransfers} from "../../contracts/interfaces/IAssetTransfers.sol";
import {AssetId, AssetState, NOBODY, PartyNo, Reason} from "../../contracts/Types.sol";
import {AssetWorld} from "./AssetWorld.sol";
import {Refold} from "./Refold.sol";
import {vm} from "./Vm.sol";

/// Transfer in two steps, and the heads; see AssetRegistry.tree.
contract AssetRegistryTransferTest is AssetWorld {
    function test_offerTransfer_GivenTheCallerIsAStranger() public {
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        assets.offerTransfer(ASSET, CONSUMER, DEADLINE);
    }

    function test_offerTransfer_GivenTheAssetIsMissing() public {
        expectWrongState(MISSING, AssetState.None);
        by(PROVIDER);
        assets.offerTransfer(MISSING, CONSUMER, DEADLINE);
    }

    function test_offerTransfer_GivenTheAssetIsUnconfirmed() public {
        expectWrongState(PENDING, AssetState.Applied);
        by(PROVIDER);
        assets.offerTransfer(PENDING, CONSUMER, DEADLINE);
    }

    function test_offerTransfer_GivenTheAssetIsFrozen() public {
        freeze(ASSET);
        expectFrozen(ASSET);
        offer(CONSUMER, DEADLINE);
    }

    function test_offerTransfer_GivenTheAssetIsExpired() public {
        vm.warp(VALID_TO);
        expectExpired();
        offer(CONSUMER, VALID_TO);
    }

    function test_offerTransfer_GivenTheCallerIsNotTheHolder() public {
        expectNotHolder(ASSET, PROVIDER);
        by(CONSUMER);
        assets.offerTransfer(ASSET, CONSUMER, DEADLINE);
    }

    function test_offerTransfer_WhenTheRecipientIsNobody() public {
        _expectBadRecipient(NOBODY);
        offer(NOBODY, DEADLINE);
    }

    function test_offerTransfer_WhenTheRecipientIsTheHolder() public {
        _expectBadRecipient(PROVIDER);
        offer(PROVIDER, DEADLINE);
    }

    function testFuzz_offerTransfer_WhenTheDeadlineIsPast(uint40 seed) public {
        uint40 deadline = uint40(bound(seed, 0, START - 1));
        expectTimePast(ASSET, deadline);
        offer(CONSUMER, deadline);
    }

    function test_offerTransfer_GivenAnOfferIsOpen() public {
        offer(CONSUMER, DEADLINE);
        vm.warp(DEADLINE);
        vm.expectRevert(
            abi.encodeWithSelector(IAssetRecord.AssetOfferOpen.selector, ASSET, CONSUMER, DEADLINE)
        );
        offer(SUBJECT, DEADLINE + 1);
    }

    function test_offerTransfer_GivenAnOfferHasLapsed() public {
        offer(CONSUMER, DEADLINE);
        vm.warp(DEADLINE + 1);
        offer(SUBJECT, DEADLINE + 1);
        assertEq(assets.assetOf(ASSET).offeredTo, SUBJECT);
        expectNotOfferee(SUBJECT);
        accept();
    }

    function testFuzz_offerTransfer_WhenAllIsWell(uint32 to, uint40 deadline) public {
        to = uint32(bound(to, 1, ALL_PARTIES));
        vm.assume(to != PartyNo.unwrap(PROVIDER) && deadline >= START);
        expectEvent();
        emit IAssetTransfers.TransferOffered(ASSET, PartyNo.wrap(to), deadline, START, PROVIDER);
        offer(PartyNo.wrap(to), deadline);
        assertEq(assets.assetOf(ASSET).offeredTo, PartyNo.wrap(to));
        assertEq(assets.assetOf(ASSET).until, deadline);
        assertEq(assets.assetOf(ASSET).holder, PROVIDER);
    }

    function test_acceptTransfer_GivenTheAssetIsUnconfirmed() public {
        expectWrongState(PENDING, AssetState.Applied);
        by(CONSUMER);
        assets.acceptTransfer(PENDING);
    }

    function test_acceptTransfer_GivenTheAssetIsFrozen() public {
        offer(CONSUMER, DEADLINE);
        freeze(ASSET);
        expectFrozen(ASSET);
        accept();
    }

    function test_acceptTransfer_GivenNoOfferIsOpen() public {
        expectNoOffer(ASSET);
        accept();
    }

    function test_acceptTransfer_GivenTheCallerIsNotTheOfferee() public {
        offer(CONSUMER, DEADLINE);
        for (uint32 no = 1; no <= PARTIES; ++no) {
            if (no == PartyNo.unwrap(CONSUMER)) continue;
            expectNotOfferee(CONSUMER);
            by(PartyNo.wrap(no));
            assets.acceptTransfer(ASSET);
        }
    }

    function testFuzz_acceptTransfer_WhenAtTheDeadline(uint40 seed) public {
        uint40 deadline = uint40(bound(seed, START, VALID_TO - 1));
        offer(CONSUMER, deadline);
        vm.warp(deadline);
        accept();
        assertEq(assets.assetOf(ASSET).holder, CONSUMER);
    }

    function testFuzz_acceptTransfer_WhenAfterTheDeadline(uint40 seed) public {
        uint40 deadline = uint40(bound(seed, START, VALID_TO - 2));
        offer(CONSUMER, deadline);
        vm.warp(uint256(deadline) + 1);
        vm.expectRevert(abi.encodeWithSelector(IAssetTransfers.AssetOfferLapsed.selector, ASSET, deadline));
        accept();
        assertEq(assets.assetOf(ASSET).holder, PROVIDER);
    }

    function test_acceptTransfer_WhenInTheLastSecondOfTheValidity() public {
        offer(CONSUMER, VALID_TO);
        vm.warp(VALID_TO - 1);
        accept();
        assertEq(assets.assetOf(ASSET).since, VALID_TO - 1);
    }

    function test_acceptTransfer_WhenAtTheEndOfTheValidity() public {
        offer(CONSUMER, VALID_TO);
        vm.warp(VALID_TO);
        expectExpired();
        accept();
    }

    function test_acceptTransfer_GivenTheOfferWasAccepted() public {
        offer(CONSUMER, DEADLINE);
        accept();
        expectNoOffer(ASSET);
        accept();
    }

    function test_acceptTransfer_WhenAllIsWell() public {
        offer(CONSUMER, DEADLINE);
        vm.warp(START + 2);
        expectEvent();
        emit IAssetTransfers.TransferAccepted(ASSET, PROVIDER, CONSUMER, START + 2, CONSUMER);
        accept();
        IAssetRecord.Asset memory asset = assets.assetOf(ASSET);
        assertEq(asset.holder, CONSUMER);
        assertEq(asset.since, START + 2);
        assertEq(asset.validTo, VALID_TO);
        _assertNoOffer();
        expectNotHolder(ASSET, CONSUMER);
        offer(SUBJECT, DEADLINE);
    }

    function test_rejectTransfer_GivenNoOfferIsOpen() public {
        expectNoOffer(MISSING);
        by(CONSUMER);
        assets.rejectTransfer(MISSING);
    }

    function test_rejectTransfer_GivenTheCallerIsNotTheOfferee() public {
        offer(CONSUMER, DEADLINE);
        expectNotOfferee(CONSUMER);
        by(PROVIDER);
        assets.rejectTransfer(ASSET);
    }

    function test_rejectTransfer_WhenAllIsWell() public {
        offer(CONSUMER, DEADLINE);
        expectEvent();
        emit IAssetTransfers.TransferRejected(ASSET, CONSUMER, START, CONSUMER);
        by(CONSUMER);
        assets.rejectTransfer(ASSET);
        _assertNoOffer();
        expectNoOffer(ASSET);
        accept();
    }

    function test_withdrawOffer_GivenTheCallerIsNotTheHolder() public {
        offer(CONSUMER, DEADLINE);
        expectNotHolder(ASSET, PROVIDER);
        by(CONSUMER);
        assets.withdrawOffer(ASSET);
    }

    function test_withdrawOffer_GivenNoOfferIsOpen() public {
        expectNoOffer(ASSET);
        by(PROVIDER);
        assets.withdrawOffer(ASSET);
    }

    function test_withdrawOffer_WhenAllIsWell() public {
        offer(CONSUMER, DEADLINE);
        expectEvent();
        emit IAssetTransfers.TransferWithdrawn(ASSET, CONSUMER, START, PROVIDER);
        by(PROVIDER);
        assets.withdrawOffer(ASSET);
        _assertNoOffer();
        expectNoOffer(ASSET);
        accept();
    }

    function test_headOf_GivenTheAssetIsMissing() public view {
        assertEq(assets.headOf(MISSING), bytes32(0));
    }

    function testFuzz_headOf_ItIsTheGenesisOfTheAssetFoldedOverEveryEvent(uint64 chain, uint16 wait) public {
        vm.assume(chain != 0);
        vm.chainId(chain);
        vm.recordLogs();
        newAssets();
        offer(SUBJECT, DEADLINE);
        by(PROVIDER);
        assets.withdrawOffer(ASSET);
        offer(CONSUMER, DEADLINE);
        by(CONSUMER);
        assets.rejectTransfer(ASSET);
        vm.warp(START + wait % 500);
        offer(CONSUMER, DEADLINE);
        freeze(PENDING);
        freeze(ASSET);
        by(AUTHORITY);
        assets.unfreeze(ASSET, Reason.Lifted);
        accept();
        bytes32 scope = AssetId.unwrap(ASSET);
        bytes32 genesis = Refold.genesis(chain, address(assets), scope);
        assertEq(assets.headOf(ASSET), Refold.over(genesis, vm.getRecordedLogs(), address(assets), scope));
    }

    function test_headOf_ItStaysWhenAnotherAssetMoves() public {
        bytes32 head = assets.headOf(ASSET);
        freeze(PENDING);
        assertEq(assets.headOf(ASSET), head);
        assertTrue(assets.headOf(PENDING) != head, "each has its own");
    }

    function _assertNoOffer() private view {
        assertEq(assets.assetOf(ASSET).offeredTo, NOBODY);
        assertEq(assets.assetOf(ASSET).until, 0);
    }

    function _expectBadRecipient(PartyNo to) private {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetBadRecipient.selector, ASSET, to));
    }
}
