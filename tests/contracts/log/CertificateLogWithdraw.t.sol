// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {PartyNo, PartyStatus, Reason} from "../../../contracts/Types.sol";
import {LogWorld} from "./LogWorld.sol";
import {vm} from "../Vm.sol";

/// Tests withdrawals that a party sends itself; see CertificateLog.tree.
contract CertificateLogWithdrawTest is LogWorld {
    bytes32 private constant CONSENT = "consent";

    function test_withdraw_GivenTheCallerIsAStranger() public {
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        log.withdraw(CONSENT);
    }

    function test_withdraw_GivenTheAccountWasRetired() public {
        address fresh = address(0xF5E5);
        retire(SUBJECT, fresh, accountOf(SUBJECT));
        expectUnknownAccount(accountOf(SUBJECT));
        _withdraw(SUBJECT, CONSENT);
        vm.prank(fresh);
        log.withdraw(CONSENT);
        assertWithdrawn(SUBJECT, CONSENT, START);
    }

    function test_withdraw_GivenThePartyIsNotActive() public {
        PartyStatus[3] memory statuses = [PartyStatus.Suspended, PartyStatus.Sanctioned, PartyStatus.Closed];
        for (uint256 i = 0; i < statuses.length; ++i) {
            setStatus(SUBJECT, statuses[i]);
            _withdraw(SUBJECT, statement(i));
            assertWithdrawn(SUBJECT, statement(i), START);
        }
    }

    function testFuzz_withdraw_GivenThePartyWithdrewTheStatement(bytes32 consent, uint16 wait) public {
        _withdraw(SUBJECT, consent);
        bytes32 head = log.head();
        vm.warp(START + wait);
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogAlreadyWithdrawn.selector, consent, START));
        _withdraw(SUBJECT, consent);
        assertWithdrawn(SUBJECT, consent, START);
        assertEq(log.head(), head);
    }

    function test_withdraw_GivenAnotherPartyWithdrewTheStatement() public {
        _withdraw(PROVIDER, CONSENT);
        assertWithdrawn(SUBJECT, CONSENT, 0);
        vm.warp(START + 5);
        _withdraw(SUBJECT, CONSENT);
        assertWithdrawn(SUBJECT, CONSENT, START + 5);
        assertWithdrawn(PROVIDER, CONSENT, START);
    }

    function test_withdraw_GivenTheStatementHasAHold() public {
        by(SUPERVISOR);
        log.hold(statements(1, 2), Reason.Court);
        _withdraw(SUBJECT, statement(1));
        assertWithdrawn(SUBJECT, statement(1), START);
        (uint8 offices, uint64 changes) = log.holdOf(statement(1));
        assertEq(offices, 2);
        assertEq(changes, 1);
    }

    function testFuzz_withdraw_WhenTheCallIsValid(bytes32 consent, uint16 wait) public {
        uint40 at = START + wait;
        vm.warp(at);
        vm.expectEmit(address(log));
        emit ICertificateLog.Withdrawn(SUBJECT, consent, false, at);
        _withdraw(SUBJECT, consent);
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            PartyNo party = PartyNo.wrap(no);
            assertWithdrawn(party, consent, party == SUBJECT ? at : 0);
        }
        assertWithdrawn(SUBJECT, bytes32(uint256(consent) ^ 1), 0);
        assertEq(log.usesOf(SUBJECT, consent), 0);
        (, uint64 changes) = log.holdOf(consent);
        assertEq(changes, 0);
    }

    function test_withdraw_WhenEveryPartyWithdrawsTheStatement() public {
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            _withdraw(PartyNo.wrap(no), CONSENT);
            assertWithdrawn(PartyNo.wrap(no), CONSENT, START);
        }
    }

    function _withdraw(PartyNo no, bytes32 consent) private {
        by(no);
        log.withdraw(consent);
    }
}
