"""One sample rule for each ``op``. The rules are for rows with the columns month, kwh, paid, state, score, opened,
digest, note.
"""

from __future__ import annotations

from typing import Any

DIGEST = "sha-256:" + "0123456789abcdef" * 4
EDGES = ["1000", "10000", "50000.5"]
SPAN = {"order": "month", "unit": "month"}
LAST = SPAN | {"last": 3}
YES = {"choices": ["yes", "no"], "wanted": ["yes"]}
KWH = {"column": "kwh", "order": "month"}
RULES: dict[str, dict[str, Any]] = {
    "attribute": {"of": "name"},
    "count_distinct": {"column": "month"},
    "trend": KWH | {"flat_percent": 5},
    "band": KWH | {"edges": EDGES},
    "at_least": KWH | {"threshold": "95"},
    "latest": {"column": "state", "order": "month", "choices": ["good", "mended", "bad"]},
    "latest_in": {"column": "paid", "order": "month", **YES},
    "score": {"column": "score", "order": "month", "top": 100},
    "digest": {"column": "digest", "order": "month"},
    "text": {"column": "note", "order": "month"},
    "age": {"since": "opened", **SPAN},
    "last_period": SPAN,
    "continuous": SPAN | {"at_least": 3},
    "periods": LAST,
    "first_period": LAST,
    "total_band": {"column": "kwh", **LAST, "edges": EDGES},
    "any_in": {"column": "paid", **LAST, **YES},
    "worst": {"column": "state", **LAST, "choices": ["good", "mended", "bad"]},
    "share_percent": {"column": "paid", **LAST, **YES},
    "share_at_least": {"column": "paid", **LAST, **YES, "percent": 67},
    "series": {"column": "kwh", **LAST},
    "index_series": {"column": "kwh", **LAST},
}
RULES = {op: {"op": op, **members} for op, members in RULES.items()}
