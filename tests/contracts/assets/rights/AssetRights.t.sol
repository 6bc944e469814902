// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRecord} from "../../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetRights} from "../../../../contracts/interfaces/IAssetRights.sol";
import {ApplicationKind, AssetId, PartyNo, RightKind, Roles} from "../../../../contracts/Types.sol";
import {ConfirmedAssetWorld} from "../ConfirmedAssetWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests rights that the holder grants, and the ending of rights; see AssetRights.tree.
contract AssetRightsTest is ConfirmedAssetWorld {
    uint40 private constant FROM = START + 100;
    uint40 private constant TO = START + 200;

    function test_grant_GivenTheCallerIsAStranger() public {
        expectUnknownAccount(STRANGER);
        vm.prank(STRANGER);
        assets.grant(ASSET, plain(FROM, TO), SCOPE);
    }

    function test_grant_GivenTheAssetIsNotConfirmed() public {
        endAssets();
        AssetId[5] memory list = unconfirmed();
        for (uint256 i = 0; i < list.length; ++i) {
            expectWrongState(list[i], stateOf(list[i]));
            by(PROVIDER);
            assets.grant(list[i], plain(FROM + 100, TO + 100), SCOPE);
        }
    }

    function test_grant_GivenTheAssetIsExpired() public {
        vm.warp(VALID_TO);
        expectExpired();
        grant(plain(VALID_TO, VALID_TO + 1));
    }

    function test_grant_GivenTheAssetIsFrozen() public {
        freeze(ASSET);
        expectFrozen(ASSET);
        grant(plain(FROM, TO));
    }

    function test_grant_GivenAnObjectionIsOpen() public {
        object(ASSET);
        expectObjected(ASSET, 1);
        grant(plain(FROM, TO));
    }

    function test_grant_GivenTheCallerIsNotTheHolder() public {
        expectNotHolder(ASSET, PROVIDER);
        by(BANK);
        assets.grant(ASSET, plain(FROM, TO), SCOPE);
    }

    function test_grant_WhenTheGranteeIsZeroOrUnknownOrNotActiveOrTheCaller() public {
        PartyNo[6] memory list = badRecipients(PROVIDER);
        IAssetRights.Right memory right = plain(FROM, TO);
        for (uint256 i = 0; i < list.length; ++i) {
            right.grantee = list[i];
            expectBadRecipient(list[i]);
            grant(right);
        }
    }

    function testFuzz_grant_WhenThePeriodBeginsInThePast(uint40 seed) public {
        uint40 from = uint40(bound(seed, 0, START - 1));
        expectPeriod(from, TO);
        grant(plain(from, TO));
    }

    function testFuzz_grant_WhenThePeriodIsEmptyOrReversed(uint40 a, uint40 b) public {
        uint40 from = uint40(bound(a, START, VALID_TO));
        uint40 to = uint40(bound(b, 0, from));
        expectPeriod(from, to);
        grant(plain(from, to));
    }

    function test_grant_WhenThePeriodEndsAfterTheRegistration() public {
        expectPeriod(FROM, VALID_TO + 1);
        grant(plain(FROM, VALID_TO + 1));
        grant(plain(FROM, VALID_TO));
    }

    function test_grant_WhenTwoExclusiveRightsOverlap() public {
        RightKind[3] memory kinds = [RightKind.Hold, RightKind.Process, RightKind.Operate];
        IAssetRights.Right memory right = exclusive(FROM, TO);
        for (uint256 i = 0; i < kinds.length; ++i) {
            right.kind = kinds[i];
            uint16 no = grant(right);
            right.grantee = BANK;
            expectOverlaps(no);
            grant(right);
        }
    }

    function test_grant_WhenAnExclusiveRightOverlapsWithANonExclusiveRight() public {
        assertEq(grant(plain(FROM, TO)), 1);
        expectOverlaps(1);
        grant(exclusive(FROM, TO));
        assertEq(grant(exclusive(TO, TO + 1)), 2);
        expectOverlaps(2);
        grant(plain(FROM, TO + 1));
    }

    function test_grant_WhenTwoNonExclusiveRightsOverlap() public {
        assertEq(grant(plain(FROM, TO)), 1);
        assertEq(grant(plain(FROM, TO)), 2);
    }

    function test_grant_WhenAnExclusiveRightOverlapsWithARightOfAnotherKind() public {
        IAssetRights.Right memory right = exclusive(FROM, TO);
        grant(right);
        right.kind = RightKind.Operate;
        assertEq(grant(right), 2);
        right.kind = RightKind.Hold;
        assertEq(grant(right), 3);
    }

    function test_grant_WhenAnExclusiveRightBeginsWhenAnotherRightEnds() public {
        grant(exclusive(FROM, TO));
        expectOverlaps(1);
        grant(exclusive(TO - 1, TO + 10));
        expectOverlaps(1);
        grant(exclusive(FROM - 10, FROM + 1));
        assertEq(grant(exclusive(TO, TO + 10)), 2);
        assertEq(grant(exclusive(FROM - 10, FROM)), 3);
    }

    function test_grant_GivenTheOverlappingRightWasEnded() public {
        grant(exclusive(FROM, TO));
        vm.warp(FROM + 10);
        end(CONSUMER, 1);
        assertEq(grant(exclusive(FROM + 10, TO)), 2);
    }

    function test_grant_GivenAFutureRightWasEnded() public {
        grant(exclusive(FROM, TO));
        end(CONSUMER, 1);
        assertEq(grant(exclusive(FROM, TO)), 2);
        assertEq(grant(exclusive(START, FROM)), 3);
    }

    /// Compares the contract with a model. The model stores for each right one bit for each of 32 seconds, and compares
    /// these bits; the contract compares beginnings and ends of periods.
    function testFuzz_grant_GivenGrantsOfRandomKindsAndPeriods(uint32[24] memory seeds) public {
        IAssetRights.Right[] memory model = new IAssetRights.Right[](24);
        uint256[] memory taken = new uint256[](24);
        uint16 count = 0;
        for (uint256 i = 0; i < seeds.length; ++i) {
            (IAssetRights.Right memory right, uint256 bits) = _random(seeds[i]);
            bool free = true;
            for (uint256 j = 0; j < count; ++j) {
                bool collides = model[j].kind == right.kind && (model[j].exclusive || right.exclusive);
                if (collides && taken[j] & bits != 0) free = false;
            }
            by(PROVIDER);
            try assets.grant(ASSET, right, SCOPE) returns (uint16 no) {
                assertTrue(free, "an overlap passed");
                (model[count], taken[count]) = (right, bits);
                assertEq(no, ++count);
            } catch (bytes memory reason) {
                assertTrue(!free, "refused without an overlap");
                assertEq(bytes4(reason), IAssetRights.AssetRightOverlaps.selector);
            }
            if (seeds[i] >> 30 == 3 && count != 0 && taken[count - 1] != 0) {
                end(CONSUMER, count);
                taken[count - 1] = 0;
            }
        }
        assertEq(assets.rightsOf(ASSET).length, count);
    }

    function test_grant_Given256RightsExist() public {
        for (uint16 i = 1; i <= 256; ++i) {
            assertEq(grant(plain(FROM, TO)), i);
        }
        expectTooMany(ASSET, 256);
        grant(plain(FROM, TO));
        end(CONSUMER, 1);
        expectTooMany(ASSET, 256);
        license(CONSUMER, licence(2, FROM, TO));
    }

    function test_grant_GivenTheAssetIsOffered() public {
        offer(BANK, START + 10);
        vm.warp(START + 10);
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetOfferOpen.selector, ASSET, BANK, START + 10));
        grant(plain(FROM, TO));
        vm.warp(START + 11);
        assertEq(grant(plain(FROM, TO)), 1);
    }

    function test_grant_GivenAnApplicationIsOpenOrTheAssetIsPledged() public {
        pledge(BANK);
        file(ASSET, ApplicationKind.Change);
        assertEq(grant(plain(FROM, TO)), 1);
    }

    function testFuzz_grant_WhenTheCallIsValid(uint8 kind, bool[3] memory flags, uint40 a, uint40 b, bytes32 scope)
        public
        folds
    {
        uint40 from = uint40(bound(a, START, VALID_TO - 1));
        uint40 to = uint40(bound(b, from + 1, VALID_TO));
        IAssetRights.Right memory right =
            IAssetRights.Right(RightKind(kind % 3), flags[0], flags[1], flags[2], BANK, from, to, 0);
        expectEvent();
        emit IAssetRights.RightGranted(
            ASSET, 1, right.kind, flags[0], flags[1], flags[2], BANK, from, to, 0, scope, START, PROVIDER
        );
        by(PROVIDER);
        assertEq(assets.grant(ASSET, right, scope), 1);
        assertEq(assets.rightsOf(ASSET).length, 1);
        assertRight(1, right);
    }

    function test_endRight_GivenTheCallerIsNeitherGranteeNorRegistrar() public {
        grant(plain(FROM, TO));
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            PartyNo party = PartyNo.wrap(no);
            if (party == CONSUMER || party == REGISTRAR) continue;
            expectLacksRole(party, Roles.REGISTRAR);
            end(party, 1);
        }
    }

    function test_endRight_GivenTheCallerIsARegistrarThatHoldsTheAsset() public {
        grant(plain(FROM, TO));
        setRoles(PROVIDER, Roles.PROVIDER | Roles.REGISTRAR);
        expectSelfReview(ASSET, PROVIDER);
        end(PROVIDER, 1);
    }

    function test_endRight_WhenARegistrarGivesNoGrounds() public {
        grant(plain(FROM, TO));
        expectZero();
        by(REGISTRAR);
        assets.endRight(ASSET, 1, 0);
        by(CONSUMER);
        assets.endRight(ASSET, 1, 0);
    }

    function testFuzz_endRight_WhenThereIsNoSuchRight(uint16 no) public {
        vm.assume(no != 1);
        grant(plain(FROM, TO));
        expectForbids(no);
        end(CONSUMER, no);
    }

    function test_endRight_GivenThePeriodOfTheRightHasEnded() public {
        grant(plain(FROM, TO));
        grant(plain(FROM, TO));
        vm.warp(TO - 1);
        end(CONSUMER, 1);
        vm.warp(TO);
        expectForbids(2);
        end(CONSUMER, 2);
        expectForbids(2);
        end(REGISTRAR, 2);
    }

    function test_endRight_GivenTheRightWasEnded() public {
        grant(plain(FROM, TO));
        vm.warp(FROM + 1);
        end(CONSUMER, 1);
        expectForbids(1);
        end(CONSUMER, 1);
        assertRight(1, plain(FROM, FROM + 1));
    }

    function test_endRight_GivenTheParentRightWasEnded() public {
        grant(plain(FROM, TO));
        license(CONSUMER, licence(1, FROM, TO));
        end(CONSUMER, 1);
        expectForbids(1);
        end(SUBJECT, 2);
    }

    function test_endRight_GivenTheRightHasNotBegun() public {
        grant(plain(FROM, TO));
        vm.warp(START + 7);
        end(CONSUMER, 1);
        assertRight(1, plain(START + 7, START + 7));
    }

    function test_endRight_WhenARegistrarEndsTheRightWithGrounds() public {
        grant(plain(START, TO));
        grant(plain(START, TO));
        freeze(ASSET);
        vm.warp(FROM);
        expectEvent();
        emit IAssetRights.RightEnded(ASSET, 1, GROUNDS, FROM, REGISTRAR);
        end(REGISTRAR, 1);
        assertRight(1, plain(START, FROM));
        annul(ASSET);
        end(REGISTRAR, 2);
        assertRight(2, plain(START, FROM));
    }

    function testFuzz_endRight_WhenTheCallIsValid(bytes32 grounds, uint16 wait) public folds {
        uint40 at = START + wait % 10_000;
        IAssetRights.Right memory right = exclusive(START, VALID_TO);
        grant(right);
        vm.warp(at);
        expectEvent();
        emit IAssetRights.RightEnded(ASSET, 1, grounds, at, CONSUMER);
        by(CONSUMER);
        assets.endRight(ASSET, 1, grounds);
        right.to = at;
        assertRight(1, right);
    }

    function test_rightsOf_GivenTheAssetIsMissing() public view {
        assertEq(assets.rightsOf(MISSING).length, 0);
    }

    function test_rightsOf_ItReturnsAllRightsInOrderIncludingEndedOnes() public {
        grant(plain(FROM, TO));
        grant(plain(FROM, TO + 1));
        end(CONSUMER, 1);
        grant(plain(FROM, TO + 2));
        assertEq(assets.rightsOf(ASSET).length, 3);
        assertRight(1, plain(START, START));
        assertRight(2, plain(FROM, TO + 1));
        assertRight(3, plain(FROM, TO + 2));
    }

    function _random(uint256 seed) private pure returns (IAssetRights.Right memory right, uint256 bits) {
        uint40 from = uint40(seed % 32);
        uint40 length = uint40(1 + (seed >> 5) % 8);
        right = plain(START + from, START + from + length);
        right.kind = RightKind((seed >> 8) % 3);
        right.exclusive = (seed >> 16) % 3 == 0;
        bits = ((1 << length) - 1) << from;
    }
}
