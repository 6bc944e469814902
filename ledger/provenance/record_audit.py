"""Compare database rows with the signed log entries whose members the rows repeat, as ``own_entry`` does for
certificates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.certificates.own_entry import REPEATED
from ledger.certificates.tables import Certificate
from ledger.chain.accounts import is_account_of
from ledger.domain.findings import Finding
from ledger.index.tables import PARTIES
from ledger.parties.tables import Party, PartyKey
from ledger.store.row_damage import counter_differs, differing, record_damaged
from ledger.store.tables import Base, Counter, Entry
from ledger.usage.tables import AccessRequest, Authorization, Provision

_PER_QUERY: Final = 1_000
# For each table: the columns that repeat a member of the row's log entry, each with the name of that member.
_REPEATED: Final[Mapping[type[Base], Mapping[str, str]]] = {
    Certificate: REPEATED,
    AccessRequest: {each: each for each in ("id", "scenario", "subject", "consumer", "expires_at")},
    Authorization: {each: each for each in ("id", "scenario", "subject", "source", "provider")},
    Provision: {each: each for each in ("id", "provider", "result", "reason")},
}


def audit_records(session: Session) -> Iterator[Finding]:
    """Return each difference between a row and its entry, a key and its account, a party and the index, or a counter
    and the certificate numbers.
    """
    for model in _REPEATED:
        yield from _rows(session, model)
    for account, public_key in session.execute(select(PartyKey.account, PartyKey.public_key)):
        if not is_account_of(account, public_key):
            yield record_damaged("party_key", account, ["public_key"])
    yield from _parties(session)
    yield from _series(session)


def _rows(session: Session, model: Any) -> Iterator[Finding]:
    key = next(iter(model.__table__.primary_key))
    after = ""
    query = select(model, Entry.body).outerjoin(Entry, Entry.digest == model.digest).order_by(key).limit(_PER_QUERY)
    while rows := session.execute(query.where(key > after)).all():
        for row, body in rows:
            name = getattr(row, key.name)
            wrong = ["digest"] if body is None else differing(row, json.loads(body), _REPEATED[model])
            if wrong:
                yield record_damaged(model.__tablename__, name, wrong)
        after = getattr(rows[-1][0], key.name)


def _parties(session: Session) -> Iterator[Finding]:
    """Find parties whose stored number differs from their number on the chain, or whose present key does not belong to
    their present account.
    """
    followed = session.scalar(select(func.max(PARTIES.c.no))) or 0
    query = (
        select(Party, PARTIES.c.no, PartyKey.public_key)
        .outerjoin(PARTIES, PARTIES.c.id == Party.id)
        .outerjoin(PartyKey, (PartyKey.account == Party.present_account) & (PartyKey.party_id == Party.id))
    )
    for row, number, public_key in session.execute(query):
        # The index may not have the newest parties yet, so they are not compared.
        later = number is None and row.no is not None and row.no > followed
        wrong = [] if later or row.no in (None, number) else ["no"]
        if row.present_account is not None and public_key != row.present_key:
            wrong.append("account")
        if wrong:
            yield record_damaged("party", row.id, wrong)


def _series(session: Session) -> Iterator[Finding]:
    """Find series of certificate numbers whose counter is lower than the highest number."""
    series = select(Counter.name, Counter.value).where(Counter.name.like("certificate/%"))
    counters = {row.name: row.value for row in session.execute(series)}
    highest: dict[str, int] = {}
    query = select(func.substr(Certificate.certificate_no, 5, 24)).where(Certificate.certificate_no.like("DAC-%"))
    for text in session.scalars(query):
        region, year, scenario, serial = str(text).split("-")[:4]
        name = f"certificate/{region}/{year}/{scenario}"
        highest[name] = max(highest.get(name, 0), int(serial[:8]))
    for name, number in highest.items():
        value = counters.get(name, 0)
        if not isinstance(value, int) or value < number:
            yield counter_differs(name, value, number)
