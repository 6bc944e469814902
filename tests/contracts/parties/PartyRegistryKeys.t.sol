// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyKeys} from "../../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRecord} from "../../../contracts/interfaces/IPartyRecord.sol";
import {IProposals} from "../../../contracts/interfaces/IProposals.sol";
import {NOBODY, PartyNo, PartyStatus, Roles} from "../../../contracts/Types.sol";
import {Acts, Keys} from "../Acts.sol";
import {PartyWorld} from "./PartyWorld.sol";
import {vm} from "../Vm.sol";

/// Tests binding, retiring and reporting keys, and dating their compromise; see PartyKeys.tree.
contract PartyRegistryKeysTest is PartyWorld {
    function test_changeKey_GivenTheCallIsNotDecided() public {
        bytes memory proof = proofOf(FRESH_KEY);
        for (uint32 no = 1; no <= PARTIES; ++no) {
            expectNotDecided();
            by(PartyNo.wrap(no));
            registry.changeKey(SUBJECT, fresh(), address(0), proof);
        }
    }

    function test_changeKey_WhenNothingChanges() public {
        _expectOwn(SUBJECT, change(SUBJECT, address(0), address(0), ""));
        expectZero();
        carryOut(1, change(SUBJECT, address(0), address(0), ""));
    }

    function test_changeKey_WhenTheProofIsForSomethingElse() public {
        Acts.Frame[5] memory frames;
        for (uint256 i = 0; i < frames.length; ++i) {
            frames[i] = frame(Acts.KEY, fresh());
        }
        frames[0].tag = Acts.VETO;
        frames[1].origin = bytes32(uint256(origin) ^ 1);
        frames[2].chain += 1;
        frames[3].place = address(forwarder);
        frames[4].account = fresher();
        for (uint256 i = 0; i < frames.length; ++i) {
            _expectProofInvalid(Keys.secp256k1(FRESH_KEY, Acts.key(frames[i], SUBJECT)));
        }
        _expectProofInvalid(proofOf(FRESHER_KEY, SUBJECT));
        // A proof for another party, and a proof for a first key.
        _expectProofInvalid(proofOf(FRESH_KEY, ISSUER));
        _expectProofInvalid(proofOf(FRESH_KEY));
        _expectProofInvalid(hex"00");
    }

    function test_changeKey_WhenTheFreshAccountIsTaken() public {
        bytes memory call = change(SUBJECT, accountOf(ISSUER), address(0), "");
        _ready(call);
        expectTaken(accountOf(ISSUER), ISSUER);
        carryOut(1, call);
        call = change(SUBJECT, accountOf(SUBJECT), accountOf(SUBJECT), "");
        _ready(call);
        expectTaken(accountOf(SUBJECT), SUBJECT);
        carryOut(2, call);
    }

    function test_changeKey_WhenTheFreshAccountWasRetired() public {
        changeOwn(SUBJECT, change(SUBJECT, fresh(), accountOf(SUBJECT), proofOf(FRESH_KEY, SUBJECT)));
        bytes memory call = change(ISSUER, accountOf(SUBJECT), address(0), "");
        _ready(call);
        expectTaken(accountOf(SUBJECT), SUBJECT);
        carryOut(2, call);
    }

    function test_changeKey_WhenTheOldAccountIsNotALiveAccountOfTheParty() public {
        address[2] memory old = [accountOf(ISSUER), STRANGER];
        for (uint32 i = 0; i < old.length; ++i) {
            bytes memory call = change(SUBJECT, fresh(), old[i], proofOf(FRESH_KEY, SUBJECT));
            _expectOwn(SUBJECT, call);
            expectNotBound(SUBJECT, old[i]);
            carryOut(i + 1, call);
        }
        changeOwn(SUBJECT, change(SUBJECT, address(0), vm.addr(SUBJECT_KEY), ""));
        bytes memory again = change(SUBJECT, fresh(), vm.addr(SUBJECT_KEY), proofOf(FRESH_KEY, SUBJECT));
        _expectOwn(SUBJECT, again);
        expectNotBound(SUBJECT, vm.addr(SUBJECT_KEY));
        carryOut(4, again);
    }

    function test_changeKey_WhenNoKeyIsLeft() public {
        bytes memory call = change(ISSUER, address(0), accountOf(ISSUER), "");
        _expectOwn(ISSUER, call);
        expectReverting(IPartyKeys.PartyLastKey.selector, uint160(accountOf(ISSUER)));
        carryOut(1, call);
    }

    /// A reported key and an unproven key may not act, so the last key that may act cannot be retired.
    function test_changeKey_WhenNoKeyIsLeftThatMayActForTheParty() public {
        reportBy(SUBJECT, SUBJECT, vm.addr(SUBJECT_KEY));
        reportBy(SUBJECT, SUBJECT, Keys.p256Account(SUBJECT_P256));
        decide(change(SUBJECT, STRANGER, address(0), ""));
        bytes memory call = change(SUBJECT, address(0), accountOf(SUBJECT), "");
        _expectOwn(SUBJECT, call);
        expectReverting(IPartyKeys.PartyLastKey.selector, uint160(accountOf(SUBJECT)));
        carryOut(2, call);
    }

    function test_changeKey_GivenTheLedgerIsPaused() public {
        bytes memory call = recovery(SUBJECT, accountOf(SUBJECT));
        uint32 no = confirmed(call);
        pass(DELAY);
        pauseBy(SUPERVISOR);
        expectPaused(time() + PAUSE);
        carryOut(no, call);
        pass(PAUSE);
        carryOut(no, call);
        assertSpeaks(fresh(), SUBJECT);
    }

    function test_changeKey_WhenAPartyBindsAFurtherKey() public {
        bytes memory call = change(ISSUER, fresh(), address(0), proofOf(FRESH_KEY, ISSUER));
        _expectOwn(ISSUER, call);
        expectEvent();
        emit IPartyRecord.AccountBound(ISSUER, fresh(), true, 1, START + DELAY, ISSUER);
        carryOut(1, call);
        IPartyRecord.Account memory key = registry.accountOf(fresh());
        assertEq(key.no, ISSUER);
        assertEq(key.validFrom, START + DELAY);
        assertEq(key.validTo, 0);
        assertEq(key.reportedAt, 0);
        assertEq(key.compromisedAt, 0);
        assertEq(key.proposal, 1);
        assertTrue(key.proven, "it was proven");
        assertSpeaks(fresh(), ISSUER);
        assertSpeaks(accountOf(ISSUER), ISSUER);
    }

    function test_changeKey_WhenAPartyBindsAP256Key() public {
        address account = Keys.p256Account(FRESH_KEY);
        changeOwn(ISSUER, change(ISSUER, account, address(0), p256ProofOf(FRESH_KEY, ISSUER)));
        assertSpeaks(account, ISSUER);
    }

    /// The chain cannot check an SM2 key. Two officers can bind it; then it is live and can veto, but may not act.
    function test_changeKey_WhenTwoOfficersBindAKeyWithoutAProof() public {
        bytes memory call = change(ISSUER, STRANGER, address(0), "");
        _ready(call);
        expectEvent();
        emit IPartyRecord.AccountBound(ISSUER, STRANGER, false, 1, START + DELAY, AUTHORITY);
        carryOut(1, call);
        assertTrue(!registry.accountOf(STRANGER).proven, "nothing was proven");
        expectUnknownAccount(STRANGER);
        registry.actor(STRANGER, Roles.ALL);
        uint32 no = proposeBy(ISSUER, change(ISSUER, fresh(), accountOf(ISSUER), proofOf(FRESH_KEY, ISSUER)));
        vetoBy(STRANGER, no);
    }

    /// A missing proof is found by the length of the proposed call. A longer call with an empty proof is refused when
    /// it is carried out.
    function test_changeKey_WhenAPartyBindsAKeyToItselfWithoutAProof() public {
        bytes memory call = change(ISSUER, STRANGER, address(0), "");
        expectReverting(IPartyKeys.PartyProofMissing.selector, uint160(STRANGER));
        proposeBy(ISSUER, call);
        call = bytes.concat(call, bytes1(0));
        _expectOwn(ISSUER, call);
        expectReverting(IPartyKeys.PartyProofMissing.selector, uint160(STRANGER));
        carryOut(1, call);
        assertUnbound(STRANGER);
    }

    function test_changeKey_ItMarksTheKeysThatCanSendTransactions() public {
        changeOwn(ISSUER, change(ISSUER, fresh(), address(0), proofOf(FRESH_KEY, ISSUER)));
        address phone = Keys.p256Account(FRESH_KEY);
        changeOwn(ISSUER, change(ISSUER, phone, address(0), p256ProofOf(FRESH_KEY, ISSUER)));
        decide(change(ISSUER, STRANGER, address(0), ""));
        assertTrue(registry.accountOf(fresh()).acts, "it sends transactions");
        assertTrue(!registry.accountOf(phone).acts, "a phone's key sends none");
        assertTrue(!registry.accountOf(STRANGER).acts, "whose it is is unknown");
        // Of a founding party's keys, only the first one counts.
        assertTrue(registry.accountOf(accountOf(SUBJECT)).acts, "the first of a founder's");
        assertTrue(!registry.accountOf(vm.addr(SUBJECT_KEY)).acts, "a further one of a founder's");
    }

    function test_changeKey_WhenAPartyReplacesItsKey() public {
        bytes memory call = change(ISSUER, fresh(), accountOf(ISSUER), proofOf(FRESH_KEY, ISSUER));
        _expectOwn(ISSUER, call);
        expectEvent();
        emit IPartyKeys.AccountRetired(ISSUER, accountOf(ISSUER), 1, START + DELAY, ISSUER);
        expectEvent();
        emit IPartyRecord.AccountBound(ISSUER, fresh(), true, 1, START + DELAY, ISSUER);
        carryOut(1, call);
        assertEq(registry.accountOf(accountOf(ISSUER)).validTo, START + DELAY);
        assertSpeaks(fresh(), ISSUER);
        expectUnknownAccount(accountOf(ISSUER));
        registry.actor(accountOf(ISSUER), Roles.ALL);
    }

    function test_changeKey_WhenAPartyRetiresAKey() public {
        bytes memory call = change(SUBJECT, address(0), vm.addr(SUBJECT_KEY), "");
        _expectOwn(SUBJECT, call);
        expectEvent();
        emit IPartyKeys.AccountRetired(SUBJECT, vm.addr(SUBJECT_KEY), 1, START + DELAY, SUBJECT);
        carryOut(1, call);
        expectUnknownAccount(vm.addr(SUBJECT_KEY));
        registry.actor(vm.addr(SUBJECT_KEY), Roles.ALL);
        assertSpeaks(accountOf(SUBJECT), SUBJECT);
    }

    function test_changeKey_WhenTwoOfficersRecoverAParty() public {
        reportBy(ISSUER, ISSUER, accountOf(ISSUER));
        bytes memory call = recovery(ISSUER, accountOf(ISSUER));
        uint32 no = confirmed(call);
        pass(DELAY);
        assertTrue(registry.isSilent(ISSUER), "no key spoke for the delay");
        expectEvent();
        emit IPartyKeys.AccountRetired(ISSUER, accountOf(ISSUER), no, START + DELAY, AUTHORITY);
        expectEvent();
        emit IPartyRecord.AccountBound(ISSUER, fresh(), true, no, START + DELAY, AUTHORITY);
        carryOut(no, call);
        assertSpeaks(fresh(), ISSUER);
        assertTrue(!registry.isSilent(ISSUER), "a key speaks again");
        assertEq(registry.accountOf(accountOf(ISSUER)).reportedAt, START);
    }

    function test_changeKey_WhenThePartyIsNotActive() public {
        setStatus(ISSUER, PartyStatus.Sanctioned);
        changeOwn(ISSUER, change(ISSUER, fresh(), accountOf(ISSUER), proofOf(FRESH_KEY, ISSUER)));
        assertEq(registry.accountOf(fresh()).no, ISSUER);
    }

    function test_changeKey_WhenAnOfficerIsLeftWithoutAKeyThatMayAct() public {
        bytes memory call = change(THIRD_OFFICER, STRANGER, accountOf(THIRD_OFFICER), "");
        uint32 no = _ready(call);
        expectTooFew();
        carryOut(no, call);
        setRoles(SUBJECT, Roles.AUTHORITY);
        carryOut(no, call);
        assertEq(registry.officers(), 3);
        pass(DELAY);
        assertTrue(registry.isSilent(THIRD_OFFICER), "no key speaks");
        changeBack();
        assertEq(registry.officers(), 4);
    }

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
        // It can report keys of its own party only.
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

    function test_report_GivenThePartyIsAnAuthorityOrSupervisorAndNobodyDecided() public {
        PartyNo[2] memory who = [SUPERVISOR, SECOND_OFFICER];
        for (uint256 i = 0; i < who.length; ++i) {
            expectNotDecided();
            reportBy(AUTHORITY, who[i], accountOf(who[i]));
        }
    }

    function test_report_GivenThePartyIsAnAuthorityOrSupervisorAndTwoDecided() public {
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
        assertSpeaks(vm.addr(SUBJECT_KEY), SUBJECT);
    }

    function test_report_WhenOneOfficerReports() public {
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
        assertSpeaks(fresh(), THIRD_OFFICER);
    }

    /// Reporting an unproven key does not change the number of keys that may act.
    function test_report_WhenTheKeyIsUnproven() public {
        decide(change(ISSUER, STRANGER, address(0), ""));
        reportBy(ISSUER, ISSUER, STRANGER);
        assertTrue(!registry.isSilent(ISSUER), "the other key speaks");
        changeOwn(ISSUER, change(ISSUER, address(0), STRANGER, ""));
        assertTrue(!registry.isSilent(ISSUER), "the other key speaks");
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
        Acts.Frame[5] memory frames;
        for (uint256 i = 0; i < frames.length; ++i) {
            frames[i] = frame(Acts.REPORT, by_);
        }
        frames[0].tag = Acts.KEY;
        frames[1].origin = bytes32(uint256(origin) ^ 1);
        frames[2].chain += 1;
        frames[3].place = address(forwarder);
        frames[4].account = accountOf(SUBJECT);
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

    function test_dateCompromise_GivenTheCallIsNotDecided() public {
        for (uint32 no = 1; no <= PARTIES; ++no) {
            expectNotDecided();
            by(PartyNo.wrap(no));
            registry.dateCompromise(SUBJECT, accountOf(SUBJECT), START);
        }
    }

    function test_dateCompromise_WhenTheAccountIsAnotherPartys() public {
        bytes memory call = _date(SUBJECT, accountOf(ISSUER), START);
        uint32 no = _ready(call);
        expectNotBound(SUBJECT, accountOf(ISSUER));
        carryOut(no, call);
    }

    function test_dateCompromise_WhenTheTimeIsZeroOrInTheFuture() public {
        uint40[2] memory times = [0, START + 2 * DELAY + 1];
        for (uint40 i = 0; i < times.length; ++i) {
            bytes memory call = _date(SUBJECT, accountOf(SUBJECT), times[i]);
            uint32 no = _ready(call);
            expectReverting(IPartyKeys.PartyCompromiseTime.selector, times[i], START + (i + 1) * DELAY);
            carryOut(no, call);
        }
    }

    function testFuzz_dateCompromise_GivenAnEarlierOrEqualTimeIsKnown(uint40 known, uint40 later) public {
        known = uint40(bound(known, 1, START));
        later = uint40(bound(later, known, type(uint40).max));
        decide(_date(SUBJECT, accountOf(SUBJECT), known));
        bytes memory call = _date(SUBJECT, accountOf(SUBJECT), later);
        uint32 no = _ready(call);
        expectReverting(IPartyKeys.PartyCompromiseTime.selector, later, known - 1);
        carryOut(no, call);
        assertEq(registry.accountOf(accountOf(SUBJECT)).compromisedAt, known);
    }

    function testFuzz_dateCompromise_GivenALaterTimeIsKnown(uint40 known, uint40 earlier) public {
        known = uint40(bound(known, 2, START));
        earlier = uint40(bound(earlier, 1, known - 1));
        decide(_date(SUBJECT, accountOf(SUBJECT), known));
        decide(_date(SUBJECT, accountOf(SUBJECT), earlier));
        assertEq(registry.accountOf(accountOf(SUBJECT)).compromisedAt, earlier);
        assertEq(registry.accountOf(accountOf(SUBJECT)).reportedAt, START + DELAY);
    }

    function test_dateCompromise_GivenTheKeyIsLive() public {
        bytes memory call = _date(SUBJECT, accountOf(SUBJECT), START - 9);
        uint32 no = _ready(call);
        expectEvent();
        emit IPartyKeys.AccountReported(SUBJECT, accountOf(SUBJECT), START + DELAY, AUTHORITY);
        expectEvent();
        emit IPartyKeys.AccountCompromised(SUBJECT, accountOf(SUBJECT), START - 9, START + DELAY, AUTHORITY);
        carryOut(no, call);
        IPartyRecord.Account memory key = registry.accountOf(accountOf(SUBJECT));
        assertEq(key.reportedAt, START + DELAY);
        assertEq(key.compromisedAt, START - 9);
        assertEq(key.validTo, 0);
    }

    function test_dateCompromise_GivenTheKeyIsReported() public {
        reportBy(SUBJECT, SUBJECT, accountOf(SUBJECT));
        decide(_date(SUBJECT, accountOf(SUBJECT), START - 9));
        assertEq(registry.accountOf(accountOf(SUBJECT)).reportedAt, START);
        assertEq(registry.accountOf(accountOf(SUBJECT)).compromisedAt, START - 9);
    }

    function test_dateCompromise_GivenTheKeyIsRetired() public {
        changeOwn(SUBJECT, change(SUBJECT, address(0), accountOf(SUBJECT), ""));
        decide(_date(SUBJECT, accountOf(SUBJECT), START - 9));
        IPartyRecord.Account memory key = registry.accountOf(accountOf(SUBJECT));
        assertEq(key.reportedAt, 0);
        assertEq(key.validTo, START + DELAY);
        assertEq(key.compromisedAt, START - 9);
    }

    function test_dateCompromise_WhenTooFewOfficersAreLeft() public {
        bytes memory call = _date(THIRD_OFFICER, accountOf(THIRD_OFFICER), START);
        uint32 no = _ready(call);
        expectTooFew();
        carryOut(no, call);
    }

    /// A party is silent after it had no speaking key for the whole delay, in seconds UTC, and until it has one again.
    function testFuzz_isSilent_GivenNoKeyMayActForTheParty(uint40 wait) public {
        wait = uint40(bound(wait, 0, 2 * DELAY));
        bytes memory call = recovery(ISSUER, accountOf(ISSUER));
        uint32 no = _ready(call);
        reportBy(ISSUER, ISSUER, accountOf(ISSUER));
        decide(change(SUBJECT, STRANGER, address(0), ""));
        vm.warp(START + DELAY + wait);
        pauseBy(SUPERVISOR);
        assertTrue(registry.isSilent(ISSUER) == (wait >= DELAY), "silent for the delay, whether paused or not");
        pass(PAUSE);
        carryOut(no, call);
        assertTrue(!registry.isSilent(ISSUER), "a key speaks again");
    }

    /// A closed party is silent although it has proven keys; binding another key does not change that.
    function test_isSilent_GivenThePartyIsClosed() public {
        setStatus(ISSUER, PartyStatus.Closed);
        assertTrue(!registry.isSilent(ISSUER), "not for the delay");
        pass(DELAY - 1);
        assertTrue(!registry.isSilent(ISSUER), "not for the delay");
        pass(1);
        assertTrue(registry.isSilent(ISSUER), "for the delay");
        changeOwn(ISSUER, change(ISSUER, fresh(), address(0), proofOf(FRESH_KEY, ISSUER)));
        assertTrue(registry.isSilent(ISSUER), "a closed party stays silent");
    }

    function testFuzz_isSilent_GivenThePartyIsUnknown(uint32 no) public view {
        vm.assume(no == 0 || no > PARTIES);
        assertTrue(!registry.isSilent(PartyNo.wrap(no)), "nobody fell silent");
    }

    function changeBack() private {
        bytes memory call = change(THIRD_OFFICER, fresh(), STRANGER, proofOf(FRESH_KEY, THIRD_OFFICER));
        uint32 no = confirmed(call);
        pass(DELAY);
        carryOut(no, call);
    }

    /// Proposes a party's change of its own keys, and waits until it is ready.
    function _expectOwn(PartyNo who, bytes memory call) private {
        proposeBy(who, call);
        pass(DELAY);
    }

    function _ready(bytes memory call) private returns (uint32 no) {
        no = confirmed(call);
        pass(DELAY);
    }

    function _date(PartyNo no, address account, uint40 at) private pure returns (bytes memory) {
        return abi.encodeCall(IPartyKeys.dateCompromise, (no, account, at));
    }

    function _expectProofInvalid(bytes memory proof) private {
        bytes memory call = change(SUBJECT, fresh(), address(0), proof);
        uint32 no = proposeBy(SUBJECT, call);
        pass(DELAY);
        expectReverting(IPartyKeys.PartyProofInvalid.selector, uint160(fresh()));
        carryOut(no, call);
    }

    function _expectReportInvalid(address by_, bytes memory signature) private {
        expectReverting(IProposals.PartySignatureInvalid.selector, uint160(by_));
        registry.reportFor(by_, SUBJECT, accountOf(SUBJECT), signature);
    }
}
