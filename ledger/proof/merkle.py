# SPDX-License-Identifier: Apache-2.0
"""Merkle trees over SHA-256 (RFC 9162 §2.1). ``contracts/libraries/Rfc9162.sol`` is the second implementation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf, RFC 9162 §2.1.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node, RFC 9162 §2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the tree head over leaf hashes; without leaves it is the hash of the empty string."""
    return Tree(leaves).root


class Tree:
    """A tree over leaf hashes. It stores every level, so that a proof needs no hashing.

    If a level has an odd number of nodes, its last node becomes a node of the next level. The resulting tree equals the
    tree of RFC 9162, which splits the leaves at the largest power of two.
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [list(leaves)]
        while len(self._levels[-1]) > 1:
            level = self._levels[-1]
            above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
            self._levels.append(above + level[len(above) * 2 :])

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """The tree head."""
        return self._levels[-1][0] if self.size else EMPTY_ROOT

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Return the siblings from the leaf up, RFC 9162 §2.1.3.1.

        Raises ``IndexError`` for an index outside the tree.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"no leaf {index} in a tree of {self.size}")
        proof = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                proof.append(level[sibling])
            index //= 2
        return proof


def verify_inclusion(tree_root: bytes, leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bool:
    """Return whether a leaf hash is at ``index`` in the tree with this head and size (RFC 9162 §2.1.3.2)."""
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
