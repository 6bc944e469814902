// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Reads the chain's time for all contracts.
library Clock {
    /// A block time of at least this number is read as milliseconds, a smaller block time as seconds. No block time of
    /// today is read wrongly: as seconds this number means the year 5138, as milliseconds the year 1973.
    uint256 private constant MILLISECONDS_FROM = 1e11;

    /// @return The block's time in seconds UTC, even on chains that give block times in milliseconds.
    // solhint-disable-next-line not-rely-on-time
    function nowSeconds() internal view returns (uint40) {
        uint256 time = block.timestamp;
        // slither-disable-next-line timestamp: it only distinguishes seconds from milliseconds; nobody can profit
        return uint40(time < MILLISECONDS_FROM ? time : time / 1000);
    }
}
