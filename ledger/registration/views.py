"""Registrations as they are shown: what the store and the chain say of them, as JSON."""

from __future__ import annotations

from typing import Any

from ledger.chain.reading.contract_state import AssetRecord
from ledger.registration.tables import Application


def application_view(row: Application) -> dict[str, Any]:
    """An application by its public members, as JSON."""
    return {
        "number": row.number,
        "kind": row.kind,
        "applicant": row.applicant,
        "agent": row.agent,
        "content": row.content,
        "ruleset": row.ruleset,
        "notice_from": row.notice_from,
        "notice_to": row.notice_to,
        "created_at": row.created_at,
    }


def asset_view(asset: AssetRecord | None) -> dict[str, Any]:
    """What the chain says of an asset, as JSON; what is not on the chain yet is ``submitted``."""
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
