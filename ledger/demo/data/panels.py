"""The real panels behind the pilot's subjects: rows by subject, oldest first, with the published numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

from ledger.demo.data.catalogue import Library

PanelRow = Mapping[str, Any]
# The rows of each subject, by its number in the panel.
Panel = Mapping[str, Sequence[PanelRow]]

YOUNG_MEN: Final = "wooldridge/wagepan"
WORKERS: Final = "Ecdat/Wages"
FIRMS: Final = "plm/EmplUK"
# The panel of Cornwell and Rupert has no person numbers: the seven years of a person follow one another.
_YEARS_OF_WORKERS: Final = 7


def read_panels(library: Library, firms: int | None = None) -> dict[str, Panel]:
    """Return the three panels by code: 545 young men, 595 workers, and 140 firms or the first ``firms`` of them."""
    workers = _records(library, WORKERS)
    blocks = [workers[start : start + _YEARS_OF_WORKERS] for start in range(0, len(workers), _YEARS_OF_WORKERS)]
    return {
        YOUNG_MEN: _grouped(_records(library, YOUNG_MEN), "nr"),
        WORKERS: {str(place): rows for place, rows in enumerate(blocks, start=1)},
        FIRMS: dict(islice(_grouped(_records(library, FIRMS), "firm").items(), firms)),
    }


def _records(library: Library, code: str) -> list[PanelRow]:
    records: list[PanelRow] = library.frame(library.data_set(code)).to_dict("records")
    return records


def _grouped(records: Sequence[PanelRow], key: str) -> dict[str, list[PanelRow]]:
    found: dict[str, list[PanelRow]] = {}
    for record in sorted(records, key=lambda row: (row[key], row["year"])):
        found.setdefault(str(int(record[key])), []).append(record)
    return found
