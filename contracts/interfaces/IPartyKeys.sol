// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyId, PartyNo} from "../Types.sol";

/// @title The keys of parties: first ones, further ones, lost ones.
/// @notice To report a key is quick and needs one voice. To bind a key is slow and can be vetoed.
interface IPartyKeys {
    /// @param account The account of the key.
    /// @param proof The key's signature over docs/protocol.md, section 3, "key", for the number 0; empty for a key that
    /// cannot sign for the chain (SM2), which then is bound unproven.
    struct Key {
        address account;
        bytes proof;
    }

    /// @param id The new party's id.
    /// @param keys Its first keys, at least one of them proven.
    /// @param roles Mask of its roles: subject, provider, consumer and broker; an office needs a proposal of its own.
    struct Registration {
        PartyId id;
        Key[] keys;
        uint32 roles;
    }

    /// @notice An account is no more bound.
    event AccountRetired(PartyNo indexed no, address indexed account, uint32 proposal, uint40 at, PartyNo by);
    /// @notice An account was reported lost or stolen: it counts for vetoes and withdrawals only.
    event AccountReported(PartyNo indexed no, address indexed account, uint40 at, PartyNo by);
    /// @notice An account's signatures since `compromisedAt` count for nothing.
    event AccountCompromised(PartyNo indexed no, address indexed account, uint40 compromisedAt, uint40 at, PartyNo by);

    /// @notice The account is not a live account of this party; to a dated compromise: nor ever was one.
    error PartyAccountNotBound(PartyNo no, address account);
    /// @notice The account was reported before, at this time.
    error PartyAlreadyReported(address account, uint40 since);
    /// @notice The time of a compromise is zero, in the future, or not before the one reported: later than `latest`.
    error PartyCompromiseTime(uint40 compromisedAt, uint40 latest);
    /// @notice The proof is not a signature of this account's key over its binding here, to this party.
    error PartyProofInvalid(address account);
    /// @notice A party that binds a key to itself proves possession of it; without a proof two officers bind it.
    error PartyProofMissing(address account);
    /// @notice No key would be left that speaks for the party.
    error PartyLastKey(address account);
    /// @notice These roles are offices: only a decided act gives and takes them.
    error PartyOfficeByProposal(uint32 roles);

    /// @notice Register parties, all or none. Decided, by authorities or admins, without delay.
    function register(Registration[] calldata parties) external;

    /// @notice Bind a key, retire another, or replace one by the other. Decided.
    /// @param fresh The account to bind; 0 for none, which needs another key that speaks.
    /// @param old The account to retire; 0 for none.
    /// @param proof Of the fresh account's key, as in `Key`, for this party's number; empty only if officers decided.
    function changeKey(PartyNo no, address fresh, address old, bytes calldata proof) external;

    /// @notice Report a live key lost or stolen. For every live and proven key of the same party, reported or not, and
    /// whatever the party's status: else a thief who reports first could not be reported. For authorities, unless the
    /// party is an authority or a supervisor itself: then decided.
    function report(PartyNo no, address account) external;

    /// @notice Report a live key as another key of the same party signed, for anybody to send.
    /// @param by The account whose key signed.
    /// @param signature As `IPartyRegistry.signedBy` takes it; what is signed: docs/protocol.md, section 3.
    function reportFor(address by, PartyNo no, address account, bytes calldata signature) external;

    /// @notice Date the compromise of a key that is or was a party's, or date it earlier than before; a live key is
    /// reported with it. Decided.
    /// @param compromisedAt From when its signatures count for nothing.
    function dateCompromise(PartyNo no, address account, uint40 compromisedAt) external;
}
