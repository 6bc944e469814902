"""If database, chain and files do not belong together, this is detected when the ledger is opened, and nothing is
written.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.demo.data.cast import assemble
from ledger.domain.days import DAY
from ledger.errors import Incoherent, Misconfigured, PingzhengError
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, open_ledger
from tests.support.actors.pilots import Pilot

FIRMS = ["1", "2", "3", "4"]


@pytest.fixture
def home(copied_home: Path) -> Path:
    return copied_home


@pytest.fixture
def number(closed_ledger: tuple[Path, str]) -> str:
    return closed_ledger[1]


def playing(ledger: Ledger) -> Pilot:
    return Pilot(ledger, assemble(ledger, FIRMS))


def journal(home: Path) -> Path:
    return home / "chain" / "journal.jsonl"


def lose_since(home: Path, length: int) -> None:
    """Shorten the journal to ``length`` bytes. The cut is at the end of a line, so the node takes the rest for a
    complete journal.
    """
    raw = journal(home).read_bytes()
    assert raw[length - 1 : length] == b"\n" and len(raw) > length
    journal(home).write_bytes(raw[:length])


def refusals(ledger: Ledger, number: str) -> set[str]:
    """Try every act that writes to the database or sends a transaction, and return the error codes."""
    acts: list[Callable[[], object]] = [
        ledger.anchoring.tick,
        ledger.anchoring.flush,
        lambda: ledger.certificates.status.revoke(number, "fraud"),
        lambda: ledger.database.write().__enter__(),
    ]
    found = set()
    for act in acts:
        with pytest.raises(PingzhengError) as refused:
            act()
        found.add(refused.value.code)
    return found


def asked(home: Path, *arguments: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, [*arguments, "--home", str(home), "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_a_chain_that_lost_an_anchor_is_detected_and_its_certificates_are_not_active(home: Path) -> None:
    with open_ledger(Settings(home=home)) as ledger:
        kept = journal(home).stat().st_size
        number = playing(ledger).certificate("2")
        ledger.anchoring.flush()
        assert ledger.verification.public_status(number)["state"] == "active"
    lose_since(home, kept)
    for _ in range(2):
        with open_ledger(Settings(home=home)) as ledger:
            codes = {finding.code for finding in ledger.coherence.findings()}
            assert codes == {"CHAIN_BEHIND_DATABASE"}
            assert refusals(ledger, number) == {"CHAIN_BEHIND_DATABASE"}
            assert state_of(ledger, number) != "active"
            with pytest.raises(Incoherent, match="CHAIN_BEHIND_DATABASE"):
                ledger.certificates.bundles.build(number)
            assert ledger.inspection.readiness()["ledger"]["code"] == "CHAIN_BEHIND_DATABASE"
    assert asked(home, "log", "head")[1]["finding"]["code"] == "CHAIN_BEHIND_DATABASE"


def state_of(ledger: Ledger, number: str) -> str:
    """Return the certificate's public state, or the error code if the ledger refuses to return the state."""
    try:
        return str(ledger.verification.public_status(number)["state"])
    except PingzhengError as refused:
        return refused.code


def test_a_chain_that_lost_only_a_revocation_is_detected(home: Path, number: str) -> None:
    with open_ledger(Settings(home=home)) as ledger:
        kept = journal(home).stat().st_size
        ledger.certificates.status.revoke(number, "fraud")
        ledger.follower.sync()
        assert ledger.verification.public_status(number)["state"] == "revoked"
    lose_since(home, kept)
    for _ in range(2):
        with open_ledger(Settings(home=home)) as ledger:
            (finding,) = ledger.coherence.findings()
            assert (finding.code, finding.details["block"]) == ("CHAIN_BEHIND_DATABASE", finding.details["chain"] + 1)
            assert refusals(ledger, number) == {"CHAIN_BEHIND_DATABASE"}
            assert state_of(ledger, number) in {"CHAIN_BEHIND_DATABASE", "CHAIN_BEHIND_SEEN"}
    (home / "seen.json").unlink()
    with open_ledger(Settings(home=home)) as ledger:
        assert state_of(ledger, number) == "CHAIN_BEHIND_DATABASE"


def test_writing_continues_after_the_operator_accepts_the_loss_of_blocks(home: Path, number: str) -> None:
    with open_ledger(Settings(home=home)) as ledger:
        kept = journal(home).stat().st_size
        later = playing(ledger).certificate("2")
        ledger.anchoring.flush()
        ledger.certificates.status.revoke(number, "fraud")
        ledger.follower.sync()
    lose_since(home, kept)
    assert asked(home, "index", "rebuild", "--accept-loss")[1]["error"] == "NOT_CONFIRMED"
    code, answer = asked(home, "index", "rebuild", "--accept-loss", "--yes")
    assert (code, len(answer["batches"]), answer["parties"], answer["certificates"]) == (0, 1, [], [number])
    assert (answer["events"]["Anchored"], answer["events"]["StatusChanged"]) == (1, 1)
    with open_ledger(Settings(home=home)) as ledger:
        assert ledger.coherence.findings() == []
        assert ledger.anchoring.flush().batches == 1
        assert [ledger.verification.public_status(each)["state"] for each in (number, later)] == ["active"] * 2
        assert ledger.certificates.bundles.build(later)
    assert asked(home, "index", "check")[0] == 0


def test_a_ledger_whose_database_is_older_than_its_chain_issues_nothing(
    home: Path, number: str, tmp_path: Path
) -> None:
    older = tmp_path / "older.db"
    with open_ledger(Settings(home=home)) as ledger:
        ledger.certificates.bundles.build(number)
    with closing(sqlite3.connect(home / "ledger.db")) as database:
        database.execute("VACUUM INTO ?", (str(older),))
    with open_ledger(Settings(home=home)) as ledger:
        playing(ledger).certificate("2")
        ledger.anchoring.flush()
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (home / name).unlink(missing_ok=True)
    shutil.copy(older, home / "ledger.db")
    with open_ledger(Settings(home=home)) as ledger:
        assert [finding.code for finding in ledger.coherence.findings()] == ["DATABASE_BEHIND_CHAIN"]
        assert refusals(ledger, number) == {"DATABASE_BEHIND_CHAIN"}
        # Certificates that are both in the older database and on the chain can still be read.
        assert ledger.verification.public_status(number)["state"] == "active"
        assert ledger.certificates.bundles.build(number).status.state == "active"
        ready = ledger.inspection.readiness()
        assert not ready["ledger"]["ok"] and ready["database"]["ok"] and ready["chain"]["ok"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("deployment.json", "DEPLOYMENT_MISSING"),
        ("installation.json", "INSTALLATION_FILE_MISSING"),
        ("keys/lookup.key", "KEY_FILE_MISSING"),
        ("keys/accounts.json", "KEY_FILE_MISSING"),
        ("keys/kek-1.key", "SEALING_KEY_MISSING"),
        ("offices/2/accounts.json", "KEY_FILE_MISSING"),
        ("chain/journal.jsonl", "JOURNAL_MISSING"),
        ("ledger.db", "DATABASE_MISSING"),
    ],
)
def test_a_lost_file_of_the_installation_is_reported_and_not_created_again(home: Path, name: str, code: str) -> None:
    (home / name).unlink()
    for _ in range(2):
        with pytest.raises(Misconfigured) as refused, open_ledger(Settings(home=home)):
            pass
        assert refused.value.code == code
        assert not (home / name).exists()
    assert asked(home, "certificate", "list")[1]["error"] == code


TEXT = "这不是密钥 not a key\n"


def flipped(raw: bytes) -> bytes:
    """Return the text with one changed hexadecimal digit in the middle."""
    place = next(place for place in range(len(raw) // 2, len(raw)) if raw[place : place + 1] in b"0123456789abcdef")
    return raw[:place] + (b"0" if raw[place : place + 1] != b"0" else b"1") + raw[place + 1 :]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("deployment.json", {"DEPLOYMENT_CHANGED"}),
        ("installation.json", {"INSTALLATION_FILE_DAMAGED", "DEPLOYMENT_CHANGED"}),
        ("keys/lookup.key", {"KEY_FILE_DAMAGED", "KEY_FILE_WRONG"}),
        ("keys/kek-1.key", {"KEY_FILE_DAMAGED", "SEALING_KEY_WRONG"}),
        ("keys/kek-current", {"KEY_FILE_DAMAGED"}),
        ("offices/1/accounts.json", {"KEY_FILE_DAMAGED"}),
        ("ledger.db", {"DATABASE_DAMAGED", "DATABASE_EMPTY", "DATABASE_MISSING"}),
    ],
)
@pytest.mark.parametrize("damage", ["emptied", "halved", "a text"])
def test_the_error_about_a_damaged_file_names_the_file(home: Path, name: str, codes: set[str], damage: str) -> None:
    path = home / name
    raw = path.read_bytes()
    damaged = {"emptied": b"", "halved": raw[: len(raw) // 2], "a text": TEXT.encode() * 400}[damage]
    if (name, damage) == ("keys/kek-current", "halved"):
        damaged = b"\xff\xfe"
    for side in ("ledger.db-wal", "ledger.db-shm"):
        (home / side).unlink(missing_ok=True)
    path.write_bytes(damaged)
    with pytest.raises(Misconfigured) as refused, open_ledger(Settings(home=home)):
        pass
    assert refused.value.code in codes
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("keys/lookup.key", "KEY_FILE_WRONG"),
        ("keys/kek-1.key", "SEALING_KEY_WRONG"),
        ("deployment.json", "DEPLOYMENT_CHANGED"),
    ],
)
def test_one_changed_digit_in_a_file_is_detected_when_the_ledger_is_opened(home: Path, name: str, code: str) -> None:
    (home / name).write_bytes(flipped((home / name).read_bytes()))
    with pytest.raises(Misconfigured) as refused, open_ledger(Settings(home=home)):
        pass
    assert refused.value.code == code


def test_a_key_file_with_the_key_of_another_account_is_not_used_to_sign(home: Path) -> None:
    path = home / "keys" / "accounts.json"
    keys = json.loads(path.read_text())
    with open_ledger(Settings(home=home)) as ledger:
        account = ledger.parties.register.get(ledger.installation.operator).account
    keys[account] = flipped(keys[account].encode()).decode()
    path.write_text(json.dumps(keys))
    with pytest.raises(Misconfigured, match="KEY_FILE_DAMAGED"), open_ledger(Settings(home=home)):
        pass


@pytest.mark.parametrize("damage", [b"", b"\xff" * 8_192], ids=["emptied", "overwritten"])
def test_a_damaged_database_file_does_not_lose_its_write_ahead_log(home: Path, damage: bytes) -> None:
    """If the ledger let SQLite open a database file that cannot be read, SQLite would delete the file's write-ahead
    log. So the ledger refuses the file before SQLite opens it.
    """
    path, log = home / "ledger.db", home / "ledger.db-wal"
    with open_ledger(Settings(home=home)) as ledger:
        number = playing(ledger).certificate("2")
        ledger.anchoring.flush()
        kept = {each: each.read_bytes() for each in (path, log)}
    assert kept[log]
    log.write_bytes(kept[log])
    path.write_bytes(damage)
    for _ in range(2):
        with pytest.raises(Misconfigured, match=r"DATABASE_(EMPTY|DAMAGED)"), open_ledger(Settings(home=home)):
            pass
    assert (path.read_bytes(), log.read_bytes()) == (damage, kept[log])
    path.write_bytes(kept[path])
    with open_ledger(Settings(home=home)) as ledger:
        assert ledger.coherence.findings() == []
        assert ledger.verification.public_status(number)["state"] == "active"


def test_a_lost_name_of_the_current_wrapping_key_is_not_replaced_by_a_default(home: Path) -> None:
    """If the ledger assumed a default key name, it could seal new texts with an old key."""
    with open_ledger(Settings(home=home)) as ledger:
        assert ledger.key_rotation.begin().current == "2"
    (home / "keys" / "kek-current").unlink()
    with pytest.raises(Misconfigured, match="KEY_FILE_MISSING"), open_ledger(Settings(home=home)):
        pass
    assert not (home / "keys" / "kek-current").exists()


def test_no_new_contracts_are_deployed_on_a_chain_that_lost_the_ledgers_contracts(home: Path) -> None:
    lines = journal(home).read_bytes().splitlines(keepends=True)
    journal(home).write_bytes(b"".join(lines[:2]))
    with pytest.raises(Incoherent, match="CHAIN_BEHIND_DATABASE"), open_ledger(Settings(home=home)):
        pass
    assert journal(home).read_bytes() == b"".join(lines[:2])


def test_nothing_is_written_while_the_clock_shows_a_time_before_the_newest_block(home: Path, number: str) -> None:
    with open_ledger(Settings(home=home)) as ledger:
        # The time is one day before the newest block. One day before now would not do: the copied ledger may be older
        # than a day, and then this time would be after its newest block.
        then = ledger.reader.latest().time - DAY
    with open_ledger(Settings(home=home), clock=lambda: then) as ledger:
        (finding,) = ledger.coherence.findings()
        assert finding.code == "CLOCK_WENT_BACK" and finding.details["newest"] - then == pytest.approx(DAY, abs=600)
        assert refusals(ledger, number) == {"CLOCK_WENT_BACK"}
    with open_ledger(Settings(home=home)) as ledger:
        assert ledger.coherence.findings() == []
        assert playing(ledger).certificate("3")


def test_a_database_of_another_ledger_is_refused(home: Path) -> None:
    with open_ledger(Settings(home=home)) as ledger, ledger.database.write() as session:
        session.connection().exec_driver_sql("UPDATE ledger_identity SET digest = ?", ("ab" * 32,))
    with pytest.raises(Misconfigured, match="LEDGER_DIFFERS"), open_ledger(Settings(home=home)):
        pass


def test_writing_continues_after_the_chain_is_restored(home: Path) -> None:
    with open_ledger(Settings(home=home)) as ledger:
        kept = journal(home).stat().st_size
        number = playing(ledger).certificate("2")
        ledger.anchoring.flush()
    whole = journal(home).read_bytes()
    lose_since(home, kept)
    with open_ledger(Settings(home=home)) as ledger:
        assert ledger.database.standing is not None
        assert ledger.anchoring.failure() is None
        with pytest.raises(Incoherent):
            ledger.anchoring.tick()
        failure = ledger.anchoring.failure()
        assert failure is not None and failure.code == "CHAIN_BEHIND_DATABASE"
    journal(home).write_bytes(whole)
    with open_ledger(Settings(home=home)) as ledger:
        assert ledger.anchoring.failure() == failure
        assert ledger.inspection.head()["failure"] == {"code": failure.code, "since": failure.since}
        assert ledger.verification.public_status(number)["state"] == "active"
        ledger.anchoring.tick()
        assert ledger.anchoring.failure() is None
        assert ledger.inspection.head()["failure"] is None


def test_a_write_does_not_compare_database_and_chain_again(home: Path) -> None:
    """Database and chain are compared when the ledger is opened, and in anchoring turns. A write only reads whether a
    comparison found a difference.
    """
    with open_ledger(Settings(home=home)) as ledger:
        statements: list[str] = []
        event.listen(ledger.database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
        with ledger.database.write() as session:
            session.connection().exec_driver_sql("UPDATE counter SET value = value")
        assert statements == ["BEGIN IMMEDIATE", "UPDATE counter SET value = value"]
