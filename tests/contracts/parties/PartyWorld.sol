// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyKeys} from "../../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRecord} from "../../../contracts/interfaces/IPartyRecord.sol";
import {IPartyRegistry} from "../../../contracts/interfaces/IPartyRegistry.sol";
import {IPauses} from "../../../contracts/interfaces/IPauses.sol";
import {IProposals} from "../../../contracts/interfaces/IProposals.sol";
import {PartyId, PartyNo, PartyStatus, ProposalKind, ProposalState, Reason} from "../../../contracts/Types.sol";
import {Acts, Keys} from "../Acts.sol";
import {vm} from "../Vm.sol";
import {World} from "../World.sol";

/// A party registry whose proposals wait for three days. The subject has two further accounts: one with a secp256k1 key
/// and one with a P-256 key.
abstract contract PartyWorld is World {
    uint40 internal constant DELAY = 3 days;
    uint40 internal constant OPEN_FOR = 14 days;
    uint40 internal constant PAUSE = 7 days;
    uint40 internal constant REST = 30 days;
    uint256 internal constant CHAIN = 1337;
    uint256 internal constant SUBJECT_KEY = 0x50;
    uint256 internal constant SUBJECT_P256 = 0x51;
    uint256 internal constant FRESH_KEY = 0xF5E5;
    uint256 internal constant FRESHER_KEY = 0xF5E6;
    PartyNo internal constant NEW = PartyNo.wrap(PARTIES + 1);

    function setUp() public virtual override {
        vm.chainId(CHAIN);
        super.setUp();
    }

    function delay() internal pure override returns (uint40) {
        return DELAY;
    }

    function founding() internal pure virtual override returns (IPartyRegistry.Founding[] memory list) {
        list = super.founding();
        address[] memory accounts = new address[](3);
        accounts[0] = accountOf(SUBJECT);
        (accounts[1], accounts[2]) = (vm.addr(SUBJECT_KEY), Keys.p256Account(SUBJECT_P256));
        list[7].accounts = accounts;
    }

    function fresh() internal pure returns (address) {
        return vm.addr(FRESH_KEY);
    }

    function fresher() internal pure returns (address) {
        return vm.addr(FRESHER_KEY);
    }

    /// Returns the first words of a message that `account` signs for this registry.
    function frame(bytes32 tag, address account) internal view returns (Acts.Frame memory) {
        return Acts.Frame(tag, origin, CHAIN, address(registry), account);
    }

    /// Returns five frames (first words of a message). Each frame differs from the account's frame in one word: tag,
    /// origin, chain, contract or account.
    function otherFrames(bytes32 tag, address account, bytes32 otherTag, address otherAccount)
        internal
        view
        returns (Acts.Frame[5] memory frames)
    {
        for (uint256 i = 0; i < frames.length; ++i) {
            frames[i] = frame(tag, account);
        }
        frames[0].tag = otherTag;
        frames[1].origin = bytes32(uint256(origin) ^ 1);
        frames[2].chain += 1;
        frames[3].place = address(forwarder);
        frames[4].account = otherAccount;
    }

    /// Returns the proof that a new party possesses this key as its first key.
    function proofOf(uint256 key) internal view returns (bytes memory) {
        return proofOf(key, PartyNo.wrap(0));
    }

    function proofOf(uint256 key, PartyNo no) internal view returns (bytes memory) {
        return Keys.secp256k1(key, Acts.key(frame(Acts.KEY, vm.addr(key)), no));
    }

    function p256ProofOf(uint256 key, PartyNo no) internal view returns (bytes memory) {
        return Keys.p256(key, Acts.key(frame(Acts.KEY, Keys.p256Account(key)), no));
    }

    function change(PartyNo no, address fresh_, address old, bytes memory proof) internal pure returns (bytes memory) {
        return abi.encodeCall(IPartyKeys.changeKey, (no, fresh_, old, proof));
    }

    /// Returns the call with which officers bind a new key to a party that lost its key, and retire the lost key.
    function recovery(PartyNo no, address lost) internal view returns (bytes memory) {
        return change(no, fresh(), lost, proofOf(FRESH_KEY, no));
    }

    function setRolesCall(PartyNo no, uint32 roles) internal pure returns (bytes memory) {
        return abi.encodeCall(IPartyRegistry.setRoles, (no, roles));
    }

    function setStatusCall(PartyNo no, PartyStatus status) internal pure returns (bytes memory) {
        return abi.encodeCall(IPartyRegistry.setStatus, (no, status, Reason.Sanction));
    }

    /// Returns the call that registers one party with one key.
    function registration(bytes32 id, uint256 key, uint32 roles) internal view returns (bytes memory) {
        return abi.encodeCall(IPartyKeys.register, (listOf(one(id, vm.addr(key), proofOf(key), roles))));
    }

    function listOf(IPartyKeys.Registration memory party)
        internal
        pure
        returns (IPartyKeys.Registration[] memory parties)
    {
        parties = new IPartyKeys.Registration[](1);
        parties[0] = party;
    }

    function one(bytes32 id, address account, bytes memory proof, uint32 roles)
        internal
        pure
        returns (IPartyKeys.Registration memory)
    {
        IPartyKeys.Key[] memory keys = new IPartyKeys.Key[](1);
        keys[0] = IPartyKeys.Key(account, proof);
        return IPartyKeys.Registration(PartyId.wrap(id), keys, roles);
    }

    function actOf(bytes memory call) internal view returns (bytes32) {
        return sha256(abi.encode(address(registry), call));
    }

    function proposeBy(PartyNo who, bytes memory call) internal returns (uint32 no) {
        return proposeAs(accountOf(who), call);
    }

    function proposeAs(address account, bytes memory call) internal returns (uint32 no) {
        vm.prank(account);
        return registry.propose(address(registry), call);
    }

    function proposeListBy(PartyNo who, bytes memory call) internal returns (uint32 no) {
        bytes32 act = actOf(call);
        by(who);
        return registry.proposeRegistration(act);
    }

    function confirmBy(PartyNo who, uint32 no, bytes memory call) internal {
        by(who);
        registry.confirm(no, address(registry), call);
    }

    /// Carries out a proposal from the account of a stranger.
    function carryOut(uint32 no, bytes memory call) internal {
        vm.prank(STRANGER);
        registry.carryOut(no, address(registry), call);
    }

    /// Lets the first two officers propose and confirm a call.
    function confirmed(bytes memory call) internal returns (uint32 no) {
        no = proposeBy(AUTHORITY, call);
        confirmBy(SECOND_OFFICER, no, call);
    }

    /// Lets a party propose a change of its own keys, and carries the change out after the waiting period.
    function changeOwn(PartyNo who, bytes memory call) internal {
        uint32 no = proposeBy(who, call);
        pass(DELAY);
        carryOut(no, call);
    }

    /// Lets the first two officers propose and confirm a call, and waits until the proposal is ready.
    function decided(bytes memory call) internal returns (uint32 no) {
        no = confirmed(call);
        pass(DELAY);
    }

    function registerBy(PartyNo proposer, PartyNo confirmer, bytes memory call) internal {
        confirmBy(confirmer, proposeListBy(proposer, call), call);
    }

    function reportBy(PartyNo who, PartyNo no, address account) internal {
        by(who);
        registry.report(no, account);
    }

    function vetoBy(address account, uint32 no) internal {
        vm.prank(account);
        registry.veto(no);
    }

    function pauseBy(PartyNo who) internal {
        by(who);
        registry.pause();
    }

    function pass(uint256 seconds_) internal {
        vm.warp(vm.getBlockTimestamp() + seconds_);
    }

    function time() internal view returns (uint40) {
        return uint40(vm.getBlockTimestamp());
    }

    function assertState(uint32 no, ProposalState expected) internal view {
        assertEq(uint256(registry.proposalOf(no).state), uint256(expected));
    }

    function assertKind(ProposalKind actual, ProposalKind expected) internal pure {
        assertEq(uint256(actual), uint256(expected));
    }

    function assertMayAct(address account, PartyNo no) internal view {
        assertEq(registry.actor(account, type(uint32).max), no);
    }

    function assertUnbound(address account) internal view {
        assertEq(registry.accountOf(account).no, PartyNo.wrap(0));
    }

    function expectReverting(bytes4 selector, uint256 first) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, first));
    }

    function expectReverting(bytes4 selector, uint256 first, uint256 second) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, first, second));
    }

    function expectSelfGrant(PartyNo no) internal {
        expectReverting(IPartyRecord.PartySelfGrant.selector, PartyNo.unwrap(no));
    }

    function expectUnknown(PartyNo no) internal {
        expectReverting(IPartyRecord.PartyUnknown.selector, PartyNo.unwrap(no));
    }

    function expectNotDecided() internal {
        vm.expectRevert(abi.encodeWithSelector(IPartyRecord.PartyNotDecided.selector));
    }

    function expectZero() internal {
        vm.expectRevert(abi.encodeWithSelector(IPartyRecord.PartyZero.selector));
    }

    function expectTooFew() internal {
        expectReverting(IPartyRecord.PartyTooFewOfficers.selector, 2);
    }

    function expectReported(address account, uint40 since) internal {
        expectReverting(IPartyRecord.PartyAccountReported.selector, uint160(account), since);
    }

    function expectTaken(address account, PartyNo no) internal {
        expectReverting(IPartyRecord.PartyAccountTaken.selector, uint160(account), PartyNo.unwrap(no));
    }

    function expectNotBound(PartyNo no, address account) internal {
        expectReverting(IPartyKeys.PartyAccountNotBound.selector, PartyNo.unwrap(no), uint160(account));
    }

    function expectOffice(uint32 roles) internal {
        expectReverting(IPartyKeys.PartyOfficeByProposal.selector, roles);
    }

    function expectNotProposable(bytes4 selector) internal {
        vm.expectRevert(abi.encodeWithSelector(IProposals.PartyNotProposable.selector, selector));
    }

    function expectNotPending(uint32 no, ProposalState state) internal {
        expectReverting(IProposals.PartyNotPending.selector, no, uint256(state));
    }

    function expectNotReady(uint32 no, uint40 ready) internal {
        expectReverting(IProposals.PartyNotReady.selector, no, ready);
    }

    function expectNoVeto(uint32 no, address account) internal {
        expectReverting(IProposals.PartyNoVeto.selector, no, uint160(account));
    }

    function expectNotCancellable(uint32 no) internal {
        expectReverting(IProposals.PartyNotCancellable.selector, no);
    }

    function expectAccused(PartyNo no, uint40 until) internal {
        expectReverting(IProposals.PartyAccused.selector, PartyNo.unwrap(no), until);
    }

    function expectPaused(uint40 until) internal {
        expectReverting(IPauses.PartyPaused.selector, until);
    }

    function expectEvent() internal {
        vm.expectEmit(address(registry));
    }
}
