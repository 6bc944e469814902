// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyRecord} from "../../../contracts/interfaces/IPartyRecord.sol";
import {IPartyRegistry} from "../../../contracts/interfaces/IPartyRegistry.sol";
import {PartyRegistry} from "../../../contracts/PartyRegistry.sol";
import {NOBODY, PartyId, PartyNo, PartyStatus, Reason, Roles, ScenarioCode} from "../../../contracts/Types.sol";
import {PartyWorld} from "./PartyWorld.sol";
import {vm} from "../Vm.sol";

/// Tests the founding parties, and changes of roles, status and accreditations; see PartyRegistry.tree.
contract PartyRegistryTest is PartyWorld {
    uint32 private constant REGISTERS = Roles.AUTHORITY | Roles.ADMIN;
    uint32 private constant GUARDS = Roles.AUTHORITY | Roles.SUPERVISOR;
    uint32 private constant ORDINARY = Roles.SUBJECT | Roles.PROVIDER | Roles.CONSUMER | Roles.BROKER;
    uint32 private constant OFFICES = Roles.ISSUER | Roles.REGISTRAR | Roles.AUTHORITY | Roles.CDO
        | Roles.SUPERVISOR | Roles.ASSESSOR | Roles.ADMIN;
    ScenarioCode private constant S51 = ScenarioCode.wrap("S51");

    function test_constructor_ItRegistersTheFoundingPartiesInOrder() public view {
        assertEq(registry.count(), PARTIES);
        for (uint32 n = 1; n <= PARTIES; ++n) {
            PartyNo no = PartyNo.wrap(n);
            IPartyRecord.Party memory party = registry.partyOf(no);
            assertEq(PartyId.unwrap(party.id), PartyId.unwrap(idOf(no)));
            assertEq(uint256(party.status), uint256(PartyStatus.Active));
            assertEq(party.since, START);
            assertEq(registry.partyNoOf(idOf(no)), no);
            IPartyRecord.Account memory key = registry.accountOf(accountOf(no));
            assertEq(key.no, no);
            assertEq(key.validFrom, START);
            assertTrue(key.proven, "the keys of founding parties are proven");
            assertEq(key.proposal, 0);
        }
        assertEq(registry.partyOf(AUTHORITY).roles, REGISTERS);
        assertEq(registry.officers(), 3);
        assertEq(registry.threshold(), 2);
        assertEq(registry.delay(), DELAY);
        assertEq(registry.proposals(), 0);
    }

    function test_constructor_ItRecordsTheAccreditations() public {
        IPartyRegistry.Founding[] memory list = founding();
        list[3].accreditations = new IPartyRegistry.Accreditation[](2);
        list[3].accreditations[0] = IPartyRegistry.Accreditation(S51, START, START + 9);
        list[3].accreditations[1] = IPartyRegistry.Accreditation(ScenarioCode.wrap("S52"), 1, 2);
        registry = PartyRegistry(deploy("PartyRegistry", abi.encode(forwarder, DELAY, list)));
        _assertPeriod(ISSUER, S51, START, START + 9);
        _assertPeriod(ISSUER, ScenarioCode.wrap("S52"), 1, 2);
        _assertPeriod(REGISTRAR, S51, 0, 0);
    }

    function test_constructor_WhenThereAreTooFewOfficers() public {
        IPartyRegistry.Founding[] memory list = founding();
        list[9].roles = Roles.ADMIN;
        _expectNotDeployed(list);
        list[9].roles = Roles.AUTHORITY;
        list[9].accounts = new address[](0);
        _expectNotDeployed(list);
    }

    function test_setRoles_GivenTheCallerIsNeitherAuthorityNorAdmin() public {
        for (uint32 no = 3; no <= 8; ++no) {
            expectLacksRole(PartyNo.wrap(no), REGISTERS);
            by(PartyNo.wrap(no));
            registry.setRoles(ADMIN, 0);
        }
    }

    function test_setRoles_WhenTheCallerChangesItsOwnRoles() public {
        expectSelfGrant(ADMIN);
        by(ADMIN);
        registry.setRoles(ADMIN, Roles.ADMIN | Roles.BROKER);
    }

    function test_setRoles_WhenThePartyIsUnknown() public {
        expectUnknown(NEW);
        by(ADMIN);
        registry.setRoles(NEW, Roles.SUBJECT);
    }

    function testFuzz_setRoles_WhenTheRolesAreUnknown(uint32 roles) public {
        roles = (roles & ORDINARY) | (Roles.ALL + 1);
        expectReverting(IPartyRecord.PartyUnknownRoles.selector, roles);
        by(ADMIN);
        registry.setRoles(SUBJECT, roles);
    }

    function testFuzz_setRoles_WhenAnOfficeRoleChangesWithoutAnApprovedProposal(uint32 before, uint32 after_) public {
        before &= Roles.ALL;
        after_ &= Roles.ALL;
        vm.assume((before ^ after_) & OFFICES != 0);
        setRoles(SUBJECT, before);
        PartyNo[2] memory who = [AUTHORITY, ADMIN];
        for (uint256 i = 0; i < who.length; ++i) {
            expectOffice((before ^ after_) & OFFICES);
            by(who[i]);
            registry.setRoles(SUBJECT, after_);
        }
        assertEq(registry.partyOf(SUBJECT).roles, before);
    }

    function testFuzz_setRoles_WhenNoOfficeRoleChanges(uint32 before, uint32 after_) public {
        before &= Roles.ALL;
        uint32 roles = (before & OFFICES) | (after_ & ORDINARY);
        setRoles(SUBJECT, before);
        by(ADMIN);
        registry.setRoles(SUBJECT, roles);
        assertEq(registry.partyOf(SUBJECT).roles, roles);
    }

    function testFuzz_setRoles_WhenTheProposalIsApproved(uint32 seed) public {
        uint32 roles = seed & Roles.ALL;
        bytes memory call = setRolesCall(SUBJECT, roles);
        uint32 no = decided(call);
        expectEvent();
        emit IPartyRecord.RolesChanged(SUBJECT, roles, START + DELAY, AUTHORITY);
        carryOut(no, call);
        assertEq(registry.partyOf(SUBJECT).roles, roles);
        assertEq(registry.partyOf(ISSUER).roles, Roles.ISSUER);
        assertEq(registry.officers(), roles & Roles.AUTHORITY == 0 ? 3 : 4);
    }

    function test_setRoles_WhenAnOfficerIsAddedAndRemoved() public {
        setRoles(SUBJECT, Roles.AUTHORITY);
        assertEq(registry.officers(), 4);
        setRoles(THIRD_OFFICER, 0);
        assertEq(registry.officers(), 3);
        bytes memory call = setRolesCall(SUBJECT, 0);
        uint32 no = decided(call);
        expectTooFew();
        carryOut(no, call);
    }

    function test_setStatus_GivenTheCallerIsNeitherAuthorityNorSupervisor() public {
        for (uint32 no = 4; no <= 8; ++no) {
            expectLacksRole(PartyNo.wrap(no), GUARDS);
            by(PartyNo.wrap(no));
            registry.setStatus(ADMIN, PartyStatus.Suspended, Reason.Court);
        }
        expectLacksRole(ADMIN, GUARDS);
        by(ADMIN);
        registry.setStatus(ISSUER, PartyStatus.Suspended, Reason.Court);
    }

    function test_setStatus_WhenTheCallerChangesItsOwnStatus() public {
        expectSelfGrant(SUPERVISOR);
        by(SUPERVISOR);
        registry.setStatus(SUPERVISOR, PartyStatus.Active, Reason.Lifted);
    }

    function test_setStatus_WhenThePartyIsUnknown() public {
        expectUnknown(NOBODY);
        by(SUPERVISOR);
        registry.setStatus(NOBODY, PartyStatus.Active, Reason.Lifted);
    }

    function test_setStatus_WhenTheStatusIsNone() public {
        expectNotActive(ISSUER, PartyStatus.None);
        by(SUPERVISOR);
        registry.setStatus(ISSUER, PartyStatus.None, Reason.Court);
    }

    function test_setStatus_GivenThePartyIsClosed() public {
        setStatus(ISSUER, PartyStatus.Closed);
        pass(1);
        for (uint8 status = 0; status <= uint8(PartyStatus.Closed); ++status) {
            expectReverting(IPartyRegistry.PartyClosed.selector, PartyNo.unwrap(ISSUER), START + DELAY);
            by(SUPERVISOR);
            registry.setStatus(ISSUER, PartyStatus(status), Reason.Lifted);
        }
    }

    function test_setStatus_WhenThePartyIsClosedWithoutAnApprovedProposal() public {
        expectNotDecided();
        by(SUPERVISOR);
        registry.setStatus(ISSUER, PartyStatus.Closed, Reason.Fraud);
    }

    function test_setStatus_GivenNoApprovedProposalForAnAuthorityOrSupervisorOrIssuer() public {
        PartyNo[4] memory who = [SECOND_OFFICER, SUPERVISOR, THIRD_OFFICER, ISSUER];
        for (uint256 i = 0; i < who.length; ++i) {
            for (uint8 status = 1; status < uint8(PartyStatus.Closed); ++status) {
                expectNotDecided();
                by(AUTHORITY);
                registry.setStatus(who[i], PartyStatus(status), Reason.Court);
            }
        }
    }

    function test_setStatus_WhenAnOfficerIsSuspendedAndTooFewAreLeft() public {
        bytes memory call = setStatusCall(THIRD_OFFICER, PartyStatus.Suspended);
        uint32 no = decided(call);
        expectTooFew();
        carryOut(no, call);
        setRoles(SUBJECT, Roles.AUTHORITY);
        carryOut(no, call);
        assertEq(registry.officers(), 3);
        call = setStatusCall(THIRD_OFFICER, PartyStatus.Active);
        no = decided(call);
        carryOut(no, call);
        assertEq(registry.officers(), 4);
    }

    function test_setStatus_WhenTheCallIsValid() public {
        vm.warp(START + 9);
        expectEvent();
        emit IPartyRegistry.PartyStatusChanged(PROVIDER, PartyStatus.Sanctioned, Reason.Court, START + 9, SUPERVISOR);
        by(SUPERVISOR);
        registry.setStatus(PROVIDER, PartyStatus.Sanctioned, Reason.Court);
        assertEq(uint256(registry.partyOf(PROVIDER).status), uint256(PartyStatus.Sanctioned));
        assertEq(registry.partyOf(PROVIDER).since, START + 9);
        assertEq(registry.partyOf(PROVIDER).roles, Roles.PROVIDER);
        pass(DELAY);
        assertTrue(!registry.isSilent(PROVIDER), "a sanctioned party is not silent");
    }

    function test_accredit_GivenNoApprovedProposal() public {
        for (uint32 no = 1; no <= PARTIES; ++no) {
            expectNotDecided();
            by(PartyNo.wrap(no));
            registry.accredit(ISSUER, S51, START, START + 1);
        }
    }

    function test_accredit_WhenThePeriodEndsBeforeItBegins() public {
        _expectPeriod(START + 1, START);
    }

    function testFuzz_accredit_WhenThePeriodIsEmpty(uint40 from) public {
        _expectPeriod(from, from);
    }

    function testFuzz_accredit_WhenTheNewPeriodBeginsLaterThanTheOld(uint40 given, uint40 from) public {
        given = uint40(bound(given, 0, START));
        from = uint40(bound(from, given + 1, START + 99));
        _accredit(given, START + 100);
        _expectPeriod(from, START + 200);
        _assertPeriod(ISSUER, S51, given, START + 100);
    }

    function testFuzz_accredit_WhenTheEndIsMovedIntoThePast(uint40 given, uint40 to) public {
        uint40 then = START + 2 * DELAY;
        given = uint40(bound(given, then - 50, then + 100));
        to = uint40(bound(to, then - 99, (given < then ? given : then) - 1));
        _accredit(then - 100, given);
        _expectPeriod(then - 100, to);
        _assertPeriod(ISSUER, S51, then - 100, given);
    }

    function test_accredit_WhenThePeriodEndsNow() public {
        _accredit(START - 100, START + 9 * DELAY);
        _accredit(START - 100, START + 2 * DELAY);
        _assertPeriod(ISSUER, S51, START - 100, START + 2 * DELAY);
    }

    function test_accredit_WhenThePeriodIsRenewed() public {
        _accredit(START - 100, START - 50);
        _accredit(START - 100, START - 20);
        _accredit(START - 200, START + 200);
        _assertPeriod(ISSUER, S51, START - 200, START + 200);
    }

    function testFuzz_accredit_WhenTheCallIsValid(uint40 from, uint40 to) public {
        vm.assume(from < to);
        bytes memory call = abi.encodeCall(IPartyRegistry.accredit, (ISSUER, S51, from, to));
        uint32 no = decided(call);
        expectEvent();
        emit IPartyRegistry.Accredited(ISSUER, S51, from, to, START + DELAY, AUTHORITY);
        carryOut(no, call);
        _assertPeriod(ISSUER, S51, from, to);
        _assertPeriod(ISSUER, ScenarioCode.wrap("S52"), 0, 0);
        _assertPeriod(CONSUMER, S51, 0, 0);
    }

    function _accredit(uint40 from, uint40 to) private {
        decide(abi.encodeCall(IPartyRegistry.accredit, (ISSUER, S51, from, to)));
    }

    /// Lets two officers decide an accreditation for this period, and expects that the registry refuses to carry out
    /// their proposal.
    function _expectPeriod(uint40 from, uint40 to) private {
        bytes memory call = abi.encodeCall(IPartyRegistry.accredit, (ISSUER, S51, from, to));
        uint32 no = decided(call);
        expectReverting(IPartyRegistry.PartyPeriod.selector, from, to);
        carryOut(no, call);
    }

    function _assertPeriod(PartyNo no, ScenarioCode scenario, uint40 from, uint40 to) private view {
        (uint40 actualFrom, uint40 actualTo) = registry.accreditationOf(no, scenario);
        assertEq(actualFrom, from);
        assertEq(actualTo, to);
    }

    function _expectNotDeployed(IPartyRegistry.Founding[] memory list) private {
        bytes memory code = bytes.concat(vm.getCode("PartyRegistry"), abi.encode(forwarder, DELAY, list));
        address created;
        assembly {
            created := create(0, add(code, 32), mload(code))
        }
        assertEq(created, address(0));
    }
}
