// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LeafStatus, PartyNo, Reason} from "../Types.sol";

/// @title Anchors of the append-only log, and the status and uses of its leaves.
/// @notice A leaf is named by its position (batch, index). An inclusion proof binds the position, so a status needs
/// no proof on chain. No payload is ever recorded here. Times are seconds UTC.
interface ICertificateLog {
    /// @param batch The batch.
    /// @param index The leaf's place in it.
    /// @param ordinal The how-manieth use this is, from 1.
    struct Use {
        uint64 batch;
        uint32 index;
        uint16 ordinal;
    }

    /// @notice A batch was anchored. The digest of this event is the batch's commitment.
    event Anchored(
        uint64 indexed batch, uint64 firstSeq, uint32 size, bytes32 root, uint40 at, PartyNo by
    );
    /// @notice The leaves of a storage word named by `mask` have this status now: bit i is leaf 128 * word + i.
    event StatusChanged(
        uint64 indexed batch, uint32 word, uint128 mask, LeafStatus status, Reason reason, uint40 at, PartyNo by
    );
    /// @notice A leaf was superseded by another; follows the `StatusChanged` of the leaf.
    event Superseded(
        uint64 indexed batch, uint32 index, uint64 newBatch, uint32 newIndex, uint40 at, PartyNo by
    );
    /// @notice A leaf was used for the `uses`-th time.
    event Used(uint64 indexed batch, uint32 index, uint16 uses, uint40 at, PartyNo by);
    /// @notice For its part, the party `by` withdrew the entry at a leaf, for good.
    event Withdrawn(uint64 indexed batch, uint32 index, uint40 at, PartyNo by);

    /// @notice The range does not begin where the log ends.
    error LogNotContiguous(uint64 expected, uint64 given);
    /// @notice A batch holds at least one entry.
    error LogEmptyBatch();
    /// @notice No such batch is anchored.
    error LogUnknownBatch(uint64 batch);
    /// @notice The leaf is revoked for good.
    error LogAlreadyRevoked(uint64 batch, uint32 index);
    /// @notice The leaf is suspended already.
    error LogAlreadySuspended(uint64 batch, uint32 index);
    /// @notice The leaf is not suspended.
    error LogNotSuspended(uint64 batch, uint32 index);
    /// @notice A leaf cannot supersede itself.
    error LogSupersedesItself(uint64 batch, uint32 index);
    /// @notice The use is not the next one: another one came first.
    error LogUseOutOfOrder(uint64 batch, uint32 index, uint16 expected, uint16 given);
    /// @notice The party withdrew the leaf before; its `Withdrawn` event says since when.
    error LogAlreadyWithdrawn(uint64 batch, uint32 index);

    /// @notice Anchor the next batch. For issuers.
    /// @param firstSeq Sequence number of its first entry: where the log ends.
    /// @param size How many entries it has.
    /// @param root Its RFC 9162 tree head.
    function anchor(uint64 firstSeq, uint32 size, bytes32 root) external returns (uint64 batch);

    /// @notice Stop a leaf for a time. For issuers, authorities and supervisors.
    function suspend(uint64 batch, uint32 index, Reason reason) external;

    /// @notice Let a suspended leaf stand again. For issuers, authorities and supervisors.
    function resume(uint64 batch, uint32 index, Reason reason) external;

    /// @notice End a leaf for good. For issuers, registrars, authorities and supervisors.
    function revoke(uint64 batch, uint32 index, Reason reason) external;

    /// @notice End many leaves of a batch for good; indices that share a storage word are cheapest side by side.
    function revokeMany(uint64 batch, uint32[] calldata indices, Reason reason) external;

    /// @notice End a leaf for good in favour of another. For those who may revoke.
    function supersede(uint64 batch, uint32 index, uint64 newBatch, uint32 newIndex) external;

    /// @notice Count a use of a leaf, if `ordinal` is the next one: of two that race exactly one succeeds.
    /// For consumers and issuers.
    function recordUse(uint64 batch, uint32 index, uint16 ordinal) external;

    /// @notice Count many uses, all or none.
    function recordUses(Use[] calldata uses) external;

    /// @notice Withdraw a leaf for one's own part, once and for good: how a data subject takes its consent back without
    /// asking anyone. For every party whose account is live, whatever its roles and its status: a sanction takes away
    /// the right to act, not the right to stop. The log does not know whose consent a leaf is, so it keeps who
    /// withdrew what, and a verifier counts only what the subject named in the entry withdrew.
    function withdraw(uint64 batch, uint32 index) external;

    /// @notice The commitment of a batch; zero if it is not anchored.
    function commitmentOf(uint64 batch) external view returns (bytes32);

    /// @notice How many batches are anchored: the number of the next one.
    function batchCount() external view returns (uint64);

    /// @notice The sequence number of the next entry.
    function nextSeq() external view returns (uint64);

    /// @notice The status word of 128 leaves: the low half says suspended, the high half revoked.
    function statusWord(uint64 batch, uint32 word) external view returns (uint256);

    /// @notice A leaf's status; `Revoked` also where it was superseded.
    function statusOf(uint64 batch, uint32 index) external view returns (LeafStatus);

    /// @notice How often a leaf was used.
    function usesOf(uint64 batch, uint32 index) external view returns (uint16);

    /// @notice Whether a party withdrew a leaf.
    function withdrawnBy(PartyNo no, uint64 batch, uint32 index) external view returns (bool);

    /// @notice The head over every event of this contract.
    function head() external view returns (bytes32);
}
