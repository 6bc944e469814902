// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IProposals} from "../../../../contracts/interfaces/IProposals.sol";
import {PartyNo, ProposalState, Roles} from "../../../../contracts/Types.sol";
import {PartyWorld} from "../PartyWorld.sol";

/// Tests confirming proposals; see PartyConfirm.tree.
contract PartyConfirmTest is PartyWorld {
    function test_confirm_GivenThereIsNoSuchProposal() public {
        expectNotPending(1, ProposalState.None);
        confirmBy(AUTHORITY, 1, "");
    }

    function test_confirm_GivenTheCallerLacksTheRole() public {
        bytes memory call = recovery(PROVIDER, accountOf(PROVIDER));
        uint32 no = proposeBy(AUTHORITY, call);
        for (uint32 who = 2; who <= 8; ++who) {
            expectLacksRole(PartyNo.wrap(who), Roles.AUTHORITY);
            confirmBy(PartyNo.wrap(who), no, call);
        }
    }

    function test_confirm_WhenTheConfirmerIsThePartyConcerned() public {
        bytes memory call = setRolesCall(SECOND_OFFICER, Roles.ALL);
        uint32 no = proposeBy(AUTHORITY, call);
        expectSelfGrant(SECOND_OFFICER);
        confirmBy(SECOND_OFFICER, no, call);
    }

    function test_confirm_WhenAPartyChangesItsOwnKeys() public {
        bytes memory call = change(SUBJECT, fresh(), address(0), proofOf(FRESH_KEY, SUBJECT));
        uint32 no = proposeBy(SUBJECT, call);
        expectLacksRole(AUTHORITY, 0);
        confirmBy(AUTHORITY, no, call);
    }

    function test_confirm_WhenTheCallIsNotTheProposedCall() public {
        uint32 no = proposeBy(AUTHORITY, setRolesCall(ISSUER, Roles.ISSUER));
        expectReverting(IProposals.PartyActDiffers.selector, no);
        confirmBy(SECOND_OFFICER, no, setRolesCall(ISSUER, Roles.ALL));
    }

    function test_confirm_WhenTheProposalIsAlreadyConfirmed() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ISSUER);
        uint32 no = confirmed(call);
        expectReverting(IProposals.PartyAlreadyConfirmed.selector, no, PartyNo.unwrap(SECOND_OFFICER));
        confirmBy(THIRD_OFFICER, no, call);
    }

    function test_confirm_WhenTheProposalHasAWaitingPeriod() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ISSUER);
        uint32 no = proposeBy(AUTHORITY, call);
        pass(DELAY + 1);
        expectEvent();
        emit IProposals.Confirmed(no, START + DELAY + 1, SECOND_OFFICER);
        confirmBy(SECOND_OFFICER, no, call);
        assertState(no, ProposalState.Pending);
        assertEq(registry.proposalOf(no).confirmer, accountOf(SECOND_OFFICER));
        assertEq(registry.proposalOf(no).confirmedBy, SECOND_OFFICER);
        carryOut(no, call);
    }

    function test_confirm_WhenTheProposalHasNoWaitingPeriod() public {
        bytes memory call = registration("id", FRESH_KEY, Roles.SUBJECT);
        uint32 no = proposeListBy(ADMIN, call);
        expectEvent();
        emit IProposals.Confirmed(no, START, AUTHORITY);
        expectEvent();
        emit IProposals.ProposalEnded(no, ProposalState.CarriedOut, address(0), START, ADMIN);
        confirmBy(AUTHORITY, no, call);
        assertState(no, ProposalState.CarriedOut);
        assertEq(registry.count(), PARTIES + 1);
    }

    function test_confirm_WhenTheProposerMayNoLongerAct() public {
        bytes memory call = registration("id", FRESH_KEY, Roles.SUBJECT);
        uint32 no = proposeListBy(ADMIN, call);
        reportBy(AUTHORITY, ADMIN, accountOf(ADMIN));
        expectReported(accountOf(ADMIN), START);
        confirmBy(AUTHORITY, no, call);
    }
}
