// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetApplications} from "./assets/AssetApplications.sol";
import {AssetLiens} from "./assets/AssetLiens.sol";
import {AssetLineage} from "./assets/AssetLineage.sol";
import {AssetObjections} from "./assets/AssetObjections.sol";
import {AssetRecord} from "./assets/AssetRecord.sol";
import {AssetRights} from "./assets/AssetRights.sol";
import {AssetTransfers} from "./assets/AssetTransfers.sol";
import {IAssetRegistry} from "./interfaces/IAssetRegistry.sol";
import {IOrigin} from "./interfaces/IOrigin.sol";
import {IPartyRegistry} from "./interfaces/IPartyRegistry.sol";
import {AssetId} from "./Types.sol";

/// @title Implements IAssetRegistry, together with the base contracts. The interfaces document the functions.
contract AssetRegistry is AssetObjections, AssetTransfers, AssetRights, AssetLiens, AssetLineage, IAssetRegistry {
    /// @param forwarder The trusted ERC-2771 forwarder. The contract also reads the ledger's origin from the forwarder.
    /// @param registry The party registry of this ledger.
    /// @param notice The shortest allowed public notice, in seconds.
    constructor(address forwarder, IPartyRegistry registry, uint40 notice)
        AssetRecord(forwarder, registry)
        AssetApplications(notice)
    {}

    /// @inheritdoc IAssetRegistry
    function assetOf(AssetId id) external view returns (Asset memory asset) {
        return _assets[id];
    }

    /// @inheritdoc IAssetRegistry
    function headOf(AssetId id) external view returns (bytes32) {
        return _heads[id];
    }

    /// @inheritdoc IOrigin
    function origin() external view returns (bytes32) {
        return _ORIGIN;
    }
}
