"""If the process is killed at any point of an issuance, no acknowledged certificate is lost, and none is
issued twice.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.certificates.tables import Certificate
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, open_ledger
from ledger.proof.verifier import Expectation
from ledger.store import log as log_store
from ledger.store.tables import Batch, Entry
from tests.support.places import PROJECT
from tests.usage.issuing.crashing_issuance import FIRMS, POINTS


def child(home: Path, point: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.usage.issuing.crashing_issuance", str(home), point]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)


def finals(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines() if line.startswith("final ")]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home in which three firms have authorised requests, and the provider has supplied the data for them."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    result = child(home, "prepare")
    assert result.returncode == 0, result.stderr
    return home


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_issuance_is_resumed_without_lost_or_duplicate_certificates(
    prepared: Path, tmp_path: Path, point: str
) -> None:
    home = tmp_path / "home"
    shutil.copytree(prepared, home)
    killed = child(home, point)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed = child(home, "none")
    assert resumed.returncode == 0, resumed.stderr
    check(home, finals(killed.stdout), finals(resumed.stdout))


def test_an_issuance_killed_at_a_random_moment_can_be_resumed(prepared: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(prepared, home)
    command = [sys.executable, "-m", "tests.usage.issuing.crashing_issuance", str(home), "none"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(0.01)
        process.kill()
        acknowledged = finals(first + process.stdout.read())
    assert acknowledged
    resumed = child(home, "none")
    assert resumed.returncode == 0, resumed.stderr
    check(home, acknowledged, finals(resumed.stdout))


def check(home: Path, acknowledged: list[str], final: list[str]) -> None:
    assert set(acknowledged) <= set(final)
    assert len(set(final)) == len(final) == len(FIRMS)
    with open_ledger(Settings(home=home)) as ledger:
        with ledger.database.read() as session:
            issued = list(session.scalars(select(Certificate.certificate_no)))
            seqs = list(session.scalars(select(Entry.seq).order_by(Entry.seq)))
            batches = list(session.scalars(select(Batch).order_by(Batch.number)))
            roots = [log_store.leaves(session, batch) for batch in batches]
        assert sorted(issued) == sorted(final)
        assert seqs == list(range(len(seqs)))
        assert ledger.reader.batch_count(ledger.installation.issuer) == len(batches)
        assert all(leaves for leaves in roots)
        for batch in batches:
            anchored = ledger.reader.anchored(ledger.installation.issuer, batch.number)
            assert anchored is not None
            assert (anchored.root, anchored.first_seq, anchored.size) == (batch.root, batch.first_seq, batch.size)
        for number in final:
            assert genuine(ledger, number)


def genuine(ledger: Ledger, number: str) -> bool:
    """Return whether the certificate is genuine: checks 1 to 9 and 11 pass. Check 10 is left out, because it needs a
    presentation.
    """
    raw = ledger.certificates.bundles.build(number).to_bytes()
    report = ledger.verification.verify(raw, Expectation()).report
    return [check.number for check in report.checks if check.verdict == "failed"] == [10]
