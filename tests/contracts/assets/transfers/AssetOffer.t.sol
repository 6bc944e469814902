// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRecord} from "../../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetTransfers} from "../../../../contracts/interfaces/IAssetTransfers.sol";
import {
    ApplicationKind, AssetId, NOBODY, ObjectionState, PartyNo, PartyStatus, Stage
} from "../../../../contracts/Types.sol";
import {ConfirmedAssetWorld} from "../ConfirmedAssetWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests offering a transfer, and withdrawing the offer; see AssetOffer.tree.
contract AssetOfferTest is ConfirmedAssetWorld {
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

    function test_offerTransfer_WhenTheRecipientIsZero() public {
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
        assertNoOffer();
    }

    function test_withdrawOffer_WhenTheCallIsValid() public folds {
        offer(CONSUMER, DEADLINE);
        expectEvent();
        emit IAssetTransfers.TransferWithdrawn(ASSET, CONSUMER, START, PROVIDER);
        by(PROVIDER);
        assets.withdrawOffer(ASSET);
        assertNoOffer();
        expectNoOffer(ASSET);
        accept();
    }
}
