// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {PartyNo, PartyStatus, Roles} from "../../../contracts/Types.sol";
import {LogWorld} from "./LogWorld.sol";
import {vm} from "../Vm.sol";

/// Tests the recording and counting of uses; see CertificateLog.tree.
contract CertificateLogUsesTest is LogWorld {
    uint256 private constant USES_SLOT = 2;
    bytes32 private constant REQUEST = "request";

    function test_recordUse_GivenTheCallerIsNotAConsumer() public {
        for (uint32 no = 1; no <= LOG_PARTIES; ++no) {
            PartyNo other = PartyNo.wrap(no);
            if (other == CONSUMER || other == OTHER_CONSUMER) continue;
            expectLacksRole(other, Roles.CONSUMER);
            by(other);
            log.recordUse(REQUEST, 1);
        }
    }

    function test_recordUse_GivenTheCallerIsAStranger() public {
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        log.recordUse(REQUEST, 1);
    }

    function test_recordUse_GivenTheCallerIsNotActive() public {
        setStatus(CONSUMER, PartyStatus.Suspended);
        expectNotActive(CONSUMER, PartyStatus.Suspended);
        _use(REQUEST, 1);
    }

    function testFuzz_recordUse_WhenTheOrdinalIsNotTheNextOrdinal(uint8 used, uint16 ordinal) public {
        used %= 4;
        vm.assume(ordinal != used + 1);
        for (uint16 i = 1; i <= used; ++i) {
            _use(REQUEST, i);
        }
        _expectOutOfOrder(used + 1, ordinal);
        _use(REQUEST, ordinal);
        assertEq(log.usesOf(CONSUMER, REQUEST), used);
    }

    function test_recordUse_WhenTwoAccountsOfOnePartySendTheSameOrdinal() public {
        vm.prank(vm.addr(CONSUMER_KEY));
        log.recordUse(REQUEST, 1);
        _expectOutOfOrder(2, 1);
        _use(REQUEST, 1);
    }

    function test_recordUse_GivenTheMaximumNumberOfUsesIsReached() public {
        bytes32 ofConsumer = keccak256(abi.encode(CONSUMER, USES_SLOT));
        vm.store(address(log), keccak256(abi.encode(REQUEST, ofConsumer)), bytes32(uint256(type(uint16).max)));
        assertEq(log.usesOf(CONSUMER, REQUEST), type(uint16).max);
        uint16[3] memory ordinals = [0, 1, type(uint16).max];
        for (uint256 i = 0; i < ordinals.length; ++i) {
            _expectOutOfOrder(65_536, ordinals[i]);
            _use(REQUEST, ordinals[i]);
        }
        assertEq(log.usesOf(CONSUMER, REQUEST), type(uint16).max);
    }

    /// Uses are counted for each consumer, so a stranger cannot spend the only use of another party's certificate.
    function test_recordUse_WhenAnotherConsumerUsesTheRequest() public {
        by(OTHER_CONSUMER);
        log.recordUse(REQUEST, 1);
        assertEq(log.usesOf(CONSUMER, REQUEST), 0);
        _use(REQUEST, 1);
        assertEq(log.usesOf(CONSUMER, REQUEST), 1);
        assertEq(log.usesOf(OTHER_CONSUMER, REQUEST), 1);
    }

    function testFuzz_recordUse_WhenTheCallIsValid(bytes32 request, uint8 times) public {
        uint16 uses = times % 20 + 1;
        bytes32 other = bytes32(uint256(request) ^ 1);
        _use(other, 1);
        for (uint16 i = 1; i <= uses; ++i) {
            vm.warp(START + i);
            vm.expectEmit(address(log));
            emit ICertificateLog.Used(CONSUMER, request, i, START + i);
            _use(request, i);
        }
        assertEq(log.usesOf(CONSUMER, request), uses);
        assertEq(log.usesOf(CONSUMER, other), 1);
        assertEq(log.usesOf(OTHER_CONSUMER, request), 0);
    }

    function _use(bytes32 request, uint16 ordinal) private {
        by(CONSUMER);
        log.recordUse(request, ordinal);
    }

    function _expectOutOfOrder(uint32 expected, uint16 given) private {
        vm.expectRevert(
            abi.encodeWithSelector(ICertificateLog.LogUseOutOfOrder.selector, REQUEST, expected, given)
        );
    }
}
