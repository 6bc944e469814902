"""Second half of the pilot: enterprise credit on a real panel of firms."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from ledger.demo.cast import Cast
from ledger.demo.stages import Run
from ledger.proof.bundle import Bundle
from ledger.proof.facts import Facts
from ledger.proof.jws import Signer, public_jwk, sign_entry
from ledger.proof.sdjwt import Disclosed, disclose
from ledger.service.authorizations import AuthorizationRequest
from ledger.service.issuance import SALT_BYTES, IssueRequest, add_certificate, next_number
from ledger.service.provisions import Supply
from ledger.service.wiring import Ledger
from ledger.store import log as log_store

SCENARIO = "S51"
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


class Bureau:
    """Plays subject, provider and platform, each with its own key."""

    def __init__(self, ledger: Ledger, cast: Cast) -> None:
        self.ledger = ledger
        self.cast = cast

    def signer_of(self, party: str) -> Signer:
        """The party's own signer."""
        return self.ledger.custody.signer(self.ledger.parties.get(party).account)

    def request(self, firm: str, fields: Sequence[str] = FIELDS) -> AuthorizationRequest:
        """The first bank asks the firm."""
        now = self.ledger.clock()
        return AuthorizationRequest(
            scenario=SCENARIO,
            subject=self.cast.firms[firm],
            consumer=self.cast.bank,
            providers=(self.cast.provider,),
            fields=tuple(fields),
            valid_from=now,
            valid_to=now + 30 * DAY,
            max_uses=1,
            channel="government_platform",
        )

    def authorise(self, firms: Sequence[str], tick: Tick) -> dict[str, str]:
        """Each firm reads its notice and signs."""
        signed = []
        for firm in firms:
            draft = self.ledger.authorizations.draft(self.request(firm))
            signed.append(sign_entry(draft.entry, self.signer_of(self.cast.firms[firm])))
            tick(1)
        rows = self.ledger.authorizations.submit(signed)
        return {firm: row.id for firm, row in zip(firms, rows, strict=True)}

    def supply(self, rows: Mapping[str, Rows], authorizations: Mapping[str, str], tick: Tick) -> None:
        """The provider signs each firm's rows; the claims are computed from them once."""
        signer = self.signer_of(self.cast.provider)
        supplies = []
        for firm, identifier in authorizations.items():
            entry = self.ledger.provisions.draft(identifier, self.cast.provider, rows[firm], as_of=AS_OF)
            supplies.append(Supply(sign_entry(entry, signer), rows[firm]))
            tick(1)
        self.ledger.provisions.submit(supplies)

    def issue(self, authorizations: Mapping[str, str]) -> dict[str, str]:
        """One certificate per authorization."""
        requests = [
            IssueRequest(identifier, public_jwk(self.signer_of(self.cast.firms[firm]).public_key))
            for firm, identifier in authorizations.items()
        ]
        issued = self.ledger.issuance.issue(requests)
        return {firm: row.certificate_no for firm, row in zip(authorizations, issued, strict=True)}

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
        return self.ledger.bundles.present(
            number, fields, self.cast.bank, nonce, self.signer_of(self.cast.firms[firm]), self.ledger.clock()
        )


def issue_credit(bureau: Bureau, rows: Mapping[str, Rows], run: Run, progress: Callable[[str, int], Tick]) -> Credit:
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
    bureau: Bureau, numbers: Mapping[str, str], run: Run, progress: Callable[[str, int], Tick]
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
