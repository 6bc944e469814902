// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRights} from "../../../../contracts/interfaces/IAssetRights.sol";
import {AssetState, PartyNo, RightKind} from "../../../../contracts/Types.sol";
import {ConfirmedAssetWorld} from "../ConfirmedAssetWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests licences that are granted under a right, and transfers of rights; see AssetRights.tree.
contract AssetLicencesTest is ConfirmedAssetWorld {
    uint40 private constant FROM = START + 100;
    uint40 private constant TO = START + 200;

    function testFuzz_grant_WhenThereIsNoSuchParentRight(uint16 parent) public {
        vm.assume(parent > 1);
        grant(plain(FROM, TO));
        expectForbids(parent);
        license(CONSUMER, licence(parent, FROM, TO));
    }

    function test_grant_GivenTheCallerIsNotTheGranteeOfTheParentRight() public {
        grant(plain(FROM, TO));
        expectForbids(1);
        license(PROVIDER, licence(1, FROM, TO));
        expectForbids(1);
        license(BANK, licence(1, FROM, TO));
    }

    function test_grant_GivenTheParentRightIsNotSublicensable() public {
        IAssetRights.Right memory right = plain(FROM, TO);
        right.sublicensable = false;
        grant(right);
        expectForbids(1);
        license(CONSUMER, licence(1, FROM, TO));
    }

    function testFuzz_grant_WhenTheKindIsNotTheKindOfTheParentRight(uint8 parentSeed, uint8 seed) public {
        IAssetRights.Right memory right = plain(FROM, TO);
        right.kind = RightKind(parentSeed % 3);
        grant(right);
        right = licence(1, FROM, TO);
        right.kind = RightKind(seed % 3);
        bool same = parentSeed % 3 == seed % 3;
        if (!same) expectForbids(1);
        license(CONSUMER, right);
        assertEq(assets.rightsOf(ASSET).length, same ? 2 : 1);
    }

    function test_grant_WhenTheLicenceIsExclusive() public {
        grant(exclusive(FROM, TO));
        IAssetRights.Right memory right = licence(1, FROM, TO);
        right.exclusive = true;
        expectForbids(1);
        license(CONSUMER, right);
    }

    function test_grant_WhenTheLicenceExceedsThePeriodOfTheParentRight() public {
        grant(plain(FROM, TO));
        expectPeriod(FROM - 1, TO);
        license(CONSUMER, licence(1, FROM - 1, TO));
        expectPeriod(FROM, TO + 1);
        license(CONSUMER, licence(1, FROM, TO + 1));
        license(CONSUMER, licence(1, FROM, TO));
    }

    function test_grant_GivenTheParentRightWasEnded() public {
        grant(plain(START, TO));
        vm.warp(FROM);
        end(CONSUMER, 1);
        expectForbids(1);
        license(CONSUMER, licence(1, FROM, TO));
    }

    function test_grant_GivenThePeriodOfTheParentRightHasEnded() public {
        grant(plain(FROM, TO));
        expectForbids(1);
        license(CONSUMER, licence(1, TO, TO + 1));
        vm.warp(TO);
        expectForbids(1);
        license(CONSUMER, licence(1, TO, TO + 1));
    }

    function test_grant_GivenTheParentOfTheParentRightWasEnded() public {
        grant(plain(FROM, TO));
        license(CONSUMER, licence(1, FROM, TO));
        end(REGISTRAR, 1);
        IAssetRights.Right memory right = licence(2, FROM, TO);
        right.grantee = BANK;
        expectForbids(1);
        license(SUBJECT, right);
    }

    function test_grant_GivenTheParentRightWasTransferred() public {
        grant(plain(FROM, TO));
        by(CONSUMER);
        assets.transferRight(ASSET, 1, BANK);
        expectForbids(1);
        license(CONSUMER, licence(1, FROM, TO));
        assertEq(license(BANK, licence(1, FROM, TO)), 2);
    }

    function test_grant_WhenALicenceIsGrantedForAnOfferedAsset() public {
        grant(plain(FROM, TO));
        offer(BANK, DEADLINE);
        assertEq(license(CONSUMER, licence(1, FROM, TO)), 2);
    }

    function test_grant_GivenTheParentRightIsExclusive() public {
        grant(exclusive(FROM, TO));
        license(CONSUMER, licence(1, FROM, TO));
        assertEq(license(CONSUMER, licence(1, FROM, TO)), 3);
        expectOverlaps(1);
        grant(plain(FROM, TO));
        end(CONSUMER, 1);
        assertEq(grant(exclusive(FROM, TO)), 4);
    }

    function testFuzz_grant_WhenALicenceIsValid(uint40 a, uint40 b, bytes32 scope, bool[2] memory flags)
        public
        folds
    {
        uint40 from = uint40(bound(a, FROM, TO - 1));
        uint40 to = uint40(bound(b, from + 1, TO));
        grant(exclusive(FROM, TO));
        IAssetRights.Right memory right = licence(1, from, to);
        (right.sublicensable, right.transferable) = (flags[0], flags[1]);
        expectEvent();
        emit IAssetRights.RightGranted(
            ASSET, 2, RightKind.Process, false, flags[0], flags[1], SUBJECT, from, to, 1, scope, START, CONSUMER
        );
        by(CONSUMER);
        assertEq(assets.grant(ASSET, right, scope), 2);
        assertRight(2, right);
        assertRight(1, exclusive(FROM, TO));
    }

    function test_transferRight_GivenTheAssetIsAnnulledOrExpiredOrFrozenOrHasAnObjection() public {
        grant(plain(FROM, VALID_TO));
        object(ASSET);
        expectObjected(ASSET, 1);
        _transfer(CONSUMER, 1, BANK);
        freeze(ASSET);
        expectFrozen(ASSET);
        _transfer(CONSUMER, 1, BANK);
        vm.warp(VALID_TO);
        expectExpired();
        _transfer(CONSUMER, 1, BANK);
        annul(ASSET);
        expectWrongState(ASSET, AssetState.Annulled);
        _transfer(CONSUMER, 1, BANK);
    }

    function testFuzz_transferRight_WhenThereIsNoSuchRight(uint16 no) public {
        vm.assume(no != 1);
        grant(plain(FROM, TO));
        expectForbids(no);
        _transfer(CONSUMER, no, BANK);
    }

    function test_transferRight_GivenTheRightIsNotTransferable() public {
        IAssetRights.Right memory right = plain(FROM, TO);
        right.transferable = false;
        grant(right);
        expectForbids(1);
        _transfer(CONSUMER, 1, BANK);
    }

    function test_transferRight_GivenTheCallerIsNotTheGrantee() public {
        grant(plain(FROM, TO));
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            if (no == PartyNo.unwrap(CONSUMER)) continue;
            expectForbids(1);
            _transfer(PartyNo.wrap(no), 1, BANK);
        }
    }

    function test_transferRight_GivenTheRightOrItsPeriodHasEnded() public {
        grant(plain(FROM, TO));
        grant(plain(FROM, TO));
        end(CONSUMER, 1);
        expectForbids(1);
        _transfer(CONSUMER, 1, BANK);
        vm.warp(TO);
        expectForbids(2);
        _transfer(CONSUMER, 2, BANK);
    }

    function test_transferRight_GivenTheParentRightWasEnded() public {
        grant(plain(FROM, TO));
        license(CONSUMER, licence(1, FROM, TO));
        end(CONSUMER, 1);
        expectForbids(1);
        _transfer(SUBJECT, 2, BANK);
    }

    function test_transferRight_WhenTheRecipientIsZeroOrUnknownOrNotActiveOrTheCaller() public {
        grant(plain(FROM, TO));
        PartyNo[6] memory list = badRecipients(CONSUMER);
        for (uint256 i = 0; i < list.length; ++i) {
            expectBadRecipient(list[i]);
            _transfer(CONSUMER, 1, list[i]);
        }
    }

    function test_transferRight_GivenTheAssetWasTransferred() public {
        grant(plain(FROM, TO));
        offer(BROKER, DEADLINE);
        by(BROKER);
        assets.acceptTransfer(ASSET);
        _transfer(CONSUMER, 1, BANK);
        assertEq(assets.rightsOf(ASSET)[0].grantee, BANK);
        expectOverlaps(1);
        by(BROKER);
        assets.grant(ASSET, exclusive(FROM, TO), SCOPE);
    }

    function testFuzz_transferRight_WhenTheCallIsValid(uint32 no, uint16 wait) public folds {
        PartyNo to = PartyNo.wrap(uint32(bound(no, 1, ALL_PARTIES)));
        vm.assume(to != CONSUMER);
        uint40 at = START + wait % 10_000;
        IAssetRights.Right memory right = exclusive(FROM, VALID_TO);
        grant(right);
        vm.warp(at);
        expectEvent();
        emit IAssetRights.RightTransferred(ASSET, 1, CONSUMER, to, at, CONSUMER);
        _transfer(CONSUMER, 1, to);
        right.grantee = to;
        assertRight(1, right);
        expectForbids(1);
        _transfer(CONSUMER, 1, AUTHORITY);
    }

    function _transfer(PartyNo from, uint16 no, PartyNo to) private {
        by(from);
        assets.transferRight(ASSET, no, to);
    }
}
