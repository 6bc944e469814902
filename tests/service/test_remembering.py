"""What an installation remembers of the chain between two runs, and what it refuses then."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.chain.facts import collect_facts
from ledger.chain.memory import load_seen, save_seen, seen_from
from ledger.errors import ChainUnavailable
from ledger.proof.bundle import parse_bundle
from ledger.proof.verifier import Expectation
from ledger.service.remembering import Remembered
from ledger.service.uses import Uses
from ledger.service.verification import Verification
from tests.service.conftest import Pilot


def verification(pilot: Pilot, memory: Path) -> Verification:
    """The verification of a process that has just begun."""
    ledger = pilot.ledger
    uses = Uses(ledger.client, ledger.reader, ledger.custody, ledger.party, lambda party: "")
    remembered = Remembered(ledger.reader, memory)
    return Verification(ledger.database, ledger.reader, uses, ledger.presentations, ledger.clock, remembered)


@pytest.fixture
def bundle(pilot: Pilot) -> bytes:
    return pilot.ledger.bundles.build(pilot.certificate(pilot.firm())).to_bytes()


def test_a_verification_is_remembered(pilot: Pilot, bundle: bytes, tmp_path: Path) -> None:
    memory = tmp_path / "seen.json"
    verification(pilot, memory).verify(bundle, Expectation())
    seen = load_seen(memory)
    assert seen is not None and seen.ledger == pilot.ledger.reader.chain.ledger and seen.logs
    assert verification(pilot, memory).verify(bundle, Expectation()).facts is not None


@pytest.mark.parametrize("changed", ["block", "log"])
def test_a_chain_that_lost_what_was_seen_is_refused(pilot: Pilot, bundle: bytes, tmp_path: Path, changed: str) -> None:
    memory = tmp_path / "seen.json"
    verification(pilot, memory).verify(bundle, Expectation())
    seen = load_seen(memory)
    assert seen is not None
    issuer, log = next(iter(seen.logs.items()))
    other = {
        "block": replace(seen, block_hash="0" * 64),
        "log": replace(seen, logs={issuer: replace(log, newest="1" * 64)}),
    }
    save_seen(memory, other[changed])
    with pytest.raises(ChainUnavailable, match="CHAIN_DIFFERS_FROM_SEEN"):
        verification(pilot, memory).verify(bundle, Expectation())


def test_older_facts_do_not_replace_newer_memory(pilot: Pilot, bundle: bytes, tmp_path: Path) -> None:
    memory = tmp_path / "seen.json"
    facts = collect_facts(pilot.ledger.reader, parse_bundle(bundle))
    later = replace(seen_from(facts), block=facts.block + 5)
    save_seen(memory, later)
    Remembered(pilot.ledger.reader, memory).keep(facts)
    assert json.loads(memory.read_text())["block"]["number"] == facts.block + 5
