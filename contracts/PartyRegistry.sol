// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC2771Context} from "@openzeppelin/contracts/metatx/ERC2771Context.sol";
import {IOrigin} from "./interfaces/IOrigin.sol";
import {IPartyRegistry} from "./interfaces/IPartyRegistry.sol";
import {Clock} from "./libraries/Clock.sol";
import {EventHead} from "./libraries/EventHead.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {NOBODY, PartyId, PartyNo, PartyStatus, Reason, Roles, ScenarioCode} from "./Types.sol";

/// @title Implements IPartyRegistry; the documentation is there.
contract PartyRegistry is IPartyRegistry, ERC2771Context {
    /// What every act needs, in one slot: 32 + 8 + 40 bits.
    struct Standing {
        uint32 roles;
        PartyStatus status;
        uint40 since;
    }

    struct Period {
        uint40 from;
        uint40 to;
    }

    uint32 private constant REGISTERS = Roles.AUTHORITY | Roles.ADMIN;
    /// Any other role is an office.
    uint32 private constant ORDINARY = Roles.SUBJECT | Roles.PROVIDER | Roles.CONSUMER | Roles.BROKER;

    bytes32 private immutable _ORIGIN;

    // slot 0
    bytes32 private _head;
    // slot 1
    uint32 private _count;
    // slots 2 to 6
    mapping(address account => Account) private _accounts;
    mapping(PartyNo no => Standing) private _standings;
    mapping(PartyNo no => PartyId) private _ids;
    mapping(PartyId id => PartyNo) private _numbers;
    mapping(PartyNo no => mapping(ScenarioCode scenario => Period)) private _accreditations;

    /// @param forwarder The trusted ERC-2771 forwarder, from which the origin is.
    /// @param founder Id of the first party, an authority and admin.
    /// @param founderAccount Its account.
    constructor(address forwarder, PartyId founder, address founderAccount) ERC2771Context(forwarder) {
        _ORIGIN = IOrigin(forwarder).origin();
        _head = EventHead.genesis(_ORIGIN, address(this));
        PartyNo first = PartyNo.wrap(1);
        _add(founder, founderAccount, first);
        _setRoles(first, REGISTERS, first);
    }

    /// @inheritdoc IPartyRegistry
    function register(PartyId id, address account, uint32 roles) external returns (PartyNo no) {
        return _register(id, account, roles, actor(_msgSender(), REGISTERS));
    }

    /// @inheritdoc IPartyRegistry
    function registerMany(Registration[] calldata parties) external {
        PartyNo by = actor(_msgSender(), REGISTERS);
        for (uint256 i = 0; i < parties.length; ++i) {
            _register(parties[i].id, parties[i].account, parties[i].roles, by);
        }
    }

    /// @inheritdoc IPartyRegistry
    function setRoles(PartyNo no, uint32 roles) external {
        PartyNo by = _grantor(REGISTERS, no);
        _grant(no, roles, by);
    }

    /// @inheritdoc IPartyRegistry
    function setStatus(PartyNo no, PartyStatus status, Reason reason) external {
        PartyNo by = _grantor(Roles.AUTHORITY | Roles.SUPERVISOR, no);
        Standing storage standing = _standings[no];
        if (standing.status == PartyStatus.Closed) revert PartyClosed(no, standing.since);
        if (status == PartyStatus.None) revert PartyNotActive(no, status);
        uint40 at = Clock.nowSeconds();
        standing.status = status;
        standing.since = at;
        emit PartyStatusChanged(no, status, reason, at, by);
        _fold(EventHead.digest(abi.encode(bytes32("party/status/v1"), no, status, reason, at, by)));
    }

    /// @inheritdoc IPartyRegistry
    function bindAccount(PartyNo no, address fresh) external {
        PartyNo by = _grantor(Roles.AUTHORITY, no);
        _bind(no, fresh, by);
    }

    /// @inheritdoc IPartyRegistry
    function retireAccount(address account) external {
        address calling = _msgSender();
        PartyNo by = actor(calling, Roles.ALL);
        if (account == calling) revert PartyCallingAccount(account);
        _retire(by, account, 0, by);
    }

    /// @inheritdoc IPartyRegistry
    function rotateAccount(address fresh) external {
        address old = _msgSender();
        PartyNo by = actor(old, Roles.ALL);
        _retire(by, old, 0, by);
        _bind(by, fresh, by);
    }

    /// @inheritdoc IPartyRegistry
    function recoverAccount(PartyNo no, address lost, address fresh, uint40 compromisedAt) external {
        PartyNo by = _grantor(Roles.AUTHORITY, no);
        uint40 latest = Clock.nowSeconds();
        if (compromisedAt > latest) revert PartyCompromiseTime(compromisedAt, latest);
        _retire(no, lost, compromisedAt, by);
        _bind(no, fresh, by);
    }

    /// @inheritdoc IPartyRegistry
    function reportCompromise(PartyNo no, address account, uint40 compromisedAt) external {
        // Check
        PartyNo by = _grantor(Roles.AUTHORITY, no);
        Account storage binding = _accounts[account];
        if (binding.no != no) revert PartyAccountNotBound(no, account);
        if (binding.validTo == 0) revert PartyAccountLive(no, account);
        uint40 at = Clock.nowSeconds();
        uint40 known = binding.compromisedAt;
        uint40 latest = known == 0 ? at : known - 1;
        if (compromisedAt == 0 || compromisedAt > latest) revert PartyCompromiseTime(compromisedAt, latest);
        // Effect
        binding.compromisedAt = compromisedAt;
        emit AccountCompromised(no, account, compromisedAt, at, by);
        _fold(EventHead.digest(abi.encode(bytes32("party/compromised/v1"), no, account, compromisedAt, at, by)));
    }

    /// @inheritdoc IPartyRegistry
    function accredit(PartyNo no, ScenarioCode scenario, uint40 from, uint40 to) external {
        PartyNo by = _grantor(Roles.AUTHORITY, no);
        uint40 at = Clock.nowSeconds();
        Period storage known = _accreditations[no][scenario];
        bool takesBack = known.to != 0 && (from > known.from || (to < known.to && to < at));
        if (from >= to || takesBack) revert PartyPeriod(from, to);
        _accreditations[no][scenario] = Period(from, to);
        emit Accredited(no, scenario, from, to, at, by);
        _fold(EventHead.digest(abi.encode(bytes32("party/accredited/v1"), no, scenario, from, to, at, by)));
    }

    /// @inheritdoc IPartyRegistry
    function isActive(PartyNo no) external view returns (bool) {
        return _standings[no].status == PartyStatus.Active;
    }

    /// @inheritdoc IPartyRegistry
    function partyOf(PartyNo no) external view returns (Party memory party) {
        Standing storage standing = _standings[no];
        return Party(_ids[no], standing.roles, standing.status, standing.since);
    }

    /// @inheritdoc IPartyRegistry
    function partyNoOf(PartyId id) external view returns (PartyNo no) {
        return _numbers[id];
    }

    /// @inheritdoc IPartyRegistry
    function accountOf(address account) external view returns (Account memory binding) {
        return _accounts[account];
    }

    /// @inheritdoc IPartyRegistry
    function accreditationOf(PartyNo no, ScenarioCode scenario) external view returns (uint40 from, uint40 to) {
        Period storage period = _accreditations[no][scenario];
        return (period.from, period.to);
    }

    /// @inheritdoc IPartyRegistry
    function signedBy(address account, bytes32 hash, bytes calldata signature) external view returns (bool) {
        return Signatures.signedBy(account, hash, signature);
    }

    /// @inheritdoc IPartyRegistry
    function count() external view returns (uint32) {
        return _count;
    }

    /// @inheritdoc IPartyRegistry
    function head() external view returns (bytes32) {
        return _head;
    }

    /// @inheritdoc IOrigin
    function origin() external view returns (bytes32) {
        return _ORIGIN;
    }

    /// @inheritdoc IPartyRegistry
    function actor(address account, uint32 anyOf) public view returns (PartyNo no) {
        Account storage binding = _accounts[account];
        no = binding.no;
        if (no == NOBODY || binding.validTo != 0) revert PartyUnknownAccount(account);
        Standing storage standing = _standings[no];
        if (standing.status != PartyStatus.Active) revert PartyNotActive(no, standing.status);
        if (standing.roles & anyOf == 0) revert PartyLacksRole(no, anyOf);
    }

    /// The acting party, which must not be the one acted upon, and that one must exist.
    function _grantor(uint32 anyOf, PartyNo no) private view returns (PartyNo by) {
        by = actor(_msgSender(), anyOf);
        if (by == no) revert PartySelfGrant(no);
        if (_standings[no].status == PartyStatus.None) revert PartyUnknown(no);
    }

    function _register(PartyId id, address account, uint32 roles, PartyNo by) private returns (PartyNo no) {
        no = _add(id, account, by);
        _grant(no, roles, by);
    }

    function _add(PartyId id, address account, PartyNo by) private returns (PartyNo no) {
        // Check
        if (PartyId.unwrap(id) == 0) revert PartyZero();
        if (_numbers[id] != NOBODY) revert PartyAlreadyRegistered(id, _numbers[id]);
        // Effect
        no = PartyNo.wrap(++_count);
        uint40 at = Clock.nowSeconds();
        _numbers[id] = no;
        _ids[no] = id;
        _standings[no] = Standing(0, PartyStatus.Active, at);
        emit PartyRegistered(no, id, at, by);
        _fold(EventHead.digest(abi.encode(bytes32("party/registered/v1"), no, id, at, by)));
        _bind(no, account, by);
    }

    /// Without this an admin could make a party of its own an authority, which makes the admin one.
    function _grant(PartyNo no, uint32 roles, PartyNo by) private {
        if (roles & ~Roles.ALL != 0) revert PartyUnknownRoles(roles);
        uint32 offices = (roles ^ _standings[no].roles) & ~ORDINARY;
        if (offices != 0 && _standings[by].roles & Roles.AUTHORITY == 0) revert PartyOfficeByAuthority(offices);
        _setRoles(no, roles, by);
    }

    function _setRoles(PartyNo no, uint32 roles, PartyNo by) private {
        _standings[no].roles = roles;
        uint40 at = Clock.nowSeconds();
        emit RolesChanged(no, roles, at, by);
        _fold(EventHead.digest(abi.encode(bytes32("party/roles/v1"), no, roles, at, by)));
    }

    function _bind(PartyNo no, address account, PartyNo by) private {
        if (account == address(0)) revert PartyZero();
        if (_accounts[account].no != NOBODY) revert PartyAccountTaken(account, _accounts[account].no);
        uint40 at = Clock.nowSeconds();
        _accounts[account] = Account(no, at, 0, 0);
        emit AccountBound(no, account, at, by);
        _fold(EventHead.digest(abi.encode(bytes32("party/bound/v1"), no, account, at, by)));
    }

    function _retire(PartyNo no, address account, uint40 compromisedAt, PartyNo by) private {
        Account storage binding = _accounts[account];
        if (binding.no != no || binding.validTo != 0) revert PartyAccountNotBound(no, account);
        uint40 at = Clock.nowSeconds();
        binding.validTo = at;
        binding.compromisedAt = compromisedAt;
        emit AccountRetired(no, account, compromisedAt, at, by);
        _fold(EventHead.digest(abi.encode(bytes32("party/retired/v1"), no, account, compromisedAt, at, by)));
    }

    function _fold(bytes32 digest) private {
        _head = EventHead.fold(_head, digest);
    }
}
