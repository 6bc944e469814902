// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {ICertificateLog} from "../interfaces/ICertificateLog.sol";
import {IOrigin} from "../interfaces/IOrigin.sol";
import {IPartyRegistry} from "../interfaces/IPartyRegistry.sol";
import {EventHead} from "../libraries/EventHead.sol";
import {LeafStatus, PartyNo} from "../Types.sol";

/// @title Stores the certificate log's data and the head of its hash chain, and implements the functions that read
/// them.
abstract contract LogRecord is ICertificateLog, ERC2771Context {
    /// An issuer's log. The first two fields share one storage slot (64 + 64 bits).
    struct Log {
        uint64 batchCount;
        uint64 nextSeq;
        mapping(uint64 batch => bytes32) commitments;
        /// The status of 128 leaves in each word. The low half has one bit for each leaf, set if the leaf is suspended.
        /// The high half has one bit for each leaf, set if the leaf is revoked.
        mapping(uint64 batch => mapping(uint32 word => uint256)) statuses;
    }

    /// Which offices have a hold on a statement (the authorities, the supervisors or both), and how often the
    /// statement's holds changed, in one storage slot (8 + 64 bits). The number of changes shows a reader of events
    /// whether an event is missing.
    struct Hold {
        uint8 offices;
        uint64 changes;
    }

    /// The times at which a party withdrew a statement, in one storage slot: `at` with a key that was not reported,
    /// `reportedAt` with a reported key. A time is 0 if there was no such withdrawal.
    struct Withdrawal {
        uint40 at;
        uint40 reportedAt;
    }

    uint32 internal constant LEAVES_PER_WORD = 128;

    IPartyRegistry internal immutable _REGISTRY;
    bytes32 internal immutable _ORIGIN;

    // Storage slot 0.
    bytes32 private _head;
    // Storage slots 1 to 4: this mapping and the three mappings below.
    mapping(PartyNo issuer => Log) internal _logs;
    mapping(PartyNo consumer => mapping(bytes32 request => uint16)) internal _uses;
    mapping(PartyNo party => mapping(bytes32 statement => Withdrawal)) internal _withdrawals;
    mapping(bytes32 statement => Hold) internal _holds;

    /// @param forwarder The trusted ERC-2771 forwarder. The contract also reads the ledger's origin from the forwarder.
    /// @param registry The party registry of this ledger.
    constructor(address forwarder, IPartyRegistry registry) ERC2771Context(forwarder) {
        _REGISTRY = registry;
        _ORIGIN = IOrigin(forwarder).origin();
        _head = EventHead.genesis(_ORIGIN, address(this));
    }

    /// @inheritdoc ICertificateLog
    function commitmentOf(PartyNo issuer, uint64 batch) external view returns (bytes32) {
        return _logs[issuer].commitments[batch];
    }

    /// @inheritdoc ICertificateLog
    function batchCount(PartyNo issuer) external view returns (uint64) {
        return _logs[issuer].batchCount;
    }

    /// @inheritdoc ICertificateLog
    function nextSeq(PartyNo issuer) external view returns (uint64) {
        return _logs[issuer].nextSeq;
    }

    /// @inheritdoc ICertificateLog
    function statusWord(PartyNo issuer, uint64 batch, uint32 word) external view returns (uint256) {
        return _logs[issuer].statuses[batch][word];
    }

    /// @inheritdoc ICertificateLog
    function statusOf(PartyNo issuer, uint64 batch, uint32 index) external view returns (LeafStatus) {
        uint256 word = _logs[issuer].statuses[batch][index / LEAVES_PER_WORD];
        uint256 bit = 1 << (index % LEAVES_PER_WORD);
        if (word & (bit << LEAVES_PER_WORD) != 0) return LeafStatus.Revoked;
        return word & bit != 0 ? LeafStatus.Suspended : LeafStatus.Active;
    }

    /// @inheritdoc ICertificateLog
    function usesOf(PartyNo consumer, bytes32 request) external view returns (uint16) {
        return _uses[consumer][request];
    }

    /// @inheritdoc ICertificateLog
    function withdrawnAt(PartyNo party, bytes32 statement) external view returns (uint40 at, uint40 reportedAt) {
        Withdrawal storage known = _withdrawals[party][statement];
        return (known.at, known.reportedAt);
    }

    /// @inheritdoc ICertificateLog
    function holdOf(bytes32 statement) external view returns (uint8 offices, uint64 changes) {
        Hold storage known = _holds[statement];
        return (known.offices, known.changes);
    }

    /// @inheritdoc ICertificateLog
    function head() external view returns (bytes32) {
        return _head;
    }

    /// @inheritdoc IOrigin
    function origin() external view returns (bytes32) {
        return _ORIGIN;
    }

    function _fold(bytes32 digest) internal {
        _head = EventHead.fold(_head, digest);
    }
}
