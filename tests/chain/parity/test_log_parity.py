"""Tests that for random input the contracts and ``ledger.proof`` compute the same trees, proofs and hash chains of
events.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.chain.contracts.deployment import ASSET_REGISTRY, CERTIFICATE_LOG
from ledger.chain.sending import calls
from ledger.chain.sending.deploy import deploy
from ledger.index.heads import scope_of
from ledger.proof import merkle
from ledger.proof.head import EVENTS, event_digest, fold, genesis
from tests.chain.conftest import Harness
from tests.reference.consistency import consistency_proof, verify_consistency
from tests.support.chain.deployed import DELAY, FOUNDING, Chain
from tests.support.chain.scripted_ledger import ALL_ASSETS, live

MAX_LEAVES = 70
# Few examples are enough, because each example is sent as one request with many calls.
few = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
words = st.binary(min_size=32, max_size=32)
numbers = st.one_of(st.integers(0, 2 * MAX_LEAVES), st.integers(0, 2**256 - 1))


def batch_of(cases: st.SearchStrategy[Any], size: int = 20) -> st.SearchStrategy[list[Any]]:
    return st.lists(cases, min_size=size, max_size=size)


def leaves_of(size: int, seed: int) -> list[bytes]:
    return [merkle.leaf_hash(f"{seed} {number}".encode()) for number in range(size)]


@st.composite
def proofs(draw: st.DrawFn, fields: Callable[[st.DrawFn, merkle.Tree], list[Any]]) -> tuple[tuple[Any, ...], bool]:
    """Draw the arguments of a verifier, and return them with True. In half of the cases, change one argument, and
    return the arguments with False.
    """
    size = draw(st.integers(1, MAX_LEAVES))
    found = fields(draw, merkle.Tree(leaves_of(size, draw(st.integers(0, 9)))))
    honest = draw(st.booleans())
    if not honest:
        place = draw(st.integers(0, len(found) - 1))
        found[place] = draw(changed(found[place]))
    return tuple(found), honest


def changed(value: Any) -> st.SearchStrategy[Any]:
    """Draw a value of the same type as ``value``; it usually differs from ``value``."""
    if isinstance(value, list):
        ways = [st.lists(words, max_size=9), words.map(lambda word: [*value, word]), st.just(value[:-1])]
        return st.one_of(*ways, st.permutations(value), st.just(value[1:]))
    return numbers if isinstance(value, int) else words


def inclusion(draw: st.DrawFn, tree: merkle.Tree) -> list[Any]:
    index = draw(st.integers(0, tree.size - 1))
    return [tree.root, tree._levels[0][index], index, tree.size, tree.inclusion_proof(index)]


def consistency(draw: st.DrawFn, tree: merkle.Tree) -> list[Any]:
    first = draw(st.integers(1, tree.size))
    earlier = merkle.root(tree._levels[0][:first])
    return [earlier, tree.root, first, tree.size, consistency_proof(tree._levels[0], first)]


@few
@given(entries=batch_of(st.binary(max_size=300)))
def test_leaf_hashes_are_equal_in_solidity_and_python(harness: Harness, entries: list[bytes]) -> None:
    found = harness.ask("leafHash", [(entry,) for entry in entries])
    assert found == [merkle.leaf_hash(entry).hex() for entry in entries]


@few
@given(sizes=batch_of(st.integers(0, MAX_LEAVES), 12), seed=st.integers(0, 2**32))
def test_merkle_roots_are_equal_in_solidity_and_python(harness: Harness, sizes: list[int], seed: int) -> None:
    trees = [leaves_of(size, seed) for size in sizes]
    assert harness.ask("root", [(leaves,) for leaves in trees]) == [merkle.root(leaves).hex() for leaves in trees]


def test_merkle_roots_of_all_small_trees_are_equal_in_solidity_and_python(harness: Harness) -> None:
    trees = [leaves_of(size, 0) for size in range(34)]
    assert harness.ask("root", [(leaves,) for leaves in trees]) == [merkle.root(leaves).hex() for leaves in trees]


@few
@given(cases=batch_of(proofs(inclusion), 40))
def test_solidity_and_python_accept_the_same_inclusion_proofs(
    harness: Harness, cases: list[tuple[tuple[Any, ...], bool]]
) -> None:
    found = harness.ask("verifyInclusion", [arguments for arguments, _ in cases])
    assert found == [merkle.verify_inclusion(*arguments) for arguments, _ in cases]
    assert all(answer for answer, (_, honest) in zip(found, cases, strict=True) if honest)


@few
@given(cases=batch_of(proofs(consistency), 40))
def test_solidity_and_python_accept_the_same_consistency_proofs(
    harness: Harness, cases: list[tuple[tuple[Any, ...], bool]]
) -> None:
    found = harness.ask("verifyConsistency", [arguments for arguments, _ in cases])
    assert found == [verify_consistency(*arguments) for arguments, _ in cases]
    assert all(answer for answer, (_, honest) in zip(found, cases, strict=True) if honest)


def test_a_changed_proof_is_refused(harness: Harness) -> None:
    """After one bit of a proof is changed, both the contract and ``ledger.proof`` must refuse the proof."""
    tree = merkle.Tree(leaves_of(13, 1))
    proof = tree.inclusion_proof(9)
    flipped = [
        [bytes([node[0] ^ 1]) + node[1:] if n == at else node for n, node in enumerate(proof)] for at in (0, 1, 2)
    ]
    rows = [(tree.root, tree._levels[0][9], 9, 13, wrong) for wrong in [*flipped, proof[:-1], [*proof, tree.root]]]
    assert harness.ask("verifyInclusion", rows) == [False] * 5
    assert not any(merkle.verify_inclusion(*row) for row in rows)


@few
@given(cases=batch_of(st.tuples(words, st.lists(words, max_size=6))))
def test_heads_computed_from_events_are_equal_in_solidity_and_python(
    harness: Harness, cases: list[tuple[bytes, list[bytes]]]
) -> None:
    expected = []
    for head, digests in cases:
        for digest in digests:
            head = fold(head, digest)
        expected.append(head.hex())
    assert harness.ask("fold", [tuple(case) for case in cases]) == expected


@few
@given(cases=batch_of(st.tuples(words, st.binary(min_size=20, max_size=20), words)))
def test_genesis_heads_are_equal_in_solidity_and_python(
    harness: Harness, cases: list[tuple[bytes, bytes, bytes]]
) -> None:
    chain_id = harness.connection.chain_id()
    rows = [(origin.hex(), "0x" + address.hex(), scope.hex()) for origin, address, scope in cases]
    expected = [genesis(origin, chain_id, address) for origin, address, _ in rows]
    assert harness.ask("genesis", [row[:2] for row in rows]) == [head.hex() for head in expected]
    expected = [genesis(origin, chain_id, address, scope) for origin, address, scope in rows]
    assert harness.ask("genesisOf", rows) == [head.hex() for head in expected]


def test_origin_and_ledger_digest_match_the_protocol(chain: Chain) -> None:
    """The expected values are computed here from docs/protocol.md, section 1, without our code."""
    salt, founder = sha256(b"salt").digest(), chain.parties["founder"]
    made = deploy(chain.node.url, founder.key, FOUNDING, delay=DELAY, salt=salt)
    block = chain.reader.block(made.deploy_block)
    assert block is not None

    def words_of(*values: int | str) -> bytes:
        return b"".join((value if isinstance(value, int) else int(value, 16)).to_bytes(32, "big") for value in values)

    tag = b"pingzheng/origin/v2".ljust(32, b"\0")
    past = words_of(made.chain_id, made.forwarder, block.parent, block.time, block.number)
    assert made.origin == sha256(tag + past + salt).hexdigest()
    tag = b"pingzheng/ledger/v2".ljust(32, b"\0")
    contracts = words_of(made.forwarder, made.party_registry, made.asset_registry, made.certificate_log)
    ledger = sha256(tag + words_of(made.origin, made.chain_id) + contracts + words_of(DELAY, 2)).hexdigest()
    assert made.ledger == made.chain.ledger == ledger


def test_the_heads_of_the_contracts_match_a_history_with_every_kind_of_event(chain: Chain) -> None:
    """After each block of a scripted history, the heads of the contracts (the last hashes of their event chains) equal
    those computed from the events.
    """
    live(chain)
    events = chain.reader.events(chain.reader.deploy_block, chain.reader.block_number())
    assert {f"{event.contract}.{event.name}" for event in events} == set(EVENTS)
    heads: dict[tuple[str, str], bytes] = {}
    due: dict[int, dict[tuple[str, str], str]] = {}
    for event in events:
        key = (event.contract, scope_of(event))
        where = chain.deployment.addresses[event.contract]
        start = genesis(chain.deployment.origin, chain.deployment.chain_id, where, key[1] or None)
        heads[key] = fold(heads.get(key, start), event_digest(f"{event.contract}.{event.name}", event.args))
        due.setdefault(event.block_number, {})[key] = heads[key].hex()
    for block, expected in due.items():
        wanted = [(contract, scope or None) for contract, scope in expected]
        assert chain.reader.heads(wanted, block=block) == list(expected.values())
    assert {scope for contract, scope in heads if contract == ASSET_REGISTRY} == set(ALL_ASSETS)


def test_the_anchor_commitment_is_the_digest_of_its_event(chain: Chain) -> None:
    for name in ("issuer", "other_issuer"):
        for batch, (first, size) in enumerate(((0, 5), (5, 1), (6, 4096))):
            receipt = chain.acting(name).send(calls.anchor(first, size, sha256(bytes([batch])).digest()))
            (event,) = receipt.events
            commitment = chain.reader.commitment(chain.parties[name].no, batch)
            assert commitment == event_digest(f"{CERTIFICATE_LOG}.Anchored", event.args).hex()
