// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What tells a ledger from every other one, a copy under the same addresses included.
interface IOrigin {
    /// @notice The origin of the ledger, computed once by its forwarder. See docs/protocol.md, section 1.
    function origin() external view returns (bytes32);
}
