// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ICertificateLog} from "../interfaces/ICertificateLog.sol";
import {IPartyKeys} from "../interfaces/IPartyKeys.sol";
import {IPartyRegistry} from "../interfaces/IPartyRegistry.sol";
import {IPauses} from "../interfaces/IPauses.sol";
import {IProposals} from "../interfaces/IProposals.sol";
import {Clock} from "../libraries/Clock.sol";
import {NOBODY, PartyNo, ProposalKind, ProposalState, roleOfOffice, Roles} from "../Types.sol";
import {Pauses} from "./Pauses.sol";

/// @title Implements IProposals. The interface documents the functions.
abstract contract Proposals is Pauses, IProposals {
    uint40 private constant OPEN_FOR = 14 days;
    /// The length in bytes of a `changeKey` call with an empty proof: the selector and five 32-byte words.
    uint256 private constant WITHOUT_PROOF = 4 + 5 * 32;

    // Storage slot 8.
    uint32 private _proposalCount;
    // Storage slot 9.
    mapping(uint32 no => Proposal) private _proposals;

    /// @inheritdoc IProposals
    function propose(address target, bytes calldata call) external returns (uint32 no) {
        // Check all conditions before any change.
        Proposal memory proposal = _draft(_actOf(target, call));
        (proposal.role, proposal.concerned) = _termsOf(target, call);
        proposal.kind = _kindOf(target, call);
        bool key = proposal.kind == ProposalKind.Key;
        bool own = key && _accounts[proposal.proposer].no == proposal.concerned;
        if (own) {
            proposal.role = 0;
            proposal.by = _speaker(proposal.proposer);
        } else {
            proposal.by = actor(proposal.proposer, proposal.role);
            if (proposal.by == proposal.concerned) revert PartySelfGrant(proposal.by);
        }
        if (key) _requireKey(own, call);
        // Change the state and emit the events.
        if (proposal.kind != ProposalKind.Quick) proposal.ready += _DELAY;
        no = _store(proposal, target, call);
    }

    /// @inheritdoc IProposals
    function proposeRegistration(bytes32 act) external returns (uint32 no) {
        Proposal memory proposal = _draft(act);
        proposal.role = REGISTERS;
        proposal.by = actor(proposal.proposer, REGISTERS);
        no = _store(proposal, address(0), msg.data[:0]);
    }

    /// @inheritdoc IProposals
    function confirm(uint32 no, address target, bytes calldata call) external {
        // Check all conditions before any change.
        Proposal storage proposal = _open(no, target, call);
        if (proposal.confirmer != address(0)) revert PartyAlreadyConfirmed(no, proposal.confirmedBy);
        address confirmer = _msgSender();
        PartyNo by = actor(confirmer, proposal.role);
        if (by == proposal.by) revert PartyOwnProposal(no, by);
        if (by == proposal.concerned) revert PartySelfGrant(by);
        // The proposal of a registration contains only the hash of the call, so the call itself is checked now.
        if (proposal.role == REGISTERS && !_registers(target, call)) revert PartyNotProposable(bytes4(call));
        // Change the state and emit the events.
        proposal.confirmer = confirmer;
        proposal.confirmedBy = by;
        uint40 at = Clock.nowSeconds();
        emit Confirmed(no, at, by);
        _fold(abi.encode(bytes32("party/confirmed/v1"), no, at, by));
        // Call the other contract last, after all changes of state.
        if (_DELAY == 0 || proposal.kind == ProposalKind.Quick) _carryOut(no, proposal, target, call);
        else if (_accuses(proposal, call)) _accuse(_standings[proposal.concerned], proposal.ready + OPEN_FOR);
    }

    /// @inheritdoc IProposals
    function carryOut(uint32 no, address target, bytes calldata call) external {
        _carryOut(no, _open(no, target, call), target, call);
    }

    /// @inheritdoc IProposals
    function cancel(uint32 no) external {
        // Check all conditions before any change.
        _requirePending(no);
        Proposal storage proposal = _proposals[no];
        uint32 role = proposal.role;
        if (role == 0 || proposal.kind == ProposalKind.Quick) revert PartyNotCancellable(no);
        PartyNo by = actor(_msgSender(), role);
        if (by == proposal.concerned) revert PartySelfGrant(by);
        uint40 until = _standings[by].accusedUntil;
        if (running() <= until) revert PartyAccused(by, until);
        // Change the state and emit the events.
        _end(no, ProposalState.Cancelled, address(0), by);
    }

    /// @inheritdoc IProposals
    function veto(uint32 no) external {
        _veto(_msgSender(), no);
    }

    /// @inheritdoc IProposals
    function vetoFor(address account, uint32 no, bytes calldata signature) external {
        if (!_isSigned(account, "party/veto/v2", no, signature)) revert PartySignatureInvalid(account);
        _veto(account, no);
    }

    /// @inheritdoc IProposals
    function proposalOf(uint32 no) external view returns (Proposal memory proposal) {
        return _proposals[no];
    }

    /// @inheritdoc IProposals
    function proposals() external view returns (uint32) {
        return _proposalCount;
    }

    function _store(Proposal memory proposal, address target, bytes calldata call) private returns (uint32 no) {
        no = ++_proposalCount;
        _proposals[no] = proposal;
        uint40 at = proposal.at;
        (bytes32 act, uint32 role, PartyNo concerned) = (proposal.act, proposal.role, proposal.concerned);
        emit Proposed(no, act, role, concerned, proposal.ready, at, proposal.by, target, call);
        _fold(
            abi.encode(bytes32("party/proposed/v1"), no, act, role, concerned, proposal.ready, at, proposal.by)
        );
    }

    /// Carries out a proposal. Only this function makes the registry call another contract. Before the call, all
    /// conditions are checked and the proposal is marked as ended.
    function _carryOut(uint32 no, Proposal storage proposal, address target, bytes calldata call) private {
        // Check all conditions before any change.
        if (_deciding != 0) revert PartyNested(_deciding);
        if (running() < proposal.ready) revert PartyNotReady(no, proposal.ready);
        uint32 role = proposal.role;
        address proposer = proposal.proposer;
        if (role == 0) {
            _speaker(proposer);
        } else {
            if (proposal.confirmer == address(0)) revert PartyNotConfirmed(no);
            actor(proposer, role);
            actor(proposal.confirmer, role);
        }
        // Change the state and emit the events.
        PartyNo by = proposal.by;
        _end(no, ProposalState.CarriedOut, address(0), by);
        (_deciding, _decider) = (no, by);
        // Call the other contract last, after all changes of state.
        // slither-disable-next-line reentrancy-no-eth,unused-return: no proposal runs during another proposal
        Address.functionCall(target, call);
        (_deciding, _decider) = (0, NOBODY);
    }

    function _veto(address account, uint32 no) private {
        // Check all conditions before any change.
        _requirePending(no);
        Proposal storage proposal = _proposals[no];
        if (proposal.kind != ProposalKind.Key) revert PartyNotVetoable(no);
        Account storage key = _accounts[account];
        PartyNo by = key.no;
        uint40 at = proposal.at;
        bool live = key.validFrom <= at && (key.validTo == 0 || key.validTo >= at);
        if (by != proposal.concerned || !live) revert PartyNoVeto(no, account);
        // Change the state and emit the events.
        _end(no, ProposalState.Vetoed, account, by);
    }

    function _accuse(Standing storage standing, uint40 until) private {
        if (until > standing.accusedUntil) standing.accusedUntil = until;
    }

    function _end(uint32 no, ProposalState state, address account, PartyNo by) private {
        _proposals[no].state = state;
        uint40 at = Clock.nowSeconds();
        emit ProposalEnded(no, state, account, at, by);
        _foldAct("party/ended/v1", no, uint8(state), uint160(account), at, by);
    }

    /// Returns a new proposal of the caller, made at the present time. The returned proposal has no waiting period;
    /// `propose` adds the waiting period if the call needs one.
    function _draft(bytes32 act) private view returns (Proposal memory proposal) {
        proposal.act = act;
        proposal.proposer = _msgSender();
        proposal.at = Clock.nowSeconds();
        proposal.ready = running();
        proposal.state = ProposalState.Pending;
    }

    /// Returns the pending proposal `no`; reverts if the proposal has expired or is not for exactly this call.
    function _open(uint32 no, address target, bytes calldata call) private view returns (Proposal storage proposal) {
        _requirePending(no);
        proposal = _proposals[no];
        uint40 expiry = proposal.ready + OPEN_FOR;
        if (running() > expiry) revert PartyProposalExpired(no, expiry);
        if (_actOf(target, call) != proposal.act) revert PartyActDiffers(no);
    }

    function _requirePending(uint32 no) private view {
        ProposalState state = _proposals[no].state;
        if (state != ProposalState.Pending) revert PartyNotPending(no, state);
    }

    /// Returns the role that may propose and confirm a call, and the party that the call concerns; reverts if nobody
    /// may propose the call.
    function _termsOf(address target, bytes calldata call) private view returns (uint32 role, PartyNo concerned) {
        bytes4 selector = bytes4(call);
        if (target != address(this)) {
            bool lifts = selector == ICertificateLog.lift.selector;
            return (lifts ? roleOfOffice(abi.decode(call[4:], (uint8))) : Roles.AUTHORITY, NOBODY);
        }
        role = Roles.AUTHORITY;
        if (selector == IPauses.endPause.selector) return (role, NOBODY);
        if (!_concernsParty(selector)) revert PartyNotProposable(selector);
        concerned = abi.decode(call[4:], (PartyNo));
        // The party must exist when the change is proposed, because keys that are bound later could not veto the
        // change.
        _requireKnown(concerned);
    }

    /// Reverts for a change of keys that may not be proposed. If officers retire a key of a party, they must also bind
    /// a new key. If a party binds a key to itself, it must prove possession of the key, because otherwise nobody would
    /// know whose key this is.
    function _requireKey(bool own, bytes calldata call) private pure {
        (, address fresh) = abi.decode(call[4:], (PartyNo, address));
        bool none = fresh == address(0);
        if (!own && none) revert PartyZero();
        if (own && !none && call.length <= WITHOUT_PROOF) revert IPartyKeys.PartyProofMissing(fresh);
    }

    /// Returns whether a confirmed proposal accuses a party: it would report one of the party's keys, or change the
    /// party's roles or status. An accused party may not cancel proposals.
    function _accuses(Proposal storage proposal, bytes calldata call) private view returns (bool) {
        return proposal.concerned != NOBODY && proposal.kind == ProposalKind.Waits
            && bytes4(call) != IPartyRegistry.accredit.selector;
    }

    function _registers(address target, bytes calldata call) private view returns (bool) {
        return target == address(this) && bytes4(call) == IPartyKeys.register.selector;
    }

    /// Returns who can stop a proposal. Lifting a hold and ending a pause undo a restriction. So proposals of these two
    /// acts have no waiting period, and nobody can cancel such a proposal: otherwise one officer could keep a hold or a
    /// pause forever. All other proposals have a waiting period.
    function _kindOf(address target, bytes calldata call) private view returns (ProposalKind) {
        bytes4 selector = bytes4(call);
        bool here = target == address(this);
        if (here && selector == IPartyKeys.changeKey.selector) return ProposalKind.Key;
        bytes4 quick = here ? IPauses.endPause.selector : ICertificateLog.lift.selector;
        return selector == quick ? ProposalKind.Quick : ProposalKind.Waits;
    }

    /// Returns whether `selector` is a function of this registry whose first argument is the party that the call
    /// concerns.
    function _concernsParty(bytes4 selector) private pure returns (bool) {
        return selector == IPartyKeys.changeKey.selector || selector == IPartyRegistry.setRoles.selector
            || selector == IPartyRegistry.setStatus.selector || selector == IPartyRegistry.accredit.selector
            || selector == IPartyKeys.report.selector || selector == IPartyKeys.dateCompromise.selector;
    }

    function _actOf(address target, bytes calldata call) private pure returns (bytes32) {
        return sha256(abi.encode(target, call));
    }
}
