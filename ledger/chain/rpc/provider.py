"""Encodes and decodes JSON-RPC with web3, over a transport that limits the time and size of each request.

Other modules import this module only when they use it, because web3 takes a second to load.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint

from ledger.chain.rpc.node_failures import NodeFailures
from ledger.chain.rpc.transport import AddressUnusable, Transport, TransportFailure
from ledger.domain.canonical import require_shallow
from ledger.errors import InvalidInput

# The maximum number of lists and objects in an answer. This limits the memory: an empty list takes two bytes in JSON,
# but about a hundred bytes in Python.
_MAX_CONTAINERS: Final = 500_000
_MAX_DEPTH: Final = 64
_BATCH: Final = "batch"
_NOTHING: Final = object()


class NodeProvider(JSONBaseProvider):
    """Sends requests and returns their decoded answers, after checking that each answer belongs to its call.

    Raises ``ChainUnavailable``, ``Misconfigured`` ``RPC_URL_INVALID``, and ``TooMuch``.
    """

    def __init__(self, transport: Transport, failures: NodeFailures) -> None:
        super().__init__()
        self._transport = transport
        self._failures = failures

    def make_request(self, method: str, params: Any, seconds: float = 0) -> Any:
        """Return the answer to one call: an object with a result or an error."""
        asked = self.encode_rpc_request(RPCEndpoint(method), params)
        answer = self._exchanged(method, asked, seconds)
        return self._failures.numbered(method, answer, json.loads(asked)["id"])

    def make_batch_request(self, requests: Sequence[tuple[str, Any]], seconds: float = 0) -> list[Any]:
        """Return the answers to many calls, in the order of the calls."""
        asked = self.encode_batch_rpc_request([(RPCEndpoint(method), params) for method, params in requests])
        answers = self._exchanged(_BATCH, asked, seconds)
        return self._failures.in_order(answers, [call["id"] for call in json.loads(asked)])

    def _exchanged(self, method: str, asked: bytes, seconds: float) -> Any:
        """Send a request and return the JSON value of its answer."""
        if seconds <= 0:
            raise self._failures.silent(method, "timeout")
        try:
            # Batches, and calls whose names begin with `eth_`, may be sent twice. A call that only test nodes offer may
            # not be sent twice, because it can change the chain.
            again = method == _BATCH or method.startswith("eth_")
            answer = self._transport.post(asked, seconds=seconds, again=again)
        except TransportFailure as failure:
            raise self._failures.of_transport(method, failure.reason, batched=method == _BATCH) from failure
        except AddressUnusable:
            raise self._failures.address() from None
        parsed = self._decoded(answer.body)
        self._failures.check_status(method, answer, parsed)
        if parsed is _NOTHING:
            raise self._failures.invalid(method, "JSON is expected")
        return parsed

    def _decoded(self, body: bytes) -> Any:
        """Return the JSON value of a body. Return ``_NOTHING`` if the body is not JSON, or has too many or too deep
        lists and objects.
        """
        if body.count(b"[") + body.count(b"{") > _MAX_CONTAINERS:
            return _NOTHING
        try:
            require_shallow(body, _MAX_DEPTH)
            return self.decode_rpc_response(body)
        except (InvalidInput, ValueError, RecursionError):
            return _NOTHING
