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

/// What thieves of a key and single officers try; see PartyAttacks.tree.
contract PartyAttacksTest is PartyWorld {
    CertificateLog private _log;

    function setUp() public override {
        super.setUp();
        _log = CertificateLog(deploy("CertificateLog", abi.encode(forwarder, registry)));
    }

    function test_attack_ForgedRecovery() public {
        bytes memory call = recovery(SUBJECT, accountOf(SUBJECT));
        // One officer alone: a second party has to confirm.
        uint32 no = proposeBy(AUTHORITY, call);
        pass(DELAY);
        expectReverting(IProposals.PartyNotConfirmed.selector, no);
        carryOut(no, call);
        // Two officers first silence every key of the party.
        confirmBy(SECOND_OFFICER, no, call);
        reportBy(THIRD_OFFICER, SUBJECT, accountOf(SUBJECT));
        reportBy(THIRD_OFFICER, SUBJECT, vm.addr(SUBJECT_KEY));
        reportBy(THIRD_OFFICER, SUBJECT, Keys.p256Account(SUBJECT_P256));
        // The owner stops them with a reported key, sent by anybody.
        bytes32 hash = Acts.veto(frame(Acts.VETO, Keys.p256Account(SUBJECT_P256)), no);
        registry.vetoFor(Keys.p256Account(SUBJECT_P256), no, Keys.p256(SUBJECT_P256, hash));
        expectNotPending(no, ProposalState.Vetoed);
        carryOut(no, call);
        assertUnbound(fresh());
        pass(DELAY);
        assertTrue(registry.isSilent(SUBJECT), "silence is the worst");
    }

    /// The thief has one key of the subject's, and wants to bind its own in place of the owner's.
    function test_attack_ThiefRotates() public {
        address stolen = vm.addr(SUBJECT_KEY);
        bytes memory call = change(SUBJECT, fresh(), accountOf(SUBJECT), proofOf(FRESH_KEY, SUBJECT));
        uint32 no = proposeAs(stolen, call);
        vetoBy(accountOf(SUBJECT), no);
        pass(DELAY);
        expectNotPending(no, ProposalState.Vetoed);
        carryOut(no, call);
        // What it proposes again dies when the key is reported.
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

    /// The thief of a copied key stops the owner's recovery: the party stays silent and begins anew under another id.
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

    /// One officer strips nobody, and two never leave fewer than three.
    function test_attack_StrippedOfficers() public {
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

    /// A supervisor's hold is lifted neither by officers nor by one supervisor alone.
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
        // For their own office, which does not hold.
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

    /// One guardian alone stops the ledger for seven days of every thirty-seven.
    function test_attack_EndlessPause() public {
        pauseBy(SUPERVISOR);
        expectPaused(START + PAUSE);
        pauseBy(SUPERVISOR);
        pass(PAUSE);
        by(ISSUER);
        _log.anchor(0, 1, "root");
        expectReverting(IPauses.PartyPauseRest.selector, START + PAUSE + REST);
        pauseBy(SUPERVISOR);
        // Others who pause at once are ended by two officers, without delay.
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

    /// A list is confirmed as what was hashed, and as nothing but a list of registrations.
    function test_attack_PowersInAListOfRegistrations() public {
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

    /// Proposed before its number is given, a key would escape the veto of the party to come.
    function test_attack_KeyForAPartyToCome() public {
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

    /// Officers that lost their office meanwhile no longer decide.
    function test_attack_StrippedProposerAndConfirmer() public {
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

    /// Officers with a key in a phone: who steals the phones leaves no officers that count and cannot act.
    function test_attack_OfficersThatCannotAct() public {
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
        // With a fourth officer the phone alone is no officer.
        setRoles(PROVIDER, Roles.AUTHORITY);
        reportBy(THIRD_OFFICER, THIRD_OFFICER, accountOf(THIRD_OFFICER));
        assertEq(registry.officers(), 3);
    }

    /// A rogue officer among three cancels for ever: two accuse it, appoint another, and take its office.
    function test_attack_RogueCancelsForEver() public {
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

    /// The thief reports the owner's keys first: a reported key reports the thief's all the same.
    function test_attack_WhoReportsFirst() public {
        (address stolen, address phone) = (vm.addr(SUBJECT_KEY), Keys.p256Account(SUBJECT_P256));
        vm.prank(stolen);
        registry.report(SUBJECT, accountOf(SUBJECT));
        vm.prank(stolen);
        registry.report(SUBJECT, phone);
        reportBy(SUBJECT, SUBJECT, stolen);
        expectReported(stolen, START);
        registry.actor(stolen, Roles.ALL);
    }

    /// The proof that stands in another's pending recovery binds the key to nobody else, and nothing does without one.
    function test_attack_SquattedKey() public {
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

    /// A first key's proof is for no party's number, so nobody binds it who has one.
    function test_attack_SquattedFirstKey() public {
        bytes memory copied = change(PROVIDER, fresh(), address(0), proofOf(FRESH_KEY));
        uint32 squat = proposeBy(PROVIDER, copied);
        pass(DELAY);
        expectReverting(IPartyKeys.PartyProofInvalid.selector, uint160(fresh()));
        carryOut(squat, copied);
    }

    /// No guardian alone makes everything fail that an issuer issued; a stolen key of it is still reported by one.
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

    /// Bound as an account, the registry would speak for that party in other contracts.
    function test_attack_RegistryAsAnAccount() public {
        bytes memory call = change(SUBJECT, address(registry), address(0), "");
        uint32 no = confirmed(call);
        pass(DELAY);
        expectTaken(address(registry), PartyNo.wrap(0));
        carryOut(no, call);
    }
}
