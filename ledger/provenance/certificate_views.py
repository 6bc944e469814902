"""Return data about a certificate to its parties, and to parties that may read the full log.

The methods raise ``Forbidden`` ``PARTY_LACKS_ROLE`` for other parties, and ``NotFound`` ``CERTIFICATE_UNKNOWN``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
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
    """Returns data about certificates that this ledger issued."""

    def __init__(self, holdings: Holdings, principals: Principals, bundles: Bundles, readings: Readings) -> None:
        self._holdings = holdings
        self._principals = principals
        self._bundles = bundles
        self._readings = readings

    def get(self, actor: Actor, number: str) -> IssuedCertificate:
        """Return a certificate's record, without its claims."""
        row = self._holdings.get(number)
        require(actor, Action.READ_LOG, owns=self._has_part(actor, row))
        return row

    def bundle(self, actor: Actor, number: str, fields: Iterable[str] | None) -> Bundle:
        """Return the bundle to the subject and record the reading; raises the errors of ``Bundles.build`` too."""
        require(actor, Action.SEE_PAYLOAD, owns=self.get(actor, number).subject == actor.party)
        built = self._bundles.build(number, fields)
        self._readings.of_bundle(actor, How.BUNDLE, built)
        return built

    def has_part(self, actor: Actor, number: str) -> bool:
        """Return whether the party, or one of its principals, is subject, consumer, issuer or provider of the
        certificate."""
        return self._has_part(actor, self._holdings.get(number))

    def is_subject(self, actor: Actor, number: str) -> bool:
        """Return whether the party, or one of its principals, is the certificate's subject."""
        return self._holdings.get(number).subject in self._principals.of(actor)

    def _has_part(self, actor: Actor, row: IssuedCertificate) -> bool:
        return not self._principals.of(actor).isdisjoint(self._holdings.members(row))


@dataclass(eq=False, repr=False)
class CertificateViews:
    """Returns data about certificates that were issued here, or issued elsewhere and presented here.

    ``own`` is None in an installation that has joined another operator's chain; such an installation knows only the
    certificates that were presented to its own party.
    """

    _verification: Verification
    _presentations: Presentations
    _provenances: Provenances
    _own: OwnCertificates | None = None

    def provenance(self, actor: Actor, number: str) -> Provenance:
        """Return the events of a certificate.

        The consumer and the providers do not see for which case a supervisor opened the claims, because the case may be
        about them.
        """
        self._require_part(actor, number)
        found = self._provenances.certificate(number)
        if allowed(Action.READ_LOG, actor.roles) or (self._own and self._own.is_subject(actor, number)):
            return found
        return replace(found, events=tuple(event for event in found.events if event["name"] != "Disclosed"))

    def presentations(
        self, actor: Actor, number: str, after: str | None, limit: int
    ) -> tuple[list[KnownPresentation], list[UsedElsewhere]]:
        """Return a page of the certificate's verifications, and its uses in other installations, as ``Presentations``
        does."""
        self._require_part(actor, number)
        return self._presentations.page(number, after, limit), self._presentations.elsewhere(number)

    def status(self, actor: Actor, number: str) -> dict[str, Any]:
        """Return the full status to a party of the certificate, and the public status to any other party."""
        require(actor, Action.VERIFY, owns=True)
        public = self._verification.public_status(number)
        if allowed(Action.READ_LOG, actor.roles) or (self._own and self._own.has_part(actor, number)):
            return self._verification.status(number)
        return public

    def _require_part(self, actor: Actor, number: str) -> None:
        require(actor, Action.READ_LOG, owns=self._own is None or self._own.has_part(actor, number))
