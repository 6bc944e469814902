"""Reading saved facts (protocol §8): strict, for a check never meets a value of another type than it expects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
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
Key = TypeVar("Key")
Value = TypeVar("Value")


def parse_facts(raw: bytes) -> Facts:
    """Saved facts; raises ``BadBundle``: ``JSON_…``, ``FACTS_FORM``, or ``PROTOCOL_UNSUPPORTED``."""
    try:
        parsed = parse_json(raw, max_bytes=MAX_FACTS_BYTES, max_depth=16)
    except InvalidInput as error:
        raise BadBundle(error.code, error.message, where=error.where, hint="Save the facts again.") from error
    if isinstance(parsed, dict) and parsed.get("format") == FORMAT_BEFORE:
        old = unsupported_protocol("format")
        raise BadBundle(old.code, old.message, where=old.where, hint=old.hint)
    try:
        return _facts(parsed)
    except (BadBundle, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadBundle(
            "FACTS_FORM",
            f"These are no saved facts of {FORMAT}.",
            hint="Save them with `pingzheng facts` while the chain is in reach.",
        ) from error


def _facts(raw: Any) -> Facts:
    if raw["format"] != FORMAT or raw["cosignatures"] != []:
        raise ValueError("another format")
    return Facts(
        chain=parse_chain(raw["chain"]),
        block=_number(raw["block"]["number"]),
        block_hash=_hex32(raw["block"]["hash"]),
        block_time=_number(raw["block"]["time"]),
        heads=Heads(_hex32(raw["heads"]["party_registry"]), _hex32(raw["heads"]["certificate_log"])),
        logs=_once((_number(log.pop("issuer")), _typed(LogFact(**log))) for log in raw["logs"]),
        anchors=_once(
            ((_number(each["issuer"]), _number(each["batch"])), _hex32(each["commitment"])) for each in raw["anchors"]
        ),
        status=_once((_position(each), _history(each, StatusFact)) for each in raw["status"]),
        holds=_once((_hex32(each["statement"]), _history(each, _hold)) for each in raw["holds"]),
        uses=_once(
            ((_hex32(each["consumer"]), _hex32(each["request"])), _history(each, UseFact)) for each in raw["uses"]
        ),
        withdrawals=_once(
            ((_hex32(each.pop("party")), _hex32(each.pop("statement"))), _withdrawal(each))
            for each in raw["withdrawals"]
        ),
        accounts={account: _account(fact) for account, fact in raw["accounts"].items()},
        parties={party: _party(fact) for party, fact in raw["parties"].items()},
        assets={asset: _asset(fact) for asset, fact in raw["assets"].items()},
    )


def _once(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, Value]:
    """A mapping; what stands twice would be known in two ways."""
    listed = list(pairs)
    found = dict(listed)
    if len(found) != len(listed):
        raise ValueError("an item stands twice")
    return found


def _history(raw: Any, kind: Callable[..., Value]) -> tuple[Value, ...]:
    return tuple(_typed(kind(**each)) for each in raw["history"])


def _position(raw: Any) -> Position:
    return Position(*(_number(raw[name]) for name in ("issuer", "batch", "index")))


def _hold(*, offices: Any, **members: Any) -> HoldFact:
    if not isinstance(offices, list) or not set(offices) <= set(OFFICES):
        raise ValueError("offices are authority and supervisor")
    return HoldFact(tuple(offices), **members)


def _withdrawal(raw: Any) -> WithdrawalFact:
    return WithdrawalFact(**{name: _number(time) for name, time in raw.items()})


def _account(raw: Mapping[str, Any]) -> AccountFact:
    proposal = raw["proposal"]
    if proposal is not None:
        proposal = ProposedKey(**{name: _number(value) for name, value in proposal.items()})
    return _typed(AccountFact(**{**raw, "proposal": proposal}))


def _party(raw: Mapping[str, Any]) -> PartyFact:
    accreditations = {
        scenario: (_number(period["from"]), _number(period["to"])) for scenario, period in raw["accreditations"].items()
    }
    return _typed(PartyFact(raw["no"], raw["status"], tuple(raw["roles"]), accreditations))


def _asset(raw: Mapping[str, Any]) -> AssetFact:
    liens = tuple(_typed(LienFact(**lien)) for lien in raw["liens"])
    holders = tuple(_typed(HolderFact(**holder)) for holder in raw["holders"])
    return _typed(AssetFact(**{**raw, "liens": liens, "holders": holders}))


def _number(raw: Any) -> int:
    if type(raw) is not int or raw < 0:
        raise ValueError("an integer from 0 is expected")
    return raw


def _hex32(raw: Any) -> str:
    if not isinstance(raw, str) or not _HEX32.fullmatch(raw):
        raise ValueError("64 lower-case hex digits are expected")
    return raw


def _typed(value: Value) -> Value:
    """The dataclass, if its numbers are integers and its texts are texts."""
    expected = {"int": int, "str": str, "bool": bool}
    for item in fields(value):  # type: ignore[arg-type]
        kind = expected.get(str(item.type))
        if kind is not None and type(getattr(value, item.name)) is not kind:
            raise ValueError(f"{item.name} is not of its type")
    return value
