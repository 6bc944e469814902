// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CertificateLog} from "../../../contracts/CertificateLog.sol";
import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {LeafStatus, PartyNo, Reason} from "../../../contracts/Types.sol";
import {LogWorld} from "./LogWorld.sol";
import {Refold} from "../Refold.sol";
import {Vm, vm} from "../Vm.sol";

/// Tests the revocation of many leaves, supersession, and the head of the log's hash chain; see CertificateLog.tree.
contract CertificateLogManyTest is LogWorld {
    function test_revokeMany_GivenTheCallerIsNotAnIssuer() public {
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            if (isIssuer(PartyNo.wrap(no))) continue;
            expectIssuersOnly(PartyNo.wrap(no));
            log.revokeMany(FIRST, _indices(0, 1, 2), Reason.Court);
        }
    }

    function test_revokeMany_WhenTheBatchIsUnknown() public {
        expectUnknownBatch(ISSUER, UNKNOWN);
        by(ISSUER);
        log.revokeMany(UNKNOWN, _indices(0, 1, 2), Reason.Court);
    }

    function test_revokeMany_WhenTheBatchBelongsToAnotherIssuer() public {
        expectUnknownBatch(OTHER_ISSUER, SECOND);
        by(OTHER_ISSUER);
        log.revokeMany(SECOND, _indices(0, 1, 2), Reason.Court);
    }

    function test_revokeMany_WhenALeafIsNamedTwiceInARow() public {
        expectRevoked(9);
        _revokeMany(_indices(9, 9, 8));
    }

    function test_revokeMany_WhenALeafIsNamedAgainAfterALeafOfAnotherStorageWord() public {
        expectRevoked(9);
        _revokeMany(_indices(9, 200, 9));
    }

    function test_revokeMany_GivenOneLeafIsRevoked() public {
        revoke(300);
        bytes32 head = log.head();
        expectRevoked(300);
        _revokeMany(_indices(1, 299, 300));
        assertStatus(1, LeafStatus.Active);
        assertStatus(299, LeafStatus.Active);
        assertEq(log.head(), head);
    }

    function test_revokeMany_WhenTheLeavesShareAStorageWord() public {
        expectStatusChanged(1, 1 | (1 << 2) | (1 << 127), LeafStatus.Revoked, Reason.Fraud, START);
        vm.recordLogs();
        _revokeMany(_indices(255, 128, 130));
        assertEq(vm.getRecordedLogs().length, 1);
    }

    function test_revokeMany_WhenTheLeavesLieInSeveralStorageWords() public {
        expectStatusChanged(0, 1 << 127, LeafStatus.Revoked, Reason.Fraud, START);
        expectStatusChanged(1, 1, LeafStatus.Revoked, Reason.Fraud, START);
        expectStatusChanged(2, 1, LeafStatus.Revoked, Reason.Fraud, START);
        vm.recordLogs();
        _revokeMany(_indices(127, 128, 256));
        assertEq(vm.getRecordedLogs().length, 3);
    }

    function testFuzz_revokeMany_ItHasTheSameEffectAsSingleRevocations(uint16 a, uint16 b, uint16 c, uint8 suspended)
        public
    {
        uint32[] memory indices = _indices(a % 512, b % 512, c % 512);
        vm.assume(indices[0] != indices[1] && indices[1] != indices[2] && indices[0] != indices[2]);
        CertificateLog many = log;
        CertificateLog single = newLog();
        for (uint256 i = 0; i < indices.length; ++i) {
            if (suspended & (1 << i) == 0) continue;
            by(ISSUER);
            many.suspend(FIRST, indices[i], Reason.Investigation);
            by(ISSUER);
            single.suspend(FIRST, indices[i], Reason.Investigation);
        }
        _revokeMany(indices);
        for (uint256 i = 0; i < indices.length; ++i) {
            by(ISSUER);
            single.revoke(FIRST, indices[i], Reason.Fraud);
        }
        for (uint32 word = 0; word < 4; ++word) {
            assertEq(many.statusWord(ISSUER, FIRST, word), single.statusWord(ISSUER, FIRST, word));
        }
    }

    function test_supersede_GivenTheCallerIsNotAnIssuer() public {
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            if (isIssuer(PartyNo.wrap(no))) continue;
            expectIssuersOnly(PartyNo.wrap(no));
            log.supersede(FIRST, 0, SECOND, 0);
        }
    }

    function test_supersede_WhenTheLeafIsItsOwnSuccessor() public {
        vm.expectRevert(
            abi.encodeWithSelector(ICertificateLog.LogSupersedesItself.selector, ISSUER, SECOND, uint32(4))
        );
        by(ISSUER);
        log.supersede(SECOND, 4, SECOND, 4);
    }

    function test_supersede_WhenTheBatchIsUnknown() public {
        expectUnknownBatch(ISSUER, UNKNOWN);
        by(ISSUER);
        log.supersede(UNKNOWN, 0, FIRST, 0);
    }

    function test_supersede_WhenTheNewBatchIsUnknown() public {
        expectUnknownBatch(ISSUER, UNKNOWN + 1);
        by(ISSUER);
        log.supersede(FIRST, 0, UNKNOWN + 1, 0);
    }

    function test_supersede_WhenTheNewBatchBelongsToAnotherIssuer() public {
        expectUnknownBatch(OTHER_ISSUER, SECOND);
        by(OTHER_ISSUER);
        log.supersede(FIRST, 0, SECOND, 0);
    }

    function test_supersede_GivenTheLeafIsSuperseded() public {
        _supersede(1);
        expectRevoked(1);
        _supersede(1);
    }

    function test_supersede_WhenTheCallIsValid() public {
        expectStatusChanged(0, 2, LeafStatus.Superseded, Reason.Superseded, START);
        vm.expectEmit(address(log));
        emit ICertificateLog.Superseded(ISSUER, FIRST, 1, SECOND, 1, START);
        _supersede(1);
        assertStatus(1, LeafStatus.Revoked);
        assertEq(uint256(log.statusOf(ISSUER, SECOND, 1)), uint256(LeafStatus.Active));
    }

    function testFuzz_head_ItEqualsTheHeadComputedFromAllEvents(uint64 chain, uint8 index, bytes32 root) public {
        vm.assume(chain != 0 && chain != index);
        vm.chainId(chain);
        vm.recordLogs();
        log = newLog();
        by(ISSUER);
        log.anchor(NEXT_SEQ, 1, root);
        suspend(index);
        by(ISSUER);
        log.resume(FIRST, index, Reason.Lifted);
        _revokeMany(_indices(uint32(index) + 1, uint32(index) + 2, uint32(index) + 300));
        _supersede(index);
        by(CONSUMER);
        log.recordUse(root, 1);
        by(SUBJECT);
        log.withdraw(root);
        by(BOTH);
        log.hold(statements(index, chain), Reason.Court);
        decide(address(log), abi.encodeCall(ICertificateLog.lift, (1, statements(index, chain), Reason.Lifted)));
        bytes32 genesis = Refold.genesis(origin, chain, address(log));
        assertEq(log.head(), Refold.over(genesis, vm.getRecordedLogs(), address(log)));
    }

    function test_head_ItIncludesTwoEventDigestsForOneSupersession() public {
        bytes32 head = log.head();
        vm.recordLogs();
        _supersede(1);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2);
        assertEq(logs[0].topics[0], ICertificateLog.StatusChanged.selector);
        assertEq(logs[1].topics[0], ICertificateLog.Superseded.selector);
        assertEq(log.head(), Refold.next(Refold.next(head, logs[0]), logs[1]));
    }

    function _supersede(uint32 index) private {
        by(ISSUER);
        log.supersede(FIRST, index, SECOND, index);
    }

    function _revokeMany(uint32[] memory indices) private {
        by(ISSUER);
        log.revokeMany(FIRST, indices, Reason.Fraud);
    }

    function _indices(uint32 a, uint32 b, uint32 c) private pure returns (uint32[] memory indices) {
        indices = new uint32[](3);
        (indices[0], indices[1], indices[2]) = (a, b, c);
    }
}
