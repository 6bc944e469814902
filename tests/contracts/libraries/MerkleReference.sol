// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Computes roots and proofs of Merkle trees over leaf hashes, by the recursive definitions of RFC 9162, section 2.1.
library MerkleReference {
    /// Returns the Merkle tree hash, MTH in section 2.1.1 of RFC 9162.
    function head(bytes32[] memory leaves, uint256 from, uint256 to) internal pure returns (bytes32) {
        if (from == to) return sha256("");
        if (to - from == 1) return leaves[from];
        uint256 k = split(to - from);
        return sha256(abi.encodePacked(hex"01", head(leaves, from, from + k), head(leaves, from + k, to)));
    }

    /// Returns an inclusion proof, PATH in section 2.1.3.1 of RFC 9162.
    function path(bytes32[] memory leaves, uint256 index, uint256 from, uint256 to)
        internal
        pure
        returns (bytes32[] memory)
    {
        if (to - from == 1) return new bytes32[](0);
        uint256 k = from + split(to - from);
        if (index < k) return append(path(leaves, index, from, k), head(leaves, k, to));
        return append(path(leaves, index, k, to), head(leaves, from, k));
    }

    /// Returns a consistency proof, PROOF in section 2.1.4.1 of RFC 9162.
    function consistency(bytes32[] memory leaves, uint256 first) internal pure returns (bytes32[] memory) {
        return _subproof(leaves, first, 0, leaves.length, true);
    }

    /// Returns the path from a leaf to the root, one byte for each level: 1 if the sibling is on the left.
    function turns(uint256 index, uint256 size) internal pure returns (bytes memory) {
        if (size == 1) return "";
        uint256 k = split(size);
        if (index < k) return bytes.concat(turns(index, k), hex"00");
        return bytes.concat(turns(index - k, size - k), hex"01");
    }

    /// Returns the largest power of two that is smaller than n.
    function split(uint256 n) internal pure returns (uint256 k) {
        k = 1;
        while (2 * k < n) {
            k *= 2;
        }
    }

    function append(bytes32[] memory some, bytes32 last) internal pure returns (bytes32[] memory all) {
        all = new bytes32[](some.length + 1);
        for (uint256 i = 0; i < some.length; ++i) {
            all[i] = some[i];
        }
        all[some.length] = last;
    }

    function withoutLast(bytes32[] memory all) internal pure returns (bytes32[] memory some) {
        some = new bytes32[](all.length - 1);
        for (uint256 i = 0; i < some.length; ++i) {
            some[i] = all[i];
        }
    }

    function _subproof(bytes32[] memory leaves, uint256 first, uint256 from, uint256 to, bool whole)
        private
        pure
        returns (bytes32[] memory)
    {
        if (first == to - from) {
            return whole ? new bytes32[](0) : append(new bytes32[](0), head(leaves, from, to));
        }
        uint256 k = split(to - from);
        if (first <= k) {
            return append(_subproof(leaves, first, from, from + k, whole), head(leaves, from + k, to));
        }
        return append(_subproof(leaves, first - k, from + k, to, false), head(leaves, from, from + k));
    }
}
