"""If a process is killed during a confirmation or an acceptance, repeating the call completes the act without
duplicates.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ledger.demo.data.cast import assemble
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger, open_ledger
from tests.registration.crashing_registration import POINTS, run
from tests.support.actors.pilots import Pilot
from tests.support.places import PROJECT


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with two applications whose public notice has ended, and a registered asset that is offered to the
    bank.
    """
    home = tmp_path_factory.mktemp("prepared") / "home"
    with create_ledger(Settings(home=home)) as ledger:
        pilot = Pilot(ledger, assemble(ledger, []))
        now = ledger.clock()
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, (REGISTRATION_SCENARIO,), now - 60, now + 10**9
        )
        (moving, *waiting) = pilot.applied("crash/moving", "crash/first", "crash/second")
        pilot.take_through([moving])
        pilot.noticed(waiting)
        pilot.after_notice(waiting)
        ledger.registration.transfers.offer(ledger.actor(pilot.cast.provider), moving, pilot.cast.bank)
    (home / "assets.json").write_text(json.dumps({"confirm": waiting, "accept": moving}))
    return home


@pytest.mark.parametrize("point", POINTS)
def test_an_act_whose_process_was_killed_is_completed_by_a_repeated_call(
    prepared: Path, tmp_path: Path, point: str
) -> None:
    home = tmp_path / "home"
    shutil.copytree(prepared, home)
    command = [sys.executable, "-m", "tests.registration.crashing_registration", str(home), point]
    killed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assets: dict[str, Any] = json.loads((home / "assets.json").read_text())
    act = POINTS[point][0]
    with open_ledger(Settings(home=home)) as ledger:
        pilot = Pilot(ledger, assemble(ledger, []))
        for _ in range(2):
            run(ledger, act, assets)
            if act == "confirm":
                check_confirmed(pilot, assets["confirm"])
            else:
                check_moved(pilot, assets["accept"])
        assert pilot.ledger.inspection.head()["complete"]


def check_confirmed(pilot: Pilot, assets: list[str]) -> None:
    for asset in assets:
        assert [event["name"] for event in pilot.history(asset)].count("Confirmed") == 1
        (only,) = pilot.certificates(asset)
        assert only.supersedes is None
        assert pilot.report(asset).valid


def check_moved(pilot: Pilot, asset: str) -> None:
    assert [event["name"] for event in pilot.history(asset)].count("TransferAccepted") == 1
    assert pilot.record(asset).holder == pilot.cast.bank
    first, second = pilot.certificates(asset)
    assert (second.supersedes, second.subject) == (first.certificate_no, pilot.cast.bank)
    assert pilot.verified(first.certificate_no).result == "revoked"
    assert pilot.verified(second.certificate_no).valid
