// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// The running head over events, docs/protocol.md section 3. SHA-256 and not keccak: browsers and banks have it,
/// and no chain mode changes its meaning.
library EventHead {
    bytes32 private constant GENESIS = "pingzheng/head/v2";

    /// The head of a contract before its first event.
    function genesis(bytes32 origin, address contract_) internal view returns (bytes32) {
        return sha256(abi.encode(GENESIS, origin, block.chainid, contract_));
    }

    /// The head of one record of a contract before its first event.
    function genesis(bytes32 origin, address contract_, bytes32 scope) internal view returns (bytes32) {
        return sha256(abi.encode(GENESIS, origin, block.chainid, contract_, scope));
    }

    /// The digest of an event: tag and fields, ABI-encoded. As `sha256(encoded)`, but in place: the compiler copies.
    // slither-disable-next-line assembly: about 500 gas less in each act; the tests compare it with the compiler's own
    function digest(bytes memory encoded) internal view returns (bytes32 value) {
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            if iszero(staticcall(gas(), 2, add(encoded, 32), mload(encoded), 0, 32)) { revert(0, 0) }
            value := mload(0)
        }
    }

    /// The head after an event with this digest, `sha256(abi.encode(head, eventDigest))`, in the scratch space.
    // slither-disable-next-line assembly: about 500 gas less in each act, as in `digest`
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
