// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "../../../../contracts/interfaces/ICertificateLog.sol";
import {IPauses} from "../../../../contracts/interfaces/IPauses.sol";
import {IProposals} from "../../../../contracts/interfaces/IProposals.sol";
import {PartyId, PartyNo, PartyStatus, ProposalState, Reason, Roles} from "../../../../contracts/Types.sol";
import {Acts, Keys} from "../../Acts.sol";
import {AttackWorld} from "./AttackWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests attacks by single officers, supervisors and admins; see OfficerAttacks.tree.
contract OfficerAttacksTest is AttackWorld {
    function test_attack_OneAdminCannotRegisterASecondIdForAFirm() public {
        bytes memory call = registration("second id", FRESH_KEY, Roles.PROVIDER);
        uint32 no = proposeListBy(ADMIN, call);
        expectReverting(IProposals.PartyOwnProposal.selector, no, PartyNo.unwrap(ADMIN));
        confirmBy(ADMIN, no, call);
        expectReverting(IProposals.PartyNotConfirmed.selector, no);
        carryOut(no, call);
        expectNotDecided();
        by(ADMIN);
        registry.register(listOf(one("second id", STRANGER, "", Roles.PROVIDER)));
        assertEq(registry.partyNoOf(PartyId.wrap("second id")), PartyNo.wrap(0));
    }

    /// One officer cannot remove another officer, and two officers together cannot reduce the officers to fewer than
    /// three.
    function test_attack_OneOfficerCannotRemoveAnotherAndTwoCannotLeaveFewerThanThree() public {
        bytes memory call = setRolesCall(SECOND_OFFICER, 0);
        expectOffice(Roles.AUTHORITY);
        by(AUTHORITY);
        registry.setRoles(SECOND_OFFICER, 0);
        expectNotDecided();
        by(AUTHORITY);
        registry.setStatus(SECOND_OFFICER, PartyStatus.Suspended, Reason.Court);
        expectNotDecided();
        reportBy(AUTHORITY, SECOND_OFFICER, accountOf(SECOND_OFFICER));
        uint32 no = proposeBy(AUTHORITY, call);
        confirmBy(THIRD_OFFICER, no, call);
        pass(DELAY);
        expectTooFew();
        carryOut(no, call);
        assertEq(registry.officers(), 3);
    }

    function test_attack_OneOfficerCannotCloseAParty() public {
        expectNotDecided();
        by(AUTHORITY);
        registry.setStatus(ISSUER, PartyStatus.Closed, Reason.Fraud);
        expectNotDecided();
        by(SUPERVISOR);
        registry.setStatus(ISSUER, PartyStatus.Closed, Reason.Fraud);
        bytes memory call = setStatusCall(ISSUER, PartyStatus.Closed);
        uint32 no = proposeBy(AUTHORITY, call);
        by(THIRD_OFFICER);
        registry.cancel(no);
        expectNotPending(no, ProposalState.Cancelled);
        confirmBy(SECOND_OFFICER, no, call);
        assertTrue(registry.isActive(ISSUER), "one officer cannot close a party");
    }

    /// The suspension of an issuer would invalidate all the issuer's certificates, so one authority or supervisor alone
    /// cannot suspend it. But one officer can report the issuer's key.
    function test_attack_OneAuthorityOrSupervisorCannotSuspendAnIssuer() public {
        PartyNo[3] memory who = [AUTHORITY, SECOND_OFFICER, SUPERVISOR];
        for (uint256 i = 0; i < who.length; ++i) {
            expectNotDecided();
            by(who[i]);
            registry.setStatus(ISSUER, PartyStatus.Suspended, Reason.Sanction);
        }
        reportBy(AUTHORITY, ISSUER, accountOf(ISSUER));
        expectReported(accountOf(ISSUER), START);
        registry.actor(accountOf(ISSUER), Roles.ISSUER);
        setStatus(ISSUER, PartyStatus.Suspended);
        assertTrue(!registry.isActive(ISSUER), "two officers can suspend an issuer");
    }

    /// Authorities cannot lift a hold that a supervisor placed, and one supervisor alone cannot lift it either.
    function test_attack_OnlyTwoSupervisorsCanLiftAHoldOfASupervisor() public {
        bytes32[] memory list = new bytes32[](1);
        list[0] = "statement";
        by(SUPERVISOR);
        log.hold(list, Reason.Court);
        bytes memory call = abi.encodeCall(ICertificateLog.lift, (2, list, Reason.Lifted));
        expectLacksRole(AUTHORITY, Roles.SUPERVISOR);
        by(AUTHORITY);
        registry.propose(address(log), call);
        by(SUPERVISOR);
        uint32 no = registry.propose(address(log), call);
        expectReverting(IProposals.PartyOwnProposal.selector, no, PartyNo.unwrap(SUPERVISOR));
        by(SUPERVISOR);
        registry.confirm(no, address(log), call);
        expectLacksRole(AUTHORITY, Roles.SUPERVISOR);
        by(AUTHORITY);
        registry.confirm(no, address(log), call);
        // Authorities can propose to lift a hold of the authorities, but this statement has none.
        call = abi.encodeCall(ICertificateLog.lift, (1, list, Reason.Lifted));
        by(AUTHORITY);
        no = registry.propose(address(log), call);
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogNotHeld.selector, list[0]));
        by(SECOND_OFFICER);
        registry.confirm(no, address(log), call);
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogNotDecided.selector));
        by(SUPERVISOR);
        log.lift(2, list, Reason.Lifted);
        (uint8 offices,) = log.holdOf(list[0]);
        assertEq(offices, 2);
    }

    /// One authority or supervisor alone can pause the ledger for at most 7 of 37 days.
    function test_attack_OnePartyCannotPauseTheLedgerWithoutEnd() public {
        pauseBy(SUPERVISOR);
        expectPaused(START + PAUSE);
        pauseBy(SUPERVISOR);
        pass(PAUSE);
        by(ISSUER);
        log.anchor(0, 1, "root");
        expectReverting(IPauses.PartyPauseRest.selector, START + PAUSE + REST);
        pauseBy(SUPERVISOR);
        // If another party pauses next, two officers can end the pause at once.
        pauseBy(THIRD_OFFICER);
        bytes memory call = abi.encodeCall(IPauses.endPause, ());
        confirmed(call);
        by(ISSUER);
        log.anchor(1, 1, "root");
        expectReverting(IPauses.PartyPauseRest.selector, START + 2 * PAUSE + REST);
        pauseBy(THIRD_OFFICER);
    }

    /// Two officers also have a key in a phone. Such a key cannot send transactions, and a party with no other key does
    /// not count as an officer. So a thief of the phones cannot report the officers' other keys: too few officers would
    /// be left.
    function test_attack_APartyWithoutAKeyThatCanSendTransactionsIsNoOfficer() public {
        PartyNo[2] memory who = [SECOND_OFFICER, THIRD_OFFICER];
        for (uint256 i = 0; i < who.length; ++i) {
            uint256 key = SUBJECT_P256 + 1 + i;
            address phone = Keys.p256Account(key);
            changeOwn(who[i], change(who[i], phone, address(0), p256ProofOf(key, who[i])));
            assertMayAct(phone, who[i]);
            bytes32 hash = Acts.report(frame(Acts.REPORT, phone), accountOf(who[i]));
            expectTooFew();
            registry.reportFor(phone, who[i], accountOf(who[i]), Keys.p256(key, hash));
            bytes memory call = change(who[i], address(0), accountOf(who[i]), "");
            uint32 no = proposeBy(who[i], call);
            pass(DELAY);
            expectTooFew();
            carryOut(no, call);
        }
        // With a fourth officer the report succeeds. The third officer then has only the key in its phone, and no
        // longer counts as an officer.
        setRoles(PROVIDER, Roles.AUTHORITY);
        reportBy(THIRD_OFFICER, THIRD_OFFICER, accountOf(THIRD_OFFICER));
        assertEq(registry.officers(), 3);
    }

    /// One of three officers cancels every proposal. The two others accuse this officer, appoint another officer, and
    /// then take the accused officer's role away.
    function test_attack_AnAccusedOfficerCannotCancelProposals() public {
        bytes memory strip = setRolesCall(THIRD_OFFICER, 0);
        uint32 stripped = confirmed(strip);
        expectSelfGrant(THIRD_OFFICER);
        by(THIRD_OFFICER);
        registry.cancel(stripped);
        bytes memory appoint = setRolesCall(PROVIDER, Roles.AUTHORITY);
        uint32 appointed = confirmed(appoint);
        expectAccused(THIRD_OFFICER, START + DELAY + OPEN_FOR);
        by(THIRD_OFFICER);
        registry.cancel(appointed);
        pauseBy(THIRD_OFFICER);
        bytes memory end = abi.encodeCall(IPauses.endPause, ());
        uint32 ended = proposeBy(AUTHORITY, end);
        expectNotCancellable(ended);
        by(THIRD_OFFICER);
        registry.cancel(ended);
        confirmBy(SECOND_OFFICER, ended, end);
        pass(DELAY);
        expectTooFew();
        carryOut(stripped, strip);
        carryOut(appointed, appoint);
        carryOut(stripped, strip);
        assertEq(registry.officers(), 3);
        expectLacksRole(THIRD_OFFICER, Roles.AUTHORITY);
        registry.actor(accountOf(THIRD_OFFICER), Roles.AUTHORITY);
    }
}
