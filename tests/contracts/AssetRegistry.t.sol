// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRegistry} from "../../contracts/interfaces/IAssetRegistry.sol";
import {AssetId, AssetState, NOBODY, PartyNo, Reason, Roles} from "../../contracts/Types.sol";
import {AssetWorld} from "./AssetWorld.sol";
import {vm} from "./Vm.sol";

/// Registration, confirmation and freezing; see AssetRegistry.tree.
contract AssetRegistryTest is AssetWorld {
    AssetId private constant NEW = AssetId.wrap("new");
    bytes32 private constant PRINT = "new print";
    uint32 private constant APPLIES = Roles.PROVIDER | Roles.CONSUMER;
    uint32 private constant FREEZES = Roles.AUTHORITY | Roles.SUPERVISOR;

    function test_register_GivenTheCallerIsNeitherProviderNorConsumer() public {
        PartyNo[6] memory others = [AUTHORITY, ADMIN, SUPERVISOR, ISSUER, REGISTRAR, SUBJECT];
        for (uint256 i = 0; i < others.length; ++i) {
            expectLacksRole(others[i], APPLIES);
            by(others[i]);
            assets.register(NEW, 0, PRINT);
        }
    }

    function test_register_WhenTheIdIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.AssetZero.selector));
        by(PROVIDER);
        assets.register(AssetId.wrap(0), 0, PRINT);
    }

    function test_register_WhenTheFingerprintIsZero() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.AssetZero.selector));
        by(PROVIDER);
        assets.register(NEW, 0, 0);
    }

    function test_register_WhenTheIdIsTaken() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.AssetAlreadyRegistered.selector, PENDING));
        by(PROVIDER);
        assets.register(PENDING, 0, PRINT);
    }

    function test_register_WhenTheFingerprintIsTaken() public {
        _expectDuplicate("asset print", ASSET);
        by(CONSUMER);
        assets.register(NEW, 0, "asset print");
    }

    function testFuzz_register_WhenAllIsWell(bytes32 id, bytes32 content, bytes32 fingerprint, uint32 wait) public {
        vm.assume(id != 0 && fingerprint != 0);
        vm.assume(id != AssetId.unwrap(ASSET) && id != AssetId.unwrap(PENDING));
        vm.assume(fingerprint != "asset print" && fingerprint != "pending print");
        uint40 at = START + wait;
        vm.warp(at);
        expectEvent();
        emit IAssetRegistry.Registered(AssetId.wrap(id), 3, CONSUMER, content, fingerprint, at, CONSUMER);
        by(CONSUMER);
        assets.register(AssetId.wrap(id), content, fingerprint);
        IAssetRegistry.Asset memory asset = assets.assetOf(AssetId.wrap(id));
        assertEq(uint256(asset.state), uint256(AssetState.Registered));
        assertTrue(!asset.frozen, "not frozen");
        assertEq(asset.holder, CONSUMER);
        assertEq(asset.applicant, CONSUMER);
        assertEq(asset.offeredTo, NOBODY);
        assertEq(asset.offerDeadline, 0);
        assertEq(asset.validTo, 0);
        assertEq(asset.since, at);
        assertEq(AssetId.unwrap(assets.assetByFingerprint(fingerprint)), id);
        assertEq(assets.count(), 3);
    }

    function test_registerMany_GivenTheCallerIsNeitherProviderNorConsumer() public {
        expectLacksRole(REGISTRAR, APPLIES);
        by(REGISTRAR);
        assets.registerMany(_two(PRINT, "other print"));
    }

    function test_registerMany_WhenTwoShareAFingerprint() public {
        _expectDuplicate(PRINT, NEW);
        by(PROVIDER);
        assets.registerMany(_two(PRINT, PRINT));
        assertEq(assets.count(), 2);
        assertEq(uint256(assets.assetOf(NEW).state), uint256(AssetState.None));
        assertEq(assets.headOf(NEW), bytes32(0));
    }

    function test_registerMany_WhenAllIsWell() public {
        expectEvent();
        emit IAssetRegistry.Registered(NEW, 3, PROVIDER, "a", PRINT, START, PROVIDER);
        expectEvent();
        emit IAssetRegistry.Registered(MISSING, 4, PROVIDER, "b", "other print", START, PROVIDER);
        by(PROVIDER);
        assets.registerMany(_two(PRINT, "other print"));
        assertEq(assets.count(), 4);
        assertEq(assets.assetOf(MISSING).holder, PROVIDER);
    }

    function test_confirm_GivenTheCallerIsNotARegistrar() public {
        for (uint32 no = 1; no <= PARTIES; ++no) {
            if (no == PartyNo.unwrap(REGISTRAR)) continue;
            expectLacksRole(PartyNo.wrap(no), Roles.REGISTRAR);
            by(PartyNo.wrap(no));
            assets.confirm(PENDING, VALID_TO);
        }
    }

    function test_confirm_GivenTheAssetIsMissing() public {
        expectWrongState(MISSING, AssetState.None);
        _confirm(MISSING, VALID_TO);
    }

    function test_confirm_GivenTheAssetIsConfirmed() public {
        expectWrongState(ASSET, AssetState.Confirmed);
        _confirm(ASSET, VALID_TO + 1);
    }

    function test_confirm_GivenTheCallerAppliedForIt() public {
        by(ADMIN);
        registry.setRoles(PROVIDER, Roles.PROVIDER | Roles.REGISTRAR);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.AssetSelfReview.selector, PENDING, PROVIDER));
        by(PROVIDER);
        assets.confirm(PENDING, VALID_TO);
    }

    function test_confirm_GivenTheAssetIsFrozen() public {
        freeze(PENDING);
        expectFrozen(PENDING);
        _confirm(PENDING, VALID_TO);
    }

    function testFuzz_confirm_WhenTheValidityEndsNowOrBefore(uint40 seed) public {
        uint40 validTo = uint40(bound(seed, 0, START));
        expectTimePast(PENDING, validTo);
        _confirm(PENDING, validTo);
        expectTimePast(PENDING, START);
        _confirm(PENDING, START);
    }

    function testFuzz_confirm_WhenAllIsWell(uint40 validTo) public {
        vm.assume(validTo > START);
        expectEvent();
        emit IAssetRegistry.Confirmed(PENDING, validTo, START, REGISTRAR);
        _confirm(PENDING, validTo);
        assertEq(uint256(assets.assetOf(PENDING).state), uint256(AssetState.Confirmed));
        assertEq(assets.assetOf(PENDING).validTo, validTo);
        assertEq(assets.assetOf(ASSET).validTo, VALID_TO);
    }

    function test_confirmMany_GivenTheCallerIsNotARegistrar() public {
        expectLacksRole(PROVIDER, Roles.REGISTRAR);
        by(PROVIDER);
        assets.confirmMany(_ids(PENDING, NEW), VALID_TO);
    }

    function test_confirmMany_WhenOneIsNamedTwice() public {
        expectWrongState(PENDING, AssetState.Confirmed);
        by(REGISTRAR);
        assets.confirmMany(_ids(PENDING, PENDING), VALID_TO);
        assertEq(uint256(assets.assetOf(PENDING).state), uint256(AssetState.Registered));
    }

    function test_confirmMany_WhenAllIsWell() public {
        by(PROVIDER);
        assets.register(NEW, 0, PRINT);
        by(REGISTRAR);
        assets.confirmMany(_ids(PENDING, NEW), VALID_TO + 1);
        assertEq(assets.assetOf(PENDING).validTo, VALID_TO + 1);
        assertEq(assets.assetOf(NEW).validTo, VALID_TO + 1);
    }

    function test_freeze_GivenTheCallerIsNeitherAuthorityNorSupervisor() public {
        PartyNo[6] memory others = [ADMIN, ISSUER, REGISTRAR, PROVIDER, CONSUMER, SUBJECT];
        for (uint256 i = 0; i < others.length; ++i) {
            expectLacksRole(others[i], FREEZES);
            by(others[i]);
            assets.freeze(ASSET, Reason.Court);
        }
    }

    function test_freeze_GivenTheAssetIsMissing() public {
        expectWrongState(MISSING, AssetState.None);
        freeze(MISSING);
    }

    function test_freeze_GivenTheAssetIsFrozen() public {
        freeze(ASSET);
        expectFrozen(ASSET);
        freeze(ASSET);
    }

    function test_freeze_WhenAllIsWell() public {
        expectEvent();
        emit IAssetRegistry.Frozen(ASSET, Reason.Court, START, SUPERVISOR);
        freeze(ASSET);
        assertTrue(assets.assetOf(ASSET).frozen, "frozen");
        assertTrue(!assets.assetOf(PENDING).frozen, "the other is not");
        assertEq(assets.assetOf(ASSET).holder, PROVIDER);
    }

    function test_unfreeze_GivenTheCallerIsNeitherAuthorityNorSupervisor() public {
        freeze(ASSET);
        expectLacksRole(PROVIDER, FREEZES);
        by(PROVIDER);
        assets.unfreeze(ASSET, Reason.Lifted);
    }

    function test_unfreeze_GivenTheAssetIsNotFrozen() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.AssetNotFrozen.selector, ASSET));
        by(AUTHORITY);
        assets.unfreeze(ASSET, Reason.Lifted);
    }

    function test_unfreeze_WhenAllIsWell() public {
        offer(CONSUMER, DEADLINE);
        freeze(ASSET);
        expectEvent();
        emit IAssetRegistry.Unfrozen(ASSET, Reason.Lifted, START, AUTHORITY);
        by(AUTHORITY);
        assets.unfreeze(ASSET, Reason.Lifted);
        accept();
        assertEq(assets.assetOf(ASSET).holder, CONSUMER);
    }

    function _confirm(AssetId id, uint40 validTo) private {
        by(REGISTRAR);
        assets.confirm(id, validTo);
    }

    function _ids(AssetId first, AssetId second) private pure returns (AssetId[] memory ids) {
        ids = new AssetId[](2);
        (ids[0], ids[1]) = (first, second);
    }

    function _two(bytes32 first, bytes32 second) private pure returns (IAssetRegistry.Registration[] memory two) {
        two = new IAssetRegistry.Registration[](2);
        two[0] = IAssetRegistry.Registration(NEW, "a", first);
        two[1] = IAssetRegistry.Registration(MISSING, "b", second);
    }

    function _expectDuplicate(bytes32 fingerprint, AssetId earlier) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAssetRegistry.AssetDuplicateFingerprint.selector, fingerprint, earlier)
        );
    }
}
