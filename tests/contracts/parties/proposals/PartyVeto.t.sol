// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IProposals} from "../../../../contracts/interfaces/IProposals.sol";
import {PartyNo, PartyStatus, ProposalState, Roles} from "../../../../contracts/Types.sol";
import {Acts, Keys} from "../../Acts.sol";
import {PartyWorld} from "../PartyWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests vetoing changes of keys; see PartyVeto.tree.
contract PartyVetoTest is PartyWorld {
    function test_veto_GivenThereIsNoSuchProposal() public {
        expectNotPending(1, ProposalState.None);
        vetoBy(accountOf(SUBJECT), 1);
    }

    function test_veto_WhenTheProposalChangesNoKey() public {
        uint32 no = confirmed(setRolesCall(SUBJECT, Roles.ALL));
        expectReverting(IProposals.PartyNotVetoable.selector, no);
        vetoBy(accountOf(SUBJECT), no);
    }

    function test_veto_GivenTheAccountBelongsToAnotherParty() public {
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        for (uint32 who = 1; who <= PARTIES; ++who) {
            if (PartyNo.wrap(who) == SUBJECT) continue;
            expectNoVeto(no, accountOf(PartyNo.wrap(who)));
            vetoBy(accountOf(PartyNo.wrap(who)), no);
        }
        expectNoVeto(no, STRANGER);
        vetoBy(STRANGER, no);
    }

    function test_veto_GivenTheAccountWasNotLiveWhenTheChangeWasProposed() public {
        changeOwn(SUBJECT, change(SUBJECT, address(0), vm.addr(SUBJECT_KEY), ""));
        uint32 own = proposeBy(SUBJECT, change(SUBJECT, fresher(), address(0), proofOf(FRESHER_KEY, SUBJECT)));
        pass(1);
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        pass(DELAY - 1);
        carryOut(own, change(SUBJECT, fresher(), address(0), proofOf(FRESHER_KEY, SUBJECT)));
        expectNoVeto(no, vm.addr(SUBJECT_KEY));
        vetoBy(vm.addr(SUBJECT_KEY), no);
        expectNoVeto(no, fresher());
        vetoBy(fresher(), no);
        vetoBy(accountOf(SUBJECT), no);
    }

    /// A key that was retired after the proposal can still veto it.
    function test_veto_GivenTheAccountWasRetiredAfterTheProposal() public {
        uint32 own = proposeBy(SUBJECT, change(SUBJECT, address(0), vm.addr(SUBJECT_KEY), ""));
        pass(DELAY);
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        carryOut(own, change(SUBJECT, address(0), vm.addr(SUBJECT_KEY), ""));
        pass(5);
        vetoBy(vm.addr(SUBJECT_KEY), no);
        assertState(no, ProposalState.Vetoed);
    }

    function test_veto_WhenTheCallIsValid() public {
        bytes memory call = recovery(SUBJECT, accountOf(SUBJECT));
        uint32 no = decided(call);
        expectEvent();
        emit IProposals.ProposalEnded(no, ProposalState.Vetoed, accountOf(SUBJECT), START + DELAY, SUBJECT);
        vetoBy(accountOf(SUBJECT), no);
        expectNotPending(no, ProposalState.Vetoed);
        carryOut(no, call);
        expectNotPending(no, ProposalState.Vetoed);
        vetoBy(vm.addr(SUBJECT_KEY), no);
    }

    function test_veto_ItIsPossibleWhateverThePartysStatusAndDuringAPause() public {
        setStatus(SUBJECT, PartyStatus.Closed);
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        reportBy(SUBJECT, SUBJECT, accountOf(SUBJECT));
        pauseBy(SUPERVISOR);
        vetoBy(accountOf(SUBJECT), no);
        assertState(no, ProposalState.Vetoed);
    }

    function test_vetoFor_WhenASecp256k1KeySigned() public {
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        address account = vm.addr(SUBJECT_KEY);
        bytes memory signature = Keys.secp256k1(SUBJECT_KEY, Acts.veto(frame(Acts.VETO, account), no));
        expectEvent();
        emit IProposals.ProposalEnded(no, ProposalState.Vetoed, account, START, SUBJECT);
        vm.prank(STRANGER);
        registry.vetoFor(account, no, signature);
    }

    function test_vetoFor_WhenSignedForAnotherAct() public {
        uint32 no = confirmed(recovery(SUBJECT, accountOf(SUBJECT)));
        address account = vm.addr(SUBJECT_KEY);
        Acts.Frame[5] memory frames = otherFrames(Acts.VETO, account, Acts.KEY, accountOf(SUBJECT));
        for (uint256 i = 0; i < frames.length; ++i) {
            _expectVetoInvalid(account, no, Keys.secp256k1(SUBJECT_KEY, Acts.veto(frames[i], no)));
        }
        _expectVetoInvalid(account, no, Keys.secp256k1(SUBJECT_KEY, Acts.veto(frame(Acts.VETO, account), no + 1)));
        _expectVetoInvalid(account, no, Keys.secp256k1(FRESH_KEY, Acts.veto(frame(Acts.VETO, account), no)));
        assertState(no, ProposalState.Pending);
    }

    function test_vetoFor_GivenTheAccountBelongsToAnotherParty() public {
        uint32 no = confirmed(recovery(ISSUER, accountOf(ISSUER)));
        address account = vm.addr(SUBJECT_KEY);
        bytes memory signature = Keys.secp256k1(SUBJECT_KEY, Acts.veto(frame(Acts.VETO, account), no));
        expectNoVeto(no, account);
        registry.vetoFor(account, no, signature);
    }

    function _expectVetoInvalid(address account, uint32 no, bytes memory signature) private {
        expectReverting(IProposals.PartySignatureInvalid.selector, uint160(account));
        registry.vetoFor(account, no, signature);
    }
}
