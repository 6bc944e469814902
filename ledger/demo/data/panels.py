"""Reads the published panels from which the pilot's subjects come. A subject's rows are sorted oldest first, and the
values in the rows are not changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

from ledger.demo.data.catalogue import Library

PanelRow = Mapping[str, Any]
# Maps a subject's number in the panel to the subject's rows.
Panel = Mapping[str, Sequence[PanelRow]]

YOUNG_MEN: Final = "wooldridge/wagepan"
WORKERS: Final = "Ecdat/Wages"
FIRMS: Final = "plm/EmplUK"
# In the panel of Cornwell and Rupert, persons have no numbers: rows 1 to 7 are the years of one person, rows 8 to 14
# those of the next, and so on.
_YEARS_OF_WORKERS: Final = 7


def read_panels(library: Library, firms: int | None = None) -> dict[str, Panel]:
    """Return the three panels, keyed by their code: 545 young men, 595 workers, and 140 firms (or only the first
    ``firms``).
    """
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
