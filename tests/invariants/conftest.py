"""Fixtures: a real ledger and chain that only these tests use, and every log line that the ledger writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from ledger.demo.data.cast import assemble
from ledger.domain.days import DAY
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from tests.support.actors.credit_bureau import SCENARIO
from tests.support.actors.persons import PersonActors
from tests.support.actors.pilots import FIRMS, REPORTS, Pilot


@pytest.fixture(scope="package")
def lines() -> Iterator[list[Any]]:
    """Collect every log line that is written from now on."""
    with capture_logs() as heard:
        yield heard


@pytest.fixture(scope="package")
def pilot(tmp_path_factory: pytest.TempPathFactory, lines: list[Any]) -> Iterator[Pilot]:
    with create_ledger(Settings(home=tmp_path_factory.mktemp("invariants"))) as ledger:
        cast, now = assemble(ledger, FIRMS), ledger.clock()
        codes = (SCENARIO, REGISTRATION_SCENARIO)
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, codes, now - DAY, now + 10**9
        )
        ledger.parties.role_changes.accredit(ledger.authority, cast.assessor, REPORTS, now - DAY, now + 10**9)
        yield Pilot(ledger, cast)


@pytest.fixture(scope="package")
def persons(pilot: Pilot) -> PersonActors:
    return PersonActors(pilot)


def verified(pilot: Pilot, firm: str, number: str, at: int | None = None, **expect: Any) -> Report:
    """Return the bank's report on the certificate; no use is counted."""
    bundle, nonce = pilot.present(firm, number)
    wanted = Expectation(**{"consumer": pilot.cast.bank, "nonce": nonce, **expect})
    return pilot.ledger.verification.verify(bundle.to_bytes(), wanted, at).report


def failed_at(report: Report) -> tuple[int, str]:
    failure = report.first_failure
    assert failure is not None
    return failure.number, failure.code
