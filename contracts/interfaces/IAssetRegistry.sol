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

/// @title The register of data assets, from their first application to their end.
/// @notice The holder of an asset is a party, never an account. All events of an asset form a hash chain, so anyone who
/// receives an asset's history can check that the history is complete. Documents are never recorded here. Times are
/// seconds UTC.
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
    /// @notice Return an asset; the state is `None` if there is no such asset.
    function assetOf(AssetId id) external view returns (Asset memory asset);

    /// @notice Return the head of an asset's hash chain, which covers all events of the asset; zero if the asset does
    /// not exist.
    function headOf(AssetId id) external view returns (bytes32);
}
