"""Reading saved facts (protocol §8): strict, for a check never meets a value of another form than it expects."""

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
    except (BadBundle, ValueError) as error:
        raise BadBundle(
            "FACTS_FORM",
            f"These are no saved facts of {FORMAT}.",
            hint="Save them with `pingzheng facts` while the chain is in reach.",
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
        heads=_made(Heads, facts["heads"], party_registry=_hex32, certificate_log=_hex32),
        logs=_known(facts["logs"], _log, _one, issuer=_number),
        anchors=_known(facts["anchors"], _commitment, _two, issuer=_number, batch=_number),
        status=_known(facts["status"], _history(_status), Position, issuer=_number, batch=_number, index=_number),
        holds=_known(facts["holds"], _history(_hold), _one, statement=_hex32),
        uses=_known(facts["uses"], _history(_use), _two, consumer=_hex32, request=_hex32),
        withdrawals=_known(facts["withdrawals"], _withdrawal, _two, party=_hex32, statement=_hex32),
        accounts=_named(facts["accounts"], _account_name, _account),
        parties=_named(facts["parties"], _hex32, _party),
        assets=_named(facts["assets"], _hex32, _asset),
    )


def _known(
    raw: Any, read: Callable[[Any], Value], key: Callable[..., Any], **names: Callable[[Any], Any]
) -> dict[Any, Value]:
    """A list of objects as a mapping by their ``names``; what stands twice would be known in two ways."""
    found: dict[Any, Value] = {}
    for each in _list(raw):
        members = dict(_object(each))
        if not names.keys() <= members.keys():
            raise ValueError("an item is not named")
        name = key(*(check(members.pop(member)) for member, check in names.items()))
        if name in found:
            raise ValueError("an item stands twice")
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


def _log(raw: Any) -> LogFact:
    return _made(LogFact, raw, newest=_hex32)


def _commitment(raw: Any) -> str:
    return _hex32(_members(raw, "commitment")["commitment"])


def _status(raw: Any) -> StatusFact:
    return _made(StatusFact, raw)


def _hold(raw: Any) -> HoldFact:
    return _made(HoldFact, raw, offices=_offices)


def _offices(raw: Any) -> tuple[str, ...]:
    offices = _texts(raw)
    if not set(offices) <= set(OFFICES):
        raise ValueError("offices are authority and supervisor")
    return offices


def _use(raw: Any) -> UseFact:
    return _made(UseFact, raw)


def _withdrawal(raw: Any) -> WithdrawalFact:
    return _made(WithdrawalFact, raw)


def _account_name(raw: Any) -> str:
    if not _ACCOUNT.fullmatch(_text(raw)):
        raise ValueError("an account is expected")
    return str(raw)


def _account(raw: Any) -> AccountFact:
    return _made(AccountFact, raw, party=_hex32, proposal=_proposal)


def _proposal(raw: Any) -> ProposedKey | None:
    return None if raw is None else _made(ProposedKey, raw)


def _party(raw: Any) -> PartyFact:
    return _made(PartyFact, raw, roles=_texts, accreditations=lambda periods: _named(periods, _text, _period))


def _period(raw: Any) -> tuple[int, int]:
    period = _members(raw, "from", "to")
    return _number(period["from"]), _number(period["to"])


def _asset(raw: Any) -> AssetFact:
    return _made(AssetFact, raw, holders=_holders, liens=_liens, head=_hex32, annulled_ancestor=_ancestor)


def _holders(raw: Any) -> tuple[HolderFact, ...]:
    return tuple(_made(HolderFact, each, party=_hex32) for each in _list(raw))


def _liens(raw: Any) -> tuple[LienFact, ...]:
    return tuple(_made(LienFact, each, creditor=_hex32) for each in _list(raw))


def _ancestor(raw: Any) -> str:
    return "" if raw == "" else _hex32(raw)


def _made(kind: Callable[..., Value], raw: Any, **forms: Callable[[Any], Any]) -> Value:
    """The dataclass from an object of exactly its members; where no form is given, by the type of the member."""
    types = {item.name: str(item.type) for item in fields(kind)}  # type: ignore[arg-type]
    members = _members(raw, *types)
    return kind(**{name: (forms.get(name) or _PLAIN[types[name]])(members[name]) for name in types})


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
        raise ValueError("an integer from 0 is expected")
    return raw


def _hex32(raw: Any) -> str:
    if not _HEX32.fullmatch(_text(raw)):
        raise ValueError("64 lower-case hex digits are expected")
    return str(raw)


_PLAIN: Final[Mapping[str, Callable[[Any], Any]]] = {"int": _number, "str": _text, "bool": _flag}
