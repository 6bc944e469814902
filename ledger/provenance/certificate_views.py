"""What a party is shown of a certificate: those who have a part in it see it, and those who read the full log.

Each raises ``Forbidden`` ``PARTY_LACKS_ROLE`` for others, and ``NotFound`` ``CERTIFICATE_UNKNOWN``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ledger.certificates.bundles import Bundles
from ledger.certificates.issued import IssuedCertificate
from ledger.certificates.verification.known_presentation import KnownPresentation
from ledger.certificates.verification.presentations import Presentations, UsedElsewhere
from ledger.certificates.verification.verification import Verification
from ledger.parties.permissions import Action, allowed
from ledger.parties.principals import Principals
from ledger.parties.roles import Actor, require
from ledger.proof.bundle import Bundle
from ledger.provenance.completeness import Provenance
from ledger.provenance.histories import Provenances
from ledger.provenance.readings import How, Readings
from ledger.usage.holdings.overview import Holdings


class OwnCertificates:
    """Certificates that this ledger issued."""

    def __init__(self, holdings: Holdings, principals: Principals, bundles: Bundles, readings: Readings) -> None:
        self._holdings = holdings
        self._principals = principals
        self._bundles = bundles
        self._readings = readings

    def get(self, actor: Actor, number: str) -> IssuedCertificate:
        """One certificate, without what it discloses."""
        row = self._holdings.get(number)
        require(actor, Action.READ_LOG, owns=self._has_part(actor, row))
        return row

    def bundle(self, actor: Actor, number: str, fields: Iterable[str] | None) -> Bundle:
        """As ``Bundles.build``, for its subject alone, to whom it is recorded as a reading."""
        require(actor, Action.SEE_PAYLOAD, owns=self.get(actor, number).subject == actor.party)
        built = self._bundles.build(number, fields)
        self._readings.of_bundle(actor, How.BUNDLE, built)
        return built

    def has_part(self, actor: Actor, number: str) -> bool:
        """Whether the party, or one that it stands for, is subject, consumer, issuer or provider."""
        return self._has_part(actor, self._holdings.get(number))

    def is_subject(self, actor: Actor, number: str) -> bool:
        """Whether the party, or one that it stands for, is the subject."""
        return self._holdings.get(number).subject in self._principals.of(actor)

    def _has_part(self, actor: Actor, row: IssuedCertificate) -> bool:
        return not self._principals.of(actor).isdisjoint(self._holdings.members(row))


class CertificateViews:
    """``own`` is None for who has joined another's chain and knows what its own party was presented with alone."""

    def __init__(
        self,
        verification: Verification,
        presentations: Presentations,
        provenances: Provenances,
        own: OwnCertificates | None = None,
    ) -> None:
        self._verification = verification
        self._presentations = presentations
        self._provenances = provenances
        self._own = own

    def provenance(self, actor: Actor, number: str) -> Provenance:
        """What happened to it. Its consumer and providers, who may be looked into, do not learn of opened payloads."""
        self._require_part(actor, number)
        told = self._provenances.certificate(number)
        if allowed(Action.READ_LOG, actor.roles) or (self._own and self._own.is_subject(actor, number)):
            return told
        return replace(told, events=tuple(event for event in told.events if event["name"] != "Disclosed"))

    def presentations(
        self, actor: Actor, number: str, after: str | None, limit: int
    ) -> tuple[list[KnownPresentation], list[UsedElsewhere]]:
        """As ``Presentations.page`` and ``elsewhere``."""
        self._require_part(actor, number)
        return self._presentations.page(number, after, limit), self._presentations.elsewhere(number)

    def status(self, actor: Actor, number: str) -> dict[str, Any]:
        """Its status, where it stands and why; a stranger to it learns its state and since when."""
        require(actor, Action.VERIFY, owns=True)
        public = self._verification.public_status(number)
        if allowed(Action.READ_LOG, actor.roles) or (self._own and self._own.has_part(actor, number)):
            return self._verification.status(number)
        return public

    def _require_part(self, actor: Actor, number: str) -> None:
        require(actor, Action.READ_LOG, owns=self._own is None or self._own.has_part(actor, number))
