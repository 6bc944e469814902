// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyId, PartyNo, PartyStatus} from "../Types.sol";

/// @title The record of parties and keys, and the functions and errors that all parts of the party registry share.
/// @notice An account is the address of a key. A key is *live* from its binding until it is retired. A live key
/// *speaks*, which means that it may act for its party, if possession of the key was proven and nobody reported the
/// key. A speaking key *acts* if it can send transactions, which only secp256k1 keys can. Of a founding party's keys,
/// only the first key counts as acting. An *officer* is an active authority with a key that acts. A function *needs a
/// decided proposal* if only the registry itself can call the function, when the registry carries out a proposal (see
/// IProposals).
interface IPartyRecord {
    /// @param id The party's id.
    /// @param roles The bit mask of the party's roles.
    /// @param status The party's status; `None` if there is no such party.
    /// @param since When the party's status changed last.
    struct Party {
        PartyId id;
        uint32 roles;
        PartyStatus status;
        uint40 since;
    }

    /// @param no The party's number; 0 if the account was never bound.
    /// @param validFrom When the account was bound to the party.
    /// @param validTo When the account was retired; 0 while it is live.
    /// @param reportedAt When the account was reported lost or stolen; 0 if it was not reported.
    /// @param compromisedAt The time from which the key's signatures are invalid; 0 if the key is not known to be
    /// compromised.
    /// @param proven Whether possession of the key was proven to the chain, which is impossible for SM2 keys.
    /// @param proposal The number of the proposal that bound the account; 0 for an account of a founding party.
    /// @param acts Whether the account can send transactions: its proof was made by a secp256k1 key, or it is the first
    /// account of a founding party.
    struct Account {
        PartyNo no;
        uint40 validFrom;
        uint40 validTo;
        uint40 reportedAt;
        uint40 compromisedAt;
        bool proven;
        uint32 proposal;
        bool acts;
    }

    /// @notice A party was registered. Separate events with its accounts and roles follow.
    event PartyRegistered(PartyNo indexed no, PartyId indexed id, uint40 at, PartyNo by);
    /// @notice An account was bound to a party.
    event AccountBound(
        PartyNo indexed no, address indexed account, bool proven, uint32 proposal, uint40 at, PartyNo by
    );
    /// @notice A party's roles changed; `roles` is the new mask.
    event RolesChanged(PartyNo indexed no, uint32 roles, uint40 at, PartyNo by);

    /// @notice The account may not act for any party: it was never bound, it was retired, or possession of its key was
    /// never proven.
    error PartyUnknownAccount(address account);
    /// @notice The account was reported lost or stolen at the time `since`. It may still veto, withdraw statements, and
    /// report keys of its own party.
    error PartyAccountReported(address account, uint40 since);
    /// @notice The party is suspended, sanctioned or closed.
    error PartyNotActive(PartyNo no, PartyStatus status);
    /// @notice The party has none of the roles in the mask. For an empty mask this error is always raised.
    error PartyLacksRole(PartyNo no, uint32 anyOf);
    /// @notice No party has this number.
    error PartyUnknown(PartyNo no);
    /// @notice The id is already registered; the party with this id has the number `no`.
    error PartyAlreadyRegistered(PartyId id, PartyNo no);
    /// @notice The account can be bound only once, and it is or was bound to the party `no`. If `no` is 0, the account
    /// is the registry itself.
    error PartyAccountTaken(address account, PartyNo no);
    /// @notice The mask contains bits that are not roles.
    error PartyUnknownRoles(uint32 roles);
    /// @notice An id or an account is zero.
    error PartyZero();
    /// @notice Only the registry itself may do this, while it carries out a proposal.
    error PartyNotDecided();
    /// @notice A party cannot change its own roles, accreditation, status or accounts, nor confirm or cancel a proposal
    /// about itself.
    error PartySelfGrant(PartyNo no);
    /// @notice Too few officers would be left: there must always be at least one officer more than `threshold`.
    error PartyTooFewOfficers(uint32 officers);
    /// @notice A new party needs at least one key with a proof of possession.
    error PartyNoProvenKey(PartyId id);

    /// @notice Return the party for which an account may act now; reverts unless the party is active and has one of the
    /// roles. While the registry carries out a proposal, the registry's own address acts for the proposer.
    function actor(address account, uint32 anyOf) external view returns (PartyNo no);

    /// @notice Return whether the party exists and is active.
    function isActive(PartyNo no) external view returns (bool);

    /// @notice Return whether a party has been silent for at least as many seconds as `delay` returns (paused seconds
    /// count too). A party is silent if it is closed, or if none of its keys may act for it.
    function isSilent(PartyNo no) external view returns (bool);

    /// @notice Return the party with this number; the status is `None` if there is no such party.
    function partyOf(PartyNo no) external view returns (Party memory party);

    /// @notice Return the number of the party with this id; 0 if there is no such party.
    function partyNoOf(PartyId id) external view returns (PartyNo no);

    /// @notice Return the record of an account; all fields are zero if the account was never bound.
    function accountOf(address account) external view returns (Account memory binding);

    /// @notice Return how many parties there are; their numbers are 1 to this count.
    function count() external view returns (uint32);

    /// @notice Return how many officers there are.
    function officers() external view returns (uint32);

    /// @notice Return how many parties must decide a proposal. There is always at least one officer more than this
    /// number.
    function threshold() external view returns (uint32);

    /// @notice Return how many seconds a proposal waits; paused seconds are not counted.
    function delay() external view returns (uint40);

    /// @notice Return the head of the hash chain over all events of this contract.
    function head() external view returns (bytes32);
}
