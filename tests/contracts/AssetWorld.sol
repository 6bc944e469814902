// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetRegistry} from "../../contracts/AssetRegistry.sol";
import {IAssetRegistry} from "../../contracts/interfaces/IAssetRegistry.sol";
import {AssetId, AssetState, PartyNo, Reason} from "../../contracts/Types.sol";
import {vm} from "./Vm.sol";
import {World} from "./World.sol";

/// An asset registry with one asset registered and one confirmed, both held by the provider.
abstract contract AssetWorld is World {
    AssetId internal constant PENDING = AssetId.wrap("pending");
    AssetId internal constant ASSET = AssetId.wrap("asset");
    AssetId internal constant MISSING = AssetId.wrap("missing");
    uint40 internal constant VALID_TO = START + 10_000;
    uint40 internal constant DEADLINE = START + 500;

    AssetRegistry internal assets;

    function setUp() public virtual override {
        super.setUp();
        assets = newAssets();
    }

    function newAssets() internal returns (AssetRegistry fresh) {
        fresh = AssetRegistry(deploy("AssetRegistry", abi.encode(RELAY, registry)));
        by(PROVIDER);
        fresh.register(PENDING, "content", "pending print");
        by(PROVIDER);
        fresh.register(ASSET, "content", "asset print");
        by(REGISTRAR);
        fresh.confirm(ASSET, VALID_TO);
    }

    function offer(PartyNo to, uint40 deadline) internal {
        by(PROVIDER);
        assets.offerTransfer(ASSET, to, deadline);
    }

    function accept() internal {
        by(CONSUMER);
        assets.acceptTransfer(ASSET);
    }

    function freeze(AssetId id) internal {
        by(SUPERVISOR);
        assets.freeze(id, Reason.Court);
    }

    function expectEvent() internal {
        vm.expectEmit(address(assets));
    }

    function expectWrongState(AssetId id, AssetState state) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.AssetWrongState.selector, id, state));
    }

    function expectFrozen(AssetId id) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.AssetFrozen.selector, id));
    }

    function expectNotHolder(AssetId id, PartyNo holder) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.AssetNotHolder.selector, id, holder));
    }

    function expectNotOfferee(PartyNo offeredTo) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.AssetNotOfferee.selector, ASSET, offeredTo));
    }

    function expectNoOffer(AssetId id) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.AssetNoOffer.selector, id));
    }

    function expectTimePast(AssetId id, uint40 time) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.AssetTimePast.selector, id, time));
    }

    function expectExpired() internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.AssetExpired.selector, ASSET, VALID_TO));
    }
}
