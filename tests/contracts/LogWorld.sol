// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CertificateLog} from "../../contracts/CertificateLog.sol";
import {ICertificateLog} from "../../contracts/interfaces/ICertificateLog.sol";
import {LeafStatus, Reason} from "../../contracts/Types.sol";
import {vm} from "./Vm.sol";
import {World} from "./World.sol";

/// One of the eight leaves at the ends of two storage words: 0, 1, 126, 127, 128, 129, 254, 255.
function edge(uint256 seed) pure returns (uint32) {
    uint256 place = seed % 8;
    return uint32((place / 4) * 128 + ((place / 2) % 2) * 126 + (place % 2));
}

/// A log with two anchored batches.
abstract contract LogWorld is World {
    uint64 internal constant FIRST = 0;
    uint64 internal constant SECOND = 1;
    uint64 internal constant UNKNOWN = 2;
    uint32 internal constant FIRST_SIZE = 1000;
    uint32 internal constant SECOND_SIZE = 10;
    uint64 internal constant NEXT_SEQ = FIRST_SIZE + SECOND_SIZE;

    CertificateLog internal log;

    function setUp() public virtual override {
        super.setUp();
        log = newLog();
    }

    function newLog() internal returns (CertificateLog fresh) {
        fresh = CertificateLog(deploy("CertificateLog", abi.encode(RELAY, registry)));
        by(ISSUER);
        fresh.anchor(0, FIRST_SIZE, "first root");
        by(ISSUER);
        fresh.anchor(FIRST_SIZE, SECOND_SIZE, "second root");
    }

    function suspend(uint32 index) internal {
        by(ISSUER);
        log.suspend(FIRST, index, Reason.Investigation);
    }

    function revoke(uint32 index) internal {
        by(ISSUER);
        log.revoke(FIRST, index, Reason.Fraud);
    }

    function assertStatus(uint32 index, LeafStatus expected) internal view {
        assertEq(uint256(log.statusOf(FIRST, index)), uint256(expected));
    }

    function expectUnknownBatch(uint64 batch) internal {
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogUnknownBatch.selector, batch));
    }

    function expectRevoked(uint32 index) internal {
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogAlreadyRevoked.selector, FIRST, index));
    }

    function expectStatusChanged(uint32 word, uint256 mask, LeafStatus status, Reason reason, uint40 at) internal {
        vm.expectEmit(address(log));
        emit ICertificateLog.StatusChanged(FIRST, word, uint128(mask), status, reason, at, ISSUER);
    }
}
