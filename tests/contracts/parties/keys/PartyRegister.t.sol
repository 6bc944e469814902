// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyKeys} from "../../../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRecord} from "../../../../contracts/interfaces/IPartyRecord.sol";
import {NOBODY, PartyId, PartyNo, PartyStatus, Roles} from "../../../../contracts/Types.sol";
import {PartyWorld} from "../PartyWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests the registration of parties with their first keys; see PartyRegister.tree.
contract PartyRegisterTest is PartyWorld {
    uint32 private constant ORDINARY = Roles.SUBJECT | Roles.PROVIDER | Roles.CONSUMER | Roles.BROKER;
    uint32 private constant OFFICES = Roles.ISSUER | Roles.REGISTRAR | Roles.AUTHORITY | Roles.CDO
        | Roles.SUPERVISOR | Roles.ASSESSOR | Roles.ADMIN;

    function test_register_GivenNoApprovedProposal() public {
        IPartyKeys.Registration[] memory list = listOf(one("id", fresh(), proofOf(FRESH_KEY), Roles.SUBJECT));
        for (uint32 no = 1; no <= PARTIES; ++no) {
            expectNotDecided();
            by(PartyNo.wrap(no));
            registry.register(list);
        }
    }

    function test_register_WhenTheIdIsZero() public {
        bytes memory call = registration(0, FRESH_KEY, Roles.SUBJECT);
        uint32 no = proposeListBy(ADMIN, call);
        expectZero();
        confirmBy(AUTHORITY, no, call);
    }

    function test_register_WhenTheAccountIsZero() public {
        bytes memory call = abi.encodeCall(IPartyKeys.register, (listOf(one("id", address(0), "", Roles.SUBJECT))));
        uint32 no = proposeListBy(ADMIN, call);
        expectZero();
        confirmBy(AUTHORITY, no, call);
    }

    function test_register_WhenTheIdIsRegistered() public {
        bytes memory call = registration(PartyId.unwrap(idOf(ISSUER)), FRESH_KEY, Roles.SUBJECT);
        uint32 no = proposeListBy(ADMIN, call);
        vm.expectRevert(abi.encodeWithSelector(IPartyRecord.PartyAlreadyRegistered.selector, idOf(ISSUER), ISSUER));
        confirmBy(AUTHORITY, no, call);
    }

    function test_register_WhenThereIsNoKey() public {
        IPartyKeys.Registration memory party = one("id", fresh(), "", Roles.SUBJECT);
        party.keys = new IPartyKeys.Key[](0);
        _expectNoProvenKey(party);
    }

    function test_register_WhenNoKeyIsProven() public {
        _expectNoProvenKey(one("id", fresh(), "", Roles.SUBJECT));
    }

    function test_register_WhenTheAccountIsTaken() public {
        bytes memory call = registration("id", SUBJECT_KEY, Roles.SUBJECT);
        uint32 no = proposeListBy(ADMIN, call);
        expectTaken(vm.addr(SUBJECT_KEY), SUBJECT);
        confirmBy(AUTHORITY, no, call);
    }

    function test_register_WhenTheRolesAreUnknown() public {
        bytes memory call = registration("id", FRESH_KEY, Roles.ALL + 1);
        uint32 no = proposeListBy(ADMIN, call);
        expectReverting(IPartyRecord.PartyUnknownRoles.selector, Roles.ALL + 1);
        confirmBy(AUTHORITY, no, call);
    }

    function testFuzz_register_WhenTheRegistrationGivesAnOfficeRole(uint32 seed) public {
        uint32 roles = seed & Roles.ALL;
        vm.assume(roles & OFFICES != 0);
        bytes memory call = registration("id", FRESH_KEY, roles);
        uint32 no = proposeListBy(AUTHORITY, call);
        expectOffice(roles & OFFICES);
        confirmBy(SECOND_OFFICER, no, call);
    }

    function test_register_WhenOneEntryIsInvalid() public {
        IPartyKeys.Registration[] memory parties = new IPartyKeys.Registration[](2);
        parties[0] = one("first", fresh(), proofOf(FRESH_KEY), Roles.SUBJECT);
        parties[1] = one("second", fresh(), proofOf(FRESH_KEY), Roles.SUBJECT);
        bytes memory call = abi.encodeCall(IPartyKeys.register, (parties));
        uint32 no = proposeListBy(ADMIN, call);
        bytes32 head = registry.head();
        expectTaken(fresh(), NEW);
        confirmBy(AUTHORITY, no, call);
        assertEq(registry.count(), PARTIES);
        assertEq(registry.partyNoOf(PartyId.wrap("first")), NOBODY);
        assertEq(registry.head(), head);
    }

    function test_register_GivenTheLedgerIsPaused() public {
        bytes memory call = registration("id", FRESH_KEY, Roles.SUBJECT);
        uint32 no = proposeListBy(ADMIN, call);
        pauseBy(SUPERVISOR);
        expectPaused(START + PAUSE);
        confirmBy(AUTHORITY, no, call);
        pass(PAUSE);
        confirmBy(AUTHORITY, no, call);
        assertMayAct(fresh(), NEW);
    }

    function test_register_WhenTheCallIsValid() public {
        IPartyKeys.Registration memory party = one("id", fresh(), proofOf(FRESH_KEY), ORDINARY);
        party.keys = new IPartyKeys.Key[](2);
        party.keys[0] = IPartyKeys.Key(fresh(), proofOf(FRESH_KEY));
        party.keys[1] = IPartyKeys.Key(STRANGER, "");
        bytes memory call = abi.encodeCall(IPartyKeys.register, (listOf(party)));
        uint32 no = proposeListBy(ADMIN, call);
        vm.warp(START + 5);
        expectEvent();
        emit IPartyRecord.PartyRegistered(NEW, PartyId.wrap("id"), START + 5, ADMIN);
        expectEvent();
        emit IPartyRecord.AccountBound(NEW, fresh(), true, no, START + 5, ADMIN);
        expectEvent();
        emit IPartyRecord.AccountBound(NEW, STRANGER, false, no, START + 5, ADMIN);
        expectEvent();
        emit IPartyRecord.RolesChanged(NEW, ORDINARY, START + 5, ADMIN);
        confirmBy(AUTHORITY, no, call);
        IPartyRecord.Party memory found = registry.partyOf(NEW);
        assertEq(PartyId.unwrap(found.id), "id");
        assertEq(found.roles, ORDINARY);
        assertEq(uint256(found.status), uint256(PartyStatus.Active));
        assertEq(found.since, START + 5);
        assertEq(registry.count(), PARTIES + 1);
        assertEq(registry.accountOf(fresh()).proposal, no);
        assertMayAct(fresh(), NEW);
        expectUnknownAccount(STRANGER);
        registry.actor(STRANGER, Roles.ALL);
    }

    function _expectNoProvenKey(IPartyKeys.Registration memory party) private {
        bytes memory call = abi.encodeCall(IPartyKeys.register, (listOf(party)));
        uint32 no = proposeListBy(ADMIN, call);
        vm.expectRevert(abi.encodeWithSelector(IPartyRecord.PartyNoProvenKey.selector, party.id));
        confirmBy(AUTHORITY, no, call);
    }
}
