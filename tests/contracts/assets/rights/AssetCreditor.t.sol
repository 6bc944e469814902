// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetLiens} from "../../../../contracts/interfaces/IAssetLiens.sol";
import {ApplicationKind, AssetState, NOBODY, PartyNo, PartyStatus} from "../../../../contracts/Types.sol";
import {ConfirmedAssetWorld} from "../ConfirmedAssetWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests what a creditor may do with its lien, and that a registration with a lien cannot be cancelled; see
/// AssetCreditor.tree.
contract AssetCreditorTest is ConfirmedAssetWorld {
    function testFuzz_consentToTransfer_GivenThereIsNoSuchLien(uint8 lien) public {
        _expectWrongLien(lien, NOBODY);
        consent(lien, BANK, CONSUMER);
    }

    function test_consentToTransfer_GivenTheCallerIsNotTheCreditor() public {
        pledge(BANK);
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            if (no == PartyNo.unwrap(BANK)) continue;
            _expectWrongLien(0, BANK);
            consent(0, PartyNo.wrap(no), CONSUMER);
        }
    }

    function test_consentToTransfer_GivenTheLienWasReleased() public {
        release(pledge(BANK), BANK);
        _expectWrongLien(0, NOBODY);
        consent(0, BANK, CONSUMER);
    }

    function test_consentToTransfer_GivenTheLienNumberNowBelongsToAnotherCreditor() public {
        pledge(BANK);
        consent(0, BANK, CONSUMER);
        release(0, BANK);
        assertEq(pledge(BROKER), 0);
        assertEq(assets.lienOf(ASSET, 0).consentTo, NOBODY);
        _expectWrongLien(0, BROKER);
        consent(0, BANK, CONSUMER);
        expectPledged(ASSET, 0, BROKER);
        offer(CONSUMER, DEADLINE);
    }

    function test_consentToTransfer_GivenTheCallerIsSuspended() public {
        pledge(BANK);
        setStatus(BANK, PartyStatus.Suspended);
        expectNotActive(BANK, PartyStatus.Suspended);
        consent(0, BANK, CONSUMER);
    }

    function test_consentToTransfer_WhenTheCreditorTakesTheConsentBack() public {
        pledge(BANK);
        consent(0, BANK, CONSUMER);
        expectEvent();
        emit IAssetLiens.LienConsented(ASSET, 0, NOBODY, START, BANK);
        consent(0, BANK, NOBODY);
        assertEq(assets.lienOf(ASSET, 0).consentTo, NOBODY);
        expectPledged(ASSET, 0, BANK);
        offer(CONSUMER, DEADLINE);
    }

    function testFuzz_consentToTransfer_WhenTheCallIsValid(uint32 to, uint8 seed, uint16 wait) public folds {
        uint8 lien = uint8(bound(seed, 0, 2));
        pledge(BANK);
        pledge(BANK);
        pledge(BANK);
        vm.warp(START + wait);
        expectEvent();
        emit IAssetLiens.LienConsented(ASSET, lien, PartyNo.wrap(to), START + wait, BANK);
        consent(lien, BANK, PartyNo.wrap(to));
        for (uint8 i = 0; i < 3; ++i) {
            assertEq(assets.lienOf(ASSET, i).consentTo, i == lien ? PartyNo.wrap(to) : NOBODY);
            assertLien(i, BANK, i + 1);
        }
        assertEq(assets.assetOf(ASSET).liens, 7);
    }

    function testFuzz_release_GivenThereIsNoSuchLien(uint8 lien) public {
        pledge(BANK);
        vm.assume(lien != 0);
        _expectWrongLien(lien, NOBODY);
        release(lien, BANK);
    }

    function test_release_GivenTheCallerIsNotTheCreditor() public {
        pledge(BANK);
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            if (no == PartyNo.unwrap(BANK)) continue;
            _expectWrongLien(0, BANK);
            release(0, PartyNo.wrap(no));
        }
    }

    function test_release_GivenTheLienWasReleased() public {
        release(pledge(BANK), BANK);
        _expectWrongLien(0, NOBODY);
        release(0, BANK);
    }

    function test_release_GivenTheAssetWasTransferred() public {
        pledge(BANK);
        consent(0, BANK, CONSUMER);
        offer(CONSUMER, DEADLINE);
        accept();
        _expectWrongLien(0, BANK);
        release(0, CONSUMER);
        release(0, BANK);
        assertEq(assets.assetOf(ASSET).liens, 0);
    }

    function test_release_GivenTheAssetIsFrozenOrExpiredOrAnnulled() public {
        pledge(BANK);
        pledge(BANK);
        pledge(BANK);
        freeze(ASSET);
        release(0, BANK);
        vm.warp(VALID_TO);
        release(1, BANK);
        annul(ASSET);
        release(2, BANK);
        assertEq(assets.assetOf(ASSET).liens, 0);
    }

    function testFuzz_release_GivenLiensArePledgedAndReleasedAtRandom(uint8[48] memory moves) public {
        uint8 rank = 0;
        uint8 standing = 0;
        for (uint256 i = 0; i < moves.length; ++i) {
            uint8 lien = moves[i] % 8;
            if (moves[i] >= 128 && standing & (1 << lien) != 0) {
                release(lien, BANK);
                standing ^= uint8(1 << lien);
                rank = _highest(standing);
            } else if (standing != 255) {
                lien = pledge(BANK);
                assertTrue(standing & (1 << lien) == 0, "a number was used twice");
                standing |= uint8(1 << lien);
                assertLien(lien, BANK, ++rank);
            }
            assertEq(assets.assetOf(ASSET).liens, standing);
        }
        for (uint8 lien = 0; lien < 8; ++lien) {
            assertEq(assets.lienOf(ASSET, lien).creditor, standing & (1 << lien) == 0 ? NOBODY : BANK);
        }
    }

    function test_release_WhenTheCallIsValid() public folds {
        pledge(BANK);
        pledge(BROKER);
        vm.warp(START + 2);
        expectEvent();
        emit IAssetLiens.LienReleased(ASSET, 0, START + 2, BANK);
        release(0, BANK);
        IAssetLiens.Lien memory gone = assets.lienOf(ASSET, 0);
        assertEq(keccak256(abi.encode(gone)), keccak256(new bytes(5 * 32)));
        assertLien(1, BROKER, 2);
        assertEq(assets.assetOf(ASSET).liens, 2);
    }

    function test_confirm_GivenThereIsALien() public {
        _fileCancellation();
        consent(pledge(BANK), BANK, PROVIDER);
        expectPledged(ASSET, 0, BANK);
        confirm(ASSET, 0);
        consent(0, BANK, NOBODY);
        expectPledged(ASSET, 0, BANK);
        confirm(ASSET, 0);
    }

    function test_confirm_GivenTheLienWasReleased() public {
        _fileCancellation();
        release(pledge(BANK), BANK);
        confirm(ASSET, 0);
        assertState(ASSET, AssetState.Cancelled);
    }

    function _fileCancellation() private {
        file(ASSET, ApplicationKind.Cancel);
        _reviewed(ASSET);
    }

    function _highest(uint8 standing) private view returns (uint8 rank) {
        for (uint8 lien = 0; lien < 8; ++lien) {
            uint8 other = assets.lienOf(ASSET, lien).rank;
            if (standing & (1 << lien) != 0 && other > rank) rank = other;
        }
    }

    function _expectWrongLien(uint8 lien, PartyNo creditor) private {
        vm.expectRevert(abi.encodeWithSelector(IAssetLiens.AssetWrongLien.selector, ASSET, lien, creditor));
    }
}
