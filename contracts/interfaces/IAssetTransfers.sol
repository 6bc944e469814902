// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetId, PartyNo, Reason} from "../Types.sol";

/// @title Moves of a registered asset: transfer in two steps, reassignment, freeze, annulment.
/// @notice A transfer needs a confirmed, valid registration that is not frozen, has no open application and no open
/// objection, and the consent of every creditor; all of it at the offer and again at the acceptance.
interface IAssetTransfers {
    /// @notice A transfer is on offer up to and including `deadline`.
    event TransferOffered(AssetId indexed id, PartyNo indexed to, uint40 deadline, uint40 at, PartyNo by);
    /// @notice A transfer was accepted: `to` holds the asset.
    event TransferAccepted(AssetId indexed id, PartyNo indexed from, PartyNo indexed to, uint40 at, PartyNo by);
    /// @notice An offer was rejected by the party it was made to.
    event TransferRejected(AssetId indexed id, PartyNo indexed to, uint40 at, PartyNo by);
    /// @notice An offer was taken back by the holder.
    event TransferWithdrawn(AssetId indexed id, PartyNo indexed to, uint40 at, PartyNo by);
    /// @notice Two officers gave the asset of a party that cannot act to another one.
    event Reassigned(
        AssetId indexed id, PartyNo indexed from, PartyNo indexed to, bytes32 grounds, uint40 at, PartyNo by
    );
    /// @notice Every move of the asset is stopped.
    event Frozen(AssetId indexed id, Reason reason, uint40 at, PartyNo by);
    /// @notice The asset may move again.
    event Unfrozen(AssetId indexed id, Reason reason, uint40 at, PartyNo by);
    /// @notice A registration was annulled, for good.
    event Annulled(AssetId indexed id, Reason reason, bytes32 grounds, uint40 at, PartyNo by);

    /// @notice Only the party to which the transfer is offered may do this.
    error AssetNotOfferee(AssetId id, PartyNo offeredTo);
    /// @notice No transfer is on offer.
    error AssetNoOffer(AssetId id);
    /// @notice The deadline is over.
    error AssetOfferLapsed(AssetId id, uint40 deadline);
    /// @notice The asset is not frozen.
    error AssetNotFrozen(AssetId id);
    /// @notice Only a proposal that the registry of parties carries out does this.
    error AssetNotDecided();
    /// @notice A key still speaks for the holder.
    error AssetHolderSpeaks(AssetId id, PartyNo holder);

    /// @notice Offer an asset to another active party. For the holder. A lapsed offer is replaced.
    function offerTransfer(AssetId id, PartyNo to, uint40 deadline) external;

    /// @notice Take over an asset, up to and including the deadline. For the party it is offered to.
    function acceptTransfer(AssetId id) external;

    /// @notice Refuse an offer. For the party it was made to.
    function rejectTransfer(AssetId id) external;

    /// @notice Take an offer back. For the holder.
    function withdrawOffer(AssetId id) external;

    /// @notice Give the asset of a party for which no key speaks, or that is closed, to an active party: how a party
    /// that lost all its keys gets its assets back under a new id. An open offer ends; a freeze, liens and rights stay.
    /// Decided by two officers, see IProposals.
    function reassign(AssetId id, PartyNo to, bytes32 grounds) external;

    /// @notice Stop every move of an asset. For authorities and supervisors, never the holder.
    function freeze(AssetId id, Reason reason) external;

    /// @notice Let an asset move again. For authorities and supervisors, never the holder.
    function unfreeze(AssetId id, Reason reason) external;

    /// @notice Annul a confirmed registration, frozen or not. For registrars, authorities and supervisors, never the
    /// holder.
    function annul(AssetId id, Reason reason, bytes32 grounds) external;
}
