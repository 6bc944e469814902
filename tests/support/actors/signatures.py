"""Whose word a signed statement is, as the ledger's register of keys has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.installation.wiring import Ledger
from ledger.parties.statements import signed_by


def is_word_of(ledger: Ledger, party: str, entry: Mapping[str, Any]) -> bool:
    """Whether a key by which the party speaks signed the entry."""
    with ledger.database.read() as session:
        return signed_by(session, entry, party)
