// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// The one place that reads the chain's time.
library Clock {
    /// Past the year 5138 in seconds, and 1973 in milliseconds.
    uint256 private constant MILLISECONDS_FROM = 1e11;

    /// @return Seconds UTC, also on chains whose blocks count milliseconds.
    // solhint-disable-next-line not-rely-on-time
    function nowSeconds() internal view returns (uint40) {
        uint256 time = block.timestamp;
        // slither-disable-next-line timestamp: the comparison tells seconds from milliseconds; no one gains by either
        return uint40(time < MILLISECONDS_FROM ? time : time / 1000);
    }
}
