"""Collects calls and event queries as of one block, and sends them to the node together.

Each method returns a function that returns the answer. When the first answer is needed, all calls collected so far are
sent in one request. So any number of calls needs only one request, unless a call depends on the answer to an earlier
call.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import interface_of
from ledger.chain.rpc.answers import Block, block_of, log_query, octets
from ledger.chain.rpc.connection import call_parameters
from ledger.chain.sending.client import ChainClient
from ledger.errors import ChainUnavailable

BlockTag = int | str


class BatchedCalls:
    """Collects calls as of one block.

    The methods only collect calls. The functions that they return ask the node and may raise ``ChainUnavailable``.
    """

    def __init__(self, client: ChainClient, block: BlockTag) -> None:
        self._client = client
        self._block = block
        self._places: dict[str, int] = {}
        self._calls: list[tuple[str, list[Any]]] = []
        self._answers: list[Any] = []

    def read(self, contract: str, function: str, *args: Any) -> Callable[[], list[Any]]:
        """Read the return values of a view function."""
        face, address = interface_of(contract), self._client.address_of(contract)
        result = self._ask("eth_call", call_parameters(address, face.encode_call(function, args), self._block))

        def answer() -> list[Any]:
            data = result()
            with self._reading(f"{contract}.{function}"):
                return face.decode_result(function, octets(data))

        return answer

    def number(self, contract: str, function: str, *args: Any) -> Callable[[], int]:
        """Read the return value of a view function that returns one integer."""
        answer = self.read(contract, function, *args)
        return lambda: int(answer()[0])

    def head(self, contract: str) -> Callable[[], str]:
        """Read a contract's head, the running digest of all its events, 64 hex digits."""
        answer = self.read(contract, "head")
        return lambda: str(answer()[0])

    def block(self, number: int) -> Callable[[], Block | None]:
        """Read the header of the block with this number; the answer is None if the chain is shorter."""
        result = self._ask("eth_getBlockByNumber", [hex(number), False])

        def answer() -> Block | None:
            raw = result()
            with self._reading("eth_getBlockByNumber"):
                return block_of(raw, number)

        return answer

    def events(self, contract: str, name: str, first: int, last: int, **indexed: int) -> Callable[[], list[Event]]:
        """Read the events with one name of a contract, in order, from block ``first`` to block ``last`` (both
        included).

        ``indexed`` gives the values that some indexed fields of the event must have.
        """
        topics = interface_of(contract).topics(name, **indexed)
        address = self._client.address_of(contract)
        ranges = self._client.connection.log_range.ranges(first, last)
        pieces = [self._ask("eth_getLogs", [log_query([address], *ends, topics)]) for ends in ranges]

        def answer() -> list[Event]:
            logs = [log for piece in pieces for log in piece()]
            with self._reading("eth_getLogs"):
                return self._client.decoder.decode(logs)

        return answer

    def _reading(self, method: str) -> AbstractContextManager[None]:
        return self._client.connection.reading(method)

    def _ask(self, method: str, parameters: list[Any]) -> Callable[[], Any]:
        place = self._places.setdefault(f"{method} {parameters}", len(self._calls))
        if place == len(self._calls):
            self._calls.append((method, parameters))
        return lambda: self._answer(place)

    def _answer(self, place: int) -> Any:
        if place >= len(self._answers):
            self._answers += self._client.connection.ask_many(self._calls[len(self._answers) :])
        return self._answers[place]


def incomplete(code: str, where: str) -> ChainUnavailable:
    """Return the error for a node whose answer lacks events."""
    return ChainUnavailable(
        code,
        "The events that the node returned do not result in the state that the contract shows.",
        where=where,
        hint="The node has lost or hides events: ask another node.",
    )
