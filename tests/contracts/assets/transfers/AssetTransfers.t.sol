// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRecord} from "../../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetTransfers} from "../../../../contracts/interfaces/IAssetTransfers.sol";
import {
    ApplicationKind, AssetId, AssetState, NOBODY, ObjectionState, PartyNo, PartyStatus, Stage
} from "../../../../contracts/Types.sol";
import {ConfirmedAssetWorld} from "../ConfirmedAssetWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests transfers in two steps; see AssetTransfers.tree.
contract AssetTransfersTest is ConfirmedAssetWorld {
    function test_offerTransfer_GivenTheCallerIsAStranger() public {
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        assets.offerTransfer(ASSET, CONSUMER, DEADLINE);
    }

    function test_offerTransfer_GivenTheCallerIsSuspended() public {
        setStatus(PROVIDER, PartyStatus.Suspended);
        expectNotActive(PROVIDER, PartyStatus.Suspended);
        offer(CONSUMER, DEADLINE);
    }

    function test_offerTransfer_GivenTheAssetIsNotConfirmed() public {
        endAssets();
        AssetId[5] memory list = unconfirmed();
        for (uint256 i = 0; i < list.length; ++i) {
            expectWrongState(list[i], stateOf(list[i]));
            by(PROVIDER);
            assets.offerTransfer(list[i], CONSUMER, DEADLINE);
        }
    }

    function test_offerTransfer_GivenTheAssetIsExpired() public {
        vm.warp(VALID_TO);
        expectExpired();
        offer(CONSUMER, VALID_TO);
    }

    function test_offerTransfer_GivenTheAssetIsFrozen() public {
        freeze(ASSET);
        expectFrozen(ASSET);
        offer(CONSUMER, DEADLINE);
    }

    function test_offerTransfer_GivenAnObjectionIsOpen() public {
        object(ASSET);
        object(ASSET);
        expectObjected(ASSET, 2);
        offer(CONSUMER, DEADLINE);
        decide(1, ObjectionState.Refused);
        expectObjected(ASSET, 1);
        offer(CONSUMER, DEADLINE);
        decide(2, ObjectionState.Admitted);
        decide(2, ObjectionState.Verified);
        expectObjected(ASSET, 1);
        offer(CONSUMER, DEADLINE);
        decide(2, ObjectionState.Dismissed);
        offer(CONSUMER, DEADLINE);
    }

    function test_offerTransfer_GivenAnApplicationIsOpen() public {
        Stage[4] memory stages = [Stage.Submitted, Stage.Accepted, Stage.Reviewed, Stage.Noticed];
        file(ASSET, ApplicationKind.Change);
        for (uint256 i = 0; i < stages.length; ++i) {
            if (i != 0) advance(ASSET, stages[i]);
            expectApplicationOpen(ASSET, ApplicationKind.Change, stages[i]);
            offer(CONSUMER, DEADLINE);
        }
    }

    function test_offerTransfer_GivenACreditorHasNotConsented() public {
        pledge(BANK);
        pledge(BROKER);
        expectPledged(ASSET, 0, BANK);
        offer(CONSUMER, DEADLINE);
        consent(0, BANK, CONSUMER);
        expectPledged(ASSET, 1, BROKER);
        offer(CONSUMER, DEADLINE);
    }

    function test_offerTransfer_GivenACreditorConsentsToAnotherRecipient() public {
        pledge(BANK);
        consent(0, BANK, SUBJECT);
        expectPledged(ASSET, 0, BANK);
        offer(CONSUMER, DEADLINE);
        expectPledged(ASSET, 0, BANK);
        offer(NOBODY, DEADLINE);
    }

    function testFuzz_offerTransfer_GivenEveryCreditorConsents(uint8 seed) public {
        uint8 liens = uint8(bound(seed, 1, 8));
        for (uint8 lien = 0; lien < liens; ++lien) {
            pledge(BANK);
            consent(lien, BANK, CONSUMER);
        }
        offer(CONSUMER, DEADLINE);
        assertEq(assets.assetOf(ASSET).offeredTo, CONSUMER);
    }

    function test_offerTransfer_GivenTheCallerIsNotTheHolder() public {
        expectNotHolder(ASSET, PROVIDER);
        by(CONSUMER);
        assets.offerTransfer(ASSET, BANK, DEADLINE);
    }

    function test_offerTransfer_WhenTheRecipientIsNobody() public {
        expectBadRecipient(NOBODY);
        offer(NOBODY, DEADLINE);
    }

    function testFuzz_offerTransfer_WhenTheRecipientIsUnknown(uint32 no) public {
        PartyNo to = PartyNo.wrap(uint32(bound(no, ALL_PARTIES + 1, type(uint32).max)));
        expectBadRecipient(to);
        offer(to, DEADLINE);
    }

    function test_offerTransfer_WhenTheRecipientIsNotActive() public {
        PartyStatus[3] memory statuses = [PartyStatus.Suspended, PartyStatus.Sanctioned, PartyStatus.Closed];
        for (uint256 i = 0; i < statuses.length; ++i) {
            setStatus(CONSUMER, statuses[i]);
            expectBadRecipient(CONSUMER);
            offer(CONSUMER, DEADLINE);
        }
    }

    function test_offerTransfer_WhenTheRecipientIsTheHolder() public {
        expectBadRecipient(PROVIDER);
        offer(PROVIDER, DEADLINE);
    }

    function testFuzz_offerTransfer_WhenTheDeadlineIsInThePast(uint40 seed) public {
        uint40 deadline = uint40(bound(seed, 0, START - 1));
        expectTimePast(ASSET, deadline);
        offer(CONSUMER, deadline);
    }

    function test_offerTransfer_GivenAnOfferIsOpen() public {
        offer(CONSUMER, DEADLINE);
        vm.warp(DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetOfferOpen.selector, ASSET, CONSUMER, DEADLINE));
        offer(SUBJECT, DEADLINE + 1);
    }

    function test_offerTransfer_GivenAnOfferHasLapsed() public {
        offer(CONSUMER, DEADLINE);
        vm.warp(DEADLINE + 1);
        offer(SUBJECT, DEADLINE + 1);
        assertEq(assets.assetOf(ASSET).offeredTo, SUBJECT);
        assertEq(assets.assetOf(ASSET).until, DEADLINE + 1);
        expectNotOfferee(SUBJECT);
        accept();
    }

    function testFuzz_offerTransfer_WhenTheCallIsValid(uint32 no, uint40 seed) public folds {
        PartyNo to = PartyNo.wrap(uint32(bound(no, 1, ALL_PARTIES)));
        uint40 deadline = uint40(bound(seed, START, type(uint40).max));
        vm.assume(to != PROVIDER);
        expectEvent();
        emit IAssetTransfers.TransferOffered(ASSET, to, deadline, START, PROVIDER);
        offer(to, deadline);
        assertEq(assets.assetOf(ASSET).offeredTo, to);
        assertEq(assets.assetOf(ASSET).until, deadline);
        assertEq(assets.assetOf(ASSET).holder, PROVIDER);
    }

    function test_acceptTransfer_GivenTheAssetIsNotConfirmed() public {
        endAssets();
        AssetId[5] memory list = unconfirmed();
        for (uint256 i = 0; i < list.length; ++i) {
            expectWrongState(list[i], stateOf(list[i]));
            by(CONSUMER);
            assets.acceptTransfer(list[i]);
        }
    }

    function test_acceptTransfer_GivenTheAssetIsFrozen() public {
        offer(CONSUMER, DEADLINE);
        freeze(ASSET);
        expectFrozen(ASSET);
        accept();
        unfreeze(ASSET);
        accept();
    }

    function test_acceptTransfer_GivenAnObjectionIsOpen() public {
        offer(CONSUMER, DEADLINE);
        object(ASSET);
        expectObjected(ASSET, 1);
        accept();
        decide(1, ObjectionState.Refused);
        accept();
    }

    function test_acceptTransfer_GivenAnObjectionWasUpheld() public {
        offer(CONSUMER, DEADLINE);
        object(ASSET);
        decide(1, ObjectionState.Admitted);
        decide(1, ObjectionState.Verified);
        decide(1, ObjectionState.Upheld);
        expectFrozen(ASSET);
        accept();
    }

    function test_acceptTransfer_GivenItWasPledgedSinceTheOffer() public {
        offer(CONSUMER, DEADLINE);
        pledge(BANK);
        expectPledged(ASSET, 0, BANK);
        accept();
        consent(0, BANK, CONSUMER);
        accept();
    }

    function test_acceptTransfer_GivenAConsentWasTakenBack() public {
        pledge(BANK);
        consent(0, BANK, CONSUMER);
        offer(CONSUMER, DEADLINE);
        consent(0, BANK, NOBODY);
        expectPledged(ASSET, 0, BANK);
        accept();
    }

    function test_acceptTransfer_GivenTheLienWasReleased() public {
        offer(CONSUMER, DEADLINE);
        release(pledge(BANK), BANK);
        accept();
        assertEq(assets.assetOf(ASSET).holder, CONSUMER);
    }

    function test_acceptTransfer_GivenNoOfferIsOpen() public {
        expectNoOffer(ASSET);
        accept();
    }

    function test_acceptTransfer_GivenTheCallerIsNotTheOfferee() public {
        offer(CONSUMER, DEADLINE);
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            if (no == PartyNo.unwrap(CONSUMER)) continue;
            expectNotOfferee(CONSUMER);
            by(PartyNo.wrap(no));
            assets.acceptTransfer(ASSET);
        }
    }

    function test_acceptTransfer_GivenTheCallerWasSuspendedSinceTheOffer() public {
        offer(CONSUMER, DEADLINE);
        setStatus(CONSUMER, PartyStatus.Suspended);
        expectNotActive(CONSUMER, PartyStatus.Suspended);
        accept();
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

    function test_acceptTransfer_GivenTheAssetIsPledgedWithConsent() public {
        pledge(BANK);
        consent(0, BANK, CONSUMER);
        offer(CONSUMER, DEADLINE);
        accept();
        assertEq(assets.assetOf(ASSET).liens, 1);
        assertEq(assets.lienOf(ASSET, 0).creditor, BANK);
        expectPledged(ASSET, 0, BANK);
        by(CONSUMER);
        assets.offerTransfer(ASSET, PROVIDER, DEADLINE);
    }

    function test_acceptTransfer_WhenTheCallIsValid() public folds {
        offer(CONSUMER, DEADLINE);
        vm.warp(START + 2);
        expectEvent();
        emit IAssetTransfers.TransferAccepted(ASSET, PROVIDER, CONSUMER, START + 2, CONSUMER);
        accept();
        IAssetRecord.Asset memory asset = assets.assetOf(ASSET);
        assertEq(asset.holder, CONSUMER);
        assertEq(asset.since, START + 2);
        assertEq(asset.validTo, VALID_TO);
        assertState(ASSET, AssetState.Confirmed);
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

    function test_rejectTransfer_GivenTheAssetIsFrozen() public {
        offer(CONSUMER, DEADLINE);
        freeze(ASSET);
        by(CONSUMER);
        assets.rejectTransfer(ASSET);
        _assertNoOffer();
    }

    function test_rejectTransfer_WhenTheCallIsValid() public folds {
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

    function test_withdrawOffer_GivenTheAssetIsFrozenOrExpired() public {
        offer(CONSUMER, DEADLINE);
        freeze(ASSET);
        vm.warp(VALID_TO);
        by(PROVIDER);
        assets.withdrawOffer(ASSET);
        _assertNoOffer();
    }

    function test_withdrawOffer_WhenTheCallIsValid() public folds {
        offer(CONSUMER, DEADLINE);
        expectEvent();
        emit IAssetTransfers.TransferWithdrawn(ASSET, CONSUMER, START, PROVIDER);
        by(PROVIDER);
        assets.withdrawOffer(ASSET);
        _assertNoOffer();
        expectNoOffer(ASSET);
        accept();
    }

    function _assertNoOffer() private view {
        assertEq(assets.assetOf(ASSET).offeredTo, NOBODY);
        assertEq(assets.assetOf(ASSET).until, 0);
    }
}
