"""Before an installation uses chain data, it checks that the chain still contains the blocks that it saw earlier."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger.certificates.verification.presentations import Presentations
from ledger.certificates.verification.uses import Uses
from ledger.certificates.verification.verification import Verification
from ledger.chain.reading.memory import Seen, load_seen, save_seen
from ledger.chain.reading.reader import ChainReader
from ledger.chain.reading.remembering import Remembered
from ledger.chain.sending.client import ChainClient
from ledger.cli.main import app
from ledger.errors import ChainUnavailable
from ledger.proof.bundle import parse_bundle
from ledger.proof.verifier import Expectation
from ledger.rulebooks.templates import expecting
from tests.certificates.test_presentations import DeafConnection, presented, results
from tests.support.actors.pilots import Pilot
from tests.support.chain.hiding_nodes import StuckConnection
from tests.support.ledgers.joined import joined


class Node(StuckConnection, DeafConnection):
    """A connection to a node that can be stuck at an old block, or return no receipts."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A verifying process and its connection to a node."""

    pilot: Pilot
    node: Node
    memory: Path

    @classmethod
    def of(cls, pilot: Pilot, folder: Path) -> Desk:
        return cls(pilot, Node(pilot.ledger.client.connection.url), folder / "seen.json")

    @property
    def verification(self) -> Verification:
        """Return a new verification service, as after a restart of the process."""
        ledger = self.pilot.ledger
        key = ledger.custody.private_key(ledger.client.account).hex()
        client = ChainClient(self.node, ledger.client.deployment, key)
        reader = ChainReader(client)
        uses = Uses(
            client, reader, ledger.custody, ledger.party, lambda party: ledger.parties.register.get(party).account
        )
        known = Presentations(ledger.database, reader, ledger.follower, ledger.clock, True)
        remembered = Remembered(reader, self.memory)
        return Verification(
            remembered, partial(expecting, ledger.scenarios), ledger.clock, ledger.database, reader, uses, known
        )

    def seen(self) -> Seen:
        seen = load_seen(self.memory)
        assert seen is not None
        return seen


@pytest.fixture
def desk(pilot: Pilot, tmp_path: Path) -> Desk:
    return Desk.of(pilot, tmp_path)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(ChainUnavailable) as caught:
        act()
    assert caught.value.hint
    return caught.value.code


def test_a_verification_stores_the_newest_block_that_it_saw(desk: Desk) -> None:
    pilot = desk.pilot
    bundle = pilot.ledger.certificates.bundles.build(pilot.certificate(pilot.firm())).to_bytes()
    desk.verification.verify(bundle, Expectation())
    assert desk.seen().ledger == pilot.ledger.reader.chain.ledger and desk.seen().logs
    assert desk.verification.verify(bundle, Expectation()).facts is not None


@pytest.mark.parametrize("changed", ["block", "log"])
def test_a_chain_that_lacks_blocks_seen_earlier_is_refused(desk: Desk, changed: str) -> None:
    pilot = desk.pilot
    bundle = pilot.ledger.certificates.bundles.build(pilot.certificate(pilot.firm())).to_bytes()
    desk.verification.verify(bundle, Expectation())
    seen = desk.seen()
    issuer, log = next(iter(seen.logs.items()))
    other = {
        "block": replace(seen, block_hash="0" * 64),
        "log": replace(seen, logs={issuer: replace(log, newest="1" * 64)}),
    }
    save_seen(desk.memory, other[changed])
    assert refusal(lambda: desk.verification.verify(bundle, Expectation())) == "CHAIN_DIFFERS_FROM_SEEN"


def test_attack_an_older_block_does_not_undo_a_revocation(desk: Desk) -> None:
    """A node shows an older block. Neither the process that saw the revocation nor a new process accepts this block or
    the status in it.
    """
    number, ((raw, nonce),) = presented(desk.pilot)
    expect = Expectation(consumer=desk.pilot.cast.bank, nonce=nonce)
    before = desk.pilot.ledger.reader.block_number()
    desk.pilot.ledger.certificates.status.revoke(number, "fraud")
    running = desk.verification
    assert running.verify(raw, expect).report.result == "revoked"
    assert running.status(number)["state"] == "revoked"
    seen = desk.seen()
    desk.node.stuck_at = before
    for process in (running, desk.verification):
        for act in (
            lambda process=process: process.verify(raw, expect),
            lambda process=process: process.facts(parse_bundle(raw)),
            lambda process=process: process.status(number),
            lambda process=process: process.accept(desk.pilot.actor(desk.pilot.cast.bank), raw, nonce),
        ):
            assert refusal(act) == "CHAIN_BEHIND_SEEN"
    assert desk.seen() == seen
    desk.node.stuck_at = None
    assert running.accept(desk.pilot.actor(desk.pilot.cast.bank), raw, nonce).report.result == "revoked"


def test_attack_a_repeated_presentation_is_not_answered_from_an_older_block(desk: Desk) -> None:
    number, ((raw, nonce),) = presented(desk.pilot)
    bank, running = desk.pilot.actor(desk.pilot.cast.bank), desk.verification
    desk.node.deaf = True
    assert refusal(lambda: running.accept(bank, raw, nonce)) == "TRANSACTION_UNCONFIRMED"
    desk.node.deaf = False
    running.status(number)
    desk.node.stuck_at = desk.seen().block - 1
    assert refusal(lambda: running.accept(bank, raw, nonce)) == "CHAIN_BEHIND_SEEN"
    assert results(desk.pilot, number) == [("pending", True, 1)]
    desk.node.stuck_at = None
    assert running.accept(bank, raw, nonce).report.disclosed
    assert results(desk.pilot, number) == [("valid", True, 1)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda seen: replace(seen, block_hash="0" * 64), "CHAIN_DIFFERS_FROM_SEEN"),
        (lambda seen: replace(seen, block=seen.block + 10**6), "CHAIN_BEHIND_SEEN"),
    ],
    ids=["another chain", "an older block"],
)
def test_attack_facts_that_contradict_the_remembered_chain_are_not_saved(
    pilot: Pilot, tmp_path: Path, change: Callable[[Seen], Seen], code: str
) -> None:
    home, bundle, out = tmp_path / "home", tmp_path / "bundle.json", tmp_path / "facts.json"
    bundle.write_bytes(pilot.ledger.certificates.bundles.build(pilot.certificate(pilot.firm())).to_bytes())
    joined(pilot, home, pilot.cast.bank)

    def saved() -> dict[str, object]:
        arguments = ["facts", str(bundle), "--out", str(out), "--home", str(home), "--json"]
        return dict(json.loads(CliRunner().invoke(app, arguments).stdout))

    assert saved()["file"] == str(out)
    out.unlink()
    seen = load_seen(home / "seen.json")
    assert seen is not None
    save_seen(home / "seen.json", change(seen))
    assert saved()["error"] == code
    assert not out.exists()
