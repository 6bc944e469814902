// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetTransfers} from "../../../../contracts/interfaces/IAssetTransfers.sol";
import {IPauses} from "../../../../contracts/interfaces/IPauses.sol";
import {IProposals} from "../../../../contracts/interfaces/IProposals.sol";
import {
    NOBODY, PartyNo, PartyStatus, ProposalKind, ProposalState, Reason, Roles
} from "../../../../contracts/Types.sol";
import {ProposalWorld} from "./ProposalWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests proposals of a call, and proposals of a registration by its hash; see PartyPropose.tree.
contract PartyProposeTest is ProposalWorld {
    uint32 private constant REGISTERS = Roles.AUTHORITY | Roles.ADMIN;

    function test_propose_GivenTheCallerIsNotAnAuthority() public {
        bytes memory call = recovery(PROVIDER, accountOf(PROVIDER));
        for (uint32 no = 2; no <= 8; ++no) {
            if (PartyNo.wrap(no) == PROVIDER) continue;
            expectLacksRole(PartyNo.wrap(no), Roles.AUTHORITY);
            proposeBy(PartyNo.wrap(no), call);
        }
        expectUnknownAccount(STRANGER);
        proposeAs(STRANGER, call);
    }

    function test_propose_WhenTheProposalConcernsTheCaller() public {
        bytes[5] memory calls = concerning(AUTHORITY);
        for (uint256 i = 1; i < calls.length; ++i) {
            expectSelfGrant(AUTHORITY);
            proposeBy(AUTHORITY, calls[i]);
        }
    }

    function test_propose_WhenThePartyIsUnknown() public {
        bytes[5] memory calls = concerning(NEW);
        for (uint256 i = 0; i < calls.length; ++i) {
            expectUnknown(NEW);
            proposeBy(AUTHORITY, calls[i]);
        }
    }

    function test_propose_WhenTheCallCannotBeProposed() public {
        bytes[8] memory calls = [
            registration("id", FRESH_KEY, 0),
            abi.encodeCall(IPauses.pause, ()),
            abi.encodeCall(IProposals.veto, (1)),
            abi.encodeCall(IProposals.proposeRegistration, (0)),
            abi.encodeCall(IProposals.propose, (address(registry), "")),
            abi.encodeWithSelector(bytes4("else")),
            bytes(""),
            hex"010203"
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            expectNotProposable(bytes4(calls[i]));
            proposeBy(AUTHORITY, calls[i]);
        }
    }

    function test_propose_WhenOfficersRetireAKeyWithoutANewKey() public {
        bytes memory call = change(SUBJECT, address(0), accountOf(SUBJECT), "");
        expectZero();
        proposeBy(AUTHORITY, call);
    }

    function test_propose_WhenTheCallConcernsAParty() public {
        bytes[5] memory calls = concerning(ISSUER);
        for (uint32 i = 0; i < calls.length; ++i) {
            uint40 ready = START + DELAY;
            bytes32 act = sha256(abi.encode(address(registry), calls[i]));
            expectEvent();
            emit IProposals.Proposed(
                i + 1, act, Roles.AUTHORITY, ISSUER, ready, START, AUTHORITY, address(registry), calls[i]
            );
            assertEq(proposeBy(AUTHORITY, calls[i]), i + 1);
            IProposals.Proposal memory found = registry.proposalOf(i + 1);
            assertEq(found.act, act);
            assertEq(found.proposer, accountOf(AUTHORITY));
            assertEq(found.at, START);
            assertEq(found.ready, ready);
            assertEq(uint256(found.state), uint256(ProposalState.Pending));
            assertKind(found.kind, i == 0 ? ProposalKind.Key : ProposalKind.Waits);
            assertEq(found.confirmer, address(0));
            assertEq(found.by, AUTHORITY);
            assertEq(found.concerned, ISSUER);
            assertEq(found.role, Roles.AUTHORITY);
            assertEq(found.confirmedBy, NOBODY);
        }
        assertEq(registry.proposals(), calls.length);
    }

    function test_propose_WhenAPartyChangesItsOwnKeys() public {
        bytes memory call = change(SUBJECT, fresh(), address(0), proofOf(FRESH_KEY, SUBJECT));
        uint32 no = proposeAs(vm.addr(SUBJECT_KEY), call);
        IProposals.Proposal memory found = registry.proposalOf(no);
        assertEq(found.role, 0);
        assertEq(found.by, SUBJECT);
        assertEq(found.concerned, SUBJECT);
        assertEq(found.ready, START + DELAY);
        assertKind(found.kind, ProposalKind.Key);
        // An officer, too, can change its own keys without a role or a second party.
        no = proposeBy(AUTHORITY, change(AUTHORITY, fresh(), accountOf(AUTHORITY), proofOf(FRESH_KEY, AUTHORITY)));
        assertEq(registry.proposalOf(no).role, 0);
    }

    function test_propose_WhenAPartyThatIsNotActiveChangesItsOwnKeys() public {
        PartyStatus[3] memory statuses = [PartyStatus.Suspended, PartyStatus.Sanctioned, PartyStatus.Closed];
        for (uint256 i = 0; i < statuses.length; ++i) {
            setStatus(ISSUER, statuses[i]);
            uint32 no = proposeBy(ISSUER, change(ISSUER, fresh(), accountOf(ISSUER), proofOf(FRESH_KEY, ISSUER)));
            assertEq(registry.proposalOf(no).by, ISSUER);
        }
    }

    function test_propose_GivenTheKeyMayNotActForItsParty() public {
        bytes memory call = change(SUBJECT, fresh(), address(0), proofOf(FRESH_KEY, SUBJECT));
        reportBy(SUBJECT, SUBJECT, accountOf(SUBJECT));
        expectReported(accountOf(SUBJECT), START);
        proposeBy(SUBJECT, call);
        decide(change(ISSUER, STRANGER, address(0), ""));
        call = change(ISSUER, fresh(), address(0), proofOf(FRESH_KEY, ISSUER));
        expectUnknownAccount(STRANGER);
        proposeAs(STRANGER, call);
    }

    function test_propose_WhenTheCallEndsAPause() public {
        uint32 no = proposeBy(AUTHORITY, abi.encodeCall(IPauses.endPause, ()));
        assertEq(registry.proposalOf(no).ready, START);
        assertEq(registry.proposalOf(no).concerned, NOBODY);
        assertEq(registry.proposalOf(no).role, Roles.AUTHORITY);
    }

    function test_propose_WhenTheTargetIsAnotherContract() public {
        bytes memory call = abi.encodeCall(IAssetTransfers.freeze, (ASSET, Reason.Court));
        expectLacksRole(SUPERVISOR, Roles.AUTHORITY);
        by(SUPERVISOR);
        registry.propose(STRANGER, call);
        by(AUTHORITY);
        uint32 no = registry.propose(STRANGER, call);
        assertEq(registry.proposalOf(no).ready, START + DELAY);
        assertEq(registry.proposalOf(no).concerned, NOBODY);
        // The call has the selector of `changeKey`, but the target is another contract, so the registry does not treat
        // the call as a change of keys.
        by(AUTHORITY);
        no = registry.propose(STRANGER, change(AUTHORITY, fresh(), address(0), ""));
        assertKind(registry.proposalOf(no).kind, ProposalKind.Waits);
        assertEq(registry.proposalOf(no).role, Roles.AUTHORITY);
    }

    function test_proposeRegistration_GivenTheCallerIsNeitherAuthorityNorAdmin() public {
        for (uint32 no = 3; no <= 8; ++no) {
            expectLacksRole(PartyNo.wrap(no), REGISTERS);
            by(PartyNo.wrap(no));
            registry.proposeRegistration("act");
        }
    }

    function test_proposeRegistration_WhenTheCallIsValid() public {
        bytes32 act = "act";
        expectEvent();
        emit IProposals.Proposed(1, act, REGISTERS, NOBODY, START, START, ADMIN, address(0), "");
        by(ADMIN);
        assertEq(registry.proposeRegistration(act), 1);
        IProposals.Proposal memory found = registry.proposalOf(1);
        assertEq(found.act, act);
        assertEq(found.role, REGISTERS);
        assertEq(found.by, ADMIN);
        assertEq(found.concerned, NOBODY);
        assertEq(found.ready, START);
        assertKind(found.kind, ProposalKind.Quick);
    }
}
