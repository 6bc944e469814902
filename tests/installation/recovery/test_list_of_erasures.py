"""The list of erasures: its reader ignores an incomplete last line and reports a damaged line. Several ledgers can use
one list.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger.errors import Misconfigured, PingzhengError
from ledger.privacy.erasures_file import ErasedText, ErasuresFile

LEDGER = "ab" * 32


def test_an_incomplete_last_line_of_the_list_of_erasures_is_ignored_and_replaced(tmp_path: Path) -> None:
    file, erased = ErasuresFile(tmp_path / "list", LEDGER), ErasedText(7, ("aa",), None, ("01",))
    file.append(erased)
    whole = file.path.read_bytes()
    for length in range(len(whole)):
        file.path.write_bytes(whole + whole[:length])
        assert file.read() == [erased]
        file.append(erased)
        assert file.path.read_bytes() == whole + whole


def test_a_damaged_line_of_the_list_of_erasures_is_reported_with_the_number_of_the_line(tmp_path: Path) -> None:
    file, erased = ErasuresFile(tmp_path / "list", LEDGER), ErasedText(7, ("aa",), "bb", ("01",))
    for _ in range(3):
        file.append(erased)
    lines = file.path.read_bytes().splitlines(keepends=True)
    for damage in (b"{}\n", b"\n", b"\xff\n", lines[1][:-9] + b"\n", b"[]\n"):
        file.path.write_bytes(lines[0] + damage + lines[2])
        with pytest.raises(Misconfigured, match="ERASURES_DAMAGED") as refused:
            file.read()
        assert refused.value.details["line"] == 2


def test_a_list_of_erasures_ignores_the_lines_of_another_ledger(tmp_path: Path) -> None:
    mine, other = ErasuresFile(tmp_path / "list", LEDGER), ErasuresFile(tmp_path / "list", "cd" * 32)
    mine.append(ErasedText(7, ("aa",), None, ("01",)))
    other.append(ErasedText(8, ("bb",), None, ("02",)))
    assert [each.at for each in mine.read()] == [7] and [each.at for each in other.read()] == [8]


def test_appending_to_the_list_of_erasures_on_a_full_disk_is_refused(tmp_path: Path) -> None:
    file = ErasuresFile(Path("/dev/full"), LEDGER)
    with pytest.raises(PingzhengError, match=r"ERASURES_(FULL|UNWRITABLE)"):
        file.append(ErasedText(7, ("aa",), None, ("01",)))
    assert os.fspath(file.path) == "/dev/full"
