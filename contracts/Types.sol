// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// An opaque party id: a keyed digest that reveals nothing. See docs/protocol.md, section 1.
type PartyId is bytes32;
/// A party's number on this chain, from 1; 0 is nobody. Four bytes, so that it packs with what is read beside it.
type PartyNo is uint32;
/// An opaque asset id.
type AssetId is bytes32;
/// A scenario's ASCII code, left-aligned.
type ScenarioCode is bytes8;

using {eqPartyNo as ==, neqPartyNo as !=} for PartyNo global;

function eqPartyNo(PartyNo a, PartyNo b) pure returns (bool) {
    return PartyNo.unwrap(a) == PartyNo.unwrap(b);
}

function neqPartyNo(PartyNo a, PartyNo b) pure returns (bool) {
    return PartyNo.unwrap(a) != PartyNo.unwrap(b);
}

PartyNo constant NOBODY = PartyNo.wrap(0);

// The offices that hold a statement are a mask of these two bits.
uint8 constant AUTHORITY_HOLDS = 1 << 0;
uint8 constant SUPERVISOR_HOLDS = 1 << 1;

/// The role whose parties hold for an office; none for what is no office.
function roleOfOffice(uint8 office) pure returns (uint32) {
    if (office == AUTHORITY_HOLDS) return Roles.AUTHORITY;
    return office == SUPERVISOR_HOLDS ? Roles.SUPERVISOR : 0;
}

/// Roles of a party, as bits of a mask.
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

/// A party's status; only an active party acts.
enum PartyStatus {
    None,
    Active,
    Suspended,
    Sanctioned,
    Closed
}

/// Where a proposal stands; the last three are final.
enum ProposalState {
    None,
    Pending,
    CarriedOut,
    Cancelled,
    Vetoed
}

/// What becomes of a proposal before it is carried out: another officer cancels what waits, a party's keys veto the
/// change of a key, and nobody stops what is quick.
enum ProposalKind {
    Quick,
    Waits,
    Key
}

/// What `StatusChanged` says of the leaves in its mask.
enum LeafStatus {
    Active,
    Suspended,
    Revoked,
    Superseded
}

/// Why a status was changed. See docs/protocol.md, section 3.
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

/// Where a registration stands; `Rejected`, `Cancelled` and `Annulled` are final.
enum AssetState {
    None,
    Applied,
    Confirmed,
    Rejected,
    Cancelled,
    Annulled
}

/// What an application asks for. Transfer, licence and annulment need no application: they are acts of their own.
enum ApplicationKind {
    None,
    First,
    Change,
    Correct,
    Renew,
    Cancel
}

/// Where an application stands.
enum Stage {
    None,
    Submitted,
    Accepted,
    Reviewed,
    Noticed,
    Returned
}

/// Where an objection stands; the last three are final.
enum ObjectionState {
    None,
    Filed,
    Admitted,
    Verified,
    Upheld,
    Dismissed,
    Refused
}

/// How strictly a resource is guarded (GB/T 43697-2024); the levels of general data are not the chain's concern.
enum Grade {
    General,
    Important,
    Core
}

/// The three rights (数据二十条, 2022): to hold, to process and use, to operate products of it.
enum RightKind {
    Hold,
    Process,
    Operate
}

/// How an asset came from another one.
enum Relation {
    DerivedFrom,
    SplitFrom,
    MergedFrom
}

/// What an accredited third party reports on.
enum Assessment {
    Quality,
    Valuation
}
