// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRecord} from "../../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetTransfers} from "../../../../contracts/interfaces/IAssetTransfers.sol";
import {
    ApplicationKind,
    AssetId,
    AssetState,
    Grade,
    ObjectionState,
    PartyNo,
    Reason,
    Roles,
    Stage
} from "../../../../contracts/Types.sol";
import {ConfirmedAssetWorld} from "../ConfirmedAssetWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests freezes and annulment; see AssetFreezes.tree.
contract AssetFreezesTest is ConfirmedAssetWorld {
    uint32 private constant FREEZES = Roles.AUTHORITY | Roles.SUPERVISOR;
    uint32 private constant ANNULS = Roles.REGISTRAR | Roles.AUTHORITY | Roles.SUPERVISOR;

    function test_freeze_GivenTheCallerIsNeitherAuthorityNorSupervisor() public {
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            PartyNo party = PartyNo.wrap(no);
            if (isOfficer(party) || party == SUPERVISOR) continue;
            expectLacksRole(party, FREEZES);
            by(party);
            assets.freeze(ASSET, Reason.Court);
        }
    }

    function test_freeze_GivenTheCallerHoldsTheAsset() public {
        setRoles(PROVIDER, Roles.PROVIDER | Roles.SUPERVISOR);
        expectSelfReview(ASSET, PROVIDER);
        by(PROVIDER);
        assets.freeze(ASSET, Reason.Court);
    }

    function test_freeze_GivenTheAssetIsMissingOrRejectedOrCancelledOrAnnulled() public {
        endAssets();
        AssetId[4] memory list = [MISSING, REJECTED, CANCELLED, ANNULLED];
        for (uint256 i = 0; i < list.length; ++i) {
            expectWrongState(list[i], stateOf(list[i]));
            freeze(list[i]);
        }
    }

    function test_freeze_GivenTheAssetIsFrozen() public {
        freeze(ASSET);
        expectFrozen(ASSET);
        by(AUTHORITY);
        assets.freeze(ASSET, Reason.Investigation);
    }

    function test_freeze_GivenTheFirstApplicationIsOpen() public {
        _noticed(PENDING);
        freeze(PENDING);
        vm.warp(NOTICE_END + 1);
        expectFrozen(PENDING);
        confirm(PENDING, VALID_TO);
        unfreeze(PENDING);
        confirm(PENDING, VALID_TO);
        assertState(PENDING, AssetState.Confirmed);
    }

    function testFuzz_freeze_WhenTheCallIsValid(bool authority, uint8 seed, uint16 wait) public folds {
        PartyNo party = authority ? AUTHORITY : SUPERVISOR;
        Reason reason = Reason(bound(seed, 0, uint8(type(Reason).max)));
        offer(CONSUMER, DEADLINE);
        vm.warp(START + wait);
        expectEvent();
        emit IAssetTransfers.Frozen(ASSET, reason, START + wait, party);
        by(party);
        assets.freeze(ASSET, reason);
        IAssetRecord.Asset memory asset = assets.assetOf(ASSET);
        assertTrue(asset.frozen, "frozen");
        assertEq(asset.holder, PROVIDER);
        assertEq(asset.offeredTo, CONSUMER);
        assertEq(asset.until, DEADLINE);
        assertState(ASSET, AssetState.Confirmed);
    }

    function test_unfreeze_GivenTheCallerIsNeitherAuthorityNorSupervisor() public {
        freeze(ASSET);
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            PartyNo party = PartyNo.wrap(no);
            if (isOfficer(party) || party == SUPERVISOR) continue;
            expectLacksRole(party, FREEZES);
            by(party);
            assets.unfreeze(ASSET, Reason.Lifted);
        }
    }

    function test_unfreeze_GivenTheCallerHoldsTheAsset() public {
        setRoles(PROVIDER, Roles.PROVIDER | Roles.SUPERVISOR);
        freeze(ASSET);
        expectSelfReview(ASSET, PROVIDER);
        by(PROVIDER);
        assets.unfreeze(ASSET, Reason.Lifted);
    }

    function test_unfreeze_GivenTheAssetIsMissingOrRejectedOrCancelledOrAnnulled() public {
        endAssets();
        AssetId[4] memory list = [MISSING, REJECTED, CANCELLED, ANNULLED];
        for (uint256 i = 0; i < list.length; ++i) {
            expectWrongState(list[i], stateOf(list[i]));
            unfreeze(list[i]);
        }
    }

    function test_unfreeze_GivenTheAssetIsNotFrozen() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetTransfers.AssetNotFrozen.selector, ASSET));
        unfreeze(ASSET);
    }

    function testFuzz_unfreeze_WhenTheCallIsValid(bool authority, uint8 seed) public folds {
        PartyNo party = authority ? AUTHORITY : SUPERVISOR;
        Reason reason = Reason(bound(seed, 0, uint8(type(Reason).max)));
        offer(CONSUMER, DEADLINE);
        freeze(ASSET);
        vm.warp(DEADLINE);
        expectEvent();
        emit IAssetTransfers.Unfrozen(ASSET, reason, DEADLINE, party);
        by(party);
        assets.unfreeze(ASSET, reason);
        assertTrue(!assets.assetOf(ASSET).frozen, "not frozen");
        accept();
        assertEq(assets.assetOf(ASSET).holder, CONSUMER);
    }

    function test_annul_GivenTheCallerIsNeitherRegistrarNorAuthorityNorSupervisor() public {
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            PartyNo party = PartyNo.wrap(no);
            if (isOfficer(party) || party == SUPERVISOR || party == REGISTRAR) continue;
            expectLacksRole(party, ANNULS);
            by(party);
            assets.annul(ASSET, Reason.Fraud, GROUNDS);
        }
    }

    function test_annul_GivenTheCallerHoldsTheAsset() public {
        setRoles(PROVIDER, Roles.ALL);
        expectSelfReview(ASSET, PROVIDER);
        by(PROVIDER);
        assets.annul(ASSET, Reason.Fraud, GROUNDS);
    }

    function test_annul_GivenTheAssetIsNotConfirmed() public {
        endAssets();
        AssetId[5] memory list = unconfirmed();
        for (uint256 i = 0; i < list.length; ++i) {
            expectWrongState(list[i], stateOf(list[i]));
            annul(list[i]);
        }
    }

    function test_annul_WhenTheGroundsAreZero() public {
        expectZero();
        by(AUTHORITY);
        assets.annul(ASSET, Reason.Fraud, 0);
    }

    function test_annul_GivenAnOfferIsOpen() public {
        offer(CONSUMER, DEADLINE);
        annul(ASSET);
        assertNoOffer();
        expectNoOffer(ASSET);
        by(CONSUMER);
        assets.rejectTransfer(ASSET);
    }

    function testFuzz_annul_GivenAnApplicationIsOpen(uint8 kindSeed, uint8 stageSeed) public {
        ApplicationKind kind =
            ApplicationKind(bound(kindSeed, uint8(ApplicationKind.Change), uint8(ApplicationKind.Cancel)));
        uint256 stage = bound(stageSeed, uint8(Stage.Submitted), uint8(Stage.Returned));
        file(ASSET, kind);
        if (stage == uint8(Stage.Returned)) advance(ASSET, Stage.Returned);
        else for (uint256 i = uint8(Stage.Accepted); i <= stage; ++i) advance(ASSET, Stage(i));
        annul(ASSET);
        IAssetRecord.Asset memory asset = assets.assetOf(ASSET);
        assertEq(uint256(asset.kind), uint256(ApplicationKind.None));
        assertEq(uint256(asset.stage), uint256(Stage.None));
        assertEq(asset.until, 0);
        expectWrongStage(ASSET, ApplicationKind.None, Stage.None);
        confirm(ASSET, 0);
        expectWrongState(ASSET, AssetState.Annulled);
        by(PROVIDER);
        assets.file(ASSET, kind, "new content", 0, Grade.General);
    }

    function test_annul_GivenTheAssetIsFrozenOrPledgedOrExpiredOrHasAnObjection() public {
        pledge(BANK);
        object(ASSET);
        freeze(ASSET);
        vm.warp(VALID_TO);
        annul(ASSET);
        assertState(ASSET, AssetState.Annulled);
        assertEq(assets.assetOf(ASSET).liens, 1);
        decide(1, ObjectionState.Refused);
        assertState(ASSET, AssetState.Annulled);
    }

    function test_annul_GivenTheAssetWasAnnulled() public {
        annul(ASSET);
        expectWrongState(ASSET, AssetState.Annulled);
        annul(ASSET);
        expectWrongState(ASSET, AssetState.Annulled);
        offer(CONSUMER, DEADLINE);
        expectWrongState(ASSET, AssetState.Annulled);
        by(PROVIDER);
        assets.file(ASSET, ApplicationKind.Cancel, "new content", 0, Grade.General);
        expectWrongState(ASSET, AssetState.Annulled);
        freeze(ASSET);
        by(CONSUMER);
        assets.register(MISSING, "content", "asset print", Grade.General);
        assertEq(AssetId.unwrap(assets.assetByFingerprint("asset print")), AssetId.unwrap(MISSING));
    }

    function testFuzz_annul_WhenTheCallIsValid(uint8 who, uint8 seed, bytes32 grounds, uint16 wait) public folds {
        vm.assume(grounds != 0);
        PartyNo party = [AUTHORITY, SUPERVISOR, REGISTRAR][who % 3];
        Reason reason = Reason(bound(seed, 0, uint8(type(Reason).max)));
        vm.warp(START + wait);
        expectEvent();
        emit IAssetTransfers.Annulled(ASSET, reason, grounds, START + wait, party);
        by(party);
        assets.annul(ASSET, reason, grounds);
        assertState(ASSET, AssetState.Annulled);
        assertEq(assets.assetOf(ASSET).holder, PROVIDER);
        assertEq(assets.assetOf(ASSET).validTo, VALID_TO);
    }
}
