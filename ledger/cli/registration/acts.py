"""Run one act on an asset in the name of a party, then print what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ledger.cli.shell.naming import acting_on
from ledger.cli.shell.output import emit, emit_rows

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.parties.roles import Actor

    Act = tuple[Actor, str]
    Rows = Callable[[Ledger, str], list[dict[str, Any]]]


@contextmanager
def then_asset(ledger: Ledger, as_json: bool, by: str, asset: str) -> Iterator[Act]:
    """Yield the party ``by`` and the asset's id; after the act, print the asset."""
    actor, identifier = acting_on(ledger, by, asset)
    yield actor, identifier
    emit(ledger.registration.registrations.get(identifier), as_json, identifier)


@contextmanager
def then_rows(ledger: Ledger, as_json: bool, by: str, asset: str, rows: Rows, title: str) -> Iterator[Act]:
    """Yield the party ``by`` and the asset's id; then print the asset's ``rows`` (rights, liens or reports)."""
    actor, identifier = acting_on(ledger, by, asset)
    yield actor, identifier
    emit_rows(rows(ledger, identifier), as_json, title)
