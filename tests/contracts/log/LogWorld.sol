// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CertificateLog} from "../../../contracts/CertificateLog.sol";
import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {IPartyRegistry} from "../../../contracts/interfaces/IPartyRegistry.sol";
import {LeafStatus, PartyNo, Reason, Roles} from "../../../contracts/Types.sol";
import {Acts, Keys} from "../Acts.sol";
import {vm} from "../Vm.sol";
import {World} from "../World.sol";

/// Returns one of the leaves at the ends of two storage words: 0, 1, 126, 127, 128, 129, 254, 255.
function edge(uint256 seed) pure returns (uint32) {
    uint256 place = seed % 8;
    return uint32((place / 4) * 128 + ((place / 2) % 2) * 126 + (place % 2));
}

/// A certificate log with two batches of one issuer and one batch of another. The consumer and the subject each have a
/// secp256k1 key and a P-256 key.
abstract contract LogWorld is World {
    PartyNo internal constant OTHER_ISSUER = PartyNo.wrap(11);
    PartyNo internal constant OTHER_CONSUMER = PartyNo.wrap(12);
    /// A party that is both authority and supervisor.
    PartyNo internal constant BOTH = PartyNo.wrap(13);
    uint32 internal constant LOG_PARTIES = 13;

    uint64 internal constant FIRST = 0;
    uint64 internal constant SECOND = 1;
    uint64 internal constant UNKNOWN = 2;
    uint32 internal constant FIRST_SIZE = 1000;
    uint32 internal constant SECOND_SIZE = 10;
    uint64 internal constant NEXT_SEQ = FIRST_SIZE + SECOND_SIZE;
    uint32 internal constant OTHER_SIZE = 500;

    uint256 internal constant CHAIN = 1337;
    uint256 internal constant CONSUMER_KEY = 0xC0;
    uint256 internal constant CONSUMER_P256 = 0xC1;
    uint256 internal constant SUBJECT_KEY = 0x50;
    uint256 internal constant SUBJECT_P256 = 0x51;

    CertificateLog internal log;

    function setUp() public virtual override {
        vm.chainId(CHAIN);
        super.setUp();
        log = newLog();
    }

    function founding() internal pure virtual override returns (IPartyRegistry.Founding[] memory list) {
        list = grown(super.founding(), 3);
        list[10] = founder(OTHER_ISSUER, Roles.ISSUER);
        list[11] = founder(OTHER_CONSUMER, Roles.CONSUMER);
        list[12] = founder(BOTH, Roles.AUTHORITY | Roles.SUPERVISOR);
        list[6].accounts = _with(CONSUMER, CONSUMER_KEY, CONSUMER_P256);
        list[7].accounts = _with(SUBJECT, SUBJECT_KEY, SUBJECT_P256);
    }

    function newLog() internal returns (CertificateLog fresh) {
        fresh = CertificateLog(deploy("CertificateLog", abi.encode(forwarder, registry)));
        by(ISSUER);
        fresh.anchor(0, FIRST_SIZE, "first root");
        by(OTHER_ISSUER);
        fresh.anchor(0, OTHER_SIZE, "first root");
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

    /// Returns the first words of a message that `account` signs for this log.
    function frame(bytes32 tag, address account) internal view returns (Acts.Frame memory) {
        return Acts.Frame(tag, origin, CHAIN, address(log), account);
    }

    function statement(uint256 seed) internal pure returns (bytes32) {
        return keccak256(abi.encode("statement", seed));
    }

    function statements(uint256 one, uint256 other) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](2);
        (list[0], list[1]) = (statement(one), statement(other));
    }

    function assertStatus(uint32 index, LeafStatus expected) internal view {
        assertEq(uint256(log.statusOf(ISSUER, FIRST, index)), uint256(expected));
    }

    /// Checks that the party withdrew the statement at the time `expected` (0: never) with a key that was not reported,
    /// and that no reported key withdrew the statement.
    function assertWithdrawn(PartyNo no, bytes32 one, uint40 expected) internal view {
        (uint40 at, uint40 reportedAt) = log.withdrawnAt(no, one);
        assertEq(at, expected);
        assertEq(reportedAt, 0);
    }

    /// Expects that the next call, made by this party, is refused because only issuers may make it.
    function expectIssuersOnly(PartyNo no) internal {
        expectLacksRole(no, Roles.ISSUER);
        by(no);
    }

    function isIssuer(PartyNo no) internal pure returns (bool) {
        return no == ISSUER || no == OTHER_ISSUER;
    }

    function expectUnknownBatch(PartyNo issuer, uint64 batch) internal {
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogUnknownBatch.selector, issuer, batch));
    }

    function expectRevoked(uint32 index) internal {
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogAlreadyRevoked.selector, ISSUER, FIRST, index));
    }

    function expectSignatureInvalid(address account) internal {
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogSignatureInvalid.selector, account));
    }

    function expectStatusChanged(uint32 word, uint256 mask, LeafStatus status, Reason reason, uint40 at) internal {
        vm.expectEmit(address(log));
        emit ICertificateLog.StatusChanged(ISSUER, FIRST, word, uint128(mask), status, reason, at);
    }

    /// Returns three accounts of a party: its first account, one with a secp256k1 key and one with a P-256 key.
    function _with(PartyNo no, uint256 key, uint256 p256) private pure returns (address[] memory accounts) {
        accounts = new address[](3);
        (accounts[0], accounts[1], accounts[2]) = (accountOf(no), vm.addr(key), Keys.p256Account(p256));
    }
}
