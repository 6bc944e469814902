// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";
import {NOBODY, PartyId, PartyNo, PartyStatus, Reason, Roles} from "../../contracts/Types.sol";
import {vm} from "./Vm.sol";
import {World} from "./World.sol";

/// Registration, roles and status; see PartyRegistry.tree.
contract PartyRegistryTest is World {
    PartyId private constant NEW_ID = PartyId.wrap(bytes32(uint256(0xBEEF)));
    PartyNo private constant NEW = PartyNo.wrap(PARTIES + 1);
    address private constant FRESH = address(0xF5E5);
    uint32 private constant REGISTERS = Roles.AUTHORITY | Roles.ADMIN;
    uint32 private constant SETS_STATUS = Roles.AUTHORITY | Roles.SUPERVISOR;
    uint32 private constant ORDINARY = Roles.SUBJECT | Roles.PROVIDER | Roles.CONSUMER | Roles.BROKER;
    uint32 private constant OFFICES = Roles.ISSUER | Roles.REGISTRAR | Roles.AUTHORITY | Roles.CDO
        | Roles.SUPERVISOR | Roles.ASSESSOR | Roles.ADMIN;

    function test_constructor_ItRegistersTheFounder() public view {
        IPartyRegistry.Party memory founder = registry.partyOf(AUTHORITY);
        assertEq(PartyId.unwrap(founder.id), PartyId.unwrap(idOf(AUTHORITY)));
        assertEq(founder.roles, Roles.AUTHORITY | Roles.ADMIN);
        assertEq(uint256(founder.status), uint256(PartyStatus.Active));
        assertEq(founder.since, START);
        assertEq(registry.accountOf(accountOf(AUTHORITY)).no, AUTHORITY);
    }

    function test_register_GivenTheCallerIsAStranger() public {
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        registry.register(NEW_ID, FRESH, Roles.SUBJECT);
    }

    function test_register_GivenTheCallerIsNeitherAuthorityNorAdmin() public {
        for (uint32 no = 3; no <= PARTIES; ++no) {
            expectLacksRole(PartyNo.wrap(no), REGISTERS);
            by(PartyNo.wrap(no));
            registry.register(NEW_ID, FRESH, Roles.SUBJECT);
        }
    }

    function test_register_WhenTheIdIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyZero.selector));
        by(ADMIN);
        registry.register(PartyId.wrap(0), FRESH, Roles.SUBJECT);
    }

    function test_register_WhenTheAccountIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyZero.selector));
        by(ADMIN);
        registry.register(NEW_ID, address(0), Roles.SUBJECT);
    }

    function test_register_WhenTheIdIsRegistered() public {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyAlreadyRegistered.selector, idOf(ISSUER), ISSUER));
        by(ADMIN);
        registry.register(idOf(ISSUER), FRESH, Roles.SUBJECT);
    }

    function test_register_WhenTheAccountIsBound() public {
        _expectTaken(accountOf(ISSUER), ISSUER);
        by(ADMIN);
        registry.register(NEW_ID, accountOf(ISSUER), Roles.SUBJECT);
    }

    function test_register_WhenTheAccountWasRetired() public {
        by(ISSUER);
        registry.rotateAccount(FRESH);
        _expectTaken(accountOf(ISSUER), ISSUER);
        by(ADMIN);
        registry.register(NEW_ID, accountOf(ISSUER), Roles.SUBJECT);
    }

    function test_register_WhenTheRolesAreUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyUnknownRoles.selector, Roles.ALL + 1));
        by(ADMIN);
        registry.register(NEW_ID, FRESH, Roles.ALL + 1);
    }

    function testFuzz_register_WhenAnAdminGivesAnOffice(uint32 seed) public {
        uint32 roles = seed & Roles.ALL;
        vm.assume(roles & OFFICES != 0);
        _expectOffice(roles & OFFICES);
        by(ADMIN);
        registry.register(NEW_ID, FRESH, roles);
        by(AUTHORITY);
        registry.register(NEW_ID, FRESH, roles);
        assertEq(registry.partyOf(NEW).roles, roles);
    }

    function test_register_WhenAllIsWell() public {
        vm.warp(START + 5);
        vm.expectEmit(address(registry));
        emit IPartyRegistry.PartyRegistered(NEW, NEW_ID, START + 5, ADMIN);
        vm.expectEmit(address(registry));
        emit IPartyRegistry.AccountBound(NEW, FRESH, START + 5, ADMIN);
        vm.expectEmit(address(registry));
        emit IPartyRegistry.RolesChanged(NEW, ORDINARY, START + 5, ADMIN);
        by(ADMIN);
        assertEq(registry.register(NEW_ID, FRESH, ORDINARY), NEW);

        IPartyRegistry.Party memory party = registry.partyOf(NEW);
        assertEq(PartyId.unwrap(party.id), PartyId.unwrap(NEW_ID));
        assertEq(party.roles, ORDINARY);
        assertEq(uint256(party.status), uint256(PartyStatus.Active));
        assertEq(party.since, START + 5);
        assertEq(registry.partyNoOf(NEW_ID), NEW);
        assertEq(registry.count(), PARTIES + 1);
        IPartyRegistry.Account memory account = registry.accountOf(FRESH);
        assertEq(account.no, NEW);
        assertEq(account.validFrom, START + 5);
        assertEq(account.validTo, 0);
        assertEq(account.compromisedAt, 0);
    }

    function test_registerMany_GivenTheCallerIsNeitherAuthorityNorAdmin() public {
        expectLacksRole(SUPERVISOR, REGISTERS);
        by(SUPERVISOR);
        registry.registerMany(_two(FRESH, address(0xF5E6)));
    }

    function test_registerMany_WhenOneEntryIsBad() public {
        bytes32 head = registry.head();
        _expectTaken(FRESH, NEW);
        by(AUTHORITY);
        registry.registerMany(_two(FRESH, FRESH));
        assertEq(registry.count(), PARTIES);
        assertEq(registry.partyNoOf(NEW_ID), NOBODY);
        assertEq(registry.head(), head);
    }

    function test_registerMany_WhenAnAdminGivesAnOffice() public {
        _expectOffice(Roles.ISSUER);
        by(ADMIN);
        registry.registerMany(_two(FRESH, address(0xF5E6)));
        assertEq(registry.count(), PARTIES);
    }

    function test_registerMany_WhenAllIsWell() public {
        by(AUTHORITY);
        registry.registerMany(_two(FRESH, address(0xF5E6)));
        assertEq(registry.count(), PARTIES + 2);
        assertEq(registry.actor(FRESH, Roles.ISSUER), NEW);
        assertEq(registry.actor(address(0xF5E6), Roles.CONSUMER), PartyNo.wrap(PARTIES + 2));
    }

    function test_setRoles_GivenTheCallerIsNeitherAuthorityNorAdmin() public {
        for (uint32 no = 3; no <= PARTIES; ++no) {
            expectLacksRole(PartyNo.wrap(no), REGISTERS);
            by(PartyNo.wrap(no));
            registry.setRoles(ADMIN, 0);
        }
    }

    function test_setRoles_WhenThePartyIsTheCallersOwn() public {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartySelfGrant.selector, ADMIN));
        by(ADMIN);
        registry.setRoles(ADMIN, Roles.ALL);
    }

    function test_setRoles_WhenThePartyIsUnknown() public {
        _expectUnknown(NEW);
        by(ADMIN);
        registry.setRoles(NEW, Roles.ISSUER);
    }

    function testFuzz_setRoles_WhenTheRolesAreUnknown(uint32 roles) public {
        vm.assume(roles > Roles.ALL);
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyUnknownRoles.selector, roles));
        by(ADMIN);
        registry.setRoles(SUBJECT, roles);
    }

    function testFuzz_setRoles_WhenAllIsWell(uint32 seed) public {
        uint32 roles = seed & Roles.ALL;
        vm.expectEmit(address(registry));
        emit IPartyRegistry.RolesChanged(SUBJECT, roles, START, AUTHORITY);
        by(AUTHORITY);
        registry.setRoles(SUBJECT, roles);
        assertEq(registry.partyOf(SUBJECT).roles, roles);
        assertEq(registry.partyOf(ISSUER).roles, Roles.ISSUER);
    }

    function testFuzz_setRoles_WhenAnAdminGivesOrTakesAnOffice(uint32 before, uint32 after_) public {
        before &= Roles.ALL;
        after_ &= Roles.ALL;
        vm.assume((before ^ after_) & OFFICES != 0);
        by(AUTHORITY);
        registry.setRoles(SUBJECT, before);
        _expectOffice((before ^ after_) & OFFICES);
        by(ADMIN);
        registry.setRoles(SUBJECT, after_);
        assertEq(registry.partyOf(SUBJECT).roles, before);
    }

    function testFuzz_setRoles_WhenAnAdminLeavesTheOffices(uint32 before, uint32 after_) public {
        before &= Roles.ALL;
        uint32 roles = (before & OFFICES) | (after_ & ORDINARY);
        by(AUTHORITY);
        registry.setRoles(SUBJECT, before);
        by(ADMIN);
        registry.setRoles(SUBJECT, roles);
        assertEq(registry.partyOf(SUBJECT).roles, roles);
    }

    function test_setRoles_WhenAnAuthorityIsAdminToo() public {
        by(AUTHORITY);
        registry.setRoles(ADMIN, Roles.ADMIN | Roles.AUTHORITY);
        by(ADMIN);
        registry.setRoles(SUBJECT, Roles.CDO);
        assertEq(registry.partyOf(SUBJECT).roles, Roles.CDO);
    }

    function test_setStatus_GivenTheCallerIsNeitherAuthorityNorSupervisor() public {
        expectLacksRole(ADMIN, SETS_STATUS);
        by(ADMIN);
        registry.setStatus(ISSUER, PartyStatus.Suspended, Reason.Court);
        for (uint32 no = 4; no <= PARTIES; ++no) {
            expectLacksRole(PartyNo.wrap(no), SETS_STATUS);
            by(PartyNo.wrap(no));
            registry.setStatus(ADMIN, PartyStatus.Suspended, Reason.Court);
        }
    }

    function test_setStatus_WhenThePartyIsTheCallersOwn() public {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartySelfGrant.selector, SUPERVISOR));
        by(SUPERVISOR);
        registry.setStatus(SUPERVISOR, PartyStatus.Active, Reason.Lifted);
    }

    function test_setStatus_WhenThePartyIsUnknown() public {
        _expectUnknown(NOBODY);
        by(SUPERVISOR);
        registry.setStatus(NOBODY, PartyStatus.Active, Reason.Lifted);
    }

    function test_setStatus_WhenTheStatusIsNone() public {
        vm.expectRevert(
            abi.encodeWithSelector(IPartyRegistry.PartyNotActive.selector, ISSUER, PartyStatus.None)
        );
        by(SUPERVISOR);
        registry.setStatus(ISSUER, PartyStatus.None, Reason.Court);
    }

    function test_setStatus_GivenThePartyIsClosed() public {
        setStatus(ISSUER, PartyStatus.Closed);
        vm.warp(START + 1);
        for (uint8 status = 0; status <= uint8(PartyStatus.Closed); ++status) {
            vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyClosed.selector, ISSUER, START));
            by(SUPERVISOR);
            registry.setStatus(ISSUER, PartyStatus(status), Reason.Lifted);
        }
        assertEq(uint256(registry.partyOf(ISSUER).status), uint256(PartyStatus.Closed));
    }

    function test_setStatus_WhenAllIsWell() public {
        vm.warp(START + 9);
        vm.expectEmit(address(registry));
        emit IPartyRegistry.PartyStatusChanged(ISSUER, PartyStatus.Sanctioned, Reason.Court, START + 9, SUPERVISOR);
        by(SUPERVISOR);
        registry.setStatus(ISSUER, PartyStatus.Sanctioned, Reason.Court);
        assertEq(uint256(registry.partyOf(ISSUER).status), uint256(PartyStatus.Sanctioned));
        assertEq(registry.partyOf(ISSUER).since, START + 9);
        assertEq(registry.partyOf(ISSUER).roles, Roles.ISSUER);
    }

    function _two(address first, address second) private pure returns (IPartyRegistry.Registration[] memory two) {
        two = new IPartyRegistry.Registration[](2);
        two[0] = IPartyRegistry.Registration(NEW_ID, first, Roles.ISSUER);
        two[1] = IPartyRegistry.Registration(PartyId.wrap(bytes32(uint256(0xBEF0))), second, Roles.CONSUMER);
    }

    function _expectTaken(address account, PartyNo no) private {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyAccountTaken.selector, account, no));
    }

    function _expectOffice(uint32 roles) private {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyOfficeByAuthority.selector, roles));
    }

    function _expectUnknown(PartyNo no) private {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyUnknown.selector, no));
    }
}
