"""The kind of a file and its encoding are recognised from the content. An unsupported kind is refused, and the error
names the kind.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from ledger.catalogue.sheets import sheets_of
from ledger.connectors.tables import read_table
from ledger.errors import InvalidInput
from tests.catalogue.test_files import DIGEST, HEAD, ROW, case, refusal
from tests.support.workbooks import book

# --- kinds of file


TEXT = f"code,title,content_digest\nC-1,名称编号,{DIGEST}\n"
PLAIN = {"code": "C-1", "title": "名称编号", "content_digest": DIGEST}
ENCODED: dict[str, tuple[bytes, str | None, str]] = {
    "UTF-8": (TEXT.encode(), None, ""),
    "UTF-8 with a byte order mark": (TEXT.encode("utf-8-sig"), None, ""),
    "UTF-16 with a byte order mark": (TEXT.encode("utf-16"), None, "UTF-16"),
    "UTF-16 big-endian with a byte order mark": (
        "\ufeff".encode("utf-16-be") + TEXT.encode("utf-16-be"),
        None,
        "UTF-16",
    ),
    "UTF-16 without a byte order mark": (TEXT.encode("utf-16-le"), None, "UTF-16"),
    "UTF-16 big-endian without a byte order mark": (TEXT.encode("utf-16-be"), None, "UTF-16"),
    "UTF-16 with tabs": (TEXT.replace(",", "\t").encode("utf-16"), None, "UTF-16"),
    "GB18030": (TEXT.encode("gb18030"), None, "GB18030"),
    "GBK, declared": (TEXT.encode("gbk"), "gbk", "GB18030"),
    "UTF-16, declared": (TEXT.encode("utf-16-le"), "utf-16", "UTF-16"),
}


@pytest.mark.parametrize(("data", "declared", "note"), ENCODED.values(), ids=ENCODED.keys())
def test_a_text_file_is_read_in_its_encoding_and_a_note_names_the_encoding(
    data: bytes, declared: str | None, note: str
) -> None:
    sheets = sheets_of(data, "list.csv", encoding=declared)
    assert sheets.resources == [PLAIN]
    assert note in "".join(sheets.notes) and len(sheets.notes) == bool(note)


def test_rare_characters_are_read_as_gb18030_only_if_the_encoding_is_given() -> None:
    data = TEXT.replace("名称编号", "𠮷硇").encode("gb18030")
    assert refusal(data, "list.csv").code == "CSV_NOT_UTF8"
    assert sheets_of(data, "list.csv", encoding="gb18030").resources[0]["title"] == "𠮷硇"


DOUBTFUL: dict[str, tuple[bytes, str | None, str]] = {
    "Latin-1": (TEXT.replace("名称编号", "Évaluation").encode("latin-1"), None, "CSV_NOT_UTF8"),
    "Big5": (TEXT.replace("名称编号", "名稱編號").encode("big5"), None, "CSV_NOT_UTF8"),
    "Korean": (TEXT.replace("名称编号", "이름 번호").encode("euc-kr"), None, "CSV_NOT_UTF8"),
    "Japanese": (TEXT.replace("名称编号", "名前とコード").encode("euc-jp"), None, "CSV_NOT_UTF8"),
    "UTF-32": (TEXT.encode("utf-32"), None, "CSV_NOT_UTF8"),
    "declared otherwise": (TEXT.encode("gb18030"), "utf-8", "ENCODING_DIFFERS"),
    "UTF-8, declared GB18030": ("名".encode(), "gb18030", "ENCODING_DIFFERS"),
    "unknown": (TEXT.encode(), "klingon", "ENCODING_UNKNOWN"),
}


@pytest.mark.parametrize(("data", "declared", "code"), DOUBTFUL.values(), ids=DOUBTFUL.keys())
def test_a_text_file_whose_encoding_is_uncertain_is_refused_with_a_hint(
    data: bytes, declared: str | None, code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        sheets_of(data, "list.csv", encoding=declared)
    assert caught.value.code == code and caught.value.hint


@pytest.mark.parametrize("name", ["list.csv", "list.xls", "list.et", "list.xlsm", "list.txt", "list.XLSX", "list"])
def test_a_workbook_is_recognised_by_its_content(name: str) -> None:
    sheets = sheets_of(book(s=[HEAD, ROW]), name)
    assert sheets.resources[0]["code"] == "A-1"
    assert bool(sheets.notes) == (not name.lower().endswith((".xlsx", ".xlsm", "list")))


@pytest.mark.parametrize("name", ["list.xls", "list.xlsx", "list.et"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_text_file_is_recognised_by_its_content(name: str, encoding: str) -> None:
    sheets = sheets_of(TEXT.replace(",", "\t").encode(encoding), name)
    assert sheets.resources == [PLAIN]
    assert name in "".join(sheets.notes)


def test_macros_in_a_workbook_are_ignored() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(s=[HEAD, ROW]))) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            if member == "[Content_Types].xml":
                content = content.replace(
                    b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
                    b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
                )
            new.writestr(member, content)
        new.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0" + b"\x00" * 100)
    assert sheets_of(out.getvalue(), "list.xlsm").resources[0]["code"] == "A-1"


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in members.items():
            made.writestr(name.replace("__", "/"), content)
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 500
KINDS: dict[str, tuple[bytes, str, str]] = {
    "OpenDocument": (archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "a.ods", "OpenDocument"),
    "a binary workbook": (archive(xl__workbook_bin=b"", **{"xl/workbook.bin": b""}), "a.xlsb", "binary"),
    "a text document": (archive(word__document=b""), "a.xlsx", "document"),
    "an old text document": (OLE + "WordDocument".encode("utf-16-le"), "a.xls", "document"),
    "an archive": (archive(a=b""), "a.xlsx", "archive"),
    "a gzip file": (b"\x1f\x8b\x08" + b"\x00" * 20, "a.csv", "archive"),
    "a PDF document": (b"%PDF-1.7\n", "a.xlsx", "PDF"),
    "a web page": (b"\xef\xbb\xbf <HTML><table></table>", "a.xls", "web page"),
    "an XML spreadsheet": (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>', "a.xls", "XML"),
    "a Parquet file": (b"PAR1" + b"\x00" * 20, "a.csv", "Parquet"),
}


@pytest.mark.parametrize(("data", "name", "kind"), KINDS.values(), ids=KINDS.keys())
def test_an_unsupported_kind_of_file_is_refused_and_the_error_names_the_kind(data: bytes, name: str, kind: str) -> None:
    error = refusal(data, name)
    assert (error.code, error.where) == ("FILE_KIND", name)
    assert kind in error.message


def test_an_encrypted_file_is_refused_and_the_error_says_encrypted() -> None:
    old = OLE + "EncryptedPackage".encode("utf-16-le")
    locked = bytearray(book(s=[HEAD, ROW]))
    for at in (locked.find(b"PK\x01\x02") + 8, 6):
        locked[at] |= 1
    for data, name in ((old, "a.xlsx"), (old, "a.xls"), (bytes(locked), "a.xlsx")):
        assert refusal(data, name).code == "FILE_ENCRYPTED"


@pytest.mark.parametrize("path", ["xls-whole/list.xls", "xls-flaws/cells.xls"])
@pytest.mark.parametrize("cut", [8, 512, 1_000, 2_000])
def test_a_truncated_xls_workbook_is_refused_and_the_error_says_damaged(path: str, cut: int) -> None:
    data, name = case(path)
    assert refusal(data[:cut], name).code == "XLS_MALFORMED"


def test_the_only_sheet_of_a_workbook_is_read_as_a_table(tmp_path: Path) -> None:
    path = tmp_path / "firms.xlsx"
    path.write_bytes(book(firms=[["name", "uscc"], ["甲公司", "91440802MA9X00011Y"]], 空=[]))
    assert read_table(path).rows == [{"name": "甲公司", "uscc": "91440802MA9X00011Y"}]
    path.write_bytes(book(one=[["a"], ["1"]], two=[["a"], ["1"]]))
    with pytest.raises(InvalidInput, match="XLSX_SHEETS"):
        read_table(path)
