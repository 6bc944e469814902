// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ApplicationKind, AssetId, AssetState, Grade, PartyNo, Stage} from "../Types.sol";

/// @title The record of an asset, and the errors that all parts of the asset register share.
interface IAssetRecord {
    /// @param state The state of the registration; `None` if there is no such asset.
    /// @param kind The kind of the open application; `None` if no application is open.
    /// @param stage The stage of the open application.
    /// @param grade The grade of the resource; `Core` data is never registered.
    /// @param cleared Whether important data has a recorded security review.
    /// @param frozen Whether the asset is frozen.
    /// @param objections How many objections are open.
    /// @param liens Bit n is set if lien n exists and is not released.
    /// @param applications How many applications were filed. An application that was returned and filed again is
    /// counted only once.
    /// @param holder The party that holds the asset, which is also the applicant.
    /// @param offeredTo The party to which the asset is offered; 0 if the asset is not offered.
    /// @param until The last second in which the offer can be accepted, or the last second of the public notice; 0 if
    /// there is neither an offer nor a public notice.
    /// @param validTo When the registration ends; 0 before the registration is confirmed.
    /// @param since When the present holder became the holder.
    struct Asset {
        AssetState state;
        ApplicationKind kind;
        Stage stage;
        Grade grade;
        bool cleared;
        bool frozen;
        uint8 objections;
        uint8 liens;
        uint8 applications;
        PartyNo holder;
        PartyNo offeredTo;
        uint40 until;
        uint40 validTo;
        uint40 since;
    }

    /// @notice The state of the registration does not allow the act.
    error AssetWrongState(AssetId id, AssetState state);
    /// @notice The stage of the application does not allow the act.
    error AssetWrongStage(AssetId id, ApplicationKind kind, Stage stage);
    /// @notice The asset has an open application, which must be decided first.
    error AssetApplicationOpen(AssetId id, ApplicationKind kind, Stage stage);
    /// @notice An id, a digest or a fingerprint is zero.
    error AssetZero();
    /// @notice A party cannot review or assess its own asset, and cannot decide an objection that it filed.
    error AssetSelfReview(AssetId id, PartyNo party);
    /// @notice Only the holder may do this.
    error AssetNotHolder(AssetId id, PartyNo holder);
    /// @notice The asset is offered to `offeredTo` until `deadline`; the offer must be withdrawn first.
    error AssetOfferOpen(AssetId id, PartyNo offeredTo, uint40 deadline);
    /// @notice The given deadline or end of validity is too early.
    error AssetTimePast(AssetId id, uint40 time);
    /// @notice The recipient must be an active party other than the acting party.
    error AssetBadRecipient(AssetId id, PartyNo to);
    /// @notice The asset is frozen.
    error AssetFrozen(AssetId id);
    /// @notice The registration has expired.
    error AssetExpired(AssetId id, uint40 validTo);
    /// @notice The asset has open objections; `objections` is their number.
    error AssetObjected(AssetId id, uint8 objections);
    /// @notice A lien on the asset prevents the act: a transfer without the creditor's consent, a second lien if the
    /// present or the new lien is sole, or the cancellation of the registration.
    error AssetPledged(AssetId id, uint8 lien, PartyNo creditor);
    /// @notice The asset already has the maximum number (`limit`) of applications, open objections, rights, liens or
    /// ancestors.
    error AssetTooMany(AssetId id, uint256 limit);
}
