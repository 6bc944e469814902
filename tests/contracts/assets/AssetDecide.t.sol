// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetApplications} from "../../../contracts/interfaces/IAssetApplications.sol";
import {IAssetObjections} from "../../../contracts/interfaces/IAssetObjections.sol";
import {IAssetRecord} from "../../../contracts/interfaces/IAssetRecord.sol";
import {ApplicationKind, AssetId, AssetState, ObjectionState, PartyNo, Roles, Stage} from "../../../contracts/Types.sol";
import {AssetStages} from "./AssetStages.sol";
import {vm} from "../Vm.sol";

/// Tests decisions on objections; see AssetObjections.tree.
contract AssetDecideTest is AssetStages {
    uint256 private constant STATES = uint256(type(ObjectionState).max) + 1;

    function test_decide_GivenTheCallerIsNotARegistrar() public {
        object(ASSET);
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            if (PartyNo.wrap(no) == REGISTRAR) continue;
            expectLacksRole(PartyNo.wrap(no), Roles.REGISTRAR);
            by(PartyNo.wrap(no));
            assets.decide(ASSET, 1, ObjectionState.Admitted, GROUNDS);
        }
    }

    function test_decide_GivenTheCallerIsTheHolder() public {
        object(ASSET);
        setRoles(PROVIDER, Roles.PROVIDER | Roles.REGISTRAR);
        expectSelfReview(ASSET, PROVIDER);
        by(PROVIDER);
        assets.decide(ASSET, 1, ObjectionState.Refused, GROUNDS);
    }

    function test_decide_GivenTheCallerIsTheObjector() public {
        object(ASSET);
        setRoles(CONSUMER, Roles.CONSUMER | Roles.REGISTRAR);
        expectSelfReview(ASSET, CONSUMER);
        by(CONSUMER);
        assets.decide(ASSET, 1, ObjectionState.Admitted, GROUNDS);
        // The registrar that filed the first objection may decide an objection of another party.
        by(BANK);
        assets.object(ASSET, GROUNDS);
        by(CONSUMER);
        assets.decide(ASSET, 2, ObjectionState.Admitted, GROUNDS);
    }

    function testFuzz_decide_GivenThereIsNoSuchObjection(uint32 no) public {
        vm.assume(no != 1);
        object(ASSET);
        _expectWrong(ASSET, no, ObjectionState.None);
        _decide(ASSET, no, ObjectionState.Admitted);
        _expectWrong(MISSING, no, ObjectionState.None);
        _decide(MISSING, no, ObjectionState.Admitted);
        _expectWrong(PENDING, 1, ObjectionState.None);
        _decide(PENDING, 1, ObjectionState.Admitted);
    }

    function test_decide_WhenTheNewStateIsNotAllowed() public {
        uint256 allowed = 0;
        for (uint256 from = uint256(ObjectionState.Filed); from < STATES; ++from) {
            for (uint256 to = 0; to < STATES; ++to) {
                uint32 no = _objection(ASSET, ObjectionState(from));
                bool follows = _follows(ObjectionState(from), ObjectionState(to));
                if (follows) ++allowed;
                else _expectWrong(ASSET, no, ObjectionState(from));
                _decide(ASSET, no, ObjectionState(to));
                assertEq(uint256(assets.objectionOf(ASSET, no).state), follows ? to : from);
            }
        }
        assertEq(allowed, 5);
    }

    function test_decide_WhenTheGroundsAreZero() public {
        object(ASSET);
        expectZero();
        by(REGISTRAR);
        assets.decide(ASSET, 1, ObjectionState.Admitted, 0);
    }

    function testFuzz_decide_GivenTheObjectionIsAgainstAFirstApplication(uint16 wait) public folding(PENDING) {
        _noticed(PENDING);
        uint32 no = _objection(PENDING, ObjectionState.Verified);
        uint40 at = START + wait;
        vm.warp(at);
        expectEvent();
        emit IAssetObjections.ObjectionDecided(PENDING, no, ObjectionState.Upheld, GROUNDS, at, REGISTRAR);
        expectEvent();
        emit IAssetApplications.Rejected(PENDING, ApplicationKind.First, GROUNDS, at, REGISTRAR);
        _decide(PENDING, no, ObjectionState.Upheld);
        assertState(PENDING, AssetState.Rejected);
        assertNoApplication(PENDING);
        assertEq(assets.assetOf(PENDING).objections, 0);
        assertTrue(!assets.assetOf(PENDING).frozen, "not frozen");
    }

    function test_decide_GivenTheObjectionIsAgainstALaterApplication() public folding(ASSET) {
        for (uint256 kind = uint256(ApplicationKind.Change); kind < KINDS; ++kind) {
            IAssetRecord.Asset memory expected = assets.assetOf(ASSET);
            ++expected.applications;
            file(ASSET, ApplicationKind(kind));
            _noticed(ASSET);
            uint32 no = _objection(ASSET, ObjectionState.Verified);
            expectEvent();
            emit IAssetObjections.ObjectionDecided(ASSET, no, ObjectionState.Upheld, GROUNDS, START, REGISTRAR);
            expectEvent();
            emit IAssetApplications.Rejected(ASSET, ApplicationKind(kind), GROUNDS, START, REGISTRAR);
            _decide(ASSET, no, ObjectionState.Upheld);
            assertEq(keccak256(abi.encode(assets.assetOf(ASSET))), keccak256(abi.encode(expected)));
        }
    }

    function test_decide_GivenTheObjectionIsAgainstTheRegistration() public folding(ASSET) {
        uint32 first = _objection(ASSET, ObjectionState.Verified);
        uint32 second = _objection(ASSET, ObjectionState.Verified);
        file(ASSET, ApplicationKind.Change);
        _noticed(ASSET);
        _decide(ASSET, first, ObjectionState.Upheld);
        assertTrue(assets.assetOf(ASSET).frozen, "frozen");
        assertState(ASSET, AssetState.Confirmed);
        assertApplication(ASSET, ApplicationKind.Change, Stage.Noticed, NOTICE_END);
        _decide(ASSET, second, ObjectionState.Upheld);
        assertTrue(assets.assetOf(ASSET).frozen, "still frozen");
    }

    function test_decide_GivenTheRegistrationEndedAfterTheObjection() public {
        uint32 no = _objection(ASSET, ObjectionState.Verified);
        annul(ASSET);
        _decide(ASSET, no, ObjectionState.Upheld);
        assertState(ASSET, AssetState.Annulled);
        assertTrue(!assets.assetOf(ASSET).frozen, "not frozen");
        assertEq(assets.assetOf(ASSET).objections, 0);
    }

    function test_decide_GivenTheApplicationWasRejectedAfterTheObjection() public {
        _noticed(PENDING);
        uint32 first = _objection(PENDING, ObjectionState.Verified);
        uint32 second = _objection(PENDING, ObjectionState.Verified);
        _decide(PENDING, first, ObjectionState.Upheld);
        bytes32 head = assets.headOf(PENDING);
        assertEq(assets.assetOf(PENDING).objections, 1);
        _decide(PENDING, second, ObjectionState.Upheld);
        assertEq(assets.assetOf(PENDING).objections, 0);
        assertState(PENDING, AssetState.Rejected);
        assertTrue(assets.headOf(PENDING) != head, "folded");
    }

    function test_decide_GivenALaterApplicationIsNowUnderPublicNotice() public {
        file(ASSET, ApplicationKind.Change);
        _noticed(ASSET);
        uint32 first = _objection(ASSET, ObjectionState.Verified);
        uint32 second = _objection(ASSET, ObjectionState.Verified);
        _decide(ASSET, first, ObjectionState.Upheld);
        file(ASSET, ApplicationKind.Renew);
        _noticed(ASSET);
        _decide(ASSET, second, ObjectionState.Upheld);
        assertApplication(ASSET, ApplicationKind.Renew, Stage.Noticed, NOTICE_END);
        assertEq(assets.assetOf(ASSET).objections, 0);
        assertTrue(!assets.assetOf(ASSET).frozen, "not frozen");
        // If an objection against the later application is upheld, that application is rejected.
        _decide(ASSET, _objection(ASSET, ObjectionState.Verified), ObjectionState.Upheld);
        assertNoApplication(ASSET);
    }

    function test_decide_GivenOneOfTwoObjectionsIsDecided() public {
        uint32 first = _objection(ASSET, ObjectionState.Verified);
        object(ASSET);
        _decide(ASSET, first, ObjectionState.Dismissed);
        expectObjected(ASSET, 1);
        offer(CONSUMER, DEADLINE);
    }

    function test_decide_WhenTheObjectionIsDismissedOrRefused() public {
        uint32 no = _objection(ASSET, ObjectionState.Verified);
        expectObjected(ASSET, 1);
        offer(CONSUMER, DEADLINE);
        _decide(ASSET, no, ObjectionState.Dismissed);
        offer(CONSUMER, DEADLINE);
        no = object(ASSET);
        expectObjected(ASSET, 1);
        accept();
        _decide(ASSET, no, ObjectionState.Refused);
        accept();
        assertEq(assets.assetOf(ASSET).holder, CONSUMER);
    }

    function testFuzz_decide_WhenTheCallIsValid(bytes32 grounds, uint16 wait, bool upheld) public folding(ASSET) {
        if (grounds == 0) grounds = GROUNDS;
        uint40 at = START + wait;
        object(ASSET);
        vm.warp(at);
        ObjectionState end_ = upheld ? ObjectionState.Upheld : ObjectionState.Dismissed;
        ObjectionState[3] memory way = [ObjectionState.Admitted, ObjectionState.Verified, end_];
        for (uint256 i = 0; i < way.length; ++i) {
            assertEq(assets.assetOf(ASSET).objections, 1);
            expectEvent();
            emit IAssetObjections.ObjectionDecided(ASSET, 1, way[i], grounds, at, REGISTRAR);
            by(REGISTRAR);
            assets.decide(ASSET, 1, way[i], grounds);
            assertEq(uint256(assets.objectionOf(ASSET, 1).state), uint256(way[i]));
        }
        assertEq(assets.assetOf(ASSET).objections, 0);
        assertEq(assets.objectionOf(ASSET, 1).filedAt, START);
        assertEq(assets.objectionOf(ASSET, 1).objector, CONSUMER);
        assertTrue(assets.assetOf(ASSET).frozen == upheld, "frozen if upheld");
    }

    /// Files a new objection, and brings it to the given state.
    function _objection(AssetId id, ObjectionState state) private returns (uint32 no) {
        no = object(id);
        if (state == ObjectionState.Filed) return no;
        if (state == ObjectionState.Refused) {
            _decide(id, no, state);
            return no;
        }
        _decide(id, no, ObjectionState.Admitted);
        if (state == ObjectionState.Admitted) return no;
        _decide(id, no, ObjectionState.Verified);
        if (state != ObjectionState.Verified) _decide(id, no, state);
    }

    function _decide(AssetId id, uint32 no, ObjectionState state) private {
        by(REGISTRAR);
        assets.decide(id, no, state, GROUNDS);
    }

    function _expectWrong(AssetId id, uint32 no, ObjectionState state) private {
        vm.expectRevert(abi.encodeWithSelector(IAssetObjections.AssetWrongObjection.selector, id, no, state));
    }

    function _follows(ObjectionState from, ObjectionState to) private pure returns (bool) {
        bytes32 pair = keccak256(abi.encode(from, to));
        return pair == keccak256(abi.encode(ObjectionState.Filed, ObjectionState.Admitted))
            || pair == keccak256(abi.encode(ObjectionState.Filed, ObjectionState.Refused))
            || pair == keccak256(abi.encode(ObjectionState.Admitted, ObjectionState.Verified))
            || pair == keccak256(abi.encode(ObjectionState.Verified, ObjectionState.Upheld))
            || pair == keccak256(abi.encode(ObjectionState.Verified, ObjectionState.Dismissed));
    }
}
