// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetId, PartyNo} from "../Types.sol";

/// @title Liens: an asset is pledged to creditors in order of rank, and only a creditor can release its own lien.
/// @notice A transfer of the asset needs the consent of every creditor. The liens stay on the asset after the transfer.
interface IAssetLiens {
    /// @param creditor The party to which the asset is pledged.
    /// @param rank The creditor's rank among all creditors, from 1.
    /// @param sole Whether no other lien may exist at the same time.
    /// @param consentTo The party to which the asset may be transferred with the creditor's consent; 0 if the creditor
    /// consents to no transfer.
    /// @param since When the asset was pledged.
    struct Lien {
        PartyNo creditor;
        uint8 rank;
        bool sole;
        PartyNo consentTo;
        uint40 since;
    }

    /// @notice The asset was pledged; `terms` is the digest of the pledge contract.
    event Pledged(
        AssetId indexed id, uint8 lien, PartyNo creditor, uint8 rank, bool sole, bytes32 terms, uint40 at, PartyNo by
    );
    /// @notice The creditor consents to a transfer to the party `to`; 0 means that the creditor took its consent back.
    event LienConsented(AssetId indexed id, uint8 lien, PartyNo to, uint40 at, PartyNo by);
    /// @notice The creditor released its lien.
    event LienReleased(AssetId indexed id, uint8 lien, uint40 at, PartyNo by);

    /// @notice There is no lien with this number, or the lien belongs to another creditor.
    error AssetWrongLien(AssetId id, uint8 lien, PartyNo creditor);

    /// @notice Pledge an asset. Only its holder may call this. A sole lien allows no other lien on the asset. So the
    /// call reverts if the asset has a sole lien, or if a sole lien is requested and the asset has any lien.
    /// @return lien The lien's number, from 0; the numbers of released liens are used again.
    function pledge(AssetId id, PartyNo creditor, bool sole, bytes32 terms) external returns (uint8 lien);

    /// @notice Consent to a transfer to `to`; 0 takes the consent back. Only the creditor may call this.
    function consentToTransfer(AssetId id, uint8 lien, PartyNo to) external;

    /// @notice Release a lien. Only the creditor may call this.
    function release(AssetId id, uint8 lien) external;

    /// @notice Return a lien; all fields are zero if there is no such lien, or if the lien was released.
    function lienOf(AssetId id, uint8 lien) external view returns (Lien memory standing);
}
