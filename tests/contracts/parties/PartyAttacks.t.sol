// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CertificateLog} from "../../../contracts/CertificateLog.sol";
import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {IPartyKeys} from "../../../contracts/interfaces/IPartyKeys.sol";
import {IPauses} from "../../../contracts/interfaces/IPauses.sol";
import {IProposals} from "../../../contracts/interfaces/IProposals.sol";
import {PartyId, PartyNo, PartyStatus, ProposalState, Reason, Roles} from "../../../contracts/Types.sol";
import {Keys, Acts} from "../Acts.sol";
import {PartyWorld} from "./PartyWorld.sol";
import {vm} from "../Vm.sol";

/// Tests attacks by thieves of a key and by single officers; see PartyAttacks.tree.
contract PartyAttacksTest is PartyWorld {
    CertificateLog private _log;

    function setUp() public override {
        super.setUp();
        _log = CertificateLog(deploy("CertificateLog", abi.encode(forwarder, registry)));
    }

    function test_attack_ForgedRecovery() public {
        bytes memory call = recovery(SUBJECT, accountOf(SUBJECT));
        // One officer alone fails, because a second party must confirm.
        uint32 no = proposeBy(AUTHORITY, call);
        pass(DELAY);
        expectReverting(IProposals.PartyNotConfirmed.selector, no);
        carryOut(no, call);
        // Two officers first report every key of the party.
        confirmBy(SECOND_OFFICER, no, call);
        reportBy(THIRD_OFFICER, SUBJECT, accountOf(SUBJECT));
        reportBy(THIRD_OFFICER, SUBJECT, vm.addr(SUBJECT_KEY));
        reportBy(THIRD_OFFICER, SUBJECT, Keys.p256Account(SUBJECT_P256));
        // The owner stops them by a veto signed with a reported key, which anybody can send.
        bytes32 hash = Acts.veto(frame(Acts.VETO, Keys.p256Account(SUBJECT_P256)), no);
        registry.vetoFor(Keys.p256Account(SUBJECT_P256), no, Keys.p256(SUBJECT_P256, hash));
        expectNotPending(no, ProposalState.Vetoed);
        carryOut(no, call);
        assertUnbound(fresh());
        pass(DELAY);
        assertTrue(registry.isSilent(SUBJECT), "silence is the worst");
    }

    /// The thief has one key of the subject, and tries to replace the owner's key by its own.
    function test_attack_ThiefReplacesTheKey() public {
        address stolen = vm.addr(SUBJECT_KEY);
        bytes memory call = change(SUBJECT, fresh(), accountOf(SUBJECT), proofOf(FRESH_KEY, SUBJECT));
        uint32 no = proposeAs(stolen, call);
        vetoBy(accountOf(SUBJECT), no);
        pass(DELAY);
        expectNotPending(no, ProposalState.Vetoed);
        carryOut(no, call);
        // The thief's next proposal fails when the stolen key is reported.
        no = proposeAs(stolen, call);
        reportBy(SUBJECT, SUBJECT, stolen);
        pass(DELAY);
        expectReported(stolen, time() - DELAY);
        carryOut(no, call);
        expectReported(stolen, time() - DELAY);
        proposeAs(stolen, call);
        assertSpeaks(accountOf(SUBJECT), SUBJECT);
        assertUnbound(fresh());
    }

    /// The thief of a copied key vetoes the owner's recovery. The party becomes silent, and registers again under
    /// another id.
    function test_attack_ThiefVetoes() public {
        reportBy(ISSUER, ISSUER, accountOf(ISSUER));
        bytes memory call = recovery(ISSUER, accountOf(ISSUER));
        uint32 no = confirmed(call);
        vetoBy(accountOf(ISSUER), no);
        pass(DELAY);
        expectNotPending(no, ProposalState.Vetoed);
        carryOut(no, call);
        expectReported(accountOf(ISSUER), START);
        by(ISSUER);
        _log.anchor(0, 1, "root");
        registerBy(AUTHORITY, ADMIN, registration("a new id", FRESHER_KEY, Roles.PROVIDER));
        assertSpeaks(fresher(), NEW);
    }

    function test_attack_SecondIdForOneFirm() public {
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

    /// One officer cannot remove another one, and two officers cannot leave fewer than three.
    function test_attack_RemovedOfficers() public {
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

    function test_attack_ClosedParty() public {
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
        assertTrue(registry.isActive(ISSUER), "closed by one");
    }

    /// Neither authorities nor one supervisor alone can lift a supervisor's hold.
    function test_attack_LiftedHold() public {
        bytes32[] memory list = new bytes32[](1);
        list[0] = "statement";
        by(SUPERVISOR);
        _log.hold(list, Reason.Court);
        bytes memory call = abi.encodeCall(ICertificateLog.lift, (2, list, Reason.Lifted));
        expectLacksRole(AUTHORITY, Roles.SUPERVISOR);
        by(AUTHORITY);
        registry.propose(address(_log), call);
        by(SUPERVISOR);
        uint32 no = registry.propose(address(_log), call);
        expectReverting(IProposals.PartyOwnProposal.selector, no, PartyNo.unwrap(SUPERVISOR));
        by(SUPERVISOR);
        registry.confirm(no, address(_log), call);
        expectLacksRole(AUTHORITY, Roles.SUPERVISOR);
        by(AUTHORITY);
        registry.confirm(no, address(_log), call);
        // The authorities can propose it for their own office, which has no hold.
        call = abi.encodeCall(ICertificateLog.lift, (1, list, Reason.Lifted));
        by(AUTHORITY);
        no = registry.propose(address(_log), call);
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogNotHeld.selector, list[0]));
        by(SECOND_OFFICER);
        registry.confirm(no, address(_log), call);
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogNotDecided.selector));
        by(SUPERVISOR);
        _log.lift(2, list, Reason.Lifted);
        (uint8 offices,) = _log.holdOf(list[0]);
        assertEq(offices, 2);
    }

    /// One guardian alone can pause the ledger for at most seven of thirty-seven days.
    function test_attack_EndlessPause() public {
        pauseBy(SUPERVISOR);
        expectPaused(START + PAUSE);
        pauseBy(SUPERVISOR);
        pass(PAUSE);
        by(ISSUER);
        _log.anchor(0, 1, "root");
        expectReverting(IPauses.PartyPauseRest.selector, START + PAUSE + REST);
        pauseBy(SUPERVISOR);
        // If another party pauses next, two officers can end the pause without delay.
        pauseBy(THIRD_OFFICER);
        bytes memory call = abi.encodeCall(IPauses.endPause, ());
        confirmed(call);
        by(ISSUER);
        _log.anchor(1, 1, "root");
        expectReverting(IPauses.PartyPauseRest.selector, START + 2 * PAUSE + REST);
        pauseBy(THIRD_OFFICER);
    }

    function test_attack_ReplayedProposal() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ISSUER | Roles.CDO);
        uint32 no = confirmed(call);
        pass(DELAY);
        carryOut(no, call);
        setRoles(ISSUER, Roles.ISSUER);
        expectNotPending(no, ProposalState.CarriedOut);
        carryOut(no, call);
        expectNotPending(no, ProposalState.CarriedOut);
        confirmBy(THIRD_OFFICER, no, call);
        assertEq(registry.partyOf(ISSUER).roles, Roles.ISSUER);
    }

    function test_attack_ExpiredProposal() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ISSUER | Roles.CDO);
        uint32 unconfirmed = proposeBy(AUTHORITY, call);
        uint32 no = confirmed(call);
        pass(DELAY + OPEN_FOR + 1);
        expectReverting(IProposals.PartyProposalExpired.selector, no, START + DELAY + OPEN_FOR);
        carryOut(no, call);
        expectReverting(IProposals.PartyProposalExpired.selector, unconfirmed, START + DELAY + OPEN_FOR);
        confirmBy(SECOND_OFFICER, unconfirmed, call);
        assertEq(registry.partyOf(ISSUER).roles, Roles.ISSUER);
    }

    function test_attack_ProposalChangedAfterConfirmation() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ISSUER | Roles.CDO);
        uint32 no = confirmed(call);
        pass(DELAY);
        expectReverting(IProposals.PartyActDiffers.selector, no);
        carryOut(no, setRolesCall(ISSUER, Roles.ALL));
        expectReverting(IProposals.PartyActDiffers.selector, no);
        carryOut(no, bytes.concat(call, bytes1(0)));
        expectReverting(IProposals.PartyActDiffers.selector, no);
        registry.carryOut(no, address(_log), call);
        carryOut(no, call);
        assertEq(registry.partyOf(ISSUER).roles, Roles.ISSUER | Roles.CDO);
    }

    /// A registration is confirmed with exactly the hashed call, which must be a call of `register`.
    function test_attack_AnotherActInARegistrationProposal() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ALL);
        uint32 no = proposeListBy(AUTHORITY, call);
        expectNotProposable(bytes4(call));
        confirmBy(SECOND_OFFICER, no, call);
        bytes32 act = sha256(abi.encode(address(_log), registration("id", FRESH_KEY, 0)));
        by(AUTHORITY);
        no = registry.proposeRegistration(act);
        call = registration("id", FRESH_KEY, 0);
        expectNotProposable(bytes4(call));
        by(SECOND_OFFICER);
        registry.confirm(no, address(_log), call);
    }

    /// If a key could be proposed for a number without a party, the future party could not veto it.
    function test_attack_KeyForAFutureParty() public {
        bytes memory call = change(NEW, fresh(), address(0), proofOf(FRESH_KEY, NEW));
        expectUnknown(NEW);
        proposeBy(AUTHORITY, call);
    }

    function test_attack_TwoAccountsOfOnePartyAsTwoOfficers() public {
        bytes memory call = change(AUTHORITY, fresh(), address(0), proofOf(FRESH_KEY, AUTHORITY));
        changeOwn(AUTHORITY, call);
        call = recovery(SUBJECT, accountOf(SUBJECT));
        uint32 no = proposeBy(AUTHORITY, call);
        expectReverting(IProposals.PartyOwnProposal.selector, no, PartyNo.unwrap(AUTHORITY));
        vm.prank(fresh());
        registry.confirm(no, address(registry), call);
    }

    /// Officers that lose their office during the delay no longer count.
    function test_attack_RemovedProposerAndConfirmer() public {
        setRoles(PROVIDER, Roles.AUTHORITY);
        bytes memory call = recovery(SUBJECT, accountOf(SUBJECT));
        uint32 proposed = proposeBy(PROVIDER, call);
        confirmBy(AUTHORITY, proposed, call);
        uint32 confirmed_ = proposeBy(AUTHORITY, call);
        confirmBy(PROVIDER, confirmed_, call);
        setRoles(PROVIDER, Roles.PROVIDER);
        expectLacksRole(PROVIDER, Roles.AUTHORITY);
        carryOut(proposed, call);
        expectLacksRole(PROVIDER, Roles.AUTHORITY);
        carryOut(confirmed_, call);
        assertUnbound(fresh());
    }

    /// Officers also have a key in a phone. A thief of the phones cannot report the sending keys, because an officer
    /// needs a key that can send transactions.
    function test_attack_OfficersWithoutASendingKey() public {
        PartyNo[2] memory who = [SECOND_OFFICER, THIRD_OFFICER];
        for (uint256 i = 0; i < who.length; ++i) {
            uint256 key = SUBJECT_P256 + 1 + i;
            address phone = Keys.p256Account(key);
            changeOwn(who[i], change(who[i], phone, address(0), p256ProofOf(key, who[i])));
            assertSpeaks(phone, who[i]);
            bytes32 hash = Acts.report(frame(Acts.REPORT, phone), accountOf(who[i]));
            expectTooFew();
            registry.reportFor(phone, who[i], accountOf(who[i]), Keys.p256(key, hash));
            bytes memory call = change(who[i], address(0), accountOf(who[i]), "");
            uint32 no = proposeBy(who[i], call);
            pass(DELAY);
            expectTooFew();
            carryOut(no, call);
        }
        // With a fourth officer the report succeeds, and a party with only a phone key is not an officer.
        setRoles(PROVIDER, Roles.AUTHORITY);
        reportBy(THIRD_OFFICER, THIRD_OFFICER, accountOf(THIRD_OFFICER));
        assertEq(registry.officers(), 3);
    }

    /// One of three officers cancels every proposal. The two others accuse it, appoint another officer, and then take
    /// its office.
    function test_attack_RogueOfficerCancelsForever() public {
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

    /// The thief reports the owner's keys first, but a reported key can still report the stolen key.
    function test_attack_ThiefReportsFirst() public {
        (address stolen, address phone) = (vm.addr(SUBJECT_KEY), Keys.p256Account(SUBJECT_P256));
        vm.prank(stolen);
        registry.report(SUBJECT, accountOf(SUBJECT));
        vm.prank(stolen);
        registry.report(SUBJECT, phone);
        reportBy(SUBJECT, SUBJECT, stolen);
        expectReported(stolen, START);
        registry.actor(stolen, Roles.ALL);
    }

    /// The proof in another party's pending recovery is valid for that party only, and without a proof a party cannot
    /// bind the key.
    function test_attack_KeyOfAnotherParty() public {
        bytes memory call = recovery(SUBJECT, accountOf(SUBJECT));
        uint32 no = confirmed(call);
        bytes memory copied = change(PROVIDER, fresh(), address(0), proofOf(FRESH_KEY, SUBJECT));
        uint32 squat = proposeBy(PROVIDER, copied);
        expectReverting(IPartyKeys.PartyProofMissing.selector, uint160(fresh()));
        proposeBy(PROVIDER, change(PROVIDER, fresh(), address(0), ""));
        bytes memory listed = abi.encodeCall(
            IPartyKeys.register, (listOf(one("id", fresh(), proofOf(FRESH_KEY, SUBJECT), Roles.PROVIDER)))
        );
        uint32 list = proposeListBy(ADMIN, listed);
        pass(DELAY);
        expectReverting(IPartyKeys.PartyProofInvalid.selector, uint160(fresh()));
        carryOut(squat, copied);
        expectReverting(IPartyKeys.PartyProofInvalid.selector, uint160(fresh()));
        confirmBy(AUTHORITY, list, listed);
        carryOut(no, call);
        assertSpeaks(fresh(), SUBJECT);
    }

    /// The proof of a first key names no party number, so an existing party cannot use it to bind the key.
    function test_attack_FirstKeyOfAnotherParty() public {
        bytes memory copied = change(PROVIDER, fresh(), address(0), proofOf(FRESH_KEY));
        uint32 squat = proposeBy(PROVIDER, copied);
        pass(DELAY);
        expectReverting(IPartyKeys.PartyProofInvalid.selector, uint160(fresh()));
        carryOut(squat, copied);
    }

    /// One guardian alone cannot make all certificates of an issuer invalid, but one officer can report its stolen key.
    function test_attack_SuspendedIssuer() public {
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
        assertTrue(!registry.isActive(ISSUER), "two decided");
    }

    /// If the registry were bound as an account, it could act for that party in other contracts.
    function test_attack_RegistryAsAnAccount() public {
        bytes memory call = change(SUBJECT, address(registry), address(0), "");
        uint32 no = confirmed(call);
        pass(DELAY);
        expectTaken(address(registry), PartyNo.wrap(0));
        carryOut(no, call);
    }
}
