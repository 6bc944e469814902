// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetId, AssetState, PartyNo, Reason} from "../Types.sol";

/// @title Registered data assets: registration, confirmation, transfer in two steps, freeze.
/// @notice Holders are parties, never accounts. Each asset has a head of its own over its events, so whoever is given
/// an asset's history can tell that nothing is missing. No document is ever recorded here. Times are seconds UTC.
interface IAssetRegistry {
    /// @param state Where the registration stands; `None` if there is no such asset.
    /// @param frozen Whether every move is stopped.
    /// @param holder The party that holds it.
    /// @param applicant The party that applied for its registration.
    /// @param offeredTo The party to which a transfer is on offer; 0 if none.
    /// @param offerDeadline The last second in which the offer can be accepted.
    /// @param validTo When the confirmation ends; 0 before it.
    /// @param since When the holder became it.
    struct Asset {
        AssetState state;
        bool frozen;
        PartyNo holder;
        PartyNo applicant;
        PartyNo offeredTo;
        uint40 offerDeadline;
        uint40 validTo;
        uint40 since;
    }

    /// @param id The new asset's id.
    /// @param content Commitment to its documents.
    /// @param fingerprint Fingerprint of its content: unique.
    struct Registration {
        AssetId id;
        bytes32 content;
        bytes32 fingerprint;
    }

    /// @notice An asset was registered by its first holder; it waits for confirmation.
    event Registered(
        AssetId indexed id,
        uint32 assetNo,
        PartyNo indexed holder,
        bytes32 content,
        bytes32 fingerprint,
        uint40 at,
        PartyNo by
    );
    /// @notice A registration was confirmed until `validTo`.
    event Confirmed(AssetId indexed id, uint40 validTo, uint40 at, PartyNo by);
    /// @notice A transfer is on offer up to and including `deadline`.
    event TransferOffered(AssetId indexed id, PartyNo indexed to, uint40 deadline, uint40 at, PartyNo by);
    /// @notice A transfer was accepted: `to` holds the asset.
    event TransferAccepted(AssetId indexed id, PartyNo indexed from, PartyNo indexed to, uint40 at, PartyNo by);
    /// @notice An offer was rejected by the party it was made to.
    event TransferRejected(AssetId indexed id, PartyNo indexed to, uint40 at, PartyNo by);
    /// @notice An offer was taken back by the holder.
    event TransferWithdrawn(AssetId indexed id, PartyNo indexed to, uint40 at, PartyNo by);
    /// @notice Every move of the asset is stopped.
    event Frozen(AssetId indexed id, Reason reason, uint40 at, PartyNo by);
    /// @notice The asset may move again.
    event Unfrozen(AssetId indexed id, Reason reason, uint40 at, PartyNo by);

    /// @notice The asset is not in the state that the move needs.
    error AssetWrongState(AssetId id, AssetState state);
    /// @notice The id is taken.
    error AssetAlreadyRegistered(AssetId id);
    /// @notice The same content is registered as another asset.
    error AssetDuplicateFingerprint(bytes32 fingerprint, AssetId earlier);
    /// @notice An id or a fingerprint of zero.
    error AssetZero();
    /// @notice The applicant does not review its own application.
    error AssetSelfReview(AssetId id, PartyNo applicant);
    /// @notice Only the holder may do this.
    error AssetNotHolder(AssetId id, PartyNo holder);
    /// @notice Only the party to which the transfer is offered may do this.
    error AssetNotOfferee(AssetId id, PartyNo offeredTo);
    /// @notice No transfer is on offer.
    error AssetNoOffer(AssetId id);
    /// @notice A transfer is on offer to this party until the deadline; withdraw it first.
    error AssetOfferOpen(AssetId id, PartyNo offeredTo, uint40 deadline);
    /// @notice The deadline is over.
    error AssetOfferLapsed(AssetId id, uint40 deadline);
    /// @notice The deadline or the validity lies in the past.
    error AssetTimePast(AssetId id, uint40 time);
    /// @notice The asset cannot be offered to its holder or to nobody.
    error AssetBadRecipient(AssetId id, PartyNo to);
    /// @notice The asset is frozen.
    error AssetFrozen(AssetId id);
    /// @notice The asset is not frozen.
    error AssetNotFrozen(AssetId id);
    /// @notice The registration's validity is over.
    error AssetExpired(AssetId id, uint40 validTo);

    /// @notice Register an asset, held by the caller. For providers and consumers.
    function register(AssetId id, bytes32 content, bytes32 fingerprint) external;

    /// @notice Register many assets, all or none.
    function registerMany(Registration[] calldata assets) external;

    /// @notice Confirm a registration until `validTo`. For registrars other than the applicant.
    function confirm(AssetId id, uint40 validTo) external;

    /// @notice Confirm many registrations, all or none.
    function confirmMany(AssetId[] calldata ids, uint40 validTo) external;

    /// @notice Offer a confirmed asset to another party. For the holder. A lapsed offer is replaced.
    function offerTransfer(AssetId id, PartyNo to, uint40 deadline) external;

    /// @notice Take over an asset, up to and including the deadline. For the party it is offered to.
    function acceptTransfer(AssetId id) external;

    /// @notice Refuse an offer. For the party it was made to.
    function rejectTransfer(AssetId id) external;

    /// @notice Take an offer back. For the holder.
    function withdrawOffer(AssetId id) external;

    /// @notice Stop every move of an asset. For authorities and supervisors.
    function freeze(AssetId id, Reason reason) external;

    /// @notice Let an asset move again. For authorities and supervisors.
    function unfreeze(AssetId id, Reason reason) external;

    /// @notice An asset; its state is `None` if there is none.
    function assetOf(AssetId id) external view returns (Asset memory asset);

    /// @notice The head over every event of an asset; zero if there is none.
    function headOf(AssetId id) external view returns (bytes32);

    /// @notice The asset with this fingerprint; zero if there is none.
    function assetByFingerprint(bytes32 fingerprint) external view returns (AssetId id);

    /// @notice How many assets there are.
    function count() external view returns (uint32);
}
