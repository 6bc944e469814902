// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyNo, ProposalKind, ProposalState} from "../Types.sol";

/// @title Proposals: what no single key may do. Two parties decide, or one party waits for its own vetoes.
/// @notice A proposal binds one exact call. Somebody proposes it, another party with the same role confirms it, and
/// after the delay anybody carries it out: the registry calls itself or another contract of the ledger. Proposer and
/// confirmer are checked again then. A party changes its own keys without a confirmation. Every key that was live at
/// the proposal of another key may veto it. Times named `ready` are running time, see IPauses.
interface IProposals {
    /// @param act SHA-256 of `abi.encode(target, call)`.
    /// @param proposer The account that proposed it.
    /// @param at When it was proposed.
    /// @param ready From when it can be carried out, in running time; it expires 14 days after this.
    /// @param state Where it stands; an expired one stays pending.
    /// @param kind Who may stop it: the keys of the party concerned veto the change of a key.
    /// @param confirmer The account that confirmed it; 0 before.
    /// @param by The party that proposed it.
    /// @param concerned The party whose record it changes; 0 if none.
    /// @param role Mask of the roles, one of which proposer and confirmer have; 0 if the party changes its own keys.
    /// @param confirmedBy The party that confirmed it; 0 before.
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

    /// @notice A call was proposed. `target` and `call` are what `act` commits to; empty for a list of registrations,
    /// which is published when it is confirmed.
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
    /// @notice A proposal is over. The events of the call follow where it was carried out. `account` is whose key
    /// vetoed, else 0; `by` the party that vetoed or cancelled, or the proposer of what was carried out.
    event ProposalEnded(uint32 indexed no, ProposalState state, address account, uint40 at, PartyNo by);

    /// @notice The call is none that can be proposed.
    error PartyNotProposable(bytes4 selector);
    /// @notice The proposal is over, or there is none of this number.
    error PartyNotPending(uint32 no, ProposalState state);
    /// @notice The call is another than the one proposed.
    error PartyActDiffers(uint32 no);
    /// @notice The proposal was confirmed before, by this party.
    error PartyAlreadyConfirmed(uint32 no, PartyNo by);
    /// @notice The proposal is of this same party, whichever its account: another party confirms it.
    error PartyOwnProposal(uint32 no, PartyNo by);
    /// @notice No second party confirmed the proposal.
    error PartyNotConfirmed(uint32 no);
    /// @notice The proposal still waits, up to this running time.
    error PartyNotReady(uint32 no, uint40 ready);
    /// @notice The proposal expired at this running time.
    error PartyProposalExpired(uint32 no, uint40 expiry);
    /// @notice A proposal is carried out within another one.
    error PartyNested(uint32 no);
    /// @notice The proposal does not wait, or a party changes its own keys by it, which its keys veto.
    error PartyNotCancellable(uint32 no);
    /// @notice Two officers confirmed a report or a change of roles or status against this party: it cancels nothing
    /// up to this running time, when that expires.
    error PartyAccused(PartyNo no, uint40 until);
    /// @notice The proposal changes no key.
    error PartyNotVetoable(uint32 no);
    /// @notice The account was no live key of the party concerned when this was proposed.
    error PartyNoVeto(uint32 no, address account);
    /// @notice The signature is not of this account's key over exactly this act.
    error PartySignatureInvalid(address account);

    /// @notice Propose a call. Own keys: for every key that speaks, whatever the party's status. Lifting a hold: for
    /// the office that is named in it. All else: for authorities, and not about the proposer itself.
    /// @param target This registry or another contract of the ledger.
    /// @param call Selector and arguments: here `changeKey`, `setRoles`, `setStatus`, `accredit`, `report`,
    /// `dateCompromise` or `endPause`, elsewhere any. A hold is lifted, and a pause ended, without delay.
    function propose(address target, bytes calldata call) external returns (uint32 no);

    /// @notice Propose a list of registrations by its hash, without delay. For authorities and admins.
    /// @param act SHA-256 of `abi.encode(registry, call)`, the call being `register` with the list.
    function proposeRegistration(bytes32 act) external returns (uint32 no);

    /// @notice Confirm a proposal. What does not wait is carried out at once. For another party with a role that the
    /// proposal needs, which is not the one concerned.
    function confirm(uint32 no, address target, bytes calldata call) external;

    /// @notice Carry out a proposal that is confirmed, if it has to be, and has waited. For anybody.
    function carryOut(uint32 no, address target, bytes calldata call) external;

    /// @notice Cancel a proposal that waits. For every party with a role that the proposal needs, except the one
    /// concerned and one against which two officers confirmed a report or a change of roles or status. Own keys are
    /// vetoed instead, and what does not wait expires if nobody confirms it.
    function cancel(uint32 no) external;

    /// @notice Veto the change of a key. For every key of the party concerned that was live at the proposal, whether
    /// proven or reported, and whatever the party's status.
    function veto(uint32 no) external;

    /// @notice Veto the change of a key as a party signed, for anybody to send.
    /// @param account The account whose key signed.
    /// @param signature As `IPartyRegistry.signedBy` takes it; what is signed: docs/protocol.md, section 3.
    function vetoFor(address account, uint32 no, bytes calldata signature) external;

    /// @notice A proposal; its state is `None` if there is none.
    function proposalOf(uint32 no) external view returns (Proposal memory proposal);

    /// @notice How many proposals there are; their numbers are 1 to this.
    function proposals() external view returns (uint32);
}
