// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Clock} from "../../contracts/libraries/Clock.sol";
import {EventHead} from "../../contracts/libraries/EventHead.sol";
import {Refold} from "./Refold.sol";
import {Test} from "./Test.sol";
import {vm} from "./Vm.sol";

/// Opens the clock to calls, so that each reads the time anew.
contract ClockReader {
    function read() external view returns (uint40) {
        return Clock.nowSeconds();
    }
}

/// The published values were computed from docs/protocol.md with another implementation of SHA-256.
contract EventHeadTest is Test {
    uint256 private constant MILLISECONDS_FROM = 1e11;
    address private constant CONTRACT = address(0xBEEF);
    bytes32 private constant GENESIS = 0x0928234fa922528a3aaef3f343fa5fa32051cf2dd9a67a912c8686589873a7ed;
    bytes32 private constant GENESIS_OF_7 = 0x9381019cf3998d693626e47fe1d0fa425686fae144fc453d2e0b68f1c5c00614;
    bytes32 private constant AFTER_1 = 0xf93ec8a7d582ed74472cd2182c3923ff822aad81587a4bda2bcee470135bf6a9;
    bytes32 private constant AFTER_1_2 = 0x2e7353576a5d0d3f507b17297fd6f8ae59b41f4ce706604f3c941df716827208;

    ClockReader private _clock = new ClockReader();

    function test_genesis_ItEqualsThePublishedValue() public {
        vm.chainId(1337);
        assertEq(EventHead.genesis(CONTRACT), GENESIS);
    }

    function test_genesis_ItEqualsThePublishedValueOfAScope() public {
        vm.chainId(1337);
        assertEq(EventHead.genesis(CONTRACT, bytes32(uint256(7))), GENESIS_OF_7);
    }

    function testFuzz_genesis_ItIsTheWordsInOrder(uint64 chain, address contract_, bytes32 scope) public {
        vm.assume(chain != 0);
        vm.chainId(chain);
        assertEq(EventHead.genesis(contract_), Refold.genesis(chain, contract_));
        assertEq(EventHead.genesis(contract_, scope), Refold.genesis(chain, contract_, scope));
    }

    function test_fold_ItEqualsThePublishedValue() public view {
        bytes32 one = EventHead.fold(GENESIS, bytes32(uint256(1)));
        assertEq(one, AFTER_1);
        assertEq(EventHead.fold(one, bytes32(uint256(2))), AFTER_1_2);
    }

    function testFuzz_fold_ItIsTheHashOfHeadAndDigest(bytes32 head, bytes32 digest) public view {
        assertEq(EventHead.fold(head, digest), sha256(bytes.concat(head, digest)));
    }

    function testFuzz_fold_ItDependsOnTheOrder(bytes32 head, bytes32 a, bytes32 b) public view {
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
