// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LeafStatus, PartyNo, Reason} from "../Types.sol";
import {IOrigin} from "./IOrigin.sol";

/// @title The logs of the issuers: anchored batches, status of leaves, and uses, withdrawals and holds of statements.
/// @notice Each issuer has its own log. The position of a leaf is its issuer, batch and index. A verifier checks with
/// an inclusion proof which entry is at a position, so the contract needs no proof when an issuer changes the status at
/// a position. Uses, withdrawals and holds are recorded under the digest of the signed statement, so it does not matter
/// where or how often the statement is anchored. The content of entries is never recorded here. Times are seconds UTC.
interface ICertificateLog is IOrigin {
    /// @param request The digest of the request under which the certificate was issued.
    /// @param ordinal The number of this use under the request, from 1.
    struct Use {
        bytes32 request;
        uint16 ordinal;
    }

    /// @notice A batch was anchored. The digest of this event is the batch's commitment.
    event Anchored(
        PartyNo indexed issuer, uint64 indexed batch, uint64 firstSeq, uint32 size, bytes32 root, uint40 at
    );
    /// @notice The leaves in `mask` now have this status. Bit i of the mask stands for the leaf with the index 128 *
    /// word + i.
    event StatusChanged(
        PartyNo indexed issuer,
        uint64 indexed batch,
        uint32 word,
        uint128 mask,
        LeafStatus status,
        Reason reason,
        uint40 at
    );
    /// @notice A leaf was superseded by another leaf of the same log. Emitted after the leaf's `StatusChanged`.
    event Superseded(
        PartyNo indexed issuer, uint64 indexed batch, uint32 index, uint64 newBatch, uint32 newIndex, uint40 at
    );
    /// @notice A consumer recorded its use number `ordinal` under a request.
    event Used(PartyNo indexed consumer, bytes32 indexed request, uint16 ordinal, uint40 at);
    /// @notice A party withdrew a statement permanently. `reported` is true if the key that withdrew the statement had
    /// been reported lost or stolen.
    event Withdrawn(PartyNo indexed party, bytes32 indexed statement, bool reported, uint40 at);
    /// @notice A hold on a statement was placed or lifted. `offices` says which offices now have a hold on the
    /// statement: 1 the authorities, 2 the supervisors, 3 both, 0 none. `change` is the number of this change among all
    /// changes to the statement's holds, from 1.
    event Held(bytes32 indexed statement, uint8 offices, uint64 change, Reason reason, uint40 at, PartyNo by);

    /// @notice The batch does not begin with the next sequence number of the issuer's log.
    error LogNotContiguous(PartyNo issuer, uint64 expected, uint64 given);
    /// @notice A batch needs at least one entry.
    error LogEmptyBatch();
    /// @notice The issuer's log has no such batch.
    error LogUnknownBatch(PartyNo issuer, uint64 batch);
    /// @notice The leaf is already revoked.
    error LogAlreadyRevoked(PartyNo issuer, uint64 batch, uint32 index);
    /// @notice The leaf is already suspended.
    error LogAlreadySuspended(PartyNo issuer, uint64 batch, uint32 index);
    /// @notice The leaf is not suspended.
    error LogNotSuspended(PartyNo issuer, uint64 batch, uint32 index);
    /// @notice A leaf cannot supersede itself.
    error LogSupersedesItself(PartyNo issuer, uint64 batch, uint32 index);
    /// @notice The ordinal is not the number of the next use; for example, another use was recorded first. `expected`
    /// is 65,536 if the maximum number of uses has been reached.
    error LogUseOutOfOrder(bytes32 request, uint32 expected, uint16 given);
    /// @notice The party already withdrew the statement at the time `since`, with a key of the same kind (reported or
    /// not reported).
    error LogAlreadyWithdrawn(bytes32 statement, uint40 since);
    /// @notice The authorities (or the supervisors) have already placed a hold on the statement.
    error LogAlreadyHeld(bytes32 statement);
    /// @notice The authorities (or the supervisors) have no hold on the statement.
    error LogNotHeld(bytes32 statement);
    /// @notice Only the party registry may do this, while it carries out a proposal.
    error LogNotDecided();
    /// @notice The signature was not made by this account's key for exactly this act.
    error LogSignatureInvalid(address account);
    /// @notice The deadline of the signed act has passed.
    error LogSignatureExpired(uint40 deadline, uint40 at);

    /// @notice Anchor the next batch of the caller's log. Issuers may call this while the ledger is not paused.
    /// @param firstSeq The sequence number of the batch's first entry; it must be the next number of the log.
    /// @param size How many entries the batch has.
    /// @param root The batch's RFC 9162 tree head.
    function anchor(uint64 firstSeq, uint32 size, bytes32 root) external returns (uint64 batch);

    /// @notice Suspend a leaf of the caller's log. Issuers may call this.
    function suspend(uint64 batch, uint32 index, Reason reason) external;

    /// @notice Make a suspended leaf of the caller's log active again. Issuers may call this.
    function resume(uint64 batch, uint32 index, Reason reason) external;

    /// @notice Revoke a leaf of the caller's log permanently. Issuers may call this.
    function revoke(uint64 batch, uint32 index, Reason reason) external;

    /// @notice Revoke many leaves of a batch of the caller's log permanently. Issuers may call this. The call costs
    /// least gas if `indices` is sorted, because 128 neighbouring leaves share one storage word.
    function revokeMany(uint64 batch, uint32[] calldata indices, Reason reason) external;

    /// @notice Revoke a leaf of the caller's log permanently and name the leaf that replaces it. Issuers may call this.
    function supersede(uint64 batch, uint32 index, uint64 newBatch, uint32 newIndex) external;

    /// @notice Record a use by the caller under a request; `ordinal` must be the number of the caller's next use. If
    /// two transactions have the same ordinal, exactly one succeeds. Consumers may call this.
    function recordUse(bytes32 request, uint16 ordinal) external;

    /// @notice Record uses that a consumer signed. Anybody may send the call. A use that does not have the next ordinal
    /// is skipped, so no use is counted twice, and an outdated use does not prevent the recording of the other uses.
    /// The signing account must belong to a consumer.
    /// @param account The account whose key signed.
    /// @param uses The uses to record, in this order.
    /// @param deadline The last second in which the signature is valid.
    /// @param signature The signature in the form of `IPartyRegistry.signedBy`, over the message in docs/protocol.md,
    /// section 3.
    /// @return recorded How many uses were recorded.
    function recordUsesFor(address account, Use[] calldata uses, uint40 deadline, bytes calldata signature)
        external
        returns (uint256 recorded);

    /// @notice Withdraw a statement permanently in the name of the caller's party. So a data subject can withdraw its
    /// consent, and a provider can withdraw its provision, without asking anyone. Every account that is bound and not
    /// retired may call this, whatever the roles and status of its party: even a sanctioned party can withdraw. Even a
    /// reported key can withdraw. Such a withdrawal is recorded separately, and the verifier decides whether the
    /// withdrawal counts. The log does not know who signed a statement. It records which party withdrew the statement,
    /// and a verifier counts only withdrawals by the party that the statement names.
    function withdraw(bytes32 statement) external;

    /// @notice Withdraw statements in the name of the party that signed the withdrawal. Anybody may send the call.
    /// Statements that the party withdrew earlier are skipped. The signing account must be bound and not retired, as
    /// for `withdraw`.
    /// @param account The account whose key signed.
    /// @param statements The digests of the statements.
    /// @param signature The signature in the form of `IPartyRegistry.signedBy`, over the message in docs/protocol.md,
    /// section 3.
    function withdrawFor(address account, bytes32[] calldata statements, bytes calldata signature) external;

    /// @notice Place holds on statements. If one hold is refused, none is placed. A certificate that is based on a
    /// statement with a hold is not valid. Authorities and supervisors may call this. The holds of authorities and of
    /// supervisors are separate; a party with both roles places a hold for each role.
    function hold(bytes32[] calldata statements, Reason reason) external;

    /// @notice Lift the holds of one office (the authorities or the supervisors) on statements. If one hold cannot be
    /// lifted, none is lifted. A hold of the other office remains. Two authorities (or two supervisors) must decide
    /// this, see IProposals.
    /// @param office The office whose holds are lifted: 1 the authorities, 2 the supervisors.
    function lift(uint8 office, bytes32[] calldata statements, Reason reason) external;

    /// @notice Return the commitment of a batch; zero if the issuer has no such batch.
    function commitmentOf(PartyNo issuer, uint64 batch) external view returns (bytes32);

    /// @notice Return how many batches an issuer anchored, which is also the number of its next batch.
    function batchCount(PartyNo issuer) external view returns (uint64);

    /// @notice Return the sequence number of the next entry in an issuer's log.
    function nextSeq(PartyNo issuer) external view returns (uint64);

    /// @notice Return the status of 128 leaves in one word. Each bit of the low half says whether a leaf is suspended.
    /// Each bit of the high half says whether a leaf is revoked.
    function statusWord(PartyNo issuer, uint64 batch, uint32 word) external view returns (uint256);

    /// @notice Return a leaf's status. For a superseded leaf, the returned status is `Revoked`.
    function statusOf(PartyNo issuer, uint64 batch, uint32 index) external view returns (LeafStatus);

    /// @notice Return how many uses a consumer recorded under a request.
    function usesOf(PartyNo consumer, bytes32 request) external view returns (uint16);

    /// @notice Return the times at which a party withdrew a statement; each time is 0 if there was no such withdrawal.
    /// @return at The time of a withdrawal with a key that was not reported.
    /// @return reportedAt The time of a withdrawal with a key that was reported lost or stolen.
    function withdrawnAt(PartyNo party, bytes32 statement) external view returns (uint40 at, uint40 reportedAt);

    /// @notice Return which offices have a hold on a statement (1 the authorities, 2 the supervisors, 3 both, 0 none),
    /// and how often the statement's holds changed. 0 changes mean that the statement never had a hold.
    function holdOf(bytes32 statement) external view returns (uint8 offices, uint64 changes);

    /// @notice Return the head of the hash chain over all events of this contract.
    function head() external view returns (bytes32);
}
