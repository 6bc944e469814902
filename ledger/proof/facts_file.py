# SPDX-License-Identifier: Apache-2.0
"""Reads saved facts (protocol §8) and checks the form of every value, so that the verifier can rely on the form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final, TypeVar

from ledger.domain.canonical import parse_json
from ledger.domain.entries import unsupported_protocol
from ledger.errors import BadBundle, InvalidInput
from ledger.proof.bundle import Position, parse_chain
from ledger.proof.facts import (
    FORMAT,
    AccountFact,
    AssetFact,
    Facts,
    Heads,
    HolderFact,
    HoldFact,
    LienFact,
    LogFact,
    PartyFact,
    ProposedKey,
    StatusFact,
    UseFact,
    WithdrawalFact,
)

MAX_FACTS_BYTES: Final = 1024 * 1024
FORMAT_BEFORE: Final = "pingzheng-facts/1"
OFFICES: Final = ("authority", "supervisor")
_HEX32: Final = re.compile(r"[0-9a-f]{64}")
_ACCOUNT: Final = re.compile(r"0x[0-9a-f]{40}")
_CHAIN: Final = ("format", "chain", "block", "heads", "logs", "cosignatures")
_RECORDS: Final = ("anchors", "status", "holds", "uses", "withdrawals", "accounts", "parties", "assets")
Value = TypeVar("Value")


def parse_facts(raw: bytes) -> Facts:
    """Return the facts in a file; raise ``BadBundle``: ``JSON_…``, ``FACTS_FORM`` or ``PROTOCOL_UNSUPPORTED``."""
    try:
        parsed = parse_json(raw, max_bytes=MAX_FACTS_BYTES, max_depth=16)
    except InvalidInput as error:
        raise BadBundle(error.code, error.message, where=error.where, hint="Save the facts again.") from error
    if isinstance(parsed, dict) and parsed.get("format") == FORMAT_BEFORE:
        old = unsupported_protocol("format")
        raise BadBundle(old.code, old.message, where=old.where, hint=old.hint)
    try:
        return _facts(parsed)
    except (BadBundle, ValueError) as error:
        raise BadBundle(
            "FACTS_FORM",
            f"The file does not contain facts in the format {FORMAT}.",
            hint="Save the facts with `pingzheng facts` while the chain can be reached.",
        ) from error


def _facts(raw: Any) -> Facts:
    facts = _members(raw, *_CHAIN, *_RECORDS)
    if facts["format"] != FORMAT or facts["cosignatures"] != []:
        raise ValueError("another format")
    block = _members(facts["block"], "number", "hash", "time")
    return Facts(
        chain=parse_chain(facts["chain"]),
        block=_number(block["number"]),
        block_hash=_hex32(block["hash"]),
        block_time=_number(block["time"]),
        heads=_made(Heads, party_registry=_hex32, certificate_log=_hex32)(facts["heads"]),
        logs=_known(facts["logs"], _made(LogFact, newest=_hex32), _one, issuer=_number),
        anchors=_known(facts["anchors"], _commitment, _two, issuer=_number, batch=_number),
        status=_known(
            facts["status"], _history(_made(StatusFact)), Position, issuer=_number, batch=_number, index=_number
        ),
        holds=_known(facts["holds"], _history(_made(HoldFact, offices=_offices)), _one, statement=_hex32),
        uses=_known(facts["uses"], _history(_made(UseFact)), _two, consumer=_hex32, request=_hex32),
        withdrawals=_known(facts["withdrawals"], _made(WithdrawalFact), _two, party=_hex32, statement=_hex32),
        accounts=_named(facts["accounts"], _account, _made(AccountFact, party=_hex32, proposal=_proposal)),
        parties=_named(facts["parties"], _hex32, _made(PartyFact, roles=_texts, accreditations=_accreditations)),
        assets=_named(
            facts["assets"],
            _hex32,
            _made(AssetFact, holders=_holders, liens=_liens, head=_hex32, annulled_ancestor=_ancestor),
        ),
    )


def _known(
    raw: Any, read: Callable[[Any], Value], key: Callable[..., Any], **names: Callable[[Any], Any]
) -> dict[Any, Value]:
    """Return a list of objects as a map whose keys are the members ``names``; refuse two objects with the same key."""
    found: dict[Any, Value] = {}
    for each in _list(raw):
        members = dict(_object(each))
        if not names.keys() <= members.keys():
            raise ValueError("an item has no name")
        name = key(*(check(members.pop(member)) for member, check in names.items()))
        if name in found:
            raise ValueError("an item is repeated")
        found[name] = read(members)
    return found


def _one(name: Any) -> Any:
    return name


def _two(first: Any, second: Any) -> tuple[Any, Any]:
    return first, second


def _named(raw: Any, name: Callable[[Any], str], read: Callable[[Any], Value]) -> dict[str, Value]:
    return {name(each): read(value) for each, value in _object(raw).items()}


def _history(read: Callable[[Any], Value]) -> Callable[[Any], tuple[Value, ...]]:
    return lambda raw: tuple(read(each) for each in _list(_members(raw, "history")["history"]))


def _commitment(raw: Any) -> str:
    return _hex32(_members(raw, "commitment")["commitment"])


def _offices(raw: Any) -> tuple[str, ...]:
    offices = _texts(raw)
    if not set(offices) <= set(OFFICES):
        raise ValueError("offices are authority and supervisor")
    return offices


def _account(raw: Any) -> str:
    if not _ACCOUNT.fullmatch(_text(raw)):
        raise ValueError("an account is expected")
    return str(raw)


def _proposal(raw: Any) -> ProposedKey | None:
    return None if raw is None else _made(ProposedKey)(raw)


def _accreditations(raw: Any) -> Mapping[str, tuple[int, int]]:
    return _named(raw, _text, _period)


def _period(raw: Any) -> tuple[int, int]:
    period = _members(raw, "from", "to")
    return _number(period["from"]), _number(period["to"])


def _holders(raw: Any) -> tuple[HolderFact, ...]:
    return tuple(map(_made(HolderFact, party=_hex32), _list(raw)))


def _liens(raw: Any) -> tuple[LienFact, ...]:
    return tuple(map(_made(LienFact, creditor=_hex32), _list(raw)))


def _ancestor(raw: Any) -> str:
    return "" if raw == "" else _hex32(raw)


def _made(kind: Callable[..., Value], **forms: Callable[[Any], Any]) -> Callable[[Any], Value]:
    """Return a function that reads a dataclass from an object with exactly the members in ``forms`` and checks each
    member.
    """
    types = {item.name: str(item.type) for item in fields(kind)}  # type: ignore[arg-type]

    def read(raw: Any) -> Value:
        members = _members(raw, *types)
        return kind(**{name: (forms.get(name) or _PLAIN[types[name]])(members[name]) for name in types})

    return read


def _members(raw: Any, *names: str) -> Mapping[str, Any]:
    if _object(raw).keys() != set(names):
        raise ValueError(f"exactly these members are expected: {', '.join(names)}")
    return _object(raw)


def _object(raw: Any) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise ValueError("an object is expected")
    return raw


def _list(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise ValueError("a list is expected")
    return raw


def _texts(raw: Any) -> tuple[str, ...]:
    return tuple(_text(each) for each in _list(raw))


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError("a text is expected")
    return raw


def _flag(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise ValueError("true or false is expected")
    return raw


def _number(raw: Any) -> int:
    if type(raw) is not int or raw < 0:
        raise ValueError("an integer of 0 or more is expected")
    return raw


def _hex32(raw: Any) -> str:
    if not _HEX32.fullmatch(_text(raw)):
        raise ValueError("64 lower-case hex digits are expected")
    return str(raw)


_PLAIN: Final[Mapping[str, Callable[[Any], Any]]] = {"int": _number, "str": _text, "bool": _flag}
