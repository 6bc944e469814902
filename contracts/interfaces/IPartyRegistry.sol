// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyId, PartyNo, PartyStatus, Reason, ScenarioCode} from "../Types.sol";
import {IOrigin} from "./IOrigin.sol";
import {IPartyKeys} from "./IPartyKeys.sol";
import {IPartyRecord} from "./IPartyRecord.sol";
import {IPauses} from "./IPauses.sol";
import {IProposals} from "./IProposals.sol";

/// @title The parties of the ledger: who acts, in which roles, with which keys.
/// @notice Ownership elsewhere is by party and never by account, so a lost key is a new account, not a lost asset.
/// No name and no number of a person or firm is ever recorded here. Times are seconds UTC.
interface IPartyRegistry is IPartyRecord, IPauses, IProposals, IPartyKeys, IOrigin {
    /// @param scenario Under which the party may issue.
    /// @param from From when.
    /// @param to Up to, not including, when.
    struct Accreditation {
        ScenarioCode scenario;
        uint40 from;
        uint40 to;
    }

    /// @param id A founding party's id.
    /// @param accounts Its accounts, which count as proven; the first one acts.
    /// @param roles Mask of its roles.
    /// @param accreditations For what it is accredited.
    struct Founding {
        PartyId id;
        address[] accounts;
        uint32 roles;
        Accreditation[] accreditations;
    }

    /// @notice A party's status is now this.
    event PartyStatusChanged(PartyNo indexed no, PartyStatus status, Reason reason, uint40 at, PartyNo by);
    /// @notice A party may issue under a scenario from `from` up to, not including, `to`.
    event Accredited(
        PartyNo indexed no, ScenarioCode indexed scenario, uint40 from, uint40 to, uint40 at, PartyNo by
    );

    /// @notice The party is closed for good, since then.
    error PartyClosed(PartyNo no, uint40 since);
    /// @notice The period is empty, or takes back accreditation already given: it begins later or ends in the past.
    error PartyPeriod(uint40 from, uint40 to);

    /// @notice Set a party's roles. For authorities and admins if the offices (any role but subject, provider, consumer
    /// and broker) stay as they are, else decided. Never on one's own party.
    function setRoles(PartyNo no, uint32 roles) external;

    /// @notice Set a party's status; `Closed` is final. For authorities and supervisors; decided if it closes a party,
    /// or if the party is an authority, a supervisor or an issuer. Never on one's own party.
    function setStatus(PartyNo no, PartyStatus status, Reason reason) external;

    /// @notice Let a party issue under a scenario for a period. What was given stays given: the beginning of an
    /// accreditation never moves later, nor its end into the past. Decided.
    function accredit(PartyNo no, ScenarioCode scenario, uint40 from, uint40 to) external;

    /// @notice Whether the key of an account signed a SHA-256 hash. It does not say that the account is bound or live.
    /// @param signature `r ‖ s` of secp256k1, or `r ‖ s ‖ x ‖ y` of P-256, with a low `s`. See docs/protocol.md,
    /// section 3, for what is signed and section 4 for the account of a key.
    function signedBy(address account, bytes32 hash, bytes calldata signature) external view returns (bool);

    /// @notice From when to when a party may issue under a scenario; zeros if never.
    function accreditationOf(PartyNo no, ScenarioCode scenario) external view returns (uint40 from, uint40 to);
}
