"""Actors of the demonstration scenario S51 (enterprise credit): one provider, two banks, and a firm for each
certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from ledger.connectors.answers import Supplied
from ledger.demo.data.cast import Cast
from ledger.domain.days import end_of_validity, shanghai_day
from ledger.installation.wiring import Ledger
from ledger.proof.bundle import Bundle
from ledger.usage.request_terms import Terms
from tests.support.actors.given_answers import GivenAnswers

SCENARIO = "S51"
SOURCE = "statistics"
DAYS = 30
FIELDS = ("subject_name", "subject_uscc", "years_covered", "employment_trend", "employment_band", "wage_band")
OUTSIDE = "capital_band"
AS_OF = date(1984, 12, 31)

Tick = Callable[[int], None]
Rows = Sequence[Mapping[str, str]]


class CreditBureau(GivenAnswers):
    """The actors of scenario S51: one provider, two banks, and firms that are identified by a number."""

    def __init__(self, ledger: Ledger, cast: Cast) -> None:
        super().__init__(ledger)
        self.cast = cast

    def request(self, firm: str, fields: Sequence[str] = FIELDS) -> Terms:
        """Return the terms of a request in which the first bank asks for the firm's data."""
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
        """Let the bank request data about each firm, and let each firm sign an authorization; return the firms'
        authorizations.
        """
        requests = self.ask([self.request(firm) for firm in firms], tick)
        return {firm: row.id for firm, row in zip(firms, self.agree(requests), strict=True)}

    def supply(self, rows: Mapping[str, Rows], authorizations: Mapping[str, str], tick: Tick) -> None:
        """Let the provider sign each firm's provision, with claims computed from the firm's rows."""
        now = self.ledger.clock()
        given = {identifier: Supplied(tuple(rows[firm]), AS_OF, now) for firm, identifier in authorizations.items()}
        self.answer(given, tick)

    def issue(self, authorizations: Mapping[str, str]) -> dict[str, str]:
        """Issue a certificate for each authorization."""
        requests = [
            self.ledger.usage.authorizations.get(identifier).request_id for identifier in authorizations.values()
        ]
        return {firm: row.certificate_no for firm, row in zip(authorizations, self.certify(requests), strict=True)}

    def present(self, firm: str, number: str, nonce: str, fields: Sequence[str] = FIELDS) -> Bundle:
        """Return the firm's presentation of its certificate to the first bank."""
        signer = self.signer_of(self.cast.firms[firm])
        return self.ledger.certificates.bundles.present(
            number, fields, self.cast.bank, nonce, signer, self.ledger.clock()
        )
