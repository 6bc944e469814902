"""``submit-file`` and ``issue --file`` read files with many signed statements, and certificates are issued from
them.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.usage.batches.runner import BatchRunner
from tests.support.actors.pilots import Pilot
from tests.support.places import PROJECT
from tests.support.workbooks import book
from tests.usage.batches.statements import authorizations_of, provisions_of, requests_of, spoiled

KILLED = """
import sys
from ledger.cli.main import app
from ledger.cli.usage import submitting
from ledger.usage.batches.runner import BatchRunner
from tests.support.machine.killing import arm
submitting._PART = 2
arm(BatchRunner, "each", "after")
app(["request", "submit-file", *sys.argv[1:]])
"""


def lines(path: Path, items: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), "utf-8")
    return path


def printed(pilot: Pilot, *words: str | Path, code: int = 0) -> Any:
    home = ["--home", str(pilot.ledger.settings.home), "--json"]
    result = CliRunner().invoke(app, [*map(str, words), *home])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def records(printed_lines: dict[str, Any]) -> list[str]:
    return [record for line in printed_lines["lines"] for record in line["records"]]


def test_certificates_are_issued_from_files_with_signed_statements(pilot: Pilot, tmp_path: Path) -> None:
    asked = printed(pilot, "request", "submit-file", lines(tmp_path / "r.jsonl", requests_of(pilot, 3)))
    assert (asked["recorded"], asked["recorded_before"], asked["refused"]) == (3, 0, 0)
    consents = authorizations_of(pilot, records(asked))
    given = printed(pilot, "consent", "submit-file", lines(tmp_path / "a.jsonl", consents))
    answers = provisions_of(pilot, records(given))
    supplied = printed(pilot, "provision", "submit-file", lines(tmp_path / "p.jsonl", answers))
    assert supplied["recorded"] == 3
    wanted = tmp_path / "wanted.csv"
    wanted.write_text("request\n" + "".join(f"{each}\n" for each in records(asked)))
    issued = printed(pilot, "certificate", "issue", "--file", wanted)
    for number in records(issued):
        assert pilot.ledger.verification.status(number)["state"] == "active"
    again = printed(pilot, "certificate", "issue", "--file", wanted)
    assert (again["recorded_before"], records(again)) == (3, records(issued))


def test_a_report_has_the_outcome_of_each_line(pilot: Pilot, tmp_path: Path) -> None:
    items = requests_of(pilot, 3)
    file = tmp_path / "requests.jsonl"
    rows = [json.dumps(items[0]), "{not json", "", json.dumps(spoiled(items[1])), json.dumps(items[2]), '{"x":1}']
    file.write_text("\n".join(rows))
    report = tmp_path / "report.csv"
    summary = printed(pilot, "request", "submit-file", file, "--report", report, code=1)
    assert (summary["recorded"], summary["refused"]) == (2, 3)
    with report.open(encoding="utf-8-sig", newline="") as text:
        found = {int(row["line"]): (row["outcome"], row["code"]) for row in csv.DictReader(text)}
    assert found == {
        1: ("recorded", ""),
        2: ("refused", "JSON_MALFORMED"),
        4: ("refused", "NOTE_DIFFERS"),
        5: ("recorded", ""),
        6: ("refused", "ITEM_FORM"),
    }


def test_statements_are_read_from_the_cells_of_a_workbook(pilot: Pilot, tmp_path: Path) -> None:
    items = requests_of(pilot, 2)
    rows = [["statement", "note"], *([json.dumps(each["statement"]), json.dumps(each["note"])] for each in items)]
    file = tmp_path / "requests.xlsx"
    file.write_bytes(book(Sheet1=rows))
    assert printed(pilot, "request", "submit-file", file)["recorded"] == 2


def test_statements_are_read_from_a_parquet_file(pilot: Pilot, tmp_path: Path) -> None:
    items = requests_of(pilot, 3)
    columns = {name: [json.dumps(each[name]) for each in items] for name in ("statement", "note")}
    file = tmp_path / "requests.parquet"
    parquet.write_table(pyarrow.table({"kind": ["requests"] * 3, **columns}), file)
    summary = printed(pilot, "request", "submit-file", file)
    assert records(summary) == [item["statement"]["id"] for item in items]


def test_a_command_repeated_after_a_kill_skips_recorded_lines(pilot: Pilot, tmp_path: Path) -> None:
    items = requests_of(pilot, 5)
    file = lines(tmp_path / "requests.jsonl", items)
    command = [sys.executable, "-c", KILLED, str(file), "--home", str(pilot.ledger.settings.home)]
    killed = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=90, check=False, env=dict(os.environ)
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    summary = printed(pilot, "request", "submit-file", file)
    assert (summary["recorded"], summary["recorded_before"]) == (3, 2)
    assert records(summary) == [item["statement"]["id"] for item in items]


def test_recorded_lines_stay_recorded_after_ctrl_c(
    pilot: Pilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.cli.usage.submitting._PART", 2)
    file = lines(tmp_path / "requests.jsonl", requests_of(pilot, 4))
    each, calls = BatchRunner.each, []

    def stopped(self: BatchRunner, *arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return each(self, *arguments)

    monkeypatch.setattr(BatchRunner, "each", stopped)
    assert printed(pilot, "request", "submit-file", file, code=130)["recorded"] == 2
    monkeypatch.setattr(BatchRunner, "each", each)
    summary = printed(pilot, "request", "submit-file", file)
    assert (summary["recorded"], summary["recorded_before"]) == (2, 2)
