// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyId, PartyNo} from "../Types.sol";

/// @title The keys of parties: first keys, further keys and lost keys.
/// @notice A report of a lost key has immediate effect and needs one key. A new key takes a delay and can be vetoed.
interface IPartyKeys {
    /// @param account The account of the key.
    /// @param proof The key's signature over the message "key" in docs/protocol.md, section 3, for the number 0. Empty
    /// for a key whose signatures the chain cannot check (SM2); such a key is bound unproven.
    struct Key {
        address account;
        bytes proof;
    }

    /// @param id The new party's id.
    /// @param keys Its first keys; at least one of them must be proven.
    /// @param roles The mask of its roles: subject, provider, consumer and broker. Offices need a separate proposal.
    struct Registration {
        PartyId id;
        Key[] keys;
        uint32 roles;
    }

    /// @notice An account was retired and is no longer bound to its party.
    event AccountRetired(PartyNo indexed no, address indexed account, uint32 proposal, uint40 at, PartyNo by);
    /// @notice An account was reported lost or stolen. Now it can only veto and withdraw.
    event AccountReported(PartyNo indexed no, address indexed account, uint40 at, PartyNo by);
    /// @notice An account's signatures from `compromisedAt` on are invalid.
    event AccountCompromised(PartyNo indexed no, address indexed account, uint40 compromisedAt, uint40 at, PartyNo by);

    /// @notice The account is not a live account of this party. For `dateCompromise`: it never was one.
    error PartyAccountNotBound(PartyNo no, address account);
    /// @notice The account was already reported at this time.
    error PartyAlreadyReported(address account, uint40 since);
    /// @notice The time of a compromise must not be zero, and not later than `latest`: now, or just before the time
    /// that was reported earlier.
    error PartyCompromiseTime(uint40 compromisedAt, uint40 latest);
    /// @notice The proof is not a signature by this account's key for this party and this ledger.
    error PartyProofInvalid(address account);
    /// @notice A party that binds a key to itself must prove possession of it. Two officers can bind a key without
    /// proof.
    error PartyProofMissing(address account);
    /// @notice The party would have no key left that may act for it.
    error PartyLastKey(address account);
    /// @notice These roles are offices, which only a decided proposal can give or take.
    error PartyOfficeByProposal(uint32 roles);

    /// @notice Register parties, all or none. Needs a proposal that authorities or admins decide, without delay.
    function register(Registration[] calldata parties) external;

    /// @notice Bind a key, retire a key, or replace one key by another. Needs a decided proposal.
    /// @param fresh The account to bind; 0 for none, which is allowed only if the party has another key that may act.
    /// @param old The account to retire; 0 for none.
    /// @param proof The proof of the fresh account's key, as in `Key`, for this party's number; may be empty only if
    /// officers decided.
    function changeKey(PartyNo no, address fresh, address old, bytes calldata proof) external;

    /// @notice Report a live key as lost or stolen. For every live and proven key of the same party, even a reported
    /// one, and whatever the party's status: otherwise a thief could report the other keys first and could not be
    /// reported any more. For authorities too; but if the party is an authority or a supervisor, only by a decided
    /// proposal.
    function report(PartyNo no, address account) external;

    /// @notice Report a live key for another key of the same party that signed the report. Anybody may send it.
    /// @param by The account whose key signed.
    /// @param signature The signature in the form of `IPartyRegistry.signedBy`, over the message in docs/protocol.md,
    /// section 3.
    function reportFor(address by, PartyNo no, address account, bytes calldata signature) external;

    /// @notice Set the time since when a key of a party, live or retired, is compromised, or move it earlier. A live
    /// key becomes reported too. Needs a decided proposal.
    /// @param compromisedAt The time from which its signatures are invalid.
    function dateCompromise(PartyNo no, address account, uint40 compromisedAt) external;
}
