// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Forwarder} from "../../contracts/Forwarder.sol";
import {PartyRegistry} from "../../contracts/PartyRegistry.sol";
import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";
import {PartyId, PartyNo, PartyStatus, Reason, Roles} from "../../contracts/Types.sol";
import {Test} from "./Test.sol";
import {vm} from "./Vm.sol";

/// A registry with one party for each role that acts, and a clock that the tests set.
abstract contract World is Test {
    uint40 internal constant START = 1_790_000_000;
    address internal constant STRANGER = address(0xEE);

    PartyNo internal constant AUTHORITY = PartyNo.wrap(1);
    PartyNo internal constant ADMIN = PartyNo.wrap(2);
    PartyNo internal constant SUPERVISOR = PartyNo.wrap(3);
    PartyNo internal constant ISSUER = PartyNo.wrap(4);
    PartyNo internal constant REGISTRAR = PartyNo.wrap(5);
    PartyNo internal constant PROVIDER = PartyNo.wrap(6);
    PartyNo internal constant CONSUMER = PartyNo.wrap(7);
    PartyNo internal constant SUBJECT = PartyNo.wrap(8);
    uint32 internal constant PARTIES = 8;

    Forwarder internal forwarder;
    bytes32 internal origin;
    PartyRegistry internal registry;

    function setUp() public virtual {
        vm.warp(START);
        forwarder = Forwarder(deploy("Forwarder", abi.encode(bytes32("salt"))));
        origin = forwarder.origin();
        registry = PartyRegistry(
            deploy("PartyRegistry", abi.encode(forwarder, idOf(AUTHORITY), accountOf(AUTHORITY)))
        );
        vm.startPrank(accountOf(AUTHORITY));
        registry.register(idOf(ADMIN), accountOf(ADMIN), Roles.ADMIN);
        registry.register(idOf(SUPERVISOR), accountOf(SUPERVISOR), Roles.SUPERVISOR);
        registry.register(idOf(ISSUER), accountOf(ISSUER), Roles.ISSUER);
        registry.register(idOf(REGISTRAR), accountOf(REGISTRAR), Roles.REGISTRAR);
        registry.register(idOf(PROVIDER), accountOf(PROVIDER), Roles.PROVIDER);
        registry.register(idOf(CONSUMER), accountOf(CONSUMER), Roles.CONSUMER);
        registry.register(idOf(SUBJECT), accountOf(SUBJECT), Roles.SUBJECT);
        vm.stopPrank();
    }

    function accountOf(PartyNo no) internal pure returns (address) {
        return address(uint160(0x1000 + PartyNo.unwrap(no)));
    }

    function idOf(PartyNo no) internal pure returns (PartyId) {
        return PartyId.wrap(keccak256(abi.encode("party", no)));
    }

    /// The next call comes from this party.
    function by(PartyNo no) internal {
        vm.prank(accountOf(no));
    }

    function setStatus(PartyNo no, PartyStatus status) internal {
        by(AUTHORITY);
        registry.setStatus(no, status, Reason.Sanction);
    }

    function expectLacksRole(PartyNo no, uint32 anyOf) internal {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyLacksRole.selector, no, anyOf));
    }

    function expectUnknownAccount(address account) internal {
        vm.expectRevert(abi.encodeWithSelector(IPartyRegistry.PartyUnknownAccount.selector, account));
    }
}
