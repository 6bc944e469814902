// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetRegistry} from "../../../contracts/AssetRegistry.sol";
import {CertificateLog} from "../../../contracts/CertificateLog.sol";
import {IAssetApplications} from "../../../contracts/interfaces/IAssetApplications.sol";
import {IPauses} from "../../../contracts/interfaces/IPauses.sol";
import {ApplicationKind, AssetId, Grade, PartyNo, PartyStatus, Reason, Roles, Stage} from "../../../contracts/Types.sol";
import {PartyWorld} from "./PartyWorld.sol";
import {vm} from "../Vm.sol";

/// Tests pauses, and which acts are possible during a pause; see Pauses.tree.
contract PartyPausesTest is PartyWorld {
    uint32 private constant GUARDS = Roles.AUTHORITY | Roles.SUPERVISOR;

    function test_pause_GivenTheCallerIsNeitherAuthorityNorSupervisor() public {
        for (uint32 no = 2; no <= 8; ++no) {
            if (PartyNo.wrap(no) == SUPERVISOR) continue;
            expectLacksRole(PartyNo.wrap(no), GUARDS);
            pauseBy(PartyNo.wrap(no));
        }
    }

    function test_pause_GivenTheLedgerIsPaused() public {
        pauseBy(SUPERVISOR);
        pass(PAUSE - 1);
        expectPaused(START + PAUSE);
        pauseBy(AUTHORITY);
    }

    function testFuzz_pause_GivenThePartyPausedRecently(uint40 wait) public {
        wait = uint40(bound(wait, PAUSE, PAUSE + REST - 1));
        pauseBy(SUPERVISOR);
        pass(wait);
        expectReverting(IPauses.PartyPauseRest.selector, START + PAUSE + REST);
        pauseBy(SUPERVISOR);
    }

    function test_pause_GivenThePartyWaitedThirtyDaysAfterItsLastPause() public {
        pauseBy(SUPERVISOR);
        pass(PAUSE + REST);
        pauseBy(SUPERVISOR);
        assertEq(registry.pausedUntil(), START + 2 * PAUSE + REST);
    }

    /// A party must wait thirty days after the planned end of its pause, even if the pause was ended early.
    function test_pause_GivenThePauseOfThePartyWasEndedEarly() public {
        pauseBy(SUPERVISOR);
        confirmed(abi.encodeCall(IPauses.endPause, ()));
        expectReverting(IPauses.PartyPauseRest.selector, START + PAUSE + REST);
        pauseBy(SUPERVISOR);
        pauseBy(AUTHORITY);
    }

    function test_pause_WhenTheCallIsValid() public {
        assertEq(registry.pausedUntil(), 0);
        expectEvent();
        emit IPauses.Paused(START + PAUSE, START, THIRD_OFFICER);
        pauseBy(THIRD_OFFICER);
        assertEq(registry.pausedUntil(), START + PAUSE);
        pass(PAUSE - 1);
        assertEq(registry.pausedUntil(), START + PAUSE);
        pass(1);
        assertEq(registry.pausedUntil(), 0);
    }

    function test_pause_WhileThePauseLasts() public {
        CertificateLog log = CertificateLog(deploy("CertificateLog", abi.encode(forwarder, registry)));
        by(ISSUER);
        log.anchor(0, 1, "root");
        pauseBy(SUPERVISOR);
        expectPaused(START + PAUSE);
        by(ISSUER);
        log.anchor(1, 1, "root");
        // During the pause, reads, uses and protective acts (such as a revocation or a hold) are still possible.
        by(ISSUER);
        log.revoke(0, 0, Reason.Fraud);
        by(CONSUMER);
        log.recordUse("request", 1);
        by(SUBJECT);
        log.withdraw("consent");
        bytes32[] memory list = new bytes32[](1);
        list[0] = "consent";
        by(SUPERVISOR);
        log.hold(list, Reason.Court);
        by(SUPERVISOR);
        registry.setStatus(PROVIDER, PartyStatus.Suspended, Reason.Court);
        assertEq(registry.actor(accountOf(CONSUMER), Roles.CONSUMER), CONSUMER);
        pass(PAUSE);
        by(ISSUER);
        log.anchor(1, 1, "root");
    }

    function test_pause_ItStopsRegisteringAndConfirmingAssets() public {
        AssetRegistry assets = AssetRegistry(deploy("AssetRegistry", abi.encode(forwarder, registry, 0)));
        AssetId[] memory ids = new AssetId[](1);
        ids[0] = AssetId.wrap("asset");
        by(PROVIDER);
        assets.register(ids[0], "content", "print", Grade.General);
        Stage[3] memory stages = [Stage.Accepted, Stage.Reviewed, Stage.Noticed];
        for (uint256 i = 0; i < stages.length; ++i) {
            by(REGISTRAR);
            assets.advance(ids, stages[i], stages[i] == Stage.Noticed ? START : 0, 0);
        }
        pass(1);
        pauseBy(SUPERVISOR);
        uint40 until = START + 1 + PAUSE;
        IAssetApplications.Registration[] memory more = new IAssetApplications.Registration[](0);
        expectPaused(until);
        by(PROVIDER);
        assets.register(AssetId.wrap("other"), "content", "other print", Grade.General);
        expectPaused(until);
        by(PROVIDER);
        assets.registerMany(more);
        expectPaused(until);
        by(REGISTRAR);
        assets.confirm(ids[0], START + 9 * PAUSE);
        expectPaused(until);
        by(REGISTRAR);
        assets.confirmMany(ids, START + 9 * PAUSE);
        by(SUPERVISOR);
        assets.freeze(ids[0], Reason.Court);
        by(SUPERVISOR);
        assets.unfreeze(ids[0], Reason.Lifted);
        pass(PAUSE);
        by(REGISTRAR);
        assets.confirm(ids[0], START + 9 * PAUSE);
        by(PROVIDER);
        assets.file(ids[0], ApplicationKind.Change, "new content", 0, Grade.General);
    }

    function test_endPause_GivenNoApprovedProposal() public {
        pauseBy(SUPERVISOR);
        for (uint32 no = 1; no <= PARTIES; ++no) {
            expectNotDecided();
            by(PartyNo.wrap(no));
            registry.endPause();
        }
    }

    function test_endPause_GivenTheLedgerIsNotPaused() public {
        bytes memory call = abi.encodeCall(IPauses.endPause, ());
        uint32 no = proposeBy(AUTHORITY, call);
        vm.expectRevert(abi.encodeWithSelector(IPauses.PartyNotPaused.selector));
        confirmBy(SECOND_OFFICER, no, call);
    }

    function test_endPause_WhenTheCallIsValid() public {
        pauseBy(SUPERVISOR);
        pass(3 days);
        bytes memory call = abi.encodeCall(IPauses.endPause, ());
        uint32 no = proposeBy(AUTHORITY, call);
        expectEvent();
        emit IPauses.PauseEnded(START + 3 days, AUTHORITY);
        confirmBy(SECOND_OFFICER, no, call);
        assertEq(registry.pausedUntil(), 0);
        assertEq(registry.running(), START);
        pass(5);
        assertEq(registry.running(), START + 5);
    }

    /// For any series of pauses, `running` counts exactly the seconds that were not paused, even if a pause was ended
    /// early.
    function testFuzz_running_ItDoesNotCountPausedSeconds(uint40[4] memory waits, bool[4] memory ended) public {
        uint40 expected = START;
        PartyNo[4] memory who = [AUTHORITY, SUPERVISOR, SECOND_OFFICER, THIRD_OFFICER];
        for (uint256 i = 0; i < who.length; ++i) {
            uint40 wait = uint40(bound(waits[i], 0, 2 * PAUSE));
            pauseBy(who[i]);
            assertEq(registry.running(), expected);
            if (ended[i]) {
                wait = wait % PAUSE;
                pass(wait);
                assertEq(registry.running(), expected);
                confirmed(abi.encodeCall(IPauses.endPause, ()));
            } else {
                pass(PAUSE - 1);
                assertEq(registry.running(), expected);
                pass(1 + wait);
                expected += wait;
            }
            assertEq(registry.pausedUntil(), 0);
            assertEq(registry.running(), expected);
        }
    }

    function test_actorUnlessPaused_WhenTheLedgerIsPausedAndWhenNot() public {
        assertEq(registry.actorUnlessPaused(accountOf(ISSUER), Roles.ISSUER), ISSUER);
        expectLacksRole(ISSUER, Roles.CDO);
        registry.actorUnlessPaused(accountOf(ISSUER), Roles.CDO);
        pauseBy(SUPERVISOR);
        expectPaused(START + PAUSE);
        registry.actorUnlessPaused(accountOf(ISSUER), Roles.ISSUER);
    }
}
