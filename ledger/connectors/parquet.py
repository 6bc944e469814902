"""Parquet files as sources: of each row group that may hold the subject, the columns wanted."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any, Final

from ledger.connectors.deadline import Deadline
from ledger.connectors.files import FileTable
from ledger.connectors.keys import PLAIN, KeyColumn, variants
from ledger.connectors.table import Cells, Unusable, Wanted, places_of
from ledger.errors import Misconfigured

MAX_PARQUET_BYTES: Final = 4 * 1024 * 1024 * 1024
# A row group is what is held in memory at a time; writers make them of some 100 MB.
MAX_GROUP_BYTES: Final = 512 * 1024 * 1024
# What describes the file, at its end: the library makes objects of all of it.
MAX_FOOTER_BYTES: Final = 16 * 1024 * 1024
MAX_GROUPS: Final = 10_000
MAX_COLUMNS: Final = 4_096
_MAGIC: Final = b"PAR1"
_THRIFT_STRINGS: Final = MAX_FOOTER_BYTES
_THRIFT_ITEMS: Final = 1_000_000
_ROWS_AT_ONCE: Final = 16_384
_HALF: Final = struct.Struct("<e")


class ParquetTable(FileTable):
    """A Parquet file, read in this process; ``apart_tables`` reads it in another one."""

    max_bytes = MAX_PARQUET_BYTES

    def _rows(self, wanted: Wanted, until: Deadline) -> Cells:
        arrow, dataset, fs = _arrow()
        self._require_small_footer()
        try:
            path, system = str(self._path), fs.LocalFileSystem()
            limits = dataset.ParquetFragmentScanOptions(
                thrift_string_size_limit=_THRIFT_STRINGS, thrift_container_size_limit=_THRIFT_ITEMS, pre_buffer=False
            )
            whole = dataset.ParquetFileFormat(default_fragment_scan_options=limits).make_fragment(path, system)
            self._require_few(whole.metadata)
            kinds = self._kinds(arrow, whole.physical_schema, wanted, _delta_encoded(whole.metadata))
            # Left as a group's dictionary has them: a few bytes say a text of megabytes a million times over.
            packed = dataset.ParquetFileFormat(
                default_fragment_scan_options=limits,
                dictionary_columns=[name for name, kind in kinds.items() if arrow.types.is_dictionary(kind)],
            ).make_fragment(path, system)
            reading = _Reading(arrow, packed, arrow.schema(kinds.items()), until)
            yield from self._found(arrow, dataset, whole, reading, wanted)
            return
        except MemoryError:
            # Arrow's own is one too, and would be taken for a damaged file.
            raise
        except (arrow.ArrowException, OSError):
            problem = self._unreadable("This is no Parquet file that can be read.", "重新导出。Write it again.")
        raise problem

    def _found(self, arrow: Any, dataset: Any, whole: Any, reading: _Reading, wanted: Wanted) -> Cells:
        """The subject's rows, of the groups whose statistics do not rule every form of the key out; then, if there are
        none, a look at the key column of the others."""
        key = KeyColumn(wanted, str(self._path))
        groups = whole.split_by_row_group()
        chosen = _chosen(arrow, dataset, whole, wanted) if key.checked or _is_plain(arrow, whole, wanted) else None
        found = False
        for group in groups:
            (known,) = group.row_groups
            if chosen is not None and known.id not in chosen:
                continue
            self._require_bounded(known.total_byte_size)
            for batch in reading.batches(known.id, (wanted.key_column, *wanted.columns)):
                theirs = reading.theirs(batch, wanted, key)
                found = found or bool(len(theirs))
                yield from reading.cells(batch.take(theirs), wanted)
        if found or not key.checked or chosen is None:
            key.conclude(found=found)
            return
        for group in groups:
            (known,) = group.row_groups
            if known.id not in chosen:
                self._require_bounded(known.total_byte_size)
                for batch in reading.batches(known.id, (wanted.key_column,)):
                    reading.theirs(batch, wanted, key)
        key.conclude(found=False)

    def _require_small_footer(self) -> None:
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 8))
                end = file.read(8)
        except OSError:
            end = b""
        if len(end) < 8 or not end.endswith(_MAGIC):
            raise self._unreadable("This is no Parquet file that can be read.", "重新导出。Write it again.")
        if struct.unpack("<I", end[:4])[0] > min(MAX_FOOTER_BYTES, size):
            raise self._too_large("文件说明过大。What describes the file is larger than", MAX_FOOTER_BYTES, "bytes")

    def _require_few(self, metadata: Any) -> None:
        if metadata.num_row_groups > MAX_GROUPS:
            raise self._too_large("行组过多。The file has more row groups than", MAX_GROUPS, "")
        if metadata.num_columns > MAX_COLUMNS:
            raise self._too_large("列过多。The file has more columns than", MAX_COLUMNS, "")

    def _require_bounded(self, size: int) -> None:
        if size > MAX_GROUP_BYTES or size < 0:
            raise self._too_large("行组过大。A row group of the file holds more than", MAX_GROUP_BYTES, "bytes")

    def _too_large(self, message: str, bound: int, unit: str) -> Misconfigured:
        return Misconfigured(
            "SOURCE_FILE_TOO_LARGE",
            f"{message} {bound} {unit}".rstrip() + ".",
            where=str(self._path),
            hint="减小行组并按主键排序。Write it in smaller row groups, sorted by the key.",
        )

    def _kinds(self, arrow: Any, schema: Any, wanted: Wanted, delta: set[str]) -> dict[str, Any]:
        """As what each column is read; raises where one can hold no cell. Of ``delta`` the library makes no
        dictionaries."""
        places_of(schema.names, wanted, self._path.name)
        columns = dict.fromkeys([wanted.key_column, *wanted.columns])
        kinds = {name: _value_type(arrow, schema.field(name).type) for name in columns}
        self._require_text(arrow, kinds[wanted.key_column], wanted.key_column)
        for name, kind in kinds.items():
            # Lists and binaries of a fixed length can be as long, and are never read as dictionaries.
            if arrow.types.is_nested(kind) or arrow.types.is_fixed_size_binary(kind):
                raise Unusable("data_unusable", name)
        return {name: _plain(arrow, kind) if name in delta else _packed(arrow, kind) for name, kind in kinds.items()}

    def _require_text(self, arrow: Any, kind: Any, column: str) -> None:
        if not _is_text(arrow, kind):
            raise Misconfigured(
                "SOURCE_KEY_NOT_TEXT",
                f"主键列“{column}”不是文本。The key column {column} holds no text.",
                where=str(self._path),
                hint="按文本写入，以免丢失前导零。Write it as text: a number loses leading zeros.",
            )


class _Reading:
    """Batches of one file, read as ``schema`` says."""

    def __init__(self, arrow: Any, packed: Any, schema: Any, until: Deadline) -> None:
        self._arrow = arrow
        self._packed = packed
        self._schema = schema
        self._until = until

    def batches(self, group: int, columns: Sequence[str]) -> Iterator[Any]:
        rows = self._packed.subset(row_group_ids=[group])
        names = list(dict.fromkeys(columns))
        for batch in rows.to_batches(
            schema=self._schema,
            columns=names,
            batch_size=_ROWS_AT_ONCE,
            batch_readahead=1,
            fragment_readahead=1,
            use_threads=False,
        ):
            self._until.check()
            yield batch

    def theirs(self, batch: Any, wanted: Wanted, key: KeyColumn) -> Any:
        """The places of the subject's rows in a batch."""
        import pyarrow.compute as compute

        column = batch.column(wanted.key_column)
        if not self._arrow.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        used = column.indices.unique().drop_null()
        texts = column.dictionary.take(used)
        if key.checked:
            # Each distinct value once; those of the usual form and far from the subject's are only sampled.
            near = compute.starts_with(texts, pattern=key.prefix)
            usual = compute.and_not(compute.match_substring_regex(texts, PLAIN), near)
            far = compute.indices_nonzero(usual)
            looked = far[: key.left_to_examine]
            key.pass_over(len(far) - len(looked))
            places = self._arrow.concat_arrays([compute.indices_nonzero(compute.invert(usual)), looked])
        else:
            places = compute.indices_nonzero(compute.equal(texts, wanted.value))
        chosen = zip(used.take(places).to_pylist(), _texts(texts.take(places)), strict=True)
        mine = self._arrow.array([place for place, text in chosen if key.is_theirs(text)], self._arrow.int32())
        return compute.indices_nonzero(compute.is_in(column.indices, value_set=mine))

    def cells(self, batch: Any, wanted: Wanted) -> Iterator[list[object]]:
        columns = {name: _values(self._arrow, batch.column(name), name) for name in wanted.columns}
        for row in range(batch.num_rows):
            yield [values[row] for values in columns.values()]


def _texts(texts: Any) -> list[object]:
    """The texts; one that is not UTF-8 is nobody's key."""
    try:
        return list(texts.to_pylist())
    except UnicodeDecodeError:
        return [_text(text.as_buffer().to_pybytes()) for text in texts]


def _text(raw: bytes) -> object:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _chosen(arrow: Any, dataset: Any, whole: Any, wanted: Wanted) -> set[int]:
    """The row groups that may hold one of the forms of the key."""
    forms = [wanted.value, *variants(wanted.value)]
    if not _is_plain(arrow, whole, wanted):
        # Of other types the library compares no statistics.
        return {group.row_groups[0].id for group in whole.split_by_row_group()}
    theirs = dataset.field(wanted.key_column).isin(forms)
    plain = arrow.schema([(wanted.key_column, arrow.string())])
    return {group.row_groups[0].id for group in whole.split_by_row_group(theirs, plain)}


def _is_plain(arrow: Any, whole: Any, wanted: Wanted) -> bool:
    return bool(whole.physical_schema.field(wanted.key_column).type == arrow.string())


def _delta_encoded(metadata: Any) -> set[str]:
    """The columns in which a text says only how it differs from the one before it."""
    found = set()
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    for place in range(metadata.num_columns):
        columns = [group.column(place) for group in groups]
        if any("DELTA" in encoding for column in columns for encoding in column.encodings):
            found.add(columns[0].path_in_schema)
    return found


def _value_type(arrow: Any, kind: Any) -> Any:
    return _value_type(arrow, kind.value_type) if arrow.types.is_dictionary(kind) else kind


def _is_text(arrow: Any, kind: Any) -> bool:
    types = arrow.types
    return any(fits(kind) for fits in (types.is_string, types.is_large_string, types.is_string_view))


def _is_binary(arrow: Any, kind: Any) -> bool:
    types = arrow.types
    return any(fits(kind) for fits in (types.is_binary, types.is_large_binary, types.is_binary_view))


def _plain(arrow: Any, kind: Any) -> Any:
    """Texts and bytes as one type each: of a view the library compares nothing."""
    if _is_text(arrow, kind):
        return arrow.string()
    return arrow.binary() if _is_binary(arrow, kind) else kind


def _packed(arrow: Any, kind: Any) -> Any:
    """Texts and bytes of any length as dictionaries, whichever way they are laid out."""
    if _is_text(arrow, kind) or _is_binary(arrow, kind):
        return arrow.dictionary(arrow.int32(), _plain(arrow, kind))
    return kind


def _values(arrow: Any, column: Any, name: str) -> list[object]:
    values: list[object] | None = None
    try:
        if arrow.types.is_dictionary(column.type):
            # One text for all the rows that say it.
            used = column.indices.unique().drop_null()
            texts = dict(zip(used.to_pylist(), column.dictionary.take(used).to_pylist(), strict=True))
            values = [texts.get(place) for place in column.indices.to_pylist()]
        elif arrow.types.is_float16(column.type):
            values = [None if number is None else _shortest_half(float(number)) for number in column.to_pylist()]
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


def _shortest_half(number: float) -> float:
    """The number of the fewest digits that is this one in 16 bits: widened, 0.1 would become 0.0999755859375."""
    if not isfinite(number) or number.is_integer():
        return number
    shorter = (float(f"{number:.{digits}g}") for digits in range(1, 6))
    return next((short for short in shorter if _HALF.unpack(_HALF.pack(short))[0] == number), number)


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
