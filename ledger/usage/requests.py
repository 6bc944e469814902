"""Requests for data: the consumer signs a request, and the subject sees and answers it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.domain.days import Clock
from ledger.domain.entries import request_entry
from ledger.domain.lifecycle import REQUEST
from ledger.domain.lines import require_line
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.lookups import speaking_keys_of
from ledger.parties.statements import Intake, Statement
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.rulebooks.templates import TemplatesInForce, template_of, template_reference
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.log import NewEntry
from ledger.store.sealing import NewText, Sealer, encrypted
from ledger.store.sets import add_rows
from ledger.usage.expiry import request_state, require_not_expired
from ledger.usage.lookups import access_request
from ledger.usage.recorded import RecordedRequest
from ledger.usage.request_notes import Note, note_digest, note_of, require_note
from ledger.usage.request_terms import Participants, Terms
from ledger.usage.tables import AccessRequest

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, signed or unsigned, with its note (contact, purpose, reference and salt), whose digest is
    ``note_digest``.
    """

    entry: dict[str, Any]
    note: dict[str, Any]


@dataclass(eq=False, repr=False)
class Requests:
    """Drafts requests, and records the requests that the consumer has signed.

    ``algorithm`` is the digest algorithm of the claims in certificates that are issued here.
    """

    _database: Database
    _sealer: Sealer
    _scenarios: ScenarioBook
    _intake: Intake
    _algorithm: str
    _clock: Clock

    def draft(self, terms: Terms, note: Note) -> Asked:
        """Return the unsigned request; nothing is recorded.

        Raises ``InvalidInput`` or ``Forbidden`` if a rule of the scenario forbids the request, ``Conflict``
        ``SUBJECT_ERASED``.
        """
        scenario = self._scenarios.get(terms.scenario)
        now = self._clock()
        with self._database.read() as session:
            participants = Participants(session, [terms])
        participants.require_terms(scenario, terms, now)
        scenario.require_note(note.purpose_note)
        full_note = {
            "contact": require_line(note.contact, "contact"),
            "purpose_note": require_line(note.purpose_note, "purpose_note"),
            "business_ref": note.business_ref,
            "salt": secrets.token_urlsafe(SALT_BYTES),
        }
        entry = request_entry(
            ledger=self._intake.ledger,
            id=str(ULID()),
            template=template_reference(scenario, self._intake.ledger),
            scenario_version=scenario.version,
            sd_alg=self._algorithm,
            note_digest=note_digest(full_note),
            iat=now,
            **terms.members(),
        )
        return Asked(entry, full_note)

    def submit(self, requests: Sequence[Asked]) -> list[RecordedRequest]:
        """Record signed requests, all or none; a request that is recorded already is returned unchanged.

        Raises ``InvalidInput`` for a wrong form, scenario or note, ``Forbidden`` ``SIGNER_NOT_CONSUMER``.
        """
        statements = self._intake.require_all((request.entry for request in requests), "request")
        asked = [Terms.of(request.entry) for request in requests]
        with self._database.read() as session:
            keys = speaking_keys_of(session, (terms.consumer for terms in asked))
            participants = Participants(session, asked)
        now, templates, notes = self._clock(), TemplatesInForce(self._scenarios), []
        for number, (request, statement, terms) in enumerate(zip(requests, statements, asked, strict=True), start=1):
            where = f"request {number}"
            notes.append(encrypted(require_note(request.entry, request.note, where)))
            self._require_in_force(request.entry, where, templates)
            scenario = self._scenarios.get(terms.scenario)
            participants.require_terms(scenario, terms, now)
            scenario.require_note(request.note["purpose_note"])
            if not statement.signed_with(keys.get(terms.consumer, ())):
                raise Forbidden(
                    "SIGNER_NOT_CONSUMER", "The request is not signed by a key of the consumer.", where=where
                )
        scenarios = [self._scenarios.get(code) for code in dict.fromkeys(terms.scenario for terms in asked)]
        rules = [NewEntry.of(template_of(scenario, self._intake.ledger)) for scenario in scenarios]
        with self._database.write() as session:
            return self._record(session, rules, statements, notes, now)

    def _require_in_force(self, entry: Mapping[str, Any], where: str, templates: TemplatesInForce) -> None:
        if entry["template"] != templates.reference(entry["scenario"], self._intake.ledger):
            raise InvalidInput(
                "TEMPLATE_NOT_IN_FORCE",
                "The request was drafted under another version of the scenario.",
                where=where,
                hint="Draft the request again and sign the new statement.",
            )
        if entry["sd_alg"] != self._algorithm:
            raise InvalidInput(
                "SD_ALG_DIFFERS",
                f"The request does not name the hash algorithm that this platform uses, {self._algorithm}.",
                where=where,
                hint="Draft the request again and sign the new statement.",
            )

    def _record(
        self,
        session: Session,
        templates: Sequence[NewEntry],
        statements: Sequence[Statement],
        notes: Sequence[NewText],
        now: int,
    ) -> list[RecordedRequest]:
        known = self._intake.known(session, AccessRequest, statements, _taken)
        asked = {each.digest: (each, note) for each, note in zip(statements, notes, strict=True)}
        new = [(each, note) for each, note in asked.values() if each.entry["id"] not in known]
        self._intake.append_all(session, [*(templates if new else ()), *(each.logged for each, _ in new)])
        sealed = self._sealer.add_all(session, (note for _, note in new))
        rows = [
            {name: each.entry[name] for name in ("id", "scenario", "subject", "consumer", "expires_at")}
            | {"digest": each.digest, "state": REQUEST.initial, "sealed_id": sealed_id, "created_at": now}
            for (each, _), sealed_id in zip(new, sealed, strict=True)
        ]
        add_rows(session, AccessRequest, rows)
        recorded = {row["id"]: RecordedRequest.new(row) for row in rows}
        recorded |= {identifier: RecordedRequest.of(row, now) for identifier, row in known.items()}
        return [recorded[each.entry["id"]] for each in statements]

    def get(self, identifier: str) -> RecordedRequest:
        """Return the request in its present state. Raises ``NotFound`` ``REQUEST_UNKNOWN``."""
        with self._database.read() as session:
            return RecordedRequest.of(access_request(session, identifier), self._clock())

    def see(self, identifier: str) -> RecordedRequest:
        """Record that the subject has opened the request."""
        return self._move(identifier, "see")

    def decline(self, identifier: str) -> RecordedRequest:
        """Record that the subject refuses the request. Raises ``Conflict`` ``MOVE_NOT_ALLOWED`` once the request is
        answered.
        """
        return self._move(identifier, "decline")

    def cancel(self, identifier: str) -> RecordedRequest:
        """Cancel a request, as its consumer, before a certificate is issued."""
        return self._move(identifier, "cancel")

    def _move(self, identifier: str, move: str) -> RecordedRequest:
        now = self._clock()
        with self._database.write() as session:
            row = access_request(session, identifier)
            row.state = REQUEST.next(require_not_expired(row, now), move)
            return RecordedRequest.of(row, now)

    def statement(self, identifier: str) -> dict[str, Any]:
        """Return the signed request."""
        with self._database.read() as session:
            return log_store.statement(session, access_request(session, identifier).digest)

    def note(self, identifier: str) -> dict[str, str] | None:
        """Return the decrypted note of the consumer, for the subject and the consumer; None if the note was erased."""
        with self._database.read() as session:
            row = access_request(session, identifier)
            return note_of(session, self._sealer, row) if self._sealer.kept(session, [row.sealed_id]) else None

    def open_of(self, consumer: str, scenario: str) -> dict[str, str]:
        """Return, for each subject, the id of the consumer's request that can still lead to a certificate in the
        scenario.
        """
        own = AccessRequest.consumer == consumer, AccessRequest.scenario == scenario
        rows = self._found(select(AccessRequest).where(*own), ("sent", "seen", "authorised"))
        return {row.subject: row.id for row in rows}

    def unanswered(self) -> list[RecordedRequest]:
        """Return every request that its subject can still answer, ordered by id."""
        return self._found(select(AccessRequest), ("sent", "seen"))

    def page(self, member: str, after: str | None, limit: int, state: str | None = None) -> list[RecordedRequest]:
        """Return requests in which the party is subject or consumer, ordered by id, with their present states."""
        own = or_(AccessRequest.subject == member, AccessRequest.consumer == member)
        query = select(AccessRequest).where(own).limit(limit)
        if after:
            query = query.where(AccessRequest.id > after)
        return self._found(query, (state,) if state else None)

    def _found(self, query: Select[AccessRequest], states: Collection[str] | None) -> list[RecordedRequest]:
        now = self._clock()
        if states is not None:
            query = query.where(request_state(now).in_(states))
        with self._database.read() as session:
            return [RecordedRequest.of(row, now) for row in session.scalars(query.order_by(AccessRequest.id))]


def _taken(identifier: str) -> Conflict:
    return Conflict("REQUEST_ID_TAKEN", "Another request has this id.", where=identifier)
