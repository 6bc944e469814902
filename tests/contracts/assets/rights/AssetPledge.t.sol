// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetLiens} from "../../../../contracts/interfaces/IAssetLiens.sol";
import {ApplicationKind, AssetId, NOBODY, PartyNo} from "../../../../contracts/Types.sol";
import {ConfirmedAssetWorld} from "../ConfirmedAssetWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests pledging an asset; see AssetPledge.tree.
contract AssetPledgeTest is ConfirmedAssetWorld {
    function test_pledge_GivenTheCallerIsAStranger() public {
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        assets.pledge(ASSET, BANK, false, TERMS);
    }

    function test_pledge_GivenTheAssetIsNotConfirmed() public {
        endAssets();
        AssetId[5] memory list = unconfirmed();
        for (uint256 i = 0; i < list.length; ++i) {
            expectWrongState(list[i], stateOf(list[i]));
            by(PROVIDER);
            assets.pledge(list[i], BANK, false, TERMS);
        }
    }

    function test_pledge_GivenTheAssetIsExpired() public {
        vm.warp(VALID_TO);
        expectExpired();
        pledge(BANK);
    }

    function test_pledge_GivenTheAssetIsFrozen() public {
        freeze(ASSET);
        expectFrozen(ASSET);
        pledge(BANK);
    }

    function test_pledge_GivenAnObjectionIsOpen() public {
        object(ASSET);
        expectObjected(ASSET, 1);
        pledge(BANK);
    }

    function test_pledge_GivenTheCallerIsNotTheHolder() public {
        expectNotHolder(ASSET, PROVIDER);
        by(CONSUMER);
        assets.pledge(ASSET, BANK, false, TERMS);
    }

    function test_pledge_WhenTheCreditorIsZeroOrUnknownOrNotActiveOrTheHolder() public {
        PartyNo[6] memory list = badRecipients(PROVIDER);
        for (uint256 i = 0; i < list.length; ++i) {
            expectBadRecipient(list[i]);
            pledge(list[i]);
        }
    }

    function test_pledge_WhenTheTermsAreZero() public {
        expectZero();
        by(PROVIDER);
        assets.pledge(ASSET, BANK, false, 0);
    }

    function test_pledge_GivenThereIsASoleLien() public {
        _pledgeSolely(BANK);
        expectPledged(ASSET, 0, BANK);
        pledge(BROKER);
        expectPledged(ASSET, 0, BANK);
        _pledgeSolely(BROKER);
    }

    function test_pledge_WhenASoleLienIsWantedButAnotherLienExists() public {
        pledge(BROKER);
        pledge(BANK);
        release(0, BROKER);
        expectPledged(ASSET, 1, BANK);
        _pledgeSolely(BROKER);
    }

    function test_pledge_GivenTheSoleLienWasReleased() public {
        release(_pledgeSolely(BANK), BANK);
        assertEq(_pledgeSolely(BROKER), 0);
        release(0, BROKER);
        assertEq(pledge(BANK), 0);
        assertEq(pledge(BROKER), 1);
    }

    function test_pledge_GivenThereAreLiens() public {
        for (uint8 lien = 0; lien < 8; ++lien) {
            assertEq(pledge(BANK), lien);
            assertLien(lien, BANK, lien + 1);
            assertEq(assets.assetOf(ASSET).liens, (1 << (lien + 1)) - 1);
        }
    }

    function test_pledge_GivenTheLienOfTheFirstRankWasReleased() public {
        pledge(BANK);
        pledge(BROKER);
        pledge(CONSUMER);
        release(0, BANK);
        assertEq(assets.assetOf(ASSET).liens, 6);
        assertEq(pledge(SUBJECT), 0);
        assertLien(0, SUBJECT, 4);
        assertLien(1, BROKER, 2);
        assertLien(2, CONSUMER, 3);
    }

    function test_pledge_GivenEveryLienWasReleased() public {
        pledge(BANK);
        pledge(BROKER);
        release(0, BANK);
        release(1, BROKER);
        assertEq(pledge(CONSUMER), 0);
        assertLien(0, CONSUMER, 1);
    }

    function test_pledge_GivenThereAreEightLiens() public {
        for (uint256 i = 0; i < 8; ++i) {
            pledge(BANK);
        }
        expectTooMany(ASSET, 8);
        pledge(BANK);
        release(5, BANK);
        assertEq(pledge(BROKER), 5);
    }

    function test_pledge_GivenALienHasTheHighestPossibleRank() public {
        pledge(BANK);
        // Each lien is added before the previous one is released, so each new lien gets the next rank.
        for (uint256 i = 1; i < 255; ++i) {
            pledge(BANK);
            release(uint8((i + 1) % 2), BANK);
        }
        assertEq(assets.lienOf(ASSET, 0).rank, 255);
        expectTooMany(ASSET, 255);
        pledge(BANK);
        release(0, BANK);
        pledge(BANK);
        assertLien(0, BANK, 1);
    }

    function test_pledge_GivenAnApplicationIsOpen() public {
        file(ASSET, ApplicationKind.Change);
        assertEq(pledge(BANK), 0);
    }

    function testFuzz_pledge_WhenTheCallIsValid(uint32 no, bool sole, bytes32 terms, uint16 wait) public folds {
        PartyNo creditor = PartyNo.wrap(uint32(bound(no, 1, ALL_PARTIES)));
        vm.assume(creditor != PROVIDER && terms != 0);
        uint40 at = START + wait % 10_000;
        vm.warp(at);
        expectEvent();
        emit IAssetLiens.Pledged(ASSET, 0, creditor, 1, sole, terms, at, PROVIDER);
        by(PROVIDER);
        assertEq(assets.pledge(ASSET, creditor, sole, terms), 0);
        IAssetLiens.Lien memory lien = assets.lienOf(ASSET, 0);
        assertEq(lien.creditor, creditor);
        assertEq(lien.rank, 1);
        assertTrue(lien.sole == sole, "sole");
        assertEq(lien.consentTo, NOBODY);
        assertEq(lien.since, at);
        assertEq(assets.assetOf(ASSET).liens, 1);
        assertEq(assets.assetOf(ASSET).holder, PROVIDER);
    }

    function _pledgeSolely(PartyNo creditor) private returns (uint8 lien) {
        by(PROVIDER);
        return assets.pledge(ASSET, creditor, true, TERMS);
    }
}
