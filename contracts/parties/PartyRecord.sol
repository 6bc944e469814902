// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {IOrigin} from "../interfaces/IOrigin.sol";
import {IPartyRecord} from "../interfaces/IPartyRecord.sol";
import {Clock} from "../libraries/Clock.sol";
import {EventHead} from "../libraries/EventHead.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {NOBODY, PartyId, PartyNo, PartyStatus, Roles} from "../Types.sol";

/// @title Implements IPartyRecord. The interface documents the functions.
abstract contract PartyRecord is IPartyRecord, ERC2771Context {
    /// The data of a party that every act reads, packed into one storage slot: 32 + 8 + 40 + 16 + 16 + 40 + 40 bits.
    struct Standing {
        uint32 roles;
        PartyStatus status;
        uint40 since;
        /// How many keys may act for the party, and below it how many of these keys can send transactions.
        uint16 speaking;
        uint16 acting;
        /// Since when the party has been closed or has had no key that may act for it; 0 if the party is not closed and
        /// has such a key.
        uint40 silentSince;
        /// The time until which the party may not cancel proposals, because a proposal that two officers decided
        /// against the party can still be carried out. The time is a running time: seconds UTC minus all paused
        /// seconds.
        uint40 accusedUntil;
    }

    /// How many parties decide a proposal: the proposer and one other party. There must always be more officers than
    /// this number.
    uint32 internal constant THRESHOLD = 2;
    /// The roles that may propose registrations and change the roles of a party.
    uint32 internal constant REGISTERS = Roles.AUTHORITY | Roles.ADMIN;
    /// The roles that may pause the ledger and change a party's status.
    uint32 internal constant GUARDS = Roles.AUTHORITY | Roles.SUPERVISOR;
    /// The roles that only a decided proposal can give or take: all roles except subject, provider, consumer and
    /// broker.
    uint32 internal constant OFFICES = Roles.ALL
        & ~(Roles.SUBJECT | Roles.PROVIDER | Roles.CONSUMER | Roles.BROKER);

    bytes32 internal immutable _ORIGIN;
    uint40 internal immutable _DELAY;

    // Storage slot 0.
    bytes32 private _head;
    // Storage slot 1: this number and the three numbers below, packed.
    uint32 private _count;
    uint32 private _officers;
    /// The number of the proposal that is being carried out, and below it the party that made this proposal. Both are 0
    /// while no proposal is being carried out.
    uint32 internal _deciding;
    PartyNo internal _decider;
    // Storage slots 2 to 5: this mapping and the three mappings below.
    mapping(address account => Account) internal _accounts;
    mapping(PartyNo no => Standing) internal _standings;
    mapping(PartyNo no => PartyId) private _ids;
    mapping(PartyId id => PartyNo) private _numbers;

    /// @param forwarder The trusted ERC-2771 forwarder. The contract also reads the ledger's origin from the forwarder.
    /// @param wait How many seconds a proposal waits; paused seconds are not counted.
    constructor(address forwarder, uint40 wait) ERC2771Context(forwarder) {
        _ORIGIN = IOrigin(forwarder).origin();
        _DELAY = wait;
        _head = EventHead.genesis(_ORIGIN, address(this));
    }

    /// @inheritdoc IPartyRecord
    function isActive(PartyNo no) external view returns (bool) {
        return _standings[no].status == PartyStatus.Active;
    }

    /// @inheritdoc IPartyRecord
    function isSilent(PartyNo no) external view returns (bool) {
        uint40 since = _standings[no].silentSince;
        return since != 0 && Clock.nowSeconds() >= since + _DELAY;
    }

    /// @inheritdoc IPartyRecord
    function partyOf(PartyNo no) external view returns (Party memory party) {
        Standing storage standing = _standings[no];
        return Party(_ids[no], standing.roles, standing.status, standing.since);
    }

    /// @inheritdoc IPartyRecord
    function partyNoOf(PartyId id) external view returns (PartyNo no) {
        return _numbers[id];
    }

    /// @inheritdoc IPartyRecord
    function accountOf(address account) external view returns (Account memory binding) {
        return _accounts[account];
    }

    /// @inheritdoc IPartyRecord
    function count() external view returns (uint32) {
        return _count;
    }

    /// @inheritdoc IPartyRecord
    function officers() external view returns (uint32) {
        return _officers;
    }

    /// @inheritdoc IPartyRecord
    function threshold() external pure returns (uint32) {
        return THRESHOLD;
    }

    /// @inheritdoc IPartyRecord
    function delay() external view returns (uint40) {
        return _DELAY;
    }

    /// @inheritdoc IPartyRecord
    function head() external view returns (bytes32) {
        return _head;
    }

    /// @inheritdoc IPartyRecord
    function actor(address account, uint32 anyOf) public view returns (PartyNo no) {
        no = account == address(this) && _deciding != 0 ? _decider : _speaker(account);
        Standing storage standing = _standings[no];
        if (standing.status != PartyStatus.Active) revert PartyNotActive(no, standing.status);
        if (standing.roles & anyOf == 0) revert PartyLacksRole(no, anyOf);
    }

    /// Registers a party without keys and roles; reverts if the id is zero or already registered.
    function _add(PartyId id, PartyNo by) internal returns (PartyNo no) {
        // Check all conditions before any change.
        if (PartyId.unwrap(id) == 0) revert PartyZero();
        if (_numbers[id] != NOBODY) revert PartyAlreadyRegistered(id, _numbers[id]);
        // Change the state and emit the events.
        no = PartyNo.wrap(++_count);
        uint40 at = Clock.nowSeconds();
        _numbers[id] = no;
        _ids[no] = id;
        _standings[no] = Standing(0, PartyStatus.Active, at, 0, 0, at, 0);
        emit PartyRegistered(no, id, at, by);
        _fold(abi.encode(bytes32("party/registered/v1"), no, id, at, by));
    }

    /// Binds an account to a party; each account can be bound only once. `proven` says whether the account may act for
    /// the party, and `acts` whether the account can send transactions.
    function _bind(PartyNo no, address account, bool proven, bool acts, PartyNo by) internal {
        // Check all conditions before any change.
        if (account == address(0)) revert PartyZero();
        // The registry's own address must not be bound to a party: when the registry calls another contract, that
        // contract would take the call for an act of the party.
        if (_accounts[account].no != NOBODY || account == address(this)) {
            revert PartyAccountTaken(account, _accounts[account].no);
        }
        // Change the state and emit the events.
        uint40 at = Clock.nowSeconds();
        uint32 proposal = _deciding;
        _accounts[account] = Account(no, at, 0, 0, 0, proven, proposal, acts);
        Standing storage standing = _standings[no];
        if (proven) ++standing.speaking;
        if (acts) ++standing.acting;
        _listen(standing);
        emit AccountBound(no, account, proven, proposal, at, by);
        _fold(abi.encode(bytes32("party/bound/v2"), no, account, proven, proposal, at, by));
    }

    /// Replaces the roles of a party; reverts if `roles` has a bit that is not a role.
    function _setRoles(PartyNo no, uint32 roles, PartyNo by) internal {
        if (roles & ~Roles.ALL != 0) revert PartyUnknownRoles(roles);
        _standings[no].roles = roles;
        uint40 at = Clock.nowSeconds();
        emit RolesChanged(no, roles, at, by);
        _fold(abi.encode(bytes32("party/roles/v1"), no, roles, at, by));
    }

    /// Updates `silentSince` after a change to the party's keys or status.
    function _listen(Standing storage standing) internal {
        bool silent = standing.speaking == 0 || standing.status == PartyStatus.Closed;
        if (!silent) standing.silentSince = 0;
        else if (standing.silentSince == 0) standing.silentSince = Clock.nowSeconds();
    }

    /// Updates the number of officers after a change to one party, and reverts if too few officers would be left.
    /// `before` says whether the party was an officer before the change.
    function _recount(PartyNo no, bool before) internal {
        bool after_ = _isOfficer(no);
        if (after_ && !before) ++_officers;
        if (before && !after_) {
            --_officers;
            _requireOfficers();
        }
    }

    /// Adds an event to the hash chain of this contract. `encoded` is the event's tag and fields, ABI-encoded.
    function _fold(bytes memory encoded) internal {
        _head = EventHead.fold(_head, EventHead.digest(encoded));
    }

    /// Adds an event to the hash chain. The event's fields are the number `no`, two further values, the time and the
    /// acting party. Several events share this function, which keeps the contract small.
    function _foldAct(bytes32 tag, uint32 no, uint160 first, uint160 second, uint40 at, PartyNo by) internal {
        _fold(abi.encode(tag, no, first, second, at, by));
    }

    /// Returns the party for which an account may act; the party's status and roles are not checked.
    function _speaker(address account) internal view returns (PartyNo no) {
        Account storage key = _accounts[account];
        no = key.no;
        // An account that was never bound is not proven, so this condition also refuses such an account.
        if (key.validTo != 0 || !key.proven) revert PartyUnknownAccount(account);
        if (key.reportedAt != 0) revert PartyAccountReported(account, key.reportedAt);
    }

    /// Returns the party of a live and proven key, even if the key is reported.
    function _owner(address account) internal view returns (PartyNo no) {
        Account storage key = _accounts[account];
        no = key.no;
        if (key.validTo != 0 || !key.proven) revert PartyUnknownAccount(account);
    }

    /// Returns whether this registry calls itself, which it does only while it carries out a proposal.
    function _isDecided() internal view returns (bool) {
        return msg.sender == address(this);
    }

    /// Returns the proposer of the proposal that is being carried out; reverts if no proposal is being carried out.
    function _requireDecided() internal view returns (PartyNo by) {
        if (!_isDecided()) revert PartyNotDecided();
        return _decider;
    }

    /// Returns the acting party. Reverts if the acting party has none of the roles in `anyOf`, if it is the party `no`
    /// itself, or if the party `no` does not exist.
    function _grantor(uint32 anyOf, PartyNo no) internal view returns (PartyNo by) {
        by = actor(_msgSender(), anyOf);
        if (by == no) revert PartySelfGrant(no);
        _requireKnown(no);
    }

    /// Reverts unless the party is registered.
    function _requireKnown(PartyNo no) internal view {
        if (_standings[no].status == PartyStatus.None) revert PartyUnknown(no);
    }

    /// Reverts unless at least three officers are left. Two officers decide a proposal; the third is needed if one of
    /// the two loses its key.
    function _requireOfficers() internal view {
        if (_officers <= THRESHOLD) revert PartyTooFewOfficers(_officers);
    }

    /// Returns whether the party is an active authority with a key that can send transactions.
    function _isOfficer(PartyNo no) internal view returns (bool) {
        Standing storage standing = _standings[no];
        return standing.status == PartyStatus.Active && standing.roles & Roles.AUTHORITY != 0 && standing.acting != 0;
    }

    /// Returns whether the key of `account` signed an act. The signed data contains the act's tag, this registry, the
    /// account, and `about`: the number or address that the act is about.
    function _isSigned(address account, bytes32 tag, uint256 about, bytes calldata signature)
        internal
        view
        returns (bool)
    {
        bytes memory act = abi.encode(tag, _ORIGIN, block.chainid, address(this), account, about);
        return Signatures.signedBy(account, EventHead.digest(act), signature);
    }
}
