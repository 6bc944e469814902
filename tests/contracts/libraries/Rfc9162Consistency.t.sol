// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rfc9162} from "../../../contracts/libraries/Rfc9162.sol";
import {MerkleReference} from "./MerkleReference.sol";
import {MerkleVectors} from "./MerkleVectors.sol";
import {Test} from "../Test.sol";

/// Tests consistency proofs; see Rfc9162.tree.
contract Rfc9162ConsistencyTest is Test {
    struct Claim {
        bytes32 firstRoot;
        bytes32 secondRoot;
        uint256 first;
        uint256 second;
        bytes32[] proof;
    }

    function test_verifyConsistency_WhenTheProofIsPublished() public pure {
        _assertPublished(6, 8, MerkleVectors.consistency6in8());
        _assertPublished(3, 7, MerkleVectors.consistency3in7());
        _assertPublished(4, 7, MerkleVectors.consistency4in7());
        _assertPublished(8, 8, new bytes32[](0));
    }

    function testFuzz_verifyConsistency_WhenTheProofFollowsTheRecursiveDefinition(bytes32 seed, uint8 n) public pure {
        uint256 second = bound(n, 1, 12);
        for (uint256 first = 1; first <= second; ++first) {
            _assertPasses(_claim(seed, first, second));
        }
    }

    function testFuzz_verifyConsistency_WhenTheFirstRootDiffers(bytes32 seed, uint8 m, uint8 n, uint8 bit)
        public
        pure
    {
        Claim memory claim = _any(seed, m, n);
        claim.firstRoot = _flip(claim.firstRoot, bit);
        _assertFails(claim);
    }

    function testFuzz_verifyConsistency_WhenTheSecondRootDiffers(bytes32 seed, uint8 m, uint8 n, uint8 bit)
        public
        pure
    {
        Claim memory claim = _any(seed, m, n);
        claim.secondRoot = _flip(claim.secondRoot, bit);
        _assertFails(claim);
    }

    function testFuzz_verifyConsistency_WhenAHashOfTheProofDiffers(bytes32 seed, uint8 m, uint8 n, uint8 bit)
        public
        pure
    {
        Claim memory claim = _any(seed, m, n);
        for (uint256 at = 0; at < claim.proof.length; ++at) {
            bytes32 node = claim.proof[at];
            claim.proof[at] = _flip(node, bit);
            _assertFails(claim);
            claim.proof[at] = node;
        }
        _assertPasses(claim);
    }

    function testFuzz_verifyConsistency_WhenTheProofIsOneHashShorterOrLonger(bytes32 seed, uint8 m, uint8 n)
        public
        pure
    {
        Claim memory claim = _any(seed, m, n);
        bytes32[] memory proof = claim.proof;
        claim.proof = MerkleReference.append(proof, claim.secondRoot);
        _assertFails(claim);
        if (proof.length == 0) return;
        claim.proof = MerkleReference.withoutLast(proof);
        _assertFails(claim);
    }

    function test_verifyConsistency_WhenThereIsNoProof() public pure {
        Claim memory claim = _claim("none", 6, 8);
        claim.proof = new bytes32[](0);
        _assertFails(claim);
        claim = _claim("none", 4, 8);
        claim.proof = new bytes32[](0);
        _assertFails(claim);
    }

    function test_verifyConsistency_WhenTheProofIsClaimedForSmallerOrLargerTrees() public pure {
        Claim memory claim = _claim("smaller", 7, 8);
        (claim.first, claim.second) = (3, 4);
        _assertFails(claim);
        claim = _claim("larger", 2, 4);
        claim.second = 8;
        _assertFails(claim);
    }

    function testFuzz_verifyConsistency_WhenTheFirstSizeIsZeroOrAboveTheSecond(bytes32 seed, uint8 n, uint256 first)
        public
        pure
    {
        Claim memory claim = _any(seed, 0, n);
        claim.first = bound(first, claim.second + 1, type(uint256).max - 1);
        _assertFails(claim);
        claim.first = 0;
        _assertFails(claim);
    }

    function test_verifyConsistency_WhenTheSizesAreEqual() public pure {
        Claim memory claim = _claim("equal", 5, 5);
        _assertPasses(claim);
        claim.proof = new bytes32[](1);
        _assertFails(claim);
        claim.proof = new bytes32[](0);
        claim.firstRoot = _flip(claim.firstRoot, 0);
        _assertFails(claim);
    }

    function _assertPublished(uint256 first, uint256 second, bytes32[] memory proof) private pure {
        _assertPasses(Claim(MerkleVectors.rootOf(first), MerkleVectors.rootOf(second), first, second, proof));
    }

    function _assertPasses(Claim memory c) private pure {
        assertTrue(Rfc9162.verifyConsistency(c.firstRoot, c.secondRoot, c.first, c.second, c.proof), "must pass");
    }

    function _assertFails(Claim memory c) private pure {
        assertTrue(!Rfc9162.verifyConsistency(c.firstRoot, c.secondRoot, c.first, c.second, c.proof), "must fail");
    }

    function _any(bytes32 seed, uint256 m, uint256 n) private pure returns (Claim memory) {
        uint256 second = bound(n, 1, 30);
        return _claim(seed, bound(m, 1, second), second);
    }

    function _claim(bytes32 seed, uint256 first, uint256 second) private pure returns (Claim memory) {
        bytes32[] memory leaves = new bytes32[](second);
        for (uint256 i = 0; i < second; ++i) {
            leaves[i] = keccak256(abi.encode(seed, i));
        }
        return Claim(
            MerkleReference.head(leaves, 0, first),
            MerkleReference.head(leaves, 0, second),
            first,
            second,
            MerkleReference.consistency(leaves, first)
        );
    }

    function _flip(bytes32 word, uint8 bit) private pure returns (bytes32) {
        return word ^ bytes32(uint256(1) << bit);
    }
}
