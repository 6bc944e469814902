"""A service that is killed at any point of a batch continues the batch after the next start. No item is lost or
recorded twice.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.errors import Forbidden
from ledger.parties.roles import Actor
from ledger.usage.batches.batches import ALL_OR_NONE, PER_ITEM
from tests.support.actors.pilots import Pilot
from tests.support.places import PROJECT
from tests.usage.batches.crashing_batch import POINTS
from tests.usage.batches.statements import requests_of, spoiled
from tests.usage.batches.test_batches import contents, described, recorded, records_of


@pytest.mark.parametrize("mode", [PER_ITEM, ALL_OR_NONE])
@pytest.mark.parametrize("point", POINTS)
def test_a_service_completes_a_batch_after_a_kill_and_a_new_start(
    pilot: Pilot, tmp_path: Path, point: str, mode: str
) -> None:
    ledger, bank, items = pilot.ledger, pilot.actor(pilot.cast.bank), requests_of(pilot, 7)
    identifier = ledger.usage.batches.take_in(bank, "requests", mode, items)
    killed(pilot, tmp_path, point)
    assert described(pilot, bank.party, identifier)["state"] == "pending"
    while ledger.usage.batch_runner.step():
        pass
    operation = described(pilot, bank.party, identifier)
    assert (operation["state"], operation["done"], operation["refused"]) == ("done", 7, 0)
    assert records_of(operation) == [item["statement"]["id"] for item in items]
    assert recorded(pilot, items) == 7
    assert contents(pilot) == 0


def test_a_refused_item_stays_refused_after_a_kill_between_two_parts(pilot: Pilot, tmp_path: Path) -> None:
    ledger, bank, items = pilot.ledger, pilot.actor(pilot.cast.bank), requests_of(pilot, 5)
    items[1] = spoiled(items[1])
    identifier = ledger.usage.batches.take_in(bank, "requests", PER_ITEM, items)
    killed(pilot, tmp_path, "a part is recorded, its outcomes are not stored")
    while ledger.usage.batch_runner.step():
        pass
    operation = described(pilot, bank.party, identifier)
    outcomes = [item["outcome"] for item in operation["items"]]
    assert outcomes == ["recorded", "refused", "recorded", "recorded", "recorded"]
    assert recorded(pilot, items) == 4


@pytest.mark.parametrize("mode", [PER_ITEM, ALL_OR_NONE])
def test_what_was_recorded_before_a_kill_is_reported_even_if_the_sender_may_no_longer_act(
    pilot: Pilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    ledger, bank, items = pilot.ledger, pilot.actor(pilot.cast.bank), requests_of(pilot, 2)
    identifier = ledger.usage.batches.take_in(bank, "requests", mode, items)
    killed(pilot, tmp_path, "a part is recorded, its outcomes are not stored")

    def refused(_: str) -> Actor:
        raise Forbidden("PARTY_NOT_ACTIVE", "The party is not active.")

    monkeypatch.setattr(ledger.usage.batch_runner, "_actor_of", refused)
    while ledger.usage.batch_runner.step():
        pass
    operation = described(pilot, bank.party, identifier)
    assert (operation["state"], operation["refused"]) == ("done", 0)
    assert records_of(operation) == [item["statement"]["id"] for item in items]


def test_a_batch_whose_call_was_cut_off_is_deleted_after_an_hour(pilot: Pilot) -> None:
    ledger, bank, items = pilot.ledger, pilot.actor(pilot.cast.bank), requests_of(pilot, 2)
    identifier = ledger.usage.batches.take_in(bank, "requests", PER_ITEM, items)
    ledger.usage.batches.change(identifier, stage="arriving")
    assert not ledger.usage.batch_runner.step()
    assert contents(pilot) == 2
    ledger.usage.batches.change(identifier, created_at=ledger.clock() - 3_601)
    assert not ledger.usage.batch_runner.step()
    assert (recorded(pilot, items), contents(pilot)) == (0, 0)


def killed(pilot: Pilot, folder: Path, point: str) -> None:
    """Handle batches in a new process that kills itself at ``point``."""
    given = folder / "given.json"
    given.write_text(json.dumps({"point": point}))
    command = [sys.executable, "-m", "tests.usage.batches.crashing_batch", str(pilot.ledger.settings.home), str(given)]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=90, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
