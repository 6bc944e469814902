"""Files with many signed statements: JSON Lines, or a table (CSV, Excel or Parquet) with JSON in its cells.

A line of a JSON Lines file has the form of an item of a batch, or the form of a file that a command ``draft`` writes. A
table has a column for each member of an item. A Parquet file also has the column ``kind``, which names the kind of the
item in each row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ledger.connectors.deadline import Deadline, TimeIsUp
from ledger.connectors.file_tables import ParquetApart
from ledger.connectors.source import PARQUET_NAMES
from ledger.connectors.table import Unusable, Wanted
from ledger.connectors.tables import read_table
from ledger.domain.canonical import parse_json
from ledger.errors import InvalidInput
from ledger.usage.batches.kinds import Item

MAX_LINE_BYTES: Final = 256 * 1024
_LINES: Final = (".jsonl", ".ndjson")
_PARQUET_SECONDS: Final = 120
# For each kind: the members of an item. The first member is required.
MEMBERS: Final = {
    "requests": ("statement", "note"),
    "authorizations": ("statements",),
    "provisions": ("statement", "disclosures", "withdrawal", "withdrawn"),
    "certificates": ("request",),
}
# Members whose cells contain text, not JSON.
_TEXTS: Final = ("request", "withdrawal")


def lines_in(path: Path, kind: str) -> Iterator[tuple[int, Item | InvalidInput]]:
    """Yield the number of each line that is not empty, with the item of the line, or with an error if the line contains
    no item.

    A JSON Lines file may have any size, because it is read line by line. Raises the errors of ``read_table`` and
    ``ParquetApart``, and ``InvalidInput`` ``FILE_MISSING``, ``FILE_UNUSABLE``.
    """
    if not path.is_file():
        raise InvalidInput("FILE_MISSING", "The file does not exist.", where=str(path))
    suffix = path.suffix.lower()
    rows: Iterator[tuple[int, bytes | Mapping[str, str]]]
    rows = _json_lines(path) if suffix in _LINES else _parquet(path, kind) if suffix in PARQUET_NAMES else _rows(path)
    for number, row in rows:
        try:
            yield number, _item(_parsed(row) if isinstance(row, bytes) else _cells(row, kind), kind)
        except InvalidInput as error:
            yield number, error


def _json_lines(path: Path) -> Iterator[tuple[int, bytes | Mapping[str, str]]]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            whole = line
            while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES + 1)
            if number == 1:
                whole = whole.removeprefix(b"\xef\xbb\xbf")
            if whole.strip():
                yield number, whole


def _rows(path: Path) -> Iterator[tuple[int, bytes | Mapping[str, str]]]:
    table = read_table(path)
    yield from zip(table.lines, table.rows, strict=True)


def _parquet(path: Path, kind: str) -> Iterator[tuple[int, bytes | Mapping[str, str]]]:
    wanted = Wanted("kind", kind, MEMBERS[kind])
    try:
        for row in ParquetApart(path).rows(wanted, Deadline(_PARQUET_SECONDS)):
            cells = (cell if isinstance(cell, str) else "" for cell in row.cells)
            yield int(row.place.rpartition(" ")[2]), dict(zip(wanted.columns, cells, strict=True))
    except (Unusable, TimeIsUp):
        raise InvalidInput(
            "FILE_UNUSABLE",
            "The file has too many rows, or reading it takes too long.",
            where=str(path),
            hint="Write several files of at most 10,000 rows, or one JSON Lines file.",
        ) from None


def _parsed(line: bytes) -> Any:
    return parse_json(line.strip(), max_bytes=MAX_LINE_BYTES)


def _cells(row: Mapping[str, str], kind: str) -> dict[str, Any]:
    found = {name: row.get(name, "").strip() for name in MEMBERS[kind]}
    return {name: text if name in _TEXTS else _parsed(text.encode()) for name, text in found.items() if text}


def _item(value: Any, kind: str) -> Item:
    """Return the item in a JSON value. If the value has the form of a file that a command writes, it is converted."""
    if isinstance(value, dict):
        entry, drafts = value.get("entry"), value.get("drafts")
        if kind == "requests" and isinstance(entry, dict):
            value = {"statement": entry, "note": value.get("note")}
        if kind == "authorizations" and isinstance(drafts, list) and all(isinstance(each, dict) for each in drafts):
            value = {"statements": [each.get("entry") for each in drafts]}
        if _shaped(value, kind):
            return {name: value.get(name, [] if name == "disclosures" else None) for name in MEMBERS[kind]}
    raise InvalidInput(
        "ITEM_FORM",
        f"The line has no item with the members {', '.join(MEMBERS[kind])}.",
        hint="Write one item on each line, in the form of the API or of the file that the command `draft` writes.",
    )


def _shaped(value: Mapping[str, Any], kind: str) -> bool:
    if kind == "certificates":
        return isinstance(value.get("request"), str)
    if kind == "authorizations":
        statements = value.get("statements")
        return isinstance(statements, list) and bool(statements) and all(isinstance(each, dict) for each in statements)
    if not isinstance(value.get("statement"), dict):
        return False
    if kind == "requests":
        return isinstance(value.get("note"), dict)
    disclosures, withdrawal, withdrawn = (value.get(name) for name in ("disclosures", "withdrawal", "withdrawn"))
    return (
        (disclosures is None or (isinstance(disclosures, list) and all(isinstance(each, str) for each in disclosures)))
        and (withdrawal is None or (isinstance(withdrawal, str) and _is_hex(withdrawal)))
        and (withdrawn is None or isinstance(withdrawn, dict))
    )


def _is_hex(text: str) -> bool:
    return len(text) in (128, 256) and all(digit in "0123456789abcdef" for digit in text)
