// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rfc9162} from "../../../contracts/libraries/Rfc9162.sol";
import {MerkleReference} from "./MerkleReference.sol";
import {MerkleVectors} from "./MerkleVectors.sol";
import {Test} from "../Test.sol";

/// Tests hashes, roots and inclusion proofs; see Rfc9162.tree.
contract Rfc9162Test is Test {
    struct Claim {
        bytes32 root;
        bytes32 leaf;
        uint256 index;
        uint256 size;
        bytes32[] proof;
    }

    function testFuzz_leafHash_ItIsTheHashOfZeroAndTheEntry(bytes calldata entry) public pure {
        assertEq(Rfc9162.leafHash(entry), sha256(bytes.concat(hex"00", entry)));
    }

    function testFuzz_leafHash_ItDiffersFromTheHashOfANode(bytes32 left, bytes32 right) public pure {
        assertEq(Rfc9162.nodeHash(left, right), sha256(bytes.concat(hex"01", left, right)));
        assertTrue(Rfc9162.leafHash(bytes.concat(left, right)) != Rfc9162.nodeHash(left, right), "no leaf is a node");
    }

    function test_root_ItEqualsTheCertificateTransparencyRoots() public pure {
        for (uint256 size = 0; size <= 8; ++size) {
            bytes32[] memory leaves = new bytes32[](size);
            for (uint256 i = 0; i < size; ++i) {
                leaves[i] = MerkleVectors.leaves8()[i];
            }
            assertEq(Rfc9162.root(leaves), MerkleVectors.rootOf(size));
        }
    }

    function testFuzz_root_ItEqualsTheRecursiveDefinition(bytes32 seed, uint8 size) public pure {
        bytes32[] memory leaves = _leaves(seed, size);
        bytes32 expected = MerkleReference.head(leaves, 0, size);
        assertEq(Rfc9162.root(leaves), expected);
    }

    function test_verifyInclusion_WhenTheProofIsPublished() public pure {
        _assertPublished(0, 1, new bytes32[](0));
        _assertPublished(0, 8, MerkleVectors.inclusion0of8());
        _assertPublished(5, 8, MerkleVectors.inclusion5of8());
        _assertPublished(2, 3, MerkleVectors.inclusion2of3());
        _assertPublished(6, 7, MerkleVectors.inclusion6of7());
    }

    function testFuzz_verifyInclusion_WhenTheProofFollowsTheRecursiveDefinition(bytes32 seed, uint8 n) public pure {
        uint256 size = bound(n, 1, 20);
        for (uint256 index = 0; index < size; ++index) {
            _assertPasses(_claim(seed, index, size));
        }
    }

    function testFuzz_verifyInclusion_WhenTheRootDiffers(bytes32 seed, uint8 i, uint8 n, uint8 bit) public pure {
        Claim memory claim = _any(seed, i, n);
        claim.root = _flip(claim.root, bit);
        _assertFails(claim);
    }

    function testFuzz_verifyInclusion_WhenTheLeafDiffers(bytes32 seed, uint8 i, uint8 n, uint8 bit) public pure {
        Claim memory claim = _any(seed, i, n);
        claim.leaf = _flip(claim.leaf, bit);
        _assertFails(claim);
    }

    function testFuzz_verifyInclusion_WhenASiblingDiffers(bytes32 seed, uint8 i, uint8 n, uint8 bit) public pure {
        Claim memory claim = _any(seed, i, n);
        for (uint256 at = 0; at < claim.proof.length; ++at) {
            bytes32 sibling = claim.proof[at];
            claim.proof[at] = _flip(sibling, bit);
            _assertFails(claim);
            claim.proof[at] = sibling;
        }
        _assertPasses(claim);
    }

    function testFuzz_verifyInclusion_WhenTheIndexIsTooLowOrTooHighByOne(bytes32 seed, uint8 i, uint8 n) public pure {
        Claim memory claim = _any(seed, i, n);
        ++claim.index;
        _assertFails(claim);
        --claim.index;
        if (claim.index == 0) return;
        --claim.index;
        _assertFails(claim);
    }

    function testFuzz_verifyInclusion_WhenTheProofIsOneHashShorterOrLonger(bytes32 seed, uint8 i, uint8 n) public pure {
        Claim memory claim = _any(seed, i, n);
        bytes32[] memory proof = claim.proof;
        claim.proof = MerkleReference.append(proof, claim.root);
        _assertFails(claim);
        claim.proof = MerkleReference.append(proof, 0);
        _assertFails(claim);
        if (proof.length == 0) return;
        claim.proof = MerkleReference.withoutLast(proof);
        _assertFails(claim);
    }

    function testFuzz_verifyInclusion_WhenAWrongSizeChangesThePathToTheRoot(bytes32 seed, uint8 i, uint8 n)
        public
        pure
    {
        Claim memory claim = _any(seed, i, n);
        bytes32 turns = keccak256(MerkleReference.turns(claim.index, claim.size));
        for (uint256 size = claim.index + 1; size < 80; ++size) {
            if (keccak256(MerkleReference.turns(claim.index, size)) == turns) continue;
            claim.size = size;
            _assertFails(claim);
        }
    }

    function testFuzz_verifyInclusion_WhenTheSizeIsTooLowOrTooHighByOneForTheLastLeaf(bytes32 seed, uint8 n)
        public
        pure
    {
        uint256 size = bound(n, 1, 40);
        Claim memory claim = _claim(seed, size - 1, size);
        claim.size = size - 1;
        _assertFails(claim);
        claim.size = size + 1;
        _assertFails(claim);
    }

    function test_verifyInclusion_WhenALongPathIsClaimedForASmallTree() public pure {
        Claim memory claim = _claim("small", 7, 8);
        claim.index = 0;
        claim.size = 1;
        _assertFails(claim);
        (claim.index, claim.size) = (3, 4);
        _assertFails(claim);
    }

    function test_verifyInclusion_WhenAWrongSizeKeepsThePathToTheRoot() public pure {
        Claim memory claim = _claim("same", 0, 3);
        claim.size = 4;
        _assertPasses(claim);
    }

    function testFuzz_verifyInclusion_WhenTheIndexLiesOutsideTheTree(bytes32 seed, uint8 n, uint256 index) public pure {
        Claim memory claim = _any(seed, 0, n);
        claim.index = bound(index, claim.size, type(uint256).max - 1);
        _assertFails(claim);
        claim.size = 0;
        _assertFails(claim);
    }

    function testFuzz_verifyInclusion_WhenTheInputIsArbitrary(
        bytes32 root,
        bytes32 leaf,
        uint256 index,
        uint256 size,
        bytes32[] calldata proof
    ) public pure {
        if (root == leaf) return;
        _assertFails(Claim(root, leaf, index, size, proof));
    }

    function _assertPublished(uint256 index, uint256 size, bytes32[] memory proof) private pure {
        _assertPasses(Claim(MerkleVectors.rootOf(size), MerkleVectors.leaves8()[index], index, size, proof));
    }

    function _assertPasses(Claim memory c) private pure {
        assertTrue(Rfc9162.verifyInclusion(c.root, c.leaf, c.index, c.size, c.proof), "must pass");
    }

    function _assertFails(Claim memory c) private pure {
        assertTrue(!Rfc9162.verifyInclusion(c.root, c.leaf, c.index, c.size, c.proof), "must fail");
    }

    function _any(bytes32 seed, uint256 i, uint256 n) private pure returns (Claim memory) {
        uint256 size = bound(n, 1, 40);
        return _claim(seed, i % size, size);
    }

    function _claim(bytes32 seed, uint256 index, uint256 size) private pure returns (Claim memory) {
        bytes32[] memory leaves = _leaves(seed, size);
        bytes32[] memory proof = MerkleReference.path(leaves, index, 0, size);
        return Claim(MerkleReference.head(leaves, 0, size), leaves[index], index, size, proof);
    }

    function _leaves(bytes32 seed, uint256 size) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
    }

    function _flip(bytes32 word, uint8 bit) private pure returns (bytes32) {
        return word ^ bytes32(uint256(1) << bit);
    }
}
