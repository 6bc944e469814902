// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyKeys} from "../../../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRecord} from "../../../../contracts/interfaces/IPartyRecord.sol";
import {PartyNo, PartyStatus, Roles} from "../../../../contracts/Types.sol";
import {Acts, Keys} from "../../Acts.sol";
import {PartyWorld} from "../PartyWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests the binding, replacing and retiring of keys; see PartyChangeKey.tree.
contract PartyChangeKeyTest is PartyWorld {
    function test_changeKey_GivenNoApprovedProposal() public {
        bytes memory proof = proofOf(FRESH_KEY);
        for (uint32 no = 1; no <= PARTIES; ++no) {
            expectNotDecided();
            by(PartyNo.wrap(no));
            registry.changeKey(SUBJECT, fresh(), address(0), proof);
        }
    }

    function test_changeKey_WhenTheCallNamesNoAccount() public {
        _proposeOwn(SUBJECT, change(SUBJECT, address(0), address(0), ""));
        expectZero();
        carryOut(1, change(SUBJECT, address(0), address(0), ""));
    }

    function test_changeKey_WhenTheProofIsForAnotherMessageOrKey() public {
        Acts.Frame[5] memory frames = otherFrames(Acts.KEY, fresh(), Acts.VETO, fresher());
        for (uint256 i = 0; i < frames.length; ++i) {
            _expectProofInvalid(Keys.secp256k1(FRESH_KEY, Acts.key(frames[i], SUBJECT)));
        }
        _expectProofInvalid(proofOf(FRESHER_KEY, SUBJECT));
        // These two proofs are correct signatures, but the first is for another party, and the second is for the first
        // key of a new party.
        _expectProofInvalid(proofOf(FRESH_KEY, ISSUER));
        _expectProofInvalid(proofOf(FRESH_KEY));
        _expectProofInvalid(hex"00");
    }

    function test_changeKey_WhenTheNewAccountIsAlreadyBound() public {
        bytes memory call = change(SUBJECT, accountOf(ISSUER), address(0), "");
        decided(call);
        expectTaken(accountOf(ISSUER), ISSUER);
        carryOut(1, call);
        call = change(SUBJECT, accountOf(SUBJECT), accountOf(SUBJECT), "");
        decided(call);
        expectTaken(accountOf(SUBJECT), SUBJECT);
        carryOut(2, call);
    }

    function test_changeKey_WhenTheNewAccountWasRetired() public {
        changeOwn(SUBJECT, change(SUBJECT, fresh(), accountOf(SUBJECT), proofOf(FRESH_KEY, SUBJECT)));
        bytes memory call = change(ISSUER, accountOf(SUBJECT), address(0), "");
        decided(call);
        expectTaken(accountOf(SUBJECT), SUBJECT);
        carryOut(2, call);
    }

    function test_changeKey_WhenTheOldAccountIsNotALiveAccountOfTheParty() public {
        address[2] memory old = [accountOf(ISSUER), STRANGER];
        for (uint32 i = 0; i < old.length; ++i) {
            bytes memory call = change(SUBJECT, fresh(), old[i], proofOf(FRESH_KEY, SUBJECT));
            _proposeOwn(SUBJECT, call);
            expectNotBound(SUBJECT, old[i]);
            carryOut(i + 1, call);
        }
        changeOwn(SUBJECT, change(SUBJECT, address(0), vm.addr(SUBJECT_KEY), ""));
        bytes memory again = change(SUBJECT, fresh(), vm.addr(SUBJECT_KEY), proofOf(FRESH_KEY, SUBJECT));
        _proposeOwn(SUBJECT, again);
        expectNotBound(SUBJECT, vm.addr(SUBJECT_KEY));
        carryOut(4, again);
    }

    function test_changeKey_WhenNoKeyIsLeft() public {
        bytes memory call = change(ISSUER, address(0), accountOf(ISSUER), "");
        _proposeOwn(ISSUER, call);
        expectReverting(IPartyKeys.PartyLastKey.selector, uint160(accountOf(ISSUER)));
        carryOut(1, call);
    }

    /// A reported key and an unproven key may not act, so the last key that may act cannot be retired.
    function test_changeKey_WhenNoKeyIsLeftThatMayActForTheParty() public {
        reportBy(SUBJECT, SUBJECT, vm.addr(SUBJECT_KEY));
        reportBy(SUBJECT, SUBJECT, Keys.p256Account(SUBJECT_P256));
        decide(change(SUBJECT, STRANGER, address(0), ""));
        bytes memory call = change(SUBJECT, address(0), accountOf(SUBJECT), "");
        _proposeOwn(SUBJECT, call);
        expectReverting(IPartyKeys.PartyLastKey.selector, uint160(accountOf(SUBJECT)));
        carryOut(2, call);
    }

    function test_changeKey_GivenTheLedgerIsPaused() public {
        bytes memory call = recovery(SUBJECT, accountOf(SUBJECT));
        uint32 no = decided(call);
        pauseBy(SUPERVISOR);
        expectPaused(time() + PAUSE);
        carryOut(no, call);
        pass(PAUSE);
        carryOut(no, call);
        assertMayAct(fresh(), SUBJECT);
    }

    function test_changeKey_WhenAPartyBindsAFurtherKey() public {
        bytes memory call = change(ISSUER, fresh(), address(0), proofOf(FRESH_KEY, ISSUER));
        _proposeOwn(ISSUER, call);
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
        assertTrue(key.proven, "a key with a proof is proven");
        assertMayAct(fresh(), ISSUER);
        assertMayAct(accountOf(ISSUER), ISSUER);
    }

    function test_changeKey_WhenAPartyBindsAP256Key() public {
        address account = Keys.p256Account(FRESH_KEY);
        changeOwn(ISSUER, change(ISSUER, account, address(0), p256ProofOf(FRESH_KEY, ISSUER)));
        assertMayAct(account, ISSUER);
    }

    /// The chain cannot check signatures of an SM2 key. Two officers can bind such a key; it is then live and can veto,
    /// but may not act.
    function test_changeKey_WhenTwoOfficersBindAKeyWithoutAProof() public {
        bytes memory call = change(ISSUER, STRANGER, address(0), "");
        decided(call);
        expectEvent();
        emit IPartyRecord.AccountBound(ISSUER, STRANGER, false, 1, START + DELAY, AUTHORITY);
        carryOut(1, call);
        assertTrue(!registry.accountOf(STRANGER).proven, "a key without a proof is not proven");
        expectUnknownAccount(STRANGER);
        registry.actor(STRANGER, Roles.ALL);
        uint32 no = proposeBy(ISSUER, change(ISSUER, fresh(), accountOf(ISSUER), proofOf(FRESH_KEY, ISSUER)));
        vetoBy(STRANGER, no);
    }

    /// When a call is proposed, the contract sees only from the length of the call that the proof is missing. So a call
    /// with an empty proof and an extra byte can be proposed, but the call is refused when it is carried out.
    function test_changeKey_WhenAPartyBindsAKeyToItselfWithoutAProof() public {
        bytes memory call = change(ISSUER, STRANGER, address(0), "");
        expectReverting(IPartyKeys.PartyProofMissing.selector, uint160(STRANGER));
        proposeBy(ISSUER, call);
        call = bytes.concat(call, bytes1(0));
        _proposeOwn(ISSUER, call);
        expectReverting(IPartyKeys.PartyProofMissing.selector, uint160(STRANGER));
        carryOut(1, call);
        assertUnbound(STRANGER);
    }

    function test_changeKey_ItMarksTheKeysThatCanSendTransactions() public {
        changeOwn(ISSUER, change(ISSUER, fresh(), address(0), proofOf(FRESH_KEY, ISSUER)));
        address phone = Keys.p256Account(FRESH_KEY);
        changeOwn(ISSUER, change(ISSUER, phone, address(0), p256ProofOf(FRESH_KEY, ISSUER)));
        decide(change(ISSUER, STRANGER, address(0), ""));
        assertTrue(registry.accountOf(fresh()).acts, "a proven secp256k1 key can send transactions");
        assertTrue(!registry.accountOf(phone).acts, "a P-256 key cannot send transactions");
        assertTrue(!registry.accountOf(STRANGER).acts, "an unproven key cannot send transactions");
        // Of a founding party's keys, only the first one counts as a key that can send transactions.
        assertTrue(registry.accountOf(accountOf(SUBJECT)).acts, "a founding party's first key can send transactions");
        assertTrue(!registry.accountOf(vm.addr(SUBJECT_KEY)).acts, "a founding party's further key cannot send transactions");
    }

    function test_changeKey_WhenAPartyReplacesItsKey() public {
        bytes memory call = change(ISSUER, fresh(), accountOf(ISSUER), proofOf(FRESH_KEY, ISSUER));
        _proposeOwn(ISSUER, call);
        expectEvent();
        emit IPartyKeys.AccountRetired(ISSUER, accountOf(ISSUER), 1, START + DELAY, ISSUER);
        expectEvent();
        emit IPartyRecord.AccountBound(ISSUER, fresh(), true, 1, START + DELAY, ISSUER);
        carryOut(1, call);
        assertEq(registry.accountOf(accountOf(ISSUER)).validTo, START + DELAY);
        assertMayAct(fresh(), ISSUER);
        expectUnknownAccount(accountOf(ISSUER));
        registry.actor(accountOf(ISSUER), Roles.ALL);
    }

    function test_changeKey_WhenAPartyRetiresAKey() public {
        bytes memory call = change(SUBJECT, address(0), vm.addr(SUBJECT_KEY), "");
        _proposeOwn(SUBJECT, call);
        expectEvent();
        emit IPartyKeys.AccountRetired(SUBJECT, vm.addr(SUBJECT_KEY), 1, START + DELAY, SUBJECT);
        carryOut(1, call);
        expectUnknownAccount(vm.addr(SUBJECT_KEY));
        registry.actor(vm.addr(SUBJECT_KEY), Roles.ALL);
        assertMayAct(accountOf(SUBJECT), SUBJECT);
    }

    function test_changeKey_WhenTwoOfficersRecoverAParty() public {
        reportBy(ISSUER, ISSUER, accountOf(ISSUER));
        bytes memory call = recovery(ISSUER, accountOf(ISSUER));
        uint32 no = decided(call);
        assertTrue(registry.isSilent(ISSUER), "no key could act for the whole delay");
        expectEvent();
        emit IPartyKeys.AccountRetired(ISSUER, accountOf(ISSUER), no, START + DELAY, AUTHORITY);
        expectEvent();
        emit IPartyRecord.AccountBound(ISSUER, fresh(), true, no, START + DELAY, AUTHORITY);
        carryOut(no, call);
        assertMayAct(fresh(), ISSUER);
        assertTrue(!registry.isSilent(ISSUER), "a key may act again");
        assertEq(registry.accountOf(accountOf(ISSUER)).reportedAt, START);
    }

    function test_changeKey_WhenThePartyIsNotActive() public {
        setStatus(ISSUER, PartyStatus.Sanctioned);
        changeOwn(ISSUER, change(ISSUER, fresh(), accountOf(ISSUER), proofOf(FRESH_KEY, ISSUER)));
        assertEq(registry.accountOf(fresh()).no, ISSUER);
    }

    function test_changeKey_WhenAnOfficerIsLeftWithoutAKeyThatMayAct() public {
        bytes memory call = change(THIRD_OFFICER, STRANGER, accountOf(THIRD_OFFICER), "");
        uint32 no = decided(call);
        expectTooFew();
        carryOut(no, call);
        setRoles(SUBJECT, Roles.AUTHORITY);
        carryOut(no, call);
        assertEq(registry.officers(), 3);
        pass(DELAY);
        assertTrue(registry.isSilent(THIRD_OFFICER), "no key may act");
        _proveKey();
        assertEq(registry.officers(), 4);
    }

    /// Replaces the third officer's unproven key by a proven one.
    function _proveKey() private {
        bytes memory call = change(THIRD_OFFICER, fresh(), STRANGER, proofOf(FRESH_KEY, THIRD_OFFICER));
        uint32 no = decided(call);
        carryOut(no, call);
    }

    /// Lets a party propose a change of its own keys, and waits until the proposal is ready.
    function _proposeOwn(PartyNo who, bytes memory call) private {
        proposeBy(who, call);
        pass(DELAY);
    }

    function _expectProofInvalid(bytes memory proof) private {
        bytes memory call = change(SUBJECT, fresh(), address(0), proof);
        uint32 no = proposeBy(SUBJECT, call);
        pass(DELAY);
        expectReverting(IPartyKeys.PartyProofInvalid.selector, uint160(fresh()));
        carryOut(no, call);
    }
}
