// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyKeys} from "../../../../contracts/interfaces/IPartyKeys.sol";
import {IProposals} from "../../../../contracts/interfaces/IProposals.sol";
import {PartyNo, ProposalState, Roles} from "../../../../contracts/Types.sol";
import {Acts, Keys} from "../../Acts.sol";
import {AttackWorld} from "./AttackWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests attacks that try to replace a party's key, or to bind a key to the wrong party; see KeyAttacks.tree.
contract KeyAttacksTest is AttackWorld {
    function test_attack_TheOwnerVetoesARecoveryThatOfficersForged() public {
        bytes memory call = recovery(SUBJECT, accountOf(SUBJECT));
        // One officer alone cannot bind a key, because a second party must confirm.
        uint32 no = proposeBy(AUTHORITY, call);
        pass(DELAY);
        expectReverting(IProposals.PartyNotConfirmed.selector, no);
        carryOut(no, call);
        // Two officers first report every key of the party.
        confirmBy(SECOND_OFFICER, no, call);
        reportBy(THIRD_OFFICER, SUBJECT, accountOf(SUBJECT));
        reportBy(THIRD_OFFICER, SUBJECT, vm.addr(SUBJECT_KEY));
        reportBy(THIRD_OFFICER, SUBJECT, Keys.p256Account(SUBJECT_P256));
        // The owner stops the officers with a veto. Even a reported key can sign the veto, and anybody can send the
        // signature.
        bytes32 hash = Acts.veto(frame(Acts.VETO, Keys.p256Account(SUBJECT_P256)), no);
        registry.vetoFor(Keys.p256Account(SUBJECT_P256), no, Keys.p256(SUBJECT_P256, hash));
        expectNotPending(no, ProposalState.Vetoed);
        carryOut(no, call);
        assertUnbound(fresh());
        pass(DELAY);
        assertTrue(registry.isSilent(SUBJECT), "a party without a key that may act is silent");
    }

    /// The thief has one of the subject's keys, and tries to replace the owner's key by a key of the thief.
    function test_attack_AThiefCannotReplaceTheOwnersKey() public {
        address stolen = vm.addr(SUBJECT_KEY);
        bytes memory call = change(SUBJECT, fresh(), accountOf(SUBJECT), proofOf(FRESH_KEY, SUBJECT));
        uint32 no = proposeAs(stolen, call);
        vetoBy(accountOf(SUBJECT), no);
        pass(DELAY);
        expectNotPending(no, ProposalState.Vetoed);
        carryOut(no, call);
        // After the stolen key is reported, the thief's next proposal fails.
        no = proposeAs(stolen, call);
        reportBy(SUBJECT, SUBJECT, stolen);
        pass(DELAY);
        expectReported(stolen, time() - DELAY);
        carryOut(no, call);
        expectReported(stolen, time() - DELAY);
        proposeAs(stolen, call);
        assertMayAct(accountOf(SUBJECT), SUBJECT);
        assertUnbound(fresh());
    }

    /// The thief has a copy of the owner's only key, and vetoes the recovery of the party. The party then has no key
    /// that may act, and registers again under another id.
    function test_attack_APartyWhoseRecoveryAThiefVetoesCanRegisterAgain() public {
        reportBy(ISSUER, ISSUER, accountOf(ISSUER));
        bytes memory call = recovery(ISSUER, accountOf(ISSUER));
        uint32 no = confirmed(call);
        vetoBy(accountOf(ISSUER), no);
        pass(DELAY);
        expectNotPending(no, ProposalState.Vetoed);
        carryOut(no, call);
        expectReported(accountOf(ISSUER), START);
        by(ISSUER);
        log.anchor(0, 1, "root");
        registerBy(AUTHORITY, ADMIN, registration("a new id", FRESHER_KEY, Roles.PROVIDER));
        assertMayAct(fresher(), NEW);
    }

    /// The thief reports the owner's keys first, but a reported key can still report the stolen key.
    function test_attack_AReportedKeyCanStillReportTheStolenKey() public {
        (address stolen, address phone) = (vm.addr(SUBJECT_KEY), Keys.p256Account(SUBJECT_P256));
        vm.prank(stolen);
        registry.report(SUBJECT, accountOf(SUBJECT));
        vm.prank(stolen);
        registry.report(SUBJECT, phone);
        reportBy(SUBJECT, SUBJECT, stolen);
        expectReported(stolen, START);
        registry.actor(stolen, Roles.ALL);
    }

    /// A thief copies the proof from another party's pending recovery. The proof is valid only for that other party,
    /// and without a valid proof no party can bind the key to itself.
    function test_attack_APartyCannotBindTheKeyOfAnotherParty() public {
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
        assertMayAct(fresh(), SUBJECT);
    }

    /// The proof of a first key contains the party number 0, so an existing party cannot use the proof to bind the key.
    function test_attack_AnExistingPartyCannotBindTheFirstKeyOfANewParty() public {
        bytes memory copied = change(PROVIDER, fresh(), address(0), proofOf(FRESH_KEY));
        uint32 squat = proposeBy(PROVIDER, copied);
        pass(DELAY);
        expectReverting(IPartyKeys.PartyProofInvalid.selector, uint160(fresh()));
        carryOut(squat, copied);
    }

    /// If a key could be proposed for a party number that is not used yet, the future party could not veto the key.
    function test_attack_NobodyCanProposeAKeyForAPartyThatDoesNotExist() public {
        bytes memory call = change(NEW, fresh(), address(0), proofOf(FRESH_KEY, NEW));
        expectUnknown(NEW);
        proposeBy(AUTHORITY, call);
    }

    /// If the registry's address could be bound to a party, the calls that the registry makes to other contracts would
    /// count as acts of that party.
    function test_attack_NoPartyCanBindTheRegistryAsItsAccount() public {
        bytes memory call = change(SUBJECT, address(registry), address(0), "");
        uint32 no = decided(call);
        expectTaken(address(registry), PartyNo.wrap(0));
        carryOut(no, call);
    }
}
