// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CertificateLog} from "../../../contracts/CertificateLog.sol";
import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {PartyRegistry} from "../../../contracts/PartyRegistry.sol";
import {LeafStatus, PartyNo, Reason} from "../../../contracts/Types.sol";
import {Acts, Keys} from "../Acts.sol";
import {LogWorld, edge} from "./LogWorld.sol";
import {Refold} from "../Refold.sol";
import {vm} from "../Vm.sol";

/// Lets parties act on leaves and statements at random, and remembers the state that the log must have. A refused call
/// changes nothing in this contract.
contract LogHandler {
    uint32 private constant LEAVES = 256;
    uint32 private constant PARTIES = 13;
    uint32 private constant CONSUMER = 7;
    uint256 private constant STATEMENTS = 4;
    uint256 private constant CONSUMER_KEY = 0xC0;

    CertificateLog private immutable _LOG;
    PartyRegistry private immutable _REGISTRY;
    bytes32 public head;
    /// True if a hold was ever lifted although one of the two deciding parties lacked the hold's role (authority or
    /// supervisor).
    bool public liftedByOthers;
    mapping(uint32 issuer => uint64) private _seq;
    mapping(uint32 issuer => uint64) private _batches;
    mapping(uint32 issuer => mapping(uint32 leaf => LeafStatus)) private _status;
    mapping(uint32 issuer => mapping(uint32 leaf => bool)) private _revoked;
    mapping(uint32 consumer => mapping(bytes32 request => uint16)) private _uses;
    mapping(uint32 party => mapping(bytes32 statement => uint40)) private _withdrawn;
    mapping(bytes32 statement => mapping(uint8 bit => bool)) private _held;
    mapping(bytes32 statement => uint64) private _changes;

    constructor(CertificateLog log, PartyRegistry registry) {
        _LOG = log;
        _REGISTRY = registry;
        head = log.head();
        for (uint32 no = 1; no <= PARTIES; ++no) {
            _seq[no] = log.nextSeq(PartyNo.wrap(no));
            _batches[no] = log.batchCount(PartyNo.wrap(no));
        }
    }

    /// Makes the test's call as the party `who`, and adds the events of the call to the expected head. If the log
    /// refuses the call, everything is reverted.
    modifier acting(uint32 who) {
        vm.recordLogs();
        vm.startPrank(address(uint160(0x1000 + who)));
        _;
        vm.stopPrank();
        head = Refold.over(head, vm.getRecordedLogs(), address(_LOG));
    }

    function anchor(uint256 seed, uint16 size, bytes32 root) external acting(_issuer(seed)) {
        uint32 who = _issuer(seed);
        _LOG.anchor(_seq[who], size, root);
        _seq[who] += size;
        ++_batches[who];
    }

    function suspend(uint256 seed, uint32 index) external acting(_issuer(seed)) {
        _LOG.suspend(0, edge(index), Reason.Investigation);
        _status[_issuer(seed)][edge(index)] = LeafStatus.Suspended;
    }

    function resume(uint256 seed, uint32 index) external acting(_issuer(seed)) {
        _LOG.resume(0, edge(index), Reason.Lifted);
        _status[_issuer(seed)][edge(index)] = LeafStatus.Active;
    }

    function revoke(uint256 seed, uint32 index) external acting(_issuer(seed)) {
        _LOG.revoke(0, edge(index), Reason.Fraud);
        _setRevoked(_issuer(seed), edge(index));
    }

    function revokeMany(uint256 seed, uint32 index, uint8 count) external acting(_issuer(seed)) {
        uint32[] memory indices = new uint32[](count % 4);
        for (uint32 i = 0; i < indices.length; ++i) {
            indices[i] = (edge(index) + i) % LEAVES;
            _setRevoked(_issuer(seed), indices[i]);
        }
        _LOG.revokeMany(0, indices, Reason.DataError);
    }

    function supersede(uint256 seed, uint32 index, uint32 successor) external acting(_issuer(seed)) {
        _LOG.supersede(0, edge(index), 0, edge(successor));
        _setRevoked(_issuer(seed), edge(index));
    }

    function recordUse(uint256 seed, uint256 one, bool next) external acting(_consumer(seed)) {
        _LOG.recordUse(_one(one), _uses[_consumer(seed)][_one(one)] + (next ? 1 : 2));
        ++_uses[_consumer(seed)][_one(one)];
    }

    /// Sends, from any account, a list of uses that the consumer signed. The first use has the next ordinal. The second
    /// use has the next ordinal only if `next` is true.
    function recordUsesFor(uint256 seed, uint256 one, uint256 other, bool next) external acting(_anyone(seed)) {
        ICertificateLog.Use[] memory uses = new ICertificateLog.Use[](2);
        uses[0] = ICertificateLog.Use(_one(one), _uses[CONSUMER][_one(one)] + 1);
        uses[1] = ICertificateLog.Use(_one(other), _uses[CONSUMER][_one(other)] + (next ? 1 : 0));
        address account = vm.addr(CONSUMER_KEY);
        bytes32 hash = Acts.uses(_frame(Acts.USES, account), type(uint40).max, uses);
        _LOG.recordUsesFor(account, uses, type(uint40).max, Keys.secp256k1(CONSUMER_KEY, hash));
        _uses[CONSUMER][_one(one)] += 1;
        if (next && _one(one) != _one(other)) _uses[CONSUMER][_one(other)] += 1;
    }

    function withdraw(uint256 seed, uint256 one, uint16 wait) external acting(_anyone(seed)) {
        uint256 time = vm.getBlockTimestamp() + wait;
        vm.warp(time);
        _LOG.withdraw(_one(one));
        _setWithdrawn(_anyone(seed), _one(one), uint40(time));
    }

    /// Sends, from any account, a withdrawal that the consumer signed.
    function withdrawFor(uint256 seed, uint256 one, uint16 wait) external acting(_anyone(seed)) {
        uint256 time = vm.getBlockTimestamp() + wait;
        vm.warp(time);
        bytes32[] memory list = new bytes32[](1);
        list[0] = _one(one);
        address account = vm.addr(CONSUMER_KEY);
        bytes32 hash = Acts.withdrawals(_frame(Acts.WITHDRAWALS, account), list);
        _LOG.withdrawFor(account, list, Keys.secp256k1(CONSUMER_KEY, hash));
        _setWithdrawn(CONSUMER, _one(one), uint40(time));
    }

    function hold(uint256 seed, uint256 one) external acting(_office(seed)) {
        _LOG.hold(_list(one), Reason.Court);
        uint8 bits = _bitsOf(_office(seed));
        if (bits & 1 != 0) _held[_one(one)][1] = true;
        if (bits & 2 != 0) _held[_one(one)][2] = true;
        ++_changes[_one(one)];
    }

    /// Lets two parties try to lift a hold of the authorities or of the supervisors. Some of these parties do not have
    /// the role for this; the call must then be refused.
    function lift(uint256 seed, uint256 other, uint256 one, bool authority) external {
        (uint32 proposer, uint32 confirmer) = (_office(seed), _office(other));
        bytes memory call =
            abi.encodeCall(CertificateLog.lift, (authority ? 1 : 2, _list(one), Reason.Lifted));
        vm.recordLogs();
        vm.prank(address(uint160(0x1000 + proposer)));
        uint32 no = _REGISTRY.propose(address(_LOG), call);
        vm.prank(address(uint160(0x1000 + confirmer)));
        _REGISTRY.confirm(no, address(_LOG), call);
        head = Refold.over(head, vm.getRecordedLogs(), address(_LOG));
        bool both = _bitsOf(proposer) & _bitsOf(confirmer) & (authority ? 1 : 2) != 0;
        if (!both || proposer == confirmer) liftedByOthers = true;
        _held[_one(one)][authority ? 1 : 2] = false;
        ++_changes[_one(one)];
    }

    /// Tries to lift a hold without a proposal.
    function liftAlone(uint256 seed, uint256 one, bool authority) external acting(_office(seed)) {
        _LOG.lift(authority ? 1 : 2, _list(one), Reason.Lifted);
        liftedByOthers = true;
    }

    /// Checks that each party's log contains only batches that this party anchored and statuses that this party set.
    function checkStatus() external view {
        for (uint32 no = 1; no <= PARTIES; ++no) {
            PartyNo issuer = PartyNo.wrap(no);
            require(_LOG.nextSeq(issuer) == _seq[no] && _LOG.batchCount(issuer) == _batches[no], "logs differ");
            for (uint32 leaf = 0; leaf < LEAVES; ++leaf) {
                require(_LOG.statusOf(issuer, 0, leaf) == _status[no][leaf], "a leaf's status differs");
            }
        }
    }

    function checkRevoked() external view {
        for (uint32 no = 1; no <= PARTIES; ++no) {
            for (uint32 leaf = 0; leaf < LEAVES; ++leaf) {
                if (!_revoked[no][leaf]) continue;
                require(_LOG.statusOf(PartyNo.wrap(no), 0, leaf) == LeafStatus.Revoked, "a leaf is no longer revoked");
            }
        }
    }

    function checkWithdrawn() external view {
        for (uint32 no = 1; no <= PARTIES; ++no) {
            for (uint256 i = 0; i < STATEMENTS; ++i) {
                (uint40 at, uint40 reportedAt) = _LOG.withdrawnAt(PartyNo.wrap(no), _one(i));
                require(at == _withdrawn[no][_one(i)], "withdrawals differ");
                require(reportedAt == 0, "a withdrawal by a reported key");
            }
        }
    }

    function checkUses() external view {
        for (uint32 no = 1; no <= PARTIES; ++no) {
            for (uint256 i = 0; i < STATEMENTS; ++i) {
                require(_LOG.usesOf(PartyNo.wrap(no), _one(i)) == _uses[no][_one(i)], "uses differ");
            }
        }
    }

    function checkHolds() external view {
        for (uint256 i = 0; i < STATEMENTS; ++i) {
            (uint8 offices, uint64 changes) = _LOG.holdOf(_one(i));
            require((offices & 1 != 0) == _held[_one(i)][1], "the authority's hold differs");
            require((offices & 2 != 0) == _held[_one(i)][2], "the supervisor's hold differs");
            require(offices < 4 && changes == _changes[_one(i)], "the number of changes of holds differs");
        }
    }

    function _setRevoked(uint32 issuer, uint32 leaf) private {
        _status[issuer][leaf] = LeafStatus.Revoked;
        _revoked[issuer][leaf] = true;
    }

    /// Records the time of a withdrawal, unless an earlier withdrawal is recorded.
    function _setWithdrawn(uint32 party, bytes32 one, uint40 time) private {
        if (_withdrawn[party][one] == 0) _withdrawn[party][one] = time;
    }

    function _list(uint256 seed) private pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = _one(seed);
    }

    function _one(uint256 seed) private pure returns (bytes32) {
        return keccak256(abi.encode("one", seed % STATEMENTS));
    }

    function _anyone(uint256 seed) private pure returns (uint32) {
        return uint32(1 + seed % PARTIES);
    }

    /// Returns a party. In three of four cases it is an issuer.
    function _issuer(uint256 seed) private pure returns (uint32) {
        return seed % 4 == 0 ? _anyone(seed / 4) : seed % 2 == 0 ? 4 : 11;
    }

    function _consumer(uint256 seed) private pure returns (uint32) {
        return seed % 4 == 0 ? _anyone(seed / 4) : seed % 2 == 0 ? CONSUMER : 12;
    }

    function _office(uint256 seed) private pure returns (uint32) {
        return seed % 4 == 0 ? _anyone(seed / 4) : seed % 4 == 1 ? 1 : seed % 4 == 2 ? 3 : 13;
    }

    /// Returns the roles with which a party can place holds, as bits: 1 for authority, 2 for supervisor.
    function _bitsOf(uint32 no) private pure returns (uint8) {
        if (no == 13) return 3;
        return no == 3 ? 2 : no == 1 || no == 9 || no == 10 ? 1 : 0;
    }

    function _frame(bytes32 tag, address account) private view returns (Acts.Frame memory) {
        return Acts.Frame(tag, _LOG.origin(), block.chainid, address(_LOG), account);
    }
}

/// Tests the invariants of the certificate log; see CertificateLog.tree.
contract CertificateLogInvariants is LogWorld {
    LogHandler private _handler;

    function setUp() public override {
        super.setUp();
        _handler = new LogHandler(log, registry);
        targetContract(address(_handler));
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_ARevokedLeafStaysRevoked() public view {
        _handler.checkRevoked();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_OnlyTheIssuerChangesTheStatusInItsLog() public view {
        _handler.checkStatus();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_AWithdrawalIsFinalAndWasSentOrSignedByItsParty() public view {
        _handler.checkWithdrawn();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_OnlyTheConsumerRecordsItsUses() public view {
        _handler.checkUses();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_OnlyTwoPartiesWithTheRoleOfAHoldLiftTheHold() public view {
        assertTrue(!_handler.liftedByOthers(), "a hold was lifted by other parties than two of the office that set it");
        _handler.checkHolds();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_TheHeadMatchesAllEvents() public view {
        assertEq(log.head(), _handler.head());
    }
}
