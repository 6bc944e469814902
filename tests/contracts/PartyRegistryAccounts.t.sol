// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyRegistry} from "../../contracts/PartyRegistry.sol";
import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";
import {PartyNo, PartyStatus, Roles, ScenarioCode} from "../../contracts/Types.sol";
import {Refold} from "./Refold.sol";
import {vm} from "./Vm.sol";
import {World} from "./World.sol";

/// Accounts, accreditation, the acting party and the head; see PartyRegistry.tree.
contract PartyRegistryAccountsTest is World {
    PartyNo private constant NEW = PartyNo.wrap(PARTIES + 1);
    address private constant FRESH = address(0xF5E5);
    address private constant FRESHER = address(0xF5E6);
    address private constant FRESHEST = address(0xF5E7);
    ScenarioCode private constant S51 = ScenarioCode.wrap("S51");

    function test_rotateAccount_GivenTheCallerIsAStranger() public {
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        registry.rotateAccount(FRESH);
    }

    function test_rotateAccount_GivenTheCallerWasRetired() public {
        by(ISSUER);
        registry.rotateAccount(FRESH);
        expectUnknownAccount(accountOf(ISSUER));
        by(ISSUER);
        registry.rotateAccount(FRESHER);
    }

    function test_rotateAccount_GivenThePartyIsNotActive() public {
        setStatus(ISSUER, PartyStatus.Suspended);
        _expectNotActive(ISSUER, PartyStatus.Suspended);
        by(ISSUER);
        registry.rotateAccount(FRESH);
    }

    function test_rotateAccount_WhenTheFreshAccountIsTaken() public {
        _expectTaken(accountOf(ADMIN), ADMIN);
        by(ISSUER);
        registry.rotateAccount(accountOf(ADMIN));
    }

    function test_rotateAccount_WhenTheFreshAccountIsTheCallingOne() public {
        _expectTaken(accountOf(ISSUER), ISSUER);
        by(ISSUER);
        registry.rotateAccount(accountOf(ISSUER));
    }

    function test_rotateAccount_WhenTheFreshAccountIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyZero.selector));
        by(ISSUER);
        registry.rotateAccount(address(0));
    }

    function test_rotateAccount_WhenAllIsWell() public {
        vm.warp(START + 7);
        vm.expectEmit(address(registry));
        emit IPartyRegistry.AccountRetired(ISSUER, accountOf(ISSUER), 0, START + 7, ISSUER);
        vm.expectEmit(address(registry));
        emit IPartyRegistry.AccountBound(ISSUER, FRESH, START + 7, ISSUER);
        by(ISSUER);
        registry.rotateAccount(FRESH);
        IPartyRegistry.Account memory old = registry.accountOf(accountOf(ISSUER));
        assertEq(old.no, ISSUER);
        assertEq(old.validFrom, START);
        assertEq(old.validTo, START + 7);
        assertEq(old.compromisedAt, 0);
        assertEq(registry.actor(FRESH, Roles.ISSUER), ISSUER);
    }

    function test_recoverAccount_GivenTheCallerIsNotAnAuthority() public {
        for (uint32 no = 2; no < PARTIES; ++no) {
            expectLacksRole(PartyNo.wrap(no), Roles.AUTHORITY);
            by(PartyNo.wrap(no));
            registry.recoverAccount(SUBJECT, accountOf(SUBJECT), FRESH, 0);
        }
    }

    function test_recoverAccount_WhenThePartyIsTheCallersOwn() public {
        _expectSelfGrant();
        by(AUTHORITY);
        registry.recoverAccount(AUTHORITY, accountOf(AUTHORITY), FRESH, 0);
    }

    function test_recoverAccount_WhenThePartyIsUnknown() public {
        _expectUnknown(NEW);
        by(AUTHORITY);
        registry.recoverAccount(NEW, STRANGER, FRESH, 0);
    }

    function test_recoverAccount_WhenTheLostAccountIsAnotherPartys() public {
        _expectNotBound(SUBJECT, accountOf(ISSUER));
        by(AUTHORITY);
        registry.recoverAccount(SUBJECT, accountOf(ISSUER), FRESH, 0);
    }

    function test_recoverAccount_WhenTheLostAccountIsRetired() public {
        by(SUBJECT);
        registry.rotateAccount(FRESH);
        _expectNotBound(SUBJECT, accountOf(SUBJECT));
        by(AUTHORITY);
        registry.recoverAccount(SUBJECT, accountOf(SUBJECT), FRESHER, START);
    }

    function testFuzz_recoverAccount_WhenTheCompromiseLiesInTheFuture(uint40 compromisedAt) public {
        vm.assume(compromisedAt > START);
        _expectCompromiseTime(compromisedAt, START);
        by(AUTHORITY);
        registry.recoverAccount(SUBJECT, accountOf(SUBJECT), FRESH, compromisedAt);
    }

    function test_recoverAccount_WhenTheFreshAccountIsTaken() public {
        _expectTaken(accountOf(ADMIN), ADMIN);
        by(AUTHORITY);
        registry.recoverAccount(SUBJECT, accountOf(SUBJECT), accountOf(ADMIN), 0);
        assertEq(registry.accountOf(accountOf(SUBJECT)).validTo, 0);
    }

    function testFuzz_recoverAccount_WhenAllIsWell(uint40 seed) public {
        uint40 compromisedAt = uint40(bound(seed, 0, START + 3));
        vm.warp(START + 3);
        vm.expectEmit(address(registry));
        emit IPartyRegistry.AccountRetired(SUBJECT, accountOf(SUBJECT), compromisedAt, START + 3, AUTHORITY);
        vm.expectEmit(address(registry));
        emit IPartyRegistry.AccountBound(SUBJECT, FRESH, START + 3, AUTHORITY);
        by(AUTHORITY);
        registry.recoverAccount(SUBJECT, accountOf(SUBJECT), FRESH, compromisedAt);
        IPartyRegistry.Account memory lost = registry.accountOf(accountOf(SUBJECT));
        assertEq(lost.validTo, START + 3);
        assertEq(lost.compromisedAt, compromisedAt);
        assertEq(registry.actor(FRESH, Roles.SUBJECT), SUBJECT);
        expectUnknownAccount(accountOf(SUBJECT));
        registry.actor(accountOf(SUBJECT), Roles.SUBJECT);
    }

    function test_reportCompromise_GivenTheCallerIsNotAnAuthority() public {
        _rotate(SUBJECT);
        for (uint32 no = 2; no < PARTIES; ++no) {
            expectLacksRole(PartyNo.wrap(no), Roles.AUTHORITY);
            by(PartyNo.wrap(no));
            registry.reportCompromise(SUBJECT, accountOf(SUBJECT), START);
        }
    }

    function test_reportCompromise_WhenThePartyIsTheCallersOwn() public {
        by(AUTHORITY);
        registry.rotateAccount(FRESH);
        _expectSelfGrant();
        vm.prank(FRESH);
        registry.reportCompromise(AUTHORITY, accountOf(AUTHORITY), START);
    }

    function test_reportCompromise_WhenThePartyIsUnknown() public {
        _expectUnknown(NEW);
        by(AUTHORITY);
        registry.reportCompromise(NEW, STRANGER, START);
    }

    function test_reportCompromise_WhenTheAccountIsAnotherPartys() public {
        _rotate(ISSUER);
        _expectNotBound(SUBJECT, accountOf(ISSUER));
        by(AUTHORITY);
        registry.reportCompromise(SUBJECT, accountOf(ISSUER), START);
        _expectNotBound(SUBJECT, STRANGER);
        by(AUTHORITY);
        registry.reportCompromise(SUBJECT, STRANGER, START);
    }

    function test_reportCompromise_GivenTheAccountIsLive() public {
        vm.expectRevert(
            abi.encodeWithSelector(IPartyRegistry.PartyAccountLive.selector, SUBJECT, accountOf(SUBJECT))
        );
        by(AUTHORITY);
        registry.reportCompromise(SUBJECT, accountOf(SUBJECT), START);
    }

    function test_reportCompromise_WhenTheTimeIsZero() public {
        _rotate(SUBJECT);
        _expectCompromiseTime(0, START);
        by(AUTHORITY);
        registry.reportCompromise(SUBJECT, accountOf(SUBJECT), 0);
    }

    function testFuzz_reportCompromise_WhenTheTimeLiesInTheFuture(uint40 compromisedAt) public {
        vm.assume(compromisedAt > START);
        _rotate(SUBJECT);
        _expectCompromiseTime(compromisedAt, START);
        by(AUTHORITY);
        registry.reportCompromise(SUBJECT, accountOf(SUBJECT), compromisedAt);
    }

    function testFuzz_reportCompromise_GivenAnEarlierOrEqualTimeIsReported(uint40 known, uint40 later) public {
        known = uint40(bound(known, 1, START));
        later = uint40(bound(later, known, type(uint40).max));
        _rotate(SUBJECT);
        by(AUTHORITY);
        registry.reportCompromise(SUBJECT, accountOf(SUBJECT), known);
        _expectCompromiseTime(later, known - 1);
        by(AUTHORITY);
        registry.reportCompromise(SUBJECT, accountOf(SUBJECT), later);
        assertEq(registry.accountOf(accountOf(SUBJECT)).compromisedAt, known);
    }

    function testFuzz_reportCompromise_GivenALaterTimeIsReported(uint40 known, uint40 earlier) public {
        known = uint40(bound(known, 2, START));
        earlier = uint40(bound(earlier, 1, known - 1));
        by(AUTHORITY);
        registry.recoverAccount(SUBJECT, accountOf(SUBJECT), FRESH, known);
        by(AUTHORITY);
        registry.reportCompromise(SUBJECT, accountOf(SUBJECT), earlier);
        assertEq(registry.accountOf(accountOf(SUBJECT)).compromisedAt, earlier);
    }

    function testFuzz_reportCompromise_WhenAllIsWell(uint40 seed) public {
        uint40 compromisedAt = uint40(bound(seed, 1, START + 9));
        _rotate(SUBJECT);
        vm.warp(START + 9);
        vm.expectEmit(address(registry));
        emit IPartyRegistry.AccountCompromised(SUBJECT, accountOf(SUBJECT), compromisedAt, START + 9, AUTHORITY);
        by(AUTHORITY);
        registry.reportCompromise(SUBJECT, accountOf(SUBJECT), compromisedAt);
        IPartyRegistry.Account memory old = registry.accountOf(accountOf(SUBJECT));
        assertEq(old.no, SUBJECT);
        assertEq(old.validFrom, START);
        assertEq(old.validTo, START);
        assertEq(old.compromisedAt, compromisedAt);
        assertEq(registry.actor(FRESH, Roles.SUBJECT), SUBJECT);
    }

    function test_accredit_GivenTheCallerIsNotAnAuthority() public {
        for (uint32 no = 2; no <= PARTIES; ++no) {
            expectLacksRole(PartyNo.wrap(no), Roles.AUTHORITY);
            by(PartyNo.wrap(no));
            registry.accredit(AUTHORITY, S51, START, START + 1);
        }
    }

    function test_accredit_WhenThePartyIsTheCallersOwn() public {
        _expectSelfGrant();
        by(AUTHORITY);
        registry.accredit(AUTHORITY, S51, START, START + 1);
    }

    function test_accredit_WhenThePartyIsUnknown() public {
        _expectUnknown(NEW);
        by(AUTHORITY);
        registry.accredit(NEW, S51, START, START + 1);
    }

    function test_accredit_WhenThePeriodEndsBeforeItBegins() public {
        _expectPeriod(START + 1, START);
        by(AUTHORITY);
        registry.accredit(ISSUER, S51, START + 1, START);
    }

    function testFuzz_accredit_WhenThePeriodIsEmpty(uint40 from) public {
        _expectPeriod(from, from);
        by(AUTHORITY);
        registry.accredit(ISSUER, S51, from, from);
    }

    function testFuzz_accredit_WhenItBeginsLaterThanWhatWasGiven(uint40 given, uint40 from) public {
        given = uint40(bound(given, 0, START));
        from = uint40(bound(from, given + 1, START + 99));
        _accredit(given, START + 100);
        _expectPeriod(from, START + 200);
        by(AUTHORITY);
        registry.accredit(ISSUER, S51, from, START + 200);
        _assertPeriod(ISSUER, S51, given, START + 100);
    }

    function testFuzz_accredit_WhenItEndsInThePastWhereItDidNot(uint40 given, uint40 to) public {
        given = uint40(bound(given, START - 50, START + 100));
        to = uint40(bound(to, START - 99, (given < START ? given : START) - 1));
        _accredit(START - 100, given);
        _expectPeriod(START - 100, to);
        by(AUTHORITY);
        registry.accredit(ISSUER, S51, START - 100, to);
        _assertPeriod(ISSUER, S51, START - 100, given);
    }

    function test_accredit_WhenItEndsNow() public {
        _accredit(START - 100, START + 100);
        _accredit(START - 100, START);
        _assertPeriod(ISSUER, S51, START - 100, START);
    }

    function test_accredit_WhenItIsRenewed() public {
        _accredit(START - 100, START - 50);
        _accredit(START - 100, START + 100);
        _accredit(START - 200, START + 200);
        _assertPeriod(ISSUER, S51, START - 200, START + 200);
    }

    function test_accredit_WhenItIsRenewedAndStillOver() public {
        _accredit(START - 100, START - 50);
        _accredit(START - 100, START - 20);
        _assertPeriod(ISSUER, S51, START - 100, START - 20);
    }

    function testFuzz_accredit_WhenAllIsWell(uint40 from, uint40 to) public {
        vm.assume(from < to);
        vm.expectEmit(address(registry));
        emit IPartyRegistry.Accredited(ISSUER, S51, from, to, START, AUTHORITY);
        by(AUTHORITY);
        registry.accredit(ISSUER, S51, from, to);
        _assertPeriod(ISSUER, S51, from, to);
        _assertPeriod(ISSUER, ScenarioCode.wrap("S52"), 0, 0);
        _assertPeriod(CONSUMER, S51, 0, 0);
    }

    function testFuzz_actor_GivenTheAccountIsUnknown(address account) public {
        vm.assume(uint160(account) <= 0x1000 || uint160(account) > 0x1000 + PARTIES);
        expectUnknownAccount(account);
        registry.actor(account, Roles.ALL);
    }

    function test_actor_GivenThePartyIsNotActive() public {
        for (uint8 status = 2; status <= uint8(PartyStatus.Closed); ++status) {
            setStatus(ISSUER, PartyStatus(status));
            _expectNotActive(ISSUER, PartyStatus(status));
            registry.actor(accountOf(ISSUER), Roles.ALL);
            if (PartyStatus(status) == PartyStatus.Closed) return;
            setStatus(ISSUER, PartyStatus.Active);
            assertEq(registry.actor(accountOf(ISSUER), Roles.ALL), ISSUER);
        }
    }

    function testFuzz_actor_GivenThePartyHasNoneOfTheRoles(uint32 roles, uint32 anyOf) public {
        roles &= Roles.ALL & ~anyOf;
        by(AUTHORITY);
        registry.setRoles(ISSUER, roles);
        expectLacksRole(ISSUER, anyOf);
        registry.actor(accountOf(ISSUER), anyOf);
    }

    function testFuzz_actor_GivenThePartyHasOneOfTheRoles(uint32 roles, uint32 anyOf) public {
        roles &= Roles.ALL;
        vm.assume(roles & anyOf != 0);
        by(AUTHORITY);
        registry.setRoles(ISSUER, roles);
        assertEq(registry.actor(accountOf(ISSUER), anyOf), ISSUER);
    }

    function testFuzz_isActive_GivenThePartyIsUnknown(uint32 no) public view {
        vm.assume(no == 0 || no > PARTIES);
        assertTrue(!registry.isActive(PartyNo.wrap(no)), "nobody is active");
    }

    function test_isActive_GivenThePartyIsKnown() public {
        for (uint8 status = 1; status <= uint8(PartyStatus.Closed); ++status) {
            setStatus(ISSUER, PartyStatus(status));
            assertEq(registry.isActive(ISSUER) ? 1 : 0, PartyStatus(status) == PartyStatus.Active ? 1 : 0);
            assertTrue(registry.isActive(CONSUMER), "no party but this one");
        }
    }

    function testFuzz_head_ItIsTheGenesisFoldedOverEveryEvent(uint64 chain, uint32 roles, uint40 from) public {
        vm.assume(chain != 0);
        vm.chainId(chain);
        vm.recordLogs();
        setUp();
        by(AUTHORITY);
        registry.setRoles(ISSUER, roles & Roles.ALL);
        setStatus(CONSUMER, PartyStatus.Suspended);
        by(PROVIDER);
        registry.rotateAccount(FRESH);
        by(AUTHORITY);
        registry.recoverAccount(SUBJECT, accountOf(SUBJECT), FRESHER, START - 1);
        by(AUTHORITY);
        registry.reportCompromise(SUBJECT, accountOf(SUBJECT), START - 2);
        by(AUTHORITY);
        registry.bindAccount(REGISTRAR, FRESHEST);
        by(REGISTRAR);
        registry.retireAccount(FRESHEST);
        vm.assume(from != type(uint40).max);
        by(AUTHORITY);
        registry.accredit(ISSUER, S51, from, type(uint40).max);
        bytes32 genesis = Refold.genesis(origin, chain, address(registry));
        assertEq(registry.head(), Refold.over(genesis, vm.getRecordedLogs(), address(registry)));
    }

    function test_head_ItIsTheGenesisOfItsOwnChainAndAddress() public {
        bytes32 here = registry.head();
        setUp();
        assertTrue(registry.head() != here, "another address has another head");
    }

    function test_origin_ItIsTheForwarders() public view {
        assertEq(registry.origin(), forwarder.origin());
    }

    function test_forwarder_WhenTheSenderIsAppendedByTheTrustedForwarder() public {
        vm.expectEmit(address(registry));
        emit IPartyRegistry.RolesChanged(SUBJECT, Roles.BROKER, START, ADMIN);
        assertTrue(_callAppended(address(forwarder), accountOf(ADMIN)), "the appended sender acts");
    }

    function test_forwarder_WhenTheSenderIsAppendedByAnyoneElse() public {
        assertTrue(!_callAppended(STRANGER, accountOf(ADMIN)), "a stranger acts for nobody");
        assertTrue(!_callAppended(accountOf(ISSUER), accountOf(ADMIN)), "a party acts for itself only");
        assertEq(registry.partyOf(SUBJECT).roles, Roles.SUBJECT);
    }

    function _callAppended(address caller, address appended) private returns (bool ok) {
        bytes memory data = abi.encodeCall(PartyRegistry.setRoles, (SUBJECT, Roles.BROKER));
        vm.prank(caller);
        (ok,) = address(registry).call(bytes.concat(data, bytes20(appended)));
    }

    function _rotate(PartyNo no) private {
        by(no);
        registry.rotateAccount(FRESH);
    }

    function _accredit(uint40 from, uint40 to) private {
        by(AUTHORITY);
        registry.accredit(ISSUER, S51, from, to);
    }

    function _assertPeriod(PartyNo no, ScenarioCode scenario, uint40 from, uint40 to) private view {
        (uint40 actualFrom, uint40 actualTo) = registry.accreditationOf(no, scenario);
        assertEq(actualFrom, from);
        assertEq(actualTo, to);
    }

    function _expectTaken(address account, PartyNo no) private {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyAccountTaken.selector, account, no));
    }

    function _expectCompromiseTime(uint40 compromisedAt, uint40 latest) private {
        vm.expectRevert(
            abi.encodeWithSelector(IPartyRegistry.PartyCompromiseTime.selector, compromisedAt, latest)
        );
    }

    function _expectPeriod(uint40 from, uint40 to) private {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyPeriod.selector, from, to));
    }

    function _expectNotBound(PartyNo no, address account) private {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyAccountNotBound.selector, no, account));
    }

    function _expectNotActive(PartyNo no, PartyStatus status) private {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyNotActive.selector, no, status));
    }

    function _expectSelfGrant() private {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartySelfGrant.selector, AUTHORITY));
    }

    function _expectUnknown(PartyNo no) private {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyUnknown.selector, no));
    }
}
