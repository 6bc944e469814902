// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A party's id: a keyed digest that reveals nothing about the party. See docs/protocol.md, section 1.
type PartyId is bytes32;
/// A party's number on this chain, counted from 1; 0 means no party. The number has only four bytes, so that it fits
/// into one storage slot together with other fields.
type PartyNo is uint32;
/// An asset's id: 32 bytes that reveal nothing about the asset.
type AssetId is bytes32;
/// A scenario's ASCII code, left-aligned.
type ScenarioCode is bytes8;

using {eqPartyNo as ==, neqPartyNo as !=} for PartyNo global;

/// Returns whether two party numbers are equal. This function implements the operator `==` of `PartyNo`.
function eqPartyNo(PartyNo a, PartyNo b) pure returns (bool) {
    return PartyNo.unwrap(a) == PartyNo.unwrap(b);
}

/// Returns whether two party numbers differ. This function implements the operator `!=` of `PartyNo`.
function neqPartyNo(PartyNo a, PartyNo b) pure returns (bool) {
    return PartyNo.unwrap(a) != PartyNo.unwrap(b);
}

// The number 0, which belongs to no party.
PartyNo constant NOBODY = PartyNo.wrap(0);

// A mask with the two bits below says which offices have a hold on a statement: the authorities, the supervisors, or
// both.
uint8 constant AUTHORITY_HOLDS = 1 << 0;
uint8 constant SUPERVISOR_HOLDS = 1 << 1;

/// Returns the role that a party needs to place or lift holds of this office: `AUTHORITY_HOLDS` needs the role
/// authority, `SUPERVISOR_HOLDS` the role supervisor. Returns 0 for any other number.
function roleOfOffice(uint8 office) pure returns (uint32) {
    if (office == AUTHORITY_HOLDS) return Roles.AUTHORITY;
    return office == SUPERVISOR_HOLDS ? Roles.SUPERVISOR : 0;
}

/// The roles of a party, as bits of a mask.
library Roles {
    uint32 internal constant SUBJECT = 1 << 0;
    uint32 internal constant PROVIDER = 1 << 1;
    uint32 internal constant CONSUMER = 1 << 2;
    uint32 internal constant ISSUER = 1 << 3;
    uint32 internal constant REGISTRAR = 1 << 4;
    uint32 internal constant AUTHORITY = 1 << 5;
    uint32 internal constant CDO = 1 << 6;
    uint32 internal constant SUPERVISOR = 1 << 7;
    uint32 internal constant ASSESSOR = 1 << 8;
    uint32 internal constant BROKER = 1 << 9;
    uint32 internal constant ADMIN = 1 << 10;
    uint32 internal constant ALL = (1 << 11) - 1;
}

/// A party's status. A party that is not active can only protect itself: it can withdraw statements, veto proposals
/// about its keys, and report or change its keys.
enum PartyStatus {
    None,
    Active,
    Suspended,
    Sanctioned,
    Closed
}

/// The state of a proposal; the last three states are final.
enum ProposalState {
    None,
    Pending,
    CarriedOut,
    Cancelled,
    Vetoed
}

/// Who can stop a proposal before it is carried out. `Quick`: nobody, because the proposal has no waiting period.
/// `Waits`: an officer can cancel the proposal. `Key`: the proposal changes a party's keys, and the party's keys can
/// veto it.
enum ProposalKind {
    Quick,
    Waits,
    Key
}

/// The status of a leaf in the certificate log.
enum LeafStatus {
    Active,
    Suspended,
    Revoked,
    Superseded
}

/// The reason for a change of status. See docs/protocol.md, section 3.
enum Reason {
    None,
    ConsentWithdrawn,
    DataError,
    ExpiredBasis,
    Court,
    Sanction,
    KeyCompromise,
    Fraud,
    Superseded,
    Investigation,
    Lifted
}

/// The state of a registration; the states `Rejected`, `Cancelled` and `Annulled` are final.
enum AssetState {
    None,
    Applied,
    Confirmed,
    Rejected,
    Cancelled,
    Annulled
}

/// The kind of an application. Transfers, licences and annulments are separate acts and need no application.
enum ApplicationKind {
    None,
    First,
    Change,
    Correct,
    Renew,
    Cancel
}

/// The stage of an application.
enum Stage {
    None,
    Submitted,
    Accepted,
    Reviewed,
    Noticed,
    Returned
}

/// The state of an objection; the last three states are final.
enum ObjectionState {
    None,
    Filed,
    Admitted,
    Verified,
    Upheld,
    Dismissed,
    Refused
}

/// The grade of a resource (GB/T 43697-2024). The chain does not record the four levels of general data.
enum Grade {
    General,
    Important,
    Core
}

/// The three rights in data (数据二十条, 2022): the right to hold the data, to process and use the data, and to operate
/// products made from the data.
enum RightKind {
    Hold,
    Process,
    Operate
}

/// The way in which an asset was made from its parent asset.
enum Relation {
    DerivedFrom,
    SplitFrom,
    MergedFrom
}

/// The kind of a report about an asset by an accredited third party.
enum Assessment {
    Quality,
    Valuation
}
