"""Merkle trees: the vectors of RFC 9162, random trees, and a comparison with another library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.proof.merkle import (
    EMPTY_ROOT,
    Tree,
    leaf_hash,
    node_hash,
    root,
    verify_inclusion,
)
from tests.reference.consistency import consistency_proof, verify_consistency

VECTORS = json.loads((Path(__file__).parent / "vectors" / "merkle_rfc9162.json").read_text())
INPUTS = [bytes.fromhex(item) for item in VECTORS["leaf_inputs_hex"]]
LEAVES = [leaf_hash(item) for item in INPUTS]
ROOTS = {int(size): bytes.fromhex(value) for size, value in VECTORS["roots"].items()}

Proof = list[bytes]
entries = st.lists(st.binary(max_size=40), min_size=1, max_size=70, unique=True)


def raw(proof: list[str]) -> Proof:
    return [bytes.fromhex(node) for node in proof]


def changed(node: bytes) -> bytes:
    return bytes([node[0] ^ 1]) + node[1:]


def spoiled(proof: Proof) -> Iterator[Proof]:
    """Yield altered proofs: with one sibling changed, or with the first or last sibling removed or added."""
    for place, node in enumerate(proof):
        yield [*proof[:place], changed(node), *proof[place + 1 :]]
    if proof:
        yield proof[:-1]
        yield proof[1:]
    yield [*proof, bytes(32)]
    yield [bytes(32), *proof]


@pytest.mark.parametrize("size", sorted(ROOTS))
def test_root_of_the_reference_tree_is_the_published_root(size: int) -> None:
    assert root(LEAVES[:size]) == ROOTS[size]


@pytest.mark.parametrize("vector", VECTORS["inclusion"], ids=lambda v: f"{v['index']}of{v['size']}")
def test_inclusion_proof_of_the_reference_tree_is_the_published_proof(vector: dict[str, Any]) -> None:
    index, size, proof = vector["index"], vector["size"], raw(vector["proof"])
    assert Tree(LEAVES[:size]).inclusion_proof(index) == proof
    assert verify_inclusion(ROOTS[size], LEAVES[index], index, size, proof)
    assert not any(verify_inclusion(ROOTS[size], LEAVES[index], index, size, bad) for bad in spoiled(proof))


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=lambda v: f"{v['first']}to{v['second']}")
def test_consistency_proof_of_the_reference_tree_is_the_published_proof(vector: dict[str, Any]) -> None:
    first, second, proof = vector["first"], vector["second"], raw(vector["proof"])
    assert consistency_proof(LEAVES[:second], first) == proof
    assert verify_consistency(ROOTS[first], ROOTS[second], first, second, proof)
    assert not any(verify_consistency(ROOTS[first], ROOTS[second], first, second, bad) for bad in spoiled(proof))


@given(entries, st.data())
def test_inclusion_proof_is_valid_only_at_its_own_index(items: list[bytes], data: st.DataObject) -> None:
    tree = Tree([leaf_hash(item) for item in items])
    index = data.draw(st.integers(0, tree.size - 1))
    leaf, proof = leaf_hash(items[index]), tree.inclusion_proof(index)
    assert verify_inclusion(tree.root, leaf, index, tree.size, proof)
    for other in {-1, index - 1, index + 1, tree.size} - {index}:
        assert not verify_inclusion(tree.root, leaf, other, tree.size, proof)
    assert not verify_inclusion(changed(tree.root), leaf, index, tree.size, proof)
    assert not verify_inclusion(tree.root, changed(leaf), index, tree.size, proof)
    for bad in spoiled(proof):
        assert not verify_inclusion(tree.root, leaf, index, tree.size, bad)


def test_inclusion_proof_with_a_wrong_tree_size_is_refused_if_the_size_changes_the_path() -> None:
    """A tree size that is wrong by one is refused if it changes the path from the leaf to the root.

    If the path stays the same, the inclusion proof alone cannot show that the tree size is wrong. The verifier then
    finds the error because the anchor contains the right size.
    """
    for size in range(1, 40):
        tree = Tree([leaf_hash(bytes([number])) for number in range(size)])
        for index in range(size):
            leaf, proof = leaf_hash(bytes([index])), tree.inclusion_proof(index)
            for other in (size - 1, size + 1):
                expected = shape(index, other) == shape(index, size)
                assert verify_inclusion(tree.root, leaf, index, other, proof) == expected, (index, size, other)


def shape(index: int, size: int) -> list[str] | None:
    """Return for each sibling on the path whether it is left or right, by the recursive definition of RFC 9162
    §2.1.3.1.
    """
    if index >= size:
        return None
    if size == 1:
        return []
    split = 1 << (size - 1).bit_length() - 1
    if index < split:
        return [*(shape(index, split) or []), "right"]
    return [*(shape(index - split, size - split) or []), "left"]


@given(entries, st.data())
def test_consistency_proof_is_valid_only_for_its_own_trees(items: list[bytes], data: st.DataObject) -> None:
    leaves = [leaf_hash(item) for item in items]
    first = data.draw(st.integers(1, len(leaves)))
    before, after = root(leaves[:first]), root(leaves)
    proof = consistency_proof(leaves, first)
    assert verify_consistency(before, after, first, len(leaves), proof)
    assert not verify_consistency(changed(before), after, first, len(leaves), proof)
    assert not verify_consistency(before, changed(after), first, len(leaves), proof)
    assert not verify_consistency(before, after, 0, len(leaves), proof)
    assert not verify_consistency(before, after, len(leaves) + 1, len(leaves), proof)
    for bad in spoiled(proof):
        assert not verify_consistency(before, after, first, len(leaves), bad)


@given(entries, st.data())
def test_tree_with_changed_earlier_leaves_is_not_consistent(items: list[bytes], data: st.DataObject) -> None:
    leaves = [leaf_hash(item) for item in items]
    first = data.draw(st.integers(1, len(leaves)))
    spot = data.draw(st.integers(0, first - 1))
    rewritten = [*leaves[:spot], changed(leaves[spot]), *leaves[spot + 1 :]]
    forged = Tree(rewritten)
    assert not verify_consistency(
        root(leaves[:first]), forged.root, first, forged.size, consistency_proof(rewritten, first)
    )


@pytest.mark.parametrize(("first", "second"), [(1, 2), (3, 5), (4, 8), (7, 8)])
def test_empty_proof_is_refused(first: int, second: int) -> None:
    assert not verify_consistency(ROOTS[first], ROOTS[second], first, second, [])
    assert not verify_inclusion(ROOTS[second], LEAVES[0], 0, second, [])


@pytest.mark.parametrize("claimed", [3, 7, 16, 1 << 40])
def test_consistency_proof_is_refused_for_a_wrong_tree_size(claimed: int) -> None:
    """Trees of 7 and of 8 leaves give the same path, so the consistency proof alone cannot show which size is right. A
    verifier finds the right size in the anchor.
    """
    proof = consistency_proof(LEAVES, 4)
    assert verify_consistency(ROOTS[4], ROOTS[8], 4, 8, proof)
    assert verify_consistency(ROOTS[4], ROOTS[8], 4, claimed, proof) == (claimed == 7)


def test_empty_tree_has_its_own_root_and_no_proofs() -> None:
    assert root([]) == EMPTY_ROOT == ROOTS[0]
    assert not verify_inclusion(EMPTY_ROOT, EMPTY_ROOT, 0, 0, [])
    assert not verify_consistency(EMPTY_ROOT, ROOTS[1], 0, 1, [])


@pytest.mark.parametrize("index", [-1, 3, 8])
def test_asking_for_a_proof_of_a_leaf_outside_the_tree_raises_an_error(index: int) -> None:
    tree = Tree(LEAVES[:3])
    with pytest.raises(IndexError):
        tree.inclusion_proof(index)
    with pytest.raises(IndexError):
        consistency_proof(LEAVES[:3], 0 if index < 0 else index + 1)


def test_leaf_hash_differs_from_node_hash() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hash(b"\x01" + left + right) != node_hash(left, right)


class TestAgainstPymerkle:
    """pymerkle, another implementation of RFC 9162; it numbers leaves from 1, and its paths begin with the leaf."""

    @staticmethod
    def theirs(items: list[bytes]) -> pymerkle.InmemoryTree:
        tree = pymerkle.InmemoryTree(algorithm="sha256")
        for item in items:
            tree.append_entry(item)
        return tree

    @settings(max_examples=50)
    @given(entries, st.data())
    def test_roots_and_proofs_equal_those_of_pymerkle(self, items: list[bytes], data: st.DataObject) -> None:
        theirs, ours = self.theirs(items), Tree([leaf_hash(item) for item in items])
        index = data.draw(st.integers(0, ours.size - 1))
        first = data.draw(st.integers(1, ours.size))
        assert theirs.get_root() == ours.root
        assert theirs.get_root(first) == root([leaf_hash(item) for item in items[:first]])
        path = theirs.prove_inclusion(index + 1).path
        assert path == [leaf_hash(items[index]), *ours.inclusion_proof(index)]
        assert verify_inclusion(theirs.get_root(), theirs.get_leaf(index + 1), index, ours.size, path[1:])

    @settings(max_examples=50)
    @given(entries, st.data())
    def test_pymerkle_accepts_our_proof_and_refuses_a_changed_proof(
        self, items: list[bytes], data: st.DataObject
    ) -> None:
        tree = Tree([leaf_hash(item) for item in items])
        index = data.draw(st.integers(0, tree.size - 1))
        leaf, proof = leaf_hash(items[index]), tree.inclusion_proof(index)
        pymerkle.verify_inclusion(leaf, tree.root, as_theirs(leaf, index, tree.size, proof), index + 1, tree.size)
        for bad in spoiled(proof):
            with pytest.raises(pymerkle.InvalidProof):
                pymerkle.verify_inclusion(leaf, tree.root, as_theirs(leaf, index, tree.size, bad))


def as_theirs(leaf: bytes, index: int, size: int, proof: Proof) -> pymerkle.MerkleProof:
    sides = [int(side == "left") for side in shape(index, size) or []]
    return pymerkle.MerkleProof.deserialize(
        {
            "type": "inclusion",
            "metadata": {"algorithm": "sha256", "security": True, "size": size, "index": index + 1},
            "rule": [*sides, 0],
            "path": [node.hex() for node in (leaf, *proof)],
        }
    )
