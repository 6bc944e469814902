"""Whether an installation has joined another operator's chain, and as which party; what it may not do then."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ledger.errors import Forbidden, Misconfigured


@dataclass(frozen=True, slots=True)
class Membership:
    """Who a joined installation is: its party's id on the chain, the account it sends from, the node it asks, the
    digest (64 hex) of the ledger that it joined, and that of its deployment file."""

    party: str
    account: str
    rpc_url: str
    ledger: str
    deployment: str = ""

    @classmethod
    def of(cls, home: Path) -> Membership | None:
        """The membership of the installation in ``home``; None if it has not joined another's chain.

        Raises ``Misconfigured`` ``MEMBERSHIP_DAMAGED``.
        """
        path = membership_file(home)
        if not path.exists():
            return None
        try:
            found = cls(**json.loads(path.read_bytes()))
            if not all(isinstance(value, str) for value in asdict(found).values()):
                raise ValueError("members are texts")
        except (ValueError, TypeError, IsADirectoryError) as error:
            raise Misconfigured(
                "MEMBERSHIP_DAMAGED",
                "The file that says who this installation is cannot be read.",
                where=str(path),
                hint="Restore it from the backup, or join again in an empty folder.",
            ) from error
        return found


def require_operating(home: Path) -> None:
    """Raise ``Forbidden`` ``NOT_THE_OPERATOR`` in a joined installation: what follows is the operator's to do."""
    if Membership.of(home) is not None:
        raise not_the_operator()


def not_the_operator() -> Forbidden:
    """The one answer of a joined installation to all that only the operator's can do."""
    return Forbidden(
        "NOT_THE_OPERATOR",
        "This installation has joined another operator's chain: it verifies, records uses and follows the chain.",
        hint="Ask the operator's installation to do this.",
    )


def membership_file(home: Path) -> Path:
    """The file that a joined installation's membership is kept in."""
    return home / "joined.json"
