"""A scenario definition as loaded from its file, and copies with one changed member."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

DEFINITION: dict[str, Any] = {
    "code": "S01",
    "version": 2,
    "guide_version": 3,
    "standing": "documented",
    "title": {"zh": "电费贷", "en": "Credit on electricity history"},
    "purpose": {"zh": "贷款", "en": "A loan"},
    "basis_note": {"zh": "有公开报道", "en": "Publicly reported"},
    "request_note": {"zh": "标段编号", "en": "number of the tender section"},
    "domain": "普惠金融",
    "consumer_kinds": ["bank"],
    "subject_kinds": ["enterprise", "public_inst"],
    "legal_basis": "consent",
    "requires_pia": False,
    "payload_mode": "predicate",
    "max_validity_days": 30,
    "max_uses": 3,
    "retention_days": 365,
    "pilot_from": "2026-03-01",
    "pilot_to": "2026-12-31",
    "channels": ["subject_carried", "government_platform"],
    "price": {"use": "industry", "unit": "call", "cap": 500, "amount": 200},
    "grade": "general_3",
    "sources": [
        {"name": "electricity", "title": {"zh": "用电", "en": "Electricity"}, "provider_kinds": ["utility"]},
        {"name": "tax", "title": {"zh": "税务", "en": "Tax"}, "provider_kinds": ["gov_dept", "public_inst"]},
    ],
    "fields": [
        {
            "name": "subject_name",
            "title": {"zh": "名称", "en": "Name"},
            "source": "electricity",
            "type": "text",
            "rule": {"op": "attribute", "of": "name"},
        },
        {
            "name": "months_covered",
            "title": {"zh": "月数", "en": "Months"},
            "source": "electricity",
            "type": "integer",
            "rule": {"op": "count_distinct", "column": "month"},
        },
        {
            "name": "usage",
            "title": {"zh": "用电量", "en": "Use"},
            "source": "electricity",
            "type": "band",
            "rule": {"op": "band", "column": "kwh", "order": "month", "edges": ["10", "20"]},
        },
        {
            "name": "owes",
            "title": {"zh": "欠税", "en": "Owes tax"},
            "source": "tax",
            "type": "boolean",
            "rule": {
                "op": "latest_in",
                "column": "owes",
                "order": "month",
                "choices": ["yes", "no"],
                "wanted": ["yes"],
            },
        },
    ],
    "rights_duties": {"subject": ["be_informed"], "provider": ["correct_errors"], "consumer": ["delete_it", "tell"]},
}
Path = tuple[str | int, ...]
GONE = object()


def changed(path: Path, value: Any) -> dict[str, Any]:
    """Return the definition with one member replaced, or without the member if ``value`` is ``GONE``."""
    definition = deepcopy(DEFINITION)
    parent: Any = definition
    for step in path[:-1]:
        parent = parent[step]
    if value is GONE:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return definition
