// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetId, PartyNo} from "../Types.sol";

/// @title Liens: an asset pledged to creditors, ranked; released by the creditor only.
/// @notice A lien stays with the asset when its creditor consents to a transfer.
interface IAssetLiens {
    /// @param creditor To whom the asset is pledged.
    /// @param rank Who comes first, from 1.
    /// @param sole Whether no other lien may stand beside it.
    /// @param consentTo The party to which the creditor consents to a transfer; 0 if to none.
    /// @param since When it was pledged.
    struct Lien {
        PartyNo creditor;
        uint8 rank;
        bool sole;
        PartyNo consentTo;
        uint40 since;
    }

    /// @notice The asset was pledged; `terms` commit to the contract.
    event Pledged(
        AssetId indexed id, uint8 lien, PartyNo creditor, uint8 rank, bool sole, bytes32 terms, uint40 at, PartyNo by
    );
    /// @notice The creditor consents to a transfer to this party, or with 0 no more to any.
    event LienConsented(AssetId indexed id, uint8 lien, PartyNo to, uint40 at, PartyNo by);
    /// @notice The creditor released its lien.
    event LienReleased(AssetId indexed id, uint8 lien, uint40 at, PartyNo by);

    /// @notice No such lien stands, or it is another creditor's.
    error AssetWrongLien(AssetId id, uint8 lien, PartyNo creditor);

    /// @notice Pledge an asset. For its holder. Refused beside a sole lien, and a sole one beside any.
    /// @return lien The lien's number, from 0; numbers of released liens are used again.
    function pledge(AssetId id, PartyNo creditor, bool sole, bytes32 terms) external returns (uint8 lien);

    /// @notice Consent to a transfer to `to`; 0 takes the consent back. For the creditor.
    function consentToTransfer(AssetId id, uint8 lien, PartyNo to) external;

    /// @notice Release a lien. For the creditor.
    function release(AssetId id, uint8 lien) external;

    /// @notice A lien; all zero if it does not stand.
    function lienOf(AssetId id, uint8 lien) external view returns (Lien memory standing);
}
