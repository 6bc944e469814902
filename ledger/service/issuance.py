"""Issuing usage certificates: one per authorization, however often it is asked and whatever crashes between."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ledger.domain.canonical import canonical
from ledger.domain.codes import certificate_no
from ledger.domain.days import shanghai_day
from ledger.domain.entries import usage_certificate_payload
from ledger.domain.lifecycle import AUTHORIZATION
from ledger.domain.scenario import Scenario
from ledger.errors import Conflict
from ledger.proof.jws import Jwk
from ledger.proof.sdjwt import Disclosed, disclose
from ledger.service.scenarios import ScenarioBook
from ledger.store import log as log_store
from ledger.store.counters import take
from ledger.store.database import Database
from ledger.store.records import authorization, party
from ledger.store.sealing import Sealer
from ledger.store.tables import Authorization, Certificate, Provision

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class IssueRequest:
    """Issue under this authorization; ``holder_key`` is the subject's public key, for key binding."""

    authorization_id: str
    holder_key: Jwk


class Issuance:
    """Turns authorised, supplied data into certificates. The entry in the log *is* the certificate's payload."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        scenarios: ScenarioBook,
        issuer: str,
        algorithm: str,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._scenarios = scenarios
        self._issuer = issuer
        self._algorithm = algorithm
        self._clock = clock

    def issue(self, requests: Sequence[IssueRequest]) -> list[Certificate]:
        """Issue for each request, all or none; one issued before is returned as it is.

        The certificates are final when their batch is anchored. Raises ``Conflict`` ``AUTHORIZATION_NOT_ACTIVE``,
        ``NOTHING_SUPPLIED``; ``NotFound``.
        """
        with self._database.write() as session:
            return [self._issue(session, request) for request in requests]

    def _issue(self, session: Session, request: IssueRequest) -> Certificate:
        consent = authorization(session, request.authorization_id)
        issued = session.scalar(select(Certificate).where(Certificate.authorization_id == consent.id))
        if issued is not None:
            return issued
        statement = log_store.statement(session, consent.leaf)
        self._require_active(session, consent, statement)
        provisions = _provisions(session, consent, statement)
        scenario = self._scenarios.get(consent.scenario)
        now = self._clock()
        claims = self._claims(session, provisions)
        hidden = [Disclosed(secrets.token_urlsafe(SALT_BYTES), name, claims[name]) for name in statement["fields"]]
        payload = self._payload(session, scenario, consent, statement, provisions, request, now)
        return add_certificate(
            session,
            self._sealer,
            disclose(payload, hidden, self._algorithm),
            now,
            hidden=hidden,
            authorization_id=consent.id,
        )

    def _require_active(self, session: Session, consent: Authorization, statement: dict[str, Any]) -> None:
        state = consent.state
        if state == "active" and self._clock() >= statement["valid_to"]:
            state = AUTHORIZATION.next(state, "expire")
            session.execute(update(Authorization).where(Authorization.id == consent.id).values(state=state))
        if state != "active":
            raise Conflict(
                "AUTHORIZATION_NOT_ACTIVE",
                f"The authorization is {state}.",
                where=f"authorization {consent.id}",
                hint="Ask the subject for a new authorization.",
            )

    def _claims(self, session: Session, provisions: Sequence[Provision]) -> dict[str, Any]:
        claims: dict[str, Any] = {}
        for provision in provisions:
            opened = self._sealer.open(session, str(provision.sealed_id))
            if not isinstance(opened, dict):
                raise TypeError("sealed claims are an object")
            claims |= opened
        return claims

    def _payload(
        self,
        session: Session,
        scenario: Scenario,
        consent: Authorization,
        statement: Mapping[str, Any],
        provisions: Sequence[Provision],
        request: IssueRequest,
        now: int,
    ) -> dict[str, Any]:
        supplied = [log_store.statement(session, provision.leaf) for provision in provisions]
        return usage_certificate_payload(
            certificate_no=next_number(session, party(session, consent.subject).region, scenario.code, now),
            iss=self._issuer,
            sub=consent.subject,
            scenario=scenario.code,
            scenario_version=scenario.version,
            scenario_digest=scenario.digest,
            purpose=scenario.purpose.zh,
            iat=now,
            nbf=max(now, statement["valid_from"]),
            exp=statement["valid_to"],
            consumer=consent.consumer,
            providers=statement["providers"],
            channel=statement["channel"],
            max_uses=statement["max_uses"],
            authorizations=[f"sha-256:{consent.leaf}"],
            provisions=[f"sha-256:{provision.leaf}" for provision in provisions],
            components=[
                {
                    "provider": entry["provider"],
                    "payload_mode": scenario.payload_mode,
                    "fields": entry["fields"],
                    "as_of": entry["as_of"],
                    "payload_digest": entry["payload_digest"],
                }
                for entry in supplied
            ],
            fields=statement["fields"],
            rights_duties=scenario.rights_duties,
            grade=scenario.grade,
            cnf={"jwk": request.holder_key.to_dict()},
        )


def _provisions(session: Session, consent: Authorization, statement: Mapping[str, Any]) -> list[Provision]:
    rows = {
        row.provider: row for row in session.scalars(select(Provision).where(Provision.authorization_id == consent.id))
    }
    found = []
    for provider in statement["providers"]:
        row = rows.get(provider)
        if row is None or row.sealed_id is None:
            result = "nothing yet" if row is None else row.result
            raise Conflict(
                "NOTHING_SUPPLIED",
                f"A provider supplied {result}.",
                where=f"authorization {consent.id}",
                hint="Issue after every provider that the authorization names has supplied.",
            )
        found.append(row)
    return found


def next_number(session: Session, region: str, scenario: str, now: int) -> str:
    """The next certificate number of this region, year (Asia/Shanghai) and scenario; counts from 1."""
    code, year = region[:6], shanghai_day(now).year
    serial = take(session, f"certificate/{code}/{year}/{scenario}", 1) + 1
    return certificate_no(code, year, scenario, serial)


def add_certificate(
    session: Session,
    sealer: Sealer,
    payload: dict[str, Any],
    now: int,
    *,
    hidden: Sequence[Disclosed] = (),
    authorization_id: str | None = None,
    asset_id: str | None = None,
    supersedes: str | None = None,
) -> Certificate:
    """Append the payload to the log and record the certificate; part of the caller's transaction."""
    entry = log_store.NewEntry("certificate", canonical(payload))
    log_store.append(session, [entry], now)
    row = Certificate(
        certificate_no=payload["certificate_no"],
        cls=payload["class"],
        leaf=entry.leaf.hex(),
        scenario=payload["scenario"],
        issuer=payload["iss"],
        subject=payload["sub"],
        consumer=payload.get("consumer"),
        authorization_id=authorization_id,
        asset_id=asset_id,
        supersedes=supersedes,
        exp=payload["exp"],
        sealed_id=sealer.seal(session, [item.encoded for item in hidden]) if hidden else None,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row
