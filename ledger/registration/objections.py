"""Objections to registrations and to applications under public notice, and the registrars' decisions on them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from ledger.chain.sending import asset_calls
from ledger.chain.sending.sender import Receipt
from ledger.domain.reasons import checked_grounds
from ledger.domain.working_days import end_of_working_days
from ledger.index.tables import OBJECTIONS
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.registration.lookups import registration
from ledger.registration.use_case import UseCase


class Objections(UseCase):
    """Files and decides objections. An objector is a party whose identity was checked; the grounds of an objection are
    stored encrypted.
    """

    def file(self, actor: Actor, asset: str, grounds: str, evidence: str | None = None) -> Receipt:
        """File an objection with its grounds; ``evidence`` is the digest of the evidence (``sha-256:…``) if there is
        any.
        """
        require(actor, Action.OBJECT)
        document = {"grounds": checked_grounds(grounds), "evidence": evidence}
        with self._documents.kept(asset, "objection", actor.party, document) as digest:
            return self._acting.act_by(actor, asset_calls.object_to(asset, digest))

    def decide(self, actor: Actor, asset: str, number: int, state: str, reason: str) -> Receipt:
        """Set the state of an objection to ``admitted``, ``verified``, ``upheld`` or ``dismissed``; or to ``refused``,
        if the objection is not admitted.
        """
        require(actor, Action.REVIEW_REGISTRATION)
        document = {"objection": number, "state": state, "reason": checked_grounds(reason)}
        with self._documents.kept(asset, "decision", actor.party, document) as digest:
            return self._acting.act_by(actor, asset_calls.decide(asset, number, state, digest))

    def of(self, asset: str, now: int) -> list[dict[str, Any]]:
        """Return the objections to an asset; ``due`` is the time by which an undecided objection must be verified."""
        with self._database.read() as session:
            registration(session, asset)
        self._follower.sync()
        query = select(OBJECTIONS).where(OBJECTIONS.c.asset == asset).order_by(OBJECTIONS.c.no)
        with self._database.read() as session:
            rows = [dict(row) for row in session.execute(query).mappings()]
        return [self._shown(row, now) for row in rows]

    def _shown(self, row: dict[str, Any], now: int) -> dict[str, Any]:
        due = end_of_working_days(row["filed_at"], self._rules.objection_days)
        return {
            "number": row["no"],
            "objector": self._reader.party_id(row["objector_no"]),
            "against": "application" if row["to_application"] else "registration",
            "state": row["state"],
            "grounds_digest": row["grounds"],
            "filed_at": row["filed_at"],
            "decided_at": row["decided_at"] or None,
            "due": due,
            "overdue": not row["decided_at"] and now >= due,
        }
