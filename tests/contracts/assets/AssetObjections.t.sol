// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetObjections} from "../../../contracts/interfaces/IAssetObjections.sol";
import {ApplicationKind, AssetId, AssetState, ObjectionState, PartyNo, Roles, Stage} from "../../../contracts/Types.sol";
import {AssetStages} from "./AssetStages.sol";
import {vm} from "../Vm.sol";

/// Tests the filing of objections; see AssetObjections.tree.
contract AssetObjectionsTest is AssetStages {
    uint32 private constant OBJECTS = Roles.SUBJECT | Roles.PROVIDER | Roles.CONSUMER | Roles.BROKER;

    function test_object_GivenTheCallerHasNoRoleThatMayObject() public {
        PartyNo[7] memory others = [AUTHORITY, ADMIN, SUPERVISOR, ISSUER, REGISTRAR, CDO, ASSESSOR];
        for (uint256 i = 0; i < others.length; ++i) {
            expectLacksRole(others[i], OBJECTS);
            by(others[i]);
            assets.object(ASSET, GROUNDS);
        }
    }

    function test_object_GivenTheCallerIsTheHolder() public {
        expectSelfReview(ASSET, PROVIDER);
        by(PROVIDER);
        assets.object(ASSET, GROUNDS);
        _noticed(PENDING);
        expectSelfReview(PENDING, PROVIDER);
        by(PROVIDER);
        assets.object(PENDING, GROUNDS);
    }

    function test_object_WhenTheGroundsAreZero() public {
        expectZero();
        by(CONSUMER);
        assets.object(ASSET, 0);
    }

    function test_object_GivenTheAssetIsMissing() public {
        expectWrongState(MISSING, AssetState.None);
        object(MISSING);
    }

    function test_object_GivenTheRegistrationHasEnded() public {
        for (uint256 i = 0; i < 3; ++i) {
            end(nth(i), endings()[i]);
            expectWrongState(nth(i), endings()[i]);
            object(nth(i));
        }
    }

    function test_object_GivenAFirstApplicationIsNotUnderPublicNotice() public {
        Stage[4] memory others = [Stage.Submitted, Stage.Accepted, Stage.Reviewed, Stage.Returned];
        for (uint256 i = 0; i < others.length; ++i) {
            bring(nth(i), ApplicationKind.First, others[i]);
            _expectNoticeOver(nth(i), 0);
            object(nth(i));
        }
    }

    function testFuzz_object_WhenInTheLastSecondOfThePublicNotice(uint8 kind, uint16 longer) public {
        AssetId id = _noticedOf(kind, longer);
        vm.warp(assets.assetOf(id).until);
        assertEq(_objectionTo(id).application, assets.assetOf(id).applications);
    }

    function testFuzz_object_GivenThePublicNoticeOfAFirstApplicationHasEnded(uint16 longer, uint16 wait) public {
        AssetId id = _noticedOf(0, longer);
        uint40 until = assets.assetOf(id).until;
        vm.warp(uint256(until) + 1 + wait);
        _expectNoticeOver(id, until);
        object(id);
        vm.warp(uint256(until) + 1);
        _expectNoticeOver(id, until);
        object(id);
    }

    function testFuzz_object_GivenThePublicNoticeOfALaterApplicationHasEnded(uint8 seed, uint16 longer) public {
        AssetId id = _noticedOf(uint8(bound(seed, 1, 4)), longer);
        vm.warp(uint256(assets.assetOf(id).until) + 1);
        assertEq(_objectionTo(id).application, 0);
    }

    function test_object_GivenTheAssetIsConfirmed() public {
        assertEq(_objectionTo(ASSET).application, 0);
        freeze(ASSET);
        assertEq(_objectionTo(ASSET).application, 0);
        file(ASSET, ApplicationKind.Correct);
        // The open application is not under public notice, so the objection is against the registration.
        assertEq(_objectionTo(ASSET).application, 0);
        vm.warp(VALID_TO);
        assertEq(_objectionTo(ASSET).application, 0);
        assertEq(assets.assetOf(ASSET).objections, 4);
    }

    function test_object_Given255ObjectionsAreOpen() public {
        for (uint256 i = 0; i < 255; ++i) {
            object(ASSET);
        }
        assertEq(assets.assetOf(ASSET).objections, 255);
        expectTooMany(ASSET, 255);
        object(ASSET);
        by(REGISTRAR);
        assets.decide(ASSET, 7, ObjectionState.Refused, GROUNDS);
        assertEq(object(ASSET), 256);
    }

    function testFuzz_object_WhenTheCallIsValid(uint8 seed, bytes32 grounds, bool toApplication) public folding(NEW) {
        if (grounds == 0) grounds = GROUNDS;
        bring(NEW, ApplicationKind.Change, toApplication ? Stage.Noticed : Stage.Reviewed);
        uint40 at = uint40(vm.getBlockTimestamp());
        PartyNo[4] memory all = [SUBJECT, CONSUMER, BANK, BROKER];
        for (uint32 i = 0; i < all.length; ++i) {
            PartyNo who = all[(i + seed) % all.length];
            expectEvent();
            emit IAssetObjections.Objected(NEW, i + 1, toApplication, grounds, at, who);
            by(who);
            assertEq(assets.object(NEW, grounds), i + 1);
            IAssetObjections.Objection memory stored = assets.objectionOf(NEW, i + 1);
            assertEq(stored.objector, who);
            assertEq(uint256(stored.state), uint256(ObjectionState.Filed));
            assertEq(stored.application, toApplication ? 2 : 0);
            assertEq(stored.filedAt, at);
            assertEq(assets.assetOf(NEW).objections, i + 1);
        }
        assertEq(assets.assetOf(ASSET).objections, 0);
    }

    function test_objectionOf_ItIsEmptyIfThereIsNoObjection() public {
        object(ASSET);
        IAssetObjections.Objection memory none;
        assertEq(keccak256(abi.encode(assets.objectionOf(ASSET, 0))), keccak256(abi.encode(none)));
        assertEq(keccak256(abi.encode(assets.objectionOf(ASSET, 2))), keccak256(abi.encode(none)));
        assertEq(keccak256(abi.encode(assets.objectionOf(PENDING, 1))), keccak256(abi.encode(none)));
    }

    /// Returns a confirmed asset with a second application, which is under a long public notice. The seed selects the
    /// kind of the application.
    function _noticedOf(uint8 seed, uint16 longer) private returns (AssetId) {
        bring(NEW, ApplicationKind(1 + seed % 5), Stage.Reviewed);
        uint40 until = uint40(vm.getBlockTimestamp()) + NOTICE + longer % 2000;
        by(REGISTRAR);
        assets.advance(ids(NEW), Stage.Noticed, until, 0);
        return NEW;
    }

    function _objectionTo(AssetId id) private returns (IAssetObjections.Objection memory) {
        return assets.objectionOf(id, object(id));
    }

    function _expectNoticeOver(AssetId id, uint40 until) private {
        vm.expectRevert(abi.encodeWithSelector(IAssetObjections.AssetNoticeOver.selector, id, until));
    }
}
