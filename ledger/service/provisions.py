"""What a provider supplies under an authorization: rows in, signed statement and computed claims out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.domain.canonical import canonical, digest
from ledger.domain.entries import provision_entry, validate_entry
from ledger.domain.predicates import compute
from ledger.domain.scenario import Scenario
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound
from ledger.service.parties import Parties
from ledger.service.scenarios import ScenarioBook
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.records import authorization
from ledger.store.sealing import Sealer
from ledger.store.tables import Authorization, Provision

Row = Mapping[str, str]
MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Supply:
    """A signed provision and the rows whose digest it signs; no rows unless ``result`` is ``supplied``."""

    entry: dict[str, Any]
    rows: Sequence[Row] = ()


class Provisions:
    """Takes supplies: the rows are used once, to compute the claims, and never kept."""

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

    def draft(
        self, authorization_id: str, provider: str, rows: Sequence[Row], *, as_of: date, result: str = "supplied"
    ) -> dict[str, Any]:
        """The unsigned provision over these rows, queried now."""
        with self._database.read() as session:
            consent = authorization(session, authorization_id)
            statement = _statement(session, consent)
        return provision_entry(
            id=str(ULID()),
            authorization=f"sha-256:{consent.leaf}",
            provider=provider,
            fields=statement["fields"],
            queried_at=self._clock(),
            as_of=as_of.isoformat(),
            result=result,
            payload_digest=rows_digest(rows),
            iat=self._clock(),
        )

    def claims(self, identifier: str) -> tuple[Provision, dict[str, Any]]:
        """A provision with the claims computed from it; none unless it is ``supplied``. Raises ``NotFound``."""
        with self._database.read() as session:
            row = session.get(Provision, identifier)
            if row is None:
                raise NotFound("PROVISION_UNKNOWN", "No such provision.", hint="Check the id; it is a ULID.")
            opened = {} if row.sealed_id is None else self._sealer.open(session, row.sealed_id)
        if not isinstance(opened, dict):
            raise TypeError("sealed claims are an object")
        return row, opened

    def submit(self, supplies: Sequence[Supply]) -> list[Provision]:
        """Record signed provisions, all or none; one already recorded is returned as it is.

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
        if len(supply.rows) > MAX_ROWS:
            raise InvalidInput("ROWS_TOO_MANY", f"A provision has at most {MAX_ROWS} rows.", where=where)
        if (entry["result"] == "supplied") != bool(supply.rows):
            raise InvalidInput("ROWS_AND_RESULT", "Rows go with the result 'supplied', and only with it.", where=where)
        if rows_digest(supply.rows) != entry["payload_digest"]:
            raise InvalidInput(
                "PAYLOAD_DIFFERS",
                "The rows are not those whose digest was signed.",
                where=where,
                hint="Send the rows exactly as they were signed.",
            )
        if not self._parties.signed(entry, entry["provider"]):
            raise Forbidden("SIGNER_NOT_PROVIDER", "The provision is not signed by the provider.", where=where)

    def _record(self, session: Session, supply: Supply) -> Provision:
        entry = supply.entry
        consent = session.scalar(
            select(Authorization).where(Authorization.leaf == entry["authorization"].removeprefix("sha-256:"))
        )
        if consent is None:
            raise NotFound("AUTHORIZATION_UNKNOWN", "The provision rests on no authorization of this ledger.")
        statement = _statement(session, consent)
        _check_against(entry, statement)
        new = log_store.NewEntry("provision", canonical(entry))
        known = session.scalar(
            select(Provision).where(Provision.authorization_id == consent.id, Provision.provider == entry["provider"])
        )
        if known is not None:
            if known.leaf != new.leaf.hex():
                raise Conflict("ALREADY_SUPPLIED", "The provider has supplied under this authorization before.")
            return known
        claims = self._claims(self._scenarios.get(consent.scenario), statement, supply)
        now = self._clock()
        log_store.append(session, [new], now)
        row = Provision(
            id=entry["id"],
            authorization_id=consent.id,
            provider=entry["provider"],
            leaf=new.leaf.hex(),
            result=entry["result"],
            sealed_id=self._sealer.seal(session, claims) if supply.rows else None,
            created_at=now,
        )
        session.add(row)
        return row

    def _claims(self, scenario: Scenario, statement: dict[str, Any], supply: Supply) -> dict[str, Any]:
        identity = self._parties.identity(statement["subject"])
        attributes = {"name": identity["name"], "uscc": identity["identifier"]}
        return {
            field.name: compute(field.rule, supply.rows, attributes)
            for field in scenario.fields
            if field.name in statement["fields"]
        }


def rows_digest(rows: Sequence[Row]) -> str:
    """Digest of the rows as canonical JSON: a list of objects of strings, in the order supplied."""
    return digest(canonical([dict(row) for row in rows]))


def _statement(session: Session, consent: Authorization) -> dict[str, Any]:
    return log_store.statement(session, consent.leaf)


def _check_against(entry: dict[str, Any], statement: dict[str, Any]) -> None:
    if entry["provider"] not in statement["providers"]:
        raise Forbidden("PROVIDER_NOT_AUTHORISED", "The authorization does not name this provider.")
    if outside := sorted(set(entry["fields"]) - set(statement["fields"])):
        raise Forbidden(
            "FIELD_OUTSIDE_AUTHORISATION",
            f"The authorization does not cover: {', '.join(outside)}.",
            hint="Ask the subject for an authorization that covers the field.",
        )
