"""SIGKILL at any point of a provider's round loses no signed answer and creates no second answer."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

from tests.provider.crashing import POINTS
from tests.support.actors.providers import Town
from tests.support.actors.signing_in import token_of
from tests.support.places import PROJECT

# At these points the answer is not stored yet, so the next round queries the data source once more.
ASKED = {"when the source has answered": 2, "when it is signed and not kept": 2}


def child(town: Town, point: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.provider.crashing", str(town.folder), point]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("point", POINTS)
def test_a_provider_killed_during_a_round_sends_the_same_answer_after_a_restart(
    town: Town, service: str, point: str
) -> None:
    (consent,) = town.consents("56")
    settings = {
        "service": service,
        "party": town.party,
        "key": town.ledger.custody.private_key(town.signer.kid).hex(),
        "api_key": token_of(town.ledger, town.party),
        "ahead": town.ledger.clock() - int(time.time()),
    }
    (town.folder / "round.json").write_text(json.dumps(settings))
    killed = child(town, point)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    kept = town.answers.waiting()
    resumed = child(town, "none")
    assert resumed.returncode == 0, resumed.stderr
    (provision,) = town.provisions(consent)
    assert town.answers.waiting() == []
    entry, salt = town.answers.evidence(provision.digest)
    assert entry["result"] == "supplied" and salt is not None
    assert [supply.entry for supply in kept] in ([], [entry]), "the stored answer is the sent answer"
    asked = (town.folder / "asked").read_text().splitlines()
    assert len(asked) == ASKED.get(point, 1)
    assert town.verified(town.certified(consent)).valid
