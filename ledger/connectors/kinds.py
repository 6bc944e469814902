"""Recognises the kind of a file by its content, because the file's extension may be wrong."""

from __future__ import annotations

import io
import zipfile
from enum import StrEnum
from typing import Final

from ledger.errors import InvalidInput

_OLE: Final = b"\xd0\xcf\x11\xe0"
_HEAD: Final = 4096
# The maximum number of entries in a ZIP archive. The limit saves memory, because the library creates an object for each
# entry. No workbook has more.
MAX_DIRECTORY: Final = 10_000


class Kind(StrEnum):
    """The kinds of files; the value is the kind's name in error messages."""

    TEXT = "text"
    XLSX = "Excel workbook (.xlsx)"
    XLS = "Excel 97 workbook (.xls, .et)"
    ENCRYPTED = "encrypted workbook"
    XLSB = "binary workbook (.xlsb)"
    ODS = "OpenDocument spreadsheet (.ods)"
    DOCUMENT = "text document or presentation"
    XML = "XML spreadsheet of 2003"
    HTML = "web page"
    PARQUET = "Parquet file"
    PDF = "PDF document"
    PACKED = "packed archive"


def kind_of(data: bytes) -> Kind:
    """Return the kind of the file that has these bytes."""
    head = data[:_HEAD]
    if head.startswith(_OLE):
        return _compound(data)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(data)
    for mark, kind in ((b"PAR1", Kind.PARQUET), (b"%PDF", Kind.PDF), (b"\x1f\x8b", Kind.PACKED)):
        if head.startswith(mark):
            return kind
    if head.startswith((b"Rar!", b"7z\xbc\xaf")):
        return Kind.PACKED
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<html", b"<!doctype html", b"<table", b"<meta", b"<head")):
        return Kind.HTML
    if text.startswith(b"<?xml"):
        return Kind.XML
    return Kind.TEXT


def require_readable(kind: Kind, name: str) -> None:
    """Raise ``InvalidInput`` ``FILE_ENCRYPTED`` for an encrypted workbook, and ``FILE_KIND`` if this kind of file
    contains no readable table.
    """
    if kind is Kind.ENCRYPTED:
        raise encrypted(name)
    if kind not in (Kind.TEXT, Kind.XLSX, Kind.XLS):
        raise InvalidInput(
            "FILE_KIND",
            f"This kind of file cannot be read: {kind}.",
            where=name,
            hint="Save the file as .xlsx, or as “CSV UTF-8”.",
        )


def encrypted(name: str) -> InvalidInput:
    """Return the error for a workbook with a password."""
    hint = "Save the workbook without a password."
    return InvalidInput("FILE_ENCRYPTED", "The workbook is encrypted.", where=name, hint=hint)


def _compound(data: bytes) -> Kind:
    # A compound file stores the names of its streams in UTF-16, so the names are searched in UTF-16.
    if "EncryptedPackage".encode("utf-16-le") in data:
        return Kind.ENCRYPTED
    books = any(name.encode("utf-16-le") in data for name in ("Workbook", "Book"))
    if not books and "WordDocument".encode("utf-16-le") in data:
        return Kind.DOCUMENT
    return Kind.XLS


def _zipped(data: bytes) -> Kind:
    if data.count(b"PK\x01\x02") > MAX_DIRECTORY:
        return Kind.PACKED
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            names = {member.filename.lower() for member in members}
            if any(member.flag_bits & 1 for member in members):
                return Kind.ENCRYPTED
            if "mimetype" in names and len(members) and data[30:38] == b"mimetype":
                return Kind.ODS if b"opendocument.spreadsheet" in data[:_HEAD] else Kind.DOCUMENT
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, UnicodeError):
        # The archive is damaged. It counts as a workbook, so that the workbook reader raises the error.
        return Kind.XLSX
    if "xl/workbook.bin" in names:
        return Kind.XLSB
    if any(name.startswith(("word/", "ppt/")) for name in names):
        return Kind.DOCUMENT
    return Kind.XLSX if "[content_types].xml" in names else Kind.PACKED
