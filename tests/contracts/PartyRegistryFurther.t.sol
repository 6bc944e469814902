// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";
import {PartyNo, PartyStatus, Roles} from "../../contracts/Types.sol";
import {vm} from "./Vm.sol";
import {World} from "./World.sol";

/// Further accounts of a party; see PartyRegistry.tree.
contract PartyRegistryFurtherTest is World {
    PartyNo private constant NEW = PartyNo.wrap(PARTIES + 1);
    address private constant FRESH = address(0xF5E5);

    function test_bindAccount_GivenTheCallerIsNotAnAuthority() public {
        for (uint32 no = 2; no < PARTIES; ++no) {
            expectLacksRole(PartyNo.wrap(no), Roles.AUTHORITY);
            by(PartyNo.wrap(no));
            registry.bindAccount(SUBJECT, FRESH);
        }
    }

    function test_bindAccount_WhenThePartyIsTheCallersOwn() public {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartySelfGrant.selector, AUTHORITY));
        by(AUTHORITY);
        registry.bindAccount(AUTHORITY, FRESH);
    }

    function test_bindAccount_WhenThePartyIsUnknown() public {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyUnknown.selector, NEW));
        by(AUTHORITY);
        registry.bindAccount(NEW, FRESH);
    }

    function test_bindAccount_WhenTheFreshAccountIsTaken() public {
        _expectTaken(accountOf(ADMIN), ADMIN);
        by(AUTHORITY);
        registry.bindAccount(ISSUER, accountOf(ADMIN));
        _expectTaken(accountOf(ISSUER), ISSUER);
        by(AUTHORITY);
        registry.bindAccount(ISSUER, accountOf(ISSUER));
        _bind();
        by(ISSUER);
        registry.retireAccount(FRESH);
        _expectTaken(FRESH, ISSUER);
        by(AUTHORITY);
        registry.bindAccount(ISSUER, FRESH);
    }

    function test_bindAccount_WhenTheFreshAccountIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyZero.selector));
        by(AUTHORITY);
        registry.bindAccount(ISSUER, address(0));
    }

    function test_bindAccount_WhenAllIsWell() public {
        vm.warp(START + 7);
        vm.expectEmit(address(registry));
        emit IPartyRegistry.AccountBound(ISSUER, FRESH, START + 7, AUTHORITY);
        _bind();
        IPartyRegistry.Account memory binding = registry.accountOf(FRESH);
        assertEq(binding.no, ISSUER);
        assertEq(binding.validFrom, START + 7);
        assertEq(binding.validTo, 0);
        assertEq(registry.actor(FRESH, Roles.ISSUER), ISSUER);
        assertEq(registry.actor(accountOf(ISSUER), Roles.ISSUER), ISSUER);
    }

    function test_retireAccount_GivenTheCallerIsAStranger() public {
        _bind();
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        registry.retireAccount(FRESH);
    }

    function test_retireAccount_GivenThePartyIsNotActive() public {
        _bind();
        setStatus(ISSUER, PartyStatus.Suspended);
        vm.expectRevert(
            abi.encodeWithSelector(IPartyRegistry.PartyNotActive.selector, ISSUER, PartyStatus.Suspended)
        );
        by(ISSUER);
        registry.retireAccount(FRESH);
    }

    function test_retireAccount_WhenTheAccountIsTheCallingOne() public {
        _bind();
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyCallingAccount.selector, FRESH));
        vm.prank(FRESH);
        registry.retireAccount(FRESH);
    }

    function test_retireAccount_WhenTheAccountIsAnotherPartys() public {
        _bind();
        _expectNotBound(SUBJECT, FRESH);
        by(SUBJECT);
        registry.retireAccount(FRESH);
        _expectNotBound(SUBJECT, STRANGER);
        by(SUBJECT);
        registry.retireAccount(STRANGER);
    }

    function test_retireAccount_WhenTheAccountIsRetired() public {
        _bind();
        by(ISSUER);
        registry.retireAccount(FRESH);
        _expectNotBound(ISSUER, FRESH);
        by(ISSUER);
        registry.retireAccount(FRESH);
    }

    function test_retireAccount_WhenAllIsWell() public {
        _bind();
        vm.warp(START + 9);
        vm.expectEmit(address(registry));
        emit IPartyRegistry.AccountRetired(ISSUER, accountOf(ISSUER), 0, START + 9, ISSUER);
        vm.prank(FRESH);
        registry.retireAccount(accountOf(ISSUER));
        IPartyRegistry.Account memory old = registry.accountOf(accountOf(ISSUER));
        assertEq(old.validTo, START + 9);
        assertEq(old.compromisedAt, 0);
        assertEq(registry.actor(FRESH, Roles.ISSUER), ISSUER);
        expectUnknownAccount(accountOf(ISSUER));
        registry.actor(accountOf(ISSUER), Roles.ISSUER);
    }

    function _bind() private {
        by(AUTHORITY);
        registry.bindAccount(ISSUER, FRESH);
    }

    function _expectTaken(address account, PartyNo no) private {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyAccountTaken.selector, account, no));
    }

    function _expectNotBound(PartyNo no, address account) private {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyAccountNotBound.selector, no, account));
    }
}
