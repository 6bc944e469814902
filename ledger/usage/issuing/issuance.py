"""Issues usage certificates: exactly one for each request, even if a call is repeated or crashes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, exists, select, update
from sqlalchemy.orm import Session

from ledger.certificates.issued import IssuedCertificate
from ledger.certificates.recording import NewCertificate, add_certificates, next_numbers
from ledger.certificates.tables import Certificate
from ledger.domain.days import Clock
from ledger.domain.definitions.scenario import Scenario
from ledger.domain.digests import reference
from ledger.domain.entries import usage_certificate_payload, validate_entry
from ledger.domain.lifecycle import REQUEST
from ledger.domain.rules.predicates import rule_version
from ledger.errors import Conflict
from ledger.index.follower import Follower
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.rulebooks.templates import TemplatesInForce
from ledger.store.database import Database
from ledger.store.sealing import Sealer
from ledger.store.sets import change_rows
from ledger.usage.issuing.answered_requests import AnsweredRequests, CertifiedSource, signed_statements
from ledger.usage.tables import AccessRequest, Authorization, Provision

SUPPLIED: Final = "supplied"
TIMED_OUT: Final = "timed_out"


@dataclass(frozen=True, slots=True)
class Version:
    """A certificate to issue: the first certificate of its request, or a new version.

    A new version replaces the certificate in ``supersedes``.
    """

    request: Row[Any]
    supersedes: Certificate | None = None


class Issuance:
    """Issues certificates for data that was authorised and supplied. The log entry *is* the certificate's payload.

    The provider signs every claim. This class computes no claims and makes no salts.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        follower: Follower,
        scenarios: ScenarioBook,
        issuer: str,
        clock: Clock,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._follower = follower
        self._scenarios = scenarios
        self._issuer = issuer
        self._clock = clock

    def issue(self, actor: Actor, requests: Sequence[str]) -> list[IssuedCertificate]:
        """Issue a certificate for each request id. If one certificate cannot be issued, none is issued.

        If a request already has a certificate, this certificate is returned unchanged. A certificate is final when its
        batch is anchored. During a pause the batch is not anchored, and the certificate's status gives the latest time
        at which the pause ends. A certificate covers only the sources that supplied data, not the sources that refused
        or had no data.

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, ``NotFound``, ``Conflict`` ``AUTHORIZATION_NOT_ACTIVE``,
        ``REQUEST_NOT_AUTHORIZED``, ``SCENARIO_CHANGED``, ``NOT_ANSWERED_YET``, ``NOTHING_SUPPLIED``,
        ``PROVISION_WITHDRAWN``, ``HELD``, ``AUTHORIZATION_HELD`` or ``PROVISION_HELD``.
        """
        require(actor, Action.ISSUE_CERTIFICATE)
        with self._database.read() as session:
            statements = signed_statements(session, requests)
        with self.before_writing() as session:
            return self._issue(session, AnsweredRequests(session, self._sealer, requests, statements), requests)

    @contextmanager
    def before_writing(self) -> Iterator[Session]:
        """Bring the index up to date, and then open a write transaction.

        The index is brought up to date so that withdrawals and holds on the chain are known.
        """
        self._follower.sync()
        with self._database.write() as session:
            yield session

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

    def _issue(self, session: Session, answered: AnsweredRequests, requests: Sequence[str]) -> list[IssuedCertificate]:
        issued: dict[str, IssuedCertificate] = {}
        new: dict[str, Row[Any]] = {}
        for identifier in requests:
            request = answered.request(identifier)
            if before := answered.certificates(request):
                issued[identifier] = IssuedCertificate.of(before[0])
                continue
            if request.state != "authorised":
                raise Conflict(
                    "REQUEST_NOT_AUTHORIZED",
                    f"The request is {request.state}.",
                    where=f"request {request.id}",
                    hint="A certificate can be issued only after the subject has authorised the request.",
                )
            new[identifier] = request
        made = self.add(session, answered, [Version(request) for request in new.values()])
        fulfilled = update(AccessRequest).values(state=REQUEST.next("authorised", "fulfil"))
        change_rows(session, fulfilled, AccessRequest.id, new)
        issued |= zip(new, made, strict=True)
        return [issued[identifier] for identifier in requests]

    def add(self, session: Session, answered: AnsweredRequests, versions: Sequence[Version]) -> list[IssuedCertificate]:
        """Make these certificates from the data supplied so far, and add them to the log in the caller's transaction.
        Raises the errors that ``issue`` raises.
        """
        now = self._clock()
        sources, templates = [], TemplatesInForce(self._scenarios)
        for version in versions:
            templates.require(answered.statement(version.request))
            sources.append(answered.sources(version.request, now))
        series = [(answered.region(version.request), version.request.scenario) for version in versions]
        numbers = next_numbers(session, series, now)
        answered.require_disclosures(session, (source for each in sources for source in each))
        new = []
        for version, number, each in zip(versions, numbers, sources, strict=True):
            asked = answered.statement(version.request)
            new.append(_new(version, self._payload(version.request.digest, asked, number, each, now)))
        return add_certificates(session, new, now)

    def _payload(
        self, request: str, asked: Mapping[str, Any], number: str, bases: Sequence[CertifiedSource], now: int
    ) -> dict[str, Any]:
        scenario = self._scenarios.get(asked["scenario"])
        claims = [(name, digest) for basis in bases for name, digest in sorted(basis.supplied["claims"].items())]
        return usage_certificate_payload(
            ledger=asked["ledger"],
            certificate_no=number,
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
            providers=list(dict.fromkeys(basis.provider for basis in bases)),
            channel=asked["channel"],
            max_uses=min(basis.consented["max_uses"] for basis in bases),
            template=asked["template"],
            request=reference(request),
            authorizations=[reference(basis.consent) for basis in bases],
            provisions=[reference(basis.provision) for basis in bases],
            components=[_component(scenario, basis) for basis in bases],
            fields=[name for name, _ in claims],
            rights_duties=scenario.rights_duties,
            grade=scenario.grade,
            cnf={"jwk": _holder_key(bases)},
            _sd_alg=asked["sd_alg"],
            _sd=sorted(digest for _, digest in claims),
        )


def _new(version: Version, payload: dict[str, Any]) -> NewCertificate:
    before = version.supersedes
    payload["supersedes"] = None if before is None else reference(before.digest)
    return NewCertificate(
        lambda seq: _checked(payload | {"seq": seq}),
        request_id=version.request.id,
        version=1 if before is None else before.version + 1,
        supersedes=None if before is None else before.certificate_no,
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
