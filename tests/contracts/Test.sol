// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyNo} from "../../contracts/Types.sol";
import {vm} from "./Vm.sol";

/// The base of all tests. It has assertions that revert, and the list of contracts that invariant tests call.
abstract contract Test {
    error NotEqual(bytes32 actual, bytes32 expected);
    error NotTrue(string what);

    address[] private _targets;

    function targetContracts() public view returns (address[] memory) {
        return _targets;
    }

    function targetContract(address target) internal {
        _targets.push(target);
    }

    /// Deploys a contract, which the test runner finds by name. `new` would copy the contract's code into every test
    /// contract.
    function deploy(string memory name, bytes memory arguments) internal returns (address created) {
        bytes memory code = bytes.concat(vm.getCode(name), arguments);
        assembly {
            created := create(0, add(code, 32), mload(code))
        }
        assertTrue(created != address(0), name);
    }

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }

    function assertEq(bytes32 actual, bytes32 expected) internal pure {
        if (actual != expected) revert NotEqual(actual, expected);
    }

    function assertEq(uint256 actual, uint256 expected) internal pure {
        assertEq(bytes32(actual), bytes32(expected));
    }

    function assertEq(address actual, address expected) internal pure {
        assertEq(uint160(actual), uint160(expected));
    }

    function assertEq(PartyNo actual, PartyNo expected) internal pure {
        assertEq(uint256(PartyNo.unwrap(actual)), uint256(PartyNo.unwrap(expected)));
    }

    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }
}
