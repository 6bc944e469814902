"""Signed statements in the form in which a batch takes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ledger.demo.actors import NOTE
from tests.support.actors.pilots import SUPPLIED, Pilot

Items = list[dict[str, Any]]


def requests_of(pilot: Pilot, count: int) -> Items:
    """Return ``count`` signed requests of the bank, each to a different firm. Nothing is recorded."""
    terms = [pilot.actors.request(pilot.firm()) for _ in range(count)]
    drafts = [pilot.ledger.usage.requests.draft(each, NOTE) for each in terms]
    return [{"statement": pilot.actors.sign(each.entry["consumer"], each.entry), "note": each.note} for each in drafts]


def authorizations_of(pilot: Pilot, requests: list[str]) -> Items:
    """Return an item with the signed authorizations for each request."""
    drafts = [pilot.ledger.usage.authorizations.draft(request) for request in requests]
    return [
        {"statements": [pilot.actors.sign(draft.entry["subject"], draft.entry) for draft in drafted]}
        for drafted in drafts
    ]


def provisions_of(pilot: Pilot, authorizations: list[str]) -> Items:
    """Return an item with the provider's signed answer for each authorization."""
    answers = [pilot.actors.draft(authorization, SUPPLIED) for authorization in authorizations]
    signed = [replace(answer, entry=pilot.actors.sign(answer.entry["provider"], answer.entry)) for answer in answers]
    return [
        {"statement": each.entry, "disclosures": list(each.disclosures), "withdrawal": None, "withdrawn": None}
        for each in signed
    ]


def spoiled(item: dict[str, Any]) -> dict[str, Any]:
    """Return a request whose note is not the note that the consumer signed."""
    return item | {"note": item["note"] | {"business_ref": "another"}}
