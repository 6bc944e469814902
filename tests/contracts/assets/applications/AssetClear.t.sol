// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetApplications} from "../../../../contracts/interfaces/IAssetApplications.sol";
import {ApplicationKind, AssetState, Grade, PartyNo, Roles, Stage} from "../../../../contracts/Types.sol";
import {AssetStages} from "../AssetStages.sol";

/// Tests the recording of the security review of important data; see AssetApplications.tree.
contract AssetClearTest is AssetStages {
    uint32 private constant CLEARS = Roles.AUTHORITY | Roles.CDO | Roles.SUPERVISOR;

    function setUp() public override {
        super.setUp();
        register(NEW, PRINT, Grade.Important);
    }

    function test_clear_GivenTheCallerIsNeitherAuthorityNorCDONorSupervisor() public {
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            PartyNo who = PartyNo.wrap(no);
            if (isOfficer(who) || who == CDO || who == SUPERVISOR) continue;
            expectLacksRole(who, CLEARS);
            by(who);
            assets.clear(NEW, "report");
        }
    }

    function test_clear_GivenTheAssetIsMissing() public {
        expectWrongState(MISSING, AssetState.None);
        clear(MISSING);
    }

    function test_clear_GivenTheCallerIsTheHolder() public {
        setRoles(PROVIDER, Roles.PROVIDER | Roles.CDO);
        expectSelfReview(NEW, PROVIDER);
        by(PROVIDER);
        assets.clear(NEW, "report");
    }

    function test_clear_WhenTheReportIsZero() public {
        expectZero();
        by(CDO);
        assets.clear(NEW, 0);
    }

    function test_clear_GivenTheDataIsGeneral() public {
        expectGrade(ASSET, Grade.General);
        clear(ASSET);
    }

    function test_clear_GivenTheSecurityReviewIsAlreadyRecorded() public {
        clear(NEW);
        expectGrade(NEW, Grade.Important);
        clear(NEW);
    }

    function testFuzz_clear_WhenTheCallIsValid(bytes32 report, uint8 seed) public folding(NEW) {
        if (report == 0) report = "report";
        PartyNo who = [AUTHORITY, CDO, SUPERVISOR][seed % 3];
        expectEvent();
        emit IAssetApplications.Cleared(NEW, report, START, who);
        by(who);
        assets.clear(NEW, report);
        assertTrue(assets.assetOf(NEW).cleared, "cleared");
        assertEq(uint256(assets.assetOf(NEW).grade), uint256(Grade.Important));
        assertApplication(NEW, ApplicationKind.First, Stage.Submitted, 0);
    }
}
