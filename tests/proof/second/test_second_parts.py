"""Comparison of single parts of both verifiers: forms of entries, values under rules, keys, tree proofs, SM2 numbers.

Each part of ``second`` must give the same result as ``ledger.proof``, also for input that no bundle can contain.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from ledger.domain.digests import HASHES
from ledger.domain.entries import validate_entry
from ledger.domain.rules.value_spaces import fits
from ledger.proof.merkle import Tree, leaf_hash, node_hash, verify_inclusion
from ledger.proof.suites import sm2
from ledger.proof.suites.suite import suite_of_key
from tests.proof.second import signatures
from tests.proof.second.cases import rules
from tests.proof.second.cases.limits import odd_texts
from tests.proof.second.cases.statements import (
    DAMAGE,
    accepted,
    found_in,
    sample_of,
)
from tests.proof.second.cases.suites import chosen_numbers
from tests.proof.second.entries import CERTIFICATES, ENTRIES, require_entry
from tests.proof.second.notation import Refused, included
from tests.proof.second.values import fits as second_fits
from tests.support.bundles.cast import (
    AT,
    BANK,
    NONCE,
    Entry,
)
from tests.support.bundles.damage import damaged
from tests.support.bundles.genuine import GENUINE, REGISTERED
from tests.support.places import PROJECT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", [*ENTRIES, *CERTIFICATES])
def test_both_verifiers_agree_on_every_form_of_an_entry(kind: str) -> None:
    """The test compares all entry types, also those that can never be evidence of a certificate."""
    entry = sample_of(kind)
    assert accepted(validate_entry, entry)
    fixed = [((name,), entry.get(name)) for name in ("type", "v", "class", "vct", "transferable", "more")]
    for way, _ in [*found_in(entry), *fixed]:
        for damage, value in DAMAGE if way[0] in entry else DAMAGE[3:]:
            changed = damaged(entry, way, damage, value)
            assert accepted(validate_entry, changed) is accepted(require_entry, changed), (way, damage, value)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: f"{rule['op']} {rule.get('unit', '')}")
def test_both_verifiers_agree_on_every_value_under_every_rule(rule: Entry) -> None:
    fitting = [value for value in rules.VALUES if second_fits(rule, value)]
    assert 0 < len(fitting) < len(rules.VALUES)
    for value in rules.VALUES:
        assert fits(rule, value) is second_fits(rule, value), value
    for other in rules.damaged_rules(rule):
        for value in (fitting[0], fitting[-1], *rules.values_that_follow(other)):
            assert fits(other, value) is second_fits(other, value), (other, value)


@pytest.mark.parametrize("text", [*odd_texts()], ids=repr)
def test_both_verifiers_agree_on_every_key_as_text(text: str) -> None:
    suite = suite_of_key(text)
    try:
        ours = suite.alg, suite.point_of(text)
    except ValueError:
        ours = None
    try:
        assert ours == signatures.key_of_text(text)
    except Refused:
        assert ours is None


@pytest.mark.parametrize("size", range(1, 18))
def test_both_verifiers_agree_on_every_proof_in_small_trees(size: int) -> None:
    entries = [b"%d" % number for number in range(size)]
    tree = Tree([leaf_hash(entry) for entry in entries])
    other, root = b"\1" * 32, tree.root.hex()
    for index in range(size):
        right = tree.inclusion_proof(index)
        proofs = [right, right[1:], right[:-1], [*right, other], [other, *right], right[::-1]]
        proofs += [[*right[:place], other, *right[place + 1 :]] for place in range(len(right))]
        for entry, at, total in (
            (index, index, size),
            (index, index + 1, size),
            (0, index, size),
            (index, index, size + 1),
        ):
            for proof in proofs:
                for head in (tree.root, node_hash(other, tree.root), node_hash(tree.root, other)):
                    ours = verify_inclusion(head, leaf_hash(entries[entry]), at, total, proof)
                    assert ours is included(head.hex(), entries[entry], at, total, [node.hex() for node in proof])
                    assert ours is (entry == at and proof == right and head == tree.root) or total > size
    assert not included(root, entries[0], 0, 0, []) and not verify_inclusion(tree.root, leaf_hash(entries[0]), 0, 0, [])


@pytest.mark.parametrize("place", range(9))
def test_both_verifiers_agree_at_every_limit_of_sm2_numbers(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    e, r, s = list(chosen_numbers())[place]
    point = sm2.public_point((7).to_bytes(32, "big"))
    monkeypatch.setitem(HASHES, "sm3", lambda _: e.to_bytes(32, "big"))
    monkeypatch.setattr(signatures, "sm3", lambda _: e.to_bytes(32, "big"))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert sm2.verify(point, b"", signature, "") is signatures.signed_by_sm2(b"", b"", point, signature) is (place == 0)


ALONE = """
import json, sys

sys.modules["ledger"] = sys.modules["rfc8785"] = None  # importing either raises ImportError

from tests.proof.second.checks import verify

for bundle, facts, at, consumer, nonce in json.load(sys.stdin):
    print(verify(bundle.encode(), facts, at, consumer, nonce))
"""


def alone(program: str) -> subprocess.CompletedProcess[str]:
    cases = [(made.bundle.to_bytes().decode(), made.facts.to_dict()) for made in (GENUINE, REGISTERED)]
    asked = json.dumps([[*case, AT, BANK.id, nonce] for case in cases for nonce in (NONCE, "yesterday's")])
    return subprocess.run([sys.executable, "-c", program], input=asked, capture_output=True, text=True, cwd=PROJECT)


def test_the_second_verifier_imports_nothing_of_the_first() -> None:
    done = alone(ALONE)
    assert (done.stdout.split("\n"), done.stderr) == (["[]", "[10]", "[]", "[]", ""], "")
    assert "ledger.proof" in alone(ALONE + "\nimport ledger.proof").stderr
