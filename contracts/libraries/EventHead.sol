// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Computes the head of a hash chain over events (docs/protocol.md, section 3). The hash is SHA-256 and not keccak,
/// because the software of browsers and banks has SHA-256, and because no setting of a chain changes SHA-256.
library EventHead {
    /// The tag that is hashed into the first head of every hash chain. The version in the tag changes when the format
    /// of the heads changes.
    bytes32 private constant GENESIS = "pingzheng/head/v2";

    /// Returns the head of a contract's hash chain before the first event.
    function genesis(bytes32 origin, address contract_) internal view returns (bytes32) {
        return sha256(abi.encode(GENESIS, origin, block.chainid, contract_));
    }

    /// Returns the head of the hash chain of one record (`scope`) of a contract before the first event.
    function genesis(bytes32 origin, address contract_, bytes32 scope) internal view returns (bytes32) {
        return sha256(abi.encode(GENESIS, origin, block.chainid, contract_, scope));
    }

    /// Returns the digest of an event, `sha256(encoded)`. `encoded` is the event's tag and fields, ABI-encoded. The
    /// assembly code avoids a copy of `encoded` that the compiler would make.
    // slither-disable-next-line assembly: saves about 500 gas in each act; the tests compare it with `sha256`
    function digest(bytes memory encoded) internal view returns (bytes32 value) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            if iszero(staticcall(gas(), 2, add(encoded, 32), mload(encoded), 0, 32)) { revert(0, 0) }
            value := mload(0)
        }
    }

    /// Returns the head after an event, `sha256(abi.encode(head, eventDigest))`. The assembly code hashes in Solidity's
    /// scratch memory.
    // slither-disable-next-line assembly: saves about 500 gas in each act, as in `digest`
    function fold(bytes32 head, bytes32 eventDigest) internal view returns (bytes32 value) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(0, head)
            mstore(32, eventDigest)
            if iszero(staticcall(gas(), 2, 0, 64, 0, 32)) { revert(0, 0) }
            value := mload(0)
        }
    }
}
