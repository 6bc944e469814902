// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyKeys} from "../../../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRecord} from "../../../../contracts/interfaces/IPartyRecord.sol";
import {IProposals} from "../../../../contracts/interfaces/IProposals.sol";
import {NOBODY, PartyNo, PartyStatus, Roles} from "../../../../contracts/Types.sol";
import {Acts, Keys} from "../../Acts.sol";
import {PartyWorld} from "../PartyWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests reporting lost and stolen keys; see PartyReport.tree.
contract PartyReportTest is PartyWorld {
    function test_report_GivenTheCallerIsAStranger() public {
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        registry.report(SUBJECT, accountOf(SUBJECT));
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        registry.report(NOBODY, STRANGER);
    }

    function test_report_GivenTheCallerIsAnotherParty() public {
        for (uint32 no = 2; no < 8; ++no) {
            expectLacksRole(PartyNo.wrap(no), Roles.AUTHORITY);
            reportBy(PartyNo.wrap(no), SUBJECT, accountOf(SUBJECT));
        }
    }

    function test_report_GivenTheCallersKeyIsReported() public {
        reportBy(SUBJECT, SUBJECT, accountOf(SUBJECT));
        expectEvent();
        emit IPartyKeys.AccountReported(SUBJECT, vm.addr(SUBJECT_KEY), START, SUBJECT);
        reportBy(SUBJECT, SUBJECT, vm.addr(SUBJECT_KEY));
        // A reported key can report only keys of its own party.
        setRoles(SUBJECT, Roles.AUTHORITY);
        expectReported(accountOf(SUBJECT), START);
        reportBy(SUBJECT, ISSUER, accountOf(ISSUER));
    }

    function test_report_GivenTheCallersKeyIsRetiredOrUnproven() public {
        changeOwn(SUBJECT, change(SUBJECT, address(0), vm.addr(SUBJECT_KEY), ""));
        decide(change(SUBJECT, STRANGER, address(0), ""));
        address[2] memory who = [vm.addr(SUBJECT_KEY), STRANGER];
        for (uint256 i = 0; i < who.length; ++i) {
            expectUnknownAccount(who[i]);
            vm.prank(who[i]);
            registry.report(SUBJECT, accountOf(SUBJECT));
        }
    }

    function test_report_WhenThePartyIsUnknown() public {
        expectUnknown(NEW);
        reportBy(AUTHORITY, NEW, STRANGER);
        expectUnknown(NOBODY);
        reportBy(AUTHORITY, NOBODY, STRANGER);
    }

    function test_report_WhenTheAccountIsNotALiveAccountOfTheParty() public {
        expectNotBound(SUBJECT, accountOf(ISSUER));
        reportBy(SUBJECT, SUBJECT, accountOf(ISSUER));
        changeOwn(SUBJECT, change(SUBJECT, address(0), vm.addr(SUBJECT_KEY), ""));
        expectNotBound(SUBJECT, vm.addr(SUBJECT_KEY));
        reportBy(SUBJECT, SUBJECT, vm.addr(SUBJECT_KEY));
    }

    function test_report_WhenTheAccountIsReported() public {
        reportBy(SUBJECT, SUBJECT, vm.addr(SUBJECT_KEY));
        pass(5);
        expectReverting(IPartyKeys.PartyAlreadyReported.selector, uint160(vm.addr(SUBJECT_KEY)), START);
        reportBy(SUBJECT, SUBJECT, vm.addr(SUBJECT_KEY));
    }

    function test_report_GivenNoApprovedProposalForAnAuthorityOrSupervisor() public {
        PartyNo[2] memory who = [SUPERVISOR, SECOND_OFFICER];
        for (uint256 i = 0; i < who.length; ++i) {
            expectNotDecided();
            reportBy(AUTHORITY, who[i], accountOf(who[i]));
        }
    }

    function test_report_GivenAnApprovedProposalForAnAuthorityOrSupervisor() public {
        decide(abi.encodeCall(IPartyKeys.report, (SUPERVISOR, accountOf(SUPERVISOR))));
        assertEq(registry.accountOf(accountOf(SUPERVISOR)).reportedAt, START + DELAY);
    }

    function test_report_GivenThePartyIsNotActive() public {
        setStatus(SUBJECT, PartyStatus.Closed);
        reportBy(SUBJECT, SUBJECT, accountOf(SUBJECT));
        assertEq(registry.accountOf(accountOf(SUBJECT)).reportedAt, START + DELAY);
    }

    function test_report_GivenTheLedgerIsPaused() public {
        pauseBy(SUPERVISOR);
        reportBy(SUBJECT, SUBJECT, accountOf(SUBJECT));
        assertEq(registry.accountOf(accountOf(SUBJECT)).reportedAt, START);
    }

    function test_report_WhenTheCallersOwnKeyIsReported() public {
        vm.warp(START + 7);
        expectEvent();
        emit IPartyKeys.AccountReported(SUBJECT, accountOf(SUBJECT), START + 7, SUBJECT);
        reportBy(SUBJECT, SUBJECT, accountOf(SUBJECT));
        IPartyRecord.Account memory key = registry.accountOf(accountOf(SUBJECT));
        assertEq(key.reportedAt, START + 7);
        assertEq(key.validTo, 0);
        expectReported(accountOf(SUBJECT), START + 7);
        registry.actor(accountOf(SUBJECT), Roles.ALL);
        assertMayAct(vm.addr(SUBJECT_KEY), SUBJECT);
    }

    function test_report_WhenOneOfficerReportsTheKey() public {
        expectEvent();
        emit IPartyKeys.AccountReported(SUBJECT, accountOf(SUBJECT), START, THIRD_OFFICER);
        reportBy(THIRD_OFFICER, SUBJECT, accountOf(SUBJECT));
    }

    /// An officer can report its own key at once if enough officers are left.
    function test_report_WhenAnOfficerReportsItsOwnKey() public {
        expectTooFew();
        reportBy(THIRD_OFFICER, THIRD_OFFICER, accountOf(THIRD_OFFICER));
        changeOwn(THIRD_OFFICER, change(THIRD_OFFICER, fresh(), address(0), proofOf(FRESH_KEY, THIRD_OFFICER)));
        reportBy(THIRD_OFFICER, THIRD_OFFICER, accountOf(THIRD_OFFICER));
        assertEq(registry.officers(), 3);
        assertMayAct(fresh(), THIRD_OFFICER);
    }

    /// Reporting an unproven key does not change the number of keys that may act.
    function test_report_WhenTheKeyIsUnproven() public {
        decide(change(ISSUER, STRANGER, address(0), ""));
        reportBy(ISSUER, ISSUER, STRANGER);
        assertTrue(!registry.isSilent(ISSUER), "the other key may act");
        changeOwn(ISSUER, change(ISSUER, address(0), STRANGER, ""));
        assertTrue(!registry.isSilent(ISSUER), "the other key may act");
    }

    function test_reportFor_WhenASecp256k1KeySigned() public {
        address by_ = vm.addr(SUBJECT_KEY);
        bytes memory signature =
            Keys.secp256k1(SUBJECT_KEY, Acts.report(frame(Acts.REPORT, by_), accountOf(SUBJECT)));
        expectEvent();
        emit IPartyKeys.AccountReported(SUBJECT, accountOf(SUBJECT), START, SUBJECT);
        vm.prank(STRANGER);
        registry.reportFor(by_, SUBJECT, accountOf(SUBJECT), signature);
        expectReverting(IPartyKeys.PartyAlreadyReported.selector, uint160(accountOf(SUBJECT)), START);
        registry.reportFor(by_, SUBJECT, accountOf(SUBJECT), signature);
    }

    function test_reportFor_WhenAP256KeyReportsItself() public {
        address by_ = Keys.p256Account(SUBJECT_P256);
        bytes memory signature = Keys.p256(SUBJECT_P256, Acts.report(frame(Acts.REPORT, by_), by_));
        registry.reportFor(by_, SUBJECT, by_, signature);
        assertEq(registry.accountOf(by_).reportedAt, START);
    }

    function test_reportFor_WhenSignedForAnotherAct() public {
        address by_ = vm.addr(SUBJECT_KEY);
        Acts.Frame[5] memory frames = otherFrames(Acts.REPORT, by_, Acts.KEY, accountOf(SUBJECT));
        for (uint256 i = 0; i < frames.length; ++i) {
            _expectReportInvalid(by_, Keys.secp256k1(SUBJECT_KEY, Acts.report(frames[i], accountOf(SUBJECT))));
        }
        _expectReportInvalid(by_, Keys.secp256k1(SUBJECT_KEY, Acts.report(frame(Acts.REPORT, by_), by_)));
        _expectReportInvalid(
            by_, Keys.secp256k1(FRESH_KEY, Acts.report(frame(Acts.REPORT, by_), accountOf(SUBJECT)))
        );
    }

    function test_reportFor_WhenTheSignerIsNotALiveKeyOfTheParty() public {
        address by_ = vm.addr(SUBJECT_KEY);
        bytes memory signature =
            Keys.secp256k1(SUBJECT_KEY, Acts.report(frame(Acts.REPORT, by_), accountOf(ISSUER)));
        expectNotBound(ISSUER, by_);
        registry.reportFor(by_, ISSUER, accountOf(ISSUER), signature);
        expectNotBound(SUBJECT, accountOf(ISSUER));
        registry.reportFor(by_, SUBJECT, accountOf(ISSUER), signature);
        changeOwn(SUBJECT, change(SUBJECT, address(0), by_, ""));
        expectUnknownAccount(by_);
        registry.reportFor(by_, SUBJECT, accountOf(ISSUER), signature);
    }

    function test_reportFor_WhenTheSignersKeyIsReported() public {
        address by_ = vm.addr(SUBJECT_KEY);
        reportBy(SUBJECT, SUBJECT, by_);
        registry.reportFor(
            by_,
            SUBJECT,
            accountOf(SUBJECT),
            Keys.secp256k1(SUBJECT_KEY, Acts.report(frame(Acts.REPORT, by_), accountOf(SUBJECT)))
        );
        assertEq(registry.accountOf(accountOf(SUBJECT)).reportedAt, START);
    }

    function _expectReportInvalid(address by_, bytes memory signature) private {
        expectReverting(IProposals.PartySignatureInvalid.selector, uint160(by_));
        registry.reportFor(by_, SUBJECT, accountOf(SUBJECT), signature);
    }
}
