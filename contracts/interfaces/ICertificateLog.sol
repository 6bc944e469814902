// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LeafStatus, PartyNo, Reason} from "../Types.sol";
import {IOrigin} from "./IOrigin.sol";

/// @title The logs of the issuers: anchors and status of leaves, uses, withdrawals and holds of statements.
/// @notice Each issuer has a log of its own. A leaf is named by its position (issuer, batch, index); an inclusion proof
/// binds the position, so a status needs no proof on chain. Uses, withdrawals and holds belong to the digest of what
/// was signed, wherever and however often it is anchored. No payload is ever recorded here. Times are seconds UTC.
interface ICertificateLog is IOrigin {
    /// @param request Digest of the request under which the certificate was issued.
    /// @param ordinal The how-manieth use this is, from 1.
    struct Use {
        bytes32 request;
        uint16 ordinal;
    }

    /// @notice A batch was anchored. The digest of this event is the batch's commitment.
    event Anchored(
        PartyNo indexed issuer, uint64 indexed batch, uint64 firstSeq, uint32 size, bytes32 root, uint40 at
    );
    /// @notice The leaves of a storage word named by `mask` have this status now: bit i is leaf 128 * word + i.
    event StatusChanged(
        PartyNo indexed issuer,
        uint64 indexed batch,
        uint32 word,
        uint128 mask,
        LeafStatus status,
        Reason reason,
        uint40 at
    );
    /// @notice A leaf was superseded by another of the same log; follows the `StatusChanged` of the leaf.
    event Superseded(
        PartyNo indexed issuer, uint64 indexed batch, uint32 index, uint64 newBatch, uint32 newIndex, uint40 at
    );
    /// @notice A consumer used what was issued under a request for the `ordinal`-th time.
    event Used(PartyNo indexed consumer, bytes32 indexed request, uint16 ordinal, uint40 at);
    /// @notice For its part, a party withdrew a statement, for good; `reported` if the key was reported lost or stolen.
    event Withdrawn(PartyNo indexed party, bytes32 indexed statement, bool reported, uint40 at);
    /// @notice The offices that hold a statement are now these: 1 authority, 2 supervisor, 3 both, 0 none. `change` counts from 1.
    event Held(bytes32 indexed statement, uint8 offices, uint64 change, Reason reason, uint40 at, PartyNo by);

    /// @notice The range does not begin where the issuer's log ends.
    error LogNotContiguous(PartyNo issuer, uint64 expected, uint64 given);
    /// @notice A batch holds at least one entry.
    error LogEmptyBatch();
    /// @notice The issuer anchored no such batch.
    error LogUnknownBatch(PartyNo issuer, uint64 batch);
    /// @notice The leaf is revoked for good.
    error LogAlreadyRevoked(PartyNo issuer, uint64 batch, uint32 index);
    /// @notice The leaf is suspended already.
    error LogAlreadySuspended(PartyNo issuer, uint64 batch, uint32 index);
    /// @notice The leaf is not suspended.
    error LogNotSuspended(PartyNo issuer, uint64 batch, uint32 index);
    /// @notice A leaf cannot supersede itself.
    error LogSupersedesItself(PartyNo issuer, uint64 batch, uint32 index);
    /// @notice The use is not the next one: another one came first. `expected` is 65,536 if no more can be counted.
    error LogUseOutOfOrder(bytes32 request, uint32 expected, uint16 given);
    /// @notice The party withdrew the statement before, at this time, by a key that was reported or not as this one.
    error LogAlreadyWithdrawn(bytes32 statement, uint40 since);
    /// @notice The office of the caller holds the statement already.
    error LogAlreadyHeld(bytes32 statement);
    /// @notice The office does not hold the statement.
    error LogNotHeld(bytes32 statement);
    /// @notice Only a proposal that the registry carries out does this.
    error LogNotDecided();
    /// @notice The signature is not of this account's key over exactly this act.
    error LogSignatureInvalid(address account);
    /// @notice The act was signed for the time up to `deadline`, and it is later.
    error LogSignatureExpired(uint40 deadline, uint40 at);

    /// @notice Anchor the next batch of the caller's own log. For issuers, while the ledger is not paused.
    /// @param firstSeq Sequence number of its first entry: where the log ends.
    /// @param size How many entries it has.
    /// @param root Its RFC 9162 tree head.
    function anchor(uint64 firstSeq, uint32 size, bytes32 root) external returns (uint64 batch);

    /// @notice Stop a leaf of the caller's own log for a time. For issuers.
    function suspend(uint64 batch, uint32 index, Reason reason) external;

    /// @notice Let a suspended leaf of the caller's own log stand again. For issuers.
    function resume(uint64 batch, uint32 index, Reason reason) external;

    /// @notice End a leaf of the caller's own log for good. For issuers.
    function revoke(uint64 batch, uint32 index, Reason reason) external;

    /// @notice End many leaves of a batch of the caller's own log for good; indices that share a storage word are
    /// cheapest side by side. For issuers.
    function revokeMany(uint64 batch, uint32[] calldata indices, Reason reason) external;

    /// @notice End a leaf of the caller's own log for good in favour of another one of it. For issuers.
    function supersede(uint64 batch, uint32 index, uint64 newBatch, uint32 newIndex) external;

    /// @notice Count a use of the caller's own under a request, if `ordinal` is the next one: of two that race exactly
    /// one succeeds. For consumers.
    function recordUse(bytes32 request, uint16 ordinal) external;

    /// @notice Count uses that a consumer signed, for anybody to send. A use that is not the next one is skipped, so
    /// nothing is counted twice and one stale use does not stop the others. For accounts of consumers.
    /// @param account The account whose key signed.
    /// @param uses What is counted, in this order.
    /// @param deadline The last second in which the signature is good.
    /// @param signature As `IPartyRegistry.signedBy` takes it; what is signed: docs/protocol.md, section 3.
    /// @return recorded How many were counted.
    function recordUsesFor(address account, Use[] calldata uses, uint40 deadline, bytes calldata signature)
        external
        returns (uint256 recorded);

    /// @notice Withdraw a statement for one's own part, once and for good: how a data subject takes its consent back,
    /// and a provider what it supplied, without asking anyone. For every party whose account is live, whatever its
    /// roles and its status: a sanction takes away the right to act, not the right to stop. A reported key withdraws
    /// too, and apart: the verifier decides whom it counts for. The log does not know whose statement it is, so it keeps
    /// who withdrew what, and a verifier counts only what the party named in the statement withdrew.
    function withdraw(bytes32 statement) external;

    /// @notice Withdraw statements as a party signed, for anybody to send; skips what the party withdrew before. For
    /// live accounts, as `withdraw`.
    /// @param account The account whose key signed.
    /// @param statements What is withdrawn.
    /// @param signature As `IPartyRegistry.signedBy` takes it; what is signed: docs/protocol.md, section 3.
    function withdrawFor(address account, bytes32[] calldata statements, bytes calldata signature) external;

    /// @notice Hold statements, all or none: what rests on them is not valid while an office holds them. For
    /// authorities and supervisors, each for its own office; a party that is both holds for both.
    function hold(bytes32[] calldata statements, Reason reason) external;

    /// @notice Lift the hold of an office on statements, all or none; another office's stands. Decided by two parties of
    /// that office, see IProposals.
    /// @param office 1 authority, 2 supervisor.
    function lift(uint8 office, bytes32[] calldata statements, Reason reason) external;

    /// @notice The commitment of a batch; zero if the issuer anchored none such.
    function commitmentOf(PartyNo issuer, uint64 batch) external view returns (bytes32);

    /// @notice How many batches an issuer anchored: the number of its next one.
    function batchCount(PartyNo issuer) external view returns (uint64);

    /// @notice The sequence number of the next entry in an issuer's log.
    function nextSeq(PartyNo issuer) external view returns (uint64);

    /// @notice The status word of 128 leaves: the low half says suspended, the high half revoked.
    function statusWord(PartyNo issuer, uint64 batch, uint32 word) external view returns (uint256);

    /// @notice A leaf's status; `Revoked` also where it was superseded.
    function statusOf(PartyNo issuer, uint64 batch, uint32 index) external view returns (LeafStatus);

    /// @notice How often a consumer used what was issued under a request.
    function usesOf(PartyNo consumer, bytes32 request) external view returns (uint16);

    /// @notice When a party withdrew a statement; 0 if it did not.
    /// @return at By a key that was not reported.
    /// @return reportedAt By a key that was reported lost or stolen.
    function withdrawnAt(PartyNo party, bytes32 statement) external view returns (uint40 at, uint40 reportedAt);

    /// @notice The offices that hold a statement, 1 authority and 2 supervisor, and how often they changed; 0 changes:
    /// never held.
    function holdOf(bytes32 statement) external view returns (uint8 offices, uint64 changes);

    /// @notice The head over every event of this contract.
    function head() external view returns (bytes32);
}
