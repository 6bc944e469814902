"""Files as sources: what all kinds of files have in common, and CSV files. Only the rows of one subject are kept in
memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from os import stat_result
from pathlib import Path
from typing import ClassVar, Final

from ledger.connectors.deadline import Deadline
from ledger.connectors.encodings import codec_of
from ledger.connectors.keys import KeyColumn, Whose
from ledger.connectors.normal import has_content
from ledger.connectors.table import (
    NO_TEXT,
    FoundRow,
    FoundRows,
    Unusable,
    Wanted,
    empty_source,
    missing_file,
    places_of,
    require_header_first,
)
from ledger.connectors.tabular import cells_of, csv_table, require_commas
from ledger.domain.days import shanghai_day
from ledger.errors import InvalidInput, Misconfigured

MAX_CSV_BYTES: Final = 256 * 1024 * 1024
CORRECT_FILE: Final = "请更正文件。Correct the file."
_ROWS_BETWEEN_LOOKS: Final = 1_000
_CHUNK: Final = 64 * 1024
# If the first line is not the header, the header is searched in the first 20 lines.
HEADER_WITHIN: Final = 20
_MISREAD: Final = ("CSV_HEADER", "CSV_ROW_WIDTH", "SOURCE_COLUMN_MISSING")


class FileTable(ABC):
    """A file that contains a table. Its size is limited, and it must not change while it is read."""

    max_bytes: ClassVar[int]

    def __init__(self, path: Path) -> None:
        self._path = path

    def day(self) -> date:
        return shanghai_day(int(self._state().st_mtime))

    def rows(self, wanted: Wanted, until: Deadline) -> FoundRows:
        before = self._state()
        yield from self._rows(wanted, until)
        after = self._state()
        if _mark(before) != _mark(after):
            raise Unusable("source_unavailable", f"{self._path.name} changed while it was read")

    @abstractmethod
    def _rows(self, wanted: Wanted, until: Deadline) -> FoundRows: ...

    def _state(self) -> stat_result:
        if not self._path.is_file():
            raise missing_file(self._path)
        state = self._path.stat()
        if state.st_size > self.max_bytes:
            raise Misconfigured(
                "SOURCE_FILE_TOO_LARGE",
                f"文件超过大小上限。The file is larger than {self.max_bytes} bytes.",
                where=str(self._path),
                hint="请改用按主键排序的 Parquet 文件，或改用数据库。"
                "Use a Parquet file sorted by the key, or a database.",
            )
        return state

    def _refused(self, error: OSError) -> Misconfigured:
        return self._unreadable(
            f"The file cannot be read: {error.strerror}.", "请检查文件权限。Check the file's permissions."
        )

    def _unreadable(self, message: str, hint: str) -> Misconfigured:
        return Misconfigured("SOURCE_FILE_UNREADABLE", f"文件无法读取。{message}", where=str(self._path), hint=hint)


class CsvTable(FileTable):
    """A CSV file with a header, read line by line."""

    max_bytes = MAX_CSV_BYTES

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        super().__init__(path)
        self._encoding = encoding

    def _rows(self, wanted: Wanted, until: Deadline) -> FoundRows:
        codec = "utf-8"
        try:
            codec = codec_of(self._encoding, partial(self._chunks, until), str(self._path))
            with self._path.open(encoding=codec, newline="") as lines:
                head, rows = csv_table(lines, self._path.name)
                yield from subject_rows(head, rows, wanted, until, self._path.name, "line")
            return
        except (InvalidInput, Misconfigured) as error:
            # The mistake is in the file and not in the query, so the hint says that the file must be corrected.
            hint = error.hint or CORRECT_FILE
            problem = Misconfigured(error.code, error.message, where=error.where, hint=hint, **error.details)
        except UnicodeDecodeError:
            problem = self._unreadable("The file changed while it was read.", "请再试一次。Try again.")
        except OSError as error:
            problem = self._refused(error)
        # The error is raised outside the ``except`` block, so that its context does not contain bytes of the file.
        if problem.code in _MISREAD:
            self._require_header(codec, wanted.key_column)
        raise problem

    def _require_header(self, codec: str, key_column: str) -> None:
        """If the first line does not name the key column, look for the reason. If the reason is found, raise an error
        that states it.
        """
        with self._path.open(encoding=codec, newline="", errors="replace") as file:
            lines = [(number, file.readline(_CHUNK)) for number in range(1, HEADER_WITHIN + 1)]
        first = lines[0][1]
        if key_column in cells_of(first, ","):
            return
        require_commas(first, key_column, self._path.name)
        rows = [(number, cells_of(line, sign)) for number, line in lines for sign in (",", "\t", ";")]
        require_header_first(rows, key_column, self._path.name, "line")

    def _chunks(self, until: Deadline) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                until.check()
                yield chunk


def subject_rows(
    head: Sequence[str],
    rows: Iterable[tuple[int, Sequence[object]]],
    wanted: Wanted,
    until: Deadline,
    where: str,
    unit: str = "row",
) -> FoundRows:
    """Yield the subject's rows of a table. ``rows`` are all rows of the table with their numbers; the key of every row
    is examined.

    If a row has content but no key, raise ``SOURCE_KEY_DAMAGED``, even if the subject has other rows.
    """
    place, places = places_of(head, wanted, where)
    key, some = KeyColumn(wanted, where, unit), False
    for count, (number, cells) in enumerate(rows):
        if not count % _ROWS_BETWEEN_LOOKS:
            until.check()
        whose = key.whose(cells[place], number)
        if whose is Whose.SUBJECTS:
            some = True
            texts = [cells[column] if isinstance(cells[column], str) else NO_TEXT for column in places]
            yield FoundRow(f"{where}, {unit} {number}", texts)
        elif whose is Whose.NOBODYS and any(has_content(cell) for at, cell in enumerate(cells) if at != place):
            raise key.missing(number)
    if not key.any_row:
        raise empty_source(where)
    key.conclude(found=some)


def _mark(state: stat_result) -> tuple[int, int, int]:
    return state.st_ino, state.st_size, state.st_mtime_ns
