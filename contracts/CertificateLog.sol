// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "./interfaces/ICertificateLog.sol";
import {IPartyRecord} from "./interfaces/IPartyRecord.sol";
import {IPartyRegistry} from "./interfaces/IPartyRegistry.sol";
import {Clock} from "./libraries/Clock.sol";
import {EventHead} from "./libraries/EventHead.sol";
import {LogRecord} from "./log/LogRecord.sol";
import {
    AUTHORITY_HOLDS,
    LeafStatus,
    NOBODY,
    PartyNo,
    Reason,
    roleOfOffice,
    Roles,
    SUPERVISOR_HOLDS
} from "./Types.sol";

/// @title Implements ICertificateLog. The interface documents the functions.
contract CertificateLog is LogRecord {
    uint32 private constant ISSUES = Roles.ISSUER;
    uint32 private constant USES = Roles.CONSUMER;
    uint32 private constant HOLDS = Roles.AUTHORITY | Roles.SUPERVISOR;

    /// @param forwarder The trusted ERC-2771 forwarder. The contract also reads the ledger's origin from the forwarder.
    /// @param registry The party registry of this ledger.
    constructor(address forwarder, IPartyRegistry registry) LogRecord(forwarder, registry) {}

    /// @inheritdoc ICertificateLog
    function anchor(uint64 firstSeq, uint32 size, bytes32 root) external returns (uint64 batch) {
        // Check all conditions before any change.
        PartyNo issuer = _REGISTRY.actorUnlessPaused(_msgSender(), ISSUES);
        Log storage own = _logs[issuer];
        uint64 expected = own.nextSeq;
        if (firstSeq != expected) revert LogNotContiguous(issuer, expected, firstSeq);
        if (size == 0) revert LogEmptyBatch();
        // Change the state and emit the events.
        batch = own.batchCount;
        own.batchCount = batch + 1;
        own.nextSeq = expected + size;
        uint40 at = Clock.nowSeconds();
        bytes32 commitment =
            EventHead.digest(abi.encode(bytes32("log/anchored/v2"), issuer, batch, firstSeq, size, root, at));
        own.commitments[batch] = commitment;
        emit Anchored(issuer, batch, firstSeq, size, root, at);
        _fold(commitment);
    }

    /// @inheritdoc ICertificateLog
    function suspend(uint64 batch, uint32 index, Reason reason) external {
        _setOne(batch, index, LeafStatus.Suspended, reason);
    }

    /// @inheritdoc ICertificateLog
    function resume(uint64 batch, uint32 index, Reason reason) external {
        _setOne(batch, index, LeafStatus.Active, reason);
    }

    /// @inheritdoc ICertificateLog
    function revoke(uint64 batch, uint32 index, Reason reason) external {
        _setOne(batch, index, LeafStatus.Revoked, reason);
    }

    /// @inheritdoc ICertificateLog
    function revokeMany(uint64 batch, uint32[] calldata indices, Reason reason) external {
        PartyNo issuer = _REGISTRY.actor(_msgSender(), ISSUES);
        _requireBatch(issuer, batch);
        uint256 i = 0;
        while (i < indices.length) {
            uint32 word = indices[i] / LEAVES_PER_WORD;
            uint256 mask = 0;
            for (; i < indices.length; ++i) {
                uint32 index = indices[i];
                if (index / LEAVES_PER_WORD != word) break;
                uint256 bit = 1 << (index % LEAVES_PER_WORD);
                // If `indices` names a leaf twice, the first index revokes the leaf, so the second index is refused.
                if (mask & bit != 0) revert LogAlreadyRevoked(issuer, batch, index);
                mask |= bit;
            }
            _setWord(issuer, batch, word, mask, LeafStatus.Revoked, reason);
        }
    }

    /// @inheritdoc ICertificateLog
    function supersede(uint64 batch, uint32 index, uint64 newBatch, uint32 newIndex) external {
        // Check all conditions before any change.
        PartyNo issuer = _REGISTRY.actor(_msgSender(), ISSUES);
        if (batch == newBatch && index == newIndex) revert LogSupersedesItself(issuer, batch, index);
        _requireBatch(issuer, batch);
        _requireBatch(issuer, newBatch);
        // Change the state and emit the events.
        _setLeaf(issuer, batch, index, LeafStatus.Superseded, Reason.Superseded);
        uint40 at = Clock.nowSeconds();
        emit Superseded(issuer, batch, index, newBatch, newIndex, at);
        _fold(EventHead.digest(abi.encode(bytes32("log/superseded/v2"), issuer, batch, index, newBatch, newIndex, at)));
    }

    /// @inheritdoc ICertificateLog
    function recordUse(bytes32 request, uint16 ordinal) external {
        PartyNo consumer = _REGISTRY.actor(_msgSender(), USES);
        uint32 expected = _nextUse(consumer, request);
        if (ordinal != expected) revert LogUseOutOfOrder(request, expected, ordinal);
        _recordUse(consumer, request, ordinal);
    }

    /// @inheritdoc ICertificateLog
    function recordUsesFor(address account, Use[] calldata uses, uint40 deadline, bytes calldata signature)
        external
        returns (uint256 recorded)
    {
        // Check all conditions before any change.
        PartyNo consumer = _REGISTRY.actor(account, USES);
        uint40 at = Clock.nowSeconds();
        if (at > deadline) revert LogSignatureExpired(deadline, at);
        bytes32 list = sha256(abi.encode(uses));
        bytes memory act =
            abi.encode(bytes32("log/uses/v2"), _ORIGIN, block.chainid, address(this), account, deadline, list);
        _requireSigned(account, act, signature);
        // Change the state and emit the events.
        for (uint256 i = 0; i < uses.length; ++i) {
            Use calldata use = uses[i];
            if (use.ordinal != _nextUse(consumer, use.request)) continue;
            _recordUse(consumer, use.request, use.ordinal);
            ++recorded;
        }
    }

    /// @inheritdoc ICertificateLog
    function withdraw(bytes32 statement) external {
        (PartyNo party, bool reported) = _party(_msgSender());
        uint40 since = _withdrawn(party, statement, reported);
        if (since != 0) revert LogAlreadyWithdrawn(statement, since);
        _withdraw(party, statement, reported);
    }

    /// @inheritdoc ICertificateLog
    function withdrawFor(address account, bytes32[] calldata statements, bytes calldata signature) external {
        // Check all conditions before any change.
        (PartyNo party, bool reported) = _party(account);
        bytes32 list = sha256(abi.encode(statements));
        bytes memory act =
            abi.encode(bytes32("log/withdraw/v2"), _ORIGIN, block.chainid, address(this), account, list);
        _requireSigned(account, act, signature);
        // Change the state and emit the events.
        for (uint256 i = 0; i < statements.length; ++i) {
            if (_withdrawn(party, statements[i], reported) == 0) _withdraw(party, statements[i], reported);
        }
    }

    /// @inheritdoc ICertificateLog
    function hold(bytes32[] calldata statements, Reason reason) external {
        (PartyNo by, uint8 own) = _office(_msgSender());
        for (uint256 i = 0; i < statements.length; ++i) {
            uint8 offices = _holds[statements[i]].offices;
            if (offices & own == own) revert LogAlreadyHeld(statements[i]);
            _setHold(statements[i], offices | own, reason, by);
        }
    }

    /// @inheritdoc ICertificateLog
    function lift(uint8 office, bytes32[] calldata statements, Reason reason) external {
        if (msg.sender != address(_REGISTRY)) revert LogNotDecided();
        PartyNo by = _REGISTRY.actor(msg.sender, roleOfOffice(office));
        for (uint256 i = 0; i < statements.length; ++i) {
            uint8 offices = _holds[statements[i]].offices;
            if (offices & office == 0) revert LogNotHeld(statements[i]);
            _setHold(statements[i], offices & ~office, reason, by);
        }
    }

    function _setOne(uint64 batch, uint32 index, LeafStatus status, Reason reason) private {
        PartyNo issuer = _REGISTRY.actor(_msgSender(), ISSUES);
        _requireBatch(issuer, batch);
        _setLeaf(issuer, batch, index, status, reason);
    }

    function _setLeaf(PartyNo issuer, uint64 batch, uint32 index, LeafStatus status, Reason reason) private {
        _setWord(issuer, batch, index / LEAVES_PER_WORD, 1 << (index % LEAVES_PER_WORD), status, reason);
    }

    /// Sets the status of the leaves that `mask` marks. The statuses of these leaves are all in the storage word number
    /// `word`. Every change of a leaf's status uses this function.
    function _setWord(PartyNo issuer, uint64 batch, uint32 word, uint256 mask, LeafStatus status, Reason reason)
        private
    {
        // Check all conditions before any change.
        mapping(uint32 word => uint256) storage statuses = _logs[issuer].statuses[batch];
        uint256 old = statuses[word];
        uint256 revoked = mask & (old >> LEAVES_PER_WORD);
        if (revoked != 0) revert LogAlreadyRevoked(issuer, batch, _firstLeaf(word, revoked));
        uint256 suspended = mask & old;
        if (status == LeafStatus.Suspended && suspended != 0) {
            revert LogAlreadySuspended(issuer, batch, _firstLeaf(word, suspended));
        }
        if (status == LeafStatus.Active && suspended != mask) {
            revert LogNotSuspended(issuer, batch, _firstLeaf(word, mask & ~suspended));
        }
        // Change the state and emit the events.
        if (status == LeafStatus.Suspended) statuses[word] = old | mask;
        else if (status == LeafStatus.Active) statuses[word] = old & ~mask;
        else statuses[word] = old | (mask << LEAVES_PER_WORD);
        uint40 at = Clock.nowSeconds();
        emit StatusChanged(issuer, batch, word, uint128(mask), status, reason, at);
        _fold(EventHead.digest(abi.encode(bytes32("log/status/v2"), issuer, batch, word, mask, status, reason, at)));
    }

    /// Records a use. The calling function has checked that `ordinal` is the number of the next use, so `ordinal`
    /// becomes the new number of uses.
    function _recordUse(PartyNo consumer, bytes32 request, uint16 ordinal) private {
        _uses[consumer][request] = ordinal;
        uint40 at = Clock.nowSeconds();
        emit Used(consumer, request, ordinal, at);
        _fold(EventHead.digest(abi.encode(bytes32("log/used/v2"), consumer, request, ordinal, at)));
    }

    function _withdraw(PartyNo party, bytes32 statement, bool reported) private {
        uint40 at = Clock.nowSeconds();
        if (reported) _withdrawals[party][statement].reportedAt = at;
        else _withdrawals[party][statement].at = at;
        emit Withdrawn(party, statement, reported, at);
        _fold(EventHead.digest(abi.encode(bytes32("log/withdrawn/v2"), party, statement, reported, at)));
    }

    function _setHold(bytes32 statement, uint8 offices, Reason reason, PartyNo by) private {
        uint64 change = _holds[statement].changes + 1;
        _holds[statement] = Hold(offices, change);
        uint40 at = Clock.nowSeconds();
        emit Held(statement, offices, change, reason, at, by);
        _fold(EventHead.digest(abi.encode(bytes32("log/held/v2"), statement, offices, change, reason, at, by)));
    }

    /// Returns the number of the next use. After 65,535 uses this number is 65,536. No `uint16` ordinal can equal
    /// 65,536, so no further use can be recorded.
    function _nextUse(PartyNo consumer, bytes32 request) private view returns (uint32) {
        return uint32(_uses[consumer][request]) + 1;
    }

    /// Returns the time at which a party withdrew a statement; 0 if there was no such withdrawal. If `reported` is
    /// true, only a withdrawal with a reported key counts; otherwise only a withdrawal with a key that was not reported
    /// counts.
    function _withdrawn(PartyNo party, bytes32 statement, bool reported) private view returns (uint40) {
        Withdrawal storage known = _withdrawals[party][statement];
        return reported ? known.reportedAt : known.at;
    }

    /// Returns the party of a bound account that is not retired, and whether the account was reported. The party's
    /// status and roles are not checked. Only withdrawals use this function; all other acts use the registry's `actor`.
    function _party(address account) private view returns (PartyNo no, bool reported) {
        IPartyRecord.Account memory binding = _REGISTRY.accountOf(account);
        if (binding.no == NOBODY || binding.validTo != 0) revert IPartyRecord.PartyUnknownAccount(account);
        return (binding.no, binding.reportedAt != 0);
    }

    /// Returns the party of `account`, and the mask of the holds that this party may place on statements. Reverts if
    /// the party is neither an authority nor a supervisor.
    function _office(address account) private view returns (PartyNo by, uint8 own) {
        by = _REGISTRY.actor(account, HOLDS);
        uint32 roles = _REGISTRY.partyOf(by).roles;
        if (roles & Roles.AUTHORITY != 0) own |= AUTHORITY_HOLDS;
        if (roles & Roles.SUPERVISOR != 0) own |= SUPERVISOR_HOLDS;
    }

    function _requireSigned(address account, bytes memory act, bytes calldata signature) private view {
        if (!_REGISTRY.signedBy(account, sha256(act), signature)) revert LogSignatureInvalid(account);
    }

    function _requireBatch(PartyNo issuer, uint64 batch) private view {
        if (batch >= _logs[issuer].batchCount) revert LogUnknownBatch(issuer, batch);
    }

    function _firstLeaf(uint32 word, uint256 mask) private pure returns (uint32 index) {
        index = word * LEAVES_PER_WORD;
        while (mask & 1 == 0) {
            mask >>= 1;
            ++index;
        }
    }
}
