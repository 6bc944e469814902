// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ApplicationKind, AssetId, Grade, PartyNo, Stage} from "../Types.sol";

/// @title Applications: the first registration of an asset and its change, correction, renewal and cancellation.
/// @notice submitted → accepted → reviewed → noticed → confirmed; or returned for correction, or rejected.
/// Reviewed by registrars, never by the applicant. Public notice runs for at least `minimumNotice` seconds.
interface IAssetApplications {
    /// @param id The new asset's id.
    /// @param content Commitment to its documents.
    /// @param fingerprint Fingerprint of its content: unique among assets that are not ended.
    /// @param grade How strictly it is guarded.
    struct Registration {
        AssetId id;
        bytes32 content;
        bytes32 fingerprint;
        Grade grade;
    }

    /// @notice An asset was entered with its application for first registration.
    event Registered(
        AssetId indexed id,
        uint32 assetNo,
        PartyNo indexed holder,
        bytes32 content,
        bytes32 fingerprint,
        Grade grade,
        uint40 at,
        PartyNo by
    );
    /// @notice The holder filed an application, or filed a returned one again.
    event Filed(
        AssetId indexed id,
        ApplicationKind kind,
        bytes32 content,
        bytes32 fingerprint,
        Grade grade,
        uint40 at,
        PartyNo by
    );
    /// @notice An application advanced; `until` is the end of its notice, `grounds` say why it was returned.
    event Advanced(AssetId indexed id, Stage stage, uint40 until, bytes32 grounds, uint40 at, PartyNo by);
    /// @notice An application was rejected.
    event Rejected(AssetId indexed id, ApplicationKind kind, bytes32 grounds, uint40 at, PartyNo by);
    /// @notice An application was confirmed; the registration is valid until `validTo`.
    event Confirmed(AssetId indexed id, ApplicationKind kind, uint40 validTo, uint40 at, PartyNo by);
    /// @notice Important data passed its security review.
    event Cleared(AssetId indexed id, bytes32 report, uint40 at, PartyNo by);

    /// @notice The id is taken.
    error AssetAlreadyRegistered(AssetId id);
    /// @notice The same content is registered as another asset.
    error AssetDuplicateFingerprint(bytes32 fingerprint, AssetId earlier);
    /// @notice Core data is never registered, and a grade is never lowered by an application.
    error AssetGrade(AssetId id, Grade grade);
    /// @notice Important data needs a recorded security review first.
    error AssetNotCleared(AssetId id);
    /// @notice The notice ends earlier than it may.
    error AssetNoticeShort(AssetId id, uint40 until, uint40 earliest);
    /// @notice The notice still runs.
    error AssetNoticeRuns(AssetId id, uint40 until);

    /// @notice Enter an asset, held by the caller, with its application for first registration. For providers and
    /// consumers, while the ledger is not paused.
    function register(AssetId id, bytes32 content, bytes32 fingerprint, Grade grade) external;

    /// @notice Enter many assets, all or none.
    function registerMany(Registration[] calldata assets) external;

    /// @notice Apply for change, correction, renewal or cancellation; or file a returned application again, as
    /// the kind it was. For the holder. A frozen registration can be corrected only, an expired one cancelled only.
    /// @param fingerprint Of the new content, which voids a security review; 0 where it stays as it is.
    function file(AssetId id, ApplicationKind kind, bytes32 content, bytes32 fingerprint, Grade grade) external;

    /// @notice Take applications on (`Accepted`), find them in order (`Reviewed`), publish them (`Noticed`) or give
    /// them back (`Returned`), all or none. For registrars other than the applicant.
    /// @param until The last second of the notice; 0 for other stages.
    /// @param grounds Digest of the reasons; needed to give back.
    function advance(AssetId[] calldata ids, Stage stage, uint40 until, bytes32 grounds) external;

    /// @notice Reject an accepted or reviewed application. For registrars other than the applicant.
    function reject(AssetId id, bytes32 grounds) external;

    /// @notice Confirm an application whose notice is over without an open objection; corrections, renewals and
    /// cancellations may go without notice. For registrars other than the applicant, while the ledger is not paused.
    /// @param validTo New end of validity of a first registration or a renewal; 0 for the others.
    function confirm(AssetId id, uint40 validTo) external;

    /// @notice Confirm many applications, all or none.
    function confirmMany(AssetId[] calldata ids, uint40 validTo) external;

    /// @notice Record the security review of important data. For authorities, chief data officers and supervisors.
    function clear(AssetId id, bytes32 report) external;

    /// @notice The asset with this fingerprint; zero if there is none.
    function assetByFingerprint(bytes32 fingerprint) external view returns (AssetId id);

    /// @notice How long a public notice runs at least, in seconds.
    function minimumNotice() external view returns (uint40);

    /// @notice How many assets were entered.
    function count() external view returns (uint32);
}
