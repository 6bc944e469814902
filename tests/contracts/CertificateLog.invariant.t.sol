// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CertificateLog} from "../../contracts/CertificateLog.sol";
import {LeafStatus, PartyNo, Reason} from "../../contracts/Types.sol";
import {LogWorld, edge} from "./LogWorld.sol";
import {Refold} from "./Refold.sol";
import {vm} from "./Vm.sol";

/// Moves leaves of one batch about and remembers what must hold; calls that the log refuses change nothing here.
contract LogHandler {
    uint32 private constant LEAVES = 256;
    uint32 private constant PARTIES = 8;

    CertificateLog private immutable _LOG;
    uint64 public seq;
    bytes32 public head;
    uint32[] private _revoked;
    mapping(uint32 index => uint16) private _uses;
    mapping(uint256 no => mapping(uint32 index => bool)) private _withdrawn;

    constructor(CertificateLog log) {
        _LOG = log;
        seq = log.nextSeq();
        head = log.head();
    }

    modifier remembered(uint256 who) {
        vm.recordLogs();
        vm.startPrank(address(uint160(0x1001 + who % PARTIES)));
        _;
        vm.stopPrank();
        head = Refold.over(head, vm.getRecordedLogs(), address(_LOG));
    }

    function anchor(uint256 who, uint16 size, bytes32 root) external remembered(who) {
        _LOG.anchor(seq, size, root);
        seq += size;
    }

    function suspend(uint256 who, uint32 index) external remembered(who) {
        _LOG.suspend(0, edge(index), Reason.Investigation);
    }

    function resume(uint256 who, uint32 index) external remembered(who) {
        _LOG.resume(0, edge(index), Reason.Lifted);
    }

    function revoke(uint256 who, uint32 index) external remembered(who) {
        _LOG.revoke(0, edge(index), Reason.Fraud);
        _revoked.push(edge(index));
    }

    function revokeMany(uint256 who, uint32 index, uint8 count) external remembered(who) {
        uint32[] memory indices = new uint32[](count % 4);
        for (uint32 i = 0; i < indices.length; ++i) {
            indices[i] = (edge(index) + i) % LEAVES;
            _revoked.push(indices[i]);
        }
        _LOG.revokeMany(0, indices, Reason.DataError);
    }

    function supersede(uint256 who, uint32 index, uint32 successor) external remembered(who) {
        _LOG.supersede(0, edge(index), 0, edge(successor));
        _revoked.push(edge(index));
    }

    function recordUse(uint256 who, uint32 index, bool next) external remembered(who) {
        uint32 leaf = edge(index);
        _LOG.recordUse(0, leaf, _uses[leaf] + (next ? 1 : 2));
        ++_uses[leaf];
    }

    function withdraw(uint256 who, uint32 index) external remembered(who) {
        _LOG.withdraw(0, edge(index));
        _withdrawn[1 + who % PARTIES][edge(index)] = true;
    }

    function checkRevoked() external view {
        for (uint256 i = 0; i < _revoked.length; ++i) {
            require(_LOG.statusOf(0, _revoked[i]) == LeafStatus.Revoked, "a revoked leaf came back");
        }
    }

    function checkWithdrawn() external view {
        for (uint32 no = 1; no <= PARTIES; ++no) {
            for (uint32 seed = 0; seed < 8; ++seed) {
                uint32 leaf = edge(seed);
                require(_LOG.withdrawnBy(PartyNo.wrap(no), 0, leaf) == _withdrawn[no][leaf], "withdrawals differ");
            }
        }
    }

    function checkUses() external view {
        for (uint32 leaf = 0; leaf < LEAVES; ++leaf) {
            require(_LOG.usesOf(0, leaf) == _uses[leaf], "uses differ");
        }
    }
}

/// See CertificateLog.tree.
contract CertificateLogInvariants is LogWorld {
    LogHandler private _handler;

    function setUp() public override {
        super.setUp();
        _handler = new LogHandler(log);
        targetContract(address(_handler));
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_RevokedNeverBecomesAnythingElse() public view {
        _handler.checkRevoked();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_WithdrawalIsNeverUndoneNorPostedByAnother() public view {
        _handler.checkWithdrawn();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_UsesAreTheNumberOfUsedEvents() public view {
        _handler.checkUses();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_HeadIsTheGenesisFoldedOverEveryEvent() public view {
        assertEq(log.head(), _handler.head());
        assertEq(log.nextSeq(), _handler.seq());
    }
}
