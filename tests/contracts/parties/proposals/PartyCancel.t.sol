// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "../../../../contracts/interfaces/ICertificateLog.sol";
import {IPartyKeys} from "../../../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRegistry} from "../../../../contracts/interfaces/IPartyRegistry.sol";
import {IPauses} from "../../../../contracts/interfaces/IPauses.sol";
import {IProposals} from "../../../../contracts/interfaces/IProposals.sol";
import {PartyNo, PartyStatus, ProposalState, Reason, Roles, ScenarioCode} from "../../../../contracts/Types.sol";
import {ProposalWorld} from "./ProposalWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests cancelling proposals; see PartyCancel.tree.
contract PartyCancelTest is ProposalWorld {
    function test_cancel_GivenTheCallerLacksTheRole() public {
        uint32 no = confirmed(setRolesCall(ISSUER, Roles.ALL));
        for (uint32 who = 2; who <= 8; ++who) {
            expectLacksRole(PartyNo.wrap(who), Roles.AUTHORITY);
            by(PartyNo.wrap(who));
            registry.cancel(no);
        }
    }

    function test_cancel_WhenAPartyChangesItsOwnKeys() public {
        uint32 no = proposeBy(SUBJECT, change(SUBJECT, fresh(), address(0), proofOf(FRESH_KEY, SUBJECT)));
        PartyNo[2] memory who = [AUTHORITY, SUBJECT];
        for (uint256 i = 0; i < who.length; ++i) {
            expectNotCancellable(no);
            by(who[i]);
            registry.cancel(no);
        }
    }

    function test_cancel_WhenTheCallIsValid() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ALL);
        uint32 no = confirmed(call);
        pass(5);
        expectEvent();
        emit IProposals.ProposalEnded(no, ProposalState.Cancelled, address(0), START + 5, THIRD_OFFICER);
        by(THIRD_OFFICER);
        registry.cancel(no);
        pass(DELAY);
        expectNotPending(no, ProposalState.Cancelled);
        carryOut(no, call);
        expectNotPending(no, ProposalState.Cancelled);
        by(AUTHORITY);
        registry.cancel(no);
    }

    function test_cancel_WhenTheProposalHasNoWaitingPeriod() public {
        uint32[3] memory quick = [
            proposeListBy(AUTHORITY, registration("id", FRESH_KEY, Roles.SUBJECT)),
            proposeBy(AUTHORITY, abi.encodeCall(IPauses.endPause, ())),
            _lift(1)
        ];
        for (uint256 i = 0; i < quick.length; ++i) {
            expectNotCancellable(quick[i]);
            by(AUTHORITY);
            registry.cancel(quick[i]);
            expectNotCancellable(quick[i]);
            by(THIRD_OFFICER);
            registry.cancel(quick[i]);
        }
    }

    function test_cancel_WhenTwoOfficersRecoverAParty() public {
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        by(THIRD_OFFICER);
        registry.cancel(no);
        assertState(no, ProposalState.Cancelled);
    }

    function test_cancel_WhenTheProposalConcernsTheCaller() public {
        bytes[5] memory calls = concerning(THIRD_OFFICER);
        for (uint256 i = 0; i < calls.length; ++i) {
            uint32 no = confirmed(calls[i]);
            expectSelfGrant(THIRD_OFFICER);
            by(THIRD_OFFICER);
            registry.cancel(no);
        }
    }

    /// An accused officer cannot cancel proposals until the confirmed accusation expires.
    function test_cancel_WhenTheCallerIsAccused() public {
        bytes[4] memory accusing = [
            setRolesCall(THIRD_OFFICER, 0),
            setStatusCall(THIRD_OFFICER, PartyStatus.Suspended),
            abi.encodeCall(IPartyKeys.report, (THIRD_OFFICER, accountOf(THIRD_OFFICER))),
            abi.encodeCall(IPartyKeys.dateCompromise, (THIRD_OFFICER, accountOf(THIRD_OFFICER), START))
        ];
        for (uint256 i = 0; i < accusing.length; ++i) {
            uint40 until = time() + DELAY + OPEN_FOR;
            uint32 accusation = proposeBy(AUTHORITY, accusing[i]);
            uint32 no = proposeBy(AUTHORITY, setRolesCall(ISSUER, Roles.ALL));
            pass(1 days);
            uint32 free = proposeBy(AUTHORITY, setRolesCall(ISSUER, Roles.ALL));
            by(THIRD_OFFICER);
            registry.cancel(free);
            confirmBy(SECOND_OFFICER, accusation, accusing[i]);
            expectAccused(THIRD_OFFICER, until);
            by(THIRD_OFFICER);
            registry.cancel(no);
            vm.warp(until);
            expectAccused(THIRD_OFFICER, until);
            by(THIRD_OFFICER);
            registry.cancel(no);
            pass(1);
            by(THIRD_OFFICER);
            registry.cancel(no);
        }
    }

    /// An officer is accused twice. If the accusation that was proposed first is confirmed last, the officer still
    /// cannot cancel until the later one expires.
    function test_cancel_WhenTheCallerIsAccusedTwice() public {
        bytes memory first = setRolesCall(THIRD_OFFICER, 0);
        uint32 earlier = proposeBy(AUTHORITY, first);
        pass(1 days);
        confirmed(setStatusCall(THIRD_OFFICER, PartyStatus.Suspended));
        confirmBy(SECOND_OFFICER, earlier, first);
        uint32 no = proposeBy(AUTHORITY, setRolesCall(ISSUER, Roles.ALL));
        expectAccused(THIRD_OFFICER, START + 1 days + DELAY + OPEN_FOR);
        by(THIRD_OFFICER);
        registry.cancel(no);
        // Another officer is not accused, so it can cancel.
        by(SECOND_OFFICER);
        registry.cancel(no);
    }

    /// Changes of keys, accreditations and unconfirmed proposals are not accusations.
    function test_cancel_WhenTheCallerIsNotAccused() public {
        confirmed(recovery(THIRD_OFFICER, accountOf(THIRD_OFFICER)));
        confirmed(abi.encodeCall(IPartyRegistry.accredit, (THIRD_OFFICER, ScenarioCode.wrap("S51"), 1, 2)));
        proposeBy(AUTHORITY, setRolesCall(THIRD_OFFICER, 0));
        uint32 no = proposeBy(AUTHORITY, setRolesCall(ISSUER, Roles.ALL));
        by(THIRD_OFFICER);
        registry.cancel(no);
        assertState(no, ProposalState.Cancelled);
    }

    function _lift(uint8 office) private returns (uint32 no) {
        bytes memory call = abi.encodeCall(ICertificateLog.lift, (office, new bytes32[](0), Reason.Lifted));
        by(AUTHORITY);
        return registry.propose(STRANGER, call);
    }
}
