// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyId, PartyNo, PartyStatus} from "../Types.sol";

/// @title What every part of the party registry shares: parties, their keys, and who acts.
/// @notice An account is the address of a key. A key is *live* from its binding until it is retired. A live key
/// *speaks* for its party if possession of it was proven and nobody reported it. A key that speaks *acts* if it can
/// send transactions: it is of secp256k1; of a founding party's keys the first one counts. An *officer* is an active
/// authority with a key that acts. An act is *decided* if the registry carries out a proposal, see IProposals.
interface IPartyRecord {
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
    /// @param validFrom Since when it is bound to the party.
    /// @param validTo When it was retired; 0 while it is live.
    /// @param reportedAt When it was reported lost or stolen; 0 if it was not.
    /// @param compromisedAt From when its signatures count for nothing; 0 if it is not known to be compromised.
    /// @param proven Whether possession of the key was proven to the chain, which SM2 keys cannot do.
    /// @param proposal The proposal that bound it; 0 for a founder's.
    /// @param acts Whether it can send transactions: its proof was of secp256k1, or it is a founding party's first.
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

    /// @notice A party was registered. Its accounts and roles follow in events of their own.
    event PartyRegistered(PartyNo indexed no, PartyId indexed id, uint40 at, PartyNo by);
    /// @notice An account is bound to a party from now on.
    event AccountBound(
        PartyNo indexed no, address indexed account, bool proven, uint32 proposal, uint40 at, PartyNo by
    );
    /// @notice A party's roles are now these.
    event RolesChanged(PartyNo indexed no, uint32 roles, uint40 at, PartyNo by);

    /// @notice The account speaks for no party: it was never bound, was retired, or possession was never proven.
    error PartyUnknownAccount(address account);
    /// @notice The account was reported lost or stolen at this time: it may still veto and withdraw.
    error PartyAccountReported(address account, uint40 since);
    /// @notice The party is suspended, sanctioned or closed.
    error PartyNotActive(PartyNo no, PartyStatus status);
    /// @notice The party has none of the roles in the mask. No party has one of an empty mask.
    error PartyLacksRole(PartyNo no, uint32 anyOf);
    /// @notice No party has this number.
    error PartyUnknown(PartyNo no);
    /// @notice The id is registered already, as this party.
    error PartyAlreadyRegistered(PartyId id, PartyNo no);
    /// @notice The account is or was bound to this party, or is the registry itself (0); an account binds once.
    error PartyAccountTaken(address account, PartyNo no);
    /// @notice The mask has bits of no known role.
    error PartyUnknownRoles(uint32 roles);
    /// @notice An id or an account of zero.
    error PartyZero();
    /// @notice Only a proposal that was carried out does this.
    error PartyNotDecided();
    /// @notice No party gives roles, accreditation, status or accounts to itself, nor confirms or cancels what concerns
    /// itself.
    error PartySelfGrant(PartyNo no);
    /// @notice Fewer officers would be left than one more than decide together.
    error PartyTooFewOfficers(uint32 officers);
    /// @notice A party is registered with a key at least whose possession is proven.
    error PartyNoProvenKey(PartyId id);

    /// @notice The active party for which an account speaks now, if it has one of the roles; reverts otherwise. The
    /// registry itself speaks for the proposer while it carries out a proposal.
    function actor(address account, uint32 anyOf) external view returns (PartyNo no);

    /// @notice Whether there is such a party and it may act.
    function isActive(PartyNo no) external view returns (bool);

    /// @notice Whether for `delay` seconds UTC no key spoke for a party, or it was closed for good.
    function isSilent(PartyNo no) external view returns (bool);

    /// @notice A party by number; its status is `None` if there is none.
    function partyOf(PartyNo no) external view returns (Party memory party);

    /// @notice A party's number by id; 0 if there is none.
    function partyNoOf(PartyId id) external view returns (PartyNo no);

    /// @notice An account's binding.
    function accountOf(address account) external view returns (Account memory binding);

    /// @notice How many parties there are; their numbers are 1 to this.
    function count() external view returns (uint32);

    /// @notice How many officers there are.
    function officers() external view returns (uint32);

    /// @notice How many parties decide together. There is always one officer more than this.
    function threshold() external view returns (uint32);

    /// @notice How long a proposal waits, in seconds of running time.
    function delay() external view returns (uint40);

    /// @notice The head over every event of this contract.
    function head() external view returns (bytes32);
}
