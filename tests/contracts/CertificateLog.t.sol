// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "../../contracts/interfaces/ICertificateLog.sol";
import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";
import {LeafStatus, PartyNo, PartyStatus, Reason, Roles} from "../../contracts/Types.sol";
import {LogWorld, edge} from "./LogWorld.sol";
import {vm} from "./Vm.sol";

/// Anchors and the status of single leaves; see CertificateLog.tree.
contract CertificateLogTest is LogWorld {
    uint32 private constant REVOKES = Roles.ISSUER | Roles.REGISTRAR | Roles.AUTHORITY | Roles.SUPERVISOR;
    uint32 private constant SUSPENDS = Roles.ISSUER | Roles.AUTHORITY | Roles.SUPERVISOR;

    function test_anchor_GivenTheCallerIsAStranger() public {
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        log.anchor(NEXT_SEQ, 1, 0);
    }

    function test_anchor_GivenTheCallerIsNotActive() public {
        setStatus(ISSUER, PartyStatus.Suspended);
        vm.expectRevert(
            abi.encodeWithSelector(IPartyRegistry.PartyNotActive.selector, ISSUER, PartyStatus.Suspended)
        );
        by(ISSUER);
        log.anchor(NEXT_SEQ, 1, 0);
    }

    function test_anchor_GivenTheCallerIsNotAnIssuer() public {
        for (uint32 no = 1; no <= PARTIES; ++no) {
            if (no == PartyNo.unwrap(ISSUER)) continue;
            expectLacksRole(PartyNo.wrap(no), Roles.ISSUER);
            by(PartyNo.wrap(no));
            log.anchor(NEXT_SEQ, 1, 0);
        }
    }

    function testFuzz_anchor_WhenTheRangeDoesNotBeginWhereTheLogEnds(uint64 firstSeq) public {
        vm.assume(firstSeq != NEXT_SEQ);
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogNotContiguous.selector, NEXT_SEQ, firstSeq));
        by(ISSUER);
        log.anchor(firstSeq, 1, 0);
    }

    function test_anchor_WhenTheBatchIsEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogEmptyBatch.selector));
        by(ISSUER);
        log.anchor(NEXT_SEQ, 0, 0);
    }

    function testFuzz_anchor_WhenAllIsWell(uint32 size, bytes32 root, uint32 wait) public {
        vm.assume(size != 0);
        uint40 at = START + wait;
        vm.warp(at);
        vm.expectEmit(address(log));
        emit ICertificateLog.Anchored(2, NEXT_SEQ, size, root, at, ISSUER);
        by(ISSUER);
        assertEq(log.anchor(NEXT_SEQ, size, root), 2);
        assertEq(log.batchCount(), 3);
        assertEq(log.nextSeq(), uint256(NEXT_SEQ) + size);
        bytes memory words = abi.encode(uint256(2), NEXT_SEQ, size, root, at, ISSUER);
        assertEq(log.commitmentOf(2), sha256(bytes.concat(bytes32("log/anchored/v1"), words)));
        assertEq(log.commitmentOf(3), bytes32(0));
    }

    function test_suspend_GivenTheCallerMayNotSuspend() public {
        PartyNo[5] memory others = [ADMIN, REGISTRAR, PROVIDER, CONSUMER, SUBJECT];
        for (uint256 i = 0; i < others.length; ++i) {
            expectLacksRole(others[i], SUSPENDS);
            by(others[i]);
            log.suspend(FIRST, 0, Reason.Court);
        }
    }

    function test_suspend_WhenTheBatchIsUnknown() public {
        expectUnknownBatch(UNKNOWN);
        by(ISSUER);
        log.suspend(UNKNOWN, 0, Reason.Court);
    }

    function test_suspend_GivenTheLeafIsSuspended() public {
        suspend(129);
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogAlreadySuspended.selector, FIRST, uint32(129)));
        by(SUPERVISOR);
        log.suspend(FIRST, 129, Reason.Court);
    }

    function test_suspend_GivenTheLeafIsRevoked() public {
        revoke(129);
        expectRevoked(129);
        by(SUPERVISOR);
        log.suspend(FIRST, 129, Reason.Court);
    }

    function test_suspend_WhenAllIsWell() public {
        vm.warp(START + 1);
        expectStatusChanged(7, 1 << 103, LeafStatus.Suspended, Reason.Investigation, START + 1);
        suspend(999);
        assertStatus(999, LeafStatus.Suspended);
        assertEq(log.statusWord(FIRST, 7), 1 << 103);
        assertEq(log.statusWord(SECOND, 7), 0);
    }

    function test_resume_GivenTheCallerMayNotSuspend() public {
        suspend(5);
        expectLacksRole(REGISTRAR, SUSPENDS);
        by(REGISTRAR);
        log.resume(FIRST, 5, Reason.Lifted);
    }

    function test_resume_WhenTheBatchIsUnknown() public {
        expectUnknownBatch(type(uint64).max);
        by(ISSUER);
        log.resume(type(uint64).max, 5, Reason.Lifted);
    }

    function test_resume_GivenTheLeafIsActive() public {
        suspend(4);
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogNotSuspended.selector, FIRST, uint32(5)));
        by(ISSUER);
        log.resume(FIRST, 5, Reason.Lifted);
    }

    function test_resume_GivenTheLeafIsRevoked() public {
        suspend(5);
        revoke(5);
        expectRevoked(5);
        by(ISSUER);
        log.resume(FIRST, 5, Reason.Lifted);
    }

    function test_resume_WhenAllIsWell() public {
        suspend(128);
        suspend(129);
        expectStatusChanged(1, 1, LeafStatus.Active, Reason.Lifted, START);
        by(ISSUER);
        log.resume(FIRST, 128, Reason.Lifted);
        assertStatus(128, LeafStatus.Active);
        assertStatus(129, LeafStatus.Suspended);
    }

    function test_revoke_GivenTheCallerMayNotRevoke() public {
        PartyNo[4] memory others = [ADMIN, PROVIDER, CONSUMER, SUBJECT];
        for (uint256 i = 0; i < others.length; ++i) {
            expectLacksRole(others[i], REVOKES);
            by(others[i]);
            log.revoke(FIRST, 0, Reason.Court);
        }
    }

    function test_revoke_WhenTheBatchIsUnknown() public {
        expectUnknownBatch(UNKNOWN);
        by(ISSUER);
        log.revoke(UNKNOWN, 0, Reason.Court);
    }

    function testFuzz_revoke_GivenTheLeafIsRevoked(uint32 index) public {
        revoke(index);
        expectRevoked(index);
        revoke(index);
    }

    function test_revoke_GivenTheLeafIsSuspended() public {
        suspend(3);
        revoke(3);
        assertStatus(3, LeafStatus.Revoked);
    }

    function testFuzz_revoke_WhenAllIsWell(uint32 index) public {
        expectStatusChanged(index / 128, 1 << (index % 128), LeafStatus.Revoked, Reason.Fraud, START);
        revoke(index);
        assertStatus(index, LeafStatus.Revoked);
        assertEq(log.statusWord(FIRST, index / 128), 1 << (128 + index % 128));
    }

    function test_revoke_WhenEachWhoMayRevokes() public {
        PartyNo[4] memory who = [ISSUER, REGISTRAR, AUTHORITY, SUPERVISOR];
        for (uint32 i = 0; i < who.length; ++i) {
            by(who[i]);
            log.revoke(FIRST, i, Reason.Court);
            assertStatus(i, LeafStatus.Revoked);
        }
    }

    function testFuzz_statusOf_WhenAnotherLeafChanges(uint16 one, uint16 other, uint8 before, uint8 move) public {
        _assertStays(one % 300, other % 300, before, move);
    }

    function testFuzz_statusOf_WhenAnotherLeafAtTheEndOfAWordChanges(uint8 one, uint8 other, uint8 before, uint8 move)
        public
    {
        _assertStays(edge(one), edge(other), before, move);
    }

    function _assertStays(uint32 still, uint32 moved, uint8 before, uint8 move) private {
        vm.assume(still != moved);
        if (before % 3 == 1) suspend(still);
        if (before % 3 == 2) revoke(still);
        LeafStatus expected = LeafStatus(before % 3);

        if (move % 3 != 0) suspend(moved);
        assertStatus(still, expected);
        if (move % 3 == 1) {
            by(ISSUER);
            log.resume(FIRST, moved, Reason.Lifted);
        } else {
            revoke(moved);
        }
        assertStatus(still, expected);
        assertEq(uint256(log.statusOf(SECOND, moved)), uint256(LeafStatus.Active));
    }
}
