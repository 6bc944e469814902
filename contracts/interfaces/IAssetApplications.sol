// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ApplicationKind, AssetId, Grade, PartyNo, Stage} from "../Types.sol";

/// @title Applications: the first registration of an asset, and its change, correction, renewal and cancellation.
/// @notice An application passes the stages submitted → accepted → reviewed → noticed → confirmed, or it is returned
/// for correction, or rejected. Registrars decide each step, but a registrar never decides on its own application. A
/// public notice lasts at least `minimumNotice` seconds.
interface IAssetApplications {
    /// @param id The new asset's id.
    /// @param content The digest of the asset's documents.
    /// @param fingerprint The fingerprint of the asset's content, unique among all registrations that have not ended.
    /// @param grade The grade of the resource.
    struct Registration {
        AssetId id;
        bytes32 content;
        bytes32 fingerprint;
        Grade grade;
    }

    /// @notice An asset was entered in the register, and its application for first registration was filed.
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
    /// @notice The holder filed an application, or filed a returned application again.
    event Filed(
        AssetId indexed id,
        ApplicationKind kind,
        bytes32 content,
        bytes32 fingerprint,
        Grade grade,
        uint40 at,
        PartyNo by
    );
    /// @notice An application reached a stage. `until` is the end of the public notice. `grounds` is the digest of the
    /// registrar's reasons, for example why the application was returned.
    event Advanced(AssetId indexed id, Stage stage, uint40 until, bytes32 grounds, uint40 at, PartyNo by);
    /// @notice An application was rejected.
    event Rejected(AssetId indexed id, ApplicationKind kind, bytes32 grounds, uint40 at, PartyNo by);
    /// @notice An application was confirmed; the registration is valid until `validTo`.
    event Confirmed(AssetId indexed id, ApplicationKind kind, uint40 validTo, uint40 at, PartyNo by);
    /// @notice Important data passed its security review.
    event Cleared(AssetId indexed id, bytes32 report, uint40 at, PartyNo by);

    /// @notice An asset with this id is already registered.
    error AssetAlreadyRegistered(AssetId id);
    /// @notice The same content is already registered as another asset.
    error AssetDuplicateFingerprint(bytes32 fingerprint, AssetId earlier);
    /// @notice The grade does not allow the act. Core data is never registered. An application cannot lower the grade.
    /// A security review can be recorded only for important data, and only if no review is recorded yet.
    error AssetGrade(AssetId id, Grade grade);
    /// @notice The asset is important data, and its security review has not been recorded yet.
    error AssetNotCleared(AssetId id);
    /// @notice The end of the public notice is too early, or the end of a public notice was given for a stage that has
    /// no public notice.
    error AssetNoticeShort(AssetId id, uint40 until, uint40 earliest);
    /// @notice The public notice has not ended yet.
    error AssetNoticeRuns(AssetId id, uint40 until);

    /// @notice Enter an asset of the caller in the register, and file the application for its first registration.
    /// Providers and consumers may call this while the ledger is not paused.
    function register(AssetId id, bytes32 content, bytes32 fingerprint, Grade grade) external;

    /// @notice Enter many assets of the caller in the register, and file the applications for their first registration.
    /// If one asset is refused, none is entered.
    function registerMany(Registration[] calldata assets) external;

    /// @notice Apply for change, correction, renewal or cancellation, or file a returned application again as the same
    /// kind. Only the holder may call this. A frozen registration can only be corrected, and an expired registration
    /// can only be cancelled.
    /// @param fingerprint If the content changed, the fingerprint of the new content; otherwise 0. A new fingerprint
    /// makes an earlier security review invalid.
    function file(AssetId id, ApplicationKind kind, bytes32 content, bytes32 fingerprint, Grade grade) external;

    /// @notice Accept applications (`Accepted`), approve them (`Reviewed`), publish them (`Noticed`) or return them to
    /// the applicant (`Returned`). If one application is refused, none changes its stage. Registrars other than the
    /// applicant may call this.
    /// @param until The last second of the public notice; 0 for other stages.
    /// @param grounds The digest of the reasons. It must not be zero for `Returned`.
    function advance(AssetId[] calldata ids, Stage stage, uint40 until, bytes32 grounds) external;

    /// @notice Reject an accepted or reviewed application. Registrars other than the applicant may call this.
    function reject(AssetId id, bytes32 grounds) external;

    /// @notice Confirm an application. Its public notice must have ended, and no objection may be open. Corrections,
    /// renewals and cancellations may be confirmed without a public notice. Registrars other than the applicant may
    /// call this while the ledger is not paused.
    /// @param validTo The end of validity for a first registration or a renewal; 0 for the other kinds of application.
    function confirm(AssetId id, uint40 validTo) external;

    /// @notice Confirm many applications under the conditions of `confirm`. If one application is refused, none is
    /// confirmed.
    function confirmMany(AssetId[] calldata ids, uint40 validTo) external;

    /// @notice Record the security review of important data. Authorities, chief data officers and supervisors may call
    /// this.
    function clear(AssetId id, bytes32 report) external;

    /// @notice Return the asset with this fingerprint; zero if no asset has it.
    function assetByFingerprint(bytes32 fingerprint) external view returns (AssetId id);

    /// @notice Return the shortest allowed public notice, in seconds.
    function minimumNotice() external view returns (uint40);

    /// @notice Return how many assets were ever entered in the register.
    function count() external view returns (uint32);
}
