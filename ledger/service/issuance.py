"""Issuing usage certificates: one per request, however often it is asked and whatever crashes between."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ledger.chain.reader import ChainReader
from ledger.domain.canonical import canonical
from ledger.domain.codes import certificate_no
from ledger.domain.days import shanghai_day
from ledger.domain.entries import usage_certificate_payload
from ledger.domain.lifecycle import AUTHORIZATION, REQUEST
from ledger.domain.predicates import rule_version
from ledger.domain.scenario import Scenario
from ledger.errors import Conflict
from ledger.proof.sdjwt import Disclosed, disclose
from ledger.service.positions import positions
from ledger.service.provisions import claims_of
from ledger.service.requests import require_template
from ledger.service.scenarios import ScenarioBook
from ledger.store import log as log_store
from ledger.store.counters import take
from ledger.store.database import Database
from ledger.store.records import access_request, authorizations_of, certificates_of, party, party_no, provisions_of
from ledger.store.sealing import Sealer
from ledger.store.tables import AccessRequest, Authorization, Certificate, Provision

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Basis:
    """One source of a certificate: the consent and what its provider supplied under it, with their statements."""

    consent: Authorization
    consented: dict[str, Any]
    provision: Provision
    supplied: dict[str, Any]


class Issuance:
    """Turns authorised, supplied data into certificates. The entry in the log *is* the certificate's payload."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        reader: ChainReader,
        scenarios: ScenarioBook,
        issuer: str,
        algorithm: str,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._reader = reader
        self._scenarios = scenarios
        self._issuer = issuer
        self._algorithm = algorithm
        self._clock = clock

    def issue(self, requests: Sequence[str]) -> list[Certificate]:
        """Issue for each request (by id), all or none; one issued before is returned as it is.

        The certificates are final when their batch is anchored. A certificate rests on the sources that supplied; those
        that refused or had no data are left out. Raises ``Conflict`` ``AUTHORIZATION_NOT_ACTIVE``,
        ``REQUEST_NOT_AUTHORIZED``, ``SCENARIO_CHANGED``, ``NOT_ANSWERED_YET``, ``NOTHING_SUPPLIED``; ``NotFound``.
        """
        with self._database.write() as session:
            return [self._issue(session, access_request(session, identifier)) for identifier in requests]

    def _issue(self, session: Session, request: AccessRequest) -> Certificate:
        if issued := certificates_of(session, request.id):
            return issued[0]
        if request.state != "authorised":
            raise Conflict(
                "REQUEST_NOT_AUTHORIZED",
                f"The request is {request.state}.",
                where=f"request {request.id}",
                hint="A certificate rests on the subject's authorization.",
            )
        row = self.add(session, request, version=1, supersedes=None, uses=None)
        request.state = REQUEST.next(request.state, "fulfil")
        return row

    def add(
        self,
        session: Session,
        request: AccessRequest,
        *,
        version: int,
        supersedes: Certificate | None,
        uses: int | None,
    ) -> Certificate:
        """Add a version of the request's certificate from what is supplied now; part of the caller's transaction.

        ``uses``: how often it may be used, if not as often as was authorised.
        """
        scenario, now = self._scenarios.get(request.scenario), self._clock()
        require_template(scenario, log_store.statement(session, request.leaf))
        bases = self._bases(session, request, now)
        claims: dict[str, Any] = {}
        for basis in bases:
            told = claims_of(session, self._sealer, basis.provision)
            claims |= {name: told[name] for name in basis.consented["fields"] if name in told}
        hidden = [Disclosed(secrets.token_urlsafe(SALT_BYTES), name, value) for name, value in claims.items()]
        payload = self._payload(session, scenario, request, bases, now)
        payload |= {"fields": list(claims), "supersedes": None if supersedes is None else f"sha-256:{supersedes.leaf}"}
        payload |= {} if uses is None else {"max_uses": uses}
        return add_certificate(
            session,
            self._sealer,
            disclose(payload, hidden, self._algorithm),
            now,
            hidden=hidden,
            request_id=request.id,
            version=version,
            supersedes=None if supersedes is None else supersedes.certificate_no,
        )

    def _bases(self, session: Session, request: AccessRequest, now: int) -> list[Basis]:
        consents = authorizations_of(session, request.id)
        stated = {consent.id: log_store.statement(session, consent.leaf) for consent in consents}
        for consent in consents:
            self._require_active(session, consent, stated[consent.id], now)
        answers = {consent.id: provisions_of(session, consent.id) for consent in consents}
        if waiting := [consent.source for consent in consents if not answers[consent.id]]:
            raise Conflict(
                "NOT_ANSWERED_YET",
                f"A provider has not answered yet: {', '.join(waiting)}.",
                where=f"request {request.id}",
                hint="Issue after every provider that the subject named has answered.",
            )
        last = {consent.id: answers[consent.id][-1] for consent in consents}
        bases = [
            Basis(consent, stated[consent.id], found, log_store.statement(session, found.leaf))
            for consent in consents
            if (found := last[consent.id]).sealed_id is not None
        ]
        if not bases:
            results = ", ".join(f"{consent.source}: {last[consent.id].result}" for consent in consents)
            raise Conflict(
                "NOTHING_SUPPLIED",
                f"No provider supplied anything ({results}).",
                where=f"request {request.id}",
                hint="There is nothing to certify. The consumer may ask again later.",
            )
        return bases

    def _require_active(self, session: Session, consent: Authorization, statement: Mapping[str, Any], now: int) -> None:
        if consent.state == "active" and now >= statement["valid_to"]:
            consent.state = AUTHORIZATION.next(consent.state, "expire")
        if consent.state == "active" and self._withdrawn_on_chain(session, consent):
            consent.state = AUTHORIZATION.next(consent.state, "withdraw")
        if consent.state != "active":
            raise Conflict(
                "AUTHORIZATION_NOT_ACTIVE",
                f"The authorization is {consent.state}.",
                where=f"authorization {consent.id}",
                hint="Ask the subject for a new authorization.",
            )

    def _withdrawn_on_chain(self, session: Session, consent: Authorization) -> bool:
        """Whether the subject has told the chain, past us."""
        place = positions(session, [consent.leaf]).get(consent.leaf)
        if place is None:
            return False
        return self._reader.withdrawn_by(place.batch, place.index, party_no(session, consent.subject))

    def _payload(
        self, session: Session, scenario: Scenario, request: AccessRequest, bases: Sequence[Basis], now: int
    ) -> dict[str, Any]:
        asked = log_store.statement(session, request.leaf)
        return usage_certificate_payload(
            certificate_no=next_number(session, party(session, request.subject).region, scenario.code, now),
            iss=self._issuer,
            sub=request.subject,
            scenario=scenario.code,
            scenario_version=scenario.version,
            scenario_digest=scenario.digest,
            purpose=scenario.purpose.zh,
            iat=now,
            nbf=max(now, *(basis.consented["valid_from"] for basis in bases)),
            exp=min(basis.consented["valid_to"] for basis in bases),
            consumer=request.consumer,
            providers=list(dict.fromkeys(basis.consent.provider for basis in bases)),
            channel=asked["channel"],
            max_uses=min(basis.consented["max_uses"] for basis in bases),
            template=asked["template"],
            request=f"sha-256:{request.leaf}",
            authorizations=[f"sha-256:{basis.consent.leaf}" for basis in bases],
            provisions=[f"sha-256:{basis.provision.leaf}" for basis in bases],
            components=[_component(scenario, basis) for basis in bases],
            rights_duties=scenario.rights_duties,
            grade=scenario.grade,
            cnf={"jwk": _holder_key(bases)},
        )


def _component(scenario: Scenario, basis: Basis) -> dict[str, Any]:
    entry = basis.supplied
    return {
        "source": entry["source"],
        "provider": entry["provider"],
        "payload_mode": scenario.payload_mode,
        "rule_version": rule_version(scenario.code, scenario.version),
        "fields": entry["fields"],
        "as_of": entry["as_of"],
        "payload_digest": entry["payload_digest"],
    }


def _holder_key(bases: Sequence[Basis]) -> dict[str, Any]:
    keys = [basis.consented["holder_key"] for basis in bases]
    if any(key != keys[0] for key in keys):
        raise Conflict("HOLDER_KEYS_DIFFER", "The subject named several keys to present one certificate with.")
    found: dict[str, Any] = keys[0]
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
    request_id: str | None = None,
    version: int = 1,
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
        request_id=request_id,
        version=version,
        asset_id=asset_id,
        supersedes=supersedes,
        exp=payload["exp"],
        max_uses=payload.get("max_uses"),
        sealed_id=sealer.seal(session, [item.encoded for item in hidden]) if hidden else None,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row
