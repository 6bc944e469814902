// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyKeys} from "../../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRecord} from "../../../contracts/interfaces/IPartyRecord.sol";
import {IPartyRegistry} from "../../../contracts/interfaces/IPartyRegistry.sol";
import {IPauses} from "../../../contracts/interfaces/IPauses.sol";
import {PartyNo, PartyStatus, Roles, ScenarioCode} from "../../../contracts/Types.sol";
import {PartyWorld} from "./PartyWorld.sol";
import {Refold} from "../Refold.sol";
import {vm} from "../Vm.sol";

/// Tests which party an account acts for, the head of the registry's hash chain, and calls through the forwarder; see
/// PartyRegistry.tree.
contract PartyActorTest is PartyWorld {
    function testFuzz_actor_GivenTheAccountIsUnknown(address account) public {
        vm.assume(registry.accountOf(account).no == PartyNo.wrap(0));
        expectUnknownAccount(account);
        registry.actor(account, Roles.ALL);
    }

    function test_actor_GivenNoProposalIsBeingCarriedOut() public {
        expectUnknownAccount(address(registry));
        registry.actor(address(registry), Roles.ALL);
    }

    function test_actor_GivenThePartyIsNotActive() public {
        for (uint8 status = 2; status <= uint8(PartyStatus.Closed); ++status) {
            setStatus(ISSUER, PartyStatus(status));
            expectNotActive(ISSUER, PartyStatus(status));
            registry.actor(accountOf(ISSUER), Roles.ALL);
            if (PartyStatus(status) == PartyStatus.Closed) return;
            setStatus(ISSUER, PartyStatus.Active);
            assertEq(registry.actor(accountOf(ISSUER), Roles.ALL), ISSUER);
        }
    }

    function testFuzz_actor_GivenThePartyHasNoneOfTheRoles(uint32 roles, uint32 anyOf) public {
        roles &= Roles.ALL & ~anyOf;
        setRoles(ISSUER, roles);
        expectLacksRole(ISSUER, anyOf);
        registry.actor(accountOf(ISSUER), anyOf);
    }

    function testFuzz_actor_GivenThePartyHasOneOfTheRoles(uint32 roles, uint32 anyOf) public {
        roles &= Roles.ALL;
        vm.assume(roles & anyOf != 0);
        setRoles(ISSUER, roles);
        assertEq(registry.actor(accountOf(ISSUER), anyOf), ISSUER);
    }

    function testFuzz_isActive_GivenThePartyIsUnknown(uint32 no) public view {
        vm.assume(no == 0 || no > PARTIES);
        assertTrue(!registry.isActive(PartyNo.wrap(no)), "an unknown party is not active");
    }

    function test_isActive_GivenThePartyIsKnown() public {
        for (uint8 status = 1; status <= uint8(PartyStatus.Closed); ++status) {
            setStatus(ISSUER, PartyStatus(status));
            assertEq(registry.isActive(ISSUER) ? 1 : 0, PartyStatus(status) == PartyStatus.Active ? 1 : 0);
            assertTrue(registry.isActive(CONSUMER), "the status of another party changed");
        }
    }

    function testFuzz_head_ItEqualsTheHeadComputedFromAllEvents(uint32 roles, uint40 from) public {
        vm.assume(from != type(uint40).max);
        vm.recordLogs();
        setUp();
        setRoles(ISSUER, roles & Roles.ALL);
        setStatus(CONSUMER, PartyStatus.Suspended);
        changeOwn(SUBJECT, change(SUBJECT, fresh(), accountOf(SUBJECT), proofOf(FRESH_KEY, SUBJECT)));
        decide(abi.encodeCall(IPartyKeys.dateCompromise, (SUBJECT, accountOf(SUBJECT), START - 1)));
        vm.prank(fresh());
        registry.report(SUBJECT, vm.addr(SUBJECT_KEY));
        uint32 no = confirmed(recovery(PROVIDER, accountOf(PROVIDER)));
        vetoBy(accountOf(PROVIDER), no);
        no = confirmed(setRolesCall(PROVIDER, 0));
        by(THIRD_OFFICER);
        registry.cancel(no);
        registerBy(ADMIN, AUTHORITY, registration("id", FRESHER_KEY, Roles.BROKER));
        pauseBy(SUPERVISOR);
        confirmed(abi.encodeCall(IPauses.endPause, ()));
        decide(abi.encodeCall(IPartyRegistry.accredit, (ISSUER, ScenarioCode.wrap("S51"), from, type(uint40).max)));
        bytes32 genesis = Refold.genesis(origin, CHAIN, address(registry));
        assertEq(registry.head(), Refold.over(genesis, vm.getRecordedLogs(), address(registry)));
    }

    function test_head_ItDependsOnTheAddressOfTheRegistry() public {
        bytes32 here = registry.head();
        setUp();
        assertTrue(registry.head() != here, "another address has another head");
    }

    function test_origin_ItEqualsTheOriginOfTheForwarder() public view {
        assertEq(registry.origin(), forwarder.origin());
    }

    function test_forwarder_WhenTheSenderIsAppendedByTheTrustedForwarder() public {
        expectEvent();
        emit IPartyRecord.RolesChanged(SUBJECT, Roles.BROKER, START, ADMIN);
        assertTrue(_callAppended(address(forwarder), accountOf(ADMIN)), "the appended sender acts");
    }

    function test_forwarder_WhenTheSenderIsAppendedByAnUntrustedAccount() public {
        assertTrue(!_callAppended(STRANGER, accountOf(ADMIN)), "a stranger acts for nobody");
        assertTrue(!_callAppended(accountOf(ISSUER), accountOf(ADMIN)), "a party acts for itself only");
        assertEq(registry.partyOf(SUBJECT).roles, Roles.SUBJECT);
    }

    /// The forwarder appends the registry's address as the sender. Such a call does not count as an approved proposal;
    /// only a call that the registry itself makes counts as an approved proposal.
    function test_forwarder_WhenTheAppendedSenderIsTheRegistry() public {
        bytes memory data = bytes.concat(setRolesCall(SUBJECT, Roles.ALL), bytes20(address(registry)));
        vm.prank(address(forwarder));
        (bool ok,) = address(registry).call(data);
        assertTrue(!ok, "a call through the forwarder does not count as decided");
    }

    function _callAppended(address caller, address appended) private returns (bool ok) {
        bytes memory data = setRolesCall(SUBJECT, Roles.BROKER);
        vm.prank(caller);
        (ok,) = address(registry).call(bytes.concat(data, bytes20(appended)));
    }
}
