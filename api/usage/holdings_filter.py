"""The query parameters that filter holdings."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Query

from api.http.access import ReadCaller
from ledger.usage.holdings.filter import CLASSES, PARTS, STATES, HoldingsFilter

ALL = "all"
Seconds = Annotated[int | None, Query(ge=0, lt=2**40, description="Seconds UTC.")]
Member = Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$", description="A party id.")]
Scenario = Annotated[str | None, Query(pattern=r"^S\d{2}$", examples=["S51"])]
Class = Annotated[str | None, Query(alias="class", json_schema_extra={"enum": [*CLASSES]})]
State = Annotated[str | None, Query(description="The state now.", json_schema_extra={"enum": [*STATES]})]
Party = Annotated[
    str | None,
    Query(
        pattern=rf"^([0-9a-f]{{64}}|{ALL})$", description=f"Whose holdings: a party id, or `{ALL}`; default: your own."
    ),
]
Part = Annotated[
    str | None,
    Query(
        description="The party's role in the certificate, such as subject; default: any role.",
        json_schema_extra={"enum": [*PARTS]},
    ),
]


def narrowed(
    scenario: Scenario = None,
    class_: Class = None,
    state: State = None,
    provider: Member = None,
    issued_from: Seconds = None,
    issued_to: Seconds = None,
    expires_before: Seconds = None,
) -> HoldingsFilter:
    """Return the filter of the query, without a party. Raises ``InvalidInput`` ``FILTER_INVALID``."""
    return HoldingsFilter(
        scenario=scenario,
        cls=class_,
        state=state,
        provider=provider,
        issued_from=issued_from,
        issued_to=issued_to,
        expires_before=expires_before,
    )


Narrowed = Annotated[HoldingsFilter, Depends(narrowed)]


def wanted(actor: ReadCaller, within: Narrowed, party: Party = None, part: Part = None) -> HoldingsFilter:
    """Return the filter of the query, with the party whose holdings are selected; by default the caller."""
    whose = {None: actor.party, ALL: None}.get(party, party)
    return replace(within, party=whose, part=part)


Wanted = Annotated[HoldingsFilter, Depends(wanted)]
