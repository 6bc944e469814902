"""Consistency proofs of RFC 9162 (§2.1.4): the reference for ``contracts/libraries/Rfc9162.sol``."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.proof.merkle import node_hash, root


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """Return the proof that the first ``first`` leaves are the beginning of this tree, RFC 9162 §2.1.4.1.

    Raises ``IndexError`` unless ``first`` is from 1 to the number of leaves.
    """
    if not 1 <= first <= len(leaves):
        raise IndexError(f"no tree of {first} leaves within {len(leaves)}")
    return _subproof(leaves, first, whole=True)


def _subproof(leaves: Sequence[bytes], first: int, *, whole: bool) -> list[bytes]:
    if first == len(leaves):
        return [] if whole else [root(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if first <= split:
        return [*_subproof(leaves[:split], first, whole=whole), root(leaves[split:])]
    return [*_subproof(leaves[split:], first - split, whole=False), root(leaves[:split])]


def verify_consistency(first_root: bytes, second_root: bytes, first: int, second: int, proof: Sequence[bytes]) -> bool:
    """Return whether the tree of ``first`` leaves is the beginning of the tree of ``second`` leaves, §2.1.4.2."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    fn, sn = first - 1, second - 1
    while fn % 2 == 1:
        fn, sn = fn >> 1, sn >> 1
    # If the first size is a power of two, the first root is a node of the second tree, and the proof omits this node.
    path = list(proof) if fn else [first_root, *proof]
    if not path:
        return False
    fr = sr = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            fr, sr = node_hash(sibling, fr), node_hash(sibling, sr)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == first_root and sr == second_root
