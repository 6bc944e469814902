// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetApplications} from "../../../../contracts/interfaces/IAssetApplications.sol";
import {IAssetRecord} from "../../../../contracts/interfaces/IAssetRecord.sol";
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
import {AssetStages} from "../AssetStages.sol";
import {vm} from "../../Vm.sol";

/// Tests the confirmation of applications; see AssetApplications.tree.
contract AssetConfirmTest is AssetStages {
    function test_confirm_GivenTheCallerIsNotARegistrar() public {
        _noticeOver(PENDING);
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            if (PartyNo.wrap(no) == REGISTRAR) continue;
            expectLacksRole(PartyNo.wrap(no), Roles.REGISTRAR);
            by(PartyNo.wrap(no));
            assets.confirm(PENDING, VALID_TO);
        }
    }

    function test_confirm_GivenTheAssetIsMissing() public {
        expectWrongStage(MISSING, ApplicationKind.None, Stage.None);
        confirm(MISSING, VALID_TO);
    }

    function test_confirm_GivenTheCallerIsTheApplicant() public {
        _noticeOver(PENDING);
        setRoles(PROVIDER, Roles.PROVIDER | Roles.REGISTRAR);
        expectSelfReview(PENDING, PROVIDER);
        by(PROVIDER);
        assets.confirm(PENDING, VALID_TO);
    }

    function test_confirm_GivenTheStageDoesNotAllowAConfirmation() public {
        uint256 n = 0;
        uint256 confirmed = 0;
        for (uint256 k = uint256(ApplicationKind.First); k < KINDS; ++k) {
            ApplicationKind kind = ApplicationKind(k);
            for (uint256 s = uint256(Stage.Submitted); s < STAGES; ++s) {
                AssetId id = nth(n++);
                bring(id, kind, Stage(s));
                vm.warp(vm.getBlockTimestamp() + NOTICE + 1);
                bool direct = Stage(s) == Stage.Reviewed && kind >= ApplicationKind.Correct;
                bool allowed = direct || Stage(s) == Stage.Noticed;
                if (allowed) ++confirmed;
                else expectWrongStage(id, kind, Stage(s));
                confirm(id, _validity(kind));
                if (allowed) assertNoApplication(id);
            }
        }
        assertEq(confirmed, 5 + 3);
        expectWrongStage(ASSET, ApplicationKind.None, Stage.None);
        confirm(ASSET, VALID_TO + 1);
    }

    function testFuzz_confirm_GivenThePublicNoticeHasNotEnded(uint8 seed, uint16 wait) public {
        ApplicationKind kind = _kind(seed);
        bring(NEW, kind, Stage.Noticed);
        uint40 until = assets.assetOf(NEW).until;
        vm.warp(bound(wait, until - NOTICE, until));
        expectNoticeRuns(NEW, until);
        confirm(NEW, _validity(kind));
        vm.warp(until);
        expectNoticeRuns(NEW, until);
        confirm(NEW, _validity(kind));
    }

    function testFuzz_confirm_GivenThePublicNoticeHasEnded(uint8 seed) public {
        ApplicationKind kind = _kind(seed);
        bring(NEW, kind, Stage.Noticed);
        vm.warp(uint256(assets.assetOf(NEW).until) + 1);
        confirm(NEW, _validity(kind));
        assertState(NEW, kind == ApplicationKind.Cancel ? AssetState.Cancelled : AssetState.Confirmed);
    }

    function test_confirm_GivenAnObjectionIsOpen() public {
        _noticed(PENDING);
        uint32 no = object(PENDING);
        vm.warp(NOTICE_END + 1);
        expectObjected(PENDING, 1);
        confirm(PENDING, VALID_TO);
        by(REGISTRAR);
        assets.decide(PENDING, no, ObjectionState.Refused, GROUNDS);
        confirm(PENDING, VALID_TO);
        // An open objection to the registration also blocks the kinds of applications that need no public notice.
        for (uint256 k = uint256(ApplicationKind.Correct); k < KINDS; ++k) {
            bring(nth(k), ApplicationKind(k), Stage.Reviewed);
            object(nth(k));
            object(nth(k));
            expectObjected(nth(k), 2);
            confirm(nth(k), _validity(ApplicationKind(k)));
        }
    }

    function test_confirm_GivenTheAssetIsFrozen() public {
        for (uint256 k = uint256(ApplicationKind.First); k < KINDS; ++k) {
            ApplicationKind kind = ApplicationKind(k);
            bring(nth(k), kind, Stage.Noticed);
            freeze(nth(k));
            vm.warp(uint256(assets.assetOf(nth(k)).until) + 1);
            if (kind != ApplicationKind.Correct) expectFrozen(nth(k));
            confirm(nth(k), _validity(kind));
        }
        AssetId corrected = nth(uint256(ApplicationKind.Correct));
        assertNoApplication(corrected);
        assertTrue(assets.assetOf(corrected).frozen, "still frozen");
        AssetId first = nth(uint256(ApplicationKind.First));
        by(AUTHORITY);
        assets.unfreeze(first, Reason.Lifted);
        confirm(first, VALID_TO);
        assertState(first, AssetState.Confirmed);
    }

    function test_confirm_GivenImportantDataHasNoSecurityReview_ItPassesForACancellation() public {
        by(PROVIDER);
        assets.file(ASSET, ApplicationKind.Cancel, "new", 0, Grade.Important);
        _reviewed(ASSET);
        confirm(ASSET, 0);
        assertState(ASSET, AssetState.Cancelled);
    }

    function test_confirm_GivenImportantDataHasNoSecurityReview_ItReverts() public {
        register(NEW, PRINT, Grade.Important);
        _noticeOver(NEW);
        expectNotCleared(NEW);
        confirm(NEW, VALID_TO);
        clear(NEW);
        confirm(NEW, VALID_TO);
        file(ASSET, ApplicationKind.Correct);
        advance(ASSET, Stage.Returned);
        by(PROVIDER);
        assets.file(ASSET, ApplicationKind.Correct, "new", 0, Grade.Important);
        _reviewed(ASSET);
        expectNotCleared(ASSET);
        confirm(ASSET, 0);
        clear(ASSET);
        confirm(ASSET, 0);
        assertNoApplication(ASSET);
    }

    function test_confirm_GivenThereIsALien_ItRevertsForACancellation() public {
        bring(NEW, ApplicationKind.None, Stage.None);
        by(PROVIDER);
        assets.pledge(NEW, BANK, false, "terms");
        by(BANK);
        assets.consentToTransfer(NEW, 0, CONSUMER);
        file(NEW, ApplicationKind.Cancel);
        _reviewed(NEW);
        expectPledged(NEW, 0, BANK);
        confirm(NEW, 0);
        by(BANK);
        assets.release(NEW, 0);
        confirm(NEW, 0);
        assertState(NEW, AssetState.Cancelled);
    }

    function test_confirm_GivenThereIsALien_ItPassesForOtherApplications() public {
        by(PROVIDER);
        assets.pledge(ASSET, BANK, true, "terms");
        for (uint256 k = uint256(ApplicationKind.Change); k < uint256(ApplicationKind.Cancel); ++k) {
            file(ASSET, ApplicationKind(k));
            _noticeOver(ASSET);
            confirm(ASSET, _validity(ApplicationKind(k)));
            assertNoApplication(ASSET);
        }
    }

    function testFuzz_confirm_WhenAFirstRegistrationWouldEndNowOrInThePast(uint40 seed) public {
        _noticeOver(PENDING);
        uint40 at = NOTICE_END + 1;
        uint40 validTo = uint40(bound(seed, 0, at));
        expectTimePast(PENDING, validTo);
        confirm(PENDING, validTo);
        expectTimePast(PENDING, at);
        confirm(PENDING, at);
        confirm(PENDING, at + 1);
        assertEq(assets.assetOf(PENDING).validTo, at + 1);
    }

    function testFuzz_confirm_WhenARenewalWouldEndNowOrInThePastOrNotAfterTheOldEnd(uint40 seed, uint16 wait)
        public
    {
        file(ASSET, ApplicationKind.Renew);
        _reviewed(ASSET);
        uint40 at = START + wait;
        vm.warp(at);
        uint40 latest = at > VALID_TO ? at : VALID_TO;
        uint40 validTo = uint40(bound(seed, 0, latest));
        expectTimePast(ASSET, validTo);
        confirm(ASSET, validTo);
        expectTimePast(ASSET, latest);
        confirm(ASSET, latest);
        confirm(ASSET, latest + 1);
        assertEq(assets.assetOf(ASSET).validTo, latest + 1);
    }

    function testFuzz_confirm_WhenAnotherKindOfApplicationGivesAnEndOfValidity(uint40 validTo) public {
        vm.assume(validTo != 0);
        ApplicationKind[3] memory kinds =
            [ApplicationKind.Change, ApplicationKind.Correct, ApplicationKind.Cancel];
        for (uint256 i = 0; i < kinds.length; ++i) {
            bring(nth(i), kinds[i], Stage.Noticed);
            vm.warp(uint256(assets.assetOf(nth(i)).until) + 1);
            expectTimePast(nth(i), validTo);
            confirm(nth(i), validTo);
        }
    }

    function testFuzz_confirm_WhenTheCallIsValid(uint8 seed, uint40 validTo, bool notice) public folding(NEW) {
        ApplicationKind kind = _kind(seed);
        notice = notice || kind <= ApplicationKind.Change;
        bring(NEW, kind, notice ? Stage.Noticed : Stage.Reviewed);
        if (notice) vm.warp(uint256(assets.assetOf(NEW).until) + 1);
        bool prolongs = kind == ApplicationKind.First || kind == ApplicationKind.Renew;
        validTo = prolongs ? uint40(bound(validTo, VALID_TO + 1, type(uint40).max)) : 0;
        IAssetRecord.Asset memory expected = assets.assetOf(NEW);
        expected.state = kind == ApplicationKind.Cancel ? AssetState.Cancelled : AssetState.Confirmed;
        expected.kind = ApplicationKind.None;
        expected.stage = Stage.None;
        expected.until = 0;
        expected.validTo = prolongs ? validTo : VALID_TO;
        uint40 at = uint40(vm.getBlockTimestamp());
        expectEvent();
        emit IAssetApplications.Confirmed(NEW, kind, expected.validTo, at, REGISTRAR);
        confirm(NEW, validTo);
        assertEq(keccak256(abi.encode(assets.assetOf(NEW))), keccak256(abi.encode(expected)));
        assertEq(assets.assetOf(ASSET).validTo, VALID_TO);
    }

    function test_confirmMany_GivenTheCallerIsNotARegistrar() public {
        expectLacksRole(PROVIDER, Roles.REGISTRAR);
        by(PROVIDER);
        assets.confirmMany(ids(PENDING, NEW), VALID_TO);
    }

    function test_confirmMany_WhenOneAssetIsNamedTwice() public {
        _noticeOver(PENDING);
        expectWrongStage(PENDING, ApplicationKind.None, Stage.None);
        by(REGISTRAR);
        assets.confirmMany(ids(PENDING, PENDING), VALID_TO);
        assertState(PENDING, AssetState.Applied);
    }

    function test_confirmMany_WhenTheCallIsValid() public folding(NEW) {
        register(NEW, PRINT, Grade.General);
        _noticed(NEW);
        _noticeOver(PENDING);
        by(REGISTRAR);
        assets.confirmMany(ids(PENDING, NEW), VALID_TO + 1);
        assertEq(assets.assetOf(PENDING).validTo, VALID_TO + 1);
        assertEq(assets.assetOf(NEW).validTo, VALID_TO + 1);
        assertState(PENDING, AssetState.Confirmed);
        assertState(NEW, AssetState.Confirmed);
    }

    function _noticeOver(AssetId id) private {
        _noticed(id);
        vm.warp(uint256(assets.assetOf(id).until) + 1);
    }

    /// Returns an end of validity that `confirm` accepts for this kind of application.
    function _validity(ApplicationKind kind) private pure returns (uint40) {
        if (kind == ApplicationKind.First) return VALID_TO;
        return kind == ApplicationKind.Renew ? VALID_TO + 1 : 0;
    }

    function _kind(uint8 seed) private pure returns (ApplicationKind) {
        return ApplicationKind(bound(seed, uint256(ApplicationKind.First), KINDS - 1));
    }
}
