"""Finds withdrawals and holds that stop a certificate from being issued, for all statements of a set of requests.

Withdrawals and holds on the chain are read from the index, which is brought up to date before the write lock is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, exists, or_, select
from sqlalchemy.orm import Session

from ledger.chain.contracts.names import names_of_offices
from ledger.errors import Conflict
from ledger.index.tables import HOLDS, WITHDRAWALS
from ledger.proof.facts import WithdrawalFact
from ledger.store.sets import matching
from ledger.store.tables import Entry
from ledger.usage.expiry import not_active
from ledger.usage.tables import AccessRequest, Authorization, Provision

_HELD: Final = {"request": "HELD", "authorization": "AUTHORIZATION_HELD", "provision": "PROVISION_HELD"}
_NEVER: Final = WithdrawalFact(0, 0)


def may_be_stopped() -> ColumnElement[bool]:
    """Return the SQL condition that a request, or its authorization or provision, has a withdrawal or a hold.

    The condition is also true if the hold was lifted, or if the withdrawal was made by a party that did not sign the
    statement. So it only selects the requests that ``KnownStops`` must check.
    """
    signed = Authorization.digest, Provision.digest
    return or_(
        exists().where(WITHDRAWALS.c.statement.in_(signed)),
        exists().where(HOLDS.c.statement.in_((AccessRequest.digest, *signed))),
        exists().where(Entry.about.in_(signed)),
    ).self_group()


@dataclass(frozen=True, slots=True)
class KnownStops:
    """What stops certificates from being issued. Statements are given by their digests.

    ``withdrawals`` has the withdrawals on the chain that the statement's signer made. ``holds`` has the names of the
    institutions that hold a statement on the chain. ``recorded`` has the statements whose withdrawal is in the log.
    """

    withdrawals: Mapping[str, WithdrawalFact]
    holds: Mapping[str, Sequence[str]]
    recorded: frozenset[str]

    @classmethod
    def of(cls, session: Session, statements: Iterable[str], signers: Mapping[str, int]) -> KnownStops:
        """Read from the index and the log which of these statements are withdrawn or held.

        ``signers`` maps the digest of an authorization or provision to the number of the party that can withdraw it.
        """
        digests = list(statements)
        withdrawn = matching(session, select(WITHDRAWALS), WITHDRAWALS.c.statement, signers)
        changes = select(HOLDS.c.statement, HOLDS.c.offices).order_by(HOLDS.c.change)
        # The changes are read in order, so the newest change of a statement's holds replaces the earlier changes in the
        # map.
        offices = {row.statement: row.offices for row in matching(session, changes, HOLDS.c.statement, digests)}
        recorded = matching(session, select(Entry.about), Entry.about, digests)
        return cls(
            {
                row.statement: WithdrawalFact(row.at, row.reported_at)
                for row in withdrawn
                if signers[row.statement] == row.party
            },
            {digest: names for digest, held in offices.items() if (names := names_of_offices(held))},
            frozenset(row.about for row in recorded),
        )

    def require_none(self, sources: Sequence[Row[Any]]) -> None:
        """Raise ``Conflict`` if a withdrawal or a hold, on the chain or in the log, stops the certificate with these
        sources. All ``sources`` belong to one request.
        """
        named = [("request", source.id, source.digest) for source in sources[:1]]
        named += [("authorization", source.consent_id, source.consent) for source in sources]
        named += [("provision", source.provision_id, source.provision) for source in sources]
        for source in sources:
            if self.withdrawals.get(source.consent, _NEVER).first or source.consent in self.recorded:
                raise not_active(source.consent_id, "withdrawn")
            # A withdrawal signed with a lost key of the provider has no effect, because otherwise a thief could end
            # every certificate that rests on the provider's data.
            if self.withdrawals.get(source.provision, _NEVER).at or source.provision in self.recorded:
                raise Conflict(
                    "PROVISION_WITHDRAWN",
                    "The provider has withdrawn what it supplied.",
                    where=f"provision {source.provision_id}",
                    hint="Ask the provider to supply the data again, and to name the wrong provision in `corrects`.",
                )
        for kind, identifier, digest in named:
            if offices := self.holds.get(digest):
                raise Conflict(
                    _HELD[kind],
                    f"The {kind} is held by an institution: {', '.join(offices)}.",
                    where=f"{kind} {identifier}",
                    hint="Issue the certificate after the institution has lifted its hold.",
                    statement=kind,
                )
