"""The separate process that reads files; ``reader`` starts it as ``python -m ledger.connectors.apart.process
MEMORY``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ledger.connectors.deadline import Deadline, TimeIsUp
from ledger.connectors.parquet import ParquetTable
from ledger.connectors.spreadsheets.xls_book import sheets_of
from ledger.connectors.table import Unusable, Wanted
from ledger.connectors.values import BadValue, as_text
from ledger.errors import PingzhengError

_ROWS_A_LINE: Final = 500


def main() -> None:
    """Answer requests from standard input until standard input is closed."""
    out = sys.stdout.buffer
    limited = False
    while raw := sys.stdin.buffer.readline():
        request = json.loads(raw)
        data = sys.stdin.buffer.read(request["bytes"])
        if not limited:
            _warm(request)
            _limit(int(sys.argv[1]))
            limited = True
        for line in _answer(request, data):
            out.write(json.dumps(line).encode() + b"\n")
        out.flush()


def _warm(request: dict[str, Any]) -> None:
    """Import the libraries before the memory limit is set, so that the limit does not count the memory of the
    libraries.
    """
    with suppress(ImportError):
        import_module("pyarrow.dataset" if request["read"] == "parquet" else "xlrd")


def _limit(memory: int) -> None:
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, OSError, ValueError):
        # This operating system cannot limit the memory of a process. The maximum numbers of rows and cells still apply.
        return


def _answer(request: dict[str, Any], data: bytes) -> Iterator[dict[str, Any]]:
    try:
        yield from sheets_of(data, request["name"]) if request["read"] == "xls" else _parquet(request)
        yield {"end": {}}
    except TimeIsUp:
        yield {"end": {"late": True}}
    except Unusable as error:
        yield {"end": {"unusable": [error.reason, error.where]}}
    except PingzhengError as error:
        members = [type(error).__name__, error.code, error.message, error.where, error.hint, error.details]
        yield {"end": {"error": members}}
    except MemoryError:
        yield {"end": {"memory": True}}


def _parquet(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    wanted = Wanted(request["key_column"], request["value"], tuple(request["columns"]))
    rows: list[tuple[str, list[str | None]]] = []
    for row in ParquetTable(Path(request["path"])).rows(wanted, Deadline(request["seconds"])):
        rows.append((row.place, [_text(cell) for cell in row.cells]))
        if len(rows) >= _ROWS_A_LINE:
            yield {"rows": rows}
            rows = []
    yield {"rows": rows}


def _text(cell: object) -> str | None:
    """Return the cell as text, or None if the cell has no exact text. If a cell without an exact text is needed, the
    source refuses to answer.
    """
    try:
        return as_text(cell)
    except BadValue:
        return None


if __name__ == "__main__":
    main()
