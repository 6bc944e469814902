"""The acts of parties on issued certificates: the issuer revokes or suspends certificates, an authority or supervisor
places holds on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.certificates.holds import Holds
from ledger.certificates.status import CertificateStatus
from ledger.domain.parties import Role
from ledger.parties.permissions import Action, allowed
from ledger.parties.proposals.proposals import Proposal
from ledger.parties.roles import Actor, require
from ledger.usage.holdings.overview import Holdings
from ledger.usage.revocations import Portion, Revocations


class StatusActs:
    """Checks the actor's permission before each act. Each method raises ``Forbidden`` ``PARTY_LACKS_ROLE`` if the actor
    lacks the role, and the errors of the method that it calls.
    """

    def __init__(self, status: CertificateStatus, holds: Holds, revocations: Revocations, holdings: Holdings) -> None:
        self._status = status
        self._holds = holds
        self._revocations = revocations
        self._holdings = holdings

    def revoke(self, actor: Actor, number: str, reason: str) -> None:
        """Call ``CertificateStatus.revoke``. The issuer may give any reason, a provider of the data may give only
        ``data_error``.
        """
        owns = _asks_as_provider(actor, reason) and actor.party in self._holdings.providers(self._holdings.get(number))
        require(actor, Action.REVOKE_CERTIFICATE, owns=owns)
        self._status.revoke(number, reason)

    def revoke_many(self, actor: Actor, numbers: Sequence[str], reason: str) -> Iterator[Portion]:
        """Call ``Revocations.revoke``. A provider may name only certificates that rest on its own data."""
        owns = _asks_as_provider(actor, reason) and set(numbers) <= self._revocations.resting_on(actor.party, numbers)
        require(actor, Action.REVOKE_CERTIFICATE, owns=owns)
        return self._revocations.revoke(numbers, reason)

    def suspend(self, actor: Actor, number: str, reason: str) -> None:
        """Check the actor's permission, then call ``CertificateStatus.suspend``."""
        require(actor, Action.REVOKE_CERTIFICATE)
        self._status.suspend(number, reason)

    def resume(self, actor: Actor, number: str, reason: str) -> None:
        """Check the actor's permission, then call ``CertificateStatus.resume``."""
        require(actor, Action.REVOKE_CERTIFICATE)
        self._status.resume(number, reason)

    def supersede(self, actor: Actor, number: str, successor: str) -> None:
        """Check the actor's permission, then call ``CertificateStatus.supersede``."""
        require(actor, Action.ISSUE_CERTIFICATE)
        self._status.supersede(number, successor)

    def hold(self, actor: Actor, number: str, reason: str) -> None:
        """Check the actor's permission, then call ``Holds.hold``."""
        require(actor, Action.HOLD_CERTIFICATE)
        self._holds.hold(number, reason, actor.party, actor.signed)

    def lift(self, actor: Actor, number: str, reason: str) -> Proposal:
        """Check the actor's permission, then call ``Holds.lift``."""
        require(actor, Action.HOLD_CERTIFICATE)
        return self._holds.lift(number, reason, actor.party, actor.signed)

    def hold_statements(self, actor: Actor, digests: Sequence[str], reason: str) -> None:
        """Check the actor's permission, then call ``Holds.hold_statements``."""
        require(actor, Action.HOLD_CERTIFICATE)
        self._holds.hold_statements(digests, reason, actor.party, actor.signed)

    def lift_statements(self, actor: Actor, digests: Sequence[str], reason: str) -> Proposal:
        """Check the actor's permission, then call ``Holds.lift_statements``."""
        require(actor, Action.HOLD_CERTIFICATE)
        return self._holds.lift_statements(digests, reason, actor.party, actor.signed)


def _asks_as_provider(actor: Actor, reason: str) -> bool:
    """Return whether a provider asks the issuer to revoke a certificate because the provider's data in it is wrong."""
    return (
        reason == "data_error" and Role.PROVIDER in actor.roles and not allowed(Action.REVOKE_CERTIFICATE, actor.roles)
    )
