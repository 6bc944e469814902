"""The file of a provider's answers: only its owner can read it, and a damaged or locked file is an error."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from ledger.errors import Misconfigured
from ledger.provider import answer_file
from ledger.provider.answer_store import AnswerStore
from tests.provider.stage import Source, Stage, provider_at


def test_only_the_owner_can_open_the_records(tmp_path: Path) -> None:
    provider_at(tmp_path).answer(Stage().task(), Source())
    folder = tmp_path / "records"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "records.db": 0o600,
        "records.key": 0o600,
    }


def test_too_wide_permissions_of_a_records_file_are_corrected(tmp_path: Path) -> None:
    provider_at(tmp_path).answer(Stage().task(), Source())
    path = tmp_path / "records" / "records.db"
    path.chmod(0o644)
    assert len(AnswerStore(tmp_path / "records").waiting()) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_others_can_open_is_refused(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir(mode=0o750)
    with pytest.raises(Misconfigured, match="RECORDS_NOT_PRIVATE"):
        provider_at(tmp_path).answer(Stage().task(), Source())


def test_a_damaged_records_file_is_an_error(tmp_path: Path) -> None:
    provider_at(tmp_path).answer(Stage().task(), Source())
    path = tmp_path / "records" / "records.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 9")
    with pytest.raises(Misconfigured, match="RECORDS_DAMAGED"):
        AnswerStore(tmp_path / "records").waiting()
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(Misconfigured, match="RECORDS_DAMAGED"):
        AnswerStore(tmp_path / "records").waiting()


def test_records_locked_by_another_process_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_file, "_BUSY_SECONDS", 0.05)
    records = provider_at(tmp_path).answers
    records.seen("erasures", "1")
    with closing(sqlite3.connect(tmp_path / "records" / "records.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Misconfigured, match="RECORDS_BUSY"):
            records.seen("erasures", "2")
    assert records.seen("erasures") == "1"
