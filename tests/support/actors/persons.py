"""Actors of scenarios S02 (one source) and S03 (three sources): a bank, departments and persons, with their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import count
from typing import Any

from ledger.connectors.answers import Supplied
from ledger.domain.canonical import digest
from ledger.domain.codes import synthetic_resident_id
from ledger.domain.days import end_of_validity, shanghai_day
from ledger.domain.parties import PartyKind, Role
from ledger.parties.newcomers import NewParty
from ledger.proof.report import Report
from ledger.usage.authorizations import Choice
from ledger.usage.recorded import RecordedAuthorization
from ledger.usage.request_terms import Terms
from tests.support.actors.given_answers import GivenAnswers
from tests.support.actors.pilots import Pilot

PERSONAL = ("S02", "S03")
AS_OF = date(2026, 10, 31)
SEPARATELY = Choice(separate_consent=True)
CONTRIBUTIONS = tuple({"month": f"2026{month:02d}", "base": str(4_000 + month)} for month in range(1, 11))
SCORES = ({"month": "202610", "score": "72"},)
_SERIALS = count(1)


class PersonActors(GivenAnswers):
    """The actors of scenarios about persons: a bank that requests data, and departments that provide it."""

    def __init__(self, pilot: Pilot) -> None:
        super().__init__(pilot.ledger)
        self.bank, self.statistics = pilot.cast.bank, pilot.cast.provider
        self.registrar, self.supervisor = pilot.cast.registrar, pilot.cast.supervisor
        names = ("social_insurance", "vehicle", "housing_fund")
        self.departments = {name: pilot.party(PartyKind.PUBLIC_INST, Role.PROVIDER) for name in names}
        now = self.ledger.clock()
        start = now - 86_400
        self.ledger.parties.role_changes.accredit(
            self.ledger.authority, self.ledger.installation.operator, PERSONAL, start, now + 10**9
        )

    def person(self, region: str = "440881") -> str:
        """Onboard a new person, whose key the installation keeps, and return the person's party id."""
        (account,) = self.ledger.custody.create()
        serial = next(_SERIALS)
        key, number = self.ledger.custody.public_key(account), synthetic_resident_id(serial)
        (row,) = self.ledger.parties.onboarding.onboard(
            self.ledger.authority, [NewParty(PartyKind.PERSON, f"湛江某人{serial}号", number, region, key)]
        )
        return row.id

    def terms(self, person: str, scenario: str = "S02", **changes: Any) -> Terms:
        """Return the terms of a request in which a bank asks for every field of the scenario, for five days."""
        now, fields = self.ledger.clock(), self.ledger.scenarios.get(scenario).fields
        until = end_of_validity(shanghai_day(now) + timedelta(days=4))
        sources = {field.source for field in fields}
        terms: dict[str, Any] = {
            "scenario": scenario,
            "subject": person,
            "consumer": self.bank,
            "sources": {name: party for name, party in self.departments.items() if name in sources},
            "fields": tuple(field.name for field in fields),
            "valid_from": now,
            "valid_to": until,
            "max_uses": 1,
            "channel": "government_platform",
            "expires_at": until,
            "pia_digest": digest(b"impact assessment"),
        }
        return Terms(**terms | changes)

    def authorised(
        self, person: str, scenario: str = "S02", **changes: Any
    ) -> tuple[str, dict[str, RecordedAuthorization]]:
        """Make a request, and let the person authorise all that is requested. Return the request's id, and the
        authorization for each source.
        """
        (request,) = self.ask([self.terms(person, scenario, **changes)])
        return request, {row.source: row for row in self.agree([request], SEPARATELY)}

    def supplied(self, rows: Sequence[Mapping[str, str]] = CONTRIBUTIONS) -> Supplied:
        """Return a provider's answer that is computed from the given rows."""
        return Supplied(tuple(rows), AS_OF, self.ledger.clock())

    def certificate(self, person: str, scenario: str = "S02") -> str:
        """Issue and anchor a certificate over all requested fields, and return its number."""
        request, given = self.authorised(person, scenario)
        rows = CONTRIBUTIONS if scenario == "S02" else SCORES
        self.answer({row.id: self.supplied(rows) for row in given.values()})
        (issued,) = self.certify([request])
        self.ledger.anchoring.flush()
        return issued.certificate_no

    def accepted(self, number: str, fields: Sequence[str] | None = None) -> Report:
        """Present the certificate to the bank, let the bank use it, and return the bank's report."""
        nonce = self.ledger.verification.new_nonce()
        raw = self.show(number, nonce, fields).to_bytes()
        return self.ledger.verification.accept(self.ledger.actor(self.bank), raw, nonce).report
