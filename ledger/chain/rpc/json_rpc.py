"""Makes JSON-RPC calls to one node: single calls, batches and ranges of logs, with limits on time and size."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from ledger.chain.rpc.answers import Malformed, log_query, logs_of, quantity
from ledger.chain.rpc.loading import loading
from ledger.chain.rpc.node_failures import NodeFailures, RpcFault, TooMuch
from ledger.chain.rpc.portion import Portion
from ledger.chain.rpc.transport import MAX_ANSWER_BYTES, Transport
from ledger.errors import ChainUnavailable

if TYPE_CHECKING:
    from ledger.chain.rpc.provider import NodeProvider

READ_SECONDS: Final = 10
# Time limits for a node's answer, in seconds. The limit for a sent transaction is longer, because some nodes run a
# transaction before they accept it.
SEND_SECONDS: Final = 30
LOG_RANGE_BLOCKS: Final = 5_000
_CALLS_PER_REQUEST: Final = 100
_SENDING: Final = frozenset({"eth_estimateGas", "eth_sendRawTransaction"})
_AFTER_TIMEOUT: Final = 8
_METHOD_MISSING: Final = -32601

RpcCall = tuple[str, list[Any]]


class Rpc:
    """Makes calls to one node. The constructor sends nothing; connections are pooled and may be used by many threads.

    ``timeout`` limits the total time of a read, in seconds. ``send_timeout`` limits the total time for estimating gas
    or sending a transaction. Every method raises ``ChainUnavailable``: ``CHAIN_UNREACHABLE`` if no node answers in
    time, ``NODE_ANSWER_INVALID`` if an answer does not have the form that the call returns, ``NODE_ACCESS_DENIED``,
    ``NODE_RATE_LIMITED`` and ``NODE_REFUSED``; and ``Misconfigured`` ``RPC_URL_INVALID``.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = READ_SECONDS,
        send_timeout: float | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self.url = url
        self.send_timeout = SEND_SECONDS / READ_SECONDS * timeout if send_timeout is None else send_timeout
        self.log_range = Portion(LOG_RANGE_BLOCKS)
        self.timeout = timeout
        self._batch = Portion(_CALLS_PER_REQUEST)
        self._transport = Transport(url, max_bytes=max_bytes)
        # The node's address for errors and logs. The parts that may be secret are left out.
        self.where = self._transport.where
        self._failures = NodeFailures(self.where)

    @cached_property
    def _provider(self) -> NodeProvider:
        with loading():
            # web3 is imported here, because loading it takes a second and many commands need no node.
            from ledger.chain.rpc.provider import NodeProvider

        return NodeProvider(self._transport, self._failures)

    @contextmanager
    def reading(self, method: str) -> Iterator[None]:
        """If reading an answer fails in the block of code, raise ChainUnavailable NODE_ANSWER_INVALID instead."""
        try:
            yield
        except (ValueError, LookupError, OverflowError) as error:
            expected = str(error) if isinstance(error, Malformed) else "an answer of our contracts is expected"
            raise self._failures.invalid(method, expected) from error

    def request(self, method: str, *params: Any) -> Any:
        """Return the result of one call; raise RpcFault if the node answers with an error."""
        try:
            return self._one(method, list(params))
        except TooMuch as refusal:
            raise self._failures.too_much(method, refusal) from refusal

    def ask(self, method: str, *params: Any) -> Any:
        """Return the result of a call that a healthy node never refuses.

        Raises ChainUnavailable NODE_REFUSED if the node refuses the call.
        """
        try:
            return self.request(method, *params)
        except RpcFault as fault:
            raise self._failures.refused(fault) from fault

    def ask_many(self, calls: Sequence[RpcCall]) -> list[Any]:
        """Return the results of many calls in the order of the calls; each request contains a limited number of calls.

        A range of logs that the node refuses is split into smaller ranges.
        """
        results: list[Any] = []
        while len(results) < len(calls):
            results += self._ask_batch(calls[len(results) : len(results) + self._batch.size])
        return results

    def _ask_batch(self, calls: Sequence[RpcCall]) -> list[Any]:
        if len(calls) == 1:
            return [self._alone(*calls[0])]
        try:
            answers = self._together(calls)
        except ChainUnavailable as error:
            if not _timed_out(error) or not any(method == "eth_getLogs" for method, _ in calls):
                raise
            return self._without_logs(calls)
        except TooMuch:
            return self._in_halves(calls)
        self._batch.answered(len(calls))
        return [self._result(*call, answer) for call, answer in zip(calls, answers, strict=True)]

    def _alone(self, method: str, params: list[Any]) -> Any:
        """Send a single call as a plain request and not as a batch, because some nodes do not support batches."""
        return self._result(method, params, lambda: self._one(method, params))

    def _in_halves(self, calls: Sequence[RpcCall]) -> list[Any]:
        """Send the calls in two halves, because the node refused all of them together."""
        half = (len(calls) + 1) // 2
        answers = self._ask_batch(calls[:half]) + self._ask_batch(calls[half:])
        self._batch.shrink(half)
        return answers

    def _without_logs(self, calls: Sequence[RpcCall]) -> list[Any]:
        """Repeat a batch that timed out. Each range of logs is sent alone, in smaller pieces if needed; all other calls
        are sent together.
        """
        until = time.monotonic() + 2 * self.timeout
        others = iter(self.ask_many([call for call in calls if call[0] != "eth_getLogs"]))
        return [
            self._pieces(params[0], _span(params[0]) // _AFTER_TIMEOUT, until)
            if method == "eth_getLogs"
            else next(others)
            for method, params in calls
        ]

    def _result(self, method: str, params: list[Any], answer: Callable[[], Any]) -> Any:
        if method == "eth_getLogs":
            return self._logs(params[0], first=answer)
        try:
            return answer()
        except RpcFault as fault:
            raise self._failures.refused(fault) from fault
        except TooMuch as refusal:
            raise self._failures.too_much(method, refusal) from refusal

    def _logs(
        self, query: dict[str, Any], until: float | None = None, first: Callable[[], Any] | None = None
    ) -> list[dict[str, Any]]:
        """Return the logs that a query finds. If the node refuses the whole range of blocks, ask for smaller ranges.

        If the answer for the whole range has already arrived, ``first`` returns this answer or raises its error.
        ``until`` is set if the whole range timed out: the answers for all smaller ranges must arrive before that time.
        """
        span = _span(query)
        try:
            raw = first() if first else self._one("eth_getLogs", [query], self._seconds(until))
        except RpcFault as fault:
            if span == 1 or fault.code == _METHOD_MISSING:
                raise self._failures.refused(fault) from fault
            return self._pieces(query, span // 2, until)
        except TooMuch as refusal:
            if span == 1:
                raise self._failures.too_much("eth_getLogs", refusal) from refusal
            return self._pieces(query, span // 2, until)
        except ChainUnavailable as error:
            if span == 1 or until is not None or not _timed_out(error):
                raise
            return self._pieces(query, span // _AFTER_TIMEOUT, time.monotonic() + 2 * self.timeout)
        self.log_range.answered(span)
        with self.reading("eth_getLogs"):
            return logs_of(raw, query)

    def _pieces(self, query: dict[str, Any], size: int, until: float | None) -> list[dict[str, Any]]:
        size = max(size, 1)
        last, found = quantity(query["toBlock"]), list[dict[str, Any]]()
        for start in range(quantity(query["fromBlock"]), last + 1, size):
            ends = {"fromBlock": hex(start), "toBlock": hex(min(start + size - 1, last))}
            found += self._logs({**query, **ends}, until)
        self.log_range.shrink(size)
        return found

    def _seconds(self, until: float | None) -> float:
        return self.timeout if until is None else min(self.timeout, until - time.monotonic())

    def _one(self, method: str, params: list[Any], seconds: float | None = None) -> Any:
        if seconds is None:
            seconds = self.send_timeout if method in _SENDING else self.timeout
        return self._failures.result(method, self._provider.make_request(method, params, seconds))

    def _together(self, calls: Sequence[RpcCall]) -> list[Callable[[], Any]]:
        """Send calls in one request. For each call, return a function that returns the result or raises RpcFault."""
        answers = self._provider.make_batch_request(calls, self.timeout)
        return [
            partial(self._failures.result, method, answer) for (method, _), answer in zip(calls, answers, strict=True)
        ]

    def logs(
        self, addresses: Sequence[str], first: int, last: int, topics: Sequence[str | None] = ()
    ) -> list[dict[str, Any]]:
        """Return all logs that the addresses made in blocks ``first`` to ``last`` (both included) and that match the
        topics.
        """
        pieces = (log_query(addresses, *ends, topics) for ends in self.log_range.ranges(first, last))
        return [log for query in pieces for log in self._logs(query)]


def _span(query: dict[str, Any]) -> int:
    return quantity(query["toBlock"]) - quantity(query["fromBlock"]) + 1


def _timed_out(error: ChainUnavailable) -> bool:
    return error.details.get("reason") == "timeout"
