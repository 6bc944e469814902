"""``pingzheng certificate revoke --file`` reads the numbers from a file, asks before it revokes, and continues after an
interruption.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ledger.chain.reading.log_reads import LEAVES_PER_WORD
from ledger.cli.main import app
from ledger.domain.codes import certificate_no
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger
from tests.support.actors.many_certificates import away, many, sending
from tests.support.actors.pilots import Pilot, assembled


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilot]:
    """A separate ledger, because other tests count the certificates of the shared ledger."""
    with create_ledger(Settings(home=tmp_path_factory.mktemp("revocations"), delay=0)) as ledger:
        yield assembled(ledger)


@pytest.fixture(scope="module")
def one(pilot: Pilot) -> str:
    return pilot.certificate(pilot.firm())


def revoke(pilot: Pilot, *arguments: str) -> Result:
    home = str(pilot.ledger.settings.home)
    command = ["certificate", "revoke", *arguments, "--reason", "data_error", "--home", home]
    return CliRunner().invoke(app, command, env={"COLUMNS": "200"}, catch_exceptions=False)


def listed(path: Path, *lines: str, encoding: str = "utf-8") -> str:
    path.write_bytes("\n".join(lines).encode(encoding))
    return str(path)


def state(pilot: Pilot, number: str) -> str:
    return str(pilot.ledger.verification.status(number)["state"])


def output_of(result: Result, code: int) -> dict[str, Any]:
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_numbers_file_is_read_in_common_encodings(pilot: Pilot, one: str, tmp_path: Path, encoding: str) -> None:
    numbers = many(pilot, one, 3)
    file = listed(
        tmp_path / "numbers.txt",
        f"{numbers[0]}\r",
        "",
        f"  {numbers[1]}\t",
        numbers[0],
        "\r",
        numbers[2],
        "",
        encoding=encoding,
    )
    report = output_of(revoke(pilot, "--file", file, "--yes", "--json"), 0)
    assert [item["certificate_no"] for item in report["items"]] == numbers
    assert {name: report[name] for name in ("revoked", "ended_before", "not_revoked", "transactions")} == {
        "revoked": 3,
        "ended_before": 0,
        "not_revoked": 0,
        "transactions": 1,
    }
    assert report["gas"] > 21_000
    again = output_of(revoke(pilot, "--file", file, "--yes", "--json"), 0)
    assert (again["revoked"], again["ended_before"], again["gas"]) == (0, 3, 0)


def test_all_wrong_lines_of_a_numbers_file_are_reported_and_no_certificate_is_revoked(
    pilot: Pilot, one: str, tmp_path: Path
) -> None:
    (number,) = many(pilot, one, 1)
    mistyped = number[:-1] + ("A" if number[-1] != "A" else "B")
    file = listed(
        tmp_path / "numbers.txt", number, "number", "", mistyped, certificate_no("440802", 2026, "S01", 99_999_999)
    )
    refused = output_of(revoke(pilot, "--file", file, "--yes", "--json"), 2)
    assert refused["error"] == "NUMBERS_FILE_INVALID"
    assert refused["details"]["lines"] == [
        {"line": 2, "code": "CERTIFICATE_NO_FORM"},
        {"line": 4, "code": "CERTIFICATE_NO_CHECK_DIGIT"},
        {"line": 5, "code": "CERTIFICATE_UNKNOWN"},
    ]
    assert state(pilot, number) == "active"


def test_the_revoke_command_asks_first_and_takes_a_number_or_a_file(pilot: Pilot, one: str, tmp_path: Path) -> None:
    (number,) = many(pilot, one, 1)
    file = listed(tmp_path / "numbers.txt", number)
    assert output_of(revoke(pilot, "--file", file, "--json"), 2)["error"] == "NOT_CONFIRMED"
    for arguments in ((number, "--file", file, "--yes"), ()):
        assert output_of(revoke(pilot, *arguments, "--json"), 2)["error"] == "NUMBER_OR_FILE"
    empty = listed(tmp_path / "empty.txt", "", "")
    assert output_of(revoke(pilot, "--file", empty, "--yes", "--json"), 2)["error"] == "NUMBERS_FILE_LENGTH"
    assert state(pilot, number) == "active"


def interrupted(*_arguments: Any) -> Any:
    raise KeyboardInterrupt


def test_an_interrupted_revocation_reports_its_progress_and_continues(pilot: Pilot, one: str, tmp_path: Path) -> None:
    numbers = many(pilot, one, LEAVES_PER_WORD + 2)
    file = listed(tmp_path / "numbers.txt", *numbers)
    with sending(lambda turn, original: original if turn == 1 else interrupted):
        stopped = revoke(pilot, "--file", file, "--yes")
    assert stopped.exit_code == 130
    assert f"Interrupted: {LEAVES_PER_WORD} are revoked" in " ".join(stopped.stderr.split())
    assert [state(pilot, number) for number in (numbers[0], numbers[-1])] == ["revoked", "active"]
    report = output_of(revoke(pilot, "--file", file, "--yes", "--json"), 0)
    assert (report["revoked"], report["ended_before"]) == (2, LEAVES_PER_WORD)


def test_certificates_that_were_not_revoked_are_listed_with_exit_code_1(pilot: Pilot, one: str, tmp_path: Path) -> None:
    numbers = many(pilot, one, LEAVES_PER_WORD + 1)
    file = listed(tmp_path / "numbers.txt", *numbers)
    with sending(lambda turn, original: original if turn == 1 else away):
        left = revoke(pilot, "--file", file, "--yes")
    assert left.exit_code == 1
    assert numbers[-1] in left.stdout and numbers[0] not in left.stdout
    assert "CHAIN_UNREACHABLE" in left.stdout
