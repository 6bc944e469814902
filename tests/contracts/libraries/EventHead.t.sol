// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Clock} from "../../../contracts/libraries/Clock.sol";
import {EventHead} from "../../../contracts/libraries/EventHead.sol";
import {Refold} from "../Refold.sol";
import {Test} from "../Test.sol";
import {vm} from "../Vm.sol";

/// Returns the chain's time. A test that changes the time calls this contract, because the compiler may assume that
/// the time does not change within the test's own code; an external call always reads it again.
contract ClockReader {
    function read() external view returns (uint40) {
        return Clock.nowSeconds();
    }
}

/// Tests the heads of hash chains, and the clock. The expected values were computed from docs/protocol.md with another
/// implementation of SHA-256.
contract EventHeadTest is Test {
    uint256 private constant MILLISECONDS_FROM = 1e11;
    address private constant CONTRACT = address(0xBEEF);
    /// SHA-256 of "origin".
    bytes32 private constant ORIGIN = 0x181fdd46fc4a7246b9f4f1eba3129ba5d724011af5f10223b3589955d1df108a;
    bytes32 private constant GENESIS = 0x24b06646f46612926d78a252c05e529f772c211a602e2af90168afcd588db7bb;
    bytes32 private constant GENESIS_OF_7 = 0xedb47a72e30bdb59177cd63f26139c087e5311df99df404a897370538437713f;
    bytes32 private constant AFTER_1 = 0x71a3d2802735155848972c77699d253e558997a7cffef7e25d5441b1530fca42;
    bytes32 private constant AFTER_1_2 = 0x174042fac04abbc03906da30f57b301647ef334c7f585faea8931d15fc10a1fe;

    ClockReader private _clock = new ClockReader();

    function test_genesis_ItEqualsThePublishedValue() public {
        vm.chainId(1337);
        assertEq(EventHead.genesis(ORIGIN, CONTRACT), GENESIS);
    }

    function test_genesis_WithAScope_ItEqualsThePublishedValue() public {
        vm.chainId(1337);
        assertEq(EventHead.genesis(ORIGIN, CONTRACT, bytes32(uint256(7))), GENESIS_OF_7);
    }

    function testFuzz_genesis_ItIsTheHashOfTagOriginChainContractAndScope(
        bytes32 origin,
        uint64 chain,
        address contract_,
        bytes32 scope
    ) public {
        vm.assume(chain != 0);
        vm.chainId(chain);
        assertEq(EventHead.genesis(origin, contract_), Refold.genesis(origin, chain, contract_));
        assertEq(EventHead.genesis(origin, contract_, scope), Refold.genesis(origin, chain, contract_, scope));
    }

    function test_fold_ItEqualsThePublishedValue() public view {
        bytes32 one = EventHead.fold(GENESIS, bytes32(uint256(1)));
        assertEq(one, AFTER_1);
        assertEq(EventHead.fold(one, bytes32(uint256(2))), AFTER_1_2);
    }

    function testFuzz_fold_ItIsTheHashOfHeadAndDigest(bytes32 head, bytes32 digest) public view {
        assertEq(EventHead.fold(head, digest), sha256(bytes.concat(head, digest)));
    }

    function testFuzz_fold_ItDependsOnTheOrderOfTheDigests(bytes32 head, bytes32 a, bytes32 b) public view {
        vm.assume(a != b);
        bytes32 ab = EventHead.fold(EventHead.fold(head, a), b);
        assertTrue(ab != EventHead.fold(EventHead.fold(head, b), a), "another order, another head");
    }

    function testFuzz_digest_ItIsTheHashOfTheBytes(bytes memory encoded) public view {
        bytes memory before = bytes.concat(encoded);
        assertEq(EventHead.digest(encoded), sha256(before));
        assertEq(keccak256(encoded), keccak256(before));
    }

    function testFuzz_nowSeconds_WhenTheChainCountsSeconds(uint64 time) public {
        time = uint64(bound(time, 0, MILLISECONDS_FROM - 1));
        vm.warp(time);
        assertEq(_clock.read(), time);
        vm.warp(MILLISECONDS_FROM - 1);
        assertEq(_clock.read(), MILLISECONDS_FROM - 1);
    }

    function testFuzz_nowSeconds_WhenTheChainCountsMilliseconds(uint40 time, uint16 rest) public {
        uint256 inMs = bound(uint256(time) * 1000 + (rest % 1000), MILLISECONDS_FROM, uint256(type(uint40).max) * 1000);
        vm.warp(inMs);
        assertEq(_clock.read(), inMs / 1000);
        vm.warp(MILLISECONDS_FROM);
        assertEq(_clock.read(), MILLISECONDS_FROM / 1000);
    }
}
