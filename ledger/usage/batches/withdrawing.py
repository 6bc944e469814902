"""Withdrawals as items of a batch. Each withdrawal is a chain transaction of its own, signed by the withdrawing
party.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ledger.domain.digests import hex_of
from ledger.domain.parties import Role
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require
from ledger.store.database import Database
from ledger.usage.tables import Authorization
from ledger.usage.withdrawals import Withdrawals


@dataclass(eq=False, repr=False)
class ManyWithdrawals:
    """Withdraws authorizations and provisions, one after another. Repeating a withdrawal changes nothing."""

    _database: Database
    _withdrawals: Withdrawals

    def permit(self, actor: Actor, items: Sequence[Mapping[str, Any]]) -> None:
        """Raise ``Forbidden`` unless the actor is the withdrawing party of every item."""
        own = all(item["statement"].get("party") == actor.party for item in items)
        require(actor, Action.SUPPLY_DATA if Role.PROVIDER in actor.roles else Action.AUTHORISE, owns=own)

    def record(self, actor: Actor, items: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """Withdraw the statements that the items name. Raises the error of ``Withdrawals`` for the first withdrawal
        that fails.
        """
        return [[self._withdraw(actor, item["statement"], item.get("act"))] for item in items]

    def _withdraw(self, actor: Actor, entry: dict[str, Any], act: str | None) -> str:
        own, signature = entry.get("party") == actor.party, None if act is None else bytes.fromhex(act)
        if self._is_consent(entry):
            require(actor, Action.AUTHORISE, owns=own)
            self._withdrawals.withdraw(entry, signature)
        else:
            require(actor, Action.SUPPLY_DATA, owns=own)
            self._withdrawals.withdraw_provision(entry, signature)
        return str(entry["id"])

    def _is_consent(self, entry: Mapping[str, Any]) -> bool:
        digest = hex_of(str(entry.get("statement")))
        with self._database.read() as session:
            return session.scalar(select(Authorization.id).where(Authorization.digest == digest)) is not None
