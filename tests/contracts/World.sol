// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Forwarder} from "../../contracts/Forwarder.sol";
import {IPartyKeys} from "../../contracts/interfaces/IPartyKeys.sol";
import {PartyRegistry} from "../../contracts/PartyRegistry.sol";
import {IPartyRecord} from "../../contracts/interfaces/IPartyRecord.sol";
import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";
import {PartyId, PartyNo, PartyStatus, ProposalState, Reason, Roles} from "../../contracts/Types.sol";
import {Test} from "./Test.sol";
import {vm} from "./Vm.sol";

/// A party registry with one party for each role, two more officers, and a clock that the tests set.
abstract contract World is Test {
    uint40 internal constant START = 1_790_000_000;
    address internal constant STRANGER = address(0xEE);

    /// A party with two roles: authority and admin.
    PartyNo internal constant AUTHORITY = PartyNo.wrap(1);
    PartyNo internal constant ADMIN = PartyNo.wrap(2);
    PartyNo internal constant SUPERVISOR = PartyNo.wrap(3);
    PartyNo internal constant ISSUER = PartyNo.wrap(4);
    PartyNo internal constant REGISTRAR = PartyNo.wrap(5);
    PartyNo internal constant PROVIDER = PartyNo.wrap(6);
    PartyNo internal constant CONSUMER = PartyNo.wrap(7);
    PartyNo internal constant SUBJECT = PartyNo.wrap(8);
    /// Two more officers: parties with the role authority.
    PartyNo internal constant SECOND_OFFICER = PartyNo.wrap(9);
    PartyNo internal constant THIRD_OFFICER = PartyNo.wrap(10);
    uint32 internal constant PARTIES = 10;

    Forwarder internal forwarder;
    bytes32 internal origin;
    PartyRegistry internal registry;

    function setUp() public virtual {
        vm.warp(START);
        forwarder = Forwarder(deploy("Forwarder", abi.encode(bytes32("salt"))));
        origin = forwarder.origin();
        registry = PartyRegistry(deploy("PartyRegistry", abi.encode(forwarder, delay(), founding())));
    }

    /// Returns the waiting period of proposals in seconds. If it is 0, a confirmed proposal is carried out at once.
    function delay() internal pure virtual returns (uint40) {
        return 0;
    }

    /// Returns the founding parties in the order of their numbers.
    function founding() internal pure virtual returns (IPartyRegistry.Founding[] memory list) {
        list = new IPartyRegistry.Founding[](PARTIES);
        list[0] = founder(AUTHORITY, Roles.AUTHORITY | Roles.ADMIN);
        list[1] = founder(ADMIN, Roles.ADMIN);
        list[2] = founder(SUPERVISOR, Roles.SUPERVISOR);
        list[3] = founder(ISSUER, Roles.ISSUER);
        list[4] = founder(REGISTRAR, Roles.REGISTRAR);
        list[5] = founder(PROVIDER, Roles.PROVIDER);
        list[6] = founder(CONSUMER, Roles.CONSUMER);
        list[7] = founder(SUBJECT, Roles.SUBJECT);
        list[8] = founder(SECOND_OFFICER, Roles.AUTHORITY);
        list[9] = founder(THIRD_OFFICER, Roles.AUTHORITY);
    }

    function founder(PartyNo no, uint32 roles) internal pure returns (IPartyRegistry.Founding memory) {
        address[] memory accounts = new address[](1);
        accounts[0] = accountOf(no);
        return IPartyRegistry.Founding(idOf(no), accounts, roles, new IPartyRegistry.Accreditation[](0));
    }

    /// Returns a copy of the list of founding parties, with empty places for more parties.
    function grown(IPartyRegistry.Founding[] memory list, uint256 more)
        internal
        pure
        returns (IPartyRegistry.Founding[] memory longer)
    {
        longer = new IPartyRegistry.Founding[](list.length + more);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
    }

    function accountOf(PartyNo no) internal pure returns (address) {
        return address(uint160(0x1000 + PartyNo.unwrap(no)));
    }

    function idOf(PartyNo no) internal pure returns (PartyId) {
        return PartyId.wrap(keccak256(abi.encode("party", no)));
    }

    /// Makes this party the sender of the next call.
    function by(PartyNo no) internal {
        vm.prank(accountOf(no));
    }

    function isOfficer(PartyNo no) internal pure returns (bool) {
        return no == AUTHORITY || no == SECOND_OFFICER || no == THIRD_OFFICER;
    }

    /// Makes the party registry itself the sender of the next call.
    function decide(bytes memory call) internal {
        decide(address(registry), call);
    }

    /// Lets the first officer propose a call and the second officer confirm it, and carries out the call after the
    /// waiting period.
    function decide(address target, bytes memory call) internal {
        decideBy(AUTHORITY, SECOND_OFFICER, target, call);
    }

    function decideBy(PartyNo proposer, PartyNo confirmer, address target, bytes memory call) internal {
        by(proposer);
        uint32 no = registry.propose(target, call);
        by(confirmer);
        registry.confirm(no, target, call);
        if (registry.proposalOf(no).state == ProposalState.CarriedOut) return;
        vm.warp(vm.getBlockTimestamp() + delay());
        registry.carryOut(no, target, call);
    }

    /// Sets a party's status, by a proposal if one authority alone may not do so.
    function setStatus(PartyNo no, PartyStatus status) internal {
        uint32 roles = registry.partyOf(no).roles;
        if (status == PartyStatus.Closed || roles & (Roles.AUTHORITY | Roles.SUPERVISOR | Roles.ISSUER) != 0) {
            decide(abi.encodeCall(PartyRegistry.setStatus, (no, status, Reason.Sanction)));
        } else {
            by(AUTHORITY);
            registry.setStatus(no, status, Reason.Sanction);
        }
    }

    function setRoles(PartyNo no, uint32 roles) internal {
        decide(abi.encodeCall(PartyRegistry.setRoles, (no, roles)));
    }

    /// Lets two officers retire the key `old` and bind the key `fresh`; if `fresh` is zero, no key is bound.
    function retire(PartyNo no, address fresh, address old) internal {
        decide(abi.encodeCall(IPartyKeys.changeKey, (no, fresh, old, "")));
    }

    function expectLacksRole(PartyNo no, uint32 anyOf) internal {
        vm.expectRevert(abi.encodeWithSelector(IPartyRecord.PartyLacksRole.selector, no, anyOf));
    }

    function expectUnknownAccount(address account) internal {
        vm.expectRevert(abi.encodeWithSelector(IPartyRecord.PartyUnknownAccount.selector, account));
    }

    function expectNotActive(PartyNo no, PartyStatus status) internal {
        vm.expectRevert(abi.encodeWithSelector(IPartyRecord.PartyNotActive.selector, no, status));
    }
}
