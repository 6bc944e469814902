"""Fixtures: one open ledger on a real chain, shared by many tests; each test takes firms that no other test uses."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ledger.certificates.tables import Certificate
from ledger.chain.reading.contract_state import AssetRecord
from ledger.connectors.answers import Supplied
from ledger.demo.data.cast import Cast, assemble
from ledger.domain.codes import synthetic_uscc
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.domain.parties import PartyKind, Role
from ledger.domain.resource import DataResource, ResourceField
from ledger.installation.local_chain import LocalClock, fund
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger, open_ledger
from ledger.parties.newcomers import NewParty
from ledger.parties.roles import Actor
from ledger.proof.bundle import Bundle
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from ledger.registration.tables import ActDocument
from tests.support.actors.credit_bureau import AS_OF, FIELDS, SCENARIO, CreditBureau
from tests.support.ledgers.waiting_ledger import DELAY

ROWS = (
    {"year": "1981", "emp": "5.0", "wage": "14.0", "capital": "0.5", "output": "95.7"},
    {"year": "1982", "emp": "6.0", "wage": "15.0", "capital": "0.6", "output": "97.3"},
)
SUPPLIED = Supplied(ROWS, AS_OF, 1_700_000_000)
REPORTS = ("quality", "appraise")
FIRMS = [str(number) for number in range(1, 201)]
FIRST_NEWCOMER = 9500


def resource(code: str, content: str | None = None, **members: Any) -> DataResource:
    """Return a small resource with this code. Its content is made from the code unless ``content`` is given."""
    digest = hashlib.sha256((content or code).encode()).hexdigest()
    described: dict[str, Any] = {
        "code": code,
        "title": f"Resource {code}",
        "package": "test",
        "rows": 12,
        "columns": 2,
        "fields": (ResourceField("month", "date"), ResourceField("kwh", "decimal")),
        "content_digest": f"sha-256:{digest}",
    }
    return DataResource(**described | members)


class Pilot:
    """Does all steps from a firm's consent to its certificate, and from an application to the asset's registration.
    All signatures are real.
    """

    def __init__(self, ledger: Ledger, cast: Cast) -> None:
        self.ledger, self.cast, self.actors = ledger, cast, CreditBureau(ledger, cast)
        self._next = count()
        self._newcomers = count(FIRST_NEWCOMER)
        self._pool: list[str] = []
        self._pooled = count()

    def actor(self, party: str) -> Actor:
        """Return the party as an actor."""
        return self.ledger.actor(party)

    def applied(self, *codes: str) -> list[str]:
        """Apply for the registration of resources of the provider; return the asset ids."""
        return self.handed_in(*(resource(code) for code in codes))

    def handed_in(self, *resources: DataResource, by: str | None = None) -> list[str]:
        """Apply to register resources of the provider (or of party ``by``); return the asset ids."""
        intake = self.ledger.registration.registrations.submit(self.actor(by or self.cast.provider), resources)
        assert not intake.refused
        self.ledger.registration.registrations.register(intake.accepted)
        return list(intake.accepted)

    def noticed(self, assets: Sequence[str]) -> None:
        """Take applications through acceptance and review until their public notice begins."""
        for step in (
            self.ledger.registration.review.accept,
            self.ledger.registration.review.review,
            self.ledger.registration.review.notice,
        ):
            step(self.actor(self.cast.registrar), assets)

    def skip(self, seconds: int) -> None:
        """Move the clocks of ledger and chain forward."""
        LocalClock(self.ledger.settings).skip(self.ledger.reader.connection, seconds)

    def after_notice(self, assets: Sequence[str]) -> None:
        """Move the clock past the end of these assets' public notices."""
        ends = [asset.until for asset in self.ledger.reader.assets(assets) if asset is not None]
        self.skip(max(ends) + 1 - self.ledger.clock())

    def take_through(self, assets: Sequence[str]) -> None:
        """Take open applications through public notice and confirmation, and anchor the certificates."""
        self.noticed(assets)
        self.after_notice(assets)
        self.ledger.registration.review.confirm(self.actor(self.cast.registrar), assets)
        self.ledger.anchoring.flush()

    def confirmed(self) -> str:
        """Return an asset of the provider that is confirmed and that no other test uses. Twelve such assets are
        prepared together, with one public notice.
        """
        if not self._pool:
            prefix = f"pool/{self.ledger.rules.code}"
            self._pool = self.applied(*(f"{prefix}/{next(self._pooled)}" for _ in range(12)))
            self.take_through(self._pool)
        return self._pool.pop()

    def party(self, kind: PartyKind, *roles: Role) -> str:
        """Onboard a new party with these roles, and return its id; the installation keeps its key."""
        (account,) = self.ledger.custody.create()
        number = next(self._newcomers)
        key, uscc = self.ledger.custody.public_key(account), synthetic_uscc("440800", number)
        name = f"Newcomer {number}"
        (row,) = self.ledger.parties.onboarding.onboard(
            self.ledger.authority, [NewParty(kind, name, uscc, "440800", key, frozenset(roles))]
        )
        return row.id

    @contextmanager
    def under(self, **settings: Any) -> Iterator[Pilot]:
        """Open the same ledger a second time with changed settings, for example with another ruleset."""
        with open_ledger(self.ledger.settings.model_copy(update=settings)) as opened:
            yield Pilot(opened, self.cast)

    def fund(self, account: str) -> None:
        """Give an account money for the gas of its transactions on the local chain."""
        fund(self.ledger.settings, self.ledger.reader.connection, account)

    def record(self, asset: str) -> AssetRecord:
        """Return the record of the asset on the chain."""
        found = self.ledger.reader.asset(asset)
        assert found is not None
        return found

    def stands(self, asset: str) -> tuple[str, str | None, str | None]:
        """Return the asset's state on the chain, and the kind and the stage of its open application."""
        found = self.record(asset)
        return found.state, found.kind, found.stage

    def certificates(self, asset: str) -> list[Certificate]:
        """Return every registration certificate of an asset, the oldest first."""
        with self.ledger.database.read() as session:
            query = select(Certificate).where(Certificate.asset_id == asset)
            return list(session.scalars(query.order_by(Certificate.certificate_no)))

    def report(self, asset: str) -> Report:
        """Return a verifier's report on the asset's newest certificate."""
        return self.verified(str(self.ledger.registration.registrations.get(asset)["certificate_no"]))

    def verified(self, number: str) -> Report:
        """Return a verifier's report on a registration certificate."""
        self.ledger.anchoring.flush()
        bundle = self.ledger.certificates.bundles.build(number)
        return self.ledger.verification.verify(bundle.to_bytes(), Expectation()).report

    def act_documents_of(self, asset: str) -> list[str]:
        """Return the digests of all documents stored for acts on the asset."""
        with self.ledger.database.read() as session:
            return sorted(session.scalars(select(ActDocument.digest).where(ActDocument.asset_id == asset)))

    def history(self, asset: str) -> list[dict[str, Any]]:
        """Return every event of the asset. Fail unless it is proven that the history is complete."""
        history = self.ledger.provenances.asset(asset)
        assert history.completeness.complete
        return list(history.events)

    def decide(self, asset: str, *states: str, number: int = 1, reason: str = "Looked into") -> None:
        """As the registrar, move an objection through the given states."""
        for state in states:
            self.ledger.registration.objections.decide(self.actor(self.cast.registrar), asset, number, state, reason)

    def firm(self) -> str:
        """Return the number (key in ``cast.firms``) of a firm that no other test uses."""
        return FIRMS[next(self._next)]

    def authorise(self, firm: str) -> str:
        return self.actors.authorise([firm], lambda _: None)[firm]

    def supply(self, firm: str, authorization: str, rows: Sequence[Mapping[str, str]] = ROWS) -> None:
        self.actors.supply({firm: rows}, {firm: authorization}, lambda _: None)

    def certificate(self, firm: str) -> str:
        """Issue and anchor a certificate of the firm, and return its number."""
        authorization = self.authorise(firm)
        self.supply(firm, authorization)
        number = self.actors.issue({firm: authorization})[firm]
        self.ledger.anchoring.flush()
        return number

    def present(self, firm: str, number: str, fields: Sequence[str] = FIELDS) -> tuple[Bundle, str]:
        nonce = self.ledger.verification.new_nonce()
        return self.actors.present(firm, number, nonce, fields), nonce

    def accept(self, firm: str, number: str) -> Report:
        bundle, nonce = self.present(firm, number)
        return self.ledger.verification.accept(self.ledger.actor(self.cast.bank), bundle.to_bytes(), nonce).report


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A new ledger with its own local chain."""
    with create_ledger(Settings(home=tmp_path_factory.mktemp("ledger"), delay=0)) as opened:
        yield opened


@pytest.fixture(scope="session")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A new ledger on which proposals wait for an hour; its only parties are those that founded it."""
    with create_ledger(Settings(home=tmp_path_factory.mktemp("waiting"), delay=DELAY)) as opened:
        yield opened


@pytest.fixture(scope="session")
def pilot(ledger: Ledger) -> Pilot:
    """A pilot with institutions and firms on the chain, and an accredited platform."""
    return assembled(ledger)


def assembled(ledger: Ledger) -> Pilot:
    """Register institutions and firms on a new ledger, accredit the platform, and return the pilot."""
    cast = assemble(ledger, FIRMS)
    now = ledger.clock()
    ledger.parties.role_changes.accredit(
        ledger.authority, ledger.installation.operator, (SCENARIO, REGISTRATION_SCENARIO), now - 86_400, now + 10**9
    )
    ledger.parties.role_changes.accredit(ledger.authority, cast.assessor, REPORTS, now - 86_400, now + 10**9)
    return Pilot(ledger, cast)


@pytest.fixture(scope="session")
def closed_ledger(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a ledger that no process has open, and the number of its only active certificate. Tests copy the
    folder and damage the copy.
    """
    home = tmp_path_factory.mktemp("closed") / "home"
    with create_ledger(Settings(home=home)) as ledger:
        cast, now = assemble(ledger, ["1", "2", "3", "4"]), ledger.clock()
        codes = (SCENARIO, REGISTRATION_SCENARIO)
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, codes, now - 86_400, now + 10**8
        )
        number = Pilot(ledger, cast).certificate("1")
        ledger.anchoring.flush()
    return home, number


@pytest.fixture
def copied_home(closed_ledger: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the folder of ``closed_ledger``, which one test may damage."""
    return Path(shutil.copytree(closed_ledger[0], tmp_path / "home"))
