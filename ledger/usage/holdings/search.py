"""Certificates with their state on the chain: the one place where the store's records meet the index.

The caller brings the index up to date first. A certificate's providers are those who supplied under the
authorizations of its request; that link is ``_supplies`` alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, Select, Subquery, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from ledger.certificates.tables import Certificate
from ledger.index.tables import HOLDS, PARTIES, STATUSES, USES
from ledger.store.tables import Batch, Entry
from ledger.usage.ended_statements import consent_ended, provision_ended
from ledger.usage.holdings.filter import HoldingsFilter
from ledger.usage.tables import AccessRequest, Authorization, Provision

# By their numbers on the chain (protocol §3); 0 is active.
_SUSPENDED: Final = 1
_ENDED: Final = {2: "revoked", 3: "superseded"}
_INDEX: Final = Entry.seq - Batch.first_seq


def certificates(wanted: HoldingsFilter, now: int) -> Select[Certificate, str, int]:
    """Certificate, state at ``now`` (seconds UTC) and number of uses, in no order yet."""
    state, uses = _state(now), _uses()
    query = (
        select(Certificate, state.label("state"), uses.label("uses"))
        .join(Entry, Entry.digest == Certificate.digest)
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
    """As a verifier would judge it at ``now``, but for what only a presentation shows."""
    anchored = case(
        (_newest_status().in_(_ENDED), case(_ENDED, value=_newest_status())),
        (_consents_ended() | _provisions_ended(), "revoked"),
        ((_newest_status() == _SUSPENDED) | _held(), "suspended"),
        (Certificate.exp <= now, "expired"),
        (_uses() >= Certificate.max_uses, "used_up"),
        else_="active",
    )
    return case((Batch.state.is_distinct_from("anchored"), "building"), else_=anchored)


def _newest_status() -> ScalarSelect[int]:
    return (
        select(STATUSES.c.status)
        .where(STATUSES.c.issuer == Batch.issuer, STATUSES.c.batch == Batch.number, STATUSES.c.index == _INDEX)
        .order_by(STATUSES.c.block_number.desc(), STATUSES.c.log_index.desc())
        .limit(1)
        .correlate(Batch, Entry)
        .scalar_subquery()
    )


def _consents_ended() -> ColumnElement[bool]:
    return exists().where(Authorization.request_id == Certificate.request_id, consent_ended()).correlate(Certificate)


def _provisions_ended() -> ColumnElement[bool]:
    return exists().where(*_rests_on_provision(), provision_ended()).correlate(Certificate)


def _rests_on_provision() -> tuple[ColumnElement[bool], ...]:
    """Of each consent the newest provision counts: a correction withdraws the one before it, and the certificate that
    rested on that one is superseded."""
    later = aliased(Provision)
    corrected = exists().where(
        later.authorization_id == Provision.authorization_id,
        later.result == "supplied",
        later.number > Provision.number,
    )
    return (
        Authorization.request_id == Certificate.request_id,
        Provision.authorization_id == Authorization.id,
        Provision.result == "supplied",
        ~corrected.correlate(Provision),
    )


def _held() -> ColumnElement[bool]:
    """Whether an office holds the certificate, its request, or a consent or provision that it rests on."""
    held = _held_statements()
    of_request = exists().where(AccessRequest.id == Certificate.request_id, AccessRequest.digest.in_(held))
    of_consent = exists().where(Authorization.request_id == Certificate.request_id, Authorization.digest.in_(held))
    of_provision = exists().where(*_rests_on_provision(), Provision.digest.in_(held))
    rests_on = (each.correlate(Certificate) for each in (of_request, of_consent, of_provision))
    return or_(Certificate.digest.in_(held), *rests_on)


def _held_statements() -> Select[str]:
    """The statements that an office holds now; there are few at any time."""
    newest = select(HOLDS.c.statement, func.max(HOLDS.c.change).label("change")).group_by(HOLDS.c.statement).subquery()
    return (
        select(HOLDS.c.statement)
        .join(newest, (newest.c.statement == HOLDS.c.statement) & (newest.c.change == HOLDS.c.change))
        .where(HOLDS.c.offices != 0)
        .correlate(None)
    )


def _uses() -> ScalarSelect[int]:
    """All certificates under one request share its uses, which are those of its consumer."""
    return (
        select(func.coalesce(func.max(USES.c.ordinal), 0))
        .where(
            AccessRequest.id == Certificate.request_id,
            USES.c.request == AccessRequest.digest,
            USES.c.consumer == PARTIES.c.no,
            PARTIES.c.id == AccessRequest.consumer,
        )
        .correlate(Certificate)
        .scalar_subquery()
    )
