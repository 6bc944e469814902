// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyId, PartyNo} from "../Types.sol";

/// @title The keys of parties: first keys, further keys and lost keys.
/// @notice One key is enough to report a lost key, and the report has effect at once. A new key has a waiting period,
/// in which it can be vetoed.
interface IPartyKeys {
    /// @param account The account of the key.
    /// @param proof The key's signature over the message "key" in docs/protocol.md, section 3, with the party number 0.
    /// The proof is empty for a key whose signatures the chain cannot check (SM2); such a key is bound unproven.
    struct Key {
        address account;
        bytes proof;
    }

    /// @param id The new party's id.
    /// @param keys The party's first keys; at least one of them must be proven.
    /// @param roles The bit mask of the party's roles: subject, provider, consumer and broker. Other roles need a
    /// separate proposal.
    struct Registration {
        PartyId id;
        Key[] keys;
        uint32 roles;
    }

    /// @notice An account was retired: it is no longer bound to its party.
    event AccountRetired(PartyNo indexed no, address indexed account, uint32 proposal, uint40 at, PartyNo by);
    /// @notice An account was reported lost or stolen. From now on the account can only veto, withdraw statements, and
    /// report keys of its own party.
    event AccountReported(PartyNo indexed no, address indexed account, uint40 at, PartyNo by);
    /// @notice A key is compromised: signatures of the account from the time `compromisedAt` on are invalid.
    event AccountCompromised(PartyNo indexed no, address indexed account, uint40 compromisedAt, uint40 at, PartyNo by);

    /// @notice The account is not bound to this party, or was retired. If `dateCompromise` raises this error, the
    /// account never belonged to the party.
    error PartyAccountNotBound(PartyNo no, address account);
    /// @notice The account was already reported at the time `since`.
    error PartyAlreadyReported(address account, uint40 since);
    /// @notice The time of a compromise must not be zero, and must not be later than `latest`. `latest` is the present
    /// time. If a time of the compromise was set before, `latest` is one second before that time.
    error PartyCompromiseTime(uint40 compromisedAt, uint40 latest);
    /// @notice The proof is not a signature by this account's key for this party and this ledger.
    error PartyProofInvalid(address account);
    /// @notice A party that binds a key to itself must prove possession of it. Two officers can bind a key without
    /// proof.
    error PartyProofMissing(address account);
    /// @notice The party would have no key left that may act for it.
    error PartyLastKey(address account);
    /// @notice Only a decided proposal can give or take these roles (any role except subject, provider, consumer and
    /// broker).
    error PartyOfficeByProposal(uint32 roles);

    /// @notice Register parties. If one party is refused, none is registered. Two authorities or admins must decide the
    /// registration by a proposal, which has no waiting period.
    function register(Registration[] calldata parties) external;

    /// @notice Bind a key, retire a key, or replace one key by another. Needs a decided proposal.
    /// @param fresh The account to bind; 0 to bind no account, which is allowed only if the party has another key that
    /// may act.
    /// @param old The account to retire; 0 to retire no account.
    /// @param proof The proof of the fresh account's key, as in `Key`, but with this party's number instead of 0; the
    /// proof may be empty only if officers decide.
    function changeKey(PartyNo no, address fresh, address old, bytes calldata proof) external;

    /// @notice Report a live key as lost or stolen. Every live and proven key of the same party may call this, whatever
    /// the party's status. Even a reported key may call this, because otherwise a thief could report the other keys
    /// first, and then nobody could report the stolen key. Authorities may report the keys of other parties; but if the
    /// other party is an authority or a supervisor, the report needs a decided proposal.
    function report(PartyNo no, address account) external;

    /// @notice Report a live key of a party; another key of the same party signed the report. Anybody may send the
    /// call.
    /// @param by The account whose key signed.
    /// @param signature The signature in the form of `IPartyRegistry.signedBy`, over the message in docs/protocol.md,
    /// section 3.
    function reportFor(address by, PartyNo no, address account, bytes calldata signature) external;

    /// @notice Set the time from which a party's live or retired key is compromised. A time that was set before can
    /// only be moved earlier. If the key is live and not reported yet, it is also reported. Needs a decided proposal.
    /// @param compromisedAt The time from which the key's signatures are invalid.
    function dateCompromise(PartyNo no, address account, uint40 compromisedAt) external;
}
