// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyId, PartyNo, PartyStatus, Reason, ScenarioCode} from "../Types.sol";
import {IOrigin} from "./IOrigin.sol";
import {IPartyKeys} from "./IPartyKeys.sol";
import {IPartyRecord} from "./IPartyRecord.sol";
import {IPauses} from "./IPauses.sol";
import {IProposals} from "./IProposals.sol";

/// @title The parties of the ledger, with their roles and keys.
/// @notice Everything on the ledger belongs to parties and never to accounts. So a party that loses a key needs a new
/// account, but keeps its assets. Names and official numbers of persons or firms are never recorded here. Times are
/// seconds UTC.
interface IPartyRegistry is IPartyRecord, IPauses, IProposals, IPartyKeys, IOrigin {
    /// @param scenario The scenario under which the party may issue.
    /// @param from The first second of the period.
    /// @param to The first second after the period.
    struct Accreditation {
        ScenarioCode scenario;
        uint40 from;
        uint40 to;
    }

    /// @param id A founding party's id.
    /// @param accounts The party's accounts. All these accounts count as proven; only the first account counts as
    /// acting.
    /// @param roles The bit mask of the party's roles.
    /// @param accreditations The party's accreditations.
    struct Founding {
        PartyId id;
        address[] accounts;
        uint32 roles;
        Accreditation[] accreditations;
    }

    /// @notice A party's status changed to `status`.
    event PartyStatusChanged(PartyNo indexed no, PartyStatus status, Reason reason, uint40 at, PartyNo by);
    /// @notice A party may issue certificates under a scenario at every time t with `from <= t < to`.
    event Accredited(
        PartyNo indexed no, ScenarioCode indexed scenario, uint40 from, uint40 to, uint40 at, PartyNo by
    );

    /// @notice The party was closed permanently at the time `since`.
    error PartyClosed(PartyNo no, uint40 since);
    /// @notice The period is empty, begins later than the accreditation that it replaces, or would move the end of that
    /// accreditation into the past. An accreditation cannot be taken back for the past.
    error PartyPeriod(uint40 from, uint40 to);

    /// @notice Set a party's roles. Authorities and admins may call this if only the roles subject, provider, consumer
    /// and broker change; any other change needs a decided proposal. A caller cannot set the roles of its own party.
    function setRoles(PartyNo no, uint32 roles) external;

    /// @notice Set a party's status; `Closed` is final. Authorities and supervisors may call this. The call needs a
    /// decided proposal if the new status is `Closed`, or if the party is an authority, a supervisor or an issuer. A
    /// caller cannot set the status of its own party.
    function setStatus(PartyNo no, PartyStatus status, Reason reason) external;

    /// @notice Let a party issue certificates under a scenario for a period. An accreditation is never taken back for
    /// the past: its beginning cannot be moved later, and its end cannot be moved into the past. Needs a decided
    /// proposal.
    function accredit(PartyNo no, ScenarioCode scenario, uint40 from, uint40 to) external;

    /// @notice Return whether the key of an account signed a SHA-256 hash. Does not check that the account is bound or
    /// live.
    /// @param signature `r ‖ s` of secp256k1, or `r ‖ s ‖ x ‖ y` of P-256, with a low `s`. Section 3 of
    /// docs/protocol.md defines the messages, section 4 the account of a key.
    function signedBy(address account, bytes32 hash, bytes calldata signature) external view returns (bool);

    /// @notice Return the period in which a party may issue under a scenario; both times are 0 if there is no such
    /// period.
    function accreditationOf(PartyNo no, ScenarioCode scenario) external view returns (uint40 from, uint40 to);
}
