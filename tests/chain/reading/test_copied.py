"""Tests a copied chain that got further blocks of its own: a verifier that saw the real chain refuses the copy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.contracts.deployment import Deployment, check_deployment
from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.reading.facts import collect_facts
from ledger.chain.reading.memory import MAX_SEEN_BYTES, Seen, load_seen, require_contained, save_seen, seen_from
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.errors import ChainUnavailable, Misconfigured
from ledger.proof.bundle import Bundle
from ledger.proof.facts import Facts, LogFact
from tests.chain.consented import made
from tests.support.chain.deployed import PARTIES, Chain, deployed_on
from tests.support.chain.scripted_ledger import CONSENT, ROOT

ISSUER, RIVAL = PARTIES["issuer"], PARTIES["other_issuer"]


def journaled(directory: Path) -> LocalNode:
    funded = [party.account for party in PARTIES.values()]
    return LocalNode(directory, program=JOURNAL, chain_id=4414, funded=funded)


def reader_at(node: LocalNode, deployment: Deployment) -> ChainReader:
    return ChainReader(client_at(node, deployment))


def client_at(node: LocalNode, deployment: Deployment, name: str = "issuer") -> ChainClient:
    return ChainClient(Connection(node.url), deployment, PARTIES[name].key)


def refused(reader: ChainReader, seen: Seen, code: str = "CHAIN_DIFFERS_FROM_SEEN") -> str | None:
    """Check that the chain is refused, with the error code ``code``, because it does not contain the blocks that were
    seen; return the place that the error names.
    """
    with pytest.raises(ChainUnavailable) as caught:
        require_contained(reader, seen)
    assert caught.value.code == code and caught.value.hint
    return caught.value.where


@dataclass(frozen=True, slots=True)
class Copied:
    """A running chain, and a second running chain made from a copy of its journal. Neither has got a new block since
    the copy was made.
    """

    deployment: Deployment
    bundle: Bundle
    real: LocalNode
    copy: LocalNode

    def facts(self, node: LocalNode) -> Facts:
        return collect_facts(reader_at(node, self.deployment), self.bundle)


@pytest.fixture
def copied(tmp_path: Path) -> Iterator[Copied]:
    with journaled(tmp_path / "real") as node:
        deployment = deployed_on(node)
        client = client_at(node, deployment)
        bundle = made(Chain(node, deployment, client, ChainReader(client), dict(PARTIES))).bundle
    (tmp_path / "copy").mkdir()
    shutil.copy(tmp_path / "real" / "journal.jsonl", tmp_path / "copy" / "journal.jsonl")
    with journaled(tmp_path / "real") as real, journaled(tmp_path / "copy") as copy:
        yield Copied(deployment, bundle, real, copy)


def test_a_copy_of_a_chain_that_gained_blocks_of_its_own_is_noticed(copied: Copied) -> None:
    """An authorization is withdrawn on the real chain, but not on the copy. A verifier that saw one of the two chains
    refuses the other, although both have the same ledger digest, contracts and first block.
    """
    for node in (copied.real, copied.copy):
        check_deployment(Connection(node.url), copied.deployment)
    before = copied.facts(copied.real)
    assert copied.facts(copied.copy) == before
    client_at(copied.real, copied.deployment, "enterprise").send(calls.withdraw(CONSENT))
    client_at(copied.copy, copied.deployment).send(calls.anchor(300, 1, ROOT))
    copied.copy.mine(20)
    real, copy = copied.facts(copied.real), copied.facts(copied.copy)
    for node in (copied.real, copied.copy):
        check_deployment(Connection(node.url), copied.deployment)
        require_contained(reader_at(node, copied.deployment), seen_from(before))
    assert real.chain.ledger == copy.chain.ledger == copied.deployment.ledger
    assert copy.block > real.block
    require_contained(reader_at(copied.real, copied.deployment), seen_from(real))
    require_contained(reader_at(copied.copy, copied.deployment), seen_from(copy))
    # A higher block number does not help: the copy has more blocks than were seen, but not the blocks that were seen.
    assert refused(reader_at(copied.copy, copied.deployment), seen_from(real)) == f"block {real.block}"
    shorter = refused(reader_at(copied.real, copied.deployment), seen_from(copy), "CHAIN_BEHIND_SEEN")
    assert shorter == f"block {copy.block}"


def test_a_first_time_verifier_cannot_notice_that_a_chain_is_a_copy(copied: Copied) -> None:
    """A verifier that remembers no earlier block cannot distinguish a copy from the real chain. This limit is known."""
    client_at(copied.real, copied.deployment, "enterprise").send(calls.withdraw(CONSENT))
    copied.copy.mine(5)
    check_deployment(Connection(copied.copy.url), copied.deployment)
    assert copied.facts(copied.copy).chain.ledger == copied.facts(copied.real).chain.ledger


def test_a_chain_that_only_gained_blocks_is_accepted_as_the_chain_seen_earlier(chain: Chain) -> None:
    consented = made(chain)
    seen = seen_from(consented.facts())
    require_contained(chain.reader, seen)
    chain.client.send(calls.anchor(300, 1, ROOT))
    chain.node.mine(3)
    require_contained(chain.reader, seen)
    assert set(seen.logs) == {ISSUER.no}


def test_a_chain_that_lost_blocks_is_reported_as_behind(chain: Chain) -> None:
    token = chain.node.snapshot()
    seen = seen_from(made(chain).facts())
    chain.node.revert(token)
    assert refused(chain.reader, seen, "CHAIN_BEHIND_SEEN") == f"block {seen.block}"
    chain.node.mine(seen.block - chain.reader.block_number())
    assert refused(chain.reader, seen) == f"block {seen.block}"


CHANGED: dict[str, tuple[str, Callable[[Seen], Seen]]] = {
    "another ledger": ("ledger", lambda seen: replace(seen, ledger="ee" * 32)),
    "another hash": ("block", lambda seen: replace(seen, block_hash="ee" * 32)),
    "other heads": ("block", lambda seen: replace(seen, heads=replace(seen.heads, certificate_log="ee" * 32))),
    "another batch": ("log", lambda seen: replace(seen, logs={ISSUER.no: LogFact(1, "ee" * 32)})),
    "one batch more": ("log", lambda seen: replace(seen, logs={ISSUER.no: replace(seen.logs[ISSUER.no], batches=2)})),
    "a log that is not there": (
        "log",
        lambda seen: replace(seen, logs={**seen.logs, RIVAL.no: LogFact(1, ROOT.hex())}),
    ),
}


@pytest.mark.parametrize(("where", "change"), CHANGED.values(), ids=CHANGED)
def test_a_chain_that_differs_in_any_remembered_value_is_refused(
    chain: Chain, where: str, change: Callable[[Seen], Seen]
) -> None:
    place = refused(chain.reader, change(seen_from(made(chain).facts())))
    assert place is not None and place.startswith(where)


def test_a_remembered_log_is_kept_if_the_new_facts_do_not_contain_that_log(chain: Chain) -> None:
    consented = made(chain)
    first = seen_from(consented.facts())
    chain.acting("other_issuer").send(calls.anchor(0, 1, ROOT))
    elsewhere = replace(
        consented.bundle, position=replace(consented.bundle.position, issuer=RIVAL.no), evidence=(), anchors=()
    )
    facts = collect_facts(chain.reader, elsewhere)
    assert set(facts.logs) == {RIVAL.no}
    both = seen_from(facts, first)
    assert both == Seen(first.ledger, facts.block, facts.block_hash, facts.heads, {**first.logs, **facts.logs})
    require_contained(chain.reader, both)
    assert seen_from(consented.facts(), both).logs == both.logs


LATER: dict[str, tuple[str, str, Callable[[Facts, LogFact], Facts]]] = {
    "an earlier block": ("CHAIN_BEHIND_SEEN", "block", lambda facts, log: replace(facts, block=facts.block - 1)),
    "the same block with another hash": (
        "CHAIN_DIFFERS_FROM_SEEN",
        "block",
        lambda facts, log: replace(facts, block_hash="bb" * 32),
    ),
    "the same block with another head": (
        "CHAIN_DIFFERS_FROM_SEEN",
        "block",
        lambda facts, log: replace(facts, heads=replace(facts.heads, party_registry="bb" * 32)),
    ),
    "the same block with a batch fewer": (
        "CHAIN_DIFFERS_FROM_SEEN",
        "log",
        lambda facts, log: replace(facts, logs={ISSUER.no: replace(log, batches=1)}),
    ),
    "a later block with a batch fewer": (
        "CHAIN_DIFFERS_FROM_SEEN",
        "log",
        lambda facts, log: replace(facts, block=facts.block + 1, logs={ISSUER.no: replace(log, batches=1)}),
    ),
    "a later block with another newest batch": (
        "CHAIN_DIFFERS_FROM_SEEN",
        "log",
        lambda facts, log: replace(facts, block=facts.block + 1, logs={ISSUER.no: replace(log, newest="aa" * 32)}),
    ),
}


@pytest.mark.parametrize(("code", "where", "change"), LATER.values(), ids=LATER)
def test_attack_facts_that_contradict_remembered_facts_are_refused(
    chain: Chain, code: str, where: str, change: Callable[[Facts, LogFact], Facts]
) -> None:
    consented = made(chain)
    chain.client.send(calls.anchor(300, 1, ROOT))
    facts = consented.facts()
    seen = seen_from(facts)
    assert seen_from(facts, seen) == seen
    with pytest.raises(ChainUnavailable) as caught:
        seen_from(change(facts, facts.logs[ISSUER.no]), seen)
    assert caught.value.code == code and caught.value.hint
    assert str(caught.value.where).startswith(where)


def test_facts_of_another_ledger_are_refused(chain: Chain) -> None:
    facts = made(chain).facts()
    other = replace(facts, chain=replace(facts.chain, origin="ee" * 32))
    with pytest.raises(ChainUnavailable) as caught:
        seen_from(other, seen_from(facts))
    assert (caught.value.code, caught.value.where) == ("CHAIN_DIFFERS_FROM_SEEN", "ledger")


def test_the_file_with_the_remembered_chain_data_is_read_back_unchanged(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "new" / "seen.json"
    assert load_seen(path) is None
    seen = seen_from(made(chain).facts())
    save_seen(path, seen)
    assert load_seen(path) == seen
    assert [each.name for each in path.parent.iterdir()] == ["seen.json"]


DAMAGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "a list": lambda raw: [raw],
    "another format": lambda raw: {**raw, "format": "pingzheng-seen/1"},
    "no ledger": lambda raw: {name: value for name, value in raw.items() if name != "ledger"},
    "no digest": lambda raw: {**raw, "ledger": "EE" * 32},
    "a hash of another type": lambda raw: {**raw, "block": {**raw["block"], "hash": 5}},
    "a negative block": lambda raw: {**raw, "block": {**raw["block"], "number": -1}},
    "a number that is a truth value": lambda raw: {**raw, "block": {**raw["block"], "number": True}},
    "no heads": lambda raw: {**raw, "heads": {}},
    "a log twice": lambda raw: {**raw, "logs": raw["logs"] * 2},
    "a log without a batch": lambda raw: {**raw, "logs": [{**raw["logs"][0], "batches": 0}]},
    "logs of another type": lambda raw: {**raw, "logs": 5},
    "too large": lambda raw: {**raw, "more": "x" * MAX_SEEN_BYTES},
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_with_remembered_chain_data_is_refused(
    chain: Chain, tmp_path: Path, damage: Callable[[dict[str, Any]], object]
) -> None:
    path = tmp_path / "seen.json"
    path.write_text(json.dumps(damage(seen_from(made(chain).facts()).to_dict())))
    with pytest.raises(Misconfigured) as caught:
        load_seen(path)
    assert caught.value.code == "SEEN_FORM" and caught.value.hint
