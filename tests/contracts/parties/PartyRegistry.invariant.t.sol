// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CertificateLog} from "../../../contracts/CertificateLog.sol";
import {PartyRegistry} from "../../../contracts/PartyRegistry.sol";
import {PartyGhost} from "./PartyGhost.sol";
import {PartyHandler} from "./PartyHandler.sol";
import {PartyWorld} from "./PartyWorld.sol";

/// Tests the invariants of the party registry; see PartyRegistry.invariant.tree.
contract PartyRegistryInvariants is PartyWorld {
    PartyGhost private _ghost;
    PartyHandler private _handler;

    function setUp() public override {
        super.setUp();
        CertificateLog log = CertificateLog(deploy("CertificateLog", abi.encode(forwarder, registry)));
        _ghost = new PartyGhost(registry);
        _handler = new PartyHandler(PartyRegistry(registry), log, _ghost);
        targetContract(address(_handler));
    }

    /// forge-config: default.invariant.runs = 12
    /// forge-config: default.invariant.depth = 250
    function invariant_EveryKeyWasBoundByItsPartyOrByTwoOtherParties() public view {
        assertTrue(!_ghost.boundWithoutRight(), "a key was bound early, vetoed, or by the wrong parties");
        _ghost.checkKeys();
    }

    /// forge-config: default.invariant.runs = 12
    /// forge-config: default.invariant.depth = 250
    function invariant_ThereIsAlwaysOneOfficerMoreThanTheThreshold() public view {
        _ghost.checkOfficers();
    }

    /// forge-config: default.invariant.runs = 12
    /// forge-config: default.invariant.depth = 250
    function invariant_NoPartyChangesItsOwnPowers() public view {
        assertTrue(!_ghost.selfGranted(), "a party changed its own powers");
    }

    /// forge-config: default.invariant.runs = 12
    /// forge-config: default.invariant.depth = 250
    function invariant_TwoPartiesDecideOfficialRolesAndAccreditations() public view {
        assertTrue(!_ghost.decidedByOne(), "one officer alone decided an office, an accreditation or a closing");
    }

    /// forge-config: default.invariant.runs = 12
    /// forge-config: default.invariant.depth = 250
    function invariant_EveryPauseEnds() public view {
        assertTrue(!_ghost.pausedTooLong(), "a pause exceeded seven days or came within thirty days");
        _ghost.checkRunning();
    }

    /// forge-config: default.invariant.runs = 12
    /// forge-config: default.invariant.depth = 250
    function invariant_ASubjectCanAlwaysWithdrawVetoAndReport() public view {
        assertTrue(!_handler.stopped(), "a report, a veto or a withdrawal was refused");
    }

    /// forge-config: default.invariant.runs = 12
    /// forge-config: default.invariant.depth = 250
    function invariant_AClosedPartyStaysClosedAndTheTimeOfACompromiseNeverBecomesLater() public view {
        assertTrue(!_ghost.reopened(), "a closed party is no longer closed");
        assertTrue(!_ghost.absolved(), "the time of a compromise became later");
    }

    /// forge-config: default.invariant.runs = 12
    /// forge-config: default.invariant.depth = 250
    function invariant_TheRecordMatchesTheEvents() public view {
        _ghost.checkRecord();
        assertEq(registry.head(), _ghost.head());
    }
}
