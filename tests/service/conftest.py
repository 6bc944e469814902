"""One open ledger on a real chain for all service tests; each test takes firms of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

import pytest

from ledger.demo.cast import Cast, assemble
from ledger.demo.credit import FIELDS, SCENARIO, Bureau
from ledger.proof.bundle import Bundle
from ledger.proof.report import Report
from ledger.service.registration_certificates import REGISTRATION_SCENARIO
from ledger.service.settings import Settings
from ledger.service.wiring import Ledger, open_ledger

ROWS = (
    {"year": "1981", "emp": "5.0", "wage": "14.0", "capital": "0.5", "output": "95.7"},
    {"year": "1982", "emp": "6.0", "wage": "15.0", "capital": "0.6", "output": "97.3"},
)
FIRMS = [str(number) for number in range(1, 61)]


class Pilot:
    """A firm's way to a certificate, step by step, with everyone's real keys."""

    def __init__(self, ledger: Ledger, cast: Cast) -> None:
        self.ledger, self.cast, self.bureau = ledger, cast, Bureau(ledger, cast)
        self._next = count()

    def firm(self) -> str:
        """A firm that no other test has."""
        return FIRMS[next(self._next)]

    def authorise(self, firm: str) -> str:
        return self.bureau.authorise([firm], lambda _: None)[firm]

    def supply(self, firm: str, authorization: str, rows: Sequence[Mapping[str, str]] = ROWS) -> None:
        self.bureau.supply({firm: rows}, {firm: authorization}, lambda _: None)

    def certificate(self, firm: str) -> str:
        """An anchored certificate of the firm."""
        authorization = self.authorise(firm)
        self.supply(firm, authorization)
        number = self.bureau.issue({firm: authorization})[firm]
        self.ledger.anchoring.flush()
        return number

    def present(self, firm: str, number: str, fields: Sequence[str] = FIELDS) -> tuple[Bundle, str]:
        nonce = self.ledger.verification.new_nonce()
        return self.bureau.present(firm, number, nonce, fields), nonce

    def accept(self, firm: str, number: str) -> Report:
        bundle, nonce = self.present(firm, number)
        return self.ledger.verification.accept(bundle.to_bytes(), self.cast.bank, nonce).report


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger set up from nothing, with its own local chain."""
    with open_ledger(Settings(home=tmp_path_factory.mktemp("ledger"))) as opened:
        yield opened


@pytest.fixture(scope="session")
def pilot(ledger: Ledger) -> Pilot:
    """Institutions and firms on the chain, the platform accredited."""
    cast = assemble(ledger, FIRMS)
    now = ledger.clock()
    ledger.parties.accredit(ledger.installation.operator, (SCENARIO, REGISTRATION_SCENARIO), now - 86_400, now + 10**8)
    return Pilot(ledger, cast)
