"""The options that several commands use to select certificates, and the filter that is built from these options."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Selected:
    """The options that select certificates."""

    party: Party = ""
    part: Part = None
    scenario: Scenario = None
    cls: Class = None
    state: State = None
    provider: Provider = None
    issued_from: IssuedFrom = None
    issued_to: IssuedTo = None
    expires_before: ExpiresBefore = None

    def filter(self, ledger: Ledger) -> HoldingsFilter:
        """Build the filter from the options. Raises ``InvalidInput`` ``FILTER_INVALID``, ``DAY_FORM``, ``NotFound``
        ``PARTY_UNKNOWN``.
        """
        issued_to = None if self.issued_to is None else end_of_validity(day_of(self.issued_to, "--issued-to"))
        return HoldingsFilter(
            party=None if self.party == ALL else party_of(ledger, self.party or "platform"),
            part=self.part,
            scenario=self.scenario,
            cls=self.cls,
            state=self.state,
            provider=None if self.provider is None else party_of(ledger, self.provider),
            issued_from=None if self.issued_from is None else _begin(self.issued_from, "--issued-from"),
            issued_to=issued_to,
            expires_before=None if self.expires_before is None else _begin(self.expires_before, "--expires-before"),
        )


def _begin(day: str, where: str) -> int:
    return end_of_validity(day_of(day, where) - timedelta(days=1), where)
