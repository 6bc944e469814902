"""Arguments and options of several certificate commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.shell.files import signer_of
from ledger.errors import Unauthenticated

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.parties.roles import Actor

Number = Annotated[str, typer.Argument(help="Certificate number, DAC-…", show_default=False)]
Nonce = Annotated[str, typer.Option(help="The consumer's nonce.", show_default=False)]
Fields = Annotated[str | None, typer.Option(help="Fields to disclose, separated by commas; default: all fields.")]
BundleOut = Annotated[Path, typer.Option(help="File to which the bundle is written.")]
OwnKey = Annotated[
    Path | None,
    typer.Option("--key", help="Private key file of the party that reads; default: this installation's own party."),
]


def asking_party(ledger: Ledger, key: Path | None) -> Actor:
    """Return the party to which the key in the file belongs; the key must be active. Without a file, return the
    installation's own party.

    Raises ``Unauthenticated`` ``SESSION_KEY_NOT_LIVE``, ``Forbidden`` ``PARTY_NOT_ACTIVE``, and the errors of
    ``signer_of``.
    """
    if key is None:
        return ledger.actor(ledger.party)
    account = signer_of(key).kid
    record = ledger.reader.account(account)
    if record is None or record.valid_to or record.reported_at:
        raise Unauthenticated(
            "SESSION_KEY_NOT_LIVE",
            "The key is not an active key of a party on the chain.",
            where=account,
            hint="Use the party's current key.",
        )
    return ledger.actor(ledger.reader.party_id(record.party_no))
