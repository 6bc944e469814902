"""The output and the exit codes of ``backup``, ``restore``, ``log lost`` and ``log adopt``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ledger.cli.main import app
from tests.support.ledgers.small_ledger import founded, settings_of

# The tests of this file are the steps of one recovery: lost certificates are taken back into the restored ledger, then
# its sealed texts are opened. Each step needs the result of the step before, so the order must not change.
pytestmark = pytest.mark.random_order(disabled=True)


@dataclass(frozen=True, slots=True)
class Disk:
    """A lost home, its backup, and the bundles of certificates issued after the backup."""

    folder: Path
    numbers: list[str]

    def bundle(self, number: str) -> str:
        return str(self.folder / f"{number}.json")


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    folder = tmp_path_factory.mktemp("disk")
    with founded(settings_of(folder)) as pilot:
        pilot.certificate(pilot.firm())
        done = run("backup", str(folder / "data"), "--keys", str(folder / "keys"), "--home", str(folder / "home"))
        assert done.exit_code == 0, done.output
        disk = Disk(folder, [pilot.certificate(pilot.firm()) for _ in range(3)])
        for number in disk.numbers:
            Path(disk.bundle(number)).write_bytes(pilot.ledger.certificates.bundles.build(number).to_bytes())
    yield disk


@pytest.fixture(scope="module")
def restored(disk: Disk) -> dict[str, Any]:
    home = str(disk.folder / "restored")
    return {"home": home} | result(*restoring(disk, home), "--json")


def restoring(disk: Disk, home: str) -> list[str]:
    chain = str(disk.folder / "home" / "chain")
    return ["restore", str(disk.folder / "data"), "--keys", str(disk.folder / "keys"), "--chain", chain, "--home", home]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def result(*arguments: str, ends: int = 0) -> Any:
    done = run(*arguments)
    assert done.exit_code == ends, done.output
    return json.loads(done.stdout)


def test_the_result_of_a_restore_lists_lost_batches_and_unreadable_texts(disk: Disk, restored: dict[str, Any]) -> None:
    assert restored["chain"] == "given" and restored["batches_from_archive"] == 0
    assert len(restored["lost_batches"]) == 3 and restored["lost_entries"] == 12
    (numbers,) = restored["lost_numbers"]
    first, last = map(int, numbers.split("-"))
    assert last - first == 11
    assert restored["erasures_applied"] is None and restored["texts_closed"] > 0
    assert restored["numbers_skipped"] == 10_000 and "demand" in restored["only_from_backup"]
    assert result("log", "lost", "--home", restored["home"], "--json") == restored["lost_batches"]


def test_the_result_of_a_restore_is_printed_in_both_languages(disk: Disk) -> None:
    done = run(*restoring(disk, str(disk.folder / "for-people")))
    assert done.exit_code == 0, done.output
    for words in (
        "已恢复 Restored",
        "丢失批次的编号 lost_batches",
        "丢失条目的编号 lost_numbers",
        "编号 no. ",
        "关闭的密封内容 texts_closed",
    ):
        assert words in done.stdout


def test_valid_bundles_are_taken_back_and_invalid_bundles_are_reported(disk: Disk, restored: dict[str, Any]) -> None:
    bad, none = disk.folder / "bad.json", disk.folder / "none.json"
    bundle = json.loads(Path(disk.bundle(disk.numbers[1])).read_text())
    bundle["proof"] = ["00" * 32, *bundle["proof"][1:]]
    bad.write_text(json.dumps(bundle))
    none.write_text("not a bundle")
    files = [disk.bundle(disk.numbers[0]), str(bad), str(none), disk.bundle(disk.numbers[2])]
    rows = result("log", "adopt", *files, "--home", restored["home"], "--json", ends=1)
    assert [row["certificate_no"] for row in rows] == [disk.numbers[0], "bad.json", "none.json", disk.numbers[2]]
    assert [row["refused"] for row in rows[:2]] == [None, "ADOPT_PROOF_WRONG"] and rows[2]["refused"] is not None
    assert [row["entries"] for row in rows] == [4, None, None, 4]
    assert all(row["batches_complete"] == 1 for row in (rows[0], rows[3]))
    again = result("log", "adopt", files[0], "--home", restored["home"], "--json")
    assert again[0]["entries"] == 0
    shown = result("certificate", "show", disk.numbers[0], "--home", restored["home"], "--json")
    assert shown["state"] == "active"


def test_restored_texts_can_be_read_only_after_the_operator_confirms_the_erasures(restored: dict[str, Any]) -> None:
    home = restored["home"]
    (sealing,) = (
        part for part in result("doctor", "--home", home, "--json", ends=1)["parts"] if part["part"] == "sealing"
    )
    (finding,) = sealing["findings"]
    assert finding["code"] == "SEALED_CLOSED" and "restore confirm-erasures" in finding["hint"]
    assert finding["details"]["closed"] >= restored["texts_closed"]
    status = result("status", "--home", home, "--json", ends=1)["sealing"]
    assert (status["code"], status["closed"]) == ("SEALED_CLOSED", finding["details"]["closed"])
    refused = result("restore", "confirm-erasures", "--home", restored["home"], "--json", ends=2)
    assert refused["error"] == "NOT_CONFIRMED"
    done = result("restore", "confirm-erasures", "--home", restored["home"], "--yes", "--json")
    # The opened texts are those that doctor counted as closed. They include the claims of the certificates that the
    # test before this one took back.
    assert done["erasures"] == 0 and done["opened"] == finding["details"]["closed"]
    assert "sealing" not in result("status", "--home", home, "--json")
    parts = result("doctor", "--home", home, "--json", ends=0)["parts"]
    assert not any(part["findings"] for part in parts)
    # Two of the three lost batches were recovered from the bundles of holders.
    lost = result("status", "--home", home, "--json")["lost"]
    assert (lost["ok"], len(lost["batches"]), lost["entries_missing"]) == (True, 1, 4)
    (remark,) = (remark for part in parts for remark in part["remarks"])
    assert (remark["code"], remark["details"]["batches"]) == ("BATCH_LOST", lost["batches"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["restore", "nothing", "--keys", "keys"], "BACKUP_MISSING"),
        (["restore", "keys", "--keys", "keys"], "BACKUP_DAMAGED"),
        (["restore", "data", "--keys", "data"], "BACKUP_DAMAGED"),
        (["restore", "data", "--keys", "keys", "--archive", "nothing"], "ARCHIVE_UNKNOWN"),
        (["restore", "data", "--keys", "keys", "--chain", "nothing"], "CHAIN_FOLDER_MISSING"),
        (["restore", "data", "--keys", "keys", "--erasures", "nothing"], "ERASURES_MISSING"),
        (["restore", "data", "--keys", "keys", "--chain", "x", "--rpc-url", "http://x"], "RESTORE_ONE_CHAIN"),
        (["restore", "data", "--keys", "keys", "--rpc-url", "http://127.0.0.1:9"], "CHAIN_UNREACHABLE"),
        (["backup", "data", "--keys", "more"], "LEDGER_MISSING"),
        (["log", "adopt", "bundle.json"], "LEDGER_MISSING"),
        (["restore", "confirm-erasures", "--yes"], "LEDGER_MISSING"),
    ],
)
def test_a_refused_command_gives_the_reason_and_creates_no_files(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: str
) -> None:
    monkeypatch.chdir(disk.folder)
    before = set(disk.folder.rglob("*"))
    refused = result(*arguments, "--home", "refused", "--json", ends=2)
    assert refused["error"] == code and refused["hint"]
    assert set(disk.folder.rglob("*")) == before


def test_an_existing_backup_is_not_overwritten(disk: Disk) -> None:
    folder = disk.folder
    places = ["backup", str(folder / "data"), "--keys", str(folder / "new"), "--home", str(folder / "home")]
    assert result(*places, "--json", ends=2)["error"] == "BACKUP_EXISTS"
    assert not (folder / "new").exists()
