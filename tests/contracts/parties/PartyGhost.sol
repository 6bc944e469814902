// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyKeys} from "../../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRecord} from "../../../contracts/interfaces/IPartyRecord.sol";
import {IPartyRegistry} from "../../../contracts/interfaces/IPartyRegistry.sol";
import {IPauses} from "../../../contracts/interfaces/IPauses.sol";
import {IProposals} from "../../../contracts/interfaces/IProposals.sol";
import {PartyNo, PartyStatus, ProposalState, Roles} from "../../../contracts/Types.sol";
import {PartyRegistry} from "../../../contracts/PartyRegistry.sol";
import {Refold} from "../Refold.sol";
import {Vm, vm} from "../Vm.sol";

/// Rebuilds the state of the party registry from its events only, and records every change that is forbidden.
contract PartyGhost {
    struct Key {
        uint32 no;
        uint40 from;
        uint40 to;
        uint40 reported;
        uint40 compromised;
        bool proven;
    }

    struct Proposal {
        uint32 role;
        uint32 concerned;
        uint32 by;
        uint32 confirmedBy;
        uint40 at;
        ProposalState state;
        bool quick;
    }

    struct Pause {
        uint40 from;
        uint40 until;
    }

    uint32 private constant _GUARDS = Roles.AUTHORITY | Roles.SUPERVISOR;
    uint32 private constant _ORDINARY = Roles.SUBJECT | Roles.PROVIDER | Roles.CONSUMER | Roles.BROKER;
    uint40 private constant _DELAY = 3 days;

    PartyRegistry private immutable _REGISTRY;

    bytes32 public head;
    bool public boundWithoutRight;
    bool public selfGranted;
    bool public decidedByOne;
    bool public pausedTooLong;
    bool public reopened;
    bool public absolved;
    uint32 public count;
    address[] public accounts;
    mapping(address account => Key) private _keys;
    mapping(uint32 no => uint32) public rolesOf;
    mapping(uint32 no => PartyStatus) public statusOf;
    mapping(uint32 no => Proposal) private _proposals;
    mapping(uint32 guardian => uint40) private _restsUntil;
    Pause[] private _pauses;
    /// The proposal that is carried out by the call whose events the ghost is reading; 0 if the call carries out none.
    uint32 private _current;

    constructor(PartyRegistry registry) {
        _REGISTRY = registry;
        head = registry.head();
        count = registry.count();
        for (uint32 no = 1; no <= count; ++no) {
            rolesOf[no] = registry.partyOf(PartyNo.wrap(no)).roles;
            statusOf[no] = PartyStatus.Active;
            _add(address(uint160(0x1000 + no)), no, true);
        }
    }

    /// Reads the events of one call.
    function read(Vm.Log[] memory logs) external {
        _current = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(_REGISTRY)) continue;
            head = Refold.next(head, logs[i]);
            _read(logs[i]);
        }
    }

    function keyOf(address account) external view returns (Key memory) {
        return _keys[account];
    }

    function proposalOf(uint32 no) external view returns (Proposal memory) {
        return _proposals[no];
    }

    function accountCount() external view returns (uint256) {
        return accounts.length;
    }

    function speaks(address account) public view returns (bool) {
        Key storage key = _keys[account];
        return key.no != 0 && key.to == 0 && key.proven && key.reported == 0;
    }

    function isOfficer(uint32 no) public view returns (bool) {
        if (statusOf[no] != PartyStatus.Active || rolesOf[no] & Roles.AUTHORITY == 0) return false;
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (_keys[accounts[i]].no == no && speaks(accounts[i])) return true;
        }
        return false;
    }

    /// Returns whether the key was live at the time `at`, when a change was proposed.
    function wasLive(address account, uint40 at) public view returns (bool) {
        Key storage key = _keys[account];
        return key.from <= at && (key.to == 0 || key.to >= at);
    }

    function running(uint40 at) public view returns (uint40 time) {
        time = at;
        for (uint256 i = 0; i < _pauses.length; ++i) {
            uint40 until = _pauses[i].until < at ? _pauses[i].until : at;
            if (until > _pauses[i].from) time -= until - _pauses[i].from;
        }
    }

    function pausedAt(uint40 at) public view returns (bool) {
        if (_pauses.length == 0) return false;
        Pause storage last = _pauses[_pauses.length - 1];
        return last.from <= at && at < last.until;
    }

    /// Checks that an account can act if its key is live, proven and not reported and its party is active and has a
    /// role, and that every other account cannot act.
    function checkKeys() external view {
        for (uint256 i = 0; i < accounts.length; ++i) {
            uint32 no = _keys[accounts[i]].no;
            bool acts = speaks(accounts[i]) && statusOf[no] == PartyStatus.Active && rolesOf[no] != 0;
            try _REGISTRY.actor(accounts[i], Roles.ALL) returns (PartyNo actual) {
                require(acts && PartyNo.unwrap(actual) == no, "a key can act that must not act");
            } catch {
                require(!acts, "a key cannot act that must be able to act");
            }
        }
    }

    function checkOfficers() external view {
        uint32 officers = 0;
        for (uint32 no = 1; no <= count; ++no) {
            if (isOfficer(no)) ++officers;
        }
        require(officers == _REGISTRY.officers(), "the number of officers differs");
        require(officers > _REGISTRY.threshold(), "too few officers");
    }

    function checkRunning() external view {
        uint40 at = uint40(vm.getBlockTimestamp());
        require(_REGISTRY.running() == running(at), "the clock that stops during pauses differs");
        require((_REGISTRY.pausedUntil() != 0) == pausedAt(at), "whether the ledger is paused differs");
    }

    function checkRecord() external view {
        require(_REGISTRY.count() == count, "the number of parties differs");
        for (uint32 no = 1; no <= count; ++no) {
            IPartyRecord.Party memory party = _REGISTRY.partyOf(PartyNo.wrap(no));
            require(party.roles == rolesOf[no] && party.status == statusOf[no], "a party differs");
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            IPartyRecord.Account memory actual = _REGISTRY.accountOf(accounts[i]);
            Key storage key = _keys[accounts[i]];
            bool same = PartyNo.unwrap(actual.no) == key.no && actual.validFrom == key.from
                && actual.validTo == key.to && actual.reportedAt == key.reported
                && actual.compromisedAt == key.compromised && actual.proven == key.proven;
            require(same, "a key differs");
        }
    }

    function _read(Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == IPartyRecord.PartyRegistered.selector) _registered(log);
        else if (topic == IPartyRecord.AccountBound.selector) _bound(log);
        else if (topic == IPartyKeys.AccountRetired.selector) _retired(log);
        else if (topic == IPartyKeys.AccountReported.selector) _reported(log);
        else if (topic == IPartyKeys.AccountCompromised.selector) _compromised(log);
        else if (topic == IPartyRecord.RolesChanged.selector) _roles(log);
        else if (topic == IPartyRegistry.PartyStatusChanged.selector) _status(log);
        else if (topic == IPartyRegistry.Accredited.selector) _requireTwo(_no(log));
        else if (topic == IProposals.Proposed.selector) _proposed(log);
        else if (topic == IProposals.Confirmed.selector) _confirmed(log);
        else if (topic == IProposals.ProposalEnded.selector) _ended(log);
        else if (topic == IPauses.Paused.selector) _paused(log);
        else _pauseEnded(log);
    }

    function _registered(Vm.Log memory log) private {
        require(_no(log) == ++count, "numbers have gaps");
        statusOf[count] = PartyStatus.Active;
        _requireTwo(count);
    }

    /// Reads an event that binds a key. The ghost records a violation unless the key's own party or two other parties
    /// bound the key by a proposal, after the waiting period. The first keys of a new party need no waiting period.
    function _bound(Vm.Log memory log) private {
        (bool proven, uint32 no, uint40 at,) = abi.decode(log.data, (bool, uint32, uint40, uint32));
        uint32 party = _no(log);
        Proposal storage proposal = _proposals[no];
        bool own = proposal.role == 0 && proposal.by == party;
        bool two = _isOfTwo(proposal) && proposal.by != party && proposal.confirmedBy != party;
        bool first = proposal.concerned == 0;
        bool waited = first || running(at) >= running(proposal.at) + _DELAY;
        bool concerns = first || proposal.concerned == party;
        bool carriedOut = no == _current && proposal.state == ProposalState.CarriedOut;
        if (!(own || two) || !waited || !concerns || !carriedOut || pausedAt(at)) boundWithoutRight = true;
        if (first && rolesOf[party] != 0) boundWithoutRight = true;
        _add(_account(log), party, proven);
        _keys[_account(log)].from = at;
    }

    function _retired(Vm.Log memory log) private {
        (, uint40 at,) = abi.decode(log.data, (uint32, uint40, uint32));
        if (_current == 0) boundWithoutRight = true;
        _keys[_account(log)].to = at;
    }

    function _reported(Vm.Log memory log) private {
        (uint40 at, uint32 by) = abi.decode(log.data, (uint40, uint32));
        if (by != _no(log) && rolesOf[_no(log)] & _GUARDS != 0) _requireTwo(_no(log));
        if (by != _no(log) && !isOfficer(by)) decidedByOne = true;
        _keys[_account(log)].reported = at;
    }

    function _compromised(Vm.Log memory log) private {
        (uint40 compromisedAt,,) = abi.decode(log.data, (uint40, uint40, uint32));
        Key storage key = _keys[_account(log)];
        if (key.compromised != 0 && compromisedAt >= key.compromised) absolved = true;
        _requireTwo(_no(log));
        key.compromised = compromisedAt;
    }

    function _roles(Vm.Log memory log) private {
        (uint32 roles,, uint32 by) = abi.decode(log.data, (uint32, uint40, uint32));
        if ((roles ^ rolesOf[_no(log)]) & ~_ORDINARY != 0) _requireTwo(_no(log));
        if (by == _no(log)) selfGranted = true;
        rolesOf[_no(log)] = roles;
    }

    function _status(Vm.Log memory log) private {
        (PartyStatus status,,, uint32 by) = abi.decode(log.data, (PartyStatus, uint8, uint40, uint32));
        uint32 no = _no(log);
        if (statusOf[no] == PartyStatus.Closed) reopened = true;
        if (status == PartyStatus.Closed || rolesOf[no] & (_GUARDS | Roles.ISSUER) != 0) _requireTwo(no);
        if (by == no) selfGranted = true;
        statusOf[no] = status;
    }

    function _proposed(Vm.Log memory log) private {
        (, uint32 role, uint40 ready, uint40 at, uint32 by,,) =
            abi.decode(log.data, (bytes32, uint32, uint40, uint40, uint32, address, bytes));
        uint32 concerned = uint32(uint256(log.topics[2]));
        if (role != 0 && by == concerned) selfGranted = true;
        _proposals[_no(log)] = Proposal(role, concerned, by, 0, at, ProposalState.Pending, ready == running(at));
    }

    function _confirmed(Vm.Log memory log) private {
        (, uint32 by) = abi.decode(log.data, (uint40, uint32));
        _proposals[_no(log)].confirmedBy = by;
    }

    function _ended(Vm.Log memory log) private {
        (ProposalState state, address account,, uint32 by) =
            abi.decode(log.data, (ProposalState, address, uint40, uint32));
        Proposal storage proposal = _proposals[_no(log)];
        require(proposal.state == ProposalState.Pending, "a proposal ended twice");
        if (state == ProposalState.CarriedOut) _current = _no(log);
        if (state == ProposalState.Cancelled && by == proposal.concerned) selfGranted = true;
        if (state == ProposalState.Cancelled) {
            require(proposal.role & Roles.AUTHORITY != 0, "a party's change of its own keys was cancelled");
            require(!proposal.quick, "a proposal without a delay was cancelled");
        }
        if (state == ProposalState.Vetoed) {
            require(_keys[account].no == by && by == proposal.concerned, "vetoed by another party");
            require(wasLive(account, proposal.at), "vetoed by a key that was not live");
        }
        proposal.state = state;
    }

    function _paused(Vm.Log memory log) private {
        (uint40 until, uint40 at, uint32 by) = abi.decode(log.data, (uint40, uint40, uint32));
        if (until > at + 7 days || at < _restsUntil[by] || pausedAt(at)) pausedTooLong = true;
        if (rolesOf[by] & _GUARDS == 0) pausedTooLong = true;
        _restsUntil[by] = until + 30 days;
        _pauses.push(Pause(at, until));
    }

    function _pauseEnded(Vm.Log memory log) private {
        (uint40 at,) = abi.decode(log.data, (uint40, uint32));
        _requireTwo(0);
        _pauses[_pauses.length - 1].until = at;
    }

    /// Records a violation unless two parties decided the proposal, and neither of them is the party number `no`.
    function _requireTwo(uint32 no) private {
        Proposal storage proposal = _proposals[_current];
        if (_current == 0 || !_isOfTwo(proposal)) decidedByOne = true;
        if (no != 0 && (proposal.by == no || proposal.confirmedBy == no)) selfGranted = true;
    }

    /// Returns whether proposer and confirmer are two different parties that still have the role that the proposal
    /// needs.
    function _isOfTwo(Proposal storage proposal) private view returns (bool) {
        (uint32 one, uint32 other) = (proposal.by, proposal.confirmedBy);
        bool both = rolesOf[one] & proposal.role != 0 && rolesOf[other] & proposal.role != 0;
        return both && one != 0 && other != 0 && one != other;
    }

    function _add(address account, uint32 no, bool proven) private {
        accounts.push(account);
        _keys[account] = Key(no, uint40(vm.getBlockTimestamp()), 0, 0, 0, proven);
    }

    function _no(Vm.Log memory log) private pure returns (uint32) {
        return log.topics.length > 1 ? uint32(uint256(log.topics[1])) : 0;
    }

    function _account(Vm.Log memory log) private pure returns (address) {
        return address(uint160(uint256(log.topics[2])));
    }
}
