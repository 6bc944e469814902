"""The subject's consent: the notice it is shown, the statement it signs, and its withdrawal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.domain.canonical import canonical, digest
from ledger.domain.entries import authorization_entry, validate_entry, withdrawal_entry
from ledger.domain.lifecycle import AUTHORIZATION
from ledger.domain.parties import PartyKind
from ledger.domain.scenario import Scenario
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound
from ledger.service.parties import Parties
from ledger.service.positions import Positions
from ledger.service.scenarios import ScenarioBook
from ledger.service.status import CertificateStatus
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.records import authorization
from ledger.store.tables import Authorization

MAX_CLOCK_SKEW = 300


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a consumer asks a subject to allow. Party ids; times in seconds UTC, ``valid_to`` exclusive."""

    scenario: str
    subject: str
    consumer: str
    providers: tuple[str, ...]
    fields: tuple[str, ...]
    valid_from: int
    valid_to: int
    max_uses: int
    channel: str


@dataclass(frozen=True, slots=True)
class AuthorizationDraft:
    """The exact notice to show the subject, and the statement that it signs (it holds the notice's digest)."""

    notice: dict[str, Any]
    entry: dict[str, Any]


class Authorizations:
    """Consents: drafted by rule, recorded once signed by the subject, withdrawn by the subject."""

    def __init__(
        self,
        database: Database,
        parties: Parties,
        scenarios: ScenarioBook,
        status: CertificateStatus,
        positions: Positions,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._parties = parties
        self._scenarios = scenarios
        self._status = status
        self._positions = positions
        self._clock = clock

    def draft(self, request: AuthorizationRequest) -> AuthorizationDraft:
        """Notice and unsigned statement; raises ``InvalidInput`` or ``Forbidden`` where the scenario says no."""
        scenario = self._scenarios.get(request.scenario)
        self._check(scenario, request)
        notice = self._notice(scenario, request)
        entry = authorization_entry(
            id=str(ULID()),
            scenario=scenario.code,
            scenario_version=scenario.version,
            purpose=scenario.purpose.zh,
            subject=request.subject,
            consumer=request.consumer,
            providers=list(request.providers),
            fields=list(request.fields),
            channel=request.channel,
            valid_from=request.valid_from,
            valid_to=request.valid_to,
            max_uses=request.max_uses,
            separate_consent=self._parties.get(request.subject).kind == PartyKind.PERSON.value,
            notice_digest=digest(canonical(notice)),
            iat=self._clock(),
        )
        return AuthorizationDraft(notice, entry)

    def _check(self, scenario: Scenario, request: AuthorizationRequest) -> None:
        scenario.require_fields(request.fields)
        scenario.require_period(request.valid_from, request.valid_to)
        scenario.require_uses(request.max_uses)
        scenario.require_channel(request.channel)
        scenario.require_subject_kind(PartyKind(self._parties.get(request.subject).kind))
        scenario.require_consumer_kind(PartyKind(self._parties.get(request.consumer).kind))
        for provider in request.providers:
            scenario.require_provider_kind(PartyKind(self._parties.get(provider).kind))

    def _notice(self, scenario: Scenario, request: AuthorizationRequest) -> dict[str, Any]:
        # The elements of PIPL art. 23: recipient, purpose, method, kinds; and what follows from them.
        titles = {field.name: field.title.zh for field in scenario.fields}
        return {
            "recipient": self._parties.identity(request.consumer)["name"],
            "purpose": scenario.purpose.zh,
            "method": f"{scenario.payload_mode} / {request.channel}",
            "kinds": [titles[name] for name in request.fields],
            "valid_from": request.valid_from,
            "valid_to": request.valid_to,
            "max_uses": request.max_uses,
            "retention_days": scenario.retention_days,
        }

    def submit(self, entries: Sequence[dict[str, Any]]) -> list[Authorization]:
        """Record signed statements, all or none; one already recorded is returned as it is.

        Raises ``InvalidInput`` (shape, scenario), ``Forbidden`` ``SIGNER_NOT_SUBJECT``.
        """
        for number, entry in enumerate(entries, start=1):
            self._check_signed(entry, f"authorization {number}")
        with self._database.write() as session:
            return [self._record(session, entry) for entry in entries]

    def _check_signed(self, entry: dict[str, Any], where: str) -> None:
        validate_entry(entry)
        if entry["type"] != "authorization":
            raise InvalidInput("ENTRY_TYPE", "This is not an authorization.", where=where)
        if entry["iat"] > self._clock() + MAX_CLOCK_SKEW:
            raise InvalidInput("SIGNED_IN_FUTURE", "The statement was signed in the future.", where=where)
        request = AuthorizationRequest(
            scenario=entry["scenario"],
            subject=entry["subject"],
            consumer=entry["consumer"],
            providers=tuple(entry["providers"]),
            fields=tuple(entry["fields"]),
            valid_from=entry["valid_from"],
            valid_to=entry["valid_to"],
            max_uses=entry["max_uses"],
            channel=entry["channel"],
        )
        scenario = self._scenarios.get(request.scenario)
        self._check(scenario, request)
        if (entry["purpose"], entry["scenario_version"]) != (scenario.purpose.zh, scenario.version):
            raise InvalidInput(
                "PURPOSE_NOT_OF_SCENARIO",
                "Purpose and version are not those of the scenario in force.",
                where=where,
                hint="Draft the authorization again and sign the new statement.",
            )
        if entry["notice_digest"] != digest(canonical(self._notice(scenario, request))):
            raise InvalidInput(
                "NOTICE_DIFFERS",
                "The signed digest is not that of the notice for this request.",
                where=where,
                hint="Draft the authorization again, show its notice, sign its statement.",
            )
        self._require_signer(entry, request.subject, where)

    def _require_signer(self, entry: dict[str, Any], subject: str, where: str) -> None:
        if not self._parties.signed(entry, subject):
            raise Forbidden(
                "SIGNER_NOT_SUBJECT",
                "The statement is not signed by a key of the subject.",
                where=where,
                hint="Only the data subject can authorise or withdraw.",
            )

    def _record(self, session: Session, entry: dict[str, Any]) -> Authorization:
        new = log_store.NewEntry("authorization", canonical(entry))
        if known := session.get(Authorization, entry["id"]):
            if known.leaf != new.leaf.hex():
                raise Conflict("AUTHORIZATION_ID_TAKEN", "Another authorization has this id.", where=entry["id"])
            return known
        now = self._clock()
        log_store.append(session, [new], now)
        row = Authorization(
            id=entry["id"],
            leaf=new.leaf.hex(),
            scenario=entry["scenario"],
            subject=entry["subject"],
            consumer=entry["consumer"],
            state="active",
            created_at=now,
        )
        session.add(row)
        return row

    def withdrawal_draft(self, identifier: str) -> dict[str, Any]:
        """The unsigned withdrawal of an authorization."""
        row = self.get(identifier)
        return withdrawal_entry(
            id=str(ULID()),
            authorization=f"sha-256:{row.leaf}",
            subject=row.subject,
            reason="consent_withdrawn",
            iat=self._clock(),
        )

    def withdraw(self, entry: dict[str, Any]) -> Authorization:
        """Take back a consent: its leaf is revoked on the chain, so the next verification fails.

        What was verified before stays a valid record. Raises ``Forbidden``, ``Conflict`` if it is final.
        """
        validate_entry(entry)
        if entry["type"] != "withdrawal":
            raise InvalidInput("ENTRY_TYPE", "This is not a withdrawal.")
        row = self._by_leaf(entry["authorization"].removeprefix("sha-256:"))
        if entry["subject"] != row.subject:
            raise Forbidden("SIGNER_NOT_SUBJECT", "Only the data subject can withdraw.")
        self._require_signer(entry, row.subject, f"withdrawal {entry['id']}")
        if row.state != "withdrawn":
            with self._database.write() as session:
                state = AUTHORIZATION.next(session.get_one(Authorization, row.id).state, "withdraw")
                session.execute(update(Authorization).where(Authorization.id == row.id).values(state=state))
                log_store.append(session, [log_store.NewEntry("withdrawal", canonical(entry))], self._clock())
        self._status.revoke_position(self._positions.wait(row.leaf), "consent_withdrawn")
        return self.get(row.id)

    def get(self, identifier: str) -> Authorization:
        """The authorization; raises ``NotFound`` ``AUTHORIZATION_UNKNOWN``."""
        with self._database.read() as session:
            return authorization(session, identifier)

    def page(self, member: str, after: str | None, limit: int) -> list[Authorization]:
        """Authorizations in which the party is subject or consumer, by id."""
        query = (
            select(Authorization)
            .where((Authorization.subject == member) | (Authorization.consumer == member))
            .order_by(Authorization.id)
            .limit(limit)
        )
        if after:
            query = query.where(Authorization.id > after)
        with self._database.read() as session:
            return list(session.scalars(query))

    def _by_leaf(self, leaf: str) -> Authorization:
        with self._database.read() as session:
            row = session.scalar(select(Authorization).where(Authorization.leaf == leaf))
        if row is None:
            raise _unknown()
        return row


def _unknown() -> NotFound:
    return NotFound("AUTHORIZATION_UNKNOWN", "No such authorization.", hint="Check the id; it is a ULID.")
