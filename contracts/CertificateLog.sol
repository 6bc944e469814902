// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {ICertificateLog} from "./interfaces/ICertificateLog.sol";
import {IPartyRegistry} from "./interfaces/IPartyRegistry.sol";
import {Clock} from "./libraries/Clock.sol";
import {EventHead} from "./libraries/EventHead.sol";
import {LeafStatus, NOBODY, PartyNo, Reason, Roles} from "./Types.sol";

/// @title Implements ICertificateLog; the documentation is there.
contract CertificateLog is ICertificateLog, ERC2771Context {
    uint32 private constant LEAVES_PER_WORD = 128;
    uint32 private constant COUNTERS_PER_WORD = 16;
    uint32 private constant WITHDRAWALS_PER_WORD = 256;
    uint32 private constant ANCHORS = Roles.ISSUER;
    uint32 private constant REVOKES = Roles.ISSUER | Roles.REGISTRAR | Roles.AUTHORITY | Roles.SUPERVISOR;
    uint32 private constant SUSPENDS = Roles.ISSUER | Roles.AUTHORITY | Roles.SUPERVISOR;
    uint32 private constant USES = Roles.CONSUMER | Roles.ISSUER;

    IPartyRegistry private immutable _REGISTRY;

    // slot 0
    bytes32 private _head;
    // slot 1: 64 + 64 + 8 bits
    uint64 private _batchCount;
    uint64 private _nextSeq;
    /// Keeps the slot from ever being zero: the first anchor costs what every other does.
    // slither-disable-next-line unused-state,constable-states: nobody reads it, it has only to lie in the slot
    bool private _open = true;
    // slots 2 to 5
    mapping(uint64 batch => bytes32) private _commitments;
    /// Low half: suspended. High half: revoked.
    mapping(uint64 batch => mapping(uint32 word => uint256)) private _statuses;
    /// Sixteen 16-bit counters a word.
    mapping(uint64 batch => mapping(uint32 word => uint256)) private _uses;
    /// A bit for each leaf that the party withdrew.
    mapping(PartyNo no => mapping(uint64 batch => mapping(uint32 word => uint256))) private _withdrawals;

    /// @param forwarder The trusted ERC-2771 forwarder.
    /// @param registry The parties.
    constructor(address forwarder, IPartyRegistry registry) ERC2771Context(forwarder) {
        _REGISTRY = registry;
        _head = EventHead.genesis(address(this));
    }

    /// @inheritdoc ICertificateLog
    function anchor(uint64 firstSeq, uint32 size, bytes32 root) external returns (uint64 batch) {
        // Check
        PartyNo by = _REGISTRY.actor(_msgSender(), ANCHORS);
        uint64 expected = _nextSeq;
        if (firstSeq != expected) revert LogNotContiguous(expected, firstSeq);
        if (size == 0) revert LogEmptyBatch();
        // Effect
        batch = _batchCount;
        _batchCount = batch + 1;
        _nextSeq = expected + size;
        uint40 at = Clock.nowSeconds();
        bytes32 commitment = EventHead.digest(
            abi.encode(bytes32("log/anchored/v1"), batch, firstSeq, size, root, at, by)
        );
        _commitments[batch] = commitment;
        emit Anchored(batch, firstSeq, size, root, at, by);
        _fold(commitment);
    }

    /// @inheritdoc ICertificateLog
    function suspend(uint64 batch, uint32 index, Reason reason) external {
        _setOne(batch, index, LeafStatus.Suspended, reason, SUSPENDS);
    }

    /// @inheritdoc ICertificateLog
    function resume(uint64 batch, uint32 index, Reason reason) external {
        _setOne(batch, index, LeafStatus.Active, reason, SUSPENDS);
    }

    /// @inheritdoc ICertificateLog
    function revoke(uint64 batch, uint32 index, Reason reason) external {
        _setOne(batch, index, LeafStatus.Revoked, reason, REVOKES);
    }

    /// @inheritdoc ICertificateLog
    function revokeMany(uint64 batch, uint32[] calldata indices, Reason reason) external {
        PartyNo by = _REGISTRY.actor(_msgSender(), REVOKES);
        _requireBatch(batch);
        uint256 i = 0;
        while (i < indices.length) {
            uint32 word = indices[i] / LEAVES_PER_WORD;
            uint256 mask = 0;
            for (; i < indices.length && indices[i] / LEAVES_PER_WORD == word; ++i) {
                uint256 bit = 1 << (indices[i] % LEAVES_PER_WORD);
                // The same leaf named twice is revoked by its first naming.
                if (mask & bit != 0) revert LogAlreadyRevoked(batch, indices[i]);
                mask |= bit;
            }
            _setWord(batch, word, mask, LeafStatus.Revoked, reason, by);
        }
    }

    /// @inheritdoc ICertificateLog
    function supersede(uint64 batch, uint32 index, uint64 newBatch, uint32 newIndex) external {
        // Check
        if (batch == newBatch && index == newIndex) revert LogSupersedesItself(batch, index);
        _requireBatch(newBatch);
        // Effect
        PartyNo by = _setOne(batch, index, LeafStatus.Superseded, Reason.Superseded, REVOKES);
        uint40 at = Clock.nowSeconds();
        emit Superseded(batch, index, newBatch, newIndex, at, by);
        _fold(EventHead.digest(abi.encode(bytes32("log/superseded/v1"), batch, index, newBatch, newIndex, at, by)));
    }

    /// @inheritdoc ICertificateLog
    function recordUse(uint64 batch, uint32 index, uint16 ordinal) external {
        _recordUse(Use(batch, index, ordinal), _REGISTRY.actor(_msgSender(), USES));
    }

    /// @inheritdoc ICertificateLog
    function recordUses(Use[] calldata uses) external {
        PartyNo by = _REGISTRY.actor(_msgSender(), USES);
        for (uint256 i = 0; i < uses.length; ++i) {
            _recordUse(uses[i], by);
        }
    }

    /// @inheritdoc ICertificateLog
    function withdraw(uint64 batch, uint32 index) external {
        // Check
        PartyNo by = _party(_msgSender());
        _requireBatch(batch);
        uint32 word = index / WITHDRAWALS_PER_WORD;
        uint256 bit = 1 << (index % WITHDRAWALS_PER_WORD);
        uint256 withdrawn = _withdrawals[by][batch][word];
        if (withdrawn & bit != 0) revert LogAlreadyWithdrawn(batch, index);
        // Effect
        _withdrawals[by][batch][word] = withdrawn | bit;
        uint40 at = Clock.nowSeconds();
        emit Withdrawn(batch, index, at, by);
        _fold(EventHead.digest(abi.encode(bytes32("log/withdrawn/v1"), batch, index, at, by)));
    }

    /// @inheritdoc ICertificateLog
    function commitmentOf(uint64 batch) external view returns (bytes32) {
        return _commitments[batch];
    }

    /// @inheritdoc ICertificateLog
    function batchCount() external view returns (uint64) {
        return _batchCount;
    }

    /// @inheritdoc ICertificateLog
    function nextSeq() external view returns (uint64) {
        return _nextSeq;
    }

    /// @inheritdoc ICertificateLog
    function statusWord(uint64 batch, uint32 word) external view returns (uint256) {
        return _statuses[batch][word];
    }

    /// @inheritdoc ICertificateLog
    function statusOf(uint64 batch, uint32 index) external view returns (LeafStatus) {
        uint256 word = _statuses[batch][index / LEAVES_PER_WORD];
        uint256 bit = 1 << (index % LEAVES_PER_WORD);
        if (word & (bit << LEAVES_PER_WORD) != 0) return LeafStatus.Revoked;
        return word & bit != 0 ? LeafStatus.Suspended : LeafStatus.Active;
    }

    /// @inheritdoc ICertificateLog
    function usesOf(uint64 batch, uint32 index) external view returns (uint16) {
        return uint16(_uses[batch][index / COUNTERS_PER_WORD] >> (16 * (index % COUNTERS_PER_WORD)));
    }

    /// @inheritdoc ICertificateLog
    function withdrawnBy(PartyNo no, uint64 batch, uint32 index) external view returns (bool) {
        return _withdrawals[no][batch][index / WITHDRAWALS_PER_WORD] & (1 << (index % WITHDRAWALS_PER_WORD)) != 0;
    }

    /// @inheritdoc ICertificateLog
    function head() external view returns (bytes32) {
        return _head;
    }

    function _setOne(uint64 batch, uint32 index, LeafStatus status, Reason reason, uint32 anyOf)
        private
        returns (PartyNo by)
    {
        by = _REGISTRY.actor(_msgSender(), anyOf);
        _requireBatch(batch);
        _setWord(batch, index / LEAVES_PER_WORD, 1 << (index % LEAVES_PER_WORD), status, reason, by);
    }

    /// The one private path of single and many: `mask` names leaves of one storage word.
    function _setWord(uint64 batch, uint32 word, uint256 mask, LeafStatus status, Reason reason, PartyNo by) private {
        // Check
        uint256 old = _statuses[batch][word];
        uint256 revoked = mask & (old >> LEAVES_PER_WORD);
        if (revoked != 0) revert LogAlreadyRevoked(batch, _firstLeaf(word, revoked));
        uint256 suspended = mask & old;
        if (status == LeafStatus.Suspended && suspended != 0) {
            revert LogAlreadySuspended(batch, _firstLeaf(word, suspended));
        }
        if (status == LeafStatus.Active && suspended != mask) {
            revert LogNotSuspended(batch, _firstLeaf(word, mask & ~suspended));
        }
        // Effect
        if (status == LeafStatus.Suspended) _statuses[batch][word] = old | mask;
        else if (status == LeafStatus.Active) _statuses[batch][word] = old & ~mask;
        else _statuses[batch][word] = old | (mask << LEAVES_PER_WORD);
        uint40 at = Clock.nowSeconds();
        emit StatusChanged(batch, word, uint128(mask), status, reason, at, by);
        _fold(EventHead.digest(abi.encode(bytes32("log/status/v1"), batch, word, mask, status, reason, at, by)));
    }

    function _recordUse(Use memory use, PartyNo by) private {
        // Check
        _requireBatch(use.batch);
        uint32 word = use.index / COUNTERS_PER_WORD;
        uint256 shift = 16 * (use.index % COUNTERS_PER_WORD);
        uint256 counters = _uses[use.batch][word];
        uint16 expected = uint16(counters >> shift) + 1;
        if (use.ordinal != expected) revert LogUseOutOfOrder(use.batch, use.index, expected, use.ordinal);
        // Effect: the counter was one less, so adding one cannot reach its neighbour.
        _uses[use.batch][word] = counters + (1 << shift);
        uint40 at = Clock.nowSeconds();
        emit Used(use.batch, use.index, use.ordinal, at, by);
        _fold(EventHead.digest(abi.encode(bytes32("log/used/v1"), use.batch, use.index, use.ordinal, at, by)));
    }

    /// The party of a live account, whatever its status and roles; every other act asks the registry's `actor`.
    function _party(address account) private view returns (PartyNo no) {
        IPartyRegistry.Account memory binding = _REGISTRY.accountOf(account);
        no = binding.no;
        if (no == NOBODY || binding.validTo != 0) revert IPartyRegistry.PartyUnknownAccount(account);
    }

    function _requireBatch(uint64 batch) private view {
        if (batch >= _batchCount) revert LogUnknownBatch(batch);
    }

    function _firstLeaf(uint32 word, uint256 mask) private pure returns (uint32 index) {
        index = word * LEAVES_PER_WORD;
        while (mask & 1 == 0) {
            mask >>= 1;
            ++index;
        }
    }

    function _fold(bytes32 digest) private {
        _head = EventHead.fold(_head, digest);
    }
}
