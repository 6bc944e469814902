// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetLineage} from "../../../contracts/interfaces/IAssetLineage.sol";
import {
    ApplicationKind,
    AssetId,
    AssetState,
    Grade,
    NOBODY,
    PartyNo,
    Relation,
    Stage
} from "../../../contracts/Types.sol";
import {AssetStages} from "./AssetStages.sol";
import {vm} from "../Vm.sol";

/// Tests the links from an asset to its parents and to its successor; see AssetLineage.tree.
contract AssetLineageTest is AssetStages {
    uint256 private constant MAX_ANCESTORS = 128;

    function test_link_GivenTheCallerIsNotTheHolder() public {
        expectNotHolder(PENDING, PROVIDER);
        by(CONSUMER);
        assets.link(PENDING, Relation.DerivedFrom, ASSET);
        expectNotHolder(MISSING, NOBODY);
        _link(MISSING, ASSET);
    }

    function test_link_GivenTheApplicationIsNeitherSubmittedNorReturned() public {
        Stage[3] memory others = [Stage.Accepted, Stage.Reviewed, Stage.Noticed];
        for (uint256 i = 0; i < others.length; ++i) {
            bring(nth(i), ApplicationKind.First, others[i]);
            expectWrongStage(nth(i), ApplicationKind.First, others[i]);
            _link(nth(i), ASSET);
        }
        end(NEW, AssetState.Rejected);
        expectWrongStage(NEW, ApplicationKind.None, Stage.None);
        _link(NEW, ASSET);
    }

    function test_link_GivenTheAssetIsConfirmed() public {
        _confirmed(PENDING);
        expectWrongStage(ASSET, ApplicationKind.None, Stage.None);
        _link(ASSET, PENDING);
        file(ASSET, ApplicationKind.Change);
        expectWrongStage(ASSET, ApplicationKind.Change, Stage.Submitted);
        _link(ASSET, PENDING);
        advance(ASSET, Stage.Returned);
        expectWrongStage(ASSET, ApplicationKind.Change, Stage.Returned);
        _link(ASSET, PENDING);
    }

    function test_link_GivenTheParentIsNotConfirmed() public {
        expectWrongState(MISSING, AssetState.None);
        _link(PENDING, MISSING);
        expectWrongState(PENDING, AssetState.Applied);
        _link(PENDING, PENDING);
        for (uint256 i = 0; i < 3; ++i) {
            end(nth(i), endings()[i]);
            expectWrongState(nth(i), endings()[i]);
            _link(PENDING, nth(i));
        }
    }

    function test_link_GivenTheAssetHas128Ancestors_ItRevertsForAChainOfAncestors() public {
        AssetId last = _chain(ASSET, MAX_ANCESTORS);
        assertEq(AssetId.unwrap(assets.annulledAncestor(last)), bytes32(0));
        annul(ASSET);
        assertEq(AssetId.unwrap(assets.annulledAncestor(last)), AssetId.unwrap(ASSET));
        expectTooMany(PENDING, MAX_ANCESTORS);
        _link(PENDING, last);
    }

    function test_link_GivenTheAssetHas128Ancestors_ItRevertsForManyParents() public {
        for (uint256 i = 0; i < MAX_ANCESTORS; ++i) {
            _link(PENDING, ASSET);
        }
        expectTooMany(PENDING, MAX_ANCESTORS);
        _link(PENDING, ASSET);
        assertEq(assets.parentsOf(PENDING).length, MAX_ANCESTORS);
    }

    function test_link_GivenTheAssetHas128Ancestors_ItCountsAnAncestorOncePerPath() public {
        // Each new asset has the previous asset as its parent twice. So the numbers of ancestors are 2, 6, 14, 30, 62
        // and 126.
        AssetId parent = ASSET;
        for (uint256 i = 0; i < 6; ++i) {
            register(nth(i), keccak256(abi.encode(i)), Grade.General);
            _link(nth(i), parent);
            _link(nth(i), parent);
            _confirmed(nth(i));
            parent = nth(i);
        }
        _link(PENDING, parent);
        expectTooMany(PENDING, MAX_ANCESTORS);
        _link(PENDING, parent);
        _link(PENDING, ASSET);
        expectTooMany(PENDING, MAX_ANCESTORS);
        _link(PENDING, ASSET);
        assertEq(AssetId.unwrap(assets.annulledAncestor(PENDING)), bytes32(0));
    }

    function testFuzz_link_WhenTheCallIsValid(uint8 seed, uint16 wait) public folding(PENDING) {
        Relation relation = Relation(seed % 3);
        bring(NEW, ApplicationKind.None, Stage.None);
        uint40 at = uint40(bound(wait, vm.getBlockTimestamp(), VALID_TO - 1));
        vm.warp(at);
        expectEvent();
        emit IAssetLineage.Linked(PENDING, relation, ASSET, at, PROVIDER);
        by(PROVIDER);
        assets.link(PENDING, relation, ASSET);
        advance(PENDING, Stage.Returned);
        // A parent may belong to another party, and may be frozen or expired.
        by(PROVIDER);
        assets.offerTransfer(NEW, CONSUMER, VALID_TO);
        by(CONSUMER);
        assets.acceptTransfer(NEW);
        freeze(NEW);
        vm.warp(VALID_TO);
        _link(PENDING, NEW);
        AssetId[] memory parents = assets.parentsOf(PENDING);
        assertEq(parents.length, 2);
        assertEq(AssetId.unwrap(parents[0]), AssetId.unwrap(ASSET));
        assertEq(AssetId.unwrap(parents[1]), AssetId.unwrap(NEW));
        assertEq(assets.parentsOf(ASSET).length, 0);
    }

    function test_replace_GivenTheCallerIsAStranger() public {
        _confirmed(PENDING);
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        assets.replace(ASSET, PENDING);
    }

    function test_replace_GivenOneOfTheTwoAssetsIsNotConfirmed() public {
        expectWrongState(PENDING, AssetState.Applied);
        _replace(PENDING, ASSET);
        expectWrongState(PENDING, AssetState.Applied);
        _replace(ASSET, PENDING);
        expectWrongState(MISSING, AssetState.None);
        _replace(ASSET, MISSING);
        for (uint256 i = 0; i < 3; ++i) {
            end(nth(i), endings()[i]);
            expectWrongState(nth(i), endings()[i]);
            _replace(nth(i), ASSET);
            expectWrongState(nth(i), endings()[i]);
            _replace(ASSET, nth(i));
        }
    }

    function test_replace_GivenOneOfTheTwoAssetsIsExpired() public {
        _noticed(PENDING);
        vm.warp(NOTICE_END + 1);
        confirm(PENDING, VALID_TO + 1);
        vm.warp(VALID_TO - 1);
        _replace(ASSET, PENDING);
        vm.warp(VALID_TO);
        expectExpired();
        _replace(ASSET, PENDING);
        expectExpired();
        _replace(PENDING, ASSET);
    }

    function test_replace_GivenTheCallerDoesNotHoldBothAssets() public {
        _confirmed(PENDING);
        expectNotHolder(ASSET, PROVIDER);
        by(CONSUMER);
        assets.replace(ASSET, PENDING);
        offer(CONSUMER, DEADLINE);
        accept();
        expectNotHolder(ASSET, CONSUMER);
        _replace(ASSET, PENDING);
        expectNotHolder(ASSET, CONSUMER);
        _replace(PENDING, ASSET);
        expectNotHolder(PENDING, PROVIDER);
        by(CONSUMER);
        assets.replace(ASSET, PENDING);
    }

    function test_replace_WhenTheSuccessorIsTheAssetItself() public {
        expectWrongState(ASSET, AssetState.Confirmed);
        _replace(ASSET, ASSET);
    }

    function test_replace_WhenTheCallIsValid() public folding(ASSET) {
        _confirmed(PENDING);
        bytes memory asset = abi.encode(assets.assetOf(ASSET));
        bytes memory successor = abi.encode(assets.assetOf(PENDING));
        bytes32 head = assets.headOf(PENDING);
        expectEvent();
        emit IAssetLineage.Replaced(ASSET, PENDING, NOTICE_END + 1, PROVIDER);
        _replace(ASSET, PENDING);
        assertEq(keccak256(abi.encode(assets.assetOf(ASSET))), keccak256(asset));
        assertEq(keccak256(abi.encode(assets.assetOf(PENDING))), keccak256(successor));
        assertEq(assets.headOf(PENDING), head);
    }

    function test_annulledAncestor_GivenNoAncestorIsAnnulled() public {
        assertEq(AssetId.unwrap(assets.annulledAncestor(_chain(ASSET, 4))), bytes32(0));
        assertEq(AssetId.unwrap(assets.annulledAncestor(MISSING)), bytes32(0));
    }

    function test_annulledAncestor_GivenAParentIsAnnulled() public {
        bring(NEW, ApplicationKind.None, Stage.None);
        _link(PENDING, ASSET);
        _link(PENDING, NEW);
        annul(NEW);
        assertEq(AssetId.unwrap(assets.annulledAncestor(PENDING)), AssetId.unwrap(NEW));
        annul(ASSET);
        assertEq(AssetId.unwrap(assets.annulledAncestor(PENDING)), AssetId.unwrap(ASSET));
    }

    function testFuzz_annulledAncestor_GivenADistantAncestorIsAnnulled(uint8 seed) public {
        uint256 length = bound(seed, 2, 12);
        AssetId last = _chain(ASSET, length);
        // The annulled asset is an ancestor of the second parent, but not of the first.
        bring(NEW, ApplicationKind.None, Stage.None);
        _link(PENDING, NEW);
        _link(PENDING, last);
        AssetId ancestor = nth(seed % (length - 1));
        annul(ancestor);
        assertEq(AssetId.unwrap(assets.annulledAncestor(last)), AssetId.unwrap(ancestor));
        assertEq(AssetId.unwrap(assets.annulledAncestor(PENDING)), AssetId.unwrap(ancestor));
    }

    function test_annulledAncestor_GivenAnAncestorHasEndedInAnotherWay() public {
        _link(PENDING, ASSET);
        file(ASSET, ApplicationKind.Cancel);
        _reviewed(ASSET);
        confirm(ASSET, 0);
        assertEq(AssetId.unwrap(assets.annulledAncestor(PENDING)), bytes32(0));
    }

    function test_annulledAncestor_GivenTheAssetItselfIsAnnulled() public {
        annul(ASSET);
        assertEq(AssetId.unwrap(assets.annulledAncestor(ASSET)), bytes32(0));
    }

    /// Makes a chain of assets in which each asset has the previous one as its parent, and returns the last one.
    function _chain(AssetId first, uint256 length) private returns (AssetId last) {
        last = first;
        for (uint256 i = 0; i < length; ++i) {
            vm.warp(START);
            register(nth(i), keccak256(abi.encode(i)), Grade.General);
            _link(nth(i), last);
            _confirmed(nth(i));
            last = nth(i);
        }
    }

    function _link(AssetId id, AssetId parent) private {
        by(PROVIDER);
        assets.link(id, Relation.DerivedFrom, parent);
    }

    function _replace(AssetId id, AssetId successor) private {
        by(PROVIDER);
        assets.replace(id, successor);
    }
}
