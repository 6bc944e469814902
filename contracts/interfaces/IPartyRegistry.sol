// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyId, PartyNo, PartyStatus, Reason, ScenarioCode} from "../Types.sol";
import {IOrigin} from "./IOrigin.sol";

/// @title The parties of the ledger: who acts, in which roles, with which accounts.
/// @notice Ownership elsewhere is by party and never by account, so a lost key is a new account, not a lost asset.
/// No name and no number of a person or firm is ever recorded here. Times are seconds UTC.
interface IPartyRegistry is IOrigin {
    /// @param id The party's opaque id.
    /// @param roles Mask of its roles.
    /// @param status Its status; `None` if there is no such party.
    /// @param since When its status was last changed.
    struct Party {
        PartyId id;
        uint32 roles;
        PartyStatus status;
        uint40 since;
    }

    /// @param no The party; 0 if the account was never bound.
    /// @param validFrom From when it acts for the party.
    /// @param validTo Since when it does so no more; 0 while it does.
    /// @param compromisedAt From when its signatures count for nothing; 0 if it is not known to be compromised.
    struct Account {
        PartyNo no;
        uint40 validFrom;
        uint40 validTo;
        uint40 compromisedAt;
    }

    /// @param id The new party's id.
    /// @param account Its first account.
    /// @param roles Mask of its roles.
    struct Registration {
        PartyId id;
        address account;
        uint32 roles;
    }

    /// @notice A party was registered. Its account and roles follow in events of their own.
    event PartyRegistered(PartyNo indexed no, PartyId indexed id, uint40 at, PartyNo by);
    /// @notice An account acts for a party from now on.
    event AccountBound(PartyNo indexed no, address indexed account, uint40 at, PartyNo by);
    /// @notice An account acts no more; with `compromisedAt` its signatures since then count for nothing.
    event AccountRetired(PartyNo indexed no, address indexed account, uint40 compromisedAt, uint40 at, PartyNo by);
    /// @notice A retired account's signatures since `compromisedAt` count for nothing.
    event AccountCompromised(PartyNo indexed no, address indexed account, uint40 compromisedAt, uint40 at, PartyNo by);
    /// @notice A party's roles are now these.
    event RolesChanged(PartyNo indexed no, uint32 roles, uint40 at, PartyNo by);
    /// @notice A party's status is now this.
    event PartyStatusChanged(PartyNo indexed no, PartyStatus status, Reason reason, uint40 at, PartyNo by);
    /// @notice A party may issue under a scenario from `from` up to, not including, `to`.
    event Accredited(
        PartyNo indexed no, ScenarioCode indexed scenario, uint40 from, uint40 to, uint40 at, PartyNo by
    );

    /// @notice The account belongs to no party, or acts for it no more.
    error PartyUnknownAccount(address account);
    /// @notice The party is suspended, sanctioned or closed.
    error PartyNotActive(PartyNo no, PartyStatus status);
    /// @notice The party is closed for good, since then.
    error PartyClosed(PartyNo no, uint40 since);
    /// @notice The party has none of the roles in the mask.
    error PartyLacksRole(PartyNo no, uint32 anyOf);
    /// @notice No party has this number.
    error PartyUnknown(PartyNo no);
    /// @notice The id is registered already, as this party.
    error PartyAlreadyRegistered(PartyId id, PartyNo no);
    /// @notice The account is or was bound to this party; an account binds once.
    error PartyAccountTaken(address account, PartyNo no);
    /// @notice The account is not a live account of this party; to a report of compromise: nor ever was one.
    error PartyAccountNotBound(PartyNo no, address account);
    /// @notice The account is live: `recoverAccount` replaces and reports it at once.
    error PartyAccountLive(PartyNo no, address account);
    /// @notice The account is the calling one: `rotateAccount` replaces it.
    error PartyCallingAccount(address account);
    /// @notice The time of a compromise is zero, in the future, or not before the one reported: later than `latest`.
    error PartyCompromiseTime(uint40 compromisedAt, uint40 latest);
    /// @notice No party gives roles, accreditation, status or accounts to itself.
    error PartySelfGrant(PartyNo no);
    /// @notice The mask has bits of no known role.
    error PartyUnknownRoles(uint32 roles);
    /// @notice These roles are offices: only an authority gives and takes them.
    error PartyOfficeByAuthority(uint32 roles);
    /// @notice An id or an account of zero.
    error PartyZero();
    /// @notice The period is empty, or takes back accreditation already given: it begins later or ends in the past.
    error PartyPeriod(uint40 from, uint40 to);

    /// @notice Register a party. For authorities and admins; with an office (any role but subject, provider, consumer
    /// and broker) for authorities alone.
    function register(PartyId id, address account, uint32 roles) external returns (PartyNo no);

    /// @notice Register many parties, all or none.
    function registerMany(Registration[] calldata parties) external;

    /// @notice Set a party's roles. For authorities and admins, never on their own party; an admin leaves the offices
    /// as they are.
    function setRoles(PartyNo no, uint32 roles) external;

    /// @notice Set a party's status; `Closed` is final. For authorities and supervisors, never on their own party.
    function setStatus(PartyNo no, PartyStatus status, Reason reason) external;

    /// @notice Bind a further account to a party: of an officer or a device, or one whose key
    /// sends no transactions (a P-256 key acts by signature, an SM2 key signs statements only). For authorities, never
    /// on their own party: else the thief of one account could bind more of them than can be taken back.
    function bindAccount(PartyNo no, address fresh) external;

    /// @notice Retire another account of the calling party; the calling one stays, so a party never has none.
    function retireAccount(address account) external;

    /// @notice Replace the calling account by another of the same party.
    function rotateAccount(address fresh) external;

    /// @notice Replace a party's lost account. For authorities, never on their own party.
    /// @param compromisedAt From when the lost account's signatures count for nothing; 0 if it was only lost.
    function recoverAccount(PartyNo no, address lost, address fresh, uint40 compromisedAt) external;

    /// @notice Report that a retired account is compromised, or was earlier than reported. For authorities, never on
    /// their own party.
    /// @param compromisedAt From when its signatures count for nothing.
    function reportCompromise(PartyNo no, address account, uint40 compromisedAt) external;

    /// @notice Let a party issue under a scenario for a period. What was given stays given: the beginning of an
    /// accreditation never moves later, nor its end into the past. For authorities, never on their own party.
    function accredit(PartyNo no, ScenarioCode scenario, uint40 from, uint40 to) external;

    /// @notice The active party for which an account acts now, if it has one of the roles; reverts otherwise.
    function actor(address account, uint32 anyOf) external view returns (PartyNo no);

    /// @notice Whether the key of an account signed a SHA-256 hash. It does not say that the account is bound or live.
    /// @param signature `r ‖ s` of secp256k1, or `r ‖ s ‖ x ‖ y` of P-256, with a low `s`. See docs/protocol.md,
    /// section 3, for what is signed and section 4 for the account of a key.
    function signedBy(address account, bytes32 hash, bytes calldata signature) external view returns (bool);

    /// @notice Whether there is such a party and it may act.
    function isActive(PartyNo no) external view returns (bool);

    /// @notice A party by number; its status is `None` if there is none.
    function partyOf(PartyNo no) external view returns (Party memory party);

    /// @notice A party's number by id; 0 if there is none.
    function partyNoOf(PartyId id) external view returns (PartyNo no);

    /// @notice An account's binding.
    function accountOf(address account) external view returns (Account memory binding);

    /// @notice From when to when a party may issue under a scenario; zeros if never.
    function accreditationOf(PartyNo no, ScenarioCode scenario) external view returns (uint40 from, uint40 to);

    /// @notice How many parties there are; their numbers are 1 to this.
    function count() external view returns (uint32);

    /// @notice The head over every event of this contract.
    function head() external view returns (bytes32);
}
