"""The role matrix, asked for a party that acts."""

from __future__ import annotations

from ledger.domain.permissions import Action, allowed
from ledger.errors import Forbidden
from ledger.service.parties import Actor


def require(actor: Actor, action: Action, *, owns: bool = False, reads: bool = False) -> None:
    """Raise ``Forbidden`` ``PARTY_LACKS_ROLE`` unless the role matrix allows the action."""
    if not allowed(action, actor.roles, owns=owns, reads=reads):
        raise Forbidden(
            "PARTY_LACKS_ROLE",
            f"None of the party's roles may: {action.value}.",
            hint="Ask the authority for the role, or the record's owner to do it.",
            action=action.value,
        )
