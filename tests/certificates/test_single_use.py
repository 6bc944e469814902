"""Two installations with separate processes and databases accept the same presentation, but the chain counts only one
use.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from ledger.installation.settings import Settings
from ledger.installation.wiring import open_participant
from tests.support.actors.pilots import Pilot
from tests.support.actors.uses import Outcome, certificate_of, logged, recorded, uses
from tests.support.ledgers.joined import Presented, joined, presentations
from tests.support.places import PROJECT


class Rivals:
    """The operator's and the bank's installation, each in its own process with its own database."""

    def __init__(self, homes: dict[str, Path], stack: ExitStack) -> None:
        self._running: dict[str, subprocess.Popen[str]] = {}
        for name in ("operator", "bank"):
            command = [sys.executable, "-m", "tests.certificates.rival_installation", str(homes[name])]
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, text=True)
            self._running[name] = stack.enter_context(process)
            stack.callback(process.kill)

    def at_once(self, folder: Path, consumer: str, made: Sequence[Presented]) -> dict[str, list[Outcome]]:
        """Let each of the two installations accept half of the presentations, all at the same time."""
        half = len(made) // 2
        for name, part in (("operator", made[:half]), ("bank", made[half:])):
            presented = [{"bundle": raw.decode(), "nonce": nonce} for raw, nonce in part]
            (folder / f"{name}.json").write_text(json.dumps({"consumer": consumer, "presented": presented}))
            self._say(name, str(folder / f"{name}.json"))
        assert [self._line_of(name) for name in self._running] == ["ready\n"] * 2
        for name in self._running:
            self._say(name, "go")
        answer = {name: json.loads(self._line_of(name)) for name in self._running}
        return {name: [(result, ordinal) for result, ordinal in each] for name, each in answer.items()}

    def _say(self, name: str, line: str) -> None:
        stream = self._running[name].stdin
        assert stream is not None
        stream.write(line + "\n")
        stream.flush()

    def _line_of(self, name: str) -> str:
        stream = self._running[name].stdout
        assert stream is not None
        return stream.readline()


@pytest.fixture(scope="module")
def homes(pilot: Pilot, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of the operator and of two banks that have joined the operator's chain."""
    found = {name: tmp_path_factory.mktemp("joined") / "home" for name in ("bank", "other bank")}
    joined(pilot, found["bank"], pilot.cast.bank)
    joined(pilot, found["other bank"], pilot.cast.other_bank)
    return {"operator": pilot.ledger.settings.home, **found}


@pytest.fixture(scope="module")
def rivals(homes: dict[str, Path]) -> Iterator[Rivals]:
    with ExitStack() as stack:
        yield Rivals(homes, stack)


def test_two_hundred_presentations_of_a_single_use_certificate_count_one_use(
    pilot: Pilot, homes: dict[str, Path], rivals: Rivals, tmp_path: Path
) -> None:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    outcomes = rivals.at_once(tmp_path, pilot.cast.bank, presentations(pilot, firm, number, 200))
    assert Counter(outcomes["operator"] + outcomes["bank"]) == {("valid", 1): 1, ("used_up", None): 199}
    assert uses(pilot, number) == 1
    winner = "operator" if ("valid", 1) in outcomes["operator"] else "bank"
    for name, answer in outcomes.items():
        assert recorded(homes[name], number) == (Counter(answer), [] if name == winner else [(1, pilot.cast.bank)])
    entries = logged(pilot, number)
    results = Counter(entry["result"] for entry in entries if entry["type"] == "presentation")
    assert results == Counter(result for result, _ in outcomes["operator"])
    assert sum(entry["type"] == "use" for entry in entries) == (winner == "operator")


def test_three_allowed_uses_are_counted_three_times(
    pilot: Pilot, homes: dict[str, Path], rivals: Rivals, tmp_path: Path
) -> None:
    firm = pilot.firm()
    scenarios = tmp_path / "scenarios"
    scenarios.mkdir()
    number = certificate_of(pilot, firm, 3, scenarios)
    outcomes = rivals.at_once(tmp_path, pilot.cast.bank, presentations(pilot, firm, number, 40))
    answer = Counter(outcomes["operator"] + outcomes["bank"])
    assert answer == {("valid", 1): 1, ("valid", 2): 1, ("valid", 3): 1, ("used_up", None): 37}
    assert uses(pilot, number) == 3
    for name in ("operator", "bank"):
        rows, elsewhere = recorded(homes[name], number)
        assert rows == Counter(outcomes[name])
        ordinals = [ordinal for result, ordinal in rows if result == "valid"] + [ordinal for ordinal, _ in elsewhere]
        assert Counter(ordinals) == Counter([1, 2, 3])


def test_presentations_to_a_bank_that_the_certificate_does_not_name_count_no_use(
    pilot: Pilot, homes: dict[str, Path]
) -> None:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    ((raw, nonce),) = presentations(pilot, firm, number)
    with open_participant(Settings(home=homes["other bank"])) as installation:
        report = installation.verification.accept(installation.actor(installation.party), raw, nonce).report
        assert (report.result, report.disclosed) == ("not_party", {})
    assert recorded(homes["other bank"], number) == (Counter({("not_party", None): 1}), [])
    assert uses(pilot, number) == 0
