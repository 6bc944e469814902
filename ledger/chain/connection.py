"""JSON-RPC to one node, with every failure turned into our own errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import requests

from ledger.errors import ChainUnavailable

REQUEST_TIMEOUT_SECONDS: Final = 30
_POOL_SIZE: Final = 16
_CALLS_PER_REQUEST: Final = 100
_HINT: Final = "Start the node (the local one runs while `pingzheng serve` does), or check the configured address."


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header as far as the ledger needs it; ``time`` is seconds UTC, hashes are 64 hex digits."""

    number: int
    hash: str
    parent: str
    time: int
    base_fee: int | None
    gas_limit: int


class RpcFault(Exception):
    """The node answered with an error. ``data`` holds what a reverted call returned. Never leaves this package."""

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        message = str(error.get("message", ""))
        super().__init__(f"{method}: {message}")
        self.method = method
        self.message = message
        self.data = _revert_data(error.get("data"))

    @property
    def reverted(self) -> bool:
        return bool(self.data) or "revert" in self.message.lower()


class Connection:
    """One node. The constructor does no network; connections are pooled and may be used by many threads."""

    def __init__(self, url: str, *, timeout: float = REQUEST_TIMEOUT_SECONDS) -> None:
        self.url = url
        self._timeout = timeout

    @cached_property
    def _provider(self) -> Any:
        # Not above: it takes a second to load, and many commands ask no node.
        from web3 import HTTPProvider

        session = requests.Session()
        # The node is named by configuration; a proxy from the environment must not stand between.
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=_POOL_SIZE))
        arguments = {"timeout": self._timeout}
        return HTTPProvider(self.url, request_kwargs=arguments, session=session, exception_retry_configuration=None)

    def request(self, method: str, *params: Any) -> Any:
        """The result of one call.

        Raises ChainUnavailable CHAIN_UNREACHABLE when no node answers, and RpcFault when it answers with an error.
        """
        with self._reaching(method):
            answer: Any = self._provider.make_request(method, list(params))
        if not isinstance(answer, dict):
            raise RpcFault(method, {"message": "The answer is no object."})
        if "error" in answer:
            error_field = answer["error"]
            raise RpcFault(method, dict(error_field) if isinstance(error_field, dict) else {"message": error_field})
        return answer.get("result")

    @contextmanager
    def _reaching(self, method: str) -> Iterator[None]:
        try:
            yield
        # The last one where web3 puts into order what is no answer at all.
        except (requests.RequestException, OSError, ValueError, AttributeError) as error:
            raise ChainUnavailable(
                "CHAIN_UNREACHABLE", "No node answers.", where=self.url, hint=_HINT, call=method
            ) from error

    def ask(self, method: str, *params: Any) -> Any:
        """As ``request``, for calls that a healthy node does not refuse: raises ChainUnavailable NODE_REFUSED."""
        try:
            return self.request(method, *params)
        except RpcFault as fault:
            raise ChainUnavailable(
                "NODE_REFUSED",
                f"The node refused {method}.",
                where=self.url,
                hint="Check that the node is in sync and serves this call.",
                reason=fault.message[:200],
            ) from fault

    def ask_many(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """The results of many calls in order, a bounded number to a request."""
        results: list[Any] = []
        for start in range(0, len(calls), _CALLS_PER_REQUEST):
            results += self._ask_batch(calls[start : start + _CALLS_PER_REQUEST])
        return results

    def _ask_batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        with self._reaching("batch"):
            answers: Any = self._provider.make_batch_request(calls)
        whole = isinstance(answers, list) and all(map(_is_result, answers))
        if not whole or len({answer.get("id") for answer in answers}) != len(calls):
            raise ChainUnavailable(
                "NODE_REFUSED",
                "The node refused a batch of calls.",
                where=self.url,
                hint="Check that the node is in sync and serves batched calls.",
            )
        return [answer["result"] for answer in answers]

    def chain_id(self) -> int:
        return int(self.ask("eth_chainId"), 16)

    def block_number(self) -> int:
        return int(self.ask("eth_blockNumber"), 16)

    def block(self, number: int | str = "latest") -> Block | None:
        """A block by number or tag, or None where the chain has none yet."""
        return block_of(self.ask("eth_getBlockByNumber", block_tag(number), False))

    def blocks(self, numbers: Sequence[int]) -> list[Block | None]:
        """Many blocks in the order asked for."""
        found = self.ask_many([("eth_getBlockByNumber", [hex(number), False]) for number in numbers])
        return [block_of(raw) for raw in found]

    def call_many(self, calls: Sequence[tuple[str, bytes]], *, block: int | str = "latest") -> list[bytes]:
        """Many view calls (address, call data) in the order asked for; raises ChainUnavailable if one reverts."""
        found = self.ask_many([("eth_call", call_parameters(to, data, block)) for to, data in calls])
        return [unhex(result) for result in found]

    def code(self, address: str) -> bytes:
        return unhex(self.ask("eth_getCode", address, "latest"))

    def transaction_count(self, address: str) -> int:
        return int(self.ask("eth_getTransactionCount", address, "pending"), 16)

    def balance(self, address: str) -> int:
        """What an account has to pay for gas with, in wei."""
        return int(self.ask("eth_getBalance", address, "latest"), 16)

    def gas_price(self) -> int:
        return int(self.ask("eth_gasPrice"), 16)

    def call(self, to: str, data: bytes, *, sender: str | None = None, block: int | str = "latest") -> bytes:
        """What a call would return. Raises RpcFault on a revert."""
        return unhex(self.request("eth_call", _transaction(to, data, sender), block_tag(block)))

    def estimate_gas(self, to: str | None, data: bytes, *, sender: str) -> int:
        """Raises RpcFault on a revert."""
        return int(self.request("eth_estimateGas", _transaction(to, data, sender)), 16)

    def send_raw(self, transaction: bytes) -> str:
        """Hand a signed transaction over; returns its hash. Raises RpcFault where the node refuses it."""
        return bare(self.request("eth_sendRawTransaction", "0x" + transaction.hex()))

    def receipt(self, tx_hash: str) -> dict[str, Any] | None:
        result = self.ask("eth_getTransactionReceipt", "0x" + tx_hash)
        return None if result is None else dict(result)

    def transaction(self, tx_hash: str) -> dict[str, Any] | None:
        """A transaction that the node knows, mined or waiting, or None."""
        result = self.ask("eth_getTransactionByHash", "0x" + tx_hash)
        return None if result is None else dict(result)

    def logs(
        self, addresses: Sequence[str], first: int, last: int, topics: Sequence[str | None] = ()
    ) -> list[dict[str, Any]]:
        """All logs of the addresses in blocks ``first`` to ``last``, both included, that match the topics given."""
        return [dict(log) for log in self.ask("eth_getLogs", log_query(addresses, first, last, topics))]


def _is_result(answer: object) -> bool:
    return isinstance(answer, dict) and "result" in answer


def block_of(raw: Any) -> Block | None:
    """A block from a node's answer, None where it has none."""
    if raw is None:
        return None
    base_fee = raw.get("baseFeePerGas")
    return Block(
        number=int(raw["number"], 16),
        hash=bare(raw["hash"]),
        parent=bare(raw["parentHash"]),
        time=int(raw["timestamp"], 16),
        base_fee=None if base_fee is None else int(base_fee, 16),
        gas_limit=int(raw["gasLimit"], 16),
    )


def bare(value: str) -> str:
    """Hex digits without ``0x``, lower case."""
    return value.removeprefix("0x").lower()


def unhex(value: str) -> bytes:
    return bytes.fromhex(value.removeprefix("0x"))


def block_tag(block: int | str) -> str:
    return hex(block) if isinstance(block, int) else block


def call_parameters(to: str, data: bytes, block: int | str) -> list[Any]:
    """The parameters of an ``eth_call`` as of a block."""
    return [_transaction(to, data, None), block_tag(block)]


def log_query(addresses: Sequence[str], first: int, last: int, topics: Sequence[str | None]) -> dict[str, Any]:
    """The parameter of an ``eth_getLogs`` over blocks ``first`` to ``last``, both included."""
    return {"address": list(addresses), "fromBlock": hex(first), "toBlock": hex(last), "topics": list(topics)}


def _transaction(to: str | None, data: bytes, sender: str | None) -> dict[str, str]:
    transaction = {"data": "0x" + data.hex()}
    if to is not None:
        transaction["to"] = to
    if sender is not None:
        transaction["from"] = sender
    return transaction


def _revert_data(data: Any) -> bytes:
    """Nodes disagree where a revert's return data stands: a string, or an object with ``data`` or ``result``."""
    if isinstance(data, dict):
        data = data.get("data") or data.get("result")
    if not isinstance(data, str):
        return b""
    try:
        return unhex(data.removeprefix("Reverted ").strip())
    except ValueError:
        return b""
