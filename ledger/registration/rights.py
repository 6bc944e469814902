"""The three rights in an asset: grant, sublicense, transfer and end them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ledger.chain.sending.asset_calls import Grant, end_right, grant_right, transfer_right
from ledger.chain.sending.sender import Receipt
from ledger.domain.reasons import checked_grounds
from ledger.parties.lookups import party_no
from ledger.parties.roles import Actor
from ledger.registration.lookups import registration
from ledger.registration.use_case import UseCase


@dataclass(frozen=True, slots=True)
class NewRight:
    """A right to be granted to ``grantee`` (a party id) for ``start ≤ t < end`` (seconds UTC); ``scope`` describes the
    permitted use in words.

    For a sublicence, ``parent`` is the number of the right under which the sublicence is granted; None if the asset's
    holder grants the right.
    """

    kind: str
    grantee: str
    start: int
    end: int
    scope: str
    exclusive: bool = False
    sublicensable: bool = False
    transferable: bool = False
    parent: int | None = None


class Rights(UseCase):
    """Sends acts on rights in the parties' names. The contract decides whether an act is allowed; then the asset's
    certificate is renewed."""

    def grant(self, actor: Actor, asset: str, right: NewRight) -> Receipt:
        """Grant a right, or sublicense ``right.parent``. Raises ``Conflict`` ``ASSET_RIGHT_OVERLAPS`` if the right
        conflicts with an exclusive right.
        """
        with self._database.read() as session:
            grantee = party_no(session, right.grantee)
        with self._documents.kept(asset, "scope", actor.party, {"scope": checked_grounds(right.scope)}) as scope:
            grant = Grant(**asdict(right) | {"grantee": grantee, "parent": right.parent or 0, "scope": scope})
            receipt = self._acting.act_by(actor, grant_right(asset, grant))
        self._certificates.settle([asset])
        return receipt

    def transfer(self, actor: Actor, asset: str, right: int, to: str) -> Receipt:
        """Transfer a transferable right to another party."""
        with self._database.read() as session:
            recipient = party_no(session, to)
        receipt = self._acting.act_by(actor, transfer_right(asset, right, recipient))
        self._certificates.settle([asset])
        return receipt

    def end(self, actor: Actor, asset: str, right: int, reason: str | None = None) -> Receipt:
        """End a right now. The grantee gives no reason; a registrar must give a reason."""
        if reason is None:
            receipt = self._acting.act_by(actor, end_right(asset, right))
        else:
            with self._documents.kept(
                asset, "right_ended", actor.party, {"reason": checked_grounds(reason)}
            ) as grounds:
                receipt = self._acting.act_by(actor, end_right(asset, right, grounds))
        self._certificates.settle([asset])
        return receipt

    def of(self, asset: str) -> list[dict[str, Any]]:
        """Return every right in an asset. A right is ``in_force`` if its period includes the present time and its
        parent is in force."""
        with self._database.read() as session:
            registration(session, asset)
        rights, now = self._reader.rights(asset), self._clock()
        live: set[int | None] = {None}
        shown = []
        for right in rights:
            if right.start <= now < right.end and right.parent in live:
                live.add(right.no)
            shown.append(asdict(right) | {"in_force": right.no in live})
        return shown
