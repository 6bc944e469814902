// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// The running head over events, docs/protocol.md section 3. SHA-256 and not keccak: browsers and banks have it,
/// and no chain mode changes its meaning.
library EventHead {
    bytes32 private constant GENESIS = "pingzheng/head/v1";

    /// The head of a contract before its first event.
    function genesis(address contract_) internal view returns (bytes32) {
        return sha256(abi.encode(GENESIS, block.chainid, contract_));
    }

    /// The head of one record of a contract before its first event.
    function genesis(address contract_, bytes32 scope) internal view returns (bytes32) {
        return sha256(abi.encode(GENESIS, block.chainid, contract_, scope));
    }

    /// The head after an event with this digest.
    function fold(bytes32 head, bytes32 digest) internal pure returns (bytes32) {
        return sha256(abi.encode(head, digest));
    }
}
