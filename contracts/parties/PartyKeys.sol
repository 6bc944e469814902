// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyKeys} from "../interfaces/IPartyKeys.sol";
import {Clock} from "../libraries/Clock.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {NOBODY, PartyNo, Roles} from "../Types.sol";
import {Proposals} from "./Proposals.sol";

/// @title Implements IPartyKeys. The interface documents the functions.
abstract contract PartyKeys is Proposals, IPartyKeys {
    /// @inheritdoc IPartyKeys
    function register(Registration[] calldata parties) external {
        PartyNo by = _requireDecided();
        _requireRunning();
        for (uint256 i = 0; i < parties.length; ++i) {
            _register(parties[i], by);
        }
    }

    /// @inheritdoc IPartyKeys
    function changeKey(PartyNo no, address fresh, address old, bytes calldata proof) external {
        PartyNo by = _requireDecided();
        _requireRunning();
        if (fresh == address(0) && old == address(0)) revert PartyZero();
        bool officer = _isOfficer(no);
        if (old != address(0)) _retire(no, old, by);
        if (fresh != address(0)) {
            if (by == no && proof.length == 0) revert PartyProofMissing(fresh);
            _bindProven(no, fresh, no, proof, by);
        } else if (_standings[no].speaking == 0) revert PartyLastKey(old);
        _recount(no, officer);
    }

    /// @inheritdoc IPartyKeys
    function report(PartyNo no, address account) external {
        address calling = _msgSender();
        PartyNo by;
        if (_accounts[calling].no == no) {
            by = _owner(calling);
        } else {
            by = actor(calling, Roles.AUTHORITY);
            if (!_isDecided() && _standings[no].roles & GUARDS != 0) revert PartyNotDecided();
        }
        _report(no, account, by);
    }

    /// @inheritdoc IPartyKeys
    function reportFor(address by, PartyNo no, address account, bytes calldata signature) external {
        if (_owner(by) != no) revert PartyAccountNotBound(no, by);
        if (!_isSigned(by, "party/report/v2", uint160(account), signature)) revert PartySignatureInvalid(by);
        _report(no, account, no);
    }

    /// @inheritdoc IPartyKeys
    function dateCompromise(PartyNo no, address account, uint40 compromisedAt) external {
        // Check all conditions before any change.
        PartyNo by = _requireDecided();
        Account storage key = _accounts[account];
        if (key.no != no) revert PartyAccountNotBound(no, account);
        uint40 at = Clock.nowSeconds();
        uint40 known = key.compromisedAt;
        uint40 latest = known == 0 ? at : known - 1;
        if (compromisedAt == 0 || compromisedAt > latest) revert PartyCompromiseTime(compromisedAt, latest);
        // Change the state and emit the events.
        if (key.validTo == 0 && key.reportedAt == 0) _report(no, account, by);
        key.compromisedAt = compromisedAt;
        emit AccountCompromised(no, account, compromisedAt, at, by);
        _foldAct("party/compromised/v1", PartyNo.unwrap(no), uint160(account), compromisedAt, at, by);
    }

    function _register(Registration calldata party, PartyNo by) private {
        uint32 offices = party.roles & OFFICES;
        if (offices != 0) revert PartyOfficeByProposal(offices);
        PartyNo no = _add(party.id, by);
        for (uint256 i = 0; i < party.keys.length; ++i) {
            Key calldata key = party.keys[i];
            _bindProven(no, key.account, NOBODY, key.proof, by);
        }
        if (_standings[no].speaking == 0) revert PartyNoProvenKey(party.id);
        _setRoles(no, party.roles, by);
    }

    function _retire(PartyNo no, address account, PartyNo by) private {
        Account storage key = _live(no, account);
        uint40 at = Clock.nowSeconds();
        uint32 proposal = _deciding;
        _silence(no, key);
        key.validTo = at;
        emit AccountRetired(no, account, proposal, at, by);
        _foldAct("party/retired/v2", PartyNo.unwrap(no), uint160(account), proposal, at, by);
    }

    function _report(PartyNo no, address account, PartyNo by) private {
        // Check all conditions before any change.
        _requireKnown(no);
        Account storage key = _live(no, account);
        if (key.reportedAt != 0) revert PartyAlreadyReported(account, key.reportedAt);
        bool officer = _isOfficer(no);
        // Change the state and emit the events.
        uint40 at = Clock.nowSeconds();
        _silence(no, key);
        key.reportedAt = at;
        emit AccountReported(no, account, at, by);
        _fold(abi.encode(bytes32("party/reported/v1"), no, account, at, by));
        _recount(no, officer);
    }

    /// Lowers two numbers before `key` is retired or reported: how many keys may act for the party, and how many of
    /// these keys can send transactions. A number that did not count `key` stays as it is.
    function _silence(PartyNo no, Account storage key) private {
        if (!key.proven || key.reportedAt != 0) return;
        Standing storage standing = _standings[no];
        --standing.speaking;
        if (key.acts) --standing.acting;
        _listen(standing);
    }

    /// Binds a key to the party `no`. If `proof` is empty, the key is bound unproven. Otherwise the key is bound as
    /// proven, and `proof` must be the key's signature for the number `whom`: 0 for the first keys of a new party, else
    /// `no`.
    function _bindProven(PartyNo no, address account, PartyNo whom, bytes calldata proof, PartyNo by) private {
        bool proven = proof.length != 0;
        if (proven && !_isSigned(account, "party/key/v2", PartyNo.unwrap(whom), proof)) {
            revert PartyProofInvalid(account);
        }
        _bind(no, account, proven, Signatures.isOfSecp256k1(proof), by);
    }

    function _live(PartyNo no, address account) private view returns (Account storage key) {
        key = _accounts[account];
        if (key.no != no || key.validTo != 0) revert PartyAccountNotBound(no, account);
    }
}
