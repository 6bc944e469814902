"""Queries that find certificates by a filter, with their states and uses, and count them.

The caller brings the index up to date first. A certificate's providers are the parties that supplied data under the
authorizations of its request; only ``_supplies`` contains this condition.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import ColumnElement, Select, Subquery, func, or_, select

from ledger.certificates.tables import Certificate
from ledger.store.tables import Batch, Entry
from ledger.usage.holdings.filter import HoldingsFilter
from ledger.usage.holdings.judged_state import judged_state, uses_so_far
from ledger.usage.tables import Authorization, Provision


def certificates(wanted: HoldingsFilter, now: int) -> Select[Certificate, str, int]:
    """Select each certificate, its state at ``now`` (seconds UTC) and its number of uses; the rows are not sorted."""
    state, uses = judged_state(now), uses_so_far()
    query = (
        select(Certificate, state.label("state"), uses.label("uses"))
        .join(Entry, Entry.digest == Certificate.digest)
        .outerjoin(Batch, Batch.number == Entry.batch)
    )
    return query.where(*_conditions(wanted, state))


def counts_by_scenario(wanted: HoldingsFilter, now: int) -> Select[str, str, int]:
    """Select how many certificates each scenario has in each state."""
    found = _found(wanted, now)
    return (
        select(found.c.scenario, found.c.state, func.count())
        .group_by(found.c.scenario, found.c.state)
        .order_by(found.c.scenario, found.c.state)
    )


def counts_by_provider(wanted: HoldingsFilter, now: int) -> Select[str, str, int]:
    """Select how many certificates each provider has in each state; a certificate counts for each of its providers."""
    found, supplies = _found(wanted, now), _supplies().subquery()
    return (
        select(supplies.c.provider, found.c.state, func.count())
        .join_from(found, supplies, supplies.c.certificate_no == found.c.certificate_no)
        .group_by(supplies.c.provider, found.c.state)
        .order_by(supplies.c.provider, found.c.state)
    )


def providers(numbers: Collection[str]) -> Select[str, str]:
    """Select the providers of the given certificates: one row (certificate number, provider) for each provider of a
    certificate.
    """
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
        .with_only_columns(Certificate.certificate_no, Certificate.scenario, judged_state(now).label("state"))
        .subquery()
    )
