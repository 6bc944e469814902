"""``pingzheng doctor`` reports the problems of each part separately and changes nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.errors import NotFound
from ledger.installation.doctor import Doctor
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_ledger

PARTS = [
    "files",
    "permissions",
    "keys",
    "custody",
    "disk",
    "database",
    "sealing",
    "entries",
    "chain",
    "coherence",
    "memory",
    "index",
    "archive",
]


@pytest.fixture
def home(copied_home: Path) -> Path:
    return copied_home


def contents(home: Path) -> dict[str, str]:
    """Return a map from the path of each file to its digest."""
    files = [path for path in sorted(home.rglob("*")) if path.is_file()]
    return {str(path.relative_to(home)): sha256(path.read_bytes()).hexdigest() for path in files}


def examined(home: Path) -> dict[str, list[tuple[str, str | None]]]:
    """Return the findings of each examined part as (code, place); a skipped part has ``("skipped", <part>)``."""
    return {
        part.name: [("skipped", part.skipped)] if part.skipped else [(each.code, each.where) for each in part.findings]
        for part in Doctor(Settings(home=home)).examine()
    }


def wrong(home: Path) -> dict[str, list[str]]:
    return {part: [code for code, _ in found] for part, found in examined(home).items() if found}


def asked(home: Path, *options: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, ["doctor", "--home", str(home), *options], env={"COLUMNS": "200"})
    return done.exit_code, json.loads(done.stdout) if "--json" in options else done.output


def test_doctor_finds_nothing_in_a_sound_ledger_and_changes_nothing(home: Path) -> None:
    before = contents(home)
    assert examined(home) == {part: [] for part in PARTS}
    assert contents(home) == before
    code, result = asked(home, "--json")
    assert (code, result["ok"], [part["part"] for part in result["parts"]]) == (0, True, PARTS)
    assert contents(home) == before


def test_doctor_examines_a_running_ledger(home: Path) -> None:
    with open_ledger(Settings(home=home)) as ledger:
        assert wrong(home) == {}
        assert ledger.inspection.readiness()["chain"]["ok"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def another_digit(path: Path) -> None:
    text = path.read_text()
    path.write_text(("0" if text[0] != "0" else "1") + text[1:])


def another_key(path: Path) -> None:
    keys = json.loads(path.read_text())
    account = min(keys)
    keys[account] = keys[account][:-1] + ("0" if keys[account][-1] != "0" else "1")
    path.write_text(json.dumps(keys))


def flip_page(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for place in range(4_096 * 20, 4_096 * 24):
        raw[place] ^= 0xFF
    path.write_bytes(raw)


def another_text(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE entry SET body = CAST(replace(body, '\"', '''') AS BLOB) WHERE seq = 0")
        database.commit()


def lose_last_line(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


@pytest.mark.parametrize(
    ("name", "damage", "expected"),
    [
        ("deployment.json", Path.unlink, {"files": ["DEPLOYMENT_MISSING"], "chain": ["DEPLOYMENT_MISSING"]}),
        ("keys/lookup.key", Path.unlink, {"files": ["KEY_FILE_MISSING"], "keys": ["KEY_FILE_MISSING"]}),
        ("keys/lookup.key", cut, {"keys": ["KEY_FILE_DAMAGED"]}),
        ("keys/kek-1.key", another_digit, {"sealing": ["SEALING_KEY_WRONG"]}),
        ("keys/accounts.json", another_key, {"custody": ["KEY_FILE_DAMAGED"]}),
        ("offices/2/accounts.json", another_key, {"custody": ["KEY_FILE_DAMAGED"]}),
        ("keys/lookup.key", lambda path: path.chmod(0o644), {"permissions": ["FILE_READABLE_BY_OTHERS"]}),
        ("ledger.db", another_text, {"entries": ["ENTRY_DAMAGED"]}),
        ("chain/journal.jsonl", lose_last_line, {"coherence": ["CHAIN_BEHIND_DATABASE"]}),
    ],
    ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", ""),
)
def test_the_report_of_each_damage_names_the_damaged_part(
    home: Path, name: str, damage: Callable[[Path], object], expected: dict[str, list[str]]
) -> None:
    damage(home / name)
    before = contents(home)
    found = examined(home)
    named = {part: [code for code, _ in each] for part, each in found.items() if each and each[0][0] != "skipped"}
    assert named == expected
    assert contents(home) == before
    code, result = asked(home, "--json")
    assert (code, result["ok"]) == (1, False)
    hints = [finding["hint"] for part in result["parts"] for finding in part["findings"]]
    assert hints and all(hints)
    code, text = asked(home)
    assert code == 1 and "下一步 next" in text


def test_the_chain_is_examined_even_if_the_database_is_damaged(home: Path) -> None:
    flip_page(home / "ledger.db")
    found = examined(home)
    assert [code for code, _ in found["database"]] == ["DATABASE_DAMAGED"]
    assert found["entries"] == [("skipped", "database")]
    assert found["chain"] == []


def test_doctor_reports_a_disk_that_is_nearly_full(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.installation.doctor.LOW_BYTES", shutil.disk_usage(home).free + 2**40)
    assert wrong(home) == {"disk": ["DISK_LOW"]}


def test_doctor_without_a_ledger_raises_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="LEDGER_MISSING"):
        Doctor(Settings(home=tmp_path))
    assert list(tmp_path.iterdir()) == []
