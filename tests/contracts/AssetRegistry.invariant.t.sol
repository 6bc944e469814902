// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetRegistry} from "../../contracts/AssetRegistry.sol";
import {IAssetApplications} from "../../contracts/interfaces/IAssetApplications.sol";
import {IAssetRecord} from "../../contracts/interfaces/IAssetRecord.sol";
import {IAssetTransfers} from "../../contracts/interfaces/IAssetTransfers.sol";
import {AssetId, Grade, PartyNo, Reason, Stage} from "../../contracts/Types.sol";
import {AssetWorld} from "./AssetWorld.sol";
import {Refold} from "./Refold.sol";
import {Vm, vm} from "./Vm.sol";

/// Providers, consumers, registrars and those who freeze move four assets about; refused calls change nothing here.
contract AssetHandler {
    uint256 private constant ASSETS = 4;

    AssetRegistry private immutable _ASSETS;
    uint40 private _now = 1_790_000_000;
    bool public movedWhileFrozen;
    mapping(uint256 no => bytes32) private _heads;
    mapping(uint256 no => PartyNo) private _holders;

    constructor(AssetRegistry assets) {
        _ASSETS = assets;
    }

    /// Remembers the events of the call, and whether a frozen asset got another holder.
    modifier moving(uint32 who, uint256 no) {
        AssetId id = idOf(no);
        IAssetRecord.Asset memory before = _ASSETS.assetOf(id);
        vm.recordLogs();
        vm.startPrank(address(uint160(0x1000 + who)));
        _;
        vm.stopPrank();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32 head = _heads[no % ASSETS];
        if (head == 0) head = Refold.genesis(block.chainid, address(_ASSETS), AssetId.unwrap(id));
        _heads[no % ASSETS] = Refold.over(head, logs, address(_ASSETS));
        _readHolder(no, logs);
        if (before.frozen && _ASSETS.assetOf(id).holder != before.holder) movedWhileFrozen = true;
    }

    function register(uint32 who, uint256 no) external moving(_trader(who), no) {
        _ASSETS.register(idOf(no), "content", keccak256(abi.encode(idOf(no))), Grade.General);
    }

    function advance(uint256 no, uint8 stage) external moving(5, no) {
        AssetId[] memory ids = new AssetId[](1);
        ids[0] = idOf(no);
        Stage next = Stage(stage % 6);
        _ASSETS.advance(ids, next, next == Stage.Noticed ? _now + 100 : 0, "grounds");
    }

    function confirm(uint256 no, uint24 validity) external moving(5, no) {
        _ASSETS.confirm(idOf(no), _now + validity);
    }

    function offerTransfer(uint256 no, uint32 to, uint16 wait) external moving(_holder(no), no) {
        _ASSETS.offerTransfer(idOf(no), PartyNo.wrap(_trader(to)), _now + wait);
    }

    function acceptTransfer(uint32 who, uint256 no) external moving(_trader(who), no) {
        _ASSETS.acceptTransfer(idOf(no));
    }

    function rejectTransfer(uint32 who, uint256 no) external moving(_trader(who), no) {
        _ASSETS.rejectTransfer(idOf(no));
    }

    function withdrawOffer(uint256 no) external moving(_holder(no), no) {
        _ASSETS.withdrawOffer(idOf(no));
    }

    function freeze(uint256 no) external moving(3, no) {
        _ASSETS.freeze(idOf(no), Reason.Court);
    }

    function unfreeze(uint256 no) external moving(3, no) {
        _ASSETS.unfreeze(idOf(no), Reason.Lifted);
    }

    function pass(uint16 time) external {
        _now += time;
        vm.warp(_now);
    }

    function checkHeads() external view {
        for (uint256 no = 0; no < ASSETS; ++no) {
            require(_ASSETS.headOf(idOf(no)) == _heads[no], "heads differ");
        }
    }

    function checkHolders() external view {
        for (uint256 no = 0; no < ASSETS; ++no) {
            require(_ASSETS.assetOf(idOf(no)).holder == _holders[no], "holders differ");
        }
    }

    function idOf(uint256 no) public pure returns (AssetId) {
        return AssetId.wrap(bytes32(1 + no % ASSETS));
    }

    function _readHolder(uint256 no, Vm.Log[] memory logs) private {
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic == IAssetApplications.Registered.selector) _holders[no % ASSETS] = _party(logs[i].topics[2]);
            if (topic == IAssetTransfers.TransferAccepted.selector) _holders[no % ASSETS] = _party(logs[i].topics[3]);
        }
    }

    function _holder(uint256 no) private view returns (uint32) {
        return PartyNo.unwrap(_ASSETS.assetOf(idOf(no)).holder);
    }

    function _trader(uint32 who) private pure returns (uint32) {
        return 6 + who % 2;
    }

    function _party(bytes32 topic) private pure returns (PartyNo) {
        return PartyNo.wrap(uint32(uint256(topic)));
    }
}

/// See AssetRegistry.tree.
contract AssetRegistryInvariants is AssetWorld {
    AssetHandler private _handler;

    function setUp() public override {
        super.setUp();
        _handler = new AssetHandler(assets);
        targetContract(address(_handler));
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 150
    function invariant_FrozenAssetNeverChangesHolder() public view {
        assertTrue(!_handler.movedWhileFrozen(), "a frozen asset moved");
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 150
    function invariant_HolderIsThePartyOfTheLastEvent() public view {
        _handler.checkHolders();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 150
    function invariant_HeadIsTheGenesisOfTheAssetFoldedOverItsEvents() public view {
        _handler.checkHeads();
    }
}
