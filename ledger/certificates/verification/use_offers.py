"""Uses that were proposed to their consumers and are not signed yet: in memory, a bounded number each, for minutes.

What was presented is kept here alone, never on disk. When it is gone, after a restart or in another process, the
consumer sends the presentation again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from ledger.certificates.verification.uses import UseToSign
from ledger.errors import Conflict

# Of each consumer. A bundle has at most 256 KiB: 16 MiB for a consumer.
MAX_OFFERS: Final = 64
About = TypeVar("About")


@dataclass(frozen=True, slots=True)
class Offer(Generic[About]):
    """A use to sign, and what it is about."""

    use: UseToSign
    about: About


class Offers(Generic[About]):
    """The newest offer of each presentation. Where a consumer has too many, its own oldest one goes. Thread-safe."""

    def __init__(self, most: int = MAX_OFFERS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._offers: dict[str, OrderedDict[str, Offer[About]]] = {}

    def put(self, consumer: str, use: UseToSign, about: About) -> None:
        """Keep an offer in the place of an earlier one of its presentation."""
        with self._lock:
            own = self._offers.setdefault(consumer, OrderedDict())
            own[use.presentation] = Offer(use, about)
            own.move_to_end(use.presentation)
            while len(own) > self._most:
                own.popitem(last=False)

    def get(self, consumer: str, presentation: str) -> Offer[About]:
        """The offer; raises ``Conflict`` ``USE_NOT_PROPOSED``."""
        with self._lock:
            own = self._offers.get(consumer)
            offer = None if own is None else own.get(presentation)
        if offer is None:
            raise Conflict(
                "USE_NOT_PROPOSED",
                "The use of this presentation is not at hand: it was proposed by another process, or too long ago.",
                where=f"presentation {presentation}",
                hint="Send the presentation again with the same nonce, and sign the use that comes back.",
            )
        return offer

    def drop(self, consumer: str, presentation: str) -> None:
        """Forget an offer, if there is one."""
        with self._lock:
            own = self._offers.get(consumer)
            if own is not None and own.pop(presentation, None) is not None and not own:
                del self._offers[consumer]
