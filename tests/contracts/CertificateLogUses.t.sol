// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "../../contracts/interfaces/ICertificateLog.sol";
import {PartyNo, Roles} from "../../contracts/Types.sol";
import {LogWorld} from "./LogWorld.sol";
import {vm} from "./Vm.sol";

/// Uses and their counters; see CertificateLog.tree.
contract CertificateLogUsesTest is LogWorld {
    uint32 private constant USES = Roles.CONSUMER | Roles.ISSUER;
    uint256 private constant USES_SLOT = 4;

    function test_recordUse_GivenTheCallerIsNeitherConsumerNorIssuer() public {
        PartyNo[6] memory others = [AUTHORITY, ADMIN, SUPERVISOR, REGISTRAR, PROVIDER, SUBJECT];
        for (uint256 i = 0; i < others.length; ++i) {
            expectLacksRole(others[i], USES);
            by(others[i]);
            log.recordUse(FIRST, 0, 1);
        }
    }

    function test_recordUse_WhenTheBatchIsUnknown() public {
        expectUnknownBatch(UNKNOWN);
        _use(UNKNOWN, 0, 1);
    }

    function testFuzz_recordUse_WhenTheOrdinalIsNotTheNext(uint8 used, uint16 ordinal) public {
        used %= 4;
        vm.assume(ordinal != used + 1);
        for (uint16 i = 1; i <= used; ++i) {
            _use(FIRST, 17, i);
        }
        _expectOutOfOrder(17, used + 1, ordinal);
        _use(FIRST, 17, ordinal);
        assertEq(log.usesOf(FIRST, 17), used);
    }

    function test_recordUse_WhenTwoRaceForOneOrdinal() public {
        _use(FIRST, 3, 1);
        _expectOutOfOrder(3, 2, 1);
        by(ISSUER);
        log.recordUse(FIRST, 3, 1);
    }

    function test_recordUse_GivenTheCounterIsFull() public {
        bytes32 ofBatch = keccak256(abi.encode(uint256(FIRST), USES_SLOT));
        bytes32 ofWord = keccak256(abi.encode(uint256(1), ofBatch));
        vm.store(address(log), ofWord, bytes32(uint256(0x0002ffff0001)));
        assertEq(log.usesOf(FIRST, 17), type(uint16).max);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        _use(FIRST, 17, 0);
        assertEq(log.usesOf(FIRST, 16), 1);
        assertEq(log.usesOf(FIRST, 17), type(uint16).max);
        assertEq(log.usesOf(FIRST, 18), 2);
    }

    function testFuzz_recordUse_WhenAllIsWell(uint32 index, uint8 times) public {
        vm.assume(index > 0 && index < type(uint32).max);
        uint16 uses = times % 20 + 1;
        _use(FIRST, index - 1, 1);
        for (uint16 i = 1; i <= uses; ++i) {
            vm.warp(START + i);
            vm.expectEmit(address(log));
            emit ICertificateLog.Used(FIRST, index, i, START + i, CONSUMER);
            _use(FIRST, index, i);
        }
        assertEq(log.usesOf(FIRST, index - 1), 1);
        assertEq(log.usesOf(FIRST, index), uses);
        assertEq(log.usesOf(FIRST, index + 1), 0);
        assertEq(log.usesOf(SECOND, index), 0);
    }

    function test_recordUses_GivenTheCallerIsNeitherConsumerNorIssuer() public {
        expectLacksRole(SUBJECT, USES);
        by(SUBJECT);
        log.recordUses(_uses(1, 2));
    }

    function test_recordUses_WhenOneOrdinalIsNotTheNext() public {
        bytes32 head = log.head();
        _expectOutOfOrder(1, 2, 3);
        by(CONSUMER);
        log.recordUses(_uses(1, 3));
        assertEq(log.usesOf(FIRST, 1), 0);
        assertEq(log.usesOf(SECOND, 2), 0);
        assertEq(log.head(), head);
    }

    function test_recordUses_WhenAllIsWell() public {
        by(CONSUMER);
        log.recordUses(_uses(1, 2));
        assertEq(log.usesOf(FIRST, 1), 2);
        assertEq(log.usesOf(SECOND, 2), 1);
    }

    function _uses(uint16 first, uint16 second) private pure returns (ICertificateLog.Use[] memory uses) {
        uses = new ICertificateLog.Use[](3);
        uses[0] = ICertificateLog.Use(FIRST, 1, first);
        uses[1] = ICertificateLog.Use(SECOND, 2, 1);
        uses[2] = ICertificateLog.Use(FIRST, 1, second);
    }

    function _use(uint64 batch, uint32 index, uint16 ordinal) private {
        by(CONSUMER);
        log.recordUse(batch, index, ordinal);
    }

    function _expectOutOfOrder(uint32 index, uint16 expected, uint16 given) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICertificateLog.LogUseOutOfOrder.selector, FIRST, index, expected, given)
        );
    }
}
