// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetApplications} from "../../../../contracts/interfaces/IAssetApplications.sol";
import {IAssetRecord} from "../../../../contracts/interfaces/IAssetRecord.sol";
import {ApplicationKind, AssetId, AssetState, Grade, PartyNo, Roles, Stage} from "../../../../contracts/Types.sol";
import {AssetStages} from "../AssetStages.sol";
import {vm} from "../../Vm.sol";

/// Tests advancing and rejecting applications; see AssetApplications.tree.
contract AssetAdvanceTest is AssetStages {
    function test_advance_GivenTheCallerIsNotARegistrar() public {
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            if (PartyNo.wrap(no) == REGISTRAR) continue;
            expectLacksRole(PartyNo.wrap(no), Roles.REGISTRAR);
            by(PartyNo.wrap(no));
            assets.advance(ids(PENDING), Stage.Accepted, 0, 0);
        }
    }

    function test_advance_GivenTheAssetIsMissing() public {
        expectWrongStage(MISSING, ApplicationKind.None, Stage.None);
        advance(MISSING, Stage.Accepted);
    }

    function test_advance_GivenTheCallerIsTheApplicant() public {
        setRoles(PROVIDER, Roles.PROVIDER | Roles.REGISTRAR);
        expectSelfReview(PENDING, PROVIDER);
        by(PROVIDER);
        assets.advance(ids(PENDING), Stage.Accepted, 0, 0);
    }

    function test_advance_WhenTheNewStageIsNotAllowed() public {
        uint256 n = 0;
        uint256 allowed = 0;
        for (uint256 kind = uint256(ApplicationKind.First); kind < KINDS; ++kind) {
            for (uint256 from = uint256(Stage.Submitted); from < STAGES; ++from) {
                for (uint256 to = 0; to < STAGES; ++to) {
                    AssetId id = nth(n++);
                    vm.warp(START);
                    bring(id, ApplicationKind(kind), Stage(from));
                    if (_follows(Stage(from), Stage(to))) {
                        ++allowed;
                        advance(id, Stage(to));
                        assertEq(uint256(assets.assetOf(id).stage), to);
                        assertEq(uint256(assets.assetOf(id).kind), kind);
                    } else {
                        expectWrongStage(id, ApplicationKind(kind), Stage(from));
                        advance(id, Stage(to));
                    }
                }
            }
        }
        assertEq(allowed, 5 * 5);
        for (uint256 to = 0; to < STAGES; ++to) {
            expectWrongStage(ASSET, ApplicationKind.None, Stage.None);
            advance(ASSET, Stage(to));
        }
    }

    function testFuzz_advance_WhenThePublicNoticeIsTooShort(uint40 seed, uint16 wait) public {
        _reviewed(PENDING);
        uint40 at = START + wait;
        vm.warp(at);
        uint40 until = uint40(bound(seed, 0, at + NOTICE - 1));
        expectNoticeShort(PENDING, until, at + NOTICE);
        _advance(Stage.Noticed, until, 0);
        expectNoticeShort(PENDING, at + NOTICE - 1, at + NOTICE);
        _advance(Stage.Noticed, at + NOTICE - 1, 0);
        _advance(Stage.Noticed, at + NOTICE, 0);
        assertApplication(PENDING, ApplicationKind.First, Stage.Noticed, at + NOTICE);
    }

    function testFuzz_advance_WhenAStageWithoutPublicNoticeHasAnEndOfNotice(uint40 until) public {
        vm.assume(until != 0);
        expectNoticeShort(PENDING, until, 0);
        _advance(Stage.Accepted, until, 0);
        expectNoticeShort(PENDING, until, 0);
        _advance(Stage.Returned, until, GROUNDS);
        advance(PENDING, Stage.Accepted);
        expectNoticeShort(PENDING, until, 0);
        _advance(Stage.Reviewed, until, 0);
    }

    function test_advance_WhenTheApplicationIsReturnedWithoutGrounds() public {
        expectZero();
        _advance(Stage.Returned, 0, 0);
        advance(PENDING, Stage.Accepted);
        expectZero();
        _advance(Stage.Returned, 0, 0);
    }

    function test_advance_WhenOneOfManyAssetsIsAtAWrongStage() public {
        bytes32 head = assets.headOf(PENDING);
        expectWrongStage(ASSET, ApplicationKind.None, Stage.None);
        by(REGISTRAR);
        assets.advance(ids(PENDING, ASSET), Stage.Accepted, 0, 0);
        expectWrongStage(PENDING, ApplicationKind.First, Stage.Accepted);
        by(REGISTRAR);
        assets.advance(ids(PENDING, PENDING), Stage.Accepted, 0, 0);
        assertApplication(PENDING, ApplicationKind.First, Stage.Submitted, 0);
        assertEq(assets.headOf(PENDING), head);
    }

    function testFuzz_advance_WhenTheCallIsValid(uint40 seed, bytes32 grounds) public folding(NEW) {
        uint40 until = uint40(bound(seed, START + NOTICE, type(uint40).max));
        register(NEW, PRINT, Grade.General);
        _advanceBoth(Stage.Accepted, 0, grounds);
        _advanceBoth(Stage.Reviewed, 0, grounds);
        _advanceBoth(Stage.Noticed, until, grounds);
        assertState(NEW, AssetState.Applied);
        assertEq(assets.assetOf(NEW).validTo, 0);
    }

    function test_reject_GivenTheCallerIsNotARegistrar() public {
        advance(PENDING, Stage.Accepted);
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            if (PartyNo.wrap(no) == REGISTRAR) continue;
            expectLacksRole(PartyNo.wrap(no), Roles.REGISTRAR);
            by(PartyNo.wrap(no));
            assets.reject(PENDING, GROUNDS);
        }
    }

    function test_reject_GivenTheAssetIsMissing() public {
        expectWrongStage(MISSING, ApplicationKind.None, Stage.None);
        reject(MISSING);
    }

    function test_reject_GivenTheCallerIsTheApplicant() public {
        advance(PENDING, Stage.Accepted);
        setRoles(PROVIDER, Roles.PROVIDER | Roles.REGISTRAR);
        expectSelfReview(PENDING, PROVIDER);
        by(PROVIDER);
        assets.reject(PENDING, GROUNDS);
    }

    function test_reject_WhenTheGroundsAreZero() public {
        advance(PENDING, Stage.Accepted);
        expectZero();
        by(REGISTRAR);
        assets.reject(PENDING, 0);
    }

    function test_reject_GivenTheApplicationIsNeitherAcceptedNorReviewed() public {
        Stage[3] memory others = [Stage.Submitted, Stage.Noticed, Stage.Returned];
        for (uint256 kind = uint256(ApplicationKind.First); kind < KINDS; ++kind) {
            for (uint256 i = 0; i < others.length; ++i) {
                AssetId id = nth(kind * others.length + i);
                bring(id, ApplicationKind(kind), others[i]);
                expectWrongStage(id, ApplicationKind(kind), others[i]);
                reject(id);
            }
        }
        expectWrongStage(ASSET, ApplicationKind.None, Stage.None);
        reject(ASSET);
    }

    function test_reject_GivenTheApplicationIsTheFirst() public folding(PENDING) {
        bring(NEW, ApplicationKind.First, Stage.Reviewed);
        reject(NEW);
        assertState(NEW, AssetState.Rejected);
        advance(PENDING, Stage.Accepted);
        freeze(PENDING);
        expectEvent();
        emit IAssetApplications.Rejected(PENDING, ApplicationKind.First, GROUNDS, START, REGISTRAR);
        reject(PENDING);
        assertState(PENDING, AssetState.Rejected);
        assertNoApplication(PENDING);
        expectWrongStage(PENDING, ApplicationKind.None, Stage.None);
        confirm(PENDING, VALID_TO);
    }

    function test_reject_GivenTheApplicationIsALaterOne() public folding(ASSET) {
        for (uint256 kind = uint256(ApplicationKind.Change); kind < KINDS; ++kind) {
            IAssetRecord.Asset memory expected = assets.assetOf(ASSET);
            ++expected.applications;
            file(ASSET, ApplicationKind(kind));
            advance(ASSET, Stage.Accepted);
            if (kind % 2 == 0) advance(ASSET, Stage.Reviewed);
            expectEvent();
            emit IAssetApplications.Rejected(ASSET, ApplicationKind(kind), GROUNDS, START, REGISTRAR);
            reject(ASSET);
            assertEq(keccak256(abi.encode(assets.assetOf(ASSET))), keccak256(abi.encode(expected)));
        }
    }

    function _advance(Stage stage, uint40 until, bytes32 grounds) private {
        by(REGISTRAR);
        assets.advance(ids(PENDING), stage, until, grounds);
    }

    function _advanceBoth(Stage stage, uint40 until, bytes32 grounds) private {
        expectEvent();
        emit IAssetApplications.Advanced(PENDING, stage, until, grounds, START, REGISTRAR);
        expectEvent();
        emit IAssetApplications.Advanced(NEW, stage, until, grounds, START, REGISTRAR);
        by(REGISTRAR);
        assets.advance(ids(PENDING, NEW), stage, until, grounds);
        assertApplication(PENDING, ApplicationKind.First, stage, until);
        assertApplication(NEW, ApplicationKind.First, stage, until);
    }

    function _follows(Stage from, Stage to) private pure returns (bool) {
        bytes32 pair = keccak256(abi.encode(from, to));
        return pair == keccak256(abi.encode(Stage.Submitted, Stage.Accepted))
            || pair == keccak256(abi.encode(Stage.Submitted, Stage.Returned))
            || pair == keccak256(abi.encode(Stage.Accepted, Stage.Reviewed))
            || pair == keccak256(abi.encode(Stage.Accepted, Stage.Returned))
            || pair == keccak256(abi.encode(Stage.Reviewed, Stage.Noticed));
    }
}
