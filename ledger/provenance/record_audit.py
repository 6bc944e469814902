"""Whether the rows that are searched and listed say what their signed entries say.

A row repeats members of its entry so that it can be found by them. What was changed there by other means would be
answered for the certificate, without one signature being wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.chain.accounts import account_of_public_key
from ledger.domain.findings import Finding
from ledger.errors import InvalidInput
from ledger.index.tables import PARTIES
from ledger.parties.tables import Party, PartyKey
from ledger.store.tables import Base, Counter, Entry
from ledger.usage.tables import AccessRequest, Authorization, Provision

_PER_QUERY: Final = 1_000
# Of each table: which column repeats which member of the entry.
_REPEATED: Final[Mapping[type[Base], Mapping[str, str]]] = {
    Certificate: {
        "certificate_no": "certificate_no",
        "cls": "class",
        "seq": "seq",
        "scenario": "scenario",
        "issuer": "iss",
        "subject": "sub",
        "consumer": "consumer",
        "exp": "exp",
        "max_uses": "max_uses",
    },
    AccessRequest: {each: each for each in ("id", "scenario", "subject", "consumer", "expires_at")},
    Authorization: {each: each for each in ("id", "scenario", "subject", "source", "provider")},
    Provision: {each: each for each in ("id", "provider", "result", "reason")},
}


def require_own_entry(row: Certificate, body: bytes) -> dict[str, Any]:
    """The payload of a certificate whose row says what it says; raises ``Incoherent`` ``RECORD_DAMAGED``."""
    stated: dict[str, Any] = json.loads(body)
    if wrong := _differing(row, stated):
        raise record_damaged("certificate", row.certificate_no, wrong).refusal()
    return stated


def record_damaged(table: str, key: str, columns: list[str]) -> Finding:
    """A row says something else than its entry, its key or the chain."""
    return Finding(
        "RECORD_DAMAGED",
        f"The row of a {table} in the database does not say what it was made from: {', '.join(columns)}.",
        f"{table} {key}",
        "The database was changed by other means. Restore it with `pingzheng restore`.",
        {"columns": columns},
    )


def audit_records(session: Session) -> Iterator[Finding]:
    """Compare rows with their entries, keys with their accounts, parties with the index, counters with their rows."""
    for model in _REPEATED:
        yield from _rows(session, model)
    for account, public_key in session.execute(select(PartyKey.account, PartyKey.public_key)):
        if not is_account_of(account, public_key):
            yield record_damaged("party_key", account, ["public_key"])
    yield from _parties(session)
    yield from _series(session)


def is_account_of(account: str, public_key: str) -> bool:
    """Whether this is the account of that public key (text, protocol §4)."""
    try:
        return account_of_public_key(public_key) == account
    except (InvalidInput, ValueError):
        return False


def _differing(row: Base, stated: Mapping[str, Any]) -> list[str]:
    repeated = _REPEATED[type(row)]
    return [column for column, member in repeated.items() if getattr(row, column) != stated.get(member)]


def _rows(session: Session, model: Any) -> Iterator[Finding]:
    key = next(iter(model.__table__.primary_key))
    after = ""
    query = select(model, Entry.body).outerjoin(Entry, Entry.digest == model.digest).order_by(key).limit(_PER_QUERY)
    while rows := session.execute(query.where(key > after)).all():
        for row, body in rows:
            name = getattr(row, key.name)
            wrong = ["digest"] if body is None else _differing(row, json.loads(body))
            if wrong:
                yield record_damaged(model.__tablename__, name, wrong)
        after = getattr(rows[-1][0], key.name)


def _parties(session: Session) -> Iterator[Finding]:
    """A party's number is the chain's, and the key that it acts with is one of its keys."""
    followed = session.scalar(select(func.max(PARTIES.c.no))) or 0
    query = (
        select(Party, PARTIES.c.no, PartyKey.public_key)
        .outerjoin(PARTIES, PARTIES.c.id == Party.id)
        .outerjoin(PartyKey, (PartyKey.account == Party.present_account) & (PartyKey.party_id == Party.id))
    )
    for row, number, public_key in session.execute(query):
        # The index may not have followed the newest of them yet.
        later = number is None and row.no is not None and row.no > followed
        wrong = [] if later or row.no in (None, number) else ["no"]
        if row.present_account is not None and public_key != row.present_key:
            wrong.append("account")
        if wrong:
            yield record_damaged("party", row.id, wrong)


def _series(session: Session) -> Iterator[Finding]:
    """The next number of a series is above all that were given."""
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


def counter_differs(name: str, value: int, expected: int) -> Finding:
    """A counter would give a number that was given already, or leave some out."""
    return Finding(
        "COUNTER_DIFFERS",
        f"The counter {name} of the database stands at {value}, and its rows at {expected}.",
        f"counter {name}",
        "The database was changed by other means. Restore it with `pingzheng restore`.",
        {"value": value, "expected": expected},
    )
