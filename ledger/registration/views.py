"""Registrations as JSON, from the store and from the chain."""

from __future__ import annotations

from typing import Any

from ledger.chain.reading.contract_state import AssetRecord
from ledger.registration.descriptions import Filed

APPLICATION = ("number", "kind", "applicant", "agent", "content", "ruleset", "notice_from", "notice_to", "created_at")


def application_view(row: Filed) -> dict[str, Any]:
    """Return the public members of an application as JSON."""
    return {name: getattr(row, name) for name in APPLICATION}


def asset_view(asset: AssetRecord | None) -> dict[str, Any]:
    """Return as JSON what the chain records about an asset; an asset that is not on the chain yet has the state
    ``submitted``.
    """
    if asset is None:
        return dict.fromkeys(("stage", "kind", "grade", "holder", "valid_to", "offer", "until")) | {
            "state": "submitted",
            "cleared": False,
            "frozen": False,
            "objections": 0,
            "liens": 0,
        }
    return {
        "state": asset.state,
        "kind": asset.kind,
        "stage": asset.stage,
        "grade": asset.grade,
        "cleared": asset.cleared,
        "frozen": asset.frozen,
        "objections": asset.objections,
        "liens": len(asset.liens),
        "holder": asset.holder,
        "valid_to": asset.valid_to or None,
        "until": asset.until or None,
        "offer": None if asset.offered_to is None else {"to": asset.offered_to, "deadline": asset.until},
    }
