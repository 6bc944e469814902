"""A process is killed while it accepts a presentation. At most one use is counted, and after its next start the
installation finds out whether the use was counted.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.errors import Conflict
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_participant
from tests.certificates.crashing_presentation import POINTS
from tests.support.actors.pilots import Pilot
from tests.support.actors.uses import logged, recorded, uses
from tests.support.ledgers.joined import joined, presentations
from tests.support.places import PROJECT


@pytest.fixture(scope="module")
def homes(pilot: Pilot, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of the operator and of a bank that has joined the operator's chain."""
    bank = tmp_path_factory.mktemp("joined") / "home"
    joined(pilot, bank, pilot.cast.bank)
    return {"operator": pilot.ledger.settings.home, "bank": bank}


@pytest.mark.parametrize(
    ("place", "point", "signed"),
    [
        *(("operator", point, False) for point in POINTS),
        *(("operator", point, True) for point in POINTS),
        ("bank", "the transaction was sent to the node", False),
        ("bank", "the transaction was sent to the node", True),
    ],
)
def test_the_acceptance_of_a_presentation_is_completed_later_if_the_process_was_killed(
    pilot: Pilot, homes: dict[str, Path], tmp_path: Path, place: str, point: str, signed: bool
) -> None:
    """If ``signed`` is true, the consumer itself signed the proposed use; otherwise the installation signs with the
    consumer's key.
    """
    firm, home = pilot.firm(), homes[place]
    number = pilot.certificate(firm)
    ((raw, nonce),) = presentations(pilot, firm, number)
    given = {"bundle": raw.decode(), "nonce": nonce, "consumer": pilot.cast.bank, "point": point, "signed": signed}
    (tmp_path / "given.json").write_text(json.dumps(given))
    command = [
        sys.executable,
        "-m",
        "tests.certificates.crashing_presentation",
        str(home),
        str(tmp_path / "given.json"),
    ]
    killed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=90, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    counted = POINTS[point][1]
    assert uses(pilot, number) == counted
    with open_participant(Settings(home=home)) as again:
        begun = [each for each in again.presentations.pending() if each.certificate_no == number]
        # If the certificate was found genuine before the kill, its subject's list contains the verification. Otherwise
        # the verification is only in the list of unfinished presentations.
        (row,) = again.presentations.page(number, None, 10) or begun
        if counted:
            assert (row.result, row.ordinal) == ("valid", 1)
            with pytest.raises(Conflict, match="NONCE_REPLAYED") as replayed:
                again.verification.accept(again.actor(pilot.cast.bank), raw, nonce)
            assert replayed.value.details == {"result": "valid", "ordinal": 1, "at": row.created_at}
        else:
            assert row.result == "pending"
            verified = again.verification.accept(again.actor(pilot.cast.bank), raw, nonce)
            assert verified.report.valid and verified.use is not None and verified.use.ordinal == 1
    assert recorded(home, number) == ({("valid", 1): 1}, [])
    assert uses(pilot, number) == 1
    entries = [(entry["type"], entry["result"]) for entry in logged(pilot, number)]
    assert entries == ([("presentation", "valid"), ("use", "valid")] if place == "operator" else [])
