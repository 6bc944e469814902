"""CSV and Parquet files as sources: one subject's rows, read without keeping the others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import date
from os import stat_result
from pathlib import Path
from typing import Any, ClassVar, Final

from ledger.connectors.deadline import Deadline
from ledger.connectors.table import Cells, Unusable, Wanted, places_of
from ledger.connectors.tabular import csv_table
from ledger.domain.days import shanghai_day
from ledger.errors import InvalidInput, Misconfigured

MAX_CSV_BYTES: Final = 256 * 1024 * 1024
MAX_PARQUET_BYTES: Final = 4 * 1024 * 1024 * 1024
# A row group is what is held in memory at a time; writers make them of some 100 MB.
MAX_GROUP_BYTES: Final = 512 * 1024 * 1024
_MEND: Final = "修改文件。Mend the file."
_ROWS_BETWEEN_LOOKS: Final = 1_000


class _File(ABC):
    """A bounded file that must not change while it is read."""

    max_bytes: ClassVar[int]

    def __init__(self, path: Path) -> None:
        self._path = path

    def day(self) -> date:
        return shanghai_day(int(self._state().st_mtime))

    def rows(self, wanted: Wanted, until: Deadline) -> Cells:
        before = self._state()
        yield from self._rows(wanted, until)
        after = self._state()
        if _mark(before) != _mark(after):
            raise Unusable("source_unavailable", f"{self._path.name} changed while it was read")

    @abstractmethod
    def _rows(self, wanted: Wanted, until: Deadline) -> Cells: ...

    def _state(self) -> stat_result:
        if not self._path.is_file():
            raise Misconfigured(
                "SOURCE_FILE_MISSING",
                "没有这个文件。There is no such file.",
                where=str(self._path),
                hint="相对路径从定义文件所在目录算起。A relative path begins at the definition's folder.",
            )
        state = self._path.stat()
        if state.st_size > self.max_bytes:
            raise Misconfigured(
                "SOURCE_FILE_TOO_LARGE",
                f"文件过大。The file is larger than {self.max_bytes} bytes.",
                where=str(self._path),
                hint="改用按主键排序的 Parquet 或数据库。Write it as Parquet, sorted by the key, or use a database.",
            )
        return state

    def _unreadable(self, message: str, hint: str) -> Misconfigured:
        return Misconfigured("SOURCE_FILE_UNREADABLE", f"文件无法读取。{message}", where=str(self._path), hint=hint)


class CsvTable(_File):
    """A UTF-8 CSV file with a header, read line by line."""

    max_bytes = MAX_CSV_BYTES

    def _rows(self, wanted: Wanted, until: Deadline) -> Cells:
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as lines:
                head, rows = csv_table(lines, self._path.name)
                key, places = places_of(head, wanted, self._path.name)
                for number, cells in enumerate(rows):
                    if not number % _ROWS_BETWEEN_LOOKS:
                        until.check()
                    if cells[key] == wanted.value:
                        yield [cells[place] for place in places]
            return
        except InvalidInput as error:
            # Not a wrong question: somebody has to mend the file.
            problem = Misconfigured(error.code, error.message, where=error.where, hint=error.hint or _MEND)
        except UnicodeDecodeError:
            problem = self._unreadable("The file is not UTF-8.", "另存为“CSV UTF-8”。Save it as “CSV UTF-8”.")
        except OSError as error:
            problem = self._unreadable(
                f"The file cannot be read: {error.strerror}.", "检查权限。Check the permissions."
            )
        # Raised out here, so that it does not carry along what the decoder had in hand.
        raise problem


class ParquetTable(_File):
    """A Parquet file: of each row group whose statistics do not rule the subject out, the columns wanted."""

    max_bytes = MAX_PARQUET_BYTES

    def _rows(self, wanted: Wanted, until: Deadline) -> Cells:
        arrow, dataset, fs = _arrow()
        try:
            path, system = str(self._path), fs.LocalFileSystem()
            columns = list(dict.fromkeys([wanted.key_column, *wanted.columns]))
            whole = dataset.ParquetFileFormat().make_fragment(path, system)
            texts = self._checked_texts(arrow, whole.physical_schema, wanted, columns)
            # Left as a group's dictionary has them: a few bytes say a text of megabytes a million times over.
            packed = dataset.ParquetFileFormat(dictionary_columns=texts).make_fragment(path, system)
            theirs = dataset.field(wanted.key_column) == arrow.scalar(wanted.value)
            # Of dictionaries the statistics are not looked at.
            for group in whole.split_by_row_group(theirs, whole.physical_schema):
                (known,) = group.row_groups
                self._require_bounded(known.total_byte_size)
                rows = packed.subset(row_group_ids=[known.id])
                for batch in rows.to_batches(columns=columns, filter=theirs, use_threads=False):
                    until.check()
                    yield from _cells(arrow, batch, wanted)
            return
        except (arrow.ArrowException, OSError):
            problem = self._unreadable("This is no Parquet file that can be read.", "重新导出。Write it again.")
        raise problem

    def _checked_texts(self, arrow: Any, schema: Any, wanted: Wanted, columns: Sequence[str]) -> list[str]:
        """Those of the columns that hold texts or bytes of any length; raises where one can hold no cell."""
        places_of(schema.names, wanted, self._path.name)
        kinds = {name: schema.field(name).type for name in columns}
        self._require_text(arrow, kinds[wanted.key_column], wanted.key_column)
        for name, kind in kinds.items():
            # They can be as long, and have no dictionary.
            if arrow.types.is_nested(kind) or arrow.types.is_fixed_size_binary(kind):
                raise Unusable("data_unusable", name)
        return [name for name, kind in kinds.items() if _is_bytes(arrow, kind)]

    def _require_bounded(self, size: int) -> None:
        if size > MAX_GROUP_BYTES:
            raise Misconfigured(
                "SOURCE_FILE_TOO_LARGE",
                f"行组过大。A row group of the file holds more than {MAX_GROUP_BYTES} bytes.",
                where=str(self._path),
                hint="减小行组并按主键排序。Write it in smaller row groups, sorted by the key.",
            )

    def _require_text(self, arrow: Any, kind: Any, column: str) -> None:
        if arrow.types.is_dictionary(kind):
            kind = kind.value_type
        if not any(is_text(kind) for is_text in (arrow.types.is_string, arrow.types.is_large_string)):
            raise Misconfigured(
                "SOURCE_KEY_NOT_TEXT",
                f"主键列“{column}”不是文本。The key column {column} holds no text.",
                where=str(self._path),
                hint="按文本写入，以免丢失前导零。Write it as text: a number loses leading zeros.",
            )


def _is_bytes(arrow: Any, kind: Any) -> bool:
    types = arrow.types
    return any(fits(kind) for fits in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary))


def _cells(arrow: Any, batch: Any, wanted: Wanted) -> Iterator[list[object]]:
    columns = {name: _values(arrow, batch.column(name), name) for name in wanted.columns}
    for row in range(batch.num_rows):
        yield [values[row] for values in columns.values()]


def _values(arrow: Any, column: Any, name: str) -> list[object]:
    values: list[object] | None = None
    try:
        if arrow.types.is_dictionary(column.type):
            # One text for all the rows that say it.
            used = column.indices.unique().drop_null()
            texts = dict(zip(used.to_pylist(), column.dictionary.take(used).to_pylist(), strict=True))
            values = [texts.get(place) for place in column.indices.to_pylist()]
        elif arrow.types.is_float32(column.type):
            # Widened to 64 bits, 0.1 would become 0.10000000149011612.
            values = [None if digits is None else float(digits) for digits in column.cast(arrow.string()).to_pylist()]
        else:
            values = column.to_pylist()
    except (ValueError, OverflowError):
        # Text that is not UTF-8, a year that Python does not know.
        pass
    if values is None:
        raise Unusable("data_unusable", name)
    return values


def _arrow() -> tuple[Any, Any, Any]:
    try:
        import pyarrow
        from pyarrow import dataset, fs
    except ImportError:
        pyarrow = None
    if pyarrow is None:
        raise Misconfigured(
            "SOURCE_DRIVER_MISSING",
            "读取 Parquet 需要 pyarrow。Parquet files need the package pyarrow.",
            hint="pip install 'pingzheng[connectors]'",
        )
    return pyarrow, dataset, fs


def _mark(state: stat_result) -> tuple[int, int, int]:
    return state.st_ino, state.st_size, state.st_mtime_ns
