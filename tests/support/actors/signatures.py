"""Checks whether a party signed a statement: the signing key must be a key of the party in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.installation.wiring import Ledger
from ledger.parties.statements import signed_by


def is_word_of(ledger: Ledger, party: str, entry: Mapping[str, Any]) -> bool:
    """Return whether the entry is signed with an active key of the party."""
    with ledger.database.read() as session:
        return signed_by(session, entry, party)
