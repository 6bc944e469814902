"""Onboards parties in sets, and registers assets in sets, from the application to the anchored certificate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from bench.measuring.measure import Measured, together
from bench.own.cast import HOLDER, REGISTRAR, Cast
from ledger.domain.resource import DataResource, ResourceField
from ledger.installation.wiring import Ledger
from ledger.parties.newcomers import NewParty

ONBOARD: Final = "onboard parties"
ASSET: Final = "asset, from submission to certificate"
STEPS: Final = ("submit and register", "accept", "review", "notice", "confirm and certify", "anchor certificates")


def onboard(ledger: Ledger, newcomers: Sequence[NewParty], node: str, set_size: int) -> tuple[Measured, list[str]]:
    """Onboard parties in sets, and return the measurement and the party ids. The proofs of the parties were made before
    the measurement.
    """
    measured, ids = Measured(ONBOARD, node, set_size), list[str]()
    for start in range(0, len(newcomers), set_size):
        batch = newcomers[start : start + set_size]
        with measured.timed():
            rows = ledger.parties.onboarding.onboard(ledger.authority, batch)
        ids += [row.id for row in rows]
        measured.count += len(batch)
    return measured, ids


def resources(prefix: str, count: int) -> list[DataResource]:
    """Return ``count`` data resources whose contents differ."""
    fields = (ResourceField("month", "date"), ResourceField("kwh", "decimal"))
    return [
        DataResource(
            code=f"{prefix}/{number}",
            title=f"Bench resource {number}",
            package="bench",
            rows=12,
            columns=2,
            fields=fields,
            content_digest=f"sha-256:{hashlib.sha256(f'{prefix} {number}'.encode()).hexdigest()}",
        )
        for number in range(count)
    ]


def register(ledger: Ledger, cast: Cast, count: int, node: str, skip: Callable[[int], None]) -> list[Measured]:
    """Register ``count`` resources in one set. Return a measurement of each step, and then one of all steps together.

    ``skip`` moves the clocks of ledger and chain forward by a number of seconds, so the public notice takes no time.
    """
    registration = ledger.registration
    holder, registrar = ledger.actor(cast.ids[HOLDER]), ledger.actor(cast.ids[REGISTRAR])
    found = {name: Measured(name, node, count, count) for name in STEPS}
    with found[STEPS[0]].timed():
        intake = registration.registrations.submit(holder, resources("bench", count))
        if intake.refused:
            raise intake.refused[0].error
        assets = list(intake.accepted)
        found[STEPS[0]].gas += registration.registrations.register(assets)
    for name, act in zip(
        STEPS[1:4], (registration.review.accept, registration.review.review, registration.review.notice), strict=True
    ):
        with found[name].timed():
            found[name].gas += act(registrar, assets)
    ends = [asset.until for asset in ledger.reader.assets(assets) if asset is not None]
    skip(max(ends) + 1 - ledger.clock())
    with found[STEPS[4]].timed():
        found[STEPS[4]].gas += registration.review.confirm(registrar, assets)
    with found[STEPS[5]].timed():
        found[STEPS[5]].gas += ledger.anchoring.flush().gas
    parts = [found[name] for name in STEPS]
    return [*parts, together(ASSET, parts)]
