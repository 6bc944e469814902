// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "../../contracts/interfaces/ICertificateLog.sol";
import {LeafStatus, PartyNo, PartyStatus, Reason, Roles} from "../../contracts/Types.sol";
import {LogWorld} from "./LogWorld.sol";
import {vm} from "./Vm.sol";

/// What offices hold and lift; see CertificateLog.tree.
contract CertificateLogHoldsTest is LogWorld {
    uint32 private constant HOLDS = Roles.AUTHORITY | Roles.SUPERVISOR;
    uint8 private constant AUTHORITY_BIT = 1;
    uint8 private constant SUPERVISOR_BIT = 2;
    uint8 private constant BOTH_BITS = 3;
    bytes32 private constant ONE = "one";

    function test_hold_GivenTheCallerHasNoOffice() public {
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            if (_isOffice(PartyNo.wrap(no))) continue;
            expectLacksRole(PartyNo.wrap(no), HOLDS);
            _hold(PartyNo.wrap(no), ONE);
            expectLacksRole(PartyNo.wrap(no), HOLDS);
            _lift(PartyNo.wrap(no), ONE);
        }
        _assertHold(ONE, 0, 0);
    }

    function test_hold_GivenTheCallerIsNotActive() public {
        setStatus(SUPERVISOR, PartyStatus.Suspended);
        expectNotActive(SUPERVISOR, PartyStatus.Suspended);
        _hold(SUPERVISOR, ONE);
    }

    function test_hold_GivenTheOfficeHoldsTheStatement() public {
        PartyNo[3] memory who = [AUTHORITY, SUPERVISOR, BOTH];
        for (uint256 i = 0; i < who.length; ++i) {
            _hold(who[i], statement(i));
            _expectAlreadyHeld(statement(i));
            _hold(who[i], statement(i));
        }
        // For the office, whoever held it.
        _expectAlreadyHeld(statement(2));
        _hold(AUTHORITY, statement(2));
    }

    function test_hold_GivenAnotherOfficeHoldsTheStatement() public {
        _hold(AUTHORITY, ONE);
        _expectHeld(BOTH_BITS, 2, Reason.Court, SUPERVISOR);
        _hold(SUPERVISOR, ONE);
        _assertHold(ONE, BOTH_BITS, 2);
    }

    function test_hold_GivenOneOfBothOfficesHoldsTheStatement() public {
        _hold(AUTHORITY, ONE);
        _expectHeld(BOTH_BITS, 2, Reason.Court, BOTH);
        _hold(BOTH, ONE);
        _assertHold(ONE, BOTH_BITS, 2);
    }

    function test_hold_WhenOneOfTheListIsHeld() public {
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

    function testFuzz_hold_WhenAllIsWell(bytes32 one, uint8 seed, uint16 wait) public {
        PartyNo who = _office(seed);
        uint8 own = _bitsOf(who);
        vm.warp(START + wait);
        vm.expectEmit(address(log));
        emit ICertificateLog.Held(one, own, 1, Reason.Court, START + wait, who);
        _hold(who, one);
        _assertHold(one, own, 1);
        _assertHold(bytes32(uint256(one) ^ 1), 0, 0);
        // A record of its own: no status, no use, no withdrawal.
        assertStatus(0, LeafStatus.Active);
        assertEq(log.usesOf(who, one), 0);
        assertEq(log.withdrawnAt(who, one), 0);
    }

    function test_hold_WhenTheListIsEmpty() public {
        bytes32 head = log.head();
        by(SUPERVISOR);
        log.hold(new bytes32[](0), Reason.Court);
        assertEq(log.head(), head);
    }

    function test_lift_GivenTheStatementWasNeverHeld() public {
        _expectNotHeld(ONE);
        _lift(BOTH, ONE);
    }

    function test_lift_GivenOnlyAnotherOfficeHoldsTheStatement() public {
        _hold(AUTHORITY, ONE);
        _expectNotHeld(ONE);
        _lift(SUPERVISOR, ONE);
        _hold(SUPERVISOR, statement(1));
        _expectNotHeld(statement(1));
        _lift(AUTHORITY, statement(1));
        _assertHold(ONE, AUTHORITY_BIT, 1);
        _assertHold(statement(1), SUPERVISOR_BIT, 1);
    }

    function test_lift_GivenBothOfficesHoldTheStatement() public {
        _hold(BOTH, ONE);
        _expectHeld(SUPERVISOR_BIT, 2, Reason.Lifted, AUTHORITY);
        _lift(AUTHORITY, ONE);
        _assertHold(ONE, SUPERVISOR_BIT, 2);
        _lift(SUPERVISOR, ONE);
        _assertHold(ONE, 0, 3);
    }

    function test_lift_WhenThePartyHasBothOffices() public {
        _hold(AUTHORITY, ONE);
        _hold(SUPERVISOR, ONE);
        _expectHeld(0, 3, Reason.Lifted, BOTH);
        _lift(BOTH, ONE);
        _assertHold(ONE, 0, 3);
        // One of its two is enough.
        _hold(SUPERVISOR, ONE);
        _lift(BOTH, ONE);
        _assertHold(ONE, 0, 5);
    }

    function test_lift_WhenOneOfTheListIsNotHeld() public {
        _hold(SUPERVISOR, statement(1));
        _expectNotHeld(statement(2));
        by(SUPERVISOR);
        log.lift(statements(1, 2), Reason.Lifted);
        _assertHold(statement(1), SUPERVISOR_BIT, 1);
    }

    function testFuzz_lift_WhenHeldAndLiftedManyTimes(uint8 seed, uint8 times) public {
        PartyNo who = _office(seed);
        uint64 rounds = times % 10 + 1;
        for (uint64 i = 0; i < rounds; ++i) {
            _hold(who, ONE);
            _assertHold(ONE, _bitsOf(who), 2 * i + 1);
            _lift(who, ONE);
            _assertHold(ONE, 0, 2 * i + 2);
        }
    }

    function test_lift_GivenTheOfficeWasTakenFromWhoHeld() public {
        _hold(SUPERVISOR, ONE);
        by(AUTHORITY);
        registry.setRoles(SUPERVISOR, 0);
        expectLacksRole(SUPERVISOR, HOLDS);
        _lift(SUPERVISOR, ONE);
        _assertHold(ONE, SUPERVISOR_BIT, 1);
        _lift(BOTH, ONE);
        _assertHold(ONE, 0, 2);
    }

    function _hold(PartyNo who, bytes32 one) private {
        by(who);
        log.hold(_list(one), Reason.Court);
    }

    function _lift(PartyNo who, bytes32 one) private {
        by(who);
        log.lift(_list(one), Reason.Lifted);
    }

    function _list(bytes32 one) private pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = one;
    }

    function _isOffice(PartyNo no) private pure returns (bool) {
        return no == AUTHORITY || no == SUPERVISOR || no == BOTH;
    }

    function _office(uint256 seed) private pure returns (PartyNo) {
        PartyNo[3] memory who = [AUTHORITY, SUPERVISOR, BOTH];
        return who[seed % 3];
    }

    /// An authority is an admin too, which holds nothing.
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
