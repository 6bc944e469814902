"""Certificates with their state on the chain: the one place where the store's records meet the index.

The caller brings the index up to date first. A certificate's providers are those who supplied under the
authorizations of its request; that link is ``_supplies`` alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, Select, Subquery, case, func, or_, select

from ledger.domain.holdings import HoldingsFilter
from ledger.index.tables import STATUSES, USES
from ledger.store.tables import Authorization, Batch, Certificate, Entry, Provision

# By their numbers on the chain (protocol §3); 0 is active.
_ENDED: Final = {1: "suspended", 2: "revoked", 3: "superseded"}
_INDEX: Final = Entry.seq - Batch.first_seq


def certificates(wanted: HoldingsFilter, now: int) -> Select[Certificate, str, int]:
    """Certificate, state at ``now`` (seconds UTC) and number of uses, in no order yet."""
    state, uses = _state(now), _uses()
    query = (
        select(Certificate, state.label("state"), uses.label("uses"))
        .join(Entry, Entry.leaf == Certificate.leaf)
        .outerjoin(Batch, Batch.number == Entry.batch)
    )
    return query.where(*_conditions(wanted, state))


def counts_by_scenario(wanted: HoldingsFilter, now: int) -> Select[str, str, int]:
    """Scenario, state, number of certificates."""
    found = _found(wanted, now)
    return (
        select(found.c.scenario, found.c.state, func.count())
        .group_by(found.c.scenario, found.c.state)
        .order_by(found.c.scenario, found.c.state)
    )


def counts_by_provider(wanted: HoldingsFilter, now: int) -> Select[str, str, int]:
    """Provider, state, number of certificates; one that rests on several counts for each."""
    found, supplies = _found(wanted, now), _supplies().subquery()
    return (
        select(supplies.c.provider, found.c.state, func.count())
        .join_from(found, supplies, supplies.c.certificate_no == found.c.certificate_no)
        .group_by(supplies.c.provider, found.c.state)
        .order_by(supplies.c.provider, found.c.state)
    )


def providers(numbers: Collection[str]) -> Select[str, str]:
    """Certificate number and provider, one row for each on whose supply one of these certificates rests."""
    return _supplies().where(Certificate.certificate_no.in_(numbers)).order_by(Authorization.provider)


def _supplies() -> Select[str, str]:
    return (
        select(Certificate.certificate_no, Authorization.provider)
        .join(Authorization, Authorization.request_id == Certificate.request_id)
        .join(Provision, Provision.authorization_id == Authorization.id)
        .where(Provision.result == "supplied")
        .distinct()
    )


def _conditions(wanted: HoldingsFilter, state: ColumnElement[str]) -> Iterator[ColumnElement[bool]]:
    if wanted.party is not None:
        yield _has_part(wanted.party, wanted.part)
    if wanted.scenario is not None:
        yield Certificate.scenario == wanted.scenario
    if wanted.cls is not None:
        yield Certificate.cls == wanted.cls
    if wanted.state is not None:
        yield state == wanted.state
    if wanted.provider is not None:
        yield _supplied_by(wanted.provider)
    if wanted.issued_from is not None:
        yield Certificate.created_at >= wanted.issued_from
    if wanted.issued_to is not None:
        yield Certificate.created_at < wanted.issued_to
    if wanted.expires_before is not None:
        yield Certificate.exp <= wanted.expires_before


def _supplied_by(provider: str) -> ColumnElement[bool]:
    supplied = _supplies().where(Authorization.provider == provider).subquery()
    return Certificate.certificate_no.in_(select(supplied.c.certificate_no))


def _has_part(party: str, part: str | None) -> ColumnElement[bool]:
    parts = {
        "subject": Certificate.subject == party,
        "consumer": Certificate.consumer == party,
        "provider": _supplied_by(party),
        "issuer": Certificate.issuer == party,
    }
    return or_(*parts.values()) if part is None else parts[part]


def _found(wanted: HoldingsFilter, now: int) -> Subquery:
    return (
        certificates(wanted, now)
        .with_only_columns(Certificate.certificate_no, Certificate.scenario, _state(now).label("state"))
        .subquery()
    )


def _state(now: int) -> ColumnElement[str]:
    standing = case((Certificate.exp <= now, "expired"), (_uses() >= Certificate.max_uses, "used_up"), else_="active")
    anchored = case(_ENDED, value=_newest_status(), else_=standing)
    return case((Batch.state.is_distinct_from("anchored"), "building"), else_=anchored)


def _newest_status() -> ScalarSelect[int]:
    return (
        select(STATUSES.c.status)
        .where(STATUSES.c.batch == Batch.number, STATUSES.c.index == _INDEX)
        .order_by(STATUSES.c.block_number.desc(), STATUSES.c.log_index.desc())
        .limit(1)
        .correlate(Batch, Entry)
        .scalar_subquery()
    )


def _uses() -> ScalarSelect[int]:
    return (
        select(func.coalesce(func.max(USES.c.ordinal), 0))
        .where(USES.c.batch == Batch.number, USES.c.index == _INDEX)
        .correlate(Batch, Entry)
        .scalar_subquery()
    )
