// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetLineage} from "../../../contracts/interfaces/IAssetLineage.sol";
import {PartyRegistry} from "../../../contracts/PartyRegistry.sol";
import {Assessment, AssetId, AssetState, PartyNo, Roles, ScenarioCode} from "../../../contracts/Types.sol";
import {AssetStages} from "./AssetStages.sol";
import {vm} from "../Vm.sol";

/// Tests assessments: reports about assets by accredited third parties; see AssetLineage.tree.
contract AssetAssessTest is AssetStages {
    uint40 private constant FROM = START + 10;
    uint40 private constant TO = START + 1000;
    uint40 private constant REPORT_TO = START + 5000;

    function setUp() public override {
        super.setUp();
        _accredit(ASSESSOR, "quality");
        _accredit(ASSESSOR, "appraise");
        vm.warp(FROM);
    }

    function test_assess_GivenTheCallerIsNotAnAssessor() public {
        for (uint32 no = 1; no <= ALL_PARTIES; ++no) {
            if (PartyNo.wrap(no) == ASSESSOR) continue;
            expectLacksRole(PartyNo.wrap(no), Roles.ASSESSOR);
            by(PartyNo.wrap(no));
            assets.assess(ASSET, Assessment.Quality, "report", REPORT_TO);
        }
    }

    function test_assess_GivenTheAssetIsMissing() public {
        expectWrongState(MISSING, AssetState.None);
        by(ASSESSOR);
        assets.assess(MISSING, Assessment.Quality, "report", REPORT_TO);
    }

    function test_assess_GivenTheCallerIsTheHolder() public {
        setRoles(PROVIDER, Roles.PROVIDER | Roles.ASSESSOR);
        _accredit(PROVIDER, "quality");
        expectSelfReview(ASSET, PROVIDER);
        by(PROVIDER);
        assets.assess(ASSET, Assessment.Quality, "report", REPORT_TO);
    }

    function test_assess_GivenTheCallerIsNotAccredited() public {
        setRoles(BANK, Roles.ASSESSOR);
        for (uint256 kind = 0; kind < 2; ++kind) {
            _expectNotAccredited(BANK, Assessment(kind));
            by(BANK);
            assets.assess(ASSET, Assessment(kind), "report", REPORT_TO);
        }
    }

    function test_assess_GivenTheAccreditationIsForTheOtherKindOfReport() public {
        setRoles(BANK, Roles.ASSESSOR);
        setRoles(BROKER, Roles.ASSESSOR);
        _accredit(BANK, "quality");
        _accredit(BROKER, "appraise");
        _expectNotAccredited(BANK, Assessment.Valuation);
        by(BANK);
        assets.assess(ASSET, Assessment.Valuation, "report", REPORT_TO);
        _expectNotAccredited(BROKER, Assessment.Quality);
        by(BROKER);
        assets.assess(ASSET, Assessment.Quality, "report", REPORT_TO);
        by(BANK);
        assets.assess(ASSET, Assessment.Quality, "report", REPORT_TO);
        by(BROKER);
        assets.assess(ASSET, Assessment.Valuation, "report", REPORT_TO);
    }

    function testFuzz_assess_WhenBeforeTheAccreditation(uint8 kind) public {
        vm.warp(FROM - 1);
        _expectNotAccredited(ASSESSOR, Assessment(kind % 2));
        _assess(Assessment(kind % 2), REPORT_TO);
    }

    function testFuzz_assess_WhenInTheLastSecondOfTheAccreditation(uint8 kind) public folding(ASSET) {
        vm.warp(TO - 1);
        _assess(Assessment(kind % 2), REPORT_TO);
    }

    function testFuzz_assess_WhenAtTheEndOfTheAccreditation(uint8 kind) public {
        vm.warp(TO);
        _expectNotAccredited(ASSESSOR, Assessment(kind % 2));
        _assess(Assessment(kind % 2), REPORT_TO);
    }

    function test_assess_WhenTheReportIsZero() public {
        expectZero();
        by(ASSESSOR);
        assets.assess(ASSET, Assessment.Quality, 0, REPORT_TO);
    }

    function testFuzz_assess_WhenTheReportExpiresNowOrInThePast(uint40 seed) public {
        uint40 validTo = uint40(bound(seed, 0, FROM));
        expectTimePast(ASSET, validTo);
        _assess(Assessment.Valuation, validTo);
        expectTimePast(ASSET, FROM);
        _assess(Assessment.Valuation, FROM);
    }

    function testFuzz_assess_WhenTheCallIsValid(uint8 kind, bytes32 report, uint40 validTo, bool pending) public {
        if (report == 0) report = "report";
        validTo = uint40(bound(validTo, FROM + 1, type(uint40).max));
        _assessWell(pending ? PENDING : ASSET, Assessment(kind % 2), report, validTo);
    }

    function _assessWell(AssetId id, Assessment kind, bytes32 report, uint40 validTo) private folding(id) {
        bytes memory before = abi.encode(assets.assetOf(id));
        expectEvent();
        emit IAssetLineage.Assessed(id, kind, report, validTo, FROM, ASSESSOR);
        by(ASSESSOR);
        assets.assess(id, kind, report, validTo);
        assertEq(keccak256(abi.encode(assets.assetOf(id))), keccak256(before));
    }

    function _assess(Assessment kind, uint40 validTo) private {
        by(ASSESSOR);
        assets.assess(ASSET, kind, "report", validTo);
    }

    function _accredit(PartyNo no, bytes8 code) private {
        decide(abi.encodeCall(PartyRegistry.accredit, (no, ScenarioCode.wrap(code), FROM, TO)));
    }

    function _expectNotAccredited(PartyNo party, Assessment kind) private {
        vm.expectRevert(abi.encodeWithSelector(IAssetLineage.AssetNotAccredited.selector, ASSET, party, kind));
    }
}
