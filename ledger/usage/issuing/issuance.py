"""Issues usage certificates: exactly one for each request, even if a call is repeated or crashes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from ledger.certificates.issued import IssuedCertificate
from ledger.certificates.recording import add_certificate, next_number
from ledger.certificates.tables import Certificate
from ledger.domain.days import Clock
from ledger.domain.definitions.scenario import Scenario
from ledger.domain.digests import reference
from ledger.domain.entries import statement_digest, usage_certificate_payload, validate_entry
from ledger.domain.lifecycle import REQUEST
from ledger.domain.rules.predicates import rule_version
from ledger.errors import Conflict
from ledger.parties.lookups import party
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.rulebooks.templates import require_template
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.sealing import Sealer
from ledger.usage.expiry import require_active
from ledger.usage.issuing.stops import KnownStops, Stops
from ledger.usage.lookups import access_request, authorizations_of, certificates_of, provisions_of
from ledger.usage.provisions import disclosures_of
from ledger.usage.tables import AccessRequest, Authorization, Provision

SUPPLIED: Final = "supplied"
TIMED_OUT: Final = "timed_out"


@dataclass(frozen=True, slots=True)
class CertifiedSource:
    """One source of a certificate: the authorization, the provision supplied under it, and both signed statements."""

    consent: Authorization
    consented: dict[str, Any]
    provision: Provision
    supplied: dict[str, Any]


class Issuance:
    """Issues certificates for data that was authorised and supplied. The log entry *is* the certificate's payload.

    The provider signs every claim. This class computes no claims and makes no salts.
    """

    def __init__(
        self, database: Database, sealer: Sealer, stops: Stops, scenarios: ScenarioBook, issuer: str, clock: Clock
    ) -> None:
        self._database = database
        self._sealer = sealer
        self.stops = stops
        self._scenarios = scenarios
        self._issuer = issuer
        self._clock = clock

    def issue(self, actor: Actor, requests: Sequence[str]) -> list[IssuedCertificate]:
        """Issue a certificate for each request id, all or none; a certificate that was issued earlier is returned
        unchanged.

        A certificate is final when its batch is anchored; during a pause the batch waits, and ``status`` says until
        when. The certificate covers only the sources that supplied data; sources that refused or had no data are left
        out. Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, ``NotFound``, ``Conflict`` ``AUTHORIZATION_NOT_ACTIVE``,
        ``REQUEST_NOT_AUTHORIZED``, ``SCENARIO_CHANGED``, ``NOT_ANSWERED_YET``, ``NOTHING_SUPPLIED``,
        ``PROVISION_WITHDRAWN``, ``HELD``, ``AUTHORIZATION_HELD`` or ``PROVISION_HELD``.
        """
        require(actor, Action.ISSUE_CERTIFICATE)
        authorised = AccessRequest.id.in_(requests), AccessRequest.state == "authorised"
        return self.stops.before_writing(
            select(AccessRequest.id).where(*authorised),
            lambda session, known: [
                IssuedCertificate.of(self._issue(session, access_request(session, identifier), known))
                for identifier in requests
            ],
        )

    def ready(self) -> list[str]:
        """Return the ids of authorised requests for which every provider has answered and at least one has supplied
        data.
        """
        of_request = Authorization.request_id == AccessRequest.id
        answered = exists().where(Provision.authorization_id == Authorization.id, Provision.result != TIMED_OUT)
        waiting = exists().where(of_request, ~answered)
        supplied = exists().where(
            of_request, Provision.authorization_id == Authorization.id, Provision.result == SUPPLIED
        )
        query = select(AccessRequest.id).where(AccessRequest.state == "authorised", ~waiting, supplied)
        with self._database.read() as session:
            return list(session.scalars(query.order_by(AccessRequest.id)))

    def _issue(self, session: Session, request: AccessRequest, known: KnownStops) -> Certificate:
        if issued := certificates_of(session, request.id):
            return issued[0]
        if request.state != "authorised":
            raise Conflict(
                "REQUEST_NOT_AUTHORIZED",
                f"The request is {request.state}.",
                where=f"request {request.id}",
                hint="A certificate can be issued only after the subject has authorised the request.",
            )
        row = self.add(session, request, known, version=1, supersedes=None)
        request.state = REQUEST.next(request.state, "fulfil")
        return row

    def add(
        self,
        session: Session,
        request: AccessRequest,
        known: KnownStops,
        *,
        version: int,
        supersedes: Certificate | None,
    ) -> Certificate:
        """Add a version of the request's certificate from the data supplied so far, within the caller's transaction.

        Raises the errors of ``issue``.
        """
        scenario, now = self._scenarios.get(request.scenario), self._clock()
        asked = log_store.statement(session, request.digest)
        require_template(scenario, asked)
        bases = self._bases(session, request, now)
        known.require_none(session, request, ((basis.consent, basis.provision) for basis in bases))
        payload = self._payload(session, scenario, asked, bases, now)
        payload["supersedes"] = None if supersedes is None else reference(supersedes.digest)
        hidden = [item for basis in bases for item in disclosures_of(session, self._sealer, basis.provision)]
        return add_certificate(
            session,
            self._sealer,
            lambda seq: _checked(payload | {"seq": seq}),
            now,
            hidden=hidden,
            request_id=request.id,
            version=version,
            supersedes=None if supersedes is None else supersedes.certificate_no,
        )

    def _bases(self, session: Session, request: AccessRequest, now: int) -> list[CertifiedSource]:
        consents = authorizations_of(session, request.id)
        stated = {consent.id: log_store.statement(session, consent.digest) for consent in consents}
        for consent in consents:
            require_active(consent, stated[consent.id]["valid_to"], now)
        answers = {consent.id: provisions_of(session, consent.id) for consent in consents}
        if waiting := [consent.source for consent in consents if not answers[consent.id]]:
            raise Conflict(
                "NOT_ANSWERED_YET",
                f"The providers of these sources have not answered yet: {', '.join(waiting)}.",
                where=f"request {request.id}",
                hint="Issue after every provider has answered.",
            )
        last = {consent.id: answers[consent.id][-1] for consent in consents}
        bases = [
            CertifiedSource(consent, stated[consent.id], found, log_store.statement(session, found.digest))
            for consent in consents
            if (found := last[consent.id]).sealed_id is not None
        ]
        if not bases:
            results = ", ".join(f"{consent.source}: {last[consent.id].result}" for consent in consents)
            raise Conflict(
                "NOTHING_SUPPLIED",
                f"No provider supplied anything ({results}).",
                where=f"request {request.id}",
                hint="There is nothing to certify. The consumer can send a new request later.",
            )
        return bases

    def _payload(
        self, session: Session, scenario: Scenario, asked: Mapping[str, Any], bases: Sequence[CertifiedSource], now: int
    ) -> dict[str, Any]:
        claims = [(name, digest) for basis in bases for name, digest in sorted(basis.supplied["claims"].items())]
        return usage_certificate_payload(
            ledger=asked["ledger"],
            certificate_no=next_number(session, party(session, asked["subject"]).region, scenario.code, now),
            iss=self._issuer,
            sub=asked["subject"],
            scenario=scenario.code,
            scenario_version=scenario.version,
            scenario_digest=scenario.digest,
            purpose=scenario.purpose.zh,
            iat=now,
            nbf=max(now, *(basis.consented["valid_from"] for basis in bases)),
            exp=min(basis.consented["valid_to"] for basis in bases),
            consumer=asked["consumer"],
            providers=list(dict.fromkeys(basis.consent.provider for basis in bases)),
            channel=asked["channel"],
            max_uses=min(basis.consented["max_uses"] for basis in bases),
            template=asked["template"],
            request=reference(statement_digest(asked)),
            authorizations=[reference(basis.consent.digest) for basis in bases],
            provisions=[reference(basis.provision.digest) for basis in bases],
            components=[_component(scenario, basis) for basis in bases],
            fields=[name for name, _ in claims],
            rights_duties=scenario.rights_duties,
            grade=scenario.grade,
            cnf={"jwk": _holder_key(bases)},
            _sd_alg=asked["sd_alg"],
            _sd=sorted(digest for _, digest in claims),
        )


def _checked(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload unchanged. Raises ``InvalidInput`` ``ENTRY_SHAPE`` if verifiers would refuse the payload's
    form.
    """
    validate_entry(payload)
    return payload


def _component(scenario: Scenario, basis: CertifiedSource) -> dict[str, Any]:
    entry = basis.supplied
    return {
        "source": entry["source"],
        "provider": entry["provider"],
        "payload_mode": scenario.payload_mode,
        "rule_version": rule_version(scenario.code, scenario.version),
        "fields": sorted(entry["claims"]),
        "as_of": entry["as_of"],
        "payload_digest": entry["payload_digest"],
    }


def _holder_key(bases: Sequence[CertifiedSource]) -> dict[str, Any]:
    keys = [basis.consented["holder_key"] for basis in bases]
    if any(key != keys[0] for key in keys):
        raise Conflict("HOLDER_KEYS_DIFFER", "The subject named different holder keys for one certificate.")
    found: dict[str, Any] = keys[0]
    return found
