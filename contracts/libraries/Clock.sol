// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Reads the chain's time for all contracts.
library Clock {
    /// If a block's time is at least this number, it is in milliseconds. In seconds this number is in the year 5138, in
    /// milliseconds in 1973.
    uint256 private constant MILLISECONDS_FROM = 1e11;

    /// @return The block's time in seconds UTC, also on chains whose block times are milliseconds.
    // solhint-disable-next-line not-rely-on-time
    function nowSeconds() internal view returns (uint40) {
        uint256 time = block.timestamp;
        // slither-disable-next-line timestamp: it only distinguishes seconds from milliseconds; nobody can profit
        return uint40(time < MILLISECONDS_FROM ? time : time / 1000);
    }
}
