"""Enterprise credit under the demonstration scenario S51: one provider, two banks, a firm to a certificate."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from ledger.connectors.answers import Supplied
from ledger.demo.bureau import Bureau
from ledger.demo.cast import Cast
from ledger.demo.stages import Run
from ledger.domain.days import end_of_validity, shanghai_day
from ledger.proof.bundle import Bundle
from ledger.proof.facts import Facts
from ledger.proof.sdjwt import Disclosed, disclose
from ledger.service.issuance import SALT_BYTES, add_certificate, next_number
from ledger.service.requests import Terms
from ledger.service.wiring import Ledger
from ledger.store import log as log_store

SCENARIO = "S51"
SOURCE = "statistics"
DAYS = 30
DAY = 86_400
FIELDS = ("subject_name", "subject_uscc", "years_covered", "employment_trend", "employment_band", "wage_band")
OUTSIDE = "capital_band"
AS_OF = date(1984, 12, 31)

Tick = Callable[[int], None]
Rows = Sequence[Mapping[str, str]]


@dataclass
class Credit:
    """The pilot's certificates: by firm number, the authorization and the certificate."""

    authorizations: dict[str, str] = field(default_factory=dict)
    certificates: dict[str, str] = field(default_factory=dict)


class CreditBureau(Bureau):
    """The firms of the panel, one provider, two banks; firms go by their number."""

    def __init__(self, ledger: Ledger, cast: Cast) -> None:
        super().__init__(ledger)
        self.cast = cast

    def request(self, firm: str, fields: Sequence[str] = FIELDS) -> Terms:
        """The first bank asks the firm."""
        now = self.ledger.clock()
        until = end_of_validity(shanghai_day(now) + timedelta(days=DAYS - 1))
        return Terms(
            scenario=SCENARIO,
            subject=self.cast.firms[firm],
            consumer=self.cast.bank,
            sources={SOURCE: self.cast.provider},
            fields=tuple(fields),
            valid_from=now,
            valid_to=until,
            max_uses=1,
            channel="government_platform",
            expires_at=until,
        )

    def authorise(self, firms: Sequence[str], tick: Tick) -> dict[str, str]:
        """The bank asks, each firm reads its notice and signs: authorizations by firm."""
        requests = self.ask([self.request(firm) for firm in firms], tick)
        return {firm: row.id for firm, row in zip(firms, self.agree(requests), strict=True)}

    def supply(self, rows: Mapping[str, Rows], authorizations: Mapping[str, str], tick: Tick) -> None:
        """The provider signs each firm's rows; the claims are computed from them once."""
        now = self.ledger.clock()
        told = {identifier: Supplied(tuple(rows[firm]), AS_OF, now) for firm, identifier in authorizations.items()}
        self.answer(told, tick)

    def issue(self, authorizations: Mapping[str, str]) -> dict[str, str]:
        """One certificate per authorization."""
        requests = [self.ledger.authorizations.get(identifier).request_id for identifier in authorizations.values()]
        return {firm: row.certificate_no for firm, row in zip(authorizations, self.certify(requests), strict=True)}

    def issue_outside(self, number: str, field: str) -> str:
        """What a platform that breaks its own rule would do: anchor a certificate with a field nobody allowed."""
        ledger, now = self.ledger, self.ledger.clock()
        with ledger.database.write() as session:
            payload = log_store.certificate_statement(session, number)
            names = [*payload["fields"], field]
            hidden = [Disclosed(secrets.token_urlsafe(SALT_BYTES), name, "…") for name in names]
            region = number.split("-")[1]
            forged = payload | {"certificate_no": next_number(session, region, SCENARIO, now), "fields": names}
            row = add_certificate(session, ledger.sealer, disclose(forged, hidden), now, hidden=hidden)
        ledger.anchoring.flush()
        return row.certificate_no

    def present(self, firm: str, number: str, nonce: str, fields: Sequence[str] = FIELDS) -> Bundle:
        """The firm presents its certificate to the first bank."""
        signer = self.signer_of(self.cast.firms[firm])
        return self.ledger.bundles.present(number, fields, self.cast.bank, nonce, signer, self.ledger.clock())


def issue_credit(
    bureau: CreditBureau, rows: Mapping[str, Rows], run: Run, progress: Callable[[str, int], Tick]
) -> Credit:
    """Authorise, supply and issue for every firm of the panel."""
    firms = list(rows)
    credit = Credit()
    with run.stage("授权 authorise") as stage:
        credit.authorizations = bureau.authorise(firms, progress(stage.name, len(firms)))
        stage.count = len(firms)
    with run.stage("提供 supply") as stage:
        bureau.supply(rows, credit.authorizations, progress(stage.name, len(firms)))
        stage.count = len(firms)
    with run.stage("签发并上链 issue and anchor") as stage:
        credit.certificates = bureau.issue(credit.authorizations)
        stage.gas, stage.count = bureau.ledger.anchoring.flush().gas, len(credit.certificates)
    run.counts |= {"authorizations": len(firms), "provisions": len(firms), "usage_certificates": len(firms)}
    return credit


@dataclass(frozen=True, slots=True)
class Verification:
    """What the bank held when it verified: the bundle, the chain's facts, and the nonce it had given."""

    bundle: bytes
    facts: Facts | None
    nonce: str


def verify_credit(
    bureau: CreditBureau, numbers: Mapping[str, str], run: Run, progress: Callable[[str, int], Tick]
) -> dict[str, Verification]:
    """The bank verifies and uses every certificate; returns what it held for each firm."""
    made: dict[str, Verification] = {}
    valid = 0
    with run.stage("核验并使用 verify and use") as stage:
        tick = progress(stage.name, len(numbers))
        for firm, number in numbers.items():
            nonce = bureau.ledger.verification.new_nonce()
            raw = bureau.present(firm, number, nonce).to_bytes()
            verified = bureau.ledger.verification.accept(raw, bureau.cast.bank, nonce)
            made[firm] = Verification(raw, verified.facts, nonce)
            valid += verified.report.valid
            stage.gas += verified.use.gas if verified.use else 0
            tick(1)
        stage.count = len(numbers)
    run.counts |= {"verifications": len(numbers), "verified_valid": valid}
    return made
