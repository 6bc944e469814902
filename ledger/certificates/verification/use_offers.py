"""Keep, in memory only, the uses that consumers must still sign. The number of such uses is limited for each consumer.

The presented bundle is never written to disk. After a restart, or in another process, the use is not found, and the
consumer must send the presentation again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from ledger.certificates.verification.uses import UseToSign
from ledger.errors import Conflict

# The maximum number of offers kept for one consumer. A bundle has at most 256 KiB, so the offers of one consumer take
# at most 16 MiB.
MAX_OFFERS: Final = 64
About = TypeVar("About")


@dataclass(frozen=True, slots=True)
class Offer(Generic[About]):
    """A use that the consumer must sign, and the presentation to which it belongs."""

    use: UseToSign
    about: About


class Offers(Generic[About]):
    """Keeps the newest offer for each presentation.

    If a consumer has too many offers, its oldest offer is removed. Thread-safe.
    """

    def __init__(self, most: int = MAX_OFFERS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._offers: dict[str, OrderedDict[str, Offer[About]]] = {}

    def put(self, consumer: str, use: UseToSign, about: About) -> None:
        """Keep an offer. An earlier offer for the same presentation is replaced."""
        with self._lock:
            own = self._offers.setdefault(consumer, OrderedDict())
            own[use.presentation] = Offer(use, about)
            own.move_to_end(use.presentation)
            while len(own) > self._most:
                own.popitem(last=False)

    def get(self, consumer: str, presentation: str) -> Offer[About]:
        """Return the offer for a presentation. Raises ``Conflict`` ``USE_NOT_PROPOSED`` if there is none."""
        with self._lock:
            own = self._offers.get(consumer)
            offer = None if own is None else own.get(presentation)
        if offer is None:
            raise Conflict(
                "USE_NOT_PROPOSED",
                "There is no use to sign here: another process proposed the presentation's use, or the use is too old.",
                where=f"presentation {presentation}",
                hint="Send the presentation again with the same nonce. The answer proposes a new use; sign that use.",
            )
        return offer

    def drop(self, consumer: str, presentation: str) -> None:
        """Remove the offer for a presentation, if there is one."""
        with self._lock:
            own = self._offers.get(consumer)
            if own is not None and own.pop(presentation, None) is not None and not own:
                del self._offers[consumer]
