"""The membership file of a joined installation names the installation's party, and the ledger that the installation
joined.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ledger.errors import Forbidden, Misconfigured


@dataclass(frozen=True, slots=True)
class Membership:
    """The identity of a joined installation.

    ``party`` is the party's id, ``account`` is the account that sends the party's transactions, ``rpc_url`` is the URL
    of the installation's node. ``ledger`` is the digest (64 hex digits) of the joined ledger, and ``deployment`` the
    digest of that ledger's deployment file.
    """

    party: str
    account: str
    rpc_url: str
    ledger: str
    deployment: str = ""

    @classmethod
    def of(cls, home: Path) -> Membership | None:
        """Return the membership of the installation in ``home``, or None if this installation has not joined another
        operator's chain.

        Raises ``Misconfigured`` ``MEMBERSHIP_DAMAGED``.
        """
        path = membership_file(home)
        if not path.exists():
            return None
        try:
            found = cls(**json.loads(path.read_bytes()))
            if not all(isinstance(value, str) for value in asdict(found).values()):
                raise ValueError("every member must be a string")
        except (ValueError, TypeError, IsADirectoryError) as error:
            raise Misconfigured(
                "MEMBERSHIP_DAMAGED",
                "The file with this installation's identity, joined.json, cannot be read.",
                where=str(path),
                hint="Restore the file from a copy, or join again in an empty folder.",
            ) from error
        return found


def require_operating(home: Path) -> None:
    """Raise ``Forbidden`` ``NOT_THE_OPERATOR`` if ``home`` is a joined installation: only the operator may continue."""
    if Membership.of(home) is not None:
        raise not_the_operator()


def not_the_operator() -> Forbidden:
    """Return the error that a joined installation raises for actions that only the operator can do."""
    return Forbidden(
        "NOT_THE_OPERATOR",
        "This installation has joined another operator's chain: it can only verify, record uses and follow the chain.",
        hint="Do this in the operator's installation.",
    )


def membership_file(home: Path) -> Path:
    """Return the path of the membership file."""
    return home / "joined.json"
