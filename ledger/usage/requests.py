"""What a consumer asks of a subject: signed by the consumer, seen by the subject, answered or not."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.domain.canonical import canonical
from ledger.domain.days import Clock, is_shanghai_midnight
from ledger.domain.definitions.scenario import Scenario
from ledger.domain.entries import request_entry
from ledger.domain.lifecycle import REQUEST
from ledger.domain.lines import require_line
from ledger.domain.parties import PartyKind
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.known import KnownParty
from ledger.parties.register import Parties
from ledger.parties.statements import require_statement
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.rulebooks.templates import template_of, template_reference
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.sealing import Sealer
from ledger.store.tables import Entry
from ledger.usage.lookups import access_request
from ledger.usage.request_notes import note_digest, note_of, require_note
from ledger.usage.tables import AccessRequest

SALT_BYTES = 16
_OPEN = AccessRequest.state.in_(sorted(state for state in REQUEST.states if "expire" in REQUEST.moves_from(state)))


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked: party ids, the provider of each source, times in seconds UTC, ``valid_to`` exclusive.

    ``valid_to`` is a midnight in Shanghai. ``expires_at``: until when the subject may answer. ``pia_digest`` names the
    consumer's own impact assessment, where the scenario wants one.
    """

    scenario: str
    subject: str
    consumer: str
    sources: Mapping[str, str]
    fields: tuple[str, ...]
    valid_from: int
    valid_to: int
    max_uses: int
    channel: str
    expires_at: int
    pia_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What the consumer tells beside the terms: whom to contact about it, its own words and reference. Sealed here."""

    contact: str
    purpose_note: str = ""
    business_ref: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to sign, or signed, with the note that its ``note_digest`` commits to: contact, …, ``salt``."""

    entry: dict[str, Any]
    note: dict[str, Any]


class Requests:
    """Requests: drafted by rule, recorded once signed by the consumer.

    ``ledger`` is the ledger digest, ``algorithm`` what the certificates that are issued here hash their claims with.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        parties: Parties,
        scenarios: ScenarioBook,
        ledger: str,
        algorithm: str,
        clock: Clock,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._parties = parties
        self._scenarios = scenarios
        self._ledger = ledger
        self._algorithm = algorithm
        self._clock = clock

    def draft(self, terms: Terms, note: Note) -> Asked:
        """The unsigned request; nothing is recorded.

        Raises ``InvalidInput`` or ``Forbidden`` where a rule says no, ``Conflict`` ``SUBJECT_ERASED``.
        """
        scenario = self._scenarios.get(terms.scenario)
        now = self._clock()
        self._check(scenario, terms, now, self._parties.active)
        scenario.require_note(note.purpose_note)
        told = {
            "contact": require_line(note.contact, "contact"),
            "purpose_note": require_line(note.purpose_note, "purpose_note"),
            "business_ref": note.business_ref,
            "salt": secrets.token_urlsafe(SALT_BYTES),
        }
        entry = request_entry(
            ledger=self._ledger,
            id=str(ULID()),
            template=template_reference(scenario, self._ledger),
            scenario=scenario.code,
            scenario_version=scenario.version,
            subject=terms.subject,
            consumer=terms.consumer,
            sources=[{"source": source, "provider": provider} for source, provider in terms.sources.items()],
            fields=list(terms.fields),
            channel=terms.channel,
            valid_from=terms.valid_from,
            valid_to=terms.valid_to,
            max_uses=terms.max_uses,
            sd_alg=self._algorithm,
            note_digest=note_digest(told),
            pia_digest=terms.pia_digest,
            expires_at=terms.expires_at,
            iat=now,
        )
        return Asked(entry, told)

    def _check(self, scenario: Scenario, terms: Terms, now: int, active: Callable[[str], KnownParty]) -> None:
        scenario.require_pilot(now)
        scenario.require_fields(terms.fields)
        scenario.require_period(terms.valid_from, terms.valid_to)
        scenario.require_uses(terms.max_uses)
        scenario.require_channel(terms.channel)
        if not is_shanghai_midnight(terms.valid_to):
            raise InvalidInput(
                "PERIOD_NOT_IN_DAYS",
                "The period ends at a midnight in Shanghai: a certificate is valid for whole days.",
                where="valid_to",
                hint="Give the midnight after the last valid day.",
            )
        if not now < terms.expires_at <= terms.valid_to:
            raise InvalidInput(
                "REQUEST_EXPIRY",
                "A request can be answered for some time, and not longer than it asks for.",
                where="expires_at",
            )
        if scenario.requires_pia and terms.pia_digest is None:
            raise Forbidden(
                "PIA_MISSING",
                f"Scenario {scenario.code} wants an impact assessment of the consumer.",
                where="pia_digest",
                hint="Assess the impact on the subject and give the digest of your report.",
            )
        self._check_parties(scenario, terms, active)

    def _check_parties(self, scenario: Scenario, terms: Terms, active: Callable[[str], KnownParty]) -> None:
        scenario.require_subject_kind(PartyKind(self._parties.get(terms.subject).kind))
        self._require_not_erased(terms.subject)
        scenario.require_consumer_kind(PartyKind(active(terms.consumer).kind))
        needed = {field.source for field in scenario.fields if field.name in terms.fields}
        if needed != set(terms.sources):
            raise InvalidInput(
                "SOURCES_DO_NOT_MATCH",
                "Name a provider for each source of the fields, and for no other.",
                where="sources",
                hint=f"The fields come from: {', '.join(sorted(needed))}.",
            )
        for source, provider in terms.sources.items():
            scenario.require_provider_kind(source, PartyKind(active(provider).kind))

    def _require_not_erased(self, subject: str) -> None:
        with self._database.read() as session:
            if session.get(ErasureRecord, subject) is not None:
                raise Conflict(
                    "SUBJECT_ERASED",
                    "The subject was erased: nothing is asked about it any more.",
                    where="subject",
                    hint="Who comes back is another party: ask it by its new id.",
                )

    def submit(self, requests: Sequence[Asked]) -> list[AccessRequest]:
        """Record signed requests, all or none; one already recorded is returned as it is.

        Raises ``InvalidInput`` (shape, scenario, note), ``Forbidden`` ``SIGNER_NOT_CONSUMER``.
        """
        # Those who ask and supply are the same ones many times over: the chain is asked once for each.
        active = cache(self._parties.active)
        for number, request in enumerate(requests, start=1):
            self._check_signed(request, f"request {number}", active)
        with self._database.write() as session:
            return [self._record(session, request) for request in requests]

    def _check_signed(self, request: Asked, where: str, active: Callable[[str], KnownParty]) -> None:
        entry, now = request.entry, self._clock()
        require_statement(entry, "request", self._ledger, now, where)
        require_note(entry, request.note, where)
        scenario = self._scenarios.get(entry["scenario"])
        if entry["template"] != template_reference(scenario, self._ledger):
            raise InvalidInput(
                "TEMPLATE_NOT_IN_FORCE",
                "The request is not made under the scenario in force.",
                where=where,
                hint="Draft the request again and sign the new statement.",
            )
        if entry["sd_alg"] != self._algorithm:
            raise InvalidInput(
                "SD_ALG_DIFFERS",
                f"The platform issues certificates whose claims are hashed with {self._algorithm}.",
                where=where,
                hint="Draft the request again and sign the new statement.",
            )
        self._check(scenario, terms_of(entry), now, active)
        scenario.require_note(request.note["purpose_note"])
        if not self._parties.signed(entry, entry["consumer"]):
            raise Forbidden("SIGNER_NOT_CONSUMER", "The request is not signed by a key of the consumer.", where=where)

    def _record(self, session: Session, request: Asked) -> AccessRequest:
        entry, now = request.entry, self._clock()
        new = log_store.NewEntry("request", canonical(entry))
        if known := session.get(AccessRequest, entry["id"]):
            if known.digest != new.digest:
                raise Conflict("REQUEST_ID_TAKEN", "Another request has this id.", where=entry["id"])
            return known
        allowed = template_of(self._scenarios.get(entry["scenario"]), self._ledger)
        template = log_store.NewEntry("template", canonical(allowed))
        if session.scalar(select(Entry.seq).where(Entry.digest == template.digest)) is None:
            log_store.append(session, [template], now)
        log_store.append(session, [new], now)
        row = AccessRequest(
            id=entry["id"],
            digest=new.digest,
            scenario=entry["scenario"],
            subject=entry["subject"],
            consumer=entry["consumer"],
            state=REQUEST.initial,
            expires_at=entry["expires_at"],
            sealed_id=self._sealer.seal(session, request.note),
            created_at=now,
        )
        session.add(row)
        session.flush()
        return row

    def get(self, identifier: str) -> AccessRequest:
        """The request as it stands now; raises ``NotFound`` ``REQUEST_UNKNOWN``."""
        with self._database.write() as session:
            return settled(access_request(session, identifier), self._clock())

    def see(self, identifier: str) -> AccessRequest:
        """The subject has opened it."""
        return self._move(identifier, "see")

    def decline(self, identifier: str) -> AccessRequest:
        """The subject says no; raises ``Conflict`` ``MOVE_NOT_ALLOWED`` once it is answered."""
        return self._move(identifier, "decline")

    def cancel(self, identifier: str) -> AccessRequest:
        """The consumer takes it back, before a certificate was issued."""
        return self._move(identifier, "cancel")

    def _move(self, identifier: str, move: str) -> AccessRequest:
        with self._database.write() as session:
            row = settled(access_request(session, identifier), self._clock())
            if row.state == "expired":
                raise expired(row)
            row.state = REQUEST.next(row.state, move)
            return row

    def statement(self, identifier: str) -> dict[str, Any]:
        """The signed request."""
        with self._database.read() as session:
            return log_store.statement(session, access_request(session, identifier).digest)

    def note(self, identifier: str) -> dict[str, str] | None:
        """The consumer's note, unsealed: for subject and consumer; None once it was erased."""
        with self._database.read() as session:
            row = access_request(session, identifier)
            return note_of(session, self._sealer, row) if self._sealer.kept(session, [row.sealed_id]) else None

    def open_of(self, consumer: str, scenario: str) -> dict[str, str]:
        """The consumer's requests in a scenario that can still lead to a certificate, by subject."""
        query = select(AccessRequest).where(
            AccessRequest.consumer == consumer,
            AccessRequest.scenario == scenario,
            AccessRequest.state.in_(("sent", "seen", "authorised")),
        )
        now = self._clock()
        with self._database.read() as session:
            rows = session.scalars(query.order_by(AccessRequest.id)).all()
        return {row.subject: row.id for row in rows if row.state == "authorised" or now < row.expires_at}

    def unanswered(self) -> list[AccessRequest]:
        """Every request that its subject can still answer, by id."""
        waits = AccessRequest.state.in_(("sent", "seen")), AccessRequest.expires_at > self._clock()
        with self._database.read() as session:
            return list(session.scalars(select(AccessRequest).where(*waits).order_by(AccessRequest.id)))

    def page(self, member: str, after: str | None, limit: int, state: str | None = None) -> list[AccessRequest]:
        """Requests in which the party is subject or consumer, by id, as they stand now."""
        own = or_(AccessRequest.subject == member, AccessRequest.consumer == member)
        query = select(AccessRequest).where(own).order_by(AccessRequest.id).limit(limit)
        if after:
            query = query.where(AccessRequest.id > after)
        if state:
            query = query.where(AccessRequest.state == state)
        now = self._clock()
        with self._database.write() as session:
            for row in session.scalars(select(AccessRequest).where(own, _OPEN, AccessRequest.expires_at <= now)):
                settled(row, now)
            return list(session.scalars(query))


def terms_of(entry: Mapping[str, Any]) -> Terms:
    """What a request entry asks."""
    return Terms(
        scenario=entry["scenario"],
        subject=entry["subject"],
        consumer=entry["consumer"],
        sources={item["source"]: item["provider"] for item in entry["sources"]},
        fields=tuple(entry["fields"]),
        valid_from=entry["valid_from"],
        valid_to=entry["valid_to"],
        max_uses=entry["max_uses"],
        channel=entry["channel"],
        expires_at=entry["expires_at"],
        pia_digest=entry["pia_digest"],
    )


def settled(row: AccessRequest, now: int) -> AccessRequest:
    """The request after the time that has passed: over its deadline it is ``expired``."""
    if now >= row.expires_at and "expire" in REQUEST.moves_from(row.state):
        row.state = REQUEST.next(row.state, "expire")
    return row


def expired(row: AccessRequest) -> Conflict:
    """The error that the request's deadline has passed."""
    return Conflict(
        "REQUEST_EXPIRED",
        "The request was not answered in time.",
        where=f"request {row.id}",
        hint="The consumer can ask again.",
        expires_at=row.expires_at,
    )
