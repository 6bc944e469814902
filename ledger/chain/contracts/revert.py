"""Turns the errors with which contracts refuse a call into errors of ``ledger.errors``.

The error's code is the Solidity error's name in UPPER_SNAKE (``LogNotContiguous`` → ``LOG_NOT_CONTIGUOUS``), and the
error's arguments become ``details``. The error class comes from a table, because the name of a Solidity error does not
show whether, for example, the caller lacked a right or came too late.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from ledger.chain.contracts.abi import Interface, decode_error, json_safe
from ledger.chain.rpc.connection import RpcFault
from ledger.errors import ChainRejected, ChainUnavailable, Conflict, Forbidden, InvalidInput, NotFound, PingzhengError

_ERROR_STRING: Final = bytes.fromhex("08c379a0")
_PANIC: Final = bytes.fromhex("4e487b71")
_WORD_EDGE: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SELECTOR_BYTES: Final = 4
_CLASSES: Final[Mapping[str, type[PingzhengError]]] = {
    "conflict": Conflict,
    "forbidden": Forbidden,
    "invalid": InvalidInput,
    "not_found": NotFound,
    "rejected": ChainRejected,
}


def load_meanings() -> dict[str, dict[str, str]]:
    """Return the table of contract errors, which has the kind, the message and the hint of each error."""
    text = files("ledger.chain.contracts").joinpath("reverts.json").read_text("utf-8")
    return dict(json.loads(text))


class RevertReader:
    """Turns a node's answer to a refused call into an error of ``ledger.errors``."""

    def __init__(self, interfaces: Iterable[Interface]) -> None:
        self._errors = {selector: item for each in interfaces for selector, item in each.errors.items()}
        self._meanings = load_meanings()

    def read(self, fault: RpcFault, *, contract: str | None = None) -> PingzhengError:
        """Return the error to raise if the node refused a call, an estimate or a transaction."""
        if fault.data:
            return self.decode(fault.data, contract=contract)
        if fault.reverted:
            return ChainRejected("REVERTED", "The contract refused without a reason.", where=contract, hint=None)
        return ChainUnavailable(
            "NODE_REFUSED",
            "The node did not accept the transaction.",
            where=contract,
            hint="Check the account's balance and the gas limit, and that the node is in sync.",
            reason=fault.message[:200],
        )

    def decode(self, data: bytes, *, contract: str | None = None) -> PingzhengError:
        """Return the error that the return data of a revert describe, or ChainRejected REVERT_UNKNOWN if the data are
        unknown.
        """
        selector = data[:_SELECTOR_BYTES]
        item = self._errors.get(selector)
        try:
            if item is not None:
                return self._known(item, data, contract)
            if selector == _ERROR_STRING:
                (text,) = decode(["string"], data[_SELECTOR_BYTES:])
                return ChainRejected("REVERTED", f"The contract refused: {text[:200]}", where=contract, hint=None)
            if selector == _PANIC:
                (number,) = decode(["uint256"], data[_SELECTOR_BYTES:])
                return ChainRejected(
                    "CONTRACT_PANIC", "The contract stopped on a failed check.", where=contract, hint=None, panic=number
                )
        except (DecodingError, ValueError):
            pass
        return ChainRejected(
            "REVERT_UNKNOWN",
            "The contract refused the call with an error that this program version does not know.",
            where=contract,
            hint="The contracts may be newer than this program: update the program.",
            data="0x" + data[:256].hex(),
        )

    def _known(self, item: Mapping[str, Any], data: bytes, contract: str | None) -> PingzhengError:
        name = str(item["name"])
        meaning = self._meanings.get(name, {})
        kind = _CLASSES[meaning.get("kind", "rejected")]
        return kind(
            code_of(name),
            meaning.get("message", f"The contract refused: {name}."),
            where=contract,
            hint=meaning.get("hint"),
            **{_detail(key): json_safe(value) for key, value in decode_error(item, data).items()},
        )


def code_of(error_name: str) -> str:
    """Return the code of a Solidity error: ``LogNotContiguous`` → ``LOG_NOT_CONTIGUOUS``."""
    return _WORD_EDGE.sub("_", error_name).upper()


def _detail(argument: str) -> str:
    """Return the name of an argument in snake case (``first_seq``). If the error class has a parameter of this name, an
    underscore is added.
    """
    snake = _WORD_EDGE.sub("_", argument).lower()
    return f"{snake}_" if snake in {"code", "message", "where", "hint"} else snake
