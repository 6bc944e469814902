"""The stages that issue a usage certificate. Only this file of the benchmark calls the functions of `ledger.usage` for
these stages.

The time of a stage begins when the signed statements are in memory, and ends when the ledger has answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from bench.measuring.measure import Measured, together
from bench.own.statements import Signed
from ledger.installation.wiring import Ledger

REQUESTS: Final = "record requests"
AUTHORIZATIONS: Final = "record authorizations"
PROVISIONS: Final = "record provisions"
ISSUE: Final = "issue"
ANCHOR: Final = "anchor and confirm"
STAGES: Final = (REQUESTS, AUTHORIZATIONS, PROVISIONS, ISSUE, ANCHOR)
WHOLE: Final = "whole share"
ISSUING: Final = "issue and anchor"
Act = Callable[[Sequence[Signed]], int]


class Stages:
    """Makes anchored certificates from sets of signed statements, stage by stage. Each act returns the gas that it
    used.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._issuer = ledger.actor(ledger.party)
        self.numbers: list[str] = []

    def acts(self) -> dict[str, Act]:
        """Return the act of each stage, in order."""
        return {
            REQUESTS: self._requests,
            AUTHORIZATIONS: self._authorizations,
            PROVISIONS: self._provisions,
            ISSUE: self._issue,
            ANCHOR: self._anchor,
        }

    def _requests(self, items: Sequence[Signed]) -> int:
        self._ledger.usage.requests.submit([item.asked for item in items])
        return 0

    def _authorizations(self, items: Sequence[Signed]) -> int:
        self._ledger.usage.authorizations.submit([item.consent for item in items])
        return 0

    def _provisions(self, items: Sequence[Signed]) -> int:
        self._ledger.usage.provisions.submit([item.supply for item in items])
        return 0

    def _issue(self, items: Sequence[Signed]) -> int:
        issued = self._ledger.usage.issuance.issue(self._issuer, [item.request for item in items])
        self.numbers = [row.certificate_no for row in issued]
        return 0

    def _anchor(self, _items: Sequence[Signed]) -> int:
        return self._ledger.anchoring.flush().gas


def new_measurements(node: str, set_size: int) -> dict[str, Measured]:
    """Return a new measurement without items for each stage."""
    return {name: Measured(name, node, set_size) for name in STAGES}


def measure(stages: Stages, items: Sequence[Signed], found: dict[str, Measured]) -> None:
    """Take one set through all stages, and add each stage's time to ``found``."""
    for name, act in stages.acts().items():
        with found[name].timed():
            found[name].gas += act(items)
        found[name].count += len(items)


def sums(found: dict[str, Measured]) -> list[Measured]:
    """Return the measurements of each stage, then of issuing (issue and anchor), then of all stages together."""
    parts = [found[name] for name in STAGES]
    return [*parts, together(ISSUING, parts[3:]), together(WHOLE, parts)]
