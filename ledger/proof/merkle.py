"""Merkle trees over SHA-256, RFC 9162 §2.1. ``contracts/libraries/Rfc9162.sol`` is the second implementation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash of a leaf, RFC 9162 §2.1.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node, RFC 9162 §2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Tree head over leaf hashes; that of no leaves is the hash of nothing."""
    return Tree(leaves).root


class Tree:
    """A tree over leaf hashes, with every level kept: a proof costs no hashing.

    An odd last node rises a level unchanged, which is RFC 9162's split at the largest power of two.
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [list(leaves)]
        while len(self._levels[-1]) > 1:
            level = self._levels[-1]
            above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            self._levels.append(above + level[len(above) * 2 :])

    @property
    def size(self) -> int:
        """How many leaves."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """The tree head."""
        return self._levels[-1][0] if self.size else EMPTY_ROOT

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Siblings from the leaf up, RFC 9162 §2.1.3.1; raises ``IndexError``."""
        if not 0 <= index < self.size:
            raise IndexError(f"no leaf {index} in a tree of {self.size}")
        proof = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                proof.append(level[sibling])
            index //= 2
        return proof

    def consistency_proof(self, first: int) -> list[bytes]:
        """That the first ``first`` leaves are this tree's beginning, RFC 9162 §2.1.4.1; raises ``IndexError``."""
        if not 1 <= first <= self.size:
            raise IndexError(f"no tree of {first} leaves within {self.size}")
        return self._subproof(first, 0, self.size, whole=True)

    def _subproof(self, first: int, low: int, high: int, *, whole: bool) -> list[bytes]:
        size = high - low
        if first == size:
            return [] if whole else [self._range_root(low, high)]
        split = _split(size)
        if first <= split:
            return [
                *self._subproof(first, low, low + split, whole=whole),
                self._range_root(low + split, high),
            ]
        return [
            *self._subproof(first - split, low + split, high, whole=False),
            self._range_root(low, low + split),
        ]

    def _range_root(self, low: int, high: int) -> bytes:
        size = high - low
        if size & (size - 1) == 0:
            level = size.bit_length() - 1
            return self._levels[level][low >> level]
        split = _split(size)
        return node_hash(self._range_root(low, low + split), self._range_root(low + split, high))


def verify_inclusion(tree_root: bytes, leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bool:
    """Whether ``leaf`` (a leaf hash) stands at ``index`` of the tree with this head and size, RFC 9162 §2.1.3.2."""
    if not 0 <= index < size:
        return False
    fn, sn, found = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            found = node_hash(sibling, found)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and found == tree_root


def verify_consistency(first_root: bytes, second_root: bytes, first: int, second: int, proof: Sequence[bytes]) -> bool:
    """Whether the tree of ``first`` leaves is the beginning of that of ``second``, RFC 9162 §2.1.4.2."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    fn, sn = first - 1, second - 1
    while fn % 2 == 1:
        fn, sn = fn >> 1, sn >> 1
    # A first tree that is a power of two is a node of the second: the proof leaves it out.
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


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << (size - 1).bit_length() - 1
