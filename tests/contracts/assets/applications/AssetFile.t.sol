// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetApplications} from "../../../../contracts/interfaces/IAssetApplications.sol";
import {IAssetRecord} from "../../../../contracts/interfaces/IAssetRecord.sol";
import {ApplicationKind, AssetId, AssetState, Grade, NOBODY, PartyNo, Stage} from "../../../../contracts/Types.sol";
import {AssetStages} from "../AssetStages.sol";
import {vm} from "../../Vm.sol";

/// Tests the filing of applications, also of returned ones; see AssetApplications.tree.
contract AssetFileTest is AssetStages {
    function test_file_GivenTheCallerIsNotTheHolder() public {
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            if (PartyNo.wrap(no) == PROVIDER) continue;
            expectNotHolder(ASSET, PROVIDER);
            by(PartyNo.wrap(no));
            assets.file(ASSET, ApplicationKind.Change, "new", 0, Grade.General);
        }
    }

    function test_file_GivenTheAssetIsMissing() public {
        expectNotHolder(MISSING, NOBODY);
        file(MISSING, ApplicationKind.Change);
    }

    function test_file_GivenAnApplicationIsOpen() public {
        uint256 n = 0;
        for (uint256 kind = uint256(ApplicationKind.First); kind < KINDS; ++kind) {
            for (uint256 stage = uint256(Stage.Submitted); stage <= uint256(Stage.Noticed); ++stage) {
                AssetId id = nth(n++);
                bring(id, ApplicationKind(kind), Stage(stage));
                expectApplicationOpen(id, ApplicationKind(kind), Stage(stage));
                file(id, ApplicationKind(kind));
            }
        }
    }

    function test_file_GivenTheRegistrationHasEnded() public {
        for (uint256 i = 0; i < 3; ++i) {
            end(nth(i), endings()[i]);
            expectWrongState(nth(i), endings()[i]);
            file(nth(i), ApplicationKind.Renew);
        }
    }

    function test_file_WhenTheKindIsNoneOrFirst() public {
        expectWrongStage(ASSET, ApplicationKind.None, Stage.None);
        file(ASSET, ApplicationKind.None);
        expectWrongStage(ASSET, ApplicationKind.First, Stage.None);
        file(ASSET, ApplicationKind.First);
    }

    function test_file_WhenTheContentIsZero() public {
        expectZero();
        _file(ASSET, ApplicationKind.Change, 0, 0, Grade.General);
        advance(PENDING, Stage.Returned);
        expectZero();
        _file(PENDING, ApplicationKind.First, 0, 0, Grade.General);
    }

    function test_file_WhenTheDataIsCore() public {
        expectGrade(ASSET, Grade.Core);
        _file(ASSET, ApplicationKind.Change, "new", 0, Grade.Core);
        advance(PENDING, Stage.Returned);
        expectGrade(PENDING, Grade.Core);
        _file(PENDING, ApplicationKind.First, "new", 0, Grade.Core);
    }

    function test_file_WhenTheGradeIsLowerThanBefore() public {
        register(NEW, PRINT, Grade.Important);
        advance(NEW, Stage.Returned);
        expectGrade(NEW, Grade.General);
        _file(NEW, ApplicationKind.First, "new", 0, Grade.General);
        _file(NEW, ApplicationKind.First, "new", 0, Grade.Important);
        clear(NEW);
        _confirmed(NEW);
        expectGrade(NEW, Grade.General);
        _file(NEW, ApplicationKind.Correct, "new", 0, Grade.General);
    }

    function test_file_WhenTheGradeIsHigherThanBefore() public {
        _file(ASSET, ApplicationKind.Change, "new", 0, Grade.Important);
        assertEq(uint256(assets.assetOf(ASSET).grade), uint256(Grade.Important));
        assertTrue(!assets.assetOf(ASSET).cleared, "not cleared");
        _reviewed(ASSET);
        reject(ASSET);
        assertEq(uint256(assets.assetOf(ASSET).grade), uint256(Grade.Important));
        expectGrade(ASSET, Grade.General);
        _file(ASSET, ApplicationKind.Change, "new", 0, Grade.General);
    }

    function test_file_GivenTheSecurityReviewIsRecordedAndTheGradeStays() public {
        register(NEW, PRINT, Grade.Important);
        clear(NEW);
        advance(NEW, Stage.Returned);
        _file(NEW, ApplicationKind.First, "new", 0, Grade.Important);
        assertTrue(assets.assetOf(NEW).cleared, "cleared");
    }

    function test_file_WhenAnotherLiveAssetHasTheFingerprint() public {
        expectDuplicate("pending print", PENDING);
        _file(ASSET, ApplicationKind.Change, "new", "pending print", Grade.General);
        advance(PENDING, Stage.Returned);
        expectDuplicate("asset print", ASSET);
        _file(PENDING, ApplicationKind.First, "new", "asset print", Grade.General);
        assertApplication(PENDING, ApplicationKind.First, Stage.Returned, 0);
    }

    function test_file_WhenAnAssetThatEndedHasTheFingerprint() public {
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 print = keccak256(abi.encode(nth(i)));
            end(nth(i), endings()[i]);
            bring(nth(10 + i), ApplicationKind.None, Stage.None);
            _file(nth(10 + i), ApplicationKind.Change, "new", print, Grade.General);
            assertPrint(print, nth(10 + i));
        }
    }

    function test_file_WhenTheFingerprintAlreadyBelongsToTheAsset() public {
        _file(ASSET, ApplicationKind.Change, "new", "asset print", Grade.General);
        assertPrint("asset print", ASSET);
        advance(ASSET, Stage.Returned);
        _file(ASSET, ApplicationKind.Change, "new", PRINT, Grade.General);
        assertPrint("asset print", ASSET);
        assertPrint(PRINT, ASSET);
    }

    function test_file_GivenTheAssetIsFrozen() public {
        freeze(ASSET);
        for (uint256 kind = uint256(ApplicationKind.Change); kind < KINDS; ++kind) {
            if (ApplicationKind(kind) == ApplicationKind.Correct) continue;
            expectFrozen(ASSET);
            file(ASSET, ApplicationKind(kind));
        }
        file(ASSET, ApplicationKind.Correct);
        assertApplication(ASSET, ApplicationKind.Correct, Stage.Submitted, 0);
        assertTrue(assets.assetOf(ASSET).frozen, "still frozen");
    }

    function testFuzz_file_GivenTheAssetIsExpired(uint40 seed) public {
        for (uint256 kind = uint256(ApplicationKind.Change); kind < KINDS; ++kind) {
            bring(nth(kind), ApplicationKind.None, Stage.None);
            vm.warp(VALID_TO - 1);
            file(nth(kind), ApplicationKind(kind));
            vm.warp(START);
        }
        vm.warp(bound(seed, VALID_TO, 1e11 - 1));
        for (uint256 kind = uint256(ApplicationKind.Change); kind < uint256(ApplicationKind.Cancel); ++kind) {
            expectExpired();
            file(ASSET, ApplicationKind(kind));
        }
        file(ASSET, ApplicationKind.Cancel);
        assertApplication(ASSET, ApplicationKind.Cancel, Stage.Submitted, 0);
    }

    function testFuzz_file_GivenAnOfferIsOpen(uint8 seed, uint40 wait) public {
        offer(CONSUMER, DEADLINE);
        vm.warp(bound(wait, START, DEADLINE));
        expectOfferOpen(CONSUMER, DEADLINE);
        file(ASSET, _later(seed));
        vm.warp(DEADLINE);
        expectOfferOpen(CONSUMER, DEADLINE);
        file(ASSET, _later(seed));
    }

    function testFuzz_file_GivenAnOfferHasLapsed(uint8 seed) public {
        offer(CONSUMER, DEADLINE);
        vm.warp(DEADLINE + 1);
        file(ASSET, _later(seed));
        assertEq(assets.assetOf(ASSET).offeredTo, NOBODY);
        assertApplication(ASSET, _later(seed), Stage.Submitted, 0);
        expectNoOffer(ASSET);
        by(CONSUMER);
        assets.rejectTransfer(ASSET);
    }

    function test_file_Given255ApplicationsWereFiled() public {
        for (uint256 filed = 1; filed < 255; ++filed) {
            file(ASSET, ApplicationKind.Change);
            advance(ASSET, Stage.Accepted);
            // Filing a returned application again does not increase the number of applications.
            advance(ASSET, Stage.Returned);
            file(ASSET, ApplicationKind.Change);
            advance(ASSET, Stage.Accepted);
            reject(ASSET);
        }
        assertEq(assets.assetOf(ASSET).applications, 255);
        expectTooMany(ASSET, 255);
        file(ASSET, ApplicationKind.Cancel);
    }

    function test_file_GivenAnApplicationIsReturned_ItRevertsOnceTheAssetIsFrozen() public {
        for (uint256 kind = uint256(ApplicationKind.First); kind < KINDS; ++kind) {
            AssetId id = nth(kind);
            bring(id, ApplicationKind(kind), Stage.Returned);
            freeze(id);
            bool passes = kind == uint256(ApplicationKind.First) || kind == uint256(ApplicationKind.Correct);
            if (!passes) expectFrozen(id);
            file(id, ApplicationKind(kind));
            assertApplication(id, ApplicationKind(kind), passes ? Stage.Submitted : Stage.Returned, 0);
        }
    }

    function testFuzz_file_GivenAnApplicationIsReturned_ItRevertsOnceTheAssetIsExpired(uint40 seed) public {
        for (uint256 kind = uint256(ApplicationKind.Change); kind < KINDS; ++kind) {
            bring(nth(kind), ApplicationKind(kind), Stage.Returned);
        }
        file(ASSET, ApplicationKind.Renew);
        advance(ASSET, Stage.Returned);
        vm.warp(VALID_TO - 1);
        file(ASSET, ApplicationKind.Renew);
        vm.warp(bound(seed, VALID_TO, 1e11 - 1));
        for (uint256 kind = uint256(ApplicationKind.Change); kind < uint256(ApplicationKind.Cancel); ++kind) {
            vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetExpired.selector, nth(kind), VALID_TO));
            file(nth(kind), ApplicationKind(kind));
        }
        file(nth(uint256(ApplicationKind.Cancel)), ApplicationKind.Cancel);
        advance(PENDING, Stage.Returned);
        file(PENDING, ApplicationKind.First);
        assertApplication(PENDING, ApplicationKind.First, Stage.Submitted, 0);
    }

    function test_file_GivenAnApplicationIsReturned_ItRevertsForAnotherKind() public {
        for (uint256 kind = uint256(ApplicationKind.First); kind < KINDS; ++kind) {
            AssetId id = nth(kind);
            bring(id, ApplicationKind(kind), Stage.Returned);
            for (uint256 other = 0; other < KINDS; ++other) {
                if (other == kind) continue;
                expectApplicationOpen(id, ApplicationKind(kind), Stage.Returned);
                file(id, ApplicationKind(other));
            }
        }
    }

    function test_file_GivenAnApplicationIsReturned_ItIsSubmittedAgain() public folding(NEW) {
        register(NEW, PRINT, Grade.General);
        advance(NEW, Stage.Accepted);
        advance(NEW, Stage.Returned);
        expectEvent();
        emit IAssetApplications.Filed(
            NEW, ApplicationKind.First, "fixed", "fixed print", Grade.Important, START, PROVIDER
        );
        _file(NEW, ApplicationKind.First, "fixed", "fixed print", Grade.Important);
        assertState(NEW, AssetState.Applied);
        assertApplication(NEW, ApplicationKind.First, Stage.Submitted, 0);
        assertPrint("fixed print", NEW);
        for (uint256 kind = uint256(ApplicationKind.Change); kind < KINDS; ++kind) {
            bring(nth(kind), ApplicationKind(kind), Stage.Returned);
            file(nth(kind), ApplicationKind(kind));
            assertApplication(nth(kind), ApplicationKind(kind), Stage.Submitted, 0);
        }
    }

    function test_file_GivenTheSecurityReviewIsRecordedAndTheFingerprintDiffers() public {
        register(NEW, PRINT, Grade.Important);
        clear(NEW);
        advance(NEW, Stage.Returned);
        by(PROVIDER);
        assets.file(NEW, ApplicationKind.First, "new", "other print", Grade.Important);
        assertTrue(!assets.assetOf(NEW).cleared, "not cleared");
    }

    function testFuzz_file_WhenTheCallIsValid(uint8 seed, bytes32 content, bytes32 print, uint16 wait)
        public
        folding(ASSET)
    {
        vm.assume(content != 0 && print != "pending print");
        uint40 at = uint40(bound(wait, START, VALID_TO - 1));
        vm.warp(at);
        IAssetRecord.Asset memory expected = assets.assetOf(ASSET);
        expected.kind = _later(seed);
        expected.stage = Stage.Submitted;
        expected.applications = 2;
        expectEvent();
        emit IAssetApplications.Filed(ASSET, _later(seed), content, print, Grade.General, at, PROVIDER);
        _file(ASSET, _later(seed), content, print, Grade.General);
        assertEq(keccak256(abi.encode(assets.assetOf(ASSET))), keccak256(abi.encode(expected)));
        assertPrint("asset print", ASSET);
        assertPrint(print, print == 0 ? AssetId.wrap(0) : ASSET);
        // An asset with an open application cannot be offered.
        expectApplicationOpen(ASSET, _later(seed), Stage.Submitted);
        offer(CONSUMER, VALID_TO);
    }

    function _file(AssetId id, ApplicationKind kind, bytes32 content, bytes32 print, Grade grade) private {
        by(PROVIDER);
        assets.file(id, kind, content, print, grade);
    }

    /// Returns a kind of application other than first registration.
    function _later(uint8 seed) private pure returns (ApplicationKind) {
        return ApplicationKind(bound(seed, uint256(ApplicationKind.Change), KINDS - 1));
    }
}
