"""Erases a certificate's disclosures, and lists the records about the certificate, which tests then check."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.certificates.issued import IssuedCertificate
from ledger.certificates.lookups import named_provisions, payload_of
from ledger.certificates.tables import Certificate
from ledger.domain.parties import Role
from ledger.errors import NotFound, PingzhengError
from ledger.installation.wiring import Ledger
from ledger.parties.roles import Actor
from ledger.privacy.erasure import Erased
from ledger.store.tables import Entry
from ledger.usage.lookups import access_request, authorizations_of, certificates_of, provisions_of, texts_of
from tests.support.actors.persons import PersonActors

REQUEST, OVER, COURT = "subject_request", "retention_over", "court"


def subject(party: str) -> Actor:
    return Actor(party, frozenset({Role.SUBJECT}))


def erase(persons: PersonActors, person: str, number: str) -> Erased:
    return persons.ledger.erasure.certificate(subject(person), number, REQUEST)


def records_of(persons: PersonActors, number: str) -> list[Any]:
    """Return the certificate's request, and all authorizations, provisions and certificates made for this request."""
    with persons.ledger.database.read() as session:
        request = access_request(session, str(session.get_one(Certificate, number).request_id))
        consents = authorizations_of(session, request.id)
        answers = [answer for consent in consents for answer in provisions_of(session, consent.id)]
        return [request, *consents, *answers, *certificates_of(session, request.id)]


def opens(persons: PersonActors, *records: Any) -> list[bool]:
    with persons.ledger.database.read() as session:
        rows = [
            session.get_one(Certificate, record.certificate_no) if isinstance(record, IssuedCertificate) else record
            for record in records
        ]
        kept = persons.ledger.sealer.kept(session, [row.sealed_id for row in rows if row.sealed_id is not None])
        return [
            opens_claims(persons.ledger, session, row)
            if isinstance(row, Certificate) and row.sealed_id is None
            else row.sealed_id in kept
            for row in rows
        ]


def opens_claims(ledger: Ledger, session: Session, row: Certificate) -> bool:
    try:
        return bool(ledger.certificates.hidden_claims.opened(session, row, payload_of(session, row.certificate_no)))
    except NotFound:
        return False


def text_of(ledger: Ledger, number: str) -> str:
    """Return the id of the sealed disclosures of a certificate with one source."""
    with ledger.database.read() as session:
        (provision,) = named_provisions(session, [session.get_one(Certificate, number)])
        (text,) = texts_of(session, [provision])
        return text


def erasures(ledger: Ledger, party: str) -> list[dict[str, Any]]:
    with ledger.database.read() as session:
        bodies = session.scalars(select(Entry.body).where(Entry.type == "erasure").order_by(Entry.seq))
        return [entry for entry in map(json.loads, bodies) if entry["subject"] == party]


def refusal(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except PingzhengError as error:
        return error.code
    return "done"


def office(persons: PersonActors, who: str) -> Actor:
    own = persons.ledger.installation
    parties = {"platform": own.operator, "authority": own.authority_party, "bank": persons.bank}
    parties |= {"provider": persons.statistics, "registrar": persons.registrar, "supervisor": persons.supervisor}
    return persons.ledger.actor(parties[who])
