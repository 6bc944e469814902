// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyNo, ProposalKind, ProposalState} from "../Types.sol";

/// @title Proposals for acts that one key alone may not do. Either two parties decide an act, or a party that changes
/// its own keys waits, so that each of its keys can veto the change.
/// @notice A proposal is for one exact call. One party proposes the call, and a second party with the same role
/// confirms the proposal. After the waiting period anybody can carry out the proposal: the registry checks proposer and
/// confirmer again, and makes the call to itself or to another contract of the ledger. A party can change its own keys
/// without a confirmation. Every key that was live when a change of keys was proposed can veto the change. Times named
/// `ready` are in running time, which does not count paused seconds (see IPauses).
interface IProposals {
    /// @param act SHA-256 of `abi.encode(target, call)`.
    /// @param proposer The account that proposed the call.
    /// @param at When the call was proposed.
    /// @param ready The running time (seconds UTC minus all paused seconds) from which the call can be carried out; the
    /// proposal expires 14 days later.
    /// @param state The proposal's state; an expired proposal stays pending.
    /// @param kind Who can stop the proposal; `ProposalKind` explains the kinds.
    /// @param confirmer The account that confirmed the proposal; 0 before the confirmation.
    /// @param by The party that proposed the call.
    /// @param concerned The party whose record the call changes; 0 if the call changes no party.
    /// @param role The mask of roles of which proposer and confirmer each need one; 0 if a party changes its own keys.
    /// @param confirmedBy The party that confirmed the proposal; 0 before the confirmation.
    struct Proposal {
        bytes32 act;
        address proposer;
        uint40 at;
        uint40 ready;
        ProposalState state;
        ProposalKind kind;
        address confirmer;
        PartyNo by;
        PartyNo concerned;
        uint32 role;
        PartyNo confirmedBy;
    }

    /// @notice A call was proposed. `act` is the digest of `target` and `call`. For a registration, `target` and `call`
    /// are empty here; the call is published when the proposal is confirmed.
    event Proposed(
        uint32 indexed no,
        bytes32 act,
        uint32 role,
        PartyNo indexed concerned,
        uint40 ready,
        uint40 at,
        PartyNo by,
        address target,
        bytes call
    );
    /// @notice A proposal was confirmed by a second party.
    event Confirmed(uint32 indexed no, uint40 at, PartyNo by);
    /// @notice A proposal ended. If it was carried out, the events of the call follow. `account` is the account that
    /// vetoed, else 0. `by` is the party that vetoed or cancelled, or the proposer if the proposal was carried out.
    event ProposalEnded(uint32 indexed no, ProposalState state, address account, uint40 at, PartyNo by);

    /// @notice The call cannot be proposed.
    error PartyNotProposable(bytes4 selector);
    /// @notice The proposal has ended or does not exist.
    error PartyNotPending(uint32 no, ProposalState state);
    /// @notice The given call is not the call that was proposed.
    error PartyActDiffers(uint32 no);
    /// @notice The proposal was already confirmed, by the party `by`.
    error PartyAlreadyConfirmed(uint32 no, PartyNo by);
    /// @notice A party cannot confirm its own proposal, not even with another account.
    error PartyOwnProposal(uint32 no, PartyNo by);
    /// @notice No second party has confirmed the proposal.
    error PartyNotConfirmed(uint32 no);
    /// @notice The proposal cannot be carried out before `ready`, a running time (seconds UTC minus all paused
    /// seconds).
    error PartyNotReady(uint32 no, uint40 ready);
    /// @notice The proposal expired at `expiry`, a running time (seconds UTC minus all paused seconds).
    error PartyProposalExpired(uint32 no, uint40 expiry);
    /// @notice A proposal cannot be carried out while another proposal is being carried out.
    error PartyNested(uint32 no);
    /// @notice The proposal cannot be cancelled, because it has no waiting period, or because a party proposed to
    /// change its own keys. Only a veto by a key of the party can stop such a change.
    error PartyNotCancellable(uint32 no);
    /// @notice Two officers decided to report a key of this party, or to change its roles or status. The party may not
    /// cancel proposals until that decided proposal expires, at `until`, a running time (seconds UTC minus all paused
    /// seconds).
    error PartyAccused(PartyNo no, uint40 until);
    /// @notice The proposal changes no key, so it cannot be vetoed.
    error PartyNotVetoable(uint32 no);
    /// @notice The account was not a live key of the party when the proposal was made.
    error PartyNoVeto(uint32 no, address account);
    /// @notice The signature was not made by this account's key for exactly this act.
    error PartySignatureInvalid(address account);

    /// @notice Propose a call. A party may propose a change of its own keys, whatever its status is; every key that may
    /// act for the party can make this proposal. An authority may propose to lift a hold of the authorities, and a
    /// supervisor to lift a hold of the supervisors. Authorities may propose all other calls, but not about themselves.
    /// @param target This registry or another contract of the ledger.
    /// @param call Selector and arguments. For this registry: `changeKey`, `setRoles`, `setStatus`, `accredit`,
    /// `report`, `dateCompromise` or `endPause`; for other contracts any call. Lifting a hold and ending a pause have
    /// no waiting period.
    function propose(address target, bytes calldata call) external returns (uint32 no);

    /// @notice Propose to register parties. The proposal contains only the digest of the call. The proposal has no
    /// waiting period, because a new party has no key yet that could veto. Authorities and admins may call this.
    /// @param act SHA-256 of `abi.encode(registry, call)`, where `call` is the call of `register` with the list.
    function proposeRegistration(bytes32 act) external returns (uint32 no);

    /// @notice Confirm a proposal. A proposal without a waiting period is carried out at once. A party with a role that
    /// the proposal needs may call this, but neither the proposer nor the party concerned.
    function confirm(uint32 no, address target, bytes calldata call) external;

    /// @notice Carry out a proposal after its waiting period; if the proposal needs a confirmation, it must be
    /// confirmed first. Every account may call this.
    function carryOut(uint32 no, address target, bytes calldata call) external;

    /// @notice Cancel a proposal that has a waiting period. Every party with a role that the proposal needs may call
    /// this, with two exceptions: the party concerned, and a party against which two officers confirmed a report, or a
    /// change of roles or status. A change of a party's own keys can only be vetoed. A proposal without a waiting
    /// period expires if nobody confirms it.
    function cancel(uint32 no) external;

    /// @notice Veto a change of keys. Every key of the party concerned may call this if the key was live when the
    /// change was proposed, even if the key is unproven or reported, and whatever the party's status is.
    function veto(uint32 no) external;

    /// @notice Veto a change of keys with the signature of a key. Anybody may send the call.
    /// @param account The account whose key signed.
    /// @param signature The signature in the form of `IPartyRegistry.signedBy`, over the message in docs/protocol.md,
    /// section 3.
    function vetoFor(address account, uint32 no, bytes calldata signature) external;

    /// @notice Return a proposal; the state is `None` if there is no such proposal.
    function proposalOf(uint32 no) external view returns (Proposal memory proposal);

    /// @notice Return how many proposals there are; their numbers are 1 to this count.
    function proposals() external view returns (uint32);
}
