"""Scrubbing removes deleted values from the files of a database, while other programs can read and write the
database.
"""

from __future__ import annotations

import os
import random
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from ledger.store import page_gaps, scrubbing
from ledger.store.database import Database, open_engine
from ledger.store.scrubbing import PAGES_AT_ONCE, pieces_of, scrub
from tests.store.churned import Churned, plant
from tests.support.machine.file_contents import contents

WAIT_MS: Final = 5_000


@pytest.fixture
def churned(tmp_path: Path) -> Iterator[Churned]:
    churned = Churned(tmp_path / "text.db", 3)
    churned.churn(100)
    yield churned
    churned.connection.close()


@pytest.mark.parametrize("seed", range(3, 6))
def test_no_file_contains_a_deleted_value_after_many_moves_of_rows(tmp_path: Path, seed: int) -> None:
    """With these seeds, SQLite 3.40 leaves deleted values in the file in spite of ``secure_delete``."""
    churned = Churned(tmp_path / "text.db", seed)
    with closing(churned.connection):
        for _ in range(3):
            churned.churn(40)
            assert scrub(churned.file, churned.gone, WAIT_MS)
            assert churned.left() == []
            churned.require_sound()


@pytest.mark.parametrize("known", [True, False])
def test_a_copy_in_the_gap_of_a_page_is_removed(churned: Churned, known: bool) -> None:
    """If the deleted values are no longer known, all gaps are cleared."""
    secret = random.Random(1).randbytes(32)
    assert plant(churned, secret)
    assert churned.left(secret)
    assert scrub(churned.file, [secret] if known else [], WAIT_MS)
    assert churned.left(secret) == []
    churned.require_sound()


def test_scrubbing_also_removes_values_that_were_deleted_from_the_given_tables_earlier(churned: Churned) -> None:
    """The planted value is not among the values that the scrubbing searches for. It disappears all the same from the
    pages of the table ``text`` and its indexes, because the scrubbing clears all gaps of this table.
    """
    secret, unknown = random.Random(9).randbytes(32), random.Random(10).randbytes(32)
    planted = plant(churned, unknown, pages=200)
    query = "SELECT rootpage FROM sqlite_schema WHERE name = 'text'"
    roots = [root for (root,) in churned.connection.execute(query)]
    assert scrub(churned.file, [secret], WAIT_MS, ["text"])
    walked = pages_in(churned.file, roots)
    left = {number for number in planted if unknown in page(churned.file, number)}
    assert left == set(planted) - walked and left and left != set(planted)
    churned.require_sound()


def pages_in(file: Path, roots: list[int]) -> set[int]:
    """Return the numbers of the pages of the tables that begin at the pages ``roots``; a copy of the file is read."""
    copy = file.with_name("copy.db")
    copy.write_bytes(contents(file.parent, file.name)[file])
    opened = os.open(copy, os.O_RDONLY)
    found = page_gaps.pages_of(opened, roots)
    os.close(opened)
    copy.unlink()
    return found


def page(file: Path, number: int) -> bytes:
    return contents(file.parent, file.name)[file][(number - 1) * 4096 : number * 4096]


def test_a_half_overwritten_copy_is_removed(churned: Churned) -> None:
    secret = random.Random(2).randbytes(32)
    plant(churned, secret[:10])
    plant(churned, secret[-10:])
    assert scrub(churned.file, [secret], WAIT_MS)
    files = b"".join(contents(churned.file.parent).values())
    assert secret[:10] not in files and secret[-10:] not in files


def test_a_connection_opened_before_the_scrubbing_does_not_write_an_old_gap_back(churned: Churned) -> None:
    """A second connection reads every page before the gaps are cleared, and changes every page after the gaps are
    cleared.
    """
    secret = random.Random(3).randbytes(32)
    plant(churned, secret, pages=5)
    with closing(sqlite3.connect(churned.file, isolation_level=None)) as other:
        other.execute("PRAGMA secure_delete=ON")
        other.execute("SELECT sum(length(size)), max(secret) FROM text").fetchall()
        assert scrub(churned.file, [secret], WAIT_MS)
        other.execute("UPDATE text SET size = replace(size, 'x', 'y')")
        assert churned.left(secret) == []
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert churned.left(secret) == []


def test_writers_can_write_while_the_file_is_searched(churned: Churned, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = random.Random(4).randbytes(32)
    plant(churned, secret)
    find = scrubbing._Gaps.find

    def meanwhile(gaps: scrubbing._Gaps, pieces: Sequence[bytes], roots: Sequence[int]) -> list[int]:
        with closing(sqlite3.connect(churned.file, timeout=0, isolation_level=None)) as writer:
            for key in churned.kept:
                writer.execute("UPDATE text SET size = 'meanwhile' WHERE id = ?", (key,))
            found = find(gaps, pieces, roots)
            writer.execute("UPDATE text SET size = 'meanwhile too'")
        return found

    monkeypatch.setattr(scrubbing._Gaps, "find", meanwhile)
    assert scrub(churned.file, [secret], WAIT_MS)
    assert churned.left(secret) == []
    churned.require_sound()


def test_scrubbing_does_not_rebuild_the_file_and_needs_no_more_statements_for_a_large_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, cleared = scrubbing._opened, list[int]()
    clear = scrubbing._Gaps.clear

    def counted(gaps: scrubbing._Gaps, pages: Sequence[int], timeout_ms: int) -> list[int]:
        left = clear(gaps, pages, timeout_ms)
        cleared.append(len(pages) - len(left))
        return left

    monkeypatch.setattr(scrubbing._Gaps, "clear", counted)
    statements: dict[int, list[str]] = {}
    for turns in (20, 200):
        churned = Churned(tmp_path / f"{turns}.db", 1)
        churned.churn(turns)
        secret = random.Random(5).randbytes(32)
        planted = plant(churned, secret, pages=1)
        seen = statements[turns] = []

        def traced(file: Path, seen: list[str] = seen) -> sqlite3.Connection:
            connection = opened(file)
            connection.set_trace_callback(seen.append)
            return connection

        monkeypatch.setattr(scrubbing, "_opened", traced)
        assert len(planted) == 1 and scrub(churned.file, [secret], WAIT_MS)
        churned.connection.close()
    few, many = statements.values()
    assert [text.split("=")[0] for text in few] == [text.split("=")[0] for text in many]
    assert len(many) < 20 and not any("VACUUM" in text for text in many)
    assert cleared == [1, 1]


def test_a_page_in_the_log_is_cleared_only_when_the_log_is_empty_again(
    churned: Churned, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the scrubbing has emptied the log and before it takes the lock, another program changes all rows. So their
    pages are in the log again, and must not be cleared yet.
    """
    secret, emptied, cleared = random.Random(11).randbytes(32), scrubbing._log_emptied, list[int]()
    planted = plant(churned, secret, pages=200)
    clear, rounds = scrubbing._Gaps.clear, iter(range(9))

    def overtaken(connection: sqlite3.Connection, timeout_ms: int) -> bool:
        done = emptied(connection, timeout_ms)
        if next(rounds) < 3:
            churned.connection.execute("UPDATE text SET size = replace(size, 'x', 'y')")
            churned.connection.execute("UPDATE text SET size = replace(size, 'y', 'x')")
        return done

    def counted(gaps: scrubbing._Gaps, pages: Sequence[int], timeout_ms: int) -> list[int]:
        left = clear(gaps, pages, timeout_ms)
        cleared.append(len(pages) - len(left))
        return left

    monkeypatch.setattr(scrubbing, "_log_emptied", overtaken)
    monkeypatch.setattr(scrubbing._Gaps, "clear", counted)
    assert scrub(churned.file, [secret], WAIT_MS)
    assert sum(cleared) <= len(planted) and cleared[0] < len(planted)
    assert churned.left(secret) == []
    churned.require_sound()


def test_few_pages_are_cleared_under_one_lock(churned: Churned, monkeypatch: pytest.MonkeyPatch) -> None:
    clear, cleared, secret = scrubbing._Gaps.clear, list[int](), random.Random(6).randbytes(32)

    def counted(gaps: scrubbing._Gaps, pages: Sequence[int], timeout_ms: int) -> list[int]:
        left = clear(gaps, pages, timeout_ms)
        cleared.append(len(pages) - len(left))
        return left

    monkeypatch.setattr(scrubbing._Gaps, "clear", counted)
    monkeypatch.setattr(scrubbing, "PAGES_AT_ONCE", 4)
    planted = plant(churned, secret, pages=10)
    assert scrub(churned.file, [secret], WAIT_MS)
    assert cleared == [4, 4, 2] and len(planted) == 10 and PAGES_AT_ONCE <= 64


def test_scrubbing_fails_while_a_reader_is_open_and_succeeds_after_the_reader_ends(churned: Churned) -> None:
    with closing(sqlite3.connect(churned.file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM text").fetchone()
        churned.churn(20)
        assert not scrub(churned.file, churned.gone, 10)
        # Without a busy timeout, this write fails at once if the scrubbing left a lock behind.
        churned.connection.execute("PRAGMA busy_timeout=0")
        churned.churn(1)
        reader.execute("COMMIT")
    assert scrub(churned.file, churned.gone, WAIT_MS)
    assert churned.left() == []


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(b"not a database", id="another file"),
        pytest.param(b"", id="an empty file"),
    ],
)
def test_a_file_with_an_unknown_layout_is_not_changed(tmp_path: Path, damage: bytes) -> None:
    file = tmp_path / "other.db"
    file.write_bytes(damage)
    with pytest.raises(page_gaps.UnknownLayout):
        page_gaps.page_layout(os.open(file, os.O_RDONLY))
    assert file.read_bytes() == damage


def test_a_page_with_a_cell_in_its_gap_is_not_changed(tmp_path: Path) -> None:
    churned = Churned(tmp_path / "text.db", 3)
    churned.churn(50)
    churned.connection.close()
    whole = bytearray(churned.file.read_bytes())
    number = next(at for at in range(4096, len(whole), 4096) if whole[at] == 13 and whole[at + 4] > 1)
    whole[number + 8 : number + 10] = (24).to_bytes(2, "big")
    churned.file.write_bytes(whole)
    file = os.open(churned.file, os.O_RDWR)
    with pytest.raises(page_gaps.UnknownLayout):
        page_gaps.clear(file, [number // 4096 + 1])
    os.close(file)
    assert churned.file.read_bytes() == bytes(whole)


def test_scrubbing_reports_failure_if_the_file_or_the_program_is_missing(
    churned: Churned, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not scrub(churned.file.with_name("none.db"), [], WAIT_MS)
    assert not churned.file.with_name("none.db").exists()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert not scrub(churned.file, [], WAIT_MS)


def test_the_pieces_of_a_value_find_every_remnant_of_nine_bytes() -> None:
    secret = random.Random(7).randbytes(32)
    pieces = pieces_of([secret])
    for start in range(24):
        assert any(piece in secret[start : start + 9] for piece in pieces)
    assert pieces_of([b"name", b""]) == [b"name"]
    assert len(pieces_of([random.Random(8).randbytes(10**6)])) == 64


@pytest.mark.parametrize("others", [0, 5_000])
def test_a_search_for_few_or_many_pieces_finds_a_text_that_contains_a_piece(others: int) -> None:
    chance = random.Random(13)
    secret, short, text = chance.randbytes(300), b"name", chance.randbytes(2_000)
    found = page_gaps.search_for(pieces_of([*(chance.randbytes(8) for _ in range(others)), secret, short]))
    assert not found(text) and not found(b"") and not found(secret[:15])
    assert found(text + secret[:16]) and found(secret[64:80] + text) and found(b"a name") and found(short)


def test_a_database_in_memory_has_no_files_to_scrub() -> None:
    assert Database(open_engine("sqlite://")).scrub()
