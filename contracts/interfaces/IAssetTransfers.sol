// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetId, PartyNo, Reason} from "../Types.sol";

/// @title The transfer of a registered asset (by an offer and its acceptance), its reassignment, freeze and annulment.
/// @notice A transfer needs the consent of every creditor, and a confirmed and valid registration that is not frozen
/// and has no open application and no open objection. These conditions are checked when the asset is offered, and again
/// when the offer is accepted.
interface IAssetTransfers {
    /// @notice The asset is offered to a party up to and including `deadline`.
    event TransferOffered(AssetId indexed id, PartyNo indexed to, uint40 deadline, uint40 at, PartyNo by);
    /// @notice An offer was accepted; `to` is the new holder.
    event TransferAccepted(AssetId indexed id, PartyNo indexed from, PartyNo indexed to, uint40 at, PartyNo by);
    /// @notice An offer was rejected by the party that it named.
    event TransferRejected(AssetId indexed id, PartyNo indexed to, uint40 at, PartyNo by);
    /// @notice An offer was withdrawn by the holder.
    event TransferWithdrawn(AssetId indexed id, PartyNo indexed to, uint40 at, PartyNo by);
    /// @notice Two officers transferred the asset to another party, because the holder can no longer act.
    event Reassigned(
        AssetId indexed id, PartyNo indexed from, PartyNo indexed to, bytes32 grounds, uint40 at, PartyNo by
    );
    /// @notice The asset was frozen: it cannot be transferred, pledged or licensed.
    event Frozen(AssetId indexed id, Reason reason, uint40 at, PartyNo by);
    /// @notice The freeze of the asset was lifted.
    event Unfrozen(AssetId indexed id, Reason reason, uint40 at, PartyNo by);
    /// @notice A registration was annulled permanently.
    event Annulled(AssetId indexed id, Reason reason, bytes32 grounds, uint40 at, PartyNo by);

    /// @notice Only the party that the offer names may do this.
    error AssetNotOfferee(AssetId id, PartyNo offeredTo);
    /// @notice The asset is not offered for transfer.
    error AssetNoOffer(AssetId id);
    /// @notice The deadline of the offer has passed.
    error AssetOfferLapsed(AssetId id, uint40 deadline);
    /// @notice The asset is not frozen.
    error AssetNotFrozen(AssetId id);
    /// @notice Only the party registry may do this, while it carries out a proposal.
    error AssetNotDecided();
    /// @notice The holder still has a key that may act for it.
    error AssetHolderSpeaks(AssetId id, PartyNo holder);

    /// @notice Offer an asset to another active party. Only the holder may call this. The new offer replaces an offer
    /// whose deadline has passed.
    function offerTransfer(AssetId id, PartyNo to, uint40 deadline) external;

    /// @notice Accept an offered asset, up to and including the deadline. Only the party that the offer names may call
    /// this.
    function acceptTransfer(AssetId id) external;

    /// @notice Reject an offer. Only the party that the offer names may call this.
    function rejectTransfer(AssetId id) external;

    /// @notice Withdraw an offer. Only the holder may call this.
    function withdrawOffer(AssetId id) external;

    /// @notice Transfer the asset of a party that is closed, or has no key that may act for it, to an active party.
    /// This helps a party that lost all its keys: the party can register again with a new id and get its assets back.
    /// An open offer ends; a freeze, liens and rights stay. Only the party registry can call this, when it carries out
    /// a proposal of two officers (see IProposals).
    function reassign(AssetId id, PartyNo to, bytes32 grounds) external;

    /// @notice Freeze an asset, so that it cannot be transferred, pledged or licensed. Authorities and supervisors may
    /// call this, but never the holder.
    function freeze(AssetId id, Reason reason) external;

    /// @notice Lift the freeze of an asset. Authorities and supervisors may call this, but never the holder.
    function unfreeze(AssetId id, Reason reason) external;

    /// @notice Annul a confirmed registration, even if it is frozen. Registrars, authorities and supervisors may call
    /// this, but never the holder.
    function annul(AssetId id, Reason reason, bytes32 grounds) external;
}
