"""SQL expressions for the state and the uses of a certificate. Only this module joins tables of the store with tables
of the index.

The caller first brings the index up to date, and joins ``Entry`` and ``Batch`` to ``Certificate`` in its query.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, ScalarSelect, Select, case, exists, func, or_, select
from sqlalchemy.orm import aliased

from ledger.certificates.tables import Certificate
from ledger.index.tables import ASSETS, HOLDS, PARTIES, STATUSES, USES
from ledger.store.tables import Batch, Entry
from ledger.usage.ended_statements import consent_ended, provision_ended
from ledger.usage.tables import AccessRequest, Authorization, Provision

# The numbers with which the chain stores the state of a certificate (protocol §3); 0 means active.
_SUSPENDED: Final = 1
_ENDED: Final = {2: "revoked", 3: "superseded"}
_INDEX: Final = Entry.seq - Batch.first_seq


def judged_state(now: int) -> ColumnElement[str]:
    """Return an expression for the state that a verifier would find at ``now`` without a presentation."""
    anchored = case(
        (_newest_status().in_(_ENDED), case(_ENDED, value=_newest_status())),
        (_consents_ended() | _provisions_ended(), "revoked"),
        (_of_asset(ASSETS.c.state == "annulled"), "annulled"),
        (_of_asset(ASSETS.c.state == "cancelled"), "cancelled"),
        (_of_asset(ASSETS.c.holder_no == PARTIES.c.no, PARTIES.c.id != Certificate.subject), "superseded"),
        ((_newest_status() == _SUSPENDED) | _held() | _of_asset(ASSETS.c.frozen), "suspended"),
        (Certificate.exp <= now, "expired"),
        (uses_so_far() >= Certificate.max_uses, "used_up"),
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


def _of_asset(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether the asset of a registration certificate meets the conditions; false for a usage certificate."""
    return exists().where(ASSETS.c.id == Certificate.asset_id, *conditions).correlate(Certificate)


def _consents_ended() -> ColumnElement[bool]:
    return exists().where(Authorization.request_id == Certificate.request_id, consent_ended()).correlate(Certificate)


def _provisions_ended() -> ColumnElement[bool]:
    return exists().where(*_rests_on_provision(), provision_ended()).correlate(Certificate)


def _rests_on_provision() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for a provision that the certificate rests on. For each authorization this is the newest
    provision that supplied data before the certificate was issued: a later correction belongs to the next version of
    the certificate.
    """
    later = aliased(Provision)
    corrected = exists().where(
        later.authorization_id == Provision.authorization_id,
        later.result == "supplied",
        later.number > Provision.number,
        later.created_at <= Certificate.created_at,
    )
    return (
        Authorization.request_id == Certificate.request_id,
        Provision.authorization_id == Authorization.id,
        Provision.result == "supplied",
        Provision.created_at <= Certificate.created_at,
        ~corrected.correlate(Provision, Certificate),
    )


def _held() -> ColumnElement[bool]:
    """Return whether an authority or a supervisor has placed a hold on the certificate, on its request, or on a consent
    or provision that the certificate rests on.
    """
    held = _held_statements()
    of_request = exists().where(AccessRequest.id == Certificate.request_id, AccessRequest.digest.in_(held))
    of_consent = exists().where(Authorization.request_id == Certificate.request_id, Authorization.digest.in_(held))
    of_provision = exists().where(*_rests_on_provision(), Provision.digest.in_(held))
    rests_on = (each.correlate(Certificate) for each in (of_request, of_consent, of_provision))
    return or_(Certificate.digest.in_(held), *rests_on)


def _held_statements() -> Select[str]:
    """Select the statements on which an authority or a supervisor has a hold now; only few statements have a hold at
    any time.
    """
    newest = select(HOLDS.c.statement, func.max(HOLDS.c.change).label("change")).group_by(HOLDS.c.statement).subquery()
    return (
        select(HOLDS.c.statement)
        .join(newest, (newest.c.statement == HOLDS.c.statement) & (newest.c.change == HOLDS.c.change))
        .where(HOLDS.c.offices != 0)
        .correlate(None)
    )


def uses_so_far() -> ScalarSelect[int]:
    """Select the number of uses. All certificates issued for one request share the uses that the consumer recorded."""
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
