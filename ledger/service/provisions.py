"""What a provider answers under an authorization: rows in, signed statement and computed claims out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.connectors.answers import Answer, Connector, Query, Refused, Supplied
from ledger.domain.canonical import canonical
from ledger.domain.days import shanghai_day
from ledger.domain.entries import provision_entry, validate_entry
from ledger.domain.lifecycle import AUTHORIZATION
from ledger.domain.predicates import compute
from ledger.domain.scenario import Scenario
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound
from ledger.service.parties import Parties
from ledger.service.requests import MAX_CLOCK_SKEW, require_template, template_leaf
from ledger.service.scenarios import ScenarioBook
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.records import access_request, authorization, provisions_of
from ledger.store.sealing import Sealer
from ledger.store.tables import AccessRequest, Authorization, Provision

Row = Mapping[str, str]
MAX_ROWS = 10_000
SALT_BYTES = 16
MAX_SALT = 64


@dataclass(frozen=True, slots=True)
class Supply:
    """A signed provision with the rows and the salt whose digest it signs; neither unless it is ``supplied``."""

    entry: dict[str, Any]
    rows: Sequence[Row] = ()
    salt: str | None = None


class Provisions:
    """Takes answers: the rows are used once, to compute the claims, and never kept."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        parties: Parties,
        scenarios: ScenarioBook,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._parties = parties
        self._scenarios = scenarios
        self._clock = clock

    def draft(self, authorization_id: str, answer: Answer) -> Supply:
        """The unsigned provision; nothing is recorded. Given when one was supplied before, it corrects that one."""
        supplied = answer if isinstance(answer, Supplied) else None
        with self._database.read() as session:
            consent = authorization(session, authorization_id)
            statement = log_store.statement(session, consent.leaf)
            before = provisions_of(session, consent.id)
        last = before[-1] if before else None
        corrected = last if supplied is not None and last is not None and last.result == "supplied" else None
        salt = None if supplied is None else secrets.token_urlsafe(SALT_BYTES)
        entry = provision_entry(
            id=str(ULID()),
            authorization=f"sha-256:{consent.leaf}",
            source=consent.source,
            provider=consent.provider,
            fields=statement["fields"],
            queried_at=answer.queried_at,
            as_of=None if supplied is None else supplied.as_of.isoformat(),
            result=answer.result,
            reason=answer.reason if isinstance(answer, Refused) else None,
            payload_digest=None if supplied is None or salt is None else payload_digest(salt, supplied.rows),
            corrects=None if corrected is None else f"sha-256:{corrected.leaf}",
            iat=self._clock(),
        )
        return Supply(entry, () if supplied is None else supplied.rows, salt)

    def ask(self, authorization_id: str, connector: Connector) -> Supply:
        """The unsigned provision over what the provider's source answers.

        Where the consent is not in force the source is not asked: raises ``Conflict`` as ``submit`` does, and
        ``Misconfigured``, ``NotFound``.
        """
        with self._database.read() as session:
            consent = authorization(session, authorization_id)
            statement = log_store.statement(session, consent.leaf)
            self._require_in_force(session, consent, statement)
        scenario, identity = self._scenarios.get(consent.scenario), self._parties.identity(consent.subject)
        columns = scenario.columns_of(consent.source, statement["fields"])
        return self.draft(
            authorization_id,
            connector.ask(Query(identity, consent.scenario, consent.source, columns, self._clock())),
        )

    def asked(self, provider: str, after: str | None, limit: int) -> list[Authorization]:
        """Authorizations in force that wait for this provider, by id: no answer yet, or one that timed out.

        Nothing is asked any more for a request that was cancelled or made under another version of its scenario, nor
        of a subject that was erased.
        """
        answered = select(Provision.authorization_id).where(
            Provision.provider == provider, Provision.result != "timed_out"
        )
        query = (
            select(Authorization)
            .join(AccessRequest, AccessRequest.id == Authorization.request_id)
            .where(Authorization.provider == provider, Authorization.state == "active")
            .where(AccessRequest.state != "cancelled", Authorization.subject.not_in(select(ErasureRecord.target)))
            .where(Authorization.id.not_in(answered))
            .order_by(Authorization.id)
            .limit(limit)
        )
        waiting: list[Authorization] = []
        with self._database.write() as session:
            while len(waiting) < limit:
                rows = session.scalars(query if after is None else query.where(Authorization.id > after)).all()
                if not rows:
                    break
                after = rows[-1].id
                waiting += [row for row in rows if self._waits(session, row)]
        return waiting[:limit]

    def _waits(self, session: Session, consent: Authorization) -> bool:
        """Not once its period is over, which is recorded, or its scenario was changed."""
        if self._clock() >= log_store.statement(session, consent.leaf)["valid_to"]:
            consent.state = AUTHORIZATION.next(consent.state, "expire")
            return False
        asked = log_store.statement(session, access_request(session, consent.request_id).leaf)
        return bool(asked["template"] == template_leaf(self._scenarios.get(consent.scenario)))

    def claims(self, identifier: str) -> tuple[Provision, dict[str, Any]]:
        """A provision with the claims computed from it; none unless it is ``supplied``. Raises ``NotFound``."""
        with self._database.read() as session:
            row = session.get(Provision, identifier)
            if row is None:
                raise NotFound("PROVISION_UNKNOWN", "No such provision.", hint="Check the id; it is a ULID.")
            return row, {} if row.sealed_id is None else claims_of(session, self._sealer, row)

    def submit(self, supplies: Sequence[Supply]) -> list[Provision]:
        """Record signed answers, all or none; one already recorded is returned as it is.

        Raises ``InvalidInput`` (shape, digest, rows), ``Forbidden`` ``SIGNER_NOT_PROVIDER``, ``NotFound``.
        """
        for number, supply in enumerate(supplies, start=1):
            self._check(supply, f"provision {number}")
        with self._database.write() as session:
            return [self._record(session, supply) for supply in supplies]

    def _check(self, supply: Supply, where: str) -> None:
        entry = supply.entry
        validate_entry(entry)
        if entry["type"] != "provision":
            raise InvalidInput("ENTRY_TYPE", "This is not a provision.", where=where)
        if max(entry["iat"], entry["queried_at"]) > self._clock() + MAX_CLOCK_SKEW:
            raise InvalidInput(
                "SIGNED_IN_FUTURE", "The statement was signed, or its source asked, in the future.", where=where
            )
        if len(supply.rows) > MAX_ROWS:
            raise InvalidInput("ROWS_TOO_MANY", f"A provision has at most {MAX_ROWS} rows.", where=where)
        _check_result(supply, where)
        if not self._parties.signed(entry, entry["provider"]):
            raise Forbidden("SIGNER_NOT_PROVIDER", "The provision is not signed by the provider.", where=where)

    def _record(self, session: Session, supply: Supply) -> Provision:
        entry = supply.entry
        consent = session.scalar(
            select(Authorization).where(Authorization.leaf == entry["authorization"].removeprefix("sha-256:"))
        )
        if consent is None:
            raise NotFound("AUTHORIZATION_UNKNOWN", "The provision rests on no authorization of this ledger.")
        new = log_store.NewEntry("provision", canonical(entry))
        if known := session.get(Provision, entry["id"]):
            if known.leaf != new.leaf.hex():
                raise Conflict("PROVISION_ID_TAKEN", "Another provision has this id.", where=entry["id"])
            return known
        before = provisions_of(session, consent.id)
        statement = log_store.statement(session, consent.leaf)
        _check_against(entry, consent, statement)
        _check_turn(entry, before[-1] if before else None)
        self._require_in_force(session, consent, statement)
        claims = self._claims(self._scenarios.get(consent.scenario), statement, supply)
        now = self._clock()
        log_store.append(session, [new], now)
        row = Provision(
            id=entry["id"],
            authorization_id=consent.id,
            number=len(before) + 1,
            provider=entry["provider"],
            leaf=new.leaf.hex(),
            result=entry["result"],
            reason=entry["reason"],
            sealed_id=self._sealer.seal(session, {"claims": claims, "salt": supply.salt}) if supply.rows else None,
            created_at=now,
        )
        session.add(row)
        session.flush()
        return row

    def _require_in_force(self, session: Session, consent: Authorization, statement: Mapping[str, Any]) -> None:
        """Raise ``Conflict`` unless the consent stands, and so do the request that it answers and its scenario."""
        over = self._clock() >= statement["valid_to"]
        if consent.state != "active" or over:
            raise Conflict(
                "AUTHORIZATION_NOT_ACTIVE",
                f"The authorization is {'expired' if over else consent.state}.",
                where=f"authorization {consent.id}",
                hint="Ask the subject for a new authorization.",
            )
        request = access_request(session, consent.request_id)
        if request.state == "cancelled":
            raise Conflict(
                "REQUEST_NOT_AUTHORIZED",
                "The request is cancelled: nothing is supplied for it.",
                where=f"request {request.id}",
                hint="The consumer took it back. 请求已取消，不再提供数据。",
            )
        require_template(self._scenarios.get(consent.scenario), log_store.statement(session, request.leaf))

    def _claims(self, scenario: Scenario, statement: dict[str, Any], supply: Supply) -> dict[str, Any]:
        if not supply.rows:
            return {}
        identity = self._parties.identity(statement["subject"])
        attributes = {"name": identity["name"], "uscc": identity["identifier"]}
        return {
            field.name: compute(field.rule, supply.rows, attributes)
            for field in scenario.fields
            if field.name in statement["fields"]
        }


def payload_digest(salt: str, rows: Sequence[Row]) -> str:
    """Digest of salt and rows as canonical JSON: rows of few values could be guessed from a digest without a salt."""
    text = canonical({"salt": salt, "rows": [dict(row) for row in rows]})
    return f"sha-256:{hashlib.sha256(text).hexdigest()}"


def claims_of(session: Session, sealer: Sealer, row: Provision) -> dict[str, Any]:
    """The claims of a provision that supplied, unsealed; raises ``NotFound`` ``SEALED_ERASED``."""
    opened = sealer.open(session, str(row.sealed_id))
    if not isinstance(opened, dict):
        raise TypeError("sealed claims are an object")
    claims: dict[str, Any] = opened["claims"]
    return claims


def _check_result(supply: Supply, where: str) -> None:
    """A result with rows has a salt, a day and a digest; one without has none, and ``refused`` says why."""
    entry, supplied = supply.entry, supply.entry["result"] == "supplied"
    told = (bool(supply.rows), supply.salt is not None, entry["as_of"] is not None, entry["payload_digest"] is not None)
    if told != (supplied,) * 4 or (entry["corrects"] is not None and not supplied):
        raise InvalidInput(
            "ROWS_AND_RESULT",
            "Rows, salt, day and digest go with the result 'supplied', and only with it.",
            where=where,
        )
    if supplied and date.fromisoformat(entry["as_of"]) > shanghai_day(entry["queried_at"]):
        raise InvalidInput(
            "AS_OF_AFTER_QUERY",
            "The data is as of a day after the one on which the source was asked (Asia/Shanghai).",
            where=where,
            hint="Give the day that the rows describe.",
        )
    if (entry["reason"] is not None) != (entry["result"] == "refused"):
        raise InvalidInput("REASON_AND_RESULT", "A refusal says why, and nothing else does.", where=where)
    if supply.salt is None:
        return
    if not 22 <= len(supply.salt) <= MAX_SALT:
        raise InvalidInput("SALT_INVALID", "A salt has 22 to 64 characters (128 random bits).", where=where)
    if payload_digest(supply.salt, supply.rows) != entry["payload_digest"]:
        raise InvalidInput(
            "PAYLOAD_DIFFERS",
            "Rows and salt are not those whose digest was signed.",
            where=where,
            hint="Send the rows and the salt exactly as they were signed.",
        )


def _check_against(entry: dict[str, Any], consent: Authorization, statement: dict[str, Any]) -> None:
    if (entry["provider"], entry["source"]) != (consent.provider, consent.source):
        raise Forbidden("PROVIDER_NOT_AUTHORIZED", "The authorization does not name this provider.")
    if outside := sorted(set(entry["fields"]) - set(statement["fields"])):
        raise Forbidden(
            "FIELD_OUTSIDE_AUTHORIZATION",
            f"The authorization does not cover: {', '.join(outside)}.",
            hint="Ask the subject for an authorization that covers the field.",
        )


def _check_turn(entry: dict[str, Any], last: Provision | None) -> None:
    """After a time-out the provider tries again, after a supply it corrects; any other answer is final."""
    if last is not None and last.result != "timed_out":
        if last.result != "supplied":
            raise Conflict("ALREADY_ANSWERED", f"The provider has answered before: {last.result}.")
        if entry["corrects"] != f"sha-256:{last.leaf}":
            raise Conflict(
                "ALREADY_SUPPLIED",
                "The provider has supplied under this authorization before.",
                hint="To correct what was supplied, name it in `corrects`.",
            )
    elif entry["corrects"] is not None:
        raise Conflict("NOTHING_TO_CORRECT", "Nothing was supplied under this authorization that could be corrected.")
