// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Merkle trees with SHA-256 as in RFC 9162, section 2.1. `ledger.proof.merkle` implements these trees in Python, and
/// the tests compare the results of both.
library Rfc9162 {
    /// Returns the hash of a leaf, section 2.1.1.
    function leafHash(bytes memory entry) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), entry));
    }

    /// Returns the hash of an inner node, section 2.1.1.
    function nodeHash(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// Returns the root of the tree over these leaf hashes, section 2.1.1. If `leaves` is empty, the root is the hash
    /// of empty data.
    /// @dev Overwrites `leaves`. If a level has an odd number of nodes, the last node moves up one level unchanged.
    /// The result is the tree that RFC 9162 defines with splits at powers of two.
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        uint256 width = leaves.length;
        if (width == 0) return sha256("");
        while (width > 1) {
            uint256 half = width / 2;
            for (uint256 i = 0; i < half; ++i) {
                leaves[i] = nodeHash(leaves[2 * i], leaves[2 * i + 1]);
            }
            if (width % 2 == 1) leaves[half] = leaves[width - 1];
            width = half + (width % 2);
        }
        return leaves[0];
    }

    /// Returns whether `leaf` has the position `index` in the tree with this root and size, section 2.1.3.2.
    function verifyInclusion(bytes32 root_, bytes32 leaf, uint256 index, uint256 size, bytes32[] memory proof)
        internal
        pure
        returns (bool)
    {
        if (index >= size) return false;
        uint256 fn = index;
        uint256 sn = size - 1;
        bytes32 hash = leaf;
        for (uint256 i = 0; i < proof.length; ++i) {
            if (sn == 0) return false;
            if (fn % 2 == 1 || fn == sn) {
                hash = nodeHash(proof[i], hash);
                while (fn % 2 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                hash = nodeHash(hash, proof[i]);
            }
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && hash == root_;
    }

    /// Returns whether the first `first` leaves of the tree with `second` leaves form the tree with the root
    /// `firstRoot`, section 2.1.4.2.
    function verifyConsistency(
        bytes32 firstRoot,
        bytes32 secondRoot,
        uint256 first,
        uint256 second,
        bytes32[] memory proof
    ) internal pure returns (bool) {
        if (first == 0 || first > second) return false;
        if (first == second) return proof.length == 0 && firstRoot == secondRoot;
        uint256 fn = first - 1;
        uint256 sn = second - 1;
        while (fn % 2 == 1) {
            fn >>= 1;
            sn >>= 1;
        }
        // If `first` is a power of two, the first tree's root is itself a node of the second tree. The proof then does
        // not contain this root, so the computation begins with `firstRoot`.
        uint256 next = 0;
        bytes32 fr = firstRoot;
        if (fn != 0) {
            if (proof.length == 0) return false;
            fr = proof[0];
            next = 1;
        }
        bytes32 sr = fr;
        for (; next < proof.length; ++next) {
            if (sn == 0) return false;
            if (fn % 2 == 1 || fn == sn) {
                fr = nodeHash(proof[next], fr);
                sr = nodeHash(proof[next], sr);
                while (fn % 2 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                sr = nodeHash(sr, proof[next]);
            }
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && fr == firstRoot && sr == secondRoot;
    }
}
