// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetRegistry} from "../../../contracts/AssetRegistry.sol";
import {IAssetApplications} from "../../../contracts/interfaces/IAssetApplications.sol";
import {IAssetRecord} from "../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetTransfers} from "../../../contracts/interfaces/IAssetTransfers.sol";
import {IPartyRegistry} from "../../../contracts/interfaces/IPartyRegistry.sol";
import {ApplicationKind, AssetId, AssetState, Grade, PartyNo, Reason, Roles, Stage} from "../../../contracts/Types.sol";
import {vm} from "../Vm.sol";
import {World} from "../World.sol";

/// An asset registry with two assets of the provider: one has an open first application, the other is confirmed.
abstract contract AssetWorld is World {
    PartyNo internal constant CDO = PartyNo.wrap(11);
    PartyNo internal constant ASSESSOR = PartyNo.wrap(12);
    PartyNo internal constant BANK = PartyNo.wrap(13);
    PartyNo internal constant BROKER = PartyNo.wrap(14);
    uint32 internal constant ALL_PARTIES = 14;

    AssetId internal constant PENDING = AssetId.wrap("pending");
    AssetId internal constant ASSET = AssetId.wrap("asset");
    AssetId internal constant MISSING = AssetId.wrap("missing");
    bytes32 internal constant GROUNDS = "grounds";
    uint40 internal constant NOTICE = 100;
    uint40 internal constant NOTICE_END = START + NOTICE;
    uint40 internal constant VALID_TO = START + 10_000;
    uint40 internal constant DEADLINE = START + 500;

    AssetRegistry internal assets;

    function setUp() public virtual override {
        super.setUp();
        newAssets();
    }

    function founding() internal pure virtual override returns (IPartyRegistry.Founding[] memory list) {
        list = grown(super.founding(), 4);
        list[10] = founder(CDO, Roles.CDO);
        list[11] = founder(ASSESSOR, Roles.ASSESSOR);
        list[12] = founder(BANK, Roles.CONSUMER);
        list[13] = founder(BROKER, Roles.BROKER);
    }

    /// Deploys the registry and registers the two assets early enough that at the time START one of them is confirmed.
    function newAssets() internal {
        vm.warp(START - NOTICE - 1);
        assets = AssetRegistry(deploy("AssetRegistry", abi.encode(forwarder, registry, NOTICE)));
        by(PROVIDER);
        assets.register(PENDING, "content", "pending print", Grade.General);
        by(PROVIDER);
        assets.register(ASSET, "content", "asset print", Grade.General);
        _confirmed(ASSET);
    }

    /// Brings a submitted application through all stages until it is confirmed. The clock moves to one second after the
    /// public notice.
    function _confirmed(AssetId id) internal {
        _noticed(id);
        vm.warp(uint256(assets.assetOf(id).until) + 1);
        confirm(id, assets.assetOf(id).kind <= ApplicationKind.First ? VALID_TO : 0);
    }

    /// Brings a submitted application under public notice, which ends NOTICE seconds from now.
    function _noticed(AssetId id) internal {
        _reviewed(id);
        advance(id, Stage.Noticed);
    }

    function _reviewed(AssetId id) internal {
        advance(id, Stage.Accepted);
        advance(id, Stage.Reviewed);
    }

    /// Moves an application to another stage. A public notice is as short as allowed; grounds are given if the stage
    /// needs them.
    function advance(AssetId id, Stage stage) internal {
        uint40 until = stage == Stage.Noticed ? uint40(vm.getBlockTimestamp()) + NOTICE : 0;
        bytes32 grounds = stage == Stage.Returned ? GROUNDS : bytes32(0);
        by(REGISTRAR);
        assets.advance(ids(id), stage, until, grounds);
    }

    function confirm(AssetId id, uint40 validTo) internal {
        by(REGISTRAR);
        assets.confirm(id, validTo);
    }

    /// Files an application of the provider for general data, with new content but without a new fingerprint.
    function file(AssetId id, ApplicationKind kind) internal {
        by(PROVIDER);
        assets.file(id, kind, "new content", 0, Grade.General);
    }

    function object(AssetId id) internal returns (uint32 no) {
        by(CONSUMER);
        return assets.object(id, GROUNDS);
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

    function annul(AssetId id) internal {
        by(AUTHORITY);
        assets.annul(id, Reason.Fraud, GROUNDS);
    }

    function ids(AssetId id) internal pure returns (AssetId[] memory list) {
        list = new AssetId[](1);
        list[0] = id;
    }

    function ids(AssetId first, AssetId second) internal pure returns (AssetId[] memory list) {
        list = new AssetId[](2);
        (list[0], list[1]) = (first, second);
    }

    function expectEvent() internal {
        vm.expectEmit(address(assets));
    }

    function expectZero() internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetZero.selector));
    }

    function expectWrongState(AssetId id, AssetState state) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetWrongState.selector, id, state));
    }

    function expectWrongStage(AssetId id, ApplicationKind kind, Stage stage) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetWrongStage.selector, id, kind, stage));
    }

    function expectApplicationOpen(AssetId id, ApplicationKind kind, Stage stage) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetApplicationOpen.selector, id, kind, stage));
    }

    function expectSelfReview(AssetId id, PartyNo party) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetSelfReview.selector, id, party));
    }

    function expectFrozen(AssetId id) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetFrozen.selector, id));
    }

    function expectObjected(AssetId id, uint8 objections) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetObjected.selector, id, objections));
    }

    function expectPledged(AssetId id, uint8 lien, PartyNo creditor) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetPledged.selector, id, lien, creditor));
    }

    function expectTooMany(AssetId id, uint256 limit) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetTooMany.selector, id, limit));
    }

    function expectGrade(AssetId id, Grade grade) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetApplications.AssetGrade.selector, id, grade));
    }

    function expectNotHolder(AssetId id, PartyNo holder) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetNotHolder.selector, id, holder));
    }

    function expectNotOfferee(PartyNo offeredTo) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetTransfers.AssetNotOfferee.selector, ASSET, offeredTo));
    }

    function expectNoOffer(AssetId id) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetTransfers.AssetNoOffer.selector, id));
    }

    function expectTimePast(AssetId id, uint40 time) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetTimePast.selector, id, time));
    }

    function expectExpired() internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetExpired.selector, ASSET, VALID_TO));
    }
}
