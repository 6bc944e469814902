"""Issues many certificates for tests of bulk revocation, and makes the revoking transactions fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ledger.certificates.lookups import payload_of
from ledger.certificates.recording import add_certificate, next_number
from ledger.chain.sending.calls import Call
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.sender import Receipt
from ledger.errors import ChainUnavailable
from tests.support.actors.pilots import Pilot


def many(pilot: Pilot, like: str, count: int) -> list[str]:
    """Issue ``count`` certificates of one issuer, anchored in a separate batch."""
    ledger = pilot.ledger
    ledger.anchoring.flush()
    with ledger.database.write() as session:
        payload, now = payload_of(session, like), ledger.clock()
        numbers = [next_number(session, "440802", "S01", now) for _ in range(count)]
        for number in numbers:
            add_certificate(session, numbered(payload, number), now)
    ledger.anchoring.flush()
    return numbers


def numbered(payload: dict[str, Any], number: str) -> Callable[[int], dict[str, Any]]:
    return lambda seq: payload | {"certificate_no": number, "seq": seq}


@contextmanager
def sending(act: Callable[[int, Callable[..., Receipt]], Callable[..., Receipt]]) -> Iterator[list[int]]:
    """During the block, call ``act`` instead of sending a bulk revocation to the chain. The yielded list gets the
    number of leaves of each bulk revocation.
    """
    original, sizes = ChainClient.send, list[int]()

    def counted(client: ChainClient, call: Call, **options: Any) -> Receipt:
        if call.function != "revokeMany":
            return original(client, call, **options)
        sizes.append(len(call.args[1]))
        return act(len(sizes), original)(client, call)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChainClient, "send", counted)
        yield sizes


def away(*_arguments: Any) -> Receipt:
    raise ChainUnavailable("CHAIN_UNREACHABLE", "The node does not answer.", hint=None)
