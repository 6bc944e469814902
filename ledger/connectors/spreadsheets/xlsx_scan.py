"""Counts the elements of an .xlsx file while streaming its XML, before a library builds objects from them.

A file of a few kilobytes can unpack to millions of cells, strings or styles, and a library creates an object for each
of them.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from xml.parsers import expat

from ledger.connectors.kinds import MAX_DIRECTORY
from ledger.errors import InvalidInput

MAX_XLSX_BYTES: Final = 16 * 1024 * 1024
MAX_UNPACKED_BYTES: Final = 128 * 1024 * 1024
MAX_MEMBERS: Final = 500
# The maximum number of XML elements in all parts of a workbook together. Each element becomes an object when it is
# read.
MAX_ELEMENTS: Final = 2_500_000
# The maximum number of bytes between two XML elements. It limits the size of a text, of a comment, and of a tag with
# its attributes.
MAX_TEXT_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 64
# The maximum number of XML elements outside cells and texts. The library keeps each of these elements until the file is
# closed.
MAX_OTHERS: Final = 100_000
# The maximum number of distinct cell formats. Excel's own limit is 65,490.
MAX_STYLES: Final = 65_536
BOUNDS: Final = {
    "c": 500_000,
    "row": 200_000,
    "si": 500_000,
    "mergeCell": 10_000,
    "sheet": 32,
} | dict.fromkeys(("xf", "font", "fill", "border", "numFmt", "dxf", "cellStyle"), MAX_STYLES)
# Elements of cells and of their texts, which the library does not keep as objects.
_PASSING: Final = frozenset(
    {"c", "v", "f", "is", "t", "row", "si", "r", "rPr", "rPh", "phoneticPr", "rFont", "charset"}
)
_PASSING_FORMS: Final = frozenset({"charset", "sz", "color", "family", "scheme", "b", "i", "u", "strike", "vertAlign"})
_CHUNK: Final = 64 * 1024
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, OSError, EOFError)
_STRICT: Final = b"http://purl.oclc.org/ooxml/"


@dataclass
class Scan:
    """The result of a scan: each sheet's merged ranges, whether the file is strict, and how often each element
    occurs.
    """

    merges: dict[str, list[str]] = field(default_factory=dict)
    strict: bool = False
    counts: Counter[str] = field(default_factory=Counter)


def scan(data: bytes, name: str) -> Scan:
    """Count the file's elements. Raises ``InvalidInput`` ``XLSX_TOO_LARGE``, which names the limit, or
    ``XLSX_MALFORMED``.
    """
    if len(data) > MAX_XLSX_BYTES:
        raise too_large(f"The file is larger than {MAX_XLSX_BYTES} bytes.", name)
    if data.count(b"PK\x01\x02") > MAX_DIRECTORY:
        raise too_large(f"The file has more than {MAX_MEMBERS} parts.", name)
    found = Scan()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _require_few(members, name)
            reader = _Reader(found, name)
            for member in members:
                reader.read(archive, member)
    except (*_DAMAGED, expat.ExpatError) as error:
        raise malformed(name) from error
    return found


def too_large(message: str, where: str) -> InvalidInput:
    """Return the error for a workbook that exceeds a limit."""
    hint = "Split the file; remove pictures and formats."
    return InvalidInput("XLSX_TOO_LARGE", message, where=where, hint=hint)


def malformed(name: str) -> InvalidInput:
    """Return the error for a workbook that cannot be read."""
    hint = "Save the file as .xlsx or as CSV."
    return InvalidInput("XLSX_MALFORMED", "The file is not a readable Excel file.", where=name, hint=hint)


def _require_few(members: list[zipfile.ZipInfo], name: str) -> None:
    if len(members) > MAX_MEMBERS:
        raise too_large(f"The file has more than {MAX_MEMBERS} parts.", name)
    if len({member.filename for member in members}) != len(members):
        raise malformed(name)
    # The archive states these sizes. They can be trusted, because the unpacking of a part stops at the stated size.
    if sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise too_large(f"Unpacked, the file is larger than {MAX_UNPACKED_BYTES} bytes.", name)


class _Reader:
    """Reads the parts one after the other, and counts the elements of all parts together."""

    def __init__(self, found: Scan, name: str) -> None:
        self._found = found
        self._name = name
        self._elements = 0
        self._others = 0
        self._depth = 0
        self._last = 0
        self._part = ""
        self._parser: Any = None

    def read(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        with archive.open(member) as part:
            first = part.read(_CHUNK)
            # The library never reads a part that is not XML, such as a picture, so it need not be scanned.
            if not first.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
                return
            self._part, self._depth, self._last = member.filename, 0, 0
            parser = self._parser = expat.ParserCreate()
            parser.StartElementHandler = self._start
            parser.EndElementHandler = self._end
            parser.StartDoctypeDeclHandler = self._doctype
            fed, chunk = 0, first
            if _STRICT in first:
                self._found.strict = True
            while chunk:
                parser.Parse(chunk, False)
                fed += len(chunk)
                if fed - self._last > MAX_TEXT_BYTES + _CHUNK:
                    self._refuse_text()
                chunk = part.read(_CHUNK)
            parser.Parse(b"", True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        place = self._parser.CurrentByteIndex
        if place - self._last > MAX_TEXT_BYTES:
            self._refuse_text()
        self._last = place
        name = tag.rpartition(":")[2]
        self._elements += 1
        self._depth += 1
        counts = self._found.counts
        counts[name] += 1
        if name not in _PASSING and name not in _PASSING_FORMS:
            self._others += 1
        bound = BOUNDS.get(name)
        if bound is not None and counts[name] > bound:
            raise too_large(f"The file has more than {bound} of the element {name}.", self._name)
        if self._elements > MAX_ELEMENTS or self._others > MAX_OTHERS or self._depth > MAX_DEPTH:
            raise too_large("The file has too many elements, or elements too deep in others.", self._name)
        if name == "mergeCell":
            self._found.merges.setdefault(self._part, []).append(attributes.get("ref", ""))

    def _end(self, _tag: str) -> None:
        self._last = self._parser.CurrentByteIndex
        self._depth -= 1

    def _doctype(self, *_declaration: Any) -> NoReturn:
        raise malformed(self._name)

    def _refuse_text(self) -> NoReturn:
        raise too_large(f"A text in the file is longer than {MAX_TEXT_BYTES} bytes.", self._name)
