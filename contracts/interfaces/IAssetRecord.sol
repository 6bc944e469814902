// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ApplicationKind, AssetId, AssetState, Grade, PartyNo, Stage} from "../Types.sol";

/// @title What every part of the asset register shares: the record of an asset, and why an act is refused.
interface IAssetRecord {
    /// @param state Where the registration stands; `None` if there is no such asset.
    /// @param kind What the open application asks for; `None` if none is open.
    /// @param stage Where the open application stands.
    /// @param grade How strictly the resource is guarded; `Core` never registers.
    /// @param cleared Whether important data has a recorded security review.
    /// @param frozen Whether every move is stopped.
    /// @param objections How many objections are open.
    /// @param liens Bit n is set while lien n stands.
    /// @param applications How many applications were filed; one handed in again counts once.
    /// @param holder The party that holds it, which is also the applicant.
    /// @param offeredTo The party to which a transfer is on offer; 0 if none.
    /// @param until The last second in which that offer can be accepted, or in the notice of the open application
    /// an objection be filed; 0 if neither runs.
    /// @param validTo When the registration ends; 0 before it is confirmed.
    /// @param since When the holder became it.
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

    /// @notice The registration is not in the state that the act needs.
    error AssetWrongState(AssetId id, AssetState state);
    /// @notice The application is not at the stage that the act needs.
    error AssetWrongStage(AssetId id, ApplicationKind kind, Stage stage);
    /// @notice An application is open; it has to be decided first.
    error AssetApplicationOpen(AssetId id, ApplicationKind kind, Stage stage);
    /// @notice An id, a digest or a fingerprint of zero.
    error AssetZero();
    /// @notice Nobody reviews, decides or assesses in a matter of its own.
    error AssetSelfReview(AssetId id, PartyNo party);
    /// @notice Only the holder may do this.
    error AssetNotHolder(AssetId id, PartyNo holder);
    /// @notice A transfer is on offer to this party until the deadline; withdraw it first.
    error AssetOfferOpen(AssetId id, PartyNo offeredTo, uint40 deadline);
    /// @notice The deadline or the validity lies too early.
    error AssetTimePast(AssetId id, uint40 time);
    /// @notice The other party must be an active one, and not the acting party itself.
    error AssetBadRecipient(AssetId id, PartyNo to);
    /// @notice The asset is frozen.
    error AssetFrozen(AssetId id);
    /// @notice The registration's validity is over.
    error AssetExpired(AssetId id, uint40 validTo);
    /// @notice This many objections are open.
    error AssetObjected(AssetId id, uint8 objections);
    /// @notice A lien stands whose creditor has not consented.
    error AssetPledged(AssetId id, uint8 lien, PartyNo creditor);
    /// @notice The asset has as many records of this sort as it can have.
    error AssetTooMany(AssetId id, uint256 limit);
}
