"""The subject's authorizations: the subject is shown one notice for each source, and signs one statement for each
source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.domain.canonical import canonical, digest
from ledger.domain.days import Clock, is_shanghai_midnight
from ledger.domain.definitions.scenario import Scenario
from ledger.domain.digests import reference
from ledger.domain.entries import authorization_entry
from ledger.domain.field_names import listed
from ledger.domain.lifecycle import AUTHORIZATION
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.lookups import speaking_keys_of
from ledger.parties.register import Parties
from ledger.parties.statements import Intake, Statement
from ledger.proof.jws import Jwk, public_jwk
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.rulebooks.templates import TemplatesInForce
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.sealing import NewText, Sealer, encrypted
from ledger.store.sets import add_rows
from ledger.usage.answering.asked_requests import AskedRequests
from ledger.usage.expiry import require_not_expired
from ledger.usage.lookups import access_request, authorization, authorizations_of
from ledger.usage.notices import Notices, notice_of
from ledger.usage.recorded import RecordedAuthorization
from ledger.usage.request_notes import note_of
from ledger.usage.tables import AccessRequest, Authorization


@dataclass(frozen=True, slots=True)
class Choice:
    """The part of a request that the subject allows. A member that is None allows all that was requested. Times are in
    seconds UTC; ``valid_to`` is exclusive.

    ``holder_key`` is the key with which the subject will present the certificate; by default the key of its account.
    """

    fields: tuple[str, ...] | None = None
    valid_to: int | None = None
    max_uses: int | None = None
    separate_consent: bool = False
    holder_key: Jwk | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationDraft:
    """The exact notice to show to the subject, and the statement to sign, which contains the notice's digest."""

    notice: dict[str, Any]
    entry: dict[str, Any]


@dataclass(eq=False, repr=False)
class Authorizations:
    """Drafts authorizations, and records the authorizations that the subject has signed."""

    _database: Database
    _sealer: Sealer
    _parties: Parties
    _scenarios: ScenarioBook
    _intake: Intake
    _clock: Clock

    def draft(self, request_id: str, choice: Choice | None = None) -> list[AuthorizationDraft]:
        """Return a notice and an unsigned statement for each source of the chosen fields.

        Raises ``Conflict`` ``REQUEST_EXPIRED`` or ``SCENARIO_CHANGED``, ``Forbidden`` ``FIELD_OUTSIDE_REQUEST``,
        ``NotFound``.
        """
        choice = choice or Choice()
        with self._database.read() as session:
            row = access_request(session, request_id)
            require_not_expired(row, self._clock())
            asked, note = log_store.statement(session, row.digest), note_of(session, self._sealer, row)
        scenario = self._scenarios.get(asked["scenario"])
        TemplatesInForce(self._scenarios).require(asked)
        chosen = tuple(asked["fields"]) if choice.fields is None else choice.fields
        _require_asked(asked, chosen)
        holder = choice.holder_key or public_jwk(self._parties.get(asked["subject"]).public_key)
        return [
            self._draft_one(scenario, row, asked, note, item, fields, choice, holder)
            for item in asked["sources"]
            if (fields := [name for name in chosen if scenario.source_of(name) == item["source"]])
        ]

    def _draft_one(
        self,
        scenario: Scenario,
        row: AccessRequest,
        asked: dict[str, Any],
        note: dict[str, str],
        item: dict[str, str],
        fields: list[str],
        choice: Choice,
        holder: Jwk,
    ) -> AuthorizationDraft:
        entry = authorization_entry(
            ledger=self._intake.ledger,
            id=str(ULID()),
            request=reference(row.digest),
            scenario=scenario.code,
            scenario_version=scenario.version,
            purpose=scenario.purpose.zh,
            subject=asked["subject"],
            consumer=asked["consumer"],
            source=item["source"],
            provider=item["provider"],
            fields=fields,
            channel=asked["channel"],
            valid_from=asked["valid_from"],
            valid_to=asked["valid_to"] if choice.valid_to is None else choice.valid_to,
            max_uses=asked["max_uses"] if choice.max_uses is None else choice.max_uses,
            separate_consent=choice.separate_consent,
            holder_key=holder.to_dict(),
            iat=self._clock(),
        )
        notice = self._notice(scenario, entry, note)
        return AuthorizationDraft(notice, entry | {"notice_digest": digest(canonical(notice))})

    def _notice(self, scenario: Scenario, entry: dict[str, Any], note: dict[str, str]) -> dict[str, Any]:
        return notice_of(
            scenario,
            entry,
            recipient=self._parties.identity(entry["consumer"])["name"],
            provider=self._parties.identity(entry["provider"])["name"],
            note=note,
        )

    def submit(self, entries: Sequence[dict[str, Any]]) -> list[RecordedAuthorization]:
        """Record signed statements, all or none; a statement that is recorded already is returned unchanged.

        All statements for a request must be submitted in one call, because together they answer the request. Raises
        ``InvalidInput`` for a wrong form, or if the signed digest is not the digest of the request's notice
        (``NOTICE_DIFFERS``), ``Forbidden`` ``SIGNER_NOT_SUBJECT``, ``FIELD_OUTSIDE_REQUEST``,
        ``SEPARATE_CONSENT_MISSING``, ``Conflict``.
        """
        statements = self._intake.require_all(entries, "authorization")
        for entry in entries:
            Jwk.from_dict(entry["holder_key"])
        with self._database.read() as session:
            keys = speaking_keys_of(session, (entry["subject"] for entry in entries))
        for number, statement in enumerate(statements, start=1):
            if not statement.signed_with(keys.get(statement.entry["subject"], ())):
                raise Forbidden(
                    "SIGNER_NOT_SUBJECT",
                    "The statement is not signed by a key of the subject.",
                    where=f"authorization {number}",
                    hint="Sign with a key of the data subject: only the subject can authorise or withdraw.",
                )
        now = self._clock()
        with self._database.read() as session:
            known = self._intake.known(session, Authorization, statements, _taken)
            new = {each.digest: each.entry for each in statements if each.entry["id"] not in known}
            asked = AskedRequests(session, self._sealer, new.values())
            notices = dict(zip(new, self._checked_notices(asked, new.values(), now), strict=True))
        with self._database.write() as session:
            return self._record(session, statements, asked, notices, now)

    def _record(
        self,
        session: Session,
        statements: Sequence[Statement],
        asked: AskedRequests,
        notices: Mapping[str, NewText],
        now: int,
    ) -> list[RecordedAuthorization]:
        """Record the checked statements. Facts that can change after the first checks, such as the states of the
        requests, are checked again.
        """
        known = self._intake.known(session, Authorization, statements, _taken)
        unknown = {each.digest: each for each in statements if each.entry["id"] not in known}
        asked.read_states(session)
        for each in unknown.values():
            asked.require_unanswered(each.entry, now)
        if unknown:
            asked.require_texts(session)
        self._intake.append_all(session, (each.logged for each in unknown.values()))
        sealed = self._sealer.add_all(session, (notices[digest] for digest in unknown))
        rows = [
            {name: each.entry[name] for name in ("id", "scenario", "subject", "consumer", "source", "provider")}
            | {
                "digest": each.digest,
                "request_id": asked.request(each.entry).id,
                "state": AUTHORIZATION.initial,
                "sealed_id": sealed_id,
                "created_at": now,
            }
            for each, sealed_id in zip(unknown.values(), sealed, strict=True)
        ]
        add_rows(session, Authorization, rows)
        asked.answer(session)
        recorded = {
            row["id"]: RecordedAuthorization.new(row, unknown[row["digest"]].entry["valid_to"], now) for row in rows
        }
        if known:
            recorded |= {row.id: row for row in RecordedAuthorization.all_of(session, known.values(), now)}
        return [recorded[each.entry["id"]] for each in statements]

    def _checked_notices(
        self, asked: AskedRequests, entries: Iterable[Mapping[str, Any]], now: int
    ) -> Iterator[NewText]:
        """Yield the encrypted notice of each signed statement. Raises an error if the request of the statement does not
        wait for an answer, or if the statement exceeds the request or the scenario.
        """
        templates, notices = TemplatesInForce(self._scenarios), Notices()
        for entry in entries:
            asked.require_unanswered(entry, now)
            templates.require(asked.statement(entry))
            yield encrypted(self._checked_notice(asked, notices, entry))

    def _checked_notice(self, asked: AskedRequests, notices: Notices, entry: Mapping[str, Any]) -> bytes:
        scenario = self._scenarios.get(entry["scenario"])
        request = asked.statement(entry)
        require_within(request, entry)
        if any(scenario.source_of(name) != entry["source"] for name in entry["fields"]):
            raise InvalidInput(
                "SOURCES_DO_NOT_MATCH",
                "A field does not come from the source that the statement names.",
                where=entry["id"],
            )
        if scenario.legal_basis == "separate_consent" and not entry["separate_consent"]:
            raise Forbidden(
                "SEPARATE_CONSENT_MISSING",
                "This scenario requires a separate consent of the person.",
                where="separate_consent",
                hint="Ask the person for this consent separately (PIPL art. 23), and set separate_consent: "
                "`pingzheng consent draft` has the option --separate-consent.",
            )
        notice = canonical(
            notices.of(
                scenario,
                entry,
                recipient=asked.name(entry["consumer"]),
                provider=asked.name(entry["provider"]),
                note=asked.note(entry),
            )
        )
        same = (entry["purpose"], entry["scenario_version"]) == (scenario.purpose.zh, scenario.version)
        if not same or entry["notice_digest"] != digest(notice):
            raise InvalidInput(
                "NOTICE_DIFFERS",
                "The signed digest is not the digest of the notice for this request.",
                where=entry["id"],
                hint="Draft the authorization again, show the new notice, and sign the new statement.",
            )
        return notice

    def notice(self, identifier: str) -> dict[str, Any]:
        """Return the notice that the subject was shown, word for word. Raises ``NotFound``."""
        with self._database.read() as session:
            return self._sealer.open_object(session, authorization(session, identifier).sealed_id)

    def get(self, identifier: str) -> RecordedAuthorization:
        """Return the authorization. Raises ``NotFound`` ``AUTHORIZATION_UNKNOWN``."""
        with self._database.read() as session:
            (found,) = RecordedAuthorization.all_of(session, [authorization(session, identifier)], self._clock())
        return found

    def of_request(self, request_id: str) -> list[RecordedAuthorization]:
        """Return the authorizations given for a request, ordered by source."""
        with self._database.read() as session:
            return RecordedAuthorization.all_of(session, authorizations_of(session, request_id), self._clock())

    def page(self, member: str, after: str | None, limit: int) -> list[RecordedAuthorization]:
        """Return authorizations in which the party is subject, consumer or provider, ordered by id."""
        parts = (Authorization.subject, Authorization.consumer, Authorization.provider)
        query = select(Authorization).where(or_(*(part == member for part in parts))).order_by(Authorization.id)
        if after:
            query = query.where(Authorization.id > after)
        with self._database.read() as session:
            return RecordedAuthorization.all_of(session, session.scalars(query.limit(limit)), self._clock())


def require_within(asked: dict[str, Any], entry: Mapping[str, Any]) -> None:
    """Raise ``Forbidden`` ``AUTHORIZATION_BEYOND_REQUEST`` if a statement allows anything that was not requested."""
    same = ("scenario", "scenario_version", "subject", "consumer", "channel")
    beyond = [name for name in same if entry[name] != asked[name]]
    if {"source": entry["source"], "provider": entry["provider"]} not in asked["sources"]:
        beyond.append("provider")
    if entry["valid_from"] < asked["valid_from"]:
        beyond.append("valid_from")
    whole = is_shanghai_midnight(entry["valid_to"])
    if not whole or not entry["valid_from"] < entry["valid_to"] <= asked["valid_to"]:
        beyond.append("valid_to")
    if entry["max_uses"] > asked["max_uses"]:
        beyond.append("max_uses")
    if beyond:
        raise Forbidden(
            "AUTHORIZATION_BEYOND_REQUEST",
            f"The statement exceeds the request in: {', '.join(beyond)}.",
            where=entry["id"],
            hint="Draft the authorization again. It may allow less than the request, never more.",
        )
    _require_asked(asked, entry["fields"])


def _require_asked(asked: dict[str, Any], fields: Iterable[str]) -> None:
    chosen = list(fields)
    if outside := [name for name in chosen if name not in asked["fields"]]:
        raise Forbidden(
            "FIELD_OUTSIDE_REQUEST",
            f"The request does not ask for: {listed(outside)}.",
            where="fields",
            hint=f"Choose only from the requested fields: {', '.join(asked['fields'])}.",
        )
    if not chosen or len(set(chosen)) != len(chosen):
        raise InvalidInput("FIELDS_REPEATED", "Name at least one field, and each field once.", where="fields")


def _taken(identifier: str) -> Conflict:
    return Conflict("AUTHORIZATION_ID_TAKEN", "Another authorization has this id.", where=identifier)
