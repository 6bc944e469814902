"""The form in which a signed answer is submitted, alone or in a file, and the platform's receipt for such a file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ledger.domain.canonical import canonical, parse_json
from ledger.domain.entries import statement_digest
from ledger.proof.sdjwt import MAX_DISCLOSURE_BYTES, MAX_DISCLOSURES
from ledger.provider.reading import HEX32, Reading
from ledger.provider.task import MAX_DEPTH, MAX_LIST_BYTES, MAX_TASKS, Entry

FORMAT: Final = "pingzheng-answers/1"
RECEIPT_FORMAT: Final = "pingzheng-receipt/1"
_ACT: Final = re.compile(r"[0-9a-f]{128}([0-9a-f]{128})?")
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_READ: Final = Reading("ANSWERS_FORM", "Ask the provider for the answers again.")
_RECEIPT: Final = Reading("RECEIPT_FORM", "Ask the platform for the receipt again.")


@dataclass(frozen=True)
class Supply:
    """A signed provision with its disclosures, which are left out of ``repr()`` because they hold the claims.

    A correction also withdraws the old provision: ``withdrawn`` is the signed entry, and ``withdrawal`` the signature
    for the chain (``sign_act``), unless the provider's key is an SM2 key. If the source refused, ``where`` is its
    message for the source's operator; this message is neither stored nor submitted.
    """

    entry: Entry
    disclosures: tuple[str, ...] = field(default=(), repr=False)
    withdrawal: bytes | None = None
    withdrawn: Entry | None = None
    where: str = field(default="", compare=False)

    @cached_property
    def digest(self) -> str:
        """The statement digest of the provision, 64 hex digits."""
        return statement_digest(self.entry)

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as a JSON value."""
        return {
            "statement": self.entry,
            "disclosures": list(self.disclosures),
            "withdrawal": None if self.withdrawal is None else self.withdrawal.hex(),
            "withdrawn": self.withdrawn,
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """Which answers (statement digests) the platform received, and which answers it refused, with the code of each
    refusal.
    """

    received: frozenset[str]
    refused: dict[str, str]

    def to_bytes(self) -> bytes:
        """Return the content of the receipt file, canonical JSON."""
        content = {"format": RECEIPT_FORMAT, "received": sorted(self.received), "refused": self.refused}
        return canonical(content) + b"\n"


def answers_to_bytes(supplies: Iterable[Supply]) -> bytes:
    """Return the content of a file of answers, canonical JSON. The file contains claims about subjects."""
    return canonical({"format": FORMAT, "answers": [supply.to_dict() for supply in supplies]}) + b"\n"


def parse_answers(raw: bytes) -> tuple[Supply, ...]:
    """Return the answers in a file's bytes.

    Raises ``InvalidInput`` ``JSON_…``, ``ANSWERS_FORM``, and the errors of ``validate_entry``.
    """
    parsed = parse_json(raw, max_bytes=MAX_LIST_BYTES, max_depth=MAX_DEPTH)
    members = _READ.members(parsed, "answers", "format", "answers")
    if members["format"] != FORMAT:
        raise _READ.bad("format", f"Only {FORMAT} is supported.")
    return _READ.each(members["answers"], "answers", MAX_TASKS, supply_of)


def supply_of(raw: Any, where: str = "answer") -> Supply:
    """Return the answer from a JSON value; raises the errors of ``parse_answers``."""
    members = _READ.members(raw, where, "statement", "disclosures", "withdrawal", "withdrawn")
    act, withdrawn = members["withdrawal"], members["withdrawn"]
    return Supply(
        entry=_READ.entry(members["statement"], "provision", f"{where}.statement"),
        disclosures=_READ.each(members["disclosures"], f"{where}.disclosures", MAX_DISCLOSURES, _disclosure),
        withdrawal=None if act is None else bytes.fromhex(_READ.matching(act, _ACT, f"{where}.withdrawal")),
        withdrawn=None if withdrawn is None else _READ.entry(withdrawn, "withdrawal", f"{where}.withdrawn"),
    )


def parse_receipt(raw: bytes) -> Receipt:
    """Return the receipt in a file's bytes; raises ``InvalidInput`` ``JSON_…``, ``RECEIPT_FORM``."""
    parsed = parse_json(raw, max_bytes=MAX_LIST_BYTES, max_depth=4)
    members = _RECEIPT.members(parsed, "receipt", "format", "received", "refused")
    if members["format"] != RECEIPT_FORMAT:
        raise _RECEIPT.bad("format", f"Only {RECEIPT_FORMAT} is supported.")
    received = _RECEIPT.each(members["received"], "received", MAX_TASKS, _digest)
    if not isinstance(members["refused"], dict) or len(members["refused"]) > MAX_TASKS:
        raise _RECEIPT.bad("refused", f"An object of at most {MAX_TASKS} codes is expected.")
    refused = {
        _digest(digest, "refused"): _RECEIPT.matching(code, _CODE, "refused")
        for digest, code in members["refused"].items()
    }
    return Receipt(frozenset(received), refused)


def _digest(raw: Any, where: str) -> str:
    return _RECEIPT.matching(raw, HEX32, where)


def _disclosure(raw: Any, where: str) -> str:
    return _READ.text(raw, where, MAX_DISCLOSURE_BYTES * 2)
