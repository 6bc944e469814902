"""The state of a certificate that SQL computes from store and index equals the state that a verifier finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, insert, update

from ledger.certificates.tables import Certificate
from ledger.index import tables
from ledger.installation.tables import METADATA
from ledger.store.tables import Batch, Entry
from ledger.usage.ended_statements import withdrawn_but_active
from ledger.usage.holdings.filter import HoldingsFilter
from ledger.usage.holdings.search import certificates
from ledger.usage.tables import AccessRequest, Authorization, Provision

NOW = 1_000
SUBJECT, CONSUMER, PROVIDER, ISSUER, STRANGER = (f"{number:064x}" for number in range(1, 6))
NUMBERS = {SUBJECT: 11, CONSUMER: 12, PROVIDER: 13, ISSUER: 14, STRANGER: 15}
CERTIFICATE, REQUEST, CONSENT, SUPPLY, CORRECTION = (f"{number:064x}" for number in range(101, 106))
OTHER = "ee" * 32
ASSET = "aa" * 32
SEQ, FIRST_SEQ, BATCH = 42, 40, 7
SUSPENDED, REVOKED, SUPERSEDED = 1, 2, 3


# The database rows of an anchored, active certificate, and of the request and authorization under which it was issued.
ROWS: list[tuple[Any, dict[str, Any]]] = [
    *(
        (
            tables.PARTIES,
            {"no": number, "id": party, "status": 1, "reason": 0, "roles": 0, "registered_at": 1, "registered_by": 1},
        )
        for party, number in NUMBERS.items()
    ),
    (
        Batch,
        {
            "number": BATCH,
            "first_seq": FIRST_SEQ,
            "size": 8,
            "root": OTHER,
            "state": "anchored",
            "closed_at": 1,
            "at": 1,
            "issuer": NUMBERS[ISSUER],
        },
    ),
    (
        Entry,
        {
            "seq": SEQ,
            "type": "certificate",
            "leaf": "aa" * 32,
            "digest": CERTIFICATE,
            "body": b"",
            "batch": BATCH,
            "created_at": 1,
        },
    ),
    (
        AccessRequest,
        {
            "id": "R",
            "digest": REQUEST,
            "scenario": "S01",
            "subject": SUBJECT,
            "consumer": CONSUMER,
            "state": "answered",
            "expires_at": 1,
            "sealed_id": "",
            "created_at": 1,
        },
    ),
    (
        Authorization,
        {
            "id": "A",
            "digest": CONSENT,
            "request_id": "R",
            "scenario": "S01",
            "subject": SUBJECT,
            "consumer": CONSUMER,
            "source": "tax",
            "provider": PROVIDER,
            "state": "active",
            "sealed_id": "",
            "created_at": 1,
        },
    ),
    (
        Certificate,
        {
            "certificate_no": "DAC",
            "cls": "usage",
            "seq": SEQ,
            "digest": CERTIFICATE,
            "scenario": "S01",
            "issuer": ISSUER,
            "subject": SUBJECT,
            "consumer": CONSUMER,
            "request_id": "R",
            "version": 1,
            "exp": NOW + 1,
            "max_uses": 2,
            "created_at": 1,
        },
    ),
]


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database in memory that contains ``ROWS`` and a provision."""
    engine = create_engine("sqlite://")
    METADATA.create_all(engine)
    tables.METADATA.create_all(engine)
    with engine.begin() as opened:
        for table, values in ROWS:
            opened.execute(insert(table).values(values))
        supply(opened, 1, SUPPLY)
        yield opened
    engine.dispose()


def supply(connection: Connection, number: int, digest: str, result: str = "supplied") -> None:
    connection.execute(
        insert(Provision).values(
            id=f"P{number}",
            authorization_id="A",
            number=number,
            provider=PROVIDER,
            digest=digest,
            result=result,
            created_at=1,
        )
    )


def status(
    connection: Connection, value: int, *, block: int = 1, issuer: str = ISSUER, index: int | None = None
) -> None:
    where = SEQ - FIRST_SEQ if index is None else index
    connection.execute(
        insert(tables.STATUSES).values(
            issuer=NUMBERS[issuer],
            batch=BATCH,
            index=where,
            block_number=block,
            log_index=0,
            status=value,
            reason=0,
            since=1,
        )
    )


def withdraw(connection: Connection, party: str, statement: str, *, at: int = 1, reported_at: int = 0) -> None:
    values = {"party": NUMBERS[party], "statement": statement, "at": at, "reported_at": reported_at}
    connection.execute(insert(tables.WITHDRAWALS).values(values))


def withdraw_reported(connection: Connection, party: str, statement: str) -> None:
    """Record that the party withdrew a statement with a key that was reported lost."""
    withdraw(connection, party, statement, at=0, reported_at=1)


def hold(connection: Connection, statement: str, *offices: int) -> None:
    """Record one change of the holds on a statement for each item of ``offices``. An item is a bit mask of the roles
    that still have a hold on the statement after the change.
    """
    for change, bits in enumerate(offices, start=1):
        values = {"statement": statement, "change": change, "offices": bits, "reason": 0, "at": 1, "by": 1}
        connection.execute(insert(tables.HOLDS).values(values))


def use(connection: Connection, count: int, *, consumer: str = CONSUMER, request: str = REQUEST) -> None:
    for ordinal in range(1, count + 1):
        values = {"consumer": NUMBERS[consumer], "request": request, "ordinal": ordinal, "at": 1}
        connection.execute(insert(tables.USES).values(values))


def record_withdrawal(connection: Connection, statement: str) -> None:
    """Record the log entry with which a party withdraws if the chain cannot check its key."""
    values = {"seq": 1, "type": "withdrawal", "leaf": "bb" * 32, "digest": "cc" * 32, "about": statement}
    connection.execute(insert(Entry).values(**values, body=b"", created_at=1))


def correct(connection: Connection) -> None:
    withdraw(connection, PROVIDER, SUPPLY)
    supply(connection, 2, CORRECTION)


def register(connection: Connection, *, holder: str = SUBJECT, frozen: bool = False, state: str = "confirmed") -> None:
    """Turn the certificate into the registration certificate of an asset on the chain."""
    values = dict.fromkeys(("content", "filed"), OTHER) | {"id": ASSET, "asset_no": 1, "fingerprint": ASSET}
    values |= {"kind": "none", "stage": "none", "grade": "general_1", "cleared": False, "holder_no": NUMBERS[holder]}
    values |= dict.fromkeys(("objections", "until", "offered_to", "registered_at", "registered_by", "since"), 0)
    values |= {"valid_to": NOW + 1, "state": state, "frozen": frozen}
    connection.execute(insert(tables.ASSETS).values(values))
    connection.execute(update(Certificate).values(asset_id=ASSET))


def expire(connection: Connection) -> None:
    connection.execute(update(Certificate).values(exp=NOW))


Happening = Callable[[Connection], object]
STATES: dict[str, tuple[str, list[Happening]]] = {
    "nothing": ("active", []),
    "its period has ended": ("expired", [expire]),
    "suspended": ("suspended", [lambda it: status(it, SUSPENDED)]),
    "resumed": ("active", [lambda it: status(it, SUSPENDED), lambda it: status(it, 0, block=2)]),
    "revoked": ("revoked", [lambda it: status(it, REVOKED), expire]),
    "superseded": ("superseded", [lambda it: status(it, SUPERSEDED), lambda it: withdraw(it, PROVIDER, SUPPLY)]),
    "another leaf is revoked": ("active", [lambda it: status(it, REVOKED, index=0)]),
    "the same leaf of another issuer's log": ("active", [lambda it: status(it, REVOKED, issuer=STRANGER)]),
    "the subject withdrew": ("revoked", [lambda it: withdraw(it, SUBJECT, CONSENT), expire]),
    "the subject withdrew by a reported key": ("revoked", [lambda it: withdraw_reported(it, SUBJECT, CONSENT)]),
    "the provider withdrew by a reported key": ("active", [lambda it: withdraw_reported(it, PROVIDER, SUPPLY)]),
    "the provider withdrew by both kinds of key": (
        "revoked",
        [lambda it: withdraw(it, PROVIDER, SUPPLY, reported_at=1)],
    ),
    "the subject withdrew by an entry": (
        "revoked",
        [lambda it: it.execute(update(Authorization).values(state="withdrawn"))],
    ),
    "a stranger withdrew": ("active", [lambda it: withdraw(it, STRANGER, CONSENT)]),
    "the provider withdrew the consent": ("active", [lambda it: withdraw(it, PROVIDER, CONSENT)]),
    "the provider withdrew": ("revoked", [lambda it: withdraw(it, PROVIDER, SUPPLY)]),
    "the provider withdrew by an entry": ("revoked", [lambda it: record_withdrawal(it, SUPPLY)]),
    "the subject withdrew the provision": ("active", [lambda it: withdraw(it, SUBJECT, SUPPLY)]),
    "the provider corrected": ("active", [correct]),
    "the provider withdrew the correction": ("revoked", [correct, lambda it: withdraw(it, PROVIDER, CORRECTION)]),
    "a later answer without data": (
        "revoked",
        [lambda it: withdraw(it, PROVIDER, SUPPLY), lambda it: supply(it, 2, OTHER, "no_data")],
    ),
    "the certificate is held": ("suspended", [lambda it: hold(it, CERTIFICATE, 1), expire]),
    "the request is held": ("suspended", [lambda it: hold(it, REQUEST, 2)]),
    "the consent is held": ("suspended", [lambda it: hold(it, CONSENT, 1)]),
    "the provision is held": ("suspended", [lambda it: hold(it, SUPPLY, 1)]),
    "a corrected provision is held": ("active", [correct, lambda it: hold(it, SUPPLY, 1)]),
    "one office of two lifted": ("suspended", [lambda it: hold(it, REQUEST, 1, 3, 2)]),
    "both offices lifted": ("active", [lambda it: hold(it, REQUEST, 1, 3, 2, 0)]),
    "held again": ("suspended", [lambda it: hold(it, REQUEST, 1, 0, 1)]),
    "another statement is held": ("active", [lambda it: hold(it, OTHER, 1)]),
    "held and withdrawn": ("revoked", [lambda it: hold(it, REQUEST, 1), lambda it: withdraw(it, SUBJECT, CONSENT)]),
    "used once": ("active", [lambda it: use(it, 1)]),
    "used as often as allowed": ("used_up", [lambda it: use(it, 2)]),
    "used by another consumer": ("active", [lambda it: use(it, 9, consumer=STRANGER)]),
    "another request used": ("active", [lambda it: use(it, 9, request=OTHER)]),
    "the provider corrected after the certificate was issued": (
        "revoked",
        [correct, lambda it: it.execute(update(Provision).where(Provision.number == 2).values(created_at=2))],
    ),
    "the asset is registered": ("active", [register]),
    "the asset is annulled": ("annulled", [lambda it: register(it, state="annulled"), expire]),
    "the asset is cancelled": ("cancelled", [lambda it: register(it, state="cancelled")]),
    "the asset is frozen": ("suspended", [lambda it: register(it, frozen=True)]),
    "the asset has another holder": ("superseded", [lambda it: register(it, holder=STRANGER)]),
    "not anchored yet": ("building", [lambda it: it.execute(update(Batch).values(state="closed"))]),
}


@pytest.mark.parametrize(("state", "happenings"), STATES.values(), ids=STATES)
def test_a_certificate_has_the_state_that_a_verifier_would_find(
    connection: Connection, state: str, happenings: list[Happening]
) -> None:
    for happen in happenings:
        happen(connection)
    assert connection.execute(certificates(HoldingsFilter(), NOW)).one().state == state


def test_the_uses_of_a_certificate_are_the_uses_that_its_consumer_recorded(connection: Connection) -> None:
    use(connection, 2)
    use(connection, 1, consumer=STRANGER)
    assert connection.execute(certificates(HoldingsFilter(), NOW)).one().uses == 2


@pytest.mark.parametrize(
    ("party", "statement", "carried_out"),
    [(SUBJECT, CONSENT, False), (STRANGER, CONSENT, True), (SUBJECT, OTHER, True)],
)
def test_an_authorization_that_its_subject_withdrew_on_the_chain_is_found(
    connection: Connection, party: str, statement: str, carried_out: bool
) -> None:
    withdraw(connection, party, statement)
    assert connection.execute(withdrawn_but_active()).scalars().all() == ([] if carried_out else ["A"])
    connection.execute(update(Authorization).values(state="withdrawn"))
    assert connection.execute(withdrawn_but_active()).scalars().all() == []


def test_an_authorization_withdrawn_with_a_lost_key_of_its_subject_is_found(connection: Connection) -> None:
    withdraw_reported(connection, SUBJECT, CONSENT)
    assert connection.execute(withdrawn_but_active()).scalars().all() == ["A"]
