// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetRegistry} from "../../../../contracts/AssetRegistry.sol";
import {IAssetApplications} from "../../../../contracts/interfaces/IAssetApplications.sol";
import {IAssetRecord} from "../../../../contracts/interfaces/IAssetRecord.sol";
import {ApplicationKind, AssetId, AssetState, Grade, NOBODY, PartyNo, Roles, Stage} from "../../../../contracts/Types.sol";
import {AssetStages} from "../AssetStages.sol";
import {vm} from "../../Vm.sol";

/// Tests entering assets in the register; see AssetApplications.tree.
contract AssetRegisterTest is AssetStages {
    uint32 private constant APPLIES = Roles.PROVIDER | Roles.CONSUMER;

    function test_register_GivenTheCallerIsNeitherProviderNorConsumer() public {
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            PartyNo who = PartyNo.wrap(no);
            if (who == PROVIDER || who == CONSUMER || who == BANK) continue;
            expectLacksRole(who, APPLIES);
            by(who);
            assets.register(NEW, 0, PRINT, Grade.General);
        }
    }

    function test_register_WhenTheIdIsZero() public {
        expectZero();
        register(AssetId.wrap(0), PRINT, Grade.General);
    }

    function test_register_WhenTheFingerprintIsZero() public {
        expectZero();
        register(NEW, 0, Grade.General);
    }

    function test_register_WhenTheContentIsZero() public {
        expectZero();
        by(PROVIDER);
        assets.register(NEW, 0, PRINT, Grade.General);
    }

    function test_register_WhenTheIdIsTaken() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetApplications.AssetAlreadyRegistered.selector, PENDING));
        register(PENDING, PRINT, Grade.General);
        end(NEW, AssetState.Rejected);
        vm.expectRevert(abi.encodeWithSelector(IAssetApplications.AssetAlreadyRegistered.selector, NEW));
        register(NEW, PRINT, Grade.General);
    }

    function test_register_WhenTheDataIsCore() public {
        expectGrade(NEW, Grade.Core);
        register(NEW, PRINT, Grade.Core);
        assertState(NEW, AssetState.None);
        assertPrint(PRINT, AssetId.wrap(0));
    }

    function test_register_GivenALiveAssetHasTheFingerprint() public {
        expectDuplicate("asset print", ASSET);
        register(NEW, "asset print", Grade.General);
        expectDuplicate("pending print", PENDING);
        by(CONSUMER);
        assets.register(NEW, "content", "pending print", Grade.General);
        advance(PENDING, Stage.Returned);
        expectDuplicate("pending print", PENDING);
        register(NEW, "pending print", Grade.General);
    }

    function test_register_GivenAnAssetThatEndedHasTheFingerprint() public {
        for (uint256 i = 0; i < 3; ++i) {
            AssetId ended = nth(i);
            bytes32 print = keccak256(abi.encode(ended));
            end(ended, endings()[i]);
            assertState(ended, endings()[i]);
            assertPrint(print, ended);
            AssetId next = nth(10 + i);
            register(next, print, Grade.General);
            assertPrint(print, next);
            expectDuplicate(print, next);
            register(nth(20), print, Grade.General);
        }
    }

    function testFuzz_register_WhenTheCallIsValid(bytes32 id, bytes32 content, bytes32 print, bool important, uint32 wait)
        public
        folding(AssetId.wrap(id))
    {
        vm.assume(id != 0 && content != 0 && print != 0);
        vm.assume(id != AssetId.unwrap(ASSET) && id != AssetId.unwrap(PENDING));
        vm.assume(print != "asset print" && print != "pending print");
        uint40 at = START + wait;
        Grade grade = important ? Grade.Important : Grade.General;
        vm.warp(at);
        expectEvent();
        emit IAssetApplications.Registered(AssetId.wrap(id), 3, CONSUMER, content, print, grade, at, CONSUMER);
        by(CONSUMER);
        assets.register(AssetId.wrap(id), content, print, grade);
        IAssetRecord.Asset memory asset = assets.assetOf(AssetId.wrap(id));
        IAssetRecord.Asset memory expected;
        expected.state = AssetState.Applied;
        expected.kind = ApplicationKind.First;
        expected.stage = Stage.Submitted;
        expected.grade = grade;
        expected.applications = 1;
        expected.holder = CONSUMER;
        expected.offeredTo = NOBODY;
        expected.since = at;
        assertEq(keccak256(abi.encode(asset)), keccak256(abi.encode(expected)));
        assertPrint(print, AssetId.wrap(id));
        assertEq(assets.count(), 3);
    }

    function test_registerMany_GivenTheCallerIsNeitherProviderNorConsumer() public {
        expectLacksRole(REGISTRAR, APPLIES);
        by(REGISTRAR);
        assets.registerMany(_two(PRINT, "other print"));
    }

    function test_registerMany_WhenTwoAssetsShareAFingerprint() public {
        expectDuplicate(PRINT, NEW);
        by(PROVIDER);
        assets.registerMany(_two(PRINT, PRINT));
        assertEq(assets.count(), 2);
        assertState(NEW, AssetState.None);
        assertEq(assets.headOf(NEW), bytes32(0));
        assertPrint(PRINT, AssetId.wrap(0));
    }

    function test_registerMany_WhenTheListIsEmpty() public {
        by(PROVIDER);
        assets.registerMany(new IAssetApplications.Registration[](0));
        assertEq(assets.count(), 2);
    }

    function test_registerMany_WhenTheCallIsValid() public folding(MISSING) {
        expectEvent();
        emit IAssetApplications.Registered(NEW, 3, BANK, "a", PRINT, Grade.General, START, BANK);
        expectEvent();
        emit IAssetApplications.Registered(MISSING, 4, BANK, "b", "other print", Grade.Important, START, BANK);
        by(BANK);
        assets.registerMany(_two(PRINT, "other print"));
        assertEq(assets.count(), 4);
        assertEq(assets.assetOf(NEW).holder, BANK);
        assertEq(assets.assetOf(MISSING).holder, BANK);
        assertEq(uint256(assets.assetOf(MISSING).grade), uint256(Grade.Important));
        assertApplication(MISSING, ApplicationKind.First, Stage.Submitted, 0);
    }

    function testFuzz_minimumNotice_ItEqualsTheConstructorArgument(uint40 notice) public {
        assertEq(assets.minimumNotice(), NOTICE);
        bytes memory arguments = abi.encode(forwarder, registry, notice);
        assertEq(AssetRegistry(deploy("AssetRegistry", arguments)).minimumNotice(), notice);
    }

    function _two(bytes32 first, bytes32 second)
        private
        pure
        returns (IAssetApplications.Registration[] memory two)
    {
        two = new IAssetApplications.Registration[](2);
        two[0] = IAssetApplications.Registration(NEW, "a", first, Grade.General);
        two[1] = IAssetApplications.Registration(MISSING, "b", second, Grade.Important);
    }
}
