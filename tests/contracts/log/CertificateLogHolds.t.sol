// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {LeafStatus, PartyNo, PartyStatus, Reason, Roles} from "../../../contracts/Types.sol";
import {LogWorld} from "./LogWorld.sol";
import {vm} from "../Vm.sol";

/// Tests the placing and lifting of holds; see CertificateLog.tree.
contract CertificateLogHoldsTest is LogWorld {
    uint32 private constant HOLDS = Roles.AUTHORITY | Roles.SUPERVISOR;
    uint8 private constant AUTHORITY_BIT = 1;
    uint8 private constant SUPERVISOR_BIT = 2;
    uint8 private constant BOTH_BITS = 3;
    bytes32 private constant ONE = "one";

    function test_hold_GivenTheCallerIsNeitherAuthorityNorSupervisor() public {
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            if (_isOffice(PartyNo.wrap(no))) continue;
            expectLacksRole(PartyNo.wrap(no), HOLDS);
            _hold(PartyNo.wrap(no), ONE);
        }
        _assertHold(ONE, 0, 0);
    }

    function test_hold_GivenTheCallerIsNotActive() public {
        setStatus(SUPERVISOR, PartyStatus.Suspended);
        expectNotActive(SUPERVISOR, PartyStatus.Suspended);
        _hold(SUPERVISOR, ONE);
    }

    function test_hold_GivenTheStatementAlreadyHasAHoldOfTheCallersOffice() public {
        PartyNo[3] memory who = [AUTHORITY, SUPERVISOR, BOTH];
        for (uint256 i = 0; i < who.length; ++i) {
            _hold(who[i], statement(i));
            _expectAlreadyHeld(statement(i));
            _hold(who[i], statement(i));
        }
        // A hold belongs to the role (authority or supervisor), not to the party that placed the hold.
        _expectAlreadyHeld(statement(2));
        _hold(AUTHORITY, statement(2));
    }

    function test_hold_GivenTheStatementHasAHoldOfTheOtherOffice() public {
        _hold(AUTHORITY, ONE);
        _expectHeld(BOTH_BITS, 2, Reason.Court, SUPERVISOR);
        _hold(SUPERVISOR, ONE);
        _assertHold(ONE, BOTH_BITS, 2);
    }

    function test_hold_GivenTheCallerHasTheRolesOfBothOfficesAndTheStatementHasAHoldOfOneOffice() public {
        _hold(AUTHORITY, ONE);
        _expectHeld(BOTH_BITS, 2, Reason.Court, BOTH);
        _hold(BOTH, ONE);
        _assertHold(ONE, BOTH_BITS, 2);
    }

    function test_hold_WhenOneStatementOfTheListAlreadyHasAHold() public {
        _hold(SUPERVISOR, statement(2));
        bytes32 head = log.head();
        _expectAlreadyHeld(statement(2));
        by(SUPERVISOR);
        log.hold(statements(1, 2), Reason.Court);
        _assertHold(statement(1), 0, 0);
        assertEq(log.head(), head);
    }

    function test_hold_WhenAStatementIsNamedTwice() public {
        _expectAlreadyHeld(statement(1));
        by(SUPERVISOR);
        log.hold(statements(1, 1), Reason.Court);
        _assertHold(statement(1), 0, 0);
    }

    function testFuzz_hold_WhenTheCallIsValid(bytes32 one, uint8 seed, uint16 wait) public {
        PartyNo who = _office(seed);
        uint8 own = _bitsOf(who);
        vm.warp(START + wait);
        vm.expectEmit(address(log));
        emit ICertificateLog.Held(one, own, 1, Reason.Court, START + wait, who);
        _hold(who, one);
        _assertHold(one, own, 1);
        _assertHold(bytes32(uint256(one) ^ 1), 0, 0);
        // A hold changes no status, no use and no withdrawal.
        assertStatus(0, LeafStatus.Active);
        assertEq(log.usesOf(who, one), 0);
        assertWithdrawn(who, one, 0);
    }

    function test_hold_WhenTheListIsEmpty() public {
        bytes32 head = log.head();
        by(SUPERVISOR);
        log.hold(new bytes32[](0), Reason.Court);
        assertEq(log.head(), head);
    }

    function test_lift_GivenTheCallerIsNotTheRegistry() public {
        _hold(BOTH, ONE);
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogNotDecided.selector));
            by(PartyNo.wrap(no));
            log.lift(AUTHORITY_BIT, _list(ONE), Reason.Lifted);
        }
        _assertHold(ONE, BOTH_BITS, 1);
    }

    function test_lift_GivenNoProposalIsBeingCarriedOut() public {
        _hold(BOTH, ONE);
        expectUnknownAccount(address(registry));
        vm.prank(address(registry));
        log.lift(AUTHORITY_BIT, _list(ONE), Reason.Lifted);
    }

    function test_lift_GivenTheProposerLacksTheRoleOfTheOffice() public {
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            for (uint8 office = AUTHORITY_BIT; office <= SUPERVISOR_BIT; ++office) {
                if (_isOf(PartyNo.wrap(no), office)) continue;
                bytes memory call = _liftCall(office, ONE);
                expectLacksRole(PartyNo.wrap(no), office == AUTHORITY_BIT ? Roles.AUTHORITY : Roles.SUPERVISOR);
                by(PartyNo.wrap(no));
                registry.propose(address(log), call);
            }
        }
    }

    function test_lift_GivenTheConfirmerLacksTheRoleOfTheOffice() public {
        _hold(SUPERVISOR, ONE);
        bytes memory call = _liftCall(SUPERVISOR_BIT, ONE);
        by(SUPERVISOR);
        uint32 no = registry.propose(address(log), call);
        for (uint32 other = 1; other <= LOG_PARTIES; ++other) {
            if (_isOf(PartyNo.wrap(other), SUPERVISOR_BIT)) continue;
            expectLacksRole(PartyNo.wrap(other), Roles.SUPERVISOR);
            by(PartyNo.wrap(other));
            registry.confirm(no, address(log), call);
        }
        _assertHold(ONE, SUPERVISOR_BIT, 1);
    }

    function testFuzz_lift_WhenThereIsNoSuchOffice(uint8 office) public {
        vm.assume(office != AUTHORITY_BIT && office != SUPERVISOR_BIT);
        _hold(BOTH, ONE);
        bytes memory call = _liftCall(office, ONE);
        expectLacksRole(BOTH, 0);
        by(BOTH);
        registry.propose(address(log), call);
    }

    function test_lift_GivenTheStatementNeverHadAHold() public {
        _expectNotLifted(SUPERVISOR_BIT, ONE, ONE);
    }

    function test_lift_GivenTheStatementHasOnlyAHoldOfTheOtherOffice() public {
        _hold(AUTHORITY, ONE);
        _expectNotLifted(SUPERVISOR_BIT, ONE, ONE);
        _hold(SUPERVISOR, statement(1));
        _expectNotLifted(AUTHORITY_BIT, statement(1), statement(1));
        _assertHold(ONE, AUTHORITY_BIT, 1);
        _assertHold(statement(1), SUPERVISOR_BIT, 1);
    }

    function test_lift_GivenTheStatementHasHoldsOfBothOffices() public {
        _hold(BOTH, ONE);
        _lift(AUTHORITY_BIT, ONE);
        _assertHold(ONE, SUPERVISOR_BIT, 2);
        _lift(SUPERVISOR_BIT, ONE);
        _assertHold(ONE, 0, 3);
    }

    function test_lift_WhenTheProposerHasTheRolesOfBothOffices() public {
        _hold(AUTHORITY, ONE);
        _hold(SUPERVISOR, ONE);
        bytes memory call = _liftCall(AUTHORITY_BIT, ONE);
        by(BOTH);
        uint32 no = registry.propose(address(log), call);
        _expectHeld(SUPERVISOR_BIT, 3, Reason.Lifted, BOTH);
        by(AUTHORITY);
        registry.confirm(no, address(log), call);
        _assertHold(ONE, SUPERVISOR_BIT, 3);
    }

    function test_lift_WhenOneStatementOfTheListHasNoHold() public {
        _hold(SUPERVISOR, statement(1));
        _expectNotLifted(SUPERVISOR_BIT, statement(1), statement(2));
        _assertHold(statement(1), SUPERVISOR_BIT, 1);
    }

    function testFuzz_lift_WhenAHoldIsPlacedAndLiftedManyTimes(bool authority, uint8 times) public {
        uint8 office = authority ? AUTHORITY_BIT : SUPERVISOR_BIT;
        uint64 rounds = times % 10 + 1;
        for (uint64 i = 0; i < rounds; ++i) {
            _hold(authority ? AUTHORITY : SUPERVISOR, ONE);
            _assertHold(ONE, office, 2 * i + 1);
            _lift(office, ONE);
            _assertHold(ONE, 0, 2 * i + 2);
        }
    }

    function test_lift_GivenThePartyThatPlacedTheHoldLostItsRole() public {
        _hold(SUPERVISOR, ONE);
        bytes memory call = _liftCall(SUPERVISOR_BIT, ONE);
        by(BOTH);
        uint32 no = registry.propose(address(log), call);
        setRoles(SUPERVISOR, 0);
        expectLacksRole(SUPERVISOR, Roles.SUPERVISOR);
        by(SUPERVISOR);
        registry.confirm(no, address(log), call);
        _assertHold(ONE, SUPERVISOR_BIT, 1);
        setRoles(ADMIN, Roles.SUPERVISOR);
        by(ADMIN);
        registry.confirm(no, address(log), call);
        _assertHold(ONE, 0, 2);
    }

    function _hold(PartyNo who, bytes32 one) private {
        by(who);
        log.hold(_list(one), Reason.Court);
    }

    /// Lets two parties lift a hold of the authorities or of the supervisors; both have the role for this.
    function _lift(uint8 office, bytes32 one) private {
        decideBy(BOTH, office == AUTHORITY_BIT ? AUTHORITY : SUPERVISOR, address(log), _liftCall(office, one));
    }

    function _liftCall(uint8 office, bytes32 one) private pure returns (bytes memory) {
        return abi.encodeCall(ICertificateLog.lift, (office, _list(one), Reason.Lifted));
    }

    /// Two parties with the right role decide to lift holds of one or two statements, but the log refuses because the
    /// statement `one` has no hold.
    function _expectNotLifted(uint8 office, bytes32 other, bytes32 one) private {
        bytes32[] memory list = new bytes32[](2);
        (list[0], list[1]) = (other, one);
        if (other == one) list = _list(one);
        bytes memory call = abi.encodeCall(ICertificateLog.lift, (office, list, Reason.Lifted));
        by(BOTH);
        uint32 no = registry.propose(address(log), call);
        _expectNotHeld(one);
        by(office == AUTHORITY_BIT ? AUTHORITY : SUPERVISOR);
        registry.confirm(no, address(log), call);
    }

    function _isOf(PartyNo no, uint8 office) private pure returns (bool) {
        return no == BOTH || (office == AUTHORITY_BIT ? isOfficer(no) : no == SUPERVISOR);
    }

    function _list(bytes32 one) private pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = one;
    }

    function _isOffice(PartyNo no) private pure returns (bool) {
        return isOfficer(no) || no == SUPERVISOR || no == BOTH;
    }

    function _office(uint256 seed) private pure returns (PartyNo) {
        PartyNo[3] memory who = [AUTHORITY, SUPERVISOR, BOTH];
        return who[seed % 3];
    }

    /// Returns the bits of the holds that a party can place. AUTHORITY is also an admin, but admins cannot place holds.
    function _bitsOf(PartyNo no) private pure returns (uint8) {
        if (no == BOTH) return BOTH_BITS;
        return no == AUTHORITY ? AUTHORITY_BIT : SUPERVISOR_BIT;
    }

    function _expectHeld(uint8 offices, uint64 change, Reason reason, PartyNo who) private {
        vm.expectEmit(address(log));
        emit ICertificateLog.Held(ONE, offices, change, reason, START, who);
    }

    function _expectAlreadyHeld(bytes32 one) private {
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogAlreadyHeld.selector, one));
    }

    function _expectNotHeld(bytes32 one) private {
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogNotHeld.selector, one));
    }

    function _assertHold(bytes32 one, uint8 offices, uint64 changes) private view {
        (uint8 actualOffices, uint64 actualChanges) = log.holdOf(one);
        assertEq(actualOffices, offices);
        assertEq(actualChanges, changes);
    }
}
