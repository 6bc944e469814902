"""What a move may cost, and what a rise over the committed figure buys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

PROJECT = Path(__file__).resolve().parents[2]
GAS_FILE: Final = PROJECT / "contracts" / "gas.json"
SIZE_FILE: Final = PROJECT / "contracts" / "size.json"
MAX_RUNTIME_BYTES: Final = 24_576
LIMITS: Final = {
    "anchor, size 1": 75_000,
    "anchor, size 8192": 75_000,
    "revoke, first of its word": 60_000,
    "revoke, later of its word": 45_000,
    "revoke 1000 in a row, each": 3_000,
    "revoke 1000 of 8192 at random, each": 3_000,
    "register one": 120_000,
    "register 100, each": 120_000,
    "offer + accept": 95_000,
    "freeze": 45_000,
    "lien": 75_000,
    "recover account": 90_000,
}
# Above its limit on purpose: what the difference buys. See docs/adr/0003-what-a-revocation-buys.md.
WHY: Final = {
    "revoke, first of its word": "the running head, the party registry and the check that the batch exists: ADR 3",
    "revoke, later of its word": "the running head, the party registry and the check that the batch exists: ADR 3",
    "offer + accept": "each act looks its party up in a registry that decides by proposals: ADR 11",
    "recover account": "three transactions: proposed, confirmed by a second party, carried out after a delay: ADR 11",
}
# What a rise over the committed figure buys; the first prefix that fits. See docs/adr/0009-keyed-by-what-was-signed.md
# and docs/adr/0011-two-parties-and-a-delay.md.
_OWN_LOG = "each issuer has its own log, and each event names its issuer: nobody else can anchor or revoke there"
_PAUSE = "the registry says whether the ledger is paused, which is a slot more"
_ACCUSED = "an officer against whom two others decided cancels nothing meanwhile, so they can appoint another"
_SILENCE = "it is noted since when a party is silent, and which keys can send transactions: these make an officer"
_DISPATCH = "the party registry has proposals, keys and pauses, and looks an act up among more functions"
RISES: Final = {
    "deploy Forwarder": "the origin of the ledger, after which the signing domain is named",
    "deploy PartyRegistry": "proposals, vetoes, reports, pauses: no single key decides; eight founding parties",
    "deploy AssetRegistry": "two officers reassign what a silent party holds; pauses",
    "deploy CertificateLog": "two of an office lift its hold, and a reported key withdraws apart; pauses",
    "deploy all": "proposals, vetoes, reports, pauses, reassignment",
    "anchor, size 8192, each": _OWN_LOG,
    "anchor": _PAUSE,
    "revoke 1000 of 8192 at random, each": _OWN_LOG,
    "use 100": "each consumer has its own counter for each request, a slot each: nobody else can spend its uses",
    "use, later under its request, signed": "others may pay: the contract checks the consumer's signature",
    "withdraw a statement, signed with P-256": "keys of phones and browsers; P-256 is computed in Solidity here",
    "withdraw a statement": "the log keeps withdrawals by a reported key apart from the party's own",
    "register": _PAUSE,
    "confirm an office": _ACCUSED,
    "confirm a date of compromise": _ACCUSED,
    "cancel a proposal": _ACCUSED,
    "confirm": _PAUSE,
    "report a key": _SILENCE,
    "carry out": _SILENCE,
    "offer + accept": _DISPATCH,
    "set": "the officers are counted again: three are always left",
    "rotate account": "a new key waits, and every key that the party had may veto it",
    "recover account": "two officers and a delay, in which every key that the party had may veto",
}
# Anything else may rise by this much, for the reason `_DISPATCH`.
DISPATCH_GAS: Final = 600
# Moves that bind keys with a proof, which is a signature.
PROVEN: Final = {
    "confirm a registration",
    "confirm 100 registrations, each",
    "carry out a further key",
    "carry out a rotation",
    "carry out a recovery",
    "rotate account",
    "recover account",
}


def tolerance(name: str) -> int:
    """How far two measures of a move may lie apart: what a signature costs depends on its bytes, and they on the time.

    The contract tries two keys for a secp256k1 signature, and the second is tried for every other one. P-256 is
    computed in Solidity, where a step is left out for each pair of zero bits.
    """
    if "P-256" in name:
        return 10_000
    if name.endswith("signed"):
        return 100 if "each" in name else 4_000
    if name in PROVEN:
        return 700 if "each" in name else 4_000
    return 200 if name.endswith("forwarded") else 0


def committed() -> dict[str, dict[str, Any]]:
    """The table in the repository."""
    return dict(json.loads(GAS_FILE.read_text()))


def report(found: dict[str, int], before: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The measured gas of each move; its limit, and why it is above that; what it rose from, and what that buys.

    ``before`` is the committed table: a move that costs no more than there keeps the rise that stands there.
    """
    table: dict[str, dict[str, Any]] = {name: {"gas": gas} for name, gas in found.items()}
    for name, limit in LIMITS.items():
        table[name]["limit"] = limit
        if table[name]["gas"] > limit and name in WHY:
            table[name]["why"] = WHY[name]
    for name, row in table.items():
        known = before.get(name, {})
        rise = known.get("rise", {}).get("from", row["gas"])
        start = known["gas"] if row["gas"] > known.get("gas", row["gas"]) + tolerance(name) else rise
        if row["gas"] > start:
            row["rise"] = {"from": start} | _reason(name, row["gas"] - start)
    return table


def _reason(name: str, rise: int) -> dict[str, str]:
    """Why a move costs more; empty if nobody has said."""
    given = next((why for prefix, why in RISES.items() if name.startswith(prefix)), None)
    why = given or (_DISPATCH if rise <= DISPATCH_GAS else None)
    return {"why": why} if why else {}
