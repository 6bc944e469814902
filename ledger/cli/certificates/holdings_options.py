"""The options that several commands use to select certificates, and the filter that is built from these options."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.shell.naming import party_of
from ledger.domain.days import day_of, end_of_validity
from ledger.usage.holdings.filter import CLASSES, PARTS, STATES, HoldingsFilter

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger

ALL = "all"
Party = Annotated[
    str, typer.Option(help=f"Party id, USCC or name, `authority`, `platform`, or `{ALL}`; default: the platform.")
]
Part = Annotated[
    str | None, typer.Option(help=f"The party's role in the certificate: {', '.join(PARTS)}; default: any.")
]
Scenario = Annotated[str | None, typer.Option(help="Scenario code, e.g. S51.")]
Class = Annotated[str | None, typer.Option("--class", help=" or ".join(CLASSES))]
State = Annotated[str | None, typer.Option(help=f"Current state: {', '.join(STATES)}.")]
Provider = Annotated[str | None, typer.Option(help="The department that supplied data: party id or USCC.")]
IssuedFrom = Annotated[str | None, typer.Option(help="Issued on this day or later, YYYY-MM-DD (Asia/Shanghai).")]
IssuedTo = Annotated[str | None, typer.Option(help="Issued on this day or earlier.")]
ExpiresBefore = Annotated[str | None, typer.Option(help="Certificate expires on this day or earlier.")]


def filter_of(
    ledger: Ledger,
    party: str,
    part: str | None,
    scenario: str | None,
    cls: str | None,
    state: str | None,
    provider: str | None,
    issued_from: str | None,
    issued_to: str | None,
    expires_before: str | None,
) -> HoldingsFilter:
    """Build the filter from the options. Raises ``InvalidInput`` ``FILTER_INVALID``, ``DAY_FORM``, ``NotFound``
    ``PARTY_UNKNOWN``.
    """
    return HoldingsFilter(
        party=None if party == ALL else party_of(ledger, party or "platform"),
        part=part,
        scenario=scenario,
        cls=cls,
        state=state,
        provider=None if provider is None else party_of(ledger, provider),
        issued_from=None if issued_from is None else _begin(issued_from, "--issued-from"),
        issued_to=None if issued_to is None else end_of_validity(day_of(issued_to, "--issued-to")),
        expires_before=None if expires_before is None else _begin(expires_before, "--expires-before"),
    )


def _begin(day: str, where: str) -> int:
    return end_of_validity(day_of(day, where) - timedelta(days=1), where)
