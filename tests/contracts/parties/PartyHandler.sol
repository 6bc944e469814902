// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CertificateLog} from "../../../contracts/CertificateLog.sol";
import {IPartyKeys} from "../../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRegistry} from "../../../contracts/interfaces/IPartyRegistry.sol";
import {IPauses} from "../../../contracts/interfaces/IPauses.sol";
import {PartyRegistry} from "../../../contracts/PartyRegistry.sol";
import {PartyId, PartyNo, PartyStatus, ProposalKind, ProposalState, Reason, Roles, ScenarioCode} from "../../../contracts/Types.sol";
import {Acts, Keys} from "../Acts.sol";
import {PartyGhost} from "./PartyGhost.sol";
import {vm} from "../Vm.sol";

/// Lets parties, officers and thieves act at random. Usually the acting party is allowed to do the act. A refused call
/// changes nothing in this contract. The functions whose names begin with `must` try an act that a party can always do,
/// and record a violation if the act is refused.
contract PartyHandler {
    uint256 private constant _MOST_PARTIES = 14;

    PartyRegistry private immutable _REGISTRY;
    CertificateLog private immutable _LOG;
    PartyGhost private immutable _GHOST;

    bool public stopped;
    uint256 private _seed;
    uint256 private _nextKey = 0x9000;
    uint256 private _statements;
    bytes[] private _calls;

    constructor(PartyRegistry registry, CertificateLog log, PartyGhost ghost) {
        _REGISTRY = registry;
        _LOG = log;
        _GHOST = ghost;
        _calls.push("");
    }

    modifier rolls(uint256 seed) {
        _seed = uint256(keccak256(abi.encode(seed, vm.getBlockTimestamp())));
        vm.recordLogs();
        _;
        _GHOST.read(vm.getRecordedLogs());
    }

    function proposeOwnKey(uint256 seed) external rolls(seed) {
        address account = _account();
        uint32 no = _GHOST.keyOf(account).no;
        address old = _pick(2) == 0 ? _accountOf(no) : address(0);
        _propose(account, _pick(4) == 0 ? _change(no, address(0), old, "") : _bind(no, old));
    }

    function proposeKey(uint256 seed) external rolls(seed) {
        uint32 no = _party();
        _propose(_officer(), _bind(no, _pick(2) == 0 ? _accountOf(no) : address(0)));
    }

    /// Lets officers propose a key and confirm it at once. A party changes its own keys without officers, so changes by
    /// officers would otherwise be rare.
    function decideKey(uint256 seed) external rolls(seed) {
        uint32 no = _party();
        _propose(_officer(), _bind(no, _pick(2) == 0 ? _accountOf(no) : address(0)));
        _confirm();
    }

    function proposePower(uint256 seed) external rolls(seed) {
        PartyNo no = PartyNo.wrap(_party());
        address account = _accountOf(PartyNo.unwrap(no));
        uint256 kind = _pick(7);
        uint40 now_ = uint40(vm.getBlockTimestamp());
        bytes memory call = abi.encodeCall(IPauses.endPause, ());
        if (kind < 2) call = abi.encodeCall(IPartyRegistry.setRoles, (no, _roles()));
        if (kind == 2) call = abi.encodeCall(IPartyRegistry.setStatus, (no, _status(), Reason.Court));
        if (kind == 3) call = abi.encodeCall(IPartyRegistry.accredit, (no, ScenarioCode.wrap("S51"), 1, now_));
        if (kind == 4) call = abi.encodeCall(IPartyKeys.report, (no, account));
        if (kind == 5) call = abi.encodeCall(IPartyKeys.dateCompromise, (no, account, now_ - uint40(_pick(1e6))));
        _propose(_officer(), call);
    }

    function proposeList(uint256 seed) external rolls(seed) {
        require(_GHOST.count() < _MOST_PARTIES, "enough parties");
        (address account, bytes memory proof) = _fresh(0);
        IPartyKeys.Registration[] memory list = new IPartyKeys.Registration[](1);
        list[0].id = PartyId.wrap(keccak256(abi.encode(account)));
        list[0].roles = _pick(8) == 0 ? Roles.AUTHORITY : Roles.PROVIDER;
        list[0].keys = new IPartyKeys.Key[](1);
        list[0].keys[0] = IPartyKeys.Key(account, proof);
        bytes memory call = abi.encodeCall(IPartyKeys.register, (list));
        bytes32 act = sha256(abi.encode(address(_REGISTRY), call));
        vm.prank(_officer());
        _REGISTRY.proposeRegistration(act);
        _calls.push(call);
    }

    function confirm(uint256 seed) external rolls(seed) {
        _confirm();
    }

    /// Does the same as `confirm`. The test runner calls every function equally often, so proposals are confirmed twice
    /// as often. Unconfirmed proposals have no effect, so they would test little.
    function confirmAgain(uint256 seed) external rolls(seed) {
        _confirm();
    }

    function carryOut(uint256 seed) external rolls(seed) {
        _carryOut();
    }

    function carryOutAgain(uint256 seed) external rolls(seed) {
        _carryOut();
    }

    function cancel(uint256 seed) external rolls(seed) {
        require(_pick(3) == 0, "seldom");
        uint32 no = _pending();
        vm.prank(_pick(2) == 0 ? _officer() : _account());
        _REGISTRY.cancel(no);
    }

    function vetoAtRandom(uint256 seed) external rolls(seed) {
        require(_pick(3) == 0, "seldom");
        uint32 no = _pending();
        vm.prank(_account());
        _REGISTRY.veto(no);
    }

    function report(uint256 seed) external rolls(seed) {
        require(_pick(3) == 0, "seldom");
        address account = _account();
        uint32 no = _GHOST.keyOf(account).no;
        vm.prank(_pick(2) == 0 ? _officer() : _accountOf(no));
        _REGISTRY.report(PartyNo.wrap(no), account);
    }

    function setRoles(uint256 seed) external rolls(seed) {
        (PartyNo no, uint32 roles) = (PartyNo.wrap(_party()), _roles());
        vm.prank(_pick(2) == 0 ? _officer() : _account());
        _REGISTRY.setRoles(no, roles);
    }

    function setStatus(uint256 seed) external rolls(seed) {
        (PartyNo no, PartyStatus status) = (PartyNo.wrap(_party()), _status());
        vm.prank(_pick(2) == 0 ? _officer() : _account());
        _REGISTRY.setStatus(no, status, Reason.Court);
    }

    /// Tries to bind a key directly, which is allowed only by a proposal.
    function bindAlone(uint256 seed) external rolls(seed) {
        uint32 no = _party();
        (address account, bytes memory proof) = _fresh(no);
        vm.prank(_officer());
        _REGISTRY.changeKey(PartyNo.wrap(no), account, address(0), proof);
    }

    function pause(uint256 seed) external rolls(seed) {
        require(_pick(4) == 0, "seldom");
        vm.prank(_pick(2) == 0 ? _officer() : _account());
        _REGISTRY.pause();
    }

    function wait(uint256 seed) external rolls(seed) {
        vm.warp(vm.getBlockTimestamp() + _pick(2 days));
    }

    function waitLong(uint256 seed) external rolls(seed) {
        require(_pick(6) == 0, "seldom");
        vm.warp(vm.getBlockTimestamp() + _pick(20 days));
    }

    /// Checks that every live key can withdraw a statement, even if the key is reported, and whatever the party's
    /// status; also during a pause.
    function mustWithdraw(uint256 seed) external rolls(seed) {
        address account = _account();
        require(_GHOST.keyOf(account).to == 0, "retired");
        vm.prank(account);
        try _LOG.withdraw(bytes32(++_statements)) {}
        catch {
            stopped = true;
        }
    }

    /// Checks that every key that was live when a change of its party's keys was proposed can veto the change.
    function mustVeto(uint256 seed) external rolls(seed) {
        require(_pick(4) == 0, "seldom");
        uint32 no = _pending();
        require(_REGISTRY.proposalOf(no).kind == ProposalKind.Key, "no key");
        address account = _accountOf(_GHOST.proposalOf(no).concerned);
        require(_GHOST.wasLive(account, _GHOST.proposalOf(no).at), "not live then");
        vm.prank(account);
        try _REGISTRY.veto(no) {}
        catch {
            stopped = true;
        }
    }

    /// Checks that every key that may act for a party can report itself, unless the party is an officer.
    function mustReport(uint256 seed) external rolls(seed) {
        require(_pick(6) == 0, "seldom");
        address account = _account();
        uint32 no = _GHOST.keyOf(account).no;
        require(_GHOST.speaks(account) && !_GHOST.isOfficer(no), "no key to report, or an officer's key");
        vm.prank(account);
        try _REGISTRY.report(PartyNo.wrap(no), account) {}
        catch {
            stopped = true;
        }
    }

    function _propose(address account, bytes memory call) private {
        vm.prank(account);
        _REGISTRY.propose(address(_REGISTRY), call);
        _calls.push(call);
    }

    function _confirm() private {
        uint32 no = _pending();
        vm.prank(_officer());
        _REGISTRY.confirm(no, address(_REGISTRY), _calls[no]);
    }

    function _carryOut() private {
        uint32 no = _pending();
        (uint40 ready, uint40 running) = (_REGISTRY.proposalOf(no).ready, _REGISTRY.running());
        if (running < ready && _pick(3) != 0) vm.warp(vm.getBlockTimestamp() + ready - running);
        _REGISTRY.carryOut(no, address(_REGISTRY), _calls[no]);
    }

    function _bind(uint32 no, address old) private returns (bytes memory) {
        (address account, bytes memory proof) = _fresh(no);
        return _change(no, account, old, _pick(5) == 0 ? bytes("") : proof);
    }

    function _change(uint32 no, address account, address old, bytes memory proof) private pure returns (bytes memory) {
        return abi.encodeCall(IPartyKeys.changeKey, (PartyNo.wrap(no), account, old, proof));
    }

    /// Returns a new key, and its proof for the party with this number. For the first key of a new party, the number is
    /// 0.
    function _fresh(uint32 no) private returns (address account, bytes memory proof) {
        uint256 key = ++_nextKey;
        account = vm.addr(key);
        Acts.Frame memory frame =
            Acts.Frame(Acts.KEY, _REGISTRY.origin(), block.chainid, address(_REGISTRY), account);
        proof = Keys.secp256k1(key, Acts.key(frame, PartyNo.wrap(no)));
    }

    /// Returns one of the newest pending proposals; reverts if there is none.
    function _pending() private returns (uint32 no) {
        uint32 newest = _REGISTRY.proposals();
        uint32 start = uint32(_pick(2));
        for (uint32 i = start; i < start + 8 && i < newest; ++i) {
            if (_REGISTRY.proposalOf(newest - i).state == ProposalState.Pending) return newest - i;
        }
        revert("nothing is pending");
    }

    /// Returns a key; in seven of eight cases, it is a key of an officer.
    function _officer() private returns (address) {
        if (_pick(8) == 0) return _account();
        uint32 no = _party();
        while (!_GHOST.isOfficer(no)) {
            no = 1 + no % _GHOST.count();
        }
        return _accountOf(no);
    }

    function _party() private returns (uint32) {
        return uint32(1 + _pick(_GHOST.count()));
    }

    function _account() private returns (address) {
        return _GHOST.accounts(_pick(_GHOST.accountCount()));
    }

    /// Returns a key of a party, usually one that may act for it.
    function _accountOf(uint32 no) private returns (address account) {
        uint256 count = _GHOST.accountCount();
        uint256 start = _pick(count);
        for (uint256 i = 0; i < count; ++i) {
            address next = _GHOST.accounts((start + i) % count);
            if (_GHOST.keyOf(next).no != no) continue;
            account = next;
            if (_GHOST.speaks(next) || _pick(8) == 0) return account;
        }
    }

    function _roles() private returns (uint32) {
        uint256 kind = _pick(4);
        if (kind == 0) return Roles.AUTHORITY;
        if (kind == 1) return Roles.PROVIDER | Roles.CONSUMER;
        return kind == 2 ? Roles.SUPERVISOR : uint32(_pick(Roles.ALL + 1));
    }

    /// Returns a random status. In half of all cases it is active, so that enough parties can still act.
    function _status() private returns (PartyStatus) {
        return PartyStatus(_pick(2) == 0 ? 1 : 2 + _pick(3));
    }

    function _pick(uint256 choices) private returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return _seed % choices;
    }
}
