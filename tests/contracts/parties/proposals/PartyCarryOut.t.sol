// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {AssetRegistry} from "../../../../contracts/AssetRegistry.sol";
import {IAssetRecord} from "../../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetTransfers} from "../../../../contracts/interfaces/IAssetTransfers.sol";
import {IPartyRecord} from "../../../../contracts/interfaces/IPartyRecord.sol";
import {IProposals} from "../../../../contracts/interfaces/IProposals.sol";
import {AssetState, ProposalState, Reason, Roles} from "../../../../contracts/Types.sol";
import {ProposalWorld} from "./ProposalWorld.sol";
import {vm} from "../../Vm.sol";

/// A contract that tries to carry out a proposal while the registry carries out another one.
contract Nesting {
    function nest(IProposals registry, uint32 no, address target, bytes calldata call) external {
        registry.carryOut(no, target, call);
    }

    function fail() external pure {
        assembly {
            revert(0, 0)
        }
    }
}

/// Tests carrying out proposals; see PartyCarryOut.tree.
contract PartyCarryOutTest is ProposalWorld {
    function test_carryOut_GivenThereIsNoSuchProposal() public {
        expectNotPending(1, ProposalState.None);
        carryOut(1, "");
    }

    function testFuzz_carryOut_WhenTheProposalIsNotReady(uint40 wait) public {
        wait = uint40(bound(wait, 0, DELAY - 1));
        bytes memory call = setRolesCall(ISSUER, Roles.ALL);
        uint32 no = confirmed(call);
        pass(wait);
        expectNotReady(no, START + DELAY);
        carryOut(no, call);
    }

    function testFuzz_carryOut_WhenTheProposalIsReady(uint40 wait) public {
        wait = uint40(bound(wait, DELAY, DELAY + OPEN_FOR));
        bytes memory call = setRolesCall(ISSUER, Roles.ALL);
        uint32 no = confirmed(call);
        pass(wait);
        expectEvent();
        emit IProposals.ProposalEnded(no, ProposalState.CarriedOut, address(0), START + wait, AUTHORITY);
        expectEvent();
        emit IPartyRecord.RolesChanged(ISSUER, Roles.ALL, START + wait, AUTHORITY);
        carryOut(no, call);
        assertState(no, ProposalState.CarriedOut);
    }

    /// During a pause, neither a proposal's waiting period nor the time until it expires passes.
    function test_carryOut_GivenTheLedgerWasPaused() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ALL);
        uint32 no = confirmed(call);
        pass(1 days);
        pauseBy(SUPERVISOR);
        pass(PAUSE);
        assertEq(registry.running(), START + 1 days);
        pass(2 days - 1);
        expectNotReady(no, START + DELAY);
        carryOut(no, call);
        pass(1 + OPEN_FOR);
        carryOut(no, call);
    }

    function test_carryOut_WhenAPartysChangeOfItsOwnKeysIsReady() public {
        bytes memory call = change(SUBJECT, fresh(), address(0), proofOf(FRESH_KEY, SUBJECT));
        uint32 no = proposeBy(SUBJECT, call);
        pass(DELAY - 1);
        expectNotReady(no, START + DELAY);
        carryOut(no, call);
        pass(1);
        carryOut(no, call);
        assertMayAct(fresh(), SUBJECT);
    }

    function test_carryOut_WhenTheConfirmersKeyIsReported() public {
        bytes memory call = setRolesCall(ISSUER, Roles.ALL);
        changeOwn(SECOND_OFFICER, change(SECOND_OFFICER, fresh(), address(0), proofOf(FRESH_KEY, SECOND_OFFICER)));
        uint32 no = confirmed(call);
        reportBy(SECOND_OFFICER, SECOND_OFFICER, accountOf(SECOND_OFFICER));
        pass(DELAY);
        expectReported(accountOf(SECOND_OFFICER), START + DELAY);
        carryOut(no, call);
    }

    function test_carryOut_WhenTheCallIsRefused() public {
        AssetRegistry assets = AssetRegistry(deploy("AssetRegistry", abi.encode(forwarder, registry, 0)));
        bytes memory call = abi.encodeCall(IAssetTransfers.freeze, (ASSET, Reason.Court));
        by(AUTHORITY);
        uint32 no = registry.propose(address(assets), call);
        by(SECOND_OFFICER);
        registry.confirm(no, address(assets), call);
        pass(DELAY);
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetWrongState.selector, ASSET, AssetState.None));
        registry.carryOut(no, address(assets), call);
        assertState(no, ProposalState.Pending);
    }

    function test_carryOut_WhenTheTargetIsNoContractOrRevertsWithoutAReason() public {
        uint32 no = _decided(STRANGER, "call");
        vm.expectRevert(abi.encodeWithSelector(Address.AddressEmptyCode.selector, STRANGER));
        registry.carryOut(no, STRANGER, "call");
        address target = address(new Nesting());
        bytes memory call = abi.encodeCall(Nesting.fail, ());
        no = _decided(target, call);
        vm.expectRevert(bytes4(keccak256("FailedCall()")));
        registry.carryOut(no, target, call);
    }

    function test_carryOut_WhenAnotherProposalIsBeingCarriedOut() public {
        address target = address(new Nesting());
        bytes memory inner = setRolesCall(ISSUER, Roles.ALL);
        bytes memory outer = abi.encodeCall(Nesting.nest, (registry, 1, address(registry), inner));
        confirmed(inner);
        uint32 no = _decided(target, outer);
        expectReverting(IProposals.PartyNested.selector, no);
        registry.carryOut(no, target, outer);
        carryOut(1, inner);
        assertEq(registry.partyOf(ISSUER).roles, Roles.ALL);
    }

    function _decided(address target, bytes memory call) private returns (uint32 no) {
        by(AUTHORITY);
        no = registry.propose(target, call);
        by(SECOND_OFFICER);
        registry.confirm(no, target, call);
        pass(DELAY);
    }
}
