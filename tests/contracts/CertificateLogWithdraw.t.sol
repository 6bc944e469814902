// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "../../contracts/interfaces/ICertificateLog.sol";
import {LeafStatus, PartyNo, PartyStatus} from "../../contracts/Types.sol";
import {LogWorld, edge} from "./LogWorld.sol";
import {vm} from "./Vm.sol";

/// What a party withdraws for its own part; see CertificateLog.tree.
contract CertificateLogWithdrawTest is LogWorld {
    function test_withdraw_GivenTheCallerIsAStranger() public {
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        log.withdraw(FIRST, 0);
    }

    function test_withdraw_GivenTheAccountWasRetired() public {
        address fresh = address(0xF5E5);
        by(SUBJECT);
        registry.rotateAccount(fresh);
        expectUnknownAccount(accountOf(SUBJECT));
        _withdraw(SUBJECT, 0);
        vm.prank(fresh);
        log.withdraw(FIRST, 0);
        assertTrue(log.withdrawnBy(SUBJECT, FIRST, 0), "by the next account");
    }

    function test_withdraw_GivenThePartyIsNotActive() public {
        PartyStatus[3] memory statuses = [PartyStatus.Suspended, PartyStatus.Sanctioned, PartyStatus.Closed];
        for (uint32 i = 0; i < statuses.length; ++i) {
            setStatus(SUBJECT, statuses[i]);
            _withdraw(SUBJECT, i);
            assertTrue(log.withdrawnBy(SUBJECT, FIRST, i), "whatever the status");
        }
    }

    function test_withdraw_WhenTheBatchIsUnknown() public {
        expectUnknownBatch(UNKNOWN);
        by(SUBJECT);
        log.withdraw(UNKNOWN, 0);
    }

    function testFuzz_withdraw_GivenThePartyWithdrewTheLeaf(uint32 index) public {
        _withdraw(SUBJECT, index);
        bytes32 head = log.head();
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogAlreadyWithdrawn.selector, FIRST, index));
        _withdraw(SUBJECT, index);
        assertTrue(log.withdrawnBy(SUBJECT, FIRST, index), "still withdrawn");
        assertEq(log.head(), head);
    }

    function test_withdraw_GivenAnotherPartyWithdrewTheLeaf() public {
        _withdraw(PROVIDER, 255);
        assertTrue(!log.withdrawnBy(SUBJECT, FIRST, 255), "not for the subject");
        _withdraw(SUBJECT, 255);
        assertTrue(log.withdrawnBy(SUBJECT, FIRST, 255), "for the subject too");
    }

    function test_withdraw_GivenTheLeafIsRevoked() public {
        revoke(3);
        _withdraw(SUBJECT, 3);
        assertTrue(log.withdrawnBy(SUBJECT, FIRST, 3), "a record of its own");
        assertStatus(3, LeafStatus.Revoked);
    }

    function testFuzz_withdraw_WhenAllIsWell(uint32 index, uint16 wait) public {
        vm.assume(index > 0 && index < type(uint32).max);
        uint40 at = START + wait;
        vm.warp(at);
        vm.expectEmit(address(log));
        emit ICertificateLog.Withdrawn(FIRST, index, at, SUBJECT);
        _withdraw(SUBJECT, index);
        assertTrue(log.withdrawnBy(SUBJECT, FIRST, index), "withdrawn");
        for (uint32 no = 1; no <= PARTIES; ++no) {
            bool own = no == PartyNo.unwrap(SUBJECT);
            assertTrue(log.withdrawnBy(PartyNo.wrap(no), FIRST, index) == own, "by no other party");
        }
        assertTrue(!log.withdrawnBy(SUBJECT, FIRST, index - 1), "the one before");
        assertTrue(!log.withdrawnBy(SUBJECT, FIRST, index + 1), "the one after");
        assertTrue(!log.withdrawnBy(SUBJECT, SECOND, index), "another batch");
        assertStatus(index, LeafStatus.Active);
        assertEq(log.statusWord(FIRST, index / 128), 0);
        assertEq(log.usesOf(FIRST, index), 0);
    }

    function testFuzz_withdraw_WhenAllIsWellAtTheEndsOfAWord(uint8 one, uint8 other) public {
        vm.assume(edge(one) != edge(other));
        _withdraw(SUBJECT, edge(one));
        assertTrue(!log.withdrawnBy(SUBJECT, FIRST, edge(other)), "it stays");
        _withdraw(SUBJECT, edge(other));
        assertTrue(log.withdrawnBy(SUBJECT, FIRST, edge(one)), "it stays withdrawn");
    }

    function test_withdraw_WhenEachWhoIsAPartyWithdraws() public {
        for (uint32 no = 1; no <= PARTIES; ++no) {
            _withdraw(PartyNo.wrap(no), 7);
            assertTrue(log.withdrawnBy(PartyNo.wrap(no), FIRST, 7), "no role is asked for");
        }
    }

    function _withdraw(PartyNo no, uint32 index) private {
        by(no);
        log.withdraw(FIRST, index);
    }
}
