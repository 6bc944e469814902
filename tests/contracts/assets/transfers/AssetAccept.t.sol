// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRecord} from "../../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetTransfers} from "../../../../contracts/interfaces/IAssetTransfers.sol";
import {AssetId, AssetState, NOBODY, ObjectionState, PartyNo, PartyStatus} from "../../../../contracts/Types.sol";
import {ConfirmedAssetWorld} from "../ConfirmedAssetWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests accepting and rejecting an offered transfer; see AssetAccept.tree.
contract AssetAcceptTest is ConfirmedAssetWorld {
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

    function test_acceptTransfer_GivenTheAssetWasPledgedAfterTheOffer() public {
        offer(CONSUMER, DEADLINE);
        pledge(BANK);
        expectPledged(ASSET, 0, BANK);
        accept();
        consent(0, BANK, CONSUMER);
        accept();
    }

    function test_acceptTransfer_GivenACreditorTookItsConsentBack() public {
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

    function test_acceptTransfer_GivenTheCallerWasSuspendedAfterTheOffer() public {
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

    function test_acceptTransfer_WhenInTheLastSecondOfTheRegistration() public {
        offer(CONSUMER, VALID_TO);
        vm.warp(VALID_TO - 1);
        accept();
        assertEq(assets.assetOf(ASSET).since, VALID_TO - 1);
    }

    function test_acceptTransfer_WhenAtTheEndOfTheRegistration() public {
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

    function test_acceptTransfer_GivenTheCreditorConsentsToTheTransfer() public {
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
        assertNoOffer();
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
        assertNoOffer();
    }

    function test_rejectTransfer_WhenTheCallIsValid() public folds {
        offer(CONSUMER, DEADLINE);
        expectEvent();
        emit IAssetTransfers.TransferRejected(ASSET, CONSUMER, START, CONSUMER);
        by(CONSUMER);
        assets.rejectTransfer(ASSET);
        assertNoOffer();
        expectNoOffer(ASSET);
        accept();
    }
}
