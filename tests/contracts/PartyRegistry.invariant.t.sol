// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyRegistry} from "../../contracts/PartyRegistry.sol";
import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";
import {PartyId, PartyNo, PartyStatus, Reason, Roles, ScenarioCode} from "../../contracts/Types.sol";
import {Refold} from "./Refold.sol";
import {Vm, vm} from "./Vm.sol";
import {World} from "./World.sol";

/// Every party tries everything on every party; refused calls change nothing here.
contract PartyHandler {
    uint32 private constant REACH = 12;
    uint32 private constant _ORDINARY = Roles.SUBJECT | Roles.PROVIDER | Roles.CONSUMER | Roles.BROKER;

    PartyRegistry private immutable _REGISTRY;
    bytes32 public head;
    bool public selfGranted;
    /// A party bound itself more accounts than it retired.
    bool public selfExtended;
    /// An admin's call changed an office, a closed party another status, or a compromise moved to a later time.
    bool public officeByAdmin;
    bool public reopened;
    bool public absolved;
    mapping(uint32 no => uint32) public rolesOf;
    mapping(uint32 no => bool) private _closed;
    mapping(address account => uint40) private _compromisedAt;
    mapping(uint32 no => address) private _live;
    mapping(uint32 no => address) private _earlier;
    mapping(uint32 no => uint256) private _givenUp;
    address[] private _retired;
    uint160 private _nextAccount = 0x9000;

    constructor(PartyRegistry registry) {
        _REGISTRY = registry;
        head = registry.head();
        for (uint32 no = 1; no <= registry.count(); ++no) {
            rolesOf[no] = registry.partyOf(PartyNo.wrap(no)).roles;
            _live[no] = address(uint160(0x1000 + no));
        }
    }

    modifier remembered(uint256 who) {
        vm.recordLogs();
        vm.startPrank(_live[uint32(1 + who % REACH)]);
        _;
        vm.stopPrank();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        head = Refold.over(head, logs, address(_REGISTRY));
        for (uint256 i = 0; i < logs.length; ++i) {
            _read(logs[i]);
        }
    }

    function register(uint256 who, bytes32 id, uint32 roles) external remembered(who) {
        _REGISTRY.register(PartyId.wrap(id), _fresh(), roles & Roles.ALL);
    }

    function setRoles(uint256 who, uint32 no, uint32 roles) external remembered(who) {
        _REGISTRY.setRoles(_party(no), roles & Roles.ALL);
    }

    function setStatus(uint256 who, uint32 no, uint8 status) external remembered(who) {
        // Mostly active, lest soon nobody acts.
        _REGISTRY.setStatus(_party(no), PartyStatus(status < 200 ? 1 : status % 5), Reason.Court);
    }

    function bindAccount(uint256 who, uint32 no) external remembered(who % 2 * who) {
        _REGISTRY.bindAccount(_party(no), _fresh());
    }

    function retireAccount(uint256 who) external remembered(who) {
        _REGISTRY.retireAccount(_earlier[uint32(1 + who % REACH)]);
    }

    function rotateAccount(uint256 who) external remembered(who) {
        _REGISTRY.rotateAccount(_fresh());
    }

    function recoverAccount(uint256 who, uint32 no, uint40 compromisedAt) external remembered(who) {
        _REGISTRY.recoverAccount(_party(no), _live[1 + no % REACH], _fresh(), compromisedAt % 1_790_000_000);
        if (no % REACH == who % REACH) selfGranted = true;
    }

    /// Half of the reports come from the founder, or few would be heard.
    function reportCompromise(uint256 who, uint256 which, uint40 compromisedAt) external remembered(who % 2 * who) {
        address account = _retired[which % _retired.length];
        _REGISTRY.reportCompromise(_REGISTRY.accountOf(account).no, account, compromisedAt % 1_790_000_000);
    }

    function accredit(uint256 who, uint32 no, uint40 from, uint40 length) external remembered(who) {
        _REGISTRY.accredit(_party(no), ScenarioCode.wrap("S51"), from, from + length);
    }

    function checkRoles() external view {
        for (uint32 no = 1; no <= _REGISTRY.count(); ++no) {
            require(_REGISTRY.partyOf(PartyNo.wrap(no)).roles == rolesOf[no], "roles differ");
        }
    }

    function checkClosed() external view {
        for (uint32 no = 1; no <= _REGISTRY.count(); ++no) {
            bool closed = _REGISTRY.partyOf(PartyNo.wrap(no)).status == PartyStatus.Closed;
            require(closed == _closed[no], "closed or not");
        }
    }

    function checkCompromised() external view {
        for (uint256 i = 0; i < _retired.length; ++i) {
            uint40 known = _REGISTRY.accountOf(_retired[i]).compromisedAt;
            require(known == _compromisedAt[_retired[i]], "compromised at another time");
        }
    }

    function checkRetired() external view {
        for (uint256 i = 0; i < _retired.length; ++i) {
            try _REGISTRY.actor(_retired[i], Roles.ALL) {
                revert("a retired account acts");
            } catch (bytes memory reason) {
                require(bytes4(reason) == IPartyRegistry.PartyUnknownAccount.selector, "another reason");
            }
        }
    }

    function _read(Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        uint32 no = uint32(uint256(log.topics[1]));
        uint32 by = uint32(uint256(_lastWord(log.data)));
        uint256 first = uint256(bytes32(log.data));
        if (topic == IPartyRegistry.RolesChanged.selector) {
            bool office = (uint32(first) ^ rolesOf[no]) & ~_ORDINARY != 0;
            if (office && rolesOf[by] & Roles.AUTHORITY == 0) officeByAdmin = true;
            rolesOf[no] = uint32(first);
        }
        if (topic == IPartyRegistry.PartyStatusChanged.selector) {
            if (_closed[no]) reopened = true;
            _closed[no] = first == uint256(PartyStatus.Closed);
        }
        if (topic == IPartyRegistry.AccountRetired.selector) _compromisedAt[_account(log)] = uint40(first);
        if (topic == IPartyRegistry.AccountCompromised.selector) {
            uint40 known = _compromisedAt[_account(log)];
            if (known != 0 && first >= known) absolved = true;
            _compromisedAt[_account(log)] = uint40(first);
        }
        if (topic == IPartyRegistry.AccountBound.selector) {
            if (no == by && _givenUp[no] == 0) selfExtended = true;
            else if (no == by) --_givenUp[no];
            _earlier[no] = _live[no];
            _live[no] = _account(log);
        }
        if (topic == IPartyRegistry.AccountRetired.selector) {
            _retired.push(_account(log));
            if (no == by) ++_givenUp[no];
        }
        // A party retires accounts of its own, and binds them by rotation, and then only without a compromise.
        bool rotation = topic == IPartyRegistry.AccountBound.selector
            || (topic == IPartyRegistry.AccountRetired.selector && first == 0);
        if (no == by && !rotation) selfGranted = true;
    }

    function _fresh() private returns (address) {
        return address(++_nextAccount);
    }

    function _party(uint32 no) private pure returns (PartyNo) {
        return PartyNo.wrap(1 + no % REACH);
    }

    function _account(Vm.Log memory log) private pure returns (address) {
        return address(uint160(uint256(log.topics[2])));
    }

    function _lastWord(bytes memory data) private pure returns (bytes32 word) {
        assembly {
            word := mload(add(data, mload(data)))
        }
    }
}

/// See PartyRegistry.tree.
contract PartyRegistryInvariants is World {
    PartyHandler private _handler;

    function setUp() public override {
        super.setUp();
        _handler = new PartyHandler(registry);
        targetContract(address(_handler));
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_NoPartyGivesToItself() public view {
        assertTrue(!_handler.selfGranted(), "a party gave to itself");
        assertTrue(!_handler.selfExtended(), "a party has more accounts by itself");
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_NoOfficeIsGivenOrTakenByAnAdmin() public view {
        assertTrue(!_handler.officeByAdmin(), "an admin gave or took an office");
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_ClosedStaysClosed() public view {
        assertTrue(!_handler.reopened(), "a closed party left");
        _handler.checkClosed();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_CompromiseNeverMovesLater() public view {
        assertTrue(!_handler.absolved(), "a compromise moved later");
        _handler.checkCompromised();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_RolesAreThoseOfTheLastEvent() public view {
        _handler.checkRoles();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_RetiredAccountNeverActsAgain() public view {
        _handler.checkRetired();
    }

    /// forge-config: default.invariant.runs = 16
    /// forge-config: default.invariant.depth = 100
    function invariant_HeadIsTheGenesisFoldedOverEveryEvent() public view {
        assertEq(registry.head(), _handler.head());
    }
}
