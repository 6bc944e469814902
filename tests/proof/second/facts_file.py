"""§8: the form in which a facts file gives accounts and withdrawals."""

from __future__ import annotations

from typing import Any

from tests.proof.second.bundle import natural
from tests.proof.second.forms import exactly, hex_32, null_or
from tests.proof.second.notation import Json, Refused, read_json


def text(value: Any) -> bool:
    """A key may be any text: what is no key verifies no signature (§4)."""
    return isinstance(value, str)


TIMES = dict.fromkeys(("valid_from", "valid_to", "reported_at", "compromised_at"), natural)
# Who bound an account is shown to people. No check asks for it, so a verifier looks at its form alone.
PROPOSAL = exactly(dict.fromkeys(("by", "confirmed_by", "at"), natural))
ACCOUNT = exactly(TIMES | {"party": hex_32, "proposal": null_or(PROPOSAL), "key": text})
WITHDRAWAL = exactly({"party": hex_32, "statement": hex_32, "at": natural, "reported_at": natural})


def well_formed(raw: bytes) -> bool:
    """Of a facts file only its JSON, its accounts, and its withdrawals: each is known in one way."""
    try:
        facts: Json = read_json(raw)
    except Refused:
        return False
    accounts, withdrawals = facts["accounts"], facts["withdrawals"]
    return (
        isinstance(accounts, dict)
        and all(map(ACCOUNT, accounts.values()))
        and isinstance(withdrawals, list)
        and all(map(WITHDRAWAL, withdrawals))
        and len({(each["party"], each["statement"]) for each in withdrawals}) == len(withdrawals)
    )
