// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title The origin: a value that distinguishes a ledger from all other ledgers, even from a copy with the same
/// addresses.
interface IOrigin {
    /// @notice Return the origin of the ledger, computed once by its forwarder. See docs/protocol.md, section 1.
    function origin() external view returns (bytes32);
}
