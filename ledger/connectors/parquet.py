"""Reads the wanted columns of a Parquet file, and only those row groups that may contain the subject's rows."""

from __future__ import annotations

import os
import struct
from typing import Any, Final

from ledger.connectors.apart.parquet_batches import Batches, RowGroup, is_text, kinds_of, value_type
from ledger.connectors.deadline import Deadline
from ledger.connectors.files import FileTable
from ledger.connectors.keys import KeyColumn, variants
from ledger.connectors.table import FoundRow, FoundRows, Unusable, Wanted, empty_source, places_of
from ledger.errors import Misconfigured

MAX_PARQUET_BYTES: Final = 4 * 1024 * 1024 * 1024
# The maximum size of a row group, in bytes. It limits the memory, because one row group at a time is in memory. Most
# programs write smaller row groups, of about 100 MB.
MAX_GROUP_BYTES: Final = 512 * 1024 * 1024
# Limits for the footer, which stands at the end of the file and describes it. The library creates objects for
# everything in the footer, so a huge footer could fill the memory.
MAX_FOOTER_BYTES: Final = 16 * 1024 * 1024
MAX_GROUPS: Final = 10_000
MAX_COLUMNS: Final = 4_096
SMALLER_GROUPS: Final = "请减小行组，并按主键排序后重写文件。Write the file in smaller row groups, sorted by the key."
_MAGIC: Final = b"PAR1"
_THRIFT_STRINGS: Final = MAX_FOOTER_BYTES
_THRIFT_ITEMS: Final = 1_000_000
# Texts of ``NO_KEYS`` and empty formulas can begin with these characters, which sort among the digits and letters of
# keys. If one of them lies between the smallest and the largest key of a row group, the group may contain such a text.
_NO_KEYS_BEGIN: Final = ("=", "\\", "`", "D", "N", "d", "n")


class ParquetTable(FileTable):
    """A Parquet file, read in this process. ``ParquetApart`` reads a Parquet file in a separate process."""

    max_bytes = MAX_PARQUET_BYTES

    def _rows(self, wanted: Wanted, until: Deadline) -> FoundRows:
        arrow, dataset, fs = _arrow()
        self._require_small_footer()
        try:
            path, system = str(self._path), fs.LocalFileSystem()
            limits = dataset.ParquetFragmentScanOptions(
                thrift_string_size_limit=_THRIFT_STRINGS, thrift_container_size_limit=_THRIFT_ITEMS, pre_buffer=False
            )
            whole = dataset.ParquetFileFormat(default_fragment_scan_options=limits).make_fragment(path, system)
            self._require_few(whole.metadata)
            self._require_cells(arrow, whole.physical_schema, wanted)
            kinds = kinds_of(arrow, whole)
            # In a dictionary-encoded column, a few bytes can repeat a text of megabytes a million times. So the columns
            # stay dictionary-encoded in memory, where the unpacked texts might not fit.
            packed = dataset.ParquetFileFormat(
                default_fragment_scan_options=limits,
                dictionary_columns=[name for name, kind in kinds.items() if arrow.types.is_dictionary(kind)],
            ).make_fragment(path, system)
            reading = Batches(arrow, packed, arrow.schema(kinds.items()), until)
            yield from self._found(arrow, dataset, whole, reading, wanted)
            return
        except MemoryError:
            # If memory runs out, Arrow raises an error that is both a MemoryError and an ArrowException. It is raised
            # again here, because the next clause would report a damaged file.
            raise
        except (arrow.ArrowException, OSError):
            problem = self._damaged()
        raise problem

    def _damaged(self) -> Misconfigured:
        return self._unreadable("The file is not a readable Parquet file.", "请重新导出文件。Export the file again.")

    def _found(self, arrow: Any, dataset: Any, whole: Any, reading: Batches, wanted: Wanted) -> FoundRows:
        """Yield the subject's rows. Only those row groups are read whose statistics show that they may contain a form
        of the key.

        The key columns of the other row groups are also read if a row in them may have no key, or if no row of the
        subject was found.
        """
        key = KeyColumn(wanted, str(self._path))
        chosen = _chosen(arrow, dataset, whole, wanted) if key.checked or _is_plain(arrow, whole, wanted) else None
        found, left, start = False, [], 0
        for fragment in whole.split_by_row_group():
            (known,) = fragment.row_groups
            group = RowGroup(known.id, start, known.num_rows, known.total_byte_size)
            start += group.rows
            all_columns = chosen is None or group.number in chosen
            if all_columns or _could_lack_keys(whole.metadata.row_group(group.number), wanted.key_column):
                for row in self._of_group(group, reading, wanted, key, all_columns=all_columns):
                    found = True
                    yield row
            else:
                left.append(group)
        for group in left if key.checked and not found else ():
            for row in self._of_group(group, reading, wanted, key, all_columns=False):
                found = True
                yield row
        if not key.any_row and not any(group.rows for group in left):
            raise empty_source(str(self._path))
        key.conclude(found=found)

    def _of_group(
        self, group: RowGroup, reading: Batches, wanted: Wanted, key: KeyColumn, *, all_columns: bool
    ) -> FoundRows:
        """Yield the subject's rows in one row group. If ``all_columns`` is false, only the key column is read until a
        row is found.

        Raises ``SOURCE_KEY_DAMAGED`` if a row has content but no key.
        """
        self._require_bounded(group.size)
        nobodys: list[int] = []
        start = group.start
        for batch in reading.batches(group.number, (wanted.key_column, *(wanted.columns if all_columns else ()))):
            theirs, unnamed = reading.sorted_out(batch, wanted, key, start)
            nobodys += (start + row for row in unnamed.to_pylist())
            if len(theirs) and not all_columns:
                yield from self._of_group(group, reading, wanted, key, all_columns=True)
                return
            rows = reading.cells(batch.take(theirs), wanted) if len(theirs) else ()
            for row, cells in zip(theirs.to_pylist(), rows, strict=True):
                yield FoundRow(f"{self._path.name}, row {start + row + 1}", cells)
            start += batch.num_rows
        if nobodys and (row := reading.first_filled(group, nobodys, wanted.key_column)) is not None:
            raise key.missing(row + 1)

    def _require_small_footer(self) -> None:
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 8))
                end = file.read(8)
        except OSError:
            end = b""
        if len(end) < 8 or not end.endswith(_MAGIC):
            raise self._damaged()
        if struct.unpack("<I", end[:4])[0] > min(MAX_FOOTER_BYTES, size):
            raise self._too_large(
                "Parquet 文件尾超过大小上限。The footer of the file is larger than", MAX_FOOTER_BYTES, "bytes"
            )

    def _require_few(self, metadata: Any) -> None:
        if metadata.num_row_groups > MAX_GROUPS:
            raise self._too_large("行组数超过上限。The file has more row groups than", MAX_GROUPS, "")
        if metadata.num_columns > MAX_COLUMNS:
            raise self._too_large("列数超过上限。The file has more columns than", MAX_COLUMNS, "")

    def _require_bounded(self, size: int) -> None:
        if size > MAX_GROUP_BYTES or size < 0:
            raise self._too_large(
                "有行组超过大小上限。A row group of the file holds more than", MAX_GROUP_BYTES, "bytes"
            )

    def _too_large(self, message: str, bound: int, unit: str) -> Misconfigured:
        return Misconfigured(
            "SOURCE_FILE_TOO_LARGE",
            f"{message} {bound} {unit}".rstrip() + ".",
            where=str(self._path),
            hint=SMALLER_GROUPS,
        )

    def _require_cells(self, arrow: Any, schema: Any, wanted: Wanted) -> None:
        """Raise if a wanted column is missing, or if its type cannot be read as cells."""
        places_of(schema.names, wanted, self._path.name)
        kinds = {name: value_type(arrow, schema.field(name).type) for name in (wanted.key_column, *wanted.columns)}
        self._require_text(arrow, kinds[wanted.key_column], wanted.key_column)
        for name, kind in kinds.items():
            # Nested values, and binary values of a fixed length, are refused: they can be as long as texts, but are
            # never dictionary-encoded, so they could fill the memory.
            if arrow.types.is_nested(kind) or arrow.types.is_fixed_size_binary(kind):
                raise Unusable("data_unusable", name)

    def _require_text(self, arrow: Any, kind: Any, column: str) -> None:
        if not is_text(arrow, kind):
            raise Misconfigured(
                "SOURCE_KEY_NOT_TEXT",
                f"主键列“{column}”不是文本。The key column {column} does not hold text.",
                where=str(self._path),
                hint="请按文本写入该列：数字会丢失前导零。Write the column as text: numbers lose leading zeros.",
            )


def _chosen(arrow: Any, dataset: Any, whole: Any, wanted: Wanted) -> set[int]:
    """Return the numbers of the row groups that may contain a form of the key, according to their statistics."""
    forms = [wanted.value, *variants(wanted.value)]
    if not _is_plain(arrow, whole, wanted):
        # The library uses the statistics only if the key column has a text type. Otherwise all row groups are returned.
        return {group.row_groups[0].id for group in whole.split_by_row_group()}
    theirs = dataset.field(wanted.key_column).isin(forms)
    plain = arrow.schema([(wanted.key_column, arrow.string())])
    return {group.row_groups[0].id for group in whole.split_by_row_group(theirs, plain)}


def _is_plain(arrow: Any, whole: Any, wanted: Wanted) -> bool:
    return bool(whole.physical_schema.field(wanted.key_column).type == arrow.string())


def _could_lack_keys(group: Any, key_column: str) -> bool:
    """Return whether a row of the group may have no key, according to the statistics of the key column."""
    columns = [group.column(place) for place in range(group.num_columns)]
    known = [column.statistics for column in columns if column.path_in_schema == key_column]
    if len(known) != 1 or known[0] is None:
        return True
    (statistics,) = known
    try:
        if not statistics.has_null_count or statistics.null_count or not statistics.has_min_max:
            return True
        low, high = statistics.min, statistics.max
    except UnicodeDecodeError:
        return True
    if not isinstance(low, str) or not isinstance(high, str):
        return True
    return low < "0" or high >= "\x7f" or any(low <= f"{sign}\U0010ffff" and sign <= high for sign in _NO_KEYS_BEGIN)


def _arrow() -> tuple[Any, Any, Any]:
    try:
        import pyarrow
        from pyarrow import dataset, fs
    except ImportError:
        pyarrow = None
    if pyarrow is None:
        raise Misconfigured(
            "SOURCE_DRIVER_MISSING",
            "读取 Parquet 文件需要 pyarrow 包。Reading Parquet files needs the package pyarrow.",
            hint="pip install 'pingzheng[connectors]'",
        )
    return pyarrow, dataset, fs
