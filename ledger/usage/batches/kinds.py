"""The kinds of items that a batch can have: requests, authorizations, provisions, withdrawals, or ids of requests for
which certificates are issued.

A batch calls the same methods as a call for a single statement, so both make the same checks and raise the same errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.domain.digests import hex_of
from ledger.domain.entries import statement_digest
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.provider.supply import Supply
from ledger.store.sets import matching
from ledger.usage.batches.withdrawing import ManyWithdrawals
from ledger.usage.issuing.issuance import Issuance
from ledger.usage.party_acts import ConsumerActs, ProviderActs, SubjectActs
from ledger.usage.requests import Asked
from ledger.usage.tables import AccessRequest, Authorization, Provision

Item = Mapping[str, Any]
"""An item of a batch, in the form in which the API takes it."""
Table = type[AccessRequest] | type[Authorization] | type[Provision]


@dataclass(frozen=True, slots=True)
class Kind:
    """The functions that handle the items of one kind.

    ``permit`` raises ``Forbidden`` if the caller is not permitted to record the items. ``record`` records all items or
    none, and returns for each item the ids of its records; a second call with the same items records nothing.
    ``recorded`` returns these ids for each item that is recorded already, and None for each item that is not. ``party``
    returns the id of the party that signed an item, or None if the platform acts. ``subjects`` returns the party ids of
    the items' subjects, as far as they are known. ``size`` returns the number of statements in an item. With it, the
    item of a refused statement is found, because an error gives only the statement's place among all statements.
    ``at_once`` is False if each item must be recorded by itself.
    """

    permit: Callable[[Actor, Sequence[Item]], None]
    record: Callable[[Actor, Sequence[Item]], list[list[str]]]
    recorded: Callable[[Session, Sequence[Item]], list[list[str] | None]]
    party: Callable[[Item], str | None]
    subjects: Callable[[Session, Sequence[Item]], list[Any]]
    size: Callable[[Item], int] = lambda _: 1
    at_once: bool = True


def kinds_of(
    consumer: ConsumerActs,
    subject: SubjectActs,
    provider: ProviderActs,
    issuance: Issuance,
    withdrawals: ManyWithdrawals,
) -> dict[str, Kind]:
    """Return the kinds, by name."""
    return {
        "requests": Kind(
            lambda actor, items: consumer.require_asking(actor, [item["statement"] for item in items]),
            lambda actor, items: [
                [row.id] for row in consumer.ask(actor, [Asked(item["statement"], item["note"]) for item in items])
            ],
            lambda session, items: _recorded(session, AccessRequest, [[item["statement"]] for item in items]),
            lambda item: str(item["statement"].get("consumer")),
            lambda _, items: [item["statement"].get("subject") for item in items],
        ),
        "authorizations": Kind(
            lambda actor, items: subject.require_authorising(actor, _statements(items)),
            lambda actor, items: _shared(subject.authorise(actor, _statements(items)), items),
            lambda session, items: _recorded(session, Authorization, [item["statements"] for item in items]),
            lambda item: str(item["statements"][0].get("subject")),
            lambda _, items: [item["statements"][0].get("subject") for item in items],
            lambda item: len(item["statements"]),
        ),
        "provisions": Kind(
            lambda actor, items: provider.require_supplying(actor, [item["statement"] for item in items]),
            lambda actor, items: [[row.id] for row in provider.supply(actor, [supply_of(item) for item in items])],
            lambda session, items: _recorded(session, Provision, [[item["statement"]] for item in items]),
            lambda item: str(item["statement"].get("provider")),
            _subjects_of_answers,
        ),
        "certificates": Kind(
            lambda actor, _: require(actor, Action.ISSUE_CERTIFICATE),
            lambda actor, items: [
                [row.certificate_no] for row in issuance.issue(actor, [item["request"] for item in items])
            ],
            _issued,
            lambda _: None,
            lambda _, items: [None] * len(items),
        ),
        "withdrawals": Kind(
            withdrawals.permit,
            withdrawals.record,
            lambda _, items: [None] * len(items),
            lambda item: str(item["statement"].get("party")),
            lambda _, items: [None] * len(items),
            at_once=False,
        ),
    }


def supply_of(item: Item) -> Supply:
    """Return the provider's answer that an item contains."""
    act = item.get("withdrawal")
    return Supply(
        item["statement"],
        tuple(item.get("disclosures", ())),
        None if act is None else bytes.fromhex(act),
        item.get("withdrawn"),
    )


def _statements(items: Iterable[Item]) -> list[dict[str, Any]]:
    return [statement for item in items for statement in item["statements"]]


def _shared(rows: Iterable[Any], items: Iterable[Item]) -> list[list[str]]:
    """Return, for each item, the ids of the rows of the statements in this item."""
    left = iter(rows)
    return [[next(left).id for _ in item["statements"]] for item in items]


def _recorded(session: Session, table: Table, sets: Sequence[Sequence[dict[str, Any]]]) -> list[list[str] | None]:
    """Return, for each set of statements, the ids of the statements' rows; None unless all statements of the set are
    recorded.
    """
    ids = [each["id"] for statements in sets for each in statements if isinstance(each.get("id"), str)]
    digests = {row.id: row.digest for row in matching(session, select(table.id, table.digest), table.id, ids)}

    def same(statement: dict[str, Any]) -> bool:
        known = digests.get(statement["id"]) if isinstance(statement.get("id"), str) else None
        return known is not None and known == statement_digest(statement)

    return [[each["id"] for each in statements] if all(map(same, statements)) else None for statements in sets]


def _issued(session: Session, items: Sequence[Item]) -> list[list[str] | None]:
    query = select(Certificate.request_id, Certificate.certificate_no).order_by(Certificate.version.desc())
    found = dict(tuple(row) for row in matching(session, query, Certificate.request_id, _requests(items)))
    return [[found[request]] if request in found else None for request in _requests(items)]


def _requests(items: Iterable[Item]) -> list[str]:
    return [item["request"] for item in items]


def _subjects_of_answers(session: Session, items: Sequence[Item]) -> list[Any]:
    named = [item["statement"].get("authorization") for item in items]
    wanted = [each for each in named if isinstance(each, str)]
    query = select(Authorization.digest, Authorization.subject)
    of = {row.digest: row.subject for row in matching(session, query, Authorization.digest, map(hex_of, wanted))}
    return [of.get(hex_of(each)) if isinstance(each, str) else None for each in named]
