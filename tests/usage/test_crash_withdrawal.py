"""The process is killed at any point of a withdrawal. If the withdrawal is on the chain, it is carried out later;
otherwise the call can be repeated.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.proof.acts import sign_act
from ledger.proof.jws import sign_entry
from tests.support.actors.consents import Consent
from tests.support.actors.pilots import Pilot
from tests.support.places import PROJECT
from tests.usage.crashing_withdrawal import POINTS


@pytest.mark.parametrize("point", POINTS)
def test_a_withdrawal_whose_process_was_killed_is_completed_later(pilot: Pilot, tmp_path: Path, point: str) -> None:
    ledger, consent = pilot.ledger, Consent(pilot)
    # Other tests leave withdrawals that are on the chain but not yet in the store. They are carried out first.
    ledger.usage.direct_withdrawals.follow()
    draft = consent.draft()
    assert draft.message is not None
    entry, act = sign_entry(draft.entry, consent.signer), sign_act(draft.message, consent.signer)
    (tmp_path / "given.json").write_text(json.dumps({"entry": entry, "act": act.hex(), "point": point}))
    home, given = str(ledger.settings.home), str(tmp_path / "given.json")
    command = [sys.executable, "-m", "tests.usage.crashing_withdrawal", home, given]
    killed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=90, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    on_chain = POINTS[point][1]
    assert (consent.since() > 0) == on_chain
    assert consent.report().valid == (not on_chain)
    followed = [row.id for row in ledger.usage.direct_withdrawals.follow()]
    assert followed == ([consent.given.id] if on_chain else [])
    if on_chain:
        assert ledger.verification.status(consent.number)["state"] == "revoked"
    assert ledger.usage.withdrawals.withdraw(entry, act).state == "withdrawn"
    report = consent.report()
    assert {check.code for check in report.checks} >= {"REVOKED", "AUTHORIZATION_WITHDRAWN"}
    assert len(consent.recorded()) == 1
    assert ledger.usage.direct_withdrawals.follow() == []
