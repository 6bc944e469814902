// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRecord} from "../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetRights} from "../../../contracts/interfaces/IAssetRights.sol";
import {PartyRegistry} from "../../../contracts/PartyRegistry.sol";
import {
    ApplicationKind,
    Assessment,
    AssetId,
    Grade,
    ObjectionState,
    Reason,
    Relation,
    RightKind,
    ScenarioCode
} from "../../../contracts/Types.sol";
import {AssetStages} from "./AssetStages.sol";
import {Refold} from "../Refold.sol";
import {Vm, vm} from "../Vm.sol";

/// Tests the reading of an asset's record and of the head of its hash chain; see AssetRegistry.tree.
contract AssetRegistryTest is AssetStages {
    /// How many kinds of events IAssetRegistry defines.
    uint256 private constant SORTS = 24;

    function test_assetOf_GivenTheAssetIsMissing() public view {
        IAssetRecord.Asset memory none;
        assertEq(keccak256(abi.encode(assets.assetOf(MISSING))), keccak256(abi.encode(none)));
    }

    function test_headOf_GivenTheAssetIsMissing() public view {
        assertEq(assets.headOf(MISSING), bytes32(0));
    }

    function testFuzz_headOf_ItEqualsTheHeadComputedFromEventsOfEveryKind(uint64 chain) public {
        vm.assume(chain != 0);
        vm.chainId(chain);
        vm.recordLogs();
        newAssets();
        _registered();
        _reviewedAgain();
        _objected();
        _moved();
        _pledged();
        _granted();
        annul(NEW);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32 scope = AssetId.unwrap(NEW);
        bytes32 genesis = Refold.genesis(origin, chain, address(assets), scope);
        assertEq(assets.headOf(NEW), Refold.over(genesis, logs, address(assets), scope));
        assertEq(_sorts(logs, scope), SORTS);
    }

    function test_origin_ItEqualsTheOriginOfTheForwarder() public view {
        assertEq(assets.origin(), forwarder.origin());
    }

    function test_headOf_ItDoesNotChangeWhenAnotherAssetChanges() public {
        bytes32 head = assets.headOf(ASSET);
        freeze(PENDING);
        assertEq(assets.headOf(ASSET), head);
        assertTrue(assets.headOf(PENDING) != head, "the head of the other asset did not change");
    }

    /// Causes the events Registered, Linked, Advanced, Cleared and Confirmed.
    function _registered() private {
        register(NEW, PRINT, Grade.Important);
        by(PROVIDER);
        assets.link(NEW, Relation.MergedFrom, ASSET);
        clear(NEW);
        _confirmed(NEW);
    }

    /// Causes the events Filed, Rejected, Replaced and Assessed.
    function _reviewedAgain() private {
        by(PROVIDER);
        assets.file(NEW, ApplicationKind.Correct, "new", 0, Grade.Important);
        _reviewed(NEW);
        reject(NEW);
        by(PROVIDER);
        assets.replace(NEW, ASSET);
        decide(
            abi.encodeCall(PartyRegistry.accredit, (ASSESSOR, ScenarioCode.wrap("appraise"), START, VALID_TO))
        );
        by(ASSESSOR);
        assets.assess(NEW, Assessment.Valuation, "report", VALID_TO);
    }

    /// Causes the events Objected and ObjectionDecided.
    function _objected() private {
        uint32 no = object(NEW);
        by(REGISTRAR);
        assets.decide(NEW, no, ObjectionState.Refused, GROUNDS);
    }

    /// Causes the events of transfers, freezes and unfreezes.
    function _moved() private {
        _offer();
        by(CONSUMER);
        assets.rejectTransfer(NEW);
        _offer();
        by(PROVIDER);
        assets.withdrawOffer(NEW);
        _offer();
        by(CONSUMER);
        assets.acceptTransfer(NEW);
        freeze(NEW);
        by(AUTHORITY);
        assets.unfreeze(NEW, Reason.Lifted);
    }

    /// Causes the events Pledged, LienConsented and LienReleased.
    function _pledged() private {
        by(CONSUMER);
        assets.pledge(NEW, BANK, true, "terms");
        by(BANK);
        assets.consentToTransfer(NEW, 0, SUBJECT);
        by(BANK);
        assets.release(NEW, 0);
    }

    /// Causes the events RightGranted, RightTransferred and RightEnded.
    function _granted() private {
        uint40 from = uint40(vm.getBlockTimestamp());
        IAssetRights.Right memory right =
            IAssetRights.Right(RightKind.Operate, true, false, true, BANK, from, VALID_TO, 0);
        by(CONSUMER);
        assets.grant(NEW, right, "scope");
        by(BANK);
        assets.transferRight(NEW, 1, SUBJECT);
        by(SUBJECT);
        assets.endRight(NEW, 1, GROUNDS);
    }

    function _offer() private {
        by(PROVIDER);
        assets.offerTransfer(NEW, CONSUMER, DEADLINE);
    }

    /// Returns how many kinds of events of an asset are in these logs.
    function _sorts(Vm.Log[] memory logs, bytes32 scope) private view returns (uint256 sorts) {
        bytes32[] memory seen = new bytes32[](SORTS);
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(assets) || logs[i].topics[1] != scope) continue;
            uint256 j = 0;
            while (j < sorts && seen[j] != logs[i].topics[0]) ++j;
            if (j == sorts) seen[sorts++] = logs[i].topics[0];
        }
    }
}
