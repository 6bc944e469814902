"""Lying nodes: connections to a real node that leave out or change some of its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import CERTIFICATE_LOG, PARTY_REGISTRY, artifact_of, interface_of
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Block, Connection
from ledger.chain.sending.client import ChainClient
from tests.support.chain.deployed import Chain


class HidingConnection(Connection):
    """Removes from each answer the event logs for which ``hidden`` returns true."""

    def __init__(self, url: str, hidden: Callable[[dict[str, Any]], bool]) -> None:
        super().__init__(url)
        self._hidden = hidden

    def ask_many(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answered = zip(calls, super().ask_many(calls), strict=True)
        return [
            [log for log in answer if not self._hidden(log)] if method == "eth_getLogs" else answer
            for (method, _), answer in answered
        ]

    def logs(
        self, addresses: Sequence[str], first: int, last: int, topics: Sequence[str | None] = ()
    ) -> list[dict[str, Any]]:
        return [log for log in super().logs(addresses, first, last, topics) if not self._hidden(log)]


def reader_without(chain: Chain, *events: Event) -> ChainReader:
    """Return a reader whose node hides these events."""
    places = {(event.block_number, event.log_index) for event in events}

    def hidden(log: dict[str, Any]) -> bool:
        return (int(log["blockNumber"], 16), int(log["logIndex"], 16)) in places

    return ChainReader(ChainClient(HidingConnection(chain.node.url, hidden), chain.deployment))


class DatingConnection(Connection):
    """Puts a given time into all events of one name that the certificate log has emitted."""

    def __init__(self, url: str, name: str, time: int) -> None:
        super().__init__(url)
        self._topic = interface_of(CERTIFICATE_LOG).topics(name)[0]
        event = next(item for item in artifact_of(CERTIFICATE_LOG).abi if item.get("name") == name)
        plain = [parameter["name"] for parameter in event["inputs"] if not parameter["indexed"]]
        self._word = plain.index("at")
        self._time = time

    def ask_many(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answered = zip(calls, super().ask_many(calls), strict=True)
        return [
            [self._dated(log) for log in answer] if method == "eth_getLogs" else answer
            for (method, _), answer in answered
        ]

    def _dated(self, log: dict[str, Any]) -> dict[str, Any]:
        if log["topics"][0] != self._topic:
            return log
        start = 2 + 64 * self._word
        data = log["data"]
        return {**log, "data": f"{data[:start]}{self._time:064x}{data[start + 64 :]}"}


class NumberingConnection(Connection):
    """Returns a false number when a party's number is looked up by the party id."""

    def __init__(self, url: str, party: str, number: int) -> None:
        super().__init__(url)
        self._question = "0x" + interface_of(PARTY_REGISTRY).encode_call("partyNoOf", [party]).hex()
        self._answer = f"0x{number:064x}"

    def ask_many(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answered = zip(calls, super().ask_many(calls), strict=True)
        return [
            self._answer if method == "eth_call" and parameters[0]["data"] == self._question else answer
            for (method, parameters), answer in answered
        ]


def reader_numbering(chain: Chain, party: str, number: int) -> ChainReader:
    """Return a reader whose node returns the given false number for the party."""
    return ChainReader(ChainClient(NumberingConnection(chain.node.url, party, number), chain.deployment))


class ReplacingConnection(Connection):
    """Replaces digits in the data of every event."""

    def __init__(self, url: str, old: str, new: str) -> None:
        super().__init__(url)
        self._old, self._new = old, new

    def logs(
        self, addresses: Sequence[str], first: int, last: int, topics: Sequence[str | None] = ()
    ) -> list[dict[str, Any]]:
        found = super().logs(addresses, first, last, topics)
        return [{**log, "data": log["data"].replace(self._old, self._new)} for log in found]


def reader_replacing(chain: Chain, old: str, new: str) -> ChainReader:
    """Return a reader whose node replaces hex digits in the events' data."""
    return ChainReader(ChainClient(ReplacingConnection(chain.node.url, old, new), chain.deployment))


class StuckConnection(Connection):
    """Reports the block ``stuck_at`` as the newest block while ``stuck_at`` is set."""

    stuck_at: int | None = None

    def block(self, number: int | str = "latest") -> Block | None:
        if number == "latest" and self.stuck_at is not None:
            number = self.stuck_at
        return super().block(number)


def reader_dating(chain: Chain, name: str, time: int) -> ChainReader:
    """Return a reader whose node puts the time ``time`` into events of the given name."""
    return ChainReader(ChainClient(DatingConnection(chain.node.url, name, time), chain.deployment))
