"""Reads a Parquet file in batches. Finds the rows of the subject and the rows without a key, and converts cells to
Python values.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from ledger.connectors.deadline import Deadline
from ledger.connectors.keys import NO_KEYS, PLAIN, KeyColumn, Whose
from ledger.connectors.normal import has_content
from ledger.connectors.table import Unusable, Wanted

_ROWS_AT_ONCE: Final = 16_384
_HALF: Final = struct.Struct("<e")


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group: its number, how many rows are before the group and in it, and its unpacked size in bytes."""

    number: int
    start: int
    rows: int
    size: int


class Batches:
    """Reads batches of one file, with the column types of ``schema``."""

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

    def sorted_out(self, batch: Any, wanted: Wanted, key: KeyColumn, start: int) -> tuple[Any, Any]:
        """Return the positions in the batch of two kinds of rows: the subject's rows, and rows without a key.

        ``start`` is the number of rows before the batch.
        """
        import pyarrow.compute as compute

        column = batch.column(wanted.key_column)
        if not self._arrow.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        used = column.indices.unique().drop_null()
        texts = column.dictionary.take(used)
        if key.checked:
            # Each distinct value is examined only once. Of the values in the usual form that do not resemble the
            # subject's key, only the first ones are examined.
            near = compute.starts_with(texts, pattern=key.prefix)
            usual = compute.fill_null(compute.and_not(compute.match_substring_regex(texts, PLAIN), near), False)
            far = compute.indices_nonzero(usual)
            looked = far[: key.left_to_examine]
            key.pass_over(len(far) - len(looked))
            places = self._arrow.concat_arrays([compute.indices_nonzero(compute.invert(usual)), looked])
        else:
            no_key = compute.is_in(compute.utf8_upper(texts), value_set=self._arrow.array(sorted(NO_KEYS)))
            blank = compute.invert(compute.match_substring_regex(texts, r"[\pL\pN]"))
            mine = compute.equal(texts, wanted.value)
            places = compute.indices_nonzero(compute.fill_null(compute.or_(compute.or_(mine, no_key), blank), True))
        examined = used.take(places)
        rows = compute.indices_nonzero(compute.is_in(column.indices, value_set=examined))
        first: dict[int, int] = {}
        for row, place in zip(rows.to_pylist(), column.indices.take(rows).to_pylist(), strict=True):
            first.setdefault(place, start + row + 1)
        verdicts = {
            place: key.whose(text, first[place])
            for place, text in zip(examined.to_pylist(), _texts(texts.take(places)), strict=True)
        }
        theirs, unnamed = (
            compute.is_in(column.indices, value_set=self._arrow.array(places, self._arrow.int32()))
            for places in (_of(verdicts, Whose.SUBJECTS), _of(verdicts, Whose.NOBODYS))
        )
        nobodys = compute.indices_nonzero(compute.or_(unnamed, compute.is_null(column.indices)))
        key.any_row = key.any_row or len(nobodys) < batch.num_rows
        return compute.indices_nonzero(theirs), nobodys

    def first_filled(self, group: RowGroup, rows: Sequence[int], key_column: str) -> int | None:
        """Return the number of the first of these rows that has content outside the key column, or None."""
        columns = [name for name in self._schema.names if name != key_column]
        start = group.start
        for batch in self.batches(group.number, columns) if columns else ():
            end = start + batch.num_rows
            here = [row - start for row in rows[bisect_left(rows, start) : bisect_left(rows, end)]]
            taken = batch.take(self._arrow.array(here, self._arrow.int64()))
            filled = [row for column in taken.columns for row in self._filled(column)]
            if filled:
                return start + here[min(filled)]
            start = end
        return None

    def _filled(self, column: Any) -> list[int]:
        """Return the positions in a column whose values are neither null nor blank text."""
        import pyarrow.compute as compute

        if is_text(self._arrow, column.type):
            column = column.dictionary_encode()
        if not self._arrow.types.is_dictionary(column.type):
            return list(compute.indices_nonzero(column.is_valid()).to_pylist())
        used = column.indices.unique().drop_null()
        texts = _texts(column.dictionary.take(used))
        said = [place for place, text in zip(used.to_pylist(), texts, strict=True) if has_content(text)]
        mine = compute.is_in(column.indices, value_set=self._arrow.array(said, self._arrow.int32()))
        return list(compute.indices_nonzero(mine).to_pylist())

    def cells(self, batch: Any, wanted: Wanted) -> Iterator[list[object]]:
        columns = {name: _values(self._arrow, batch.column(name), name) for name in wanted.columns}
        for row in range(batch.num_rows):
            yield [values[row] for values in columns.values()]


def _of(verdicts: Mapping[int, Whose], kind: Whose) -> list[int]:
    return [place for place, whose in verdicts.items() if whose is kind]


def _texts(texts: Any) -> list[object]:
    """Return the texts as ``str``. A text that is not UTF-8 is returned as ``bytes``; it is never a valid key."""
    try:
        return list(texts.to_pylist())
    except UnicodeDecodeError:
        return [_text(text.as_buffer().to_pybytes()) for text in texts]


def _text(raw: bytes) -> object:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def kinds_of(arrow: Any, whole: Any) -> dict[str, Any]:
    """Return, for each column whose name occurs once, the Arrow type with which the column is read.

    Columns of texts are read as dictionaries (each distinct text is stored once), except columns with delta encoding,
    which the library cannot read as dictionaries.
    """
    schema, delta = whole.physical_schema, _delta_encoded(whole.metadata)
    kinds = {name: value_type(arrow, schema.field(name).type) for name in schema.names if schema.names.count(name) == 1}
    return {name: _plain(arrow, kind) if name in delta else _packed(arrow, kind) for name, kind in kinds.items()}


def _delta_encoded(metadata: Any) -> set[str]:
    """Return the columns that have delta encoding, which stores only how each text differs from the text before it."""
    found = set()
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    for place in range(metadata.num_columns):
        columns = [group.column(place) for group in groups]
        if any("DELTA" in encoding for column in columns for encoding in column.encodings):
            found.add(columns[0].path_in_schema)
    return found


def value_type(arrow: Any, kind: Any) -> Any:
    return value_type(arrow, kind.value_type) if arrow.types.is_dictionary(kind) else kind


def is_text(arrow: Any, kind: Any) -> bool:
    types = arrow.types
    return any(fits(kind) for fits in (types.is_string, types.is_large_string, types.is_string_view))


def _is_binary(arrow: Any, kind: Any) -> bool:
    types = arrow.types
    return any(fits(kind) for fits in (types.is_binary, types.is_large_binary, types.is_binary_view))


def _plain(arrow: Any, kind: Any) -> Any:
    """Return the common text type for every text type, and the common bytes type for every bytes type, because the
    library cannot compare values of Arrow's view types.
    """
    if is_text(arrow, kind):
        return arrow.string()
    return arrow.binary() if _is_binary(arrow, kind) else kind


def _packed(arrow: Any, kind: Any) -> Any:
    """Return the dictionary type (each distinct value is stored once) if the type is a text or bytes type; return any
    other type unchanged.
    """
    if is_text(arrow, kind) or _is_binary(arrow, kind):
        return arrow.dictionary(arrow.int32(), _plain(arrow, kind))
    return kind


def _values(arrow: Any, column: Any, name: str) -> list[object]:
    values: list[object] | None = None
    try:
        if arrow.types.is_dictionary(column.type):
            # To save memory, all rows with the same text share one Python object.
            used = column.indices.unique().drop_null()
            texts = dict(zip(used.to_pylist(), column.dictionary.take(used).to_pylist(), strict=True))
            values = [texts.get(place) for place in column.indices.to_pylist()]
        elif arrow.types.is_float16(column.type):
            values = [None if number is None else _shortest_half(float(number)) for number in column.to_pylist()]
        elif arrow.types.is_float32(column.type):
            # Converted through its text, the 32-bit number 0.1 stays 0.1. A direct conversion to 64 bits would give
            # 0.10000000149011612.
            values = [None if digits is None else float(digits) for digits in column.cast(arrow.string()).to_pylist()]
        else:
            values = column.to_pylist()
    except (ValueError, OverflowError):
        # The conversion fails if a text is not UTF-8, or if a year is too large or too small for Python. The error is
        # raised below, outside the except block.
        pass
    if values is None:
        raise Unusable("data_unusable", name)
    return values


def _shortest_half(number: float) -> float:
    """Return the number with the fewest digits that has the same 16-bit value. Converted to 64 bits, the 16-bit number
    0.1 would be 0.0999755859375.
    """
    if not isfinite(number) or number.is_integer():
        return number
    shorter = (float(f"{number:.{digits}g}") for digits in range(1, 6))
    return next((short for short in shorter if _HALF.unpack(_HALF.pack(short))[0] == number), number)
