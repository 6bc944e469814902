"""The gas limit of each act, and the reasons for acts that cost more than their limit or more than before."""

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
_REVOKE = "the running head, the party registry, the check that the batch exists (ADR 3)"
# For each act that costs more than its limit: the reason. See docs/adr/0003-what-a-revocation-buys.md.
WHY: Final = {
    "revoke, first of its word": _REVOKE,
    "revoke, later of its word": _REVOKE,
    "offer + accept": "each act asks the party registry, which decides by proposals (ADR 11)",
    "recover account": "three transactions: proposal, confirmation by a second party, execution after a delay (ADR 11)",
}
# The reasons why acts cost more than before. A key of RISES is the beginning of an act's name; the first key that
# matches is used. See docs/adr/0009-keyed-by-what-was-signed.md and docs/adr/0011-two-parties-and-a-delay.md.
_OWN_LOG = "each issuer has its own log, and each event names the issuer, so nobody else can anchor or revoke there"
_PAUSE = "the act reads whether the ledger is paused, which is one more storage slot"
_ACCUSED = "an officer cannot cancel anything while two others have confirmed a measure against it"
_SILENCE = "the registry records since when a party is silent, and which keys can send transactions"
_DISPATCH = "the party registry has more functions (proposals, keys, pauses), so finding the called one costs more"
RISES: Final = {
    "deploy Forwarder": "the origin of the ledger, which is part of the signing domain",
    "deploy PartyRegistry": "proposals, vetoes, reports, pauses: no single key decides; eight founding parties",
    "deploy AssetRegistry": "reassignment of a silent party's assets by two officers; pauses",
    "deploy CertificateLog": "holds are lifted by two parties; withdrawals by a reported key are separate; pauses",
    "deploy all": "proposals, vetoes, reports, pauses, reassignment",
    "anchor, size 8192, each": _OWN_LOG,
    "anchor": _PAUSE,
    "revoke 1000 of 8192 at random, each": _OWN_LOG,
    "use 100": "each consumer has a counter for each request, so nobody else can spend its uses",
    "use, later under its request, signed": "others can pay, because the contract checks the consumer's signature",
    "withdraw a statement, signed with P-256": "keys of phones and browsers work; P-256 is computed in Solidity here",
    "withdraw a statement": "the log keeps withdrawals by a reported key separately",
    "register": _PAUSE,
    "confirm an office": _ACCUSED,
    "confirm a date of compromise": _ACCUSED,
    "cancel a proposal": _ACCUSED,
    "confirm": _PAUSE,
    "report a key": _SILENCE,
    "carry out": _SILENCE,
    "offer + accept": _DISPATCH,
    "set": "the officers are counted again, because three must always remain",
    "rotate account": "a new key waits, and every key of the party may veto it",
    "recover account": "two officers and a delay, in which every key of the party may veto",
}
# An act without an entry in `WHY` may cost up to this much more gas than before; `_DISPATCH` has the reason.
DISPATCH_GAS: Final = 600
# Acts that bind a key with a proof of possession. The proof is a signature, so the gas of these acts varies.
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
    """Return by how much gas two measurements of an act may differ: the gas of a signature depends on its bytes.

    The bytes of a signature depend on the time. For a secp256k1 signature the contract tries two keys, and half of the
    signatures need the second key. P-256 is computed in Solidity, and the code skips a step for each pair of zero bits.
    """
    if "P-256" in name:
        return 10_000
    if name.endswith("signed"):
        return 100 if "each" in name else 4_000
    if name in PROVEN:
        return 700 if "each" in name else 4_000
    return 200 if name.endswith("forwarded") else 0


def committed() -> dict[str, dict[str, Any]]:
    """Return the content of contracts/gas.json as it is committed."""
    return dict(json.loads(GAS_FILE.read_text()))


def report(found: dict[str, int], before: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return for each act its gas, its limit, and by how much the gas has risen; and the reason if the gas exceeds the
    limit or has risen.

    ``before`` is the committed table. If an act costs no more than in that table, its recorded rise is kept.
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
    """Return the reason why an act costs more than before; an empty object if there is no reason."""
    given = next((why for prefix, why in RISES.items() if name.startswith(prefix)), None)
    why = given or (_DISPATCH if rise <= DISPATCH_GAS else None)
    return {"why": why} if why else {}
