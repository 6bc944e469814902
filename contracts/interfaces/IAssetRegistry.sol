// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetId} from "../Types.sol";
import {IAssetApplications} from "./IAssetApplications.sol";
import {IAssetLiens} from "./IAssetLiens.sol";
import {IAssetLineage} from "./IAssetLineage.sol";
import {IAssetObjections} from "./IAssetObjections.sol";
import {IAssetRecord} from "./IAssetRecord.sol";
import {IAssetRights} from "./IAssetRights.sol";
import {IAssetTransfers} from "./IAssetTransfers.sol";
import {IOrigin} from "./IOrigin.sol";

/// @title Registered data assets through their whole life.
/// @notice Holders are parties, never accounts. Each asset has a head of its own over its events, so whoever is given
/// an asset's history can tell that nothing is missing. No document is ever recorded here. Times are seconds UTC.
interface IAssetRegistry is
    IAssetRecord,
    IAssetApplications,
    IAssetObjections,
    IAssetTransfers,
    IAssetRights,
    IAssetLiens,
    IAssetLineage,
    IOrigin
{
    /// @notice An asset; its state is `None` if there is none.
    function assetOf(AssetId id) external view returns (Asset memory asset);

    /// @notice The head over every event of an asset; zero if there is none.
    function headOf(AssetId id) external view returns (bytes32);
}
