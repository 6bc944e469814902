// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {AssetRegistry} from "../../../contracts/AssetRegistry.sol";
import {IAssetRecord} from "../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetTransfers} from "../../../contracts/interfaces/IAssetTransfers.sol";
import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {IPartyKeys} from "../../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRecord} from "../../../contracts/interfaces/IPartyRecord.sol";
import {IPartyRegistry} from "../../../contracts/interfaces/IPartyRegistry.sol";
import {IPauses} from "../../../contracts/interfaces/IPauses.sol";
import {IProposals} from "../../../contracts/interfaces/IProposals.sol";
import {
    AssetId,
    AssetState,
    NOBODY,
    PartyNo,
    PartyStatus,
    ProposalKind,
    ProposalState,
    Reason,
    Roles,
    ScenarioCode
} from "../../../contracts/Types.sol";
import {Acts, Keys} from "../Acts.sol";
import {PartyWorld} from "./PartyWorld.sol";
import {vm} from "../Vm.sol";

/// A contract that tries to carry out a proposal while the registry carries out another one.
contract Nesting {
    function nest(IProposals registry, uint32 no, address target, bytes calldata call) external {
        registry.carryOut(no, target, call);
    }

    function fail() external pure {
        assembly {
            revert(0, 0)
        }
    }
}

/// Tests proposals: propose, confirm, carry out, cancel, veto; see Proposals.tree.
contract PartyProposalsTest is PartyWorld {
    uint32 private constant REGISTERS = Roles.AUTHORITY | Roles.ADMIN;
    AssetId private constant ASSET = AssetId.wrap("asset");

    function test_propose_GivenTheCallerIsNotAnAuthority() public {
        bytes memory call = recovery(PROVIDER, accountOf(PROVIDER));
        for (uint32 no = 2; no <= 8; ++no) {
            if (PartyNo.wrap(no) == PROVIDER) continue;
            expectLacksRole(PartyNo.wrap(no), Roles.AUTHORITY);
            proposeBy(PartyNo.wrap(no), call);
        }
        expectUnknownAccount(STRANGER);
        proposeAs(STRANGER, call);
    }

    function test_propose_WhenThePartyIsTheCallersOwn() public {
        bytes[5] memory calls = _concerning(AUTHORITY);
        for (uint256 i = 1; i < calls.length; ++i) {
            expectSelfGrant(AUTHORITY);
            proposeBy(AUTHORITY, calls[i]);
        }
    }

    function test_propose_WhenThePartyIsUnknown() public {
        bytes[5] memory calls = _concerning(NEW);
        for (uint256 i = 0; i < calls.length; ++i) {
            expectUnknown(NEW);
            proposeBy(AUTHORITY, calls[i]);
        }
    }

    function test_propose_WhenTheCallCannotBeProposed() public {
        bytes[8] memory calls = [
            registration("id", FRESH_KEY, 0),
            abi.encodeCall(IPauses.pause, ()),
            abi.encodeCall(IProposals.veto, (1)),
            abi.encodeCall(IProposals.proposeRegistration, (0)),
            abi.encodeCall(IProposals.propose, (address(registry), "")),
            abi.encodeWithSelector(bytes4("else")),
            bytes(""),
            hex"010203"
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            expectNotProposable(bytes4(calls[i]));
            proposeBy(AUTHORITY, calls[i]);
        }
    }

    function test_propose_WhenOfficersRetireAKeyWithoutANewOne() public {
        bytes memory call = change(SUBJECT, address(0), accountOf(SUBJECT), "");
        expectZero();
        proposeBy(AUTHORITY, call);
    }

    function test_propose_WhenItConcernsAParty() public {
        bytes[5] memory calls = _concerning(ISSUER);
        for (uint32 i = 0; i < calls.length; ++i) {
            uint40 ready = START + DELAY;
            bytes32 act = sha256(abi.encode(address(registry), calls[i]));
            expectEvent();
            emit IProposals.Proposed(
                i + 1, act, Roles.AUTHORITY, ISSUER, ready, START, AUTHORITY, address(registry), calls[i]
            );
            assertEq(proposeBy(AUTHORITY, calls[i]), i + 1);
            IProposals.Proposal memory found = registry.proposalOf(i + 1);
            assertEq(found.act, act);
            assertEq(found.proposer, accountOf(AUTHORITY));
            assertEq(found.at, START);
            assertEq(found.ready, ready);
            assertEq(uint256(found.state), uint256(ProposalState.Pending));
            assertKind(found.kind, i == 0 ? ProposalKind.Key : ProposalKind.Waits);
            assertEq(found.confirmer, address(0));
            assertEq(found.by, AUTHORITY);
            assertEq(found.concerned, ISSUER);
            assertEq(found.role, Roles.AUTHORITY);
            assertEq(found.confirmedBy, NOBODY);
        }
        assertEq(registry.proposals(), calls.length);
    }

    function test_propose_WhenAPartyChangesItsOwnKeys() public {
        bytes memory call = change(SUBJECT, fresh(), address(0), proofOf(FRESH_KEY, SUBJECT));
        uint32 no = proposeAs(vm.addr(SUBJECT_KEY), call);
        IProposals.Proposal memory found = registry.proposalOf(no);
        assertEq(found.role, 0);
        assertEq(found.by, SUBJECT);
        assertEq(found.concerned, SUBJECT);
        assertEq(found.ready, START + DELAY);
        assertKind(found.kind, ProposalKind.Key);
        // The same applies to an officer's own keys.
        no = proposeBy(AUTHORITY, change(AUTHORITY, fresh(), accountOf(AUTHORITY), proofOf(FRESH_KEY, AUTHORITY)));
        assertEq(registry.proposalOf(no).role, 0);
    }

    function test_propose_WhenAPartyThatIsNotActiveChangesItsOwnKeys() public {
        PartyStatus[3] memory statuses = [PartyStatus.Suspended, PartyStatus.Sanctioned, PartyStatus.Closed];
        for (uint256 i = 0; i < statuses.length; ++i) {
            setStatus(ISSUER, statuses[i]);
            uint32 no = proposeBy(ISSUER, change(ISSUER, fresh(), accountOf(ISSUER), proofOf(FRESH_KEY, ISSUER)));
            assertEq(registry.proposalOf(no).by, ISSUER);
        }
    }

    function test_propose_GivenTheKeyMayNotActForItsParty() public {
        bytes memory call = change(SUBJECT, fresh(), address(0), proofOf(FRESH_KEY, SUBJECT));
        reportBy(SUBJECT, SUBJECT, accountOf(SUBJECT));
        expectReported(accountOf(SUBJECT), START);
        proposeBy(SUBJECT, call);
        decide(change(ISSUER, STRANGER, address(0), ""));
        call = change(ISSUER, fresh(), address(0), proofOf(FRESH_KEY, ISSUER));
        expectUnknownAccount(STRANGER);
        proposeAs(STRANGER, call);
    }

    function test_propose_WhenItEndsAPause() public {
        uint32 no = proposeBy(AUTHORITY, abi.encodeCall(IPauses.endPause, ()));
        assertEq(registry.proposalOf(no).ready, START);
        assertEq(registry.proposalOf(no).concerned, NOBODY);
        assertEq(registry.proposalOf(no).role, Roles.AUTHORITY);
    }

    function test_propose_WhenTheTargetIsAnotherContract() public {
        bytes memory call = abi.encodeCall(IAssetTransfers.freeze, (ASSET, Reason.Court));
        expectLacksRole(SUPERVISOR, Roles.AUTHORITY);
        by(SUPERVISOR);
        registry.propose(STRANGER, call);
        by(AUTHORITY);
        uint32 no = registry.propose(STRANGER, call);
        assertEq(registry.proposalOf(no).ready, START + DELAY);
        assertEq(registry.proposalOf(no).concerned, NOBODY);
        // A selector of this registry has no meaning for another contract.
        by(AUTHORITY);
        no = registry.propose(STRANGER, change(AUTHORITY, fresh(), address(0), ""));
        assertKind(registry.proposalOf(no).kind, ProposalKind.Waits);
        assertEq(registry.proposalOf(no).role, Roles.AUTHORITY);
    }

    function test_proposeRegistration_GivenTheCallerIsNeitherAuthorityNorAdmin() public {
        for (uint32 no = 3; no <= 8; ++no) {
            expectLacksRole(PartyNo.wrap(no), REGISTERS);
            by(PartyNo.wrap(no));
            registry.proposeRegistration("act");
        }
    }

    function test_proposeRegistration_WhenTheCallIsValid() public {
        bytes32 act = "act";
        expectEvent();
        emit IProposals.Proposed(1, act, REGISTERS, NOBODY, START, START, ADMIN, address(0), "");
        by(ADMIN);
        assertEq(registry.proposeRegistration(act), 1);
        IProposals.Proposal memory found = registry.proposalOf(1);
        assertEq(found.act, act);
        assertEq(found.role, REGISTERS);
        assertEq(found.by, ADMIN);
        assertEq(found.concerned, NOBODY);
        assertEq(found.ready, START);
        assertKind(found.kind, ProposalKind.Quick);
    }

    function test_confirm_GivenThereIsNoSuchProposal() public {
        expectNotPending(1, ProposalState.None);
        confirmBy(AUTHORITY, 1, "");
    }

    function test_confirm_GivenTheCallerLacksTheRole() public {
        bytes memory call = recovery(PROVIDER, accountOf(PROVIDER));
        uint32 no = proposeBy(AUTHORITY, call);
        for (uint32 who = 2; who <= 8; ++who) {
            expectLacksRole(PartyNo.wrap(who), Roles.AUTHORITY);
            confirmBy(PartyNo.wrap(who), no, call);
        }
    }

    function test_confirm_WhenTheConfirmerIsConcerned() public {
        bytes memory call = setRolesCall(SECOND_OFFICER, Roles.ALL);
        uint32 no = proposeBy(AUTHORITY, call);
        expectSelfGrant(SECOND_OFFICER);
        confirmBy(SECOND_OFFICER, no, call);
    }

    function test_confirm_WhenAPartyChangesItsOwnKeys() public {
        bytes memory call = change(SUBJECT, fresh(), address(0), proofOf(FRESH_KEY, SUBJECT));
        uint32 no = proposeBy(SUBJECT, call);
        expectLacksRole(AUTHORITY, 0);
        confirmBy(AUTHORITY, no, call);
    }

    function test_confirm_WhenTheCallDiffers() public {
        uint32 no = proposeBy(AUTHORITY, setRolesCall(ISSUER, Roles.ISSUER));
        expectReverting(IProposals.PartyActDiffers.selector, no);
        confirmBy(SECOND_OFFICER, no, setRolesCall(ISSUER, Roles.ALL));
    }

    function test_confirm_WhenAlreadyConfirmed() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ISSUER);
        uint32 no = confirmed(call);
        expectReverting(IProposals.PartyAlreadyConfirmed.selector, no, PartyNo.unwrap(SECOND_OFFICER));
        confirmBy(THIRD_OFFICER, no, call);
    }

    function test_confirm_WhenTheProposalHasADelay() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ISSUER);
        uint32 no = proposeBy(AUTHORITY, call);
        pass(DELAY + 1);
        expectEvent();
        emit IProposals.Confirmed(no, START + DELAY + 1, SECOND_OFFICER);
        confirmBy(SECOND_OFFICER, no, call);
        assertState(no, ProposalState.Pending);
        assertEq(registry.proposalOf(no).confirmer, accountOf(SECOND_OFFICER));
        assertEq(registry.proposalOf(no).confirmedBy, SECOND_OFFICER);
        carryOut(no, call);
    }

    function test_confirm_WhenTheProposalHasNoDelay() public {
        bytes memory call = registration("id", FRESH_KEY, Roles.SUBJECT);
        uint32 no = proposeListBy(ADMIN, call);
        expectEvent();
        emit IProposals.Confirmed(no, START, AUTHORITY);
        expectEvent();
        emit IProposals.ProposalEnded(no, ProposalState.CarriedOut, address(0), START, ADMIN);
        confirmBy(AUTHORITY, no, call);
        assertState(no, ProposalState.CarriedOut);
        assertEq(registry.count(), PARTIES + 1);
    }

    function test_confirm_WhenTheProposerMayNoLongerAct() public {
        bytes memory call = registration("id", FRESH_KEY, Roles.SUBJECT);
        uint32 no = proposeListBy(ADMIN, call);
        reportBy(AUTHORITY, ADMIN, accountOf(ADMIN));
        expectReported(accountOf(ADMIN), START);
        confirmBy(AUTHORITY, no, call);
    }

    function test_carryOut_GivenThereIsNoSuchProposal() public {
        expectNotPending(1, ProposalState.None);
        carryOut(1, "");
    }

    function testFuzz_carryOut_WhenItIsNotReady(uint40 wait) public {
        wait = uint40(bound(wait, 0, DELAY - 1));
        bytes memory call = setRolesCall(ISSUER, Roles.ALL);
        uint32 no = confirmed(call);
        pass(wait);
        expectNotReady(no, START + DELAY);
        carryOut(no, call);
    }

    function testFuzz_carryOut_WhenItIsReady(uint40 wait) public {
        wait = uint40(bound(wait, DELAY, DELAY + OPEN_FOR));
        bytes memory call = setRolesCall(ISSUER, Roles.ALL);
        uint32 no = confirmed(call);
        pass(wait);
        expectEvent();
        emit IProposals.ProposalEnded(no, ProposalState.CarriedOut, address(0), START + wait, AUTHORITY);
        expectEvent();
        emit IPartyRecord.RolesChanged(ISSUER, Roles.ALL, START + wait, AUTHORITY);
        carryOut(no, call);
        assertState(no, ProposalState.CarriedOut);
    }

    /// During a pause neither the delay nor the time until the expiry passes.
    function test_carryOut_GivenTheLedgerWasPaused() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ALL);
        uint32 no = confirmed(call);
        pass(1 days);
        pauseBy(SUPERVISOR);
        pass(PAUSE);
        assertEq(registry.running(), START + 1 days);
        pass(2 days - 1);
        expectNotReady(no, START + DELAY);
        carryOut(no, call);
        pass(1 + OPEN_FOR);
        carryOut(no, call);
    }

    function test_carryOut_WhenAChangeOfOwnKeysIsReady() public {
        bytes memory call = change(SUBJECT, fresh(), address(0), proofOf(FRESH_KEY, SUBJECT));
        uint32 no = proposeBy(SUBJECT, call);
        pass(DELAY - 1);
        expectNotReady(no, START + DELAY);
        carryOut(no, call);
        pass(1);
        carryOut(no, call);
        assertSpeaks(fresh(), SUBJECT);
    }

    function test_carryOut_WhenTheConfirmersKeyIsReported() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ALL);
        changeOwn(SECOND_OFFICER, change(SECOND_OFFICER, fresh(), address(0), proofOf(FRESH_KEY, SECOND_OFFICER)));
        uint32 no = confirmed(call);
        reportBy(SECOND_OFFICER, SECOND_OFFICER, accountOf(SECOND_OFFICER));
        pass(DELAY);
        expectReported(accountOf(SECOND_OFFICER), START + DELAY);
        carryOut(no, call);
    }

    function test_carryOut_WhenTheCallIsRefused() public {
        AssetRegistry assets = AssetRegistry(deploy("AssetRegistry", abi.encode(forwarder, registry, 0)));
        bytes memory call = abi.encodeCall(IAssetTransfers.freeze, (ASSET, Reason.Court));
        by(AUTHORITY);
        uint32 no = registry.propose(address(assets), call);
        by(SECOND_OFFICER);
        registry.confirm(no, address(assets), call);
        pass(DELAY);
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetWrongState.selector, ASSET, AssetState.None));
        registry.carryOut(no, address(assets), call);
        assertState(no, ProposalState.Pending);
    }

    function test_carryOut_WhenTheTargetIsNoContractOrGivesNoReason() public {
        uint32 no = _decided(STRANGER, "call");
        vm.expectRevert(abi.encodeWithSelector(Address.AddressEmptyCode.selector, STRANGER));
        registry.carryOut(no, STRANGER, "call");
        address target = address(new Nesting());
        bytes memory call = abi.encodeCall(Nesting.fail, ());
        no = _decided(target, call);
        vm.expectRevert(bytes4(keccak256("FailedCall()")));
        registry.carryOut(no, target, call);
    }

    function test_carryOut_WhenAnotherProposalIsBeingCarriedOut() public {
        address target = address(new Nesting());
        bytes memory inner = setRolesCall(ISSUER, Roles.ALL);
        bytes memory outer = abi.encodeCall(Nesting.nest, (registry, 1, address(registry), inner));
        confirmed(inner);
        uint32 no = _decided(target, outer);
        expectReverting(IProposals.PartyNested.selector, no);
        registry.carryOut(no, target, outer);
        carryOut(1, inner);
        assertEq(registry.partyOf(ISSUER).roles, Roles.ALL);
    }

    function test_cancel_GivenTheCallerLacksTheRole() public {
        uint32 no = confirmed(setRolesCall(ISSUER, Roles.ALL));
        for (uint32 who = 2; who <= 8; ++who) {
            expectLacksRole(PartyNo.wrap(who), Roles.AUTHORITY);
            by(PartyNo.wrap(who));
            registry.cancel(no);
        }
    }

    function test_cancel_WhenAPartyChangesItsOwnKeys() public {
        uint32 no = proposeBy(SUBJECT, change(SUBJECT, fresh(), address(0), proofOf(FRESH_KEY, SUBJECT)));
        PartyNo[2] memory who = [AUTHORITY, SUBJECT];
        for (uint256 i = 0; i < who.length; ++i) {
            expectNotCancellable(no);
            by(who[i]);
            registry.cancel(no);
        }
    }

    function test_cancel_WhenTheCallIsValid() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ALL);
        uint32 no = confirmed(call);
        pass(5);
        expectEvent();
        emit IProposals.ProposalEnded(no, ProposalState.Cancelled, address(0), START + 5, THIRD_OFFICER);
        by(THIRD_OFFICER);
        registry.cancel(no);
        pass(DELAY);
        expectNotPending(no, ProposalState.Cancelled);
        carryOut(no, call);
        expectNotPending(no, ProposalState.Cancelled);
        by(AUTHORITY);
        registry.cancel(no);
    }

    function test_cancel_WhenTheProposalHasNoDelay() public {
        uint32[3] memory quick = [
            proposeListBy(AUTHORITY, registration("id", FRESH_KEY, Roles.SUBJECT)),
            proposeBy(AUTHORITY, abi.encodeCall(IPauses.endPause, ())),
            _lift(1)
        ];
        for (uint256 i = 0; i < quick.length; ++i) {
            expectNotCancellable(quick[i]);
            by(AUTHORITY);
            registry.cancel(quick[i]);
            expectNotCancellable(quick[i]);
            by(THIRD_OFFICER);
            registry.cancel(quick[i]);
        }
    }

    function test_cancel_WhenTwoOfficersRecoverAParty() public {
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        by(THIRD_OFFICER);
        registry.cancel(no);
        assertState(no, ProposalState.Cancelled);
    }

    function test_cancel_WhenItConcernsTheCaller() public {
        bytes[5] memory calls = _concerning(THIRD_OFFICER);
        for (uint256 i = 0; i < calls.length; ++i) {
            uint32 no = confirmed(calls[i]);
            expectSelfGrant(THIRD_OFFICER);
            by(THIRD_OFFICER);
            registry.cancel(no);
        }
    }

    /// The accused officer cannot cancel until, in running time, the confirmed accusation expires.
    function test_cancel_WhenTheCallerIsAccused() public {
        bytes[4] memory accusing = [
            setRolesCall(THIRD_OFFICER, 0),
            setStatusCall(THIRD_OFFICER, PartyStatus.Suspended),
            abi.encodeCall(IPartyKeys.report, (THIRD_OFFICER, accountOf(THIRD_OFFICER))),
            abi.encodeCall(IPartyKeys.dateCompromise, (THIRD_OFFICER, accountOf(THIRD_OFFICER), START))
        ];
        for (uint256 i = 0; i < accusing.length; ++i) {
            uint40 until = time() + DELAY + OPEN_FOR;
            uint32 accusation = proposeBy(AUTHORITY, accusing[i]);
            uint32 no = proposeBy(AUTHORITY, setRolesCall(ISSUER, Roles.ALL));
            pass(1 days);
            uint32 free = proposeBy(AUTHORITY, setRolesCall(ISSUER, Roles.ALL));
            by(THIRD_OFFICER);
            registry.cancel(free);
            confirmBy(SECOND_OFFICER, accusation, accusing[i]);
            expectAccused(THIRD_OFFICER, until);
            by(THIRD_OFFICER);
            registry.cancel(no);
            vm.warp(until);
            expectAccused(THIRD_OFFICER, until);
            by(THIRD_OFFICER);
            registry.cancel(no);
            pass(1);
            by(THIRD_OFFICER);
            registry.cancel(no);
        }
    }

    /// An earlier accusation that is confirmed later does not shorten the effect of a later one.
    function test_cancel_WhenTheCallerIsAccusedTwice() public {
        bytes memory first = setRolesCall(THIRD_OFFICER, 0);
        uint32 earlier = proposeBy(AUTHORITY, first);
        pass(1 days);
        confirmed(setStatusCall(THIRD_OFFICER, PartyStatus.Suspended));
        confirmBy(SECOND_OFFICER, earlier, first);
        uint32 no = proposeBy(AUTHORITY, setRolesCall(ISSUER, Roles.ALL));
        expectAccused(THIRD_OFFICER, START + 1 days + DELAY + OPEN_FOR);
        by(THIRD_OFFICER);
        registry.cancel(no);
        // Another officer is not accused, so it can cancel.
        by(SECOND_OFFICER);
        registry.cancel(no);
    }

    /// Changes of keys, accreditations and unconfirmed proposals are not accusations.
    function test_cancel_WhenTheCallerIsNotAccused() public {
        confirmed(recovery(THIRD_OFFICER, accountOf(THIRD_OFFICER)));
        confirmed(abi.encodeCall(IPartyRegistry.accredit, (THIRD_OFFICER, ScenarioCode.wrap("S51"), 1, 2)));
        proposeBy(AUTHORITY, setRolesCall(THIRD_OFFICER, 0));
        uint32 no = proposeBy(AUTHORITY, setRolesCall(ISSUER, Roles.ALL));
        by(THIRD_OFFICER);
        registry.cancel(no);
        assertState(no, ProposalState.Cancelled);
    }

    function test_veto_GivenThereIsNoSuchProposal() public {
        expectNotPending(1, ProposalState.None);
        vetoBy(accountOf(SUBJECT), 1);
    }

    function test_veto_WhenItChangesNoKey() public {
        uint32 no = confirmed(setRolesCall(SUBJECT, Roles.ALL));
        expectReverting(IProposals.PartyNotVetoable.selector, no);
        vetoBy(accountOf(SUBJECT), no);
    }

    function test_veto_GivenTheAccountIsAnotherPartys() public {
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        for (uint32 who = 1; who <= PARTIES; ++who) {
            if (PartyNo.wrap(who) == SUBJECT) continue;
            expectNoVeto(no, accountOf(PartyNo.wrap(who)));
            vetoBy(accountOf(PartyNo.wrap(who)), no);
        }
        expectNoVeto(no, STRANGER);
        vetoBy(STRANGER, no);
    }

    function test_veto_GivenTheAccountWasNotLiveAtTheProposal() public {
        changeOwn(SUBJECT, change(SUBJECT, address(0), vm.addr(SUBJECT_KEY), ""));
        uint32 own = proposeBy(SUBJECT, change(SUBJECT, fresher(), address(0), proofOf(FRESHER_KEY, SUBJECT)));
        pass(1);
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        pass(DELAY - 1);
        carryOut(own, change(SUBJECT, fresher(), address(0), proofOf(FRESHER_KEY, SUBJECT)));
        expectNoVeto(no, vm.addr(SUBJECT_KEY));
        vetoBy(vm.addr(SUBJECT_KEY), no);
        expectNoVeto(no, fresher());
        vetoBy(fresher(), no);
        vetoBy(accountOf(SUBJECT), no);
    }

    /// A key that was retired after the proposal can still veto it.
    function test_veto_GivenTheAccountWasRetiredSince() public {
        uint32 own = proposeBy(SUBJECT, change(SUBJECT, address(0), vm.addr(SUBJECT_KEY), ""));
        pass(DELAY);
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        carryOut(own, change(SUBJECT, address(0), vm.addr(SUBJECT_KEY), ""));
        pass(5);
        vetoBy(vm.addr(SUBJECT_KEY), no);
        assertState(no, ProposalState.Vetoed);
    }

    function test_veto_WhenTheCallIsValid() public {
        bytes memory call = recovery(SUBJECT, accountOf(SUBJECT));
        uint32 no = confirmed(call);
        pass(DELAY);
        expectEvent();
        emit IProposals.ProposalEnded(no, ProposalState.Vetoed, accountOf(SUBJECT), START + DELAY, SUBJECT);
        vetoBy(accountOf(SUBJECT), no);
        expectNotPending(no, ProposalState.Vetoed);
        carryOut(no, call);
        expectNotPending(no, ProposalState.Vetoed);
        vetoBy(vm.addr(SUBJECT_KEY), no);
    }

    function test_veto_WhateverTheStatusAndDuringAPause() public {
        setStatus(SUBJECT, PartyStatus.Closed);
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        reportBy(SUBJECT, SUBJECT, accountOf(SUBJECT));
        pauseBy(SUPERVISOR);
        vetoBy(accountOf(SUBJECT), no);
        assertState(no, ProposalState.Vetoed);
    }

    function test_vetoFor_WhenASecp256k1KeySigned() public {
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        address account = vm.addr(SUBJECT_KEY);
        bytes memory signature = Keys.secp256k1(SUBJECT_KEY, Acts.veto(frame(Acts.VETO, account), no));
        expectEvent();
        emit IProposals.ProposalEnded(no, ProposalState.Vetoed, account, START, SUBJECT);
        vm.prank(STRANGER);
        registry.vetoFor(account, no, signature);
    }

    function test_vetoFor_WhenSignedForAnotherAct() public {
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        address account = vm.addr(SUBJECT_KEY);
        Acts.Frame[5] memory frames;
        for (uint256 i = 0; i < frames.length; ++i) {
            frames[i] = frame(Acts.VETO, account);
        }
        frames[0].tag = Acts.KEY;
        frames[1].origin = bytes32(uint256(origin) ^ 1);
        frames[2].chain += 1;
        frames[3].place = address(forwarder);
        frames[4].account = accountOf(SUBJECT);
        for (uint256 i = 0; i < frames.length; ++i) {
            _expectVetoInvalid(account, no, Keys.secp256k1(SUBJECT_KEY, Acts.veto(frames[i], no)));
        }
        _expectVetoInvalid(account, no, Keys.secp256k1(SUBJECT_KEY, Acts.veto(frame(Acts.VETO, account), no + 1)));
        _expectVetoInvalid(account, no, Keys.secp256k1(FRESH_KEY, Acts.veto(frame(Acts.VETO, account), no)));
        assertState(no, ProposalState.Pending);
    }

    function test_vetoFor_GivenTheAccountIsAnotherPartys() public {
        uint32 no = confirmed(recovery(ISSUER, accountOf(ISSUER)));
        address account = vm.addr(SUBJECT_KEY);
        bytes memory signature = Keys.secp256k1(SUBJECT_KEY, Acts.veto(frame(Acts.VETO, account), no));
        expectNoVeto(no, account);
        registry.vetoFor(account, no, signature);
    }

    function _lift(uint8 office) private returns (uint32 no) {
        by(AUTHORITY);
        return registry.propose(STRANGER, abi.encodeCall(ICertificateLog.lift, (office, new bytes32[](0), Reason.Lifted)));
    }

    /// Returns a call of each function that concerns a party, the change of keys first.
    function _concerning(PartyNo no) private view returns (bytes[5] memory) {
        return [
            recovery(no, accountOf(no)),
            setRolesCall(no, 0),
            setStatusCall(no, PartyStatus.Closed),
            abi.encodeCall(IPartyRegistry.accredit, (no, ScenarioCode.wrap("S51"), 1, 2)),
            abi.encodeCall(IPartyKeys.dateCompromise, (no, accountOf(no), START))
        ];
    }

    function _decided(address target, bytes memory call) private returns (uint32 no) {
        by(AUTHORITY);
        no = registry.propose(target, call);
        by(SECOND_OFFICER);
        registry.confirm(no, target, call);
        pass(DELAY);
    }

    function _expectVetoInvalid(address account, uint32 no, bytes memory signature) private {
        expectReverting(IProposals.PartySignatureInvalid.selector, uint160(account));
        registry.vetoFor(account, no, signature);
    }
}
