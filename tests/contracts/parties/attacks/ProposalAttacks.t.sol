// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IProposals} from "../../../../contracts/interfaces/IProposals.sol";
import {PartyNo, ProposalState, Roles} from "../../../../contracts/Types.sol";
import {AttackWorld} from "./AttackWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests proposals that are used twice, too late, with another call or by one officer; see ProposalAttacks.tree.
contract ProposalAttacksTest is AttackWorld {
    function test_attack_AProposalCannotBeCarriedOutTwice() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ISSUER | Roles.CDO);
        uint32 no = decided(call);
        carryOut(no, call);
        setRoles(ISSUER, Roles.ISSUER);
        expectNotPending(no, ProposalState.CarriedOut);
        carryOut(no, call);
        expectNotPending(no, ProposalState.CarriedOut);
        confirmBy(THIRD_OFFICER, no, call);
        assertEq(registry.partyOf(ISSUER).roles, Roles.ISSUER);
    }

    function test_attack_AnExpiredProposalCanBeNeitherConfirmedNorCarriedOut() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ISSUER | Roles.CDO);
        uint32 unconfirmed = proposeBy(AUTHORITY, call);
        uint32 no = confirmed(call);
        pass(DELAY + OPEN_FOR + 1);
        expectReverting(IProposals.PartyProposalExpired.selector, no, START + DELAY + OPEN_FOR);
        carryOut(no, call);
        expectReverting(IProposals.PartyProposalExpired.selector, unconfirmed, START + DELAY + OPEN_FOR);
        confirmBy(SECOND_OFFICER, unconfirmed, call);
        assertEq(registry.partyOf(ISSUER).roles, Roles.ISSUER);
    }

    function test_attack_AConfirmedProposalCannotBeCarriedOutWithAnotherCall() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ISSUER | Roles.CDO);
        uint32 no = decided(call);
        expectReverting(IProposals.PartyActDiffers.selector, no);
        carryOut(no, setRolesCall(ISSUER, Roles.ALL));
        expectReverting(IProposals.PartyActDiffers.selector, no);
        carryOut(no, bytes.concat(call, bytes1(0)));
        expectReverting(IProposals.PartyActDiffers.selector, no);
        registry.carryOut(no, address(log), call);
        carryOut(no, call);
        assertEq(registry.partyOf(ISSUER).roles, Roles.ISSUER | Roles.CDO);
    }

    /// A registration is proposed by the hash of a call. Only exactly this call can be confirmed, and only if it is a
    /// call of `register`.
    function test_attack_ARegistrationProposalCannotContainAnotherCall() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ALL);
        uint32 no = proposeListBy(AUTHORITY, call);
        expectNotProposable(bytes4(call));
        confirmBy(SECOND_OFFICER, no, call);
        bytes32 act = sha256(abi.encode(address(log), registration("id", FRESH_KEY, 0)));
        by(AUTHORITY);
        no = registry.proposeRegistration(act);
        call = registration("id", FRESH_KEY, 0);
        expectNotProposable(bytes4(call));
        by(SECOND_OFFICER);
        registry.confirm(no, address(log), call);
    }

    function test_attack_TwoAccountsOfOnePartyDoNotCountAsTwoOfficers() public {
        bytes memory call = change(AUTHORITY, fresh(), address(0), proofOf(FRESH_KEY, AUTHORITY));
        changeOwn(AUTHORITY, call);
        call = recovery(SUBJECT, accountOf(SUBJECT));
        uint32 no = proposeBy(AUTHORITY, call);
        expectReverting(IProposals.PartyOwnProposal.selector, no, PartyNo.unwrap(AUTHORITY));
        vm.prank(fresh());
        registry.confirm(no, address(registry), call);
    }

    /// If the proposer or the confirmer loses its role during the waiting period, the proposal cannot be carried out.
    function test_attack_AProposalFailsIfProposerOrConfirmerLosesItsRole() public {
        setRoles(PROVIDER, Roles.AUTHORITY);
        bytes memory call = recovery(SUBJECT, accountOf(SUBJECT));
        uint32 proposed = proposeBy(PROVIDER, call);
        confirmBy(AUTHORITY, proposed, call);
        uint32 confirmed_ = proposeBy(AUTHORITY, call);
        confirmBy(PROVIDER, confirmed_, call);
        setRoles(PROVIDER, Roles.PROVIDER);
        expectLacksRole(PROVIDER, Roles.AUTHORITY);
        carryOut(proposed, call);
        expectLacksRole(PROVIDER, Roles.AUTHORITY);
        carryOut(confirmed_, call);
        assertUnbound(fresh());
    }
}
