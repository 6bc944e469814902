"""Drafts of scenarios and their approvals: the operator drafts a scenario; an authority and a supervisor approve its
digest.

A scenario comes into force when its file is loaded. The digest of the file shows whether the file contains the approved
definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.domain.days import Clock
from ledger.domain.definitions.scenario_reader import scenario_of
from ledger.domain.parties import Role
from ledger.errors import Forbidden, NotFound
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.rulebooks.tables import ScenarioApproval, ScenarioDraft
from ledger.store.database import Database

OFFICES: Final = (Role.AUTHORITY, Role.SUPERVISOR)


class ScenarioDrafts:
    """Stores drafts and approvals by the digest of the definition."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def draft(self, actor: Actor, definition: Mapping[str, Any]) -> dict[str, Any]:
        """Check a definition and store it, unless the same definition is stored already. Raises ``InvalidInput``,
        ``Forbidden``.
        """
        require(actor, Action.DRAFT_SCENARIO)
        scenario = scenario_of(dict(definition), "scenario")
        with self._database.write() as session:
            row = session.get(ScenarioDraft, scenario.digest)
            if row is None:
                row = ScenarioDraft(
                    digest=scenario.digest,
                    code=scenario.code,
                    version=scenario.version,
                    document=dict(definition),
                    drafted_by=actor.party,
                    created_at=self._clock(),
                )
                session.add(row)
                session.flush()
            return _shown(session, row)

    def approve(self, actor: Actor, digest: str) -> dict[str, Any]:
        """Approve a draft in the actor's role, authority or supervisor; an earlier approval in that role stays.

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, ``OWN_DRAFT``, ``NotFound`` ``SCENARIO_DRAFT_UNKNOWN``.
        """
        require(actor, Action.APPROVE_SCENARIO)
        office = next(role for role in OFFICES if role in actor.roles)
        with self._database.write() as session:
            row = _draft(session, digest)
            if row.drafted_by == actor.party:
                raise Forbidden("OWN_DRAFT", "A party cannot approve its own draft.", where=digest)
            if session.get(ScenarioApproval, (digest, office.value)) is None:
                session.add(
                    ScenarioApproval(digest=digest, office=office.value, by=actor.party, created_at=self._clock())
                )
                session.flush()
            return _shown(session, row)

    def get(self, actor: Actor, digest: str) -> dict[str, Any]:
        """Return a draft with its definition and approvals. Only parties that may draft or approve can read drafts."""
        require(actor, Action.DRAFT_SCENARIO, reads=True)
        with self._database.read() as session:
            return _shown(session, _draft(session, digest))

    def approvals(self, digests: Iterable[str]) -> dict[str, list[str]]:
        """Return which roles (authority, supervisor) approved each of the given definitions."""
        found: dict[str, list[str]] = {digest: [] for digest in digests}
        with self._database.read() as session:
            for row in session.scalars(select(ScenarioApproval).where(ScenarioApproval.digest.in_(found))):
                found[row.digest].append(row.office)
        return {digest: sorted(offices) for digest, offices in found.items()}


def _draft(session: Session, digest: str) -> ScenarioDraft:
    row = session.get(ScenarioDraft, digest)
    if row is None:
        raise NotFound(
            "SCENARIO_DRAFT_UNKNOWN",
            "There is no such draft.",
            where=digest,
            hint="Draft the scenario first: POST /v1/scenarios/drafts.",
        )
    return row


def _shown(session: Session, row: ScenarioDraft) -> dict[str, Any]:
    query = select(ScenarioApproval).where(ScenarioApproval.digest == row.digest).order_by(ScenarioApproval.office)
    return {
        "digest": row.digest,
        "code": row.code,
        "version": row.version,
        "definition": row.document,
        "drafted_by": row.drafted_by,
        "created_at": row.created_at,
        "approvals": [{"office": item.office, "by": item.by, "at": item.created_at} for item in session.scalars(query)],
    }
