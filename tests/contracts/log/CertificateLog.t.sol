// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {LeafStatus, PartyNo, PartyStatus, Reason, Roles} from "../../../contracts/Types.sol";
import {LogWorld, edge} from "./LogWorld.sol";
import {vm} from "../Vm.sol";

/// Tests the anchoring of batches, and the status of single leaves; see CertificateLog.tree.
contract CertificateLogTest is LogWorld {
    function test_anchor_GivenTheCallerIsAStranger() public {
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        log.anchor(NEXT_SEQ, 1, 0);
    }

    function test_anchor_GivenTheCallerIsNotActive() public {
        setStatus(ISSUER, PartyStatus.Suspended);
        expectNotActive(ISSUER, PartyStatus.Suspended);
        by(ISSUER);
        log.anchor(NEXT_SEQ, 1, 0);
    }

    function test_anchor_GivenTheCallerIsNotAnIssuer() public {
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            if (isIssuer(PartyNo.wrap(no))) continue;
            expectIssuersOnly(PartyNo.wrap(no));
            log.anchor(NEXT_SEQ, 1, 0);
        }
    }

    function testFuzz_anchor_WhenTheBatchDoesNotBeginWhereTheLogEnds(uint64 firstSeq) public {
        vm.assume(firstSeq != NEXT_SEQ);
        _expectNotContiguous(ISSUER, NEXT_SEQ, firstSeq);
        by(ISSUER);
        log.anchor(firstSeq, 1, 0);
    }

    function test_anchor_WhenTheBatchBeginsWhereAnotherIssuersLogEnds() public {
        _expectNotContiguous(OTHER_ISSUER, OTHER_SIZE, NEXT_SEQ);
        by(OTHER_ISSUER);
        log.anchor(NEXT_SEQ, 1, 0);
    }

    function test_anchor_WhenTheBatchIsEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogEmptyBatch.selector));
        by(ISSUER);
        log.anchor(NEXT_SEQ, 0, 0);
    }

    function testFuzz_anchor_WhenTheCallIsValid(uint32 size, bytes32 root, uint32 wait) public {
        vm.assume(size != 0);
        uint40 at = START + wait;
        vm.warp(at);
        vm.expectEmit(address(log));
        emit ICertificateLog.Anchored(ISSUER, 2, NEXT_SEQ, size, root, at);
        by(ISSUER);
        assertEq(log.anchor(NEXT_SEQ, size, root), 2);
        assertEq(log.batchCount(ISSUER), 3);
        assertEq(log.nextSeq(ISSUER), uint256(NEXT_SEQ) + size);
        bytes memory words = abi.encode(ISSUER, uint256(2), NEXT_SEQ, size, root, at);
        assertEq(log.commitmentOf(ISSUER, 2), sha256(bytes.concat(bytes32("log/anchored/v2"), words)));
        assertEq(log.commitmentOf(ISSUER, 3), bytes32(0));
        assertEq(log.batchCount(OTHER_ISSUER), 1);
        assertEq(log.nextSeq(OTHER_ISSUER), OTHER_SIZE);
        assertEq(log.commitmentOf(OTHER_ISSUER, 2), bytes32(0));
    }

    /// A second issuer anchors the first issuer's entries again, to reset their status. But the new batch belongs to
    /// the second issuer's log, and the status in the first issuer's log stays.
    function test_anchor_WhenAnotherIssuerAnchorsTheSameEntries() public {
        revoke(3);
        bytes32 commitment = log.commitmentOf(ISSUER, FIRST);
        by(OTHER_ISSUER);
        assertEq(log.anchor(OTHER_SIZE, FIRST_SIZE, "first root"), 1);
        assertStatus(3, LeafStatus.Revoked);
        assertEq(log.commitmentOf(ISSUER, FIRST), commitment);
        assertEq(log.batchCount(ISSUER), 2);
        assertEq(log.nextSeq(ISSUER), NEXT_SEQ);
        assertTrue(log.commitmentOf(OTHER_ISSUER, 1) != commitment, "the commitment depends on the issuer");
    }

    function test_suspend_GivenTheCallerIsNotAnIssuer() public {
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            if (isIssuer(PartyNo.wrap(no))) continue;
            expectIssuersOnly(PartyNo.wrap(no));
            log.suspend(FIRST, 0, Reason.Court);
        }
    }

    function test_suspend_WhenTheBatchIsUnknown() public {
        expectUnknownBatch(ISSUER, UNKNOWN);
        by(ISSUER);
        log.suspend(UNKNOWN, 0, Reason.Court);
    }

    function test_suspend_WhenTheBatchBelongsToAnotherIssuer() public {
        expectUnknownBatch(OTHER_ISSUER, SECOND);
        by(OTHER_ISSUER);
        log.suspend(SECOND, 0, Reason.Court);
    }

    function test_suspend_GivenTheLeafIsSuspended() public {
        suspend(129);
        vm.expectRevert(
            abi.encodeWithSelector(ICertificateLog.LogAlreadySuspended.selector, ISSUER, FIRST, uint32(129))
        );
        suspend(129);
    }

    function test_suspend_GivenTheLeafIsRevoked() public {
        revoke(129);
        expectRevoked(129);
        suspend(129);
    }

    function test_suspend_WhenTheCallIsValid() public {
        vm.warp(START + 1);
        expectStatusChanged(7, 1 << 103, LeafStatus.Suspended, Reason.Investigation, START + 1);
        suspend(999);
        assertStatus(999, LeafStatus.Suspended);
        assertEq(log.statusWord(ISSUER, FIRST, 7), 1 << 103);
        assertEq(log.statusWord(ISSUER, SECOND, 7), 0);
        assertEq(log.statusWord(OTHER_ISSUER, FIRST, 7), 0);
    }

    function test_resume_GivenTheCallerIsNotAnIssuer() public {
        suspend(5);
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            if (isIssuer(PartyNo.wrap(no))) continue;
            expectIssuersOnly(PartyNo.wrap(no));
            log.resume(FIRST, 5, Reason.Lifted);
        }
    }

    function test_resume_WhenTheBatchIsUnknown() public {
        expectUnknownBatch(ISSUER, type(uint64).max);
        by(ISSUER);
        log.resume(type(uint64).max, 5, Reason.Lifted);
    }

    function test_resume_WhenTheLeafIsSuspendedInAnotherIssuersLog() public {
        suspend(5);
        vm.expectRevert(
            abi.encodeWithSelector(ICertificateLog.LogNotSuspended.selector, OTHER_ISSUER, FIRST, uint32(5))
        );
        by(OTHER_ISSUER);
        log.resume(FIRST, 5, Reason.Lifted);
        assertStatus(5, LeafStatus.Suspended);
    }

    function test_resume_GivenTheLeafIsActive() public {
        suspend(4);
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogNotSuspended.selector, ISSUER, FIRST, uint32(5)));
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

    function test_resume_WhenTheCallIsValid() public {
        suspend(128);
        suspend(129);
        expectStatusChanged(1, 1, LeafStatus.Active, Reason.Lifted, START);
        by(ISSUER);
        log.resume(FIRST, 128, Reason.Lifted);
        assertStatus(128, LeafStatus.Active);
        assertStatus(129, LeafStatus.Suspended);
    }

    function test_revoke_GivenTheCallerIsNotAnIssuer() public {
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            if (isIssuer(PartyNo.wrap(no))) continue;
            expectIssuersOnly(PartyNo.wrap(no));
            log.revoke(FIRST, 0, Reason.Court);
        }
    }

    function test_revoke_WhenTheBatchIsUnknown() public {
        expectUnknownBatch(ISSUER, UNKNOWN);
        by(ISSUER);
        log.revoke(UNKNOWN, 0, Reason.Court);
    }

    function test_revoke_WhenTheBatchBelongsToAnotherIssuer() public {
        expectUnknownBatch(OTHER_ISSUER, SECOND);
        by(OTHER_ISSUER);
        log.revoke(SECOND, 0, Reason.Court);
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

    function testFuzz_revoke_WhenTheCallIsValid(uint32 index) public {
        expectStatusChanged(index / 128, 1 << (index % 128), LeafStatus.Revoked, Reason.Fraud, START);
        revoke(index);
        assertStatus(index, LeafStatus.Revoked);
        assertEq(log.statusWord(ISSUER, FIRST, index / 128), 1 << (128 + index % 128));
    }

    function testFuzz_revoke_WhenBothIssuersRevokeLeavesWithTheSameNumbers(uint32 index) public {
        vm.expectEmit(address(log));
        emit ICertificateLog.StatusChanged(
            OTHER_ISSUER, FIRST, index / 128, uint128(1 << (index % 128)), LeafStatus.Revoked, Reason.Court, START
        );
        by(OTHER_ISSUER);
        log.revoke(FIRST, index, Reason.Court);
        assertEq(uint256(log.statusOf(OTHER_ISSUER, FIRST, index)), uint256(LeafStatus.Revoked));
        assertStatus(index, LeafStatus.Active);
        revoke(index);
        assertStatus(index, LeafStatus.Revoked);
    }

    function testFuzz_statusOf_WhenAnotherLeafChanges(uint16 one, uint16 other, uint8 before, uint8 move) public {
        _assertStays(one % 300, other % 300, before, move);
    }

    function testFuzz_statusOf_WhenAnotherLeafAtTheEndOfAStorageWordChanges(
        uint8 one,
        uint8 other,
        uint8 before,
        uint8 move
    ) public {
        _assertStays(edge(one), edge(other), before, move);
    }

    function test_origin_ItEqualsTheOriginOfTheForwarder() public view {
        assertEq(log.origin(), forwarder.origin());
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
        assertEq(uint256(log.statusOf(ISSUER, SECOND, moved)), uint256(LeafStatus.Active));
        assertEq(uint256(log.statusOf(OTHER_ISSUER, FIRST, moved)), uint256(LeafStatus.Active));
    }

    function _expectNotContiguous(PartyNo issuer, uint64 expected, uint64 given) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICertificateLog.LogNotContiguous.selector, issuer, expected, given)
        );
    }
}
