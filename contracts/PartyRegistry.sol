// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IOrigin} from "./interfaces/IOrigin.sol";
import {IPartyRegistry} from "./interfaces/IPartyRegistry.sol";
import {Clock} from "./libraries/Clock.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {PartyKeys} from "./parties/PartyKeys.sol";
import {PartyRecord} from "./parties/PartyRecord.sol";
import {PartyNo, PartyStatus, Reason, Roles, ScenarioCode} from "./Types.sol";

/// @title Implements IPartyRegistry, together with the base contracts. The interfaces document the functions.
contract PartyRegistry is PartyKeys, IPartyRegistry {
    struct Period {
        uint40 from;
        uint40 to;
    }

    // Storage slot 10.
    mapping(PartyNo no => mapping(ScenarioCode scenario => Period)) private _accreditations;

    /// @param forwarder The trusted ERC-2771 forwarder. The contract also reads the ledger's origin from the forwarder.
    /// @param wait How many seconds a proposal waits; paused seconds are not counted.
    /// @param founding The first parties, in the order of their party numbers. At least three of them must be officers.
    constructor(address forwarder, uint40 wait, Founding[] memory founding) PartyRecord(forwarder, wait) {
        for (uint256 i = 0; i < founding.length; ++i) {
            _found(founding[i]);
        }
        _requireOfficers();
    }

    /// @inheritdoc IPartyRegistry
    function setRoles(PartyNo no, uint32 roles) external {
        PartyNo by = _grantor(REGISTERS, no);
        uint32 offices = (roles ^ _standings[no].roles) & OFFICES;
        if (offices != 0 && !_isDecided()) revert PartyOfficeByProposal(offices);
        bool officer = _isOfficer(no);
        _setRoles(no, roles, by);
        _recount(no, officer);
    }

    /// @inheritdoc IPartyRegistry
    function setStatus(PartyNo no, PartyStatus status, Reason reason) external {
        // Check all conditions before any change.
        PartyNo by = _grantor(GUARDS, no);
        Standing storage standing = _standings[no];
        if (standing.status == PartyStatus.Closed) revert PartyClosed(no, standing.since);
        if (status == PartyStatus.None) revert PartyNotActive(no, status);
        // Closing a party, and changing the status of an authority, supervisor or issuer, needs two parties, because
        // the effect is large. For example, all certificates of a suspended issuer are invalid.
        bool alone = status != PartyStatus.Closed && standing.roles & (GUARDS | Roles.ISSUER) == 0;
        if (!alone && !_isDecided()) revert PartyNotDecided();
        bool officer = _isOfficer(no);
        // Change the state and emit the events.
        uint40 at = Clock.nowSeconds();
        standing.status = status;
        standing.since = at;
        _listen(standing);
        emit PartyStatusChanged(no, status, reason, at, by);
        _foldAct("party/status/v1", PartyNo.unwrap(no), uint8(status), uint8(reason), at, by);
        _recount(no, officer);
    }

    /// @inheritdoc IPartyRegistry
    function accredit(PartyNo no, ScenarioCode scenario, uint40 from, uint40 to) external {
        _accredit(no, scenario, Period(from, to), _requireDecided());
    }

    /// @inheritdoc IPartyRegistry
    function accreditationOf(PartyNo no, ScenarioCode scenario) external view returns (uint40 from, uint40 to) {
        Period storage period = _accreditations[no][scenario];
        return (period.from, period.to);
    }

    /// @inheritdoc IPartyRegistry
    function signedBy(address account, bytes32 hash, bytes calldata signature) external view returns (bool) {
        return Signatures.signedBy(account, hash, signature);
    }

    /// @inheritdoc IOrigin
    function origin() external view returns (bytes32) {
        return _ORIGIN;
    }

    function _found(Founding memory party) private {
        PartyNo first = PartyNo.wrap(1);
        if (party.accounts.length == 0) revert PartyNoProvenKey(party.id);
        PartyNo no = _add(party.id, first);
        for (uint256 i = 0; i < party.accounts.length; ++i) {
            _bind(no, party.accounts[i], true, i == 0, first);
        }
        _setRoles(no, party.roles, first);
        for (uint256 i = 0; i < party.accreditations.length; ++i) {
            Accreditation memory given = party.accreditations[i];
            _accredit(no, given.scenario, Period(given.from, given.to), first);
        }
        _recount(no, false);
    }

    function _accredit(PartyNo no, ScenarioCode scenario, Period memory period, PartyNo by) private {
        // Check all conditions before any change.
        uint40 at = Clock.nowSeconds();
        Period storage known = _accreditations[no][scenario];
        (uint40 from, uint40 to) = (period.from, period.to);
        bool takesBack = known.to != 0 && (from > known.from || (to < known.to && to < at));
        if (from >= to || takesBack) revert PartyPeriod(from, to);
        // Change the state and emit the events.
        _accreditations[no][scenario] = period;
        emit Accredited(no, scenario, from, to, at, by);
        _fold(abi.encode(bytes32("party/accredited/v1"), no, scenario, from, to, at, by));
    }
}
