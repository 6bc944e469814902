"""Issues certificates that can be used several times, and reads their uses from chain, log and installations."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ledger.certificates.verification.seen_certificates import counter_of
from ledger.domain.digests import reference
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_participant
from tests.support.actors.pilots import Pilot
from tests.support.chain.reads import uses_of
from tests.support.places import SCENARIOS

Outcome = tuple[str, int | None]


def recorded(home: Path, number: str) -> tuple[Counter[Outcome], list[tuple[int, str]]]:
    """Return what an installation recorded about a certificate: how often each verification result occurred, and which
    uses were made in other installations.
    """
    with open_participant(Settings(home=home)) as installation:
        assert installation.presentations.pending() == []
        rows = installation.presentations.page(number, None, 1000)
        elsewhere = [(use.ordinal, use.by) for use in installation.presentations.elsewhere(number)]
        return Counter((row.result, row.ordinal if row.result == "valid" else None) for row in rows), elsewhere


def logged(pilot: Pilot, number: str) -> list[dict[str, Any]]:
    """Return the entries in the operator's log that name the certificate: its presentations and uses."""
    certificate = reference(pilot.ledger.usage.holdings.get(number).digest)
    supervisor = pilot.ledger.actor(pilot.cast.supervisor)
    entries = [row["entry"] for row in pilot.ledger.log_entries.page(supervisor, -1, 100_000)]
    return [entry for entry in entries if entry.get("certificate") == certificate]


def uses(pilot: Pilot, number: str) -> int:
    """Return how many uses the chain counts for the request and the consumer of certificate ``number``. The count is
    the sum over all certificates of this request.
    """
    with pilot.ledger.database.read() as session:
        counter = counter_of(session, number)
    assert counter is not None
    consumer, request = counter
    return uses_of(pilot.ledger.reader, pilot.ledger.reader.party_no(consumer), request)


def certificate_of(pilot: Pilot, firm: str, max_uses: int, folder: Path) -> str:
    """Issue a certificate that can be used ``max_uses`` times, under a scenario that allows so many uses."""
    for file in SCENARIOS.glob("*.yaml"):
        definition = yaml.safe_load(file.read_text("utf-8"))
        # The changed scenario gets a new version number, because verifiers refuse rules that differ from the rules of
        # the version that a certificate names.
        changed = definition | {"max_uses": max_uses, "version": 2} if definition["code"] == "S51" else definition
        (folder / file.name).write_text(yaml.safe_dump(changed, allow_unicode=True), "utf-8")
    with pilot.under(scenarios=folder) as other:
        requests = other.actors.ask([replace(other.actors.request(firm), max_uses=max_uses)])
        (row,) = other.actors.agree(requests)
        other.supply(firm, row.id)
        number = other.actors.issue({firm: row.id})[firm]
        other.ledger.anchoring.flush()
    return number
