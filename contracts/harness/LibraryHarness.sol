// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EventHead} from "../libraries/EventHead.sol";
import {Rfc9162} from "../libraries/Rfc9162.sol";

/// Makes the libraries callable for tests that compare them with the Python implementation. This contract is never
/// deployed in production.
contract LibraryHarness {
    function leafHash(bytes calldata entry) external pure returns (bytes32) {
        return Rfc9162.leafHash(entry);
    }

    function root(bytes32[] calldata leaves) external pure returns (bytes32) {
        return Rfc9162.root(leaves);
    }

    function verifyInclusion(bytes32 root_, bytes32 leaf, uint256 index, uint256 size, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return Rfc9162.verifyInclusion(root_, leaf, index, size, proof);
    }

    function verifyConsistency(
        bytes32 firstRoot,
        bytes32 secondRoot,
        uint256 first,
        uint256 second,
        bytes32[] calldata proof
    ) external pure returns (bool) {
        return Rfc9162.verifyConsistency(firstRoot, secondRoot, first, second, proof);
    }

    function genesis(bytes32 origin, address contract_) external view returns (bytes32) {
        return EventHead.genesis(origin, contract_);
    }

    function genesisOf(bytes32 origin, address contract_, bytes32 scope) external view returns (bytes32) {
        return EventHead.genesis(origin, contract_, scope);
    }

    function fold(bytes32 head, bytes32[] calldata digests) external view returns (bytes32) {
        for (uint256 i = 0; i < digests.length; ++i) {
            head = EventHead.fold(head, digests[i]);
        }
        return head;
    }
}
