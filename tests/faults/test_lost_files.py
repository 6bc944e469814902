"""Every file of a home is lost or damaged, one after the other. Each case has a clear error, and no lost file is
silently replaced by a new one.

The home is copied as after a power cut, because it then has every possible file. Each damage is repaired after its
case, and at the end the results of all acknowledged acts must exist.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.faults.acknowledged import Acts
from tests.faults.home_files import DAMAGES, files_of, put_back
from tests.faults.prepared_homes import Prepared, copied, opened
from tests.support.machine.command_line import cli
from tests.support.machine.fault_counts import Tally

Codes = tuple[str, ...]
FINE: Final[Codes] = ()
ALL: Final = tuple(DAMAGES)
CONTENT: Final = ("emptied", "halved", "overwritten", "flipped", "replaced", "a folder")
DATABASE: Final = ("ledger.db", "ledger.db-wal", "ledger.db-shm")


def each(missing: Codes, damaged: Codes, *but: str, **others: Codes) -> dict[str, Codes]:
    """Return a map from each damage of a file to its error codes. The damage "lost" has the codes ``missing``, and
    every other damage has the codes ``damaged``, except where ``others`` gives codes for a damage. The damages in
    ``but`` are not tried.
    """
    expected = {"lost": missing} | dict.fromkeys(CONTENT, damaged) | others
    return {name: codes for name, codes in expected.items() if name not in but}


def harmless(**others: Codes) -> dict[str, Codes]:
    """Return the damages of a file that give no error code, because the next opening creates the file again or nothing
    needs it. ``others`` has the damages that do give codes.
    """
    return {"lost": FINE, "overwritten": FINE, "replaced": FINE, "a folder": FINE} | others


def lock() -> dict[str, Codes]:
    """Return the error codes for a lock file. A lock file has no content, so only a folder in its place is an error."""
    return {"lost": FINE, "replaced": FINE, "a folder": ("FILE_REFUSED", "JOURNAL_UNWRITABLE")}


KEYS: Final = each(("KEY_FILE_MISSING",), ("KEY_FILE_DAMAGED", "FILE_REFUSED"))
BEHIND: Final = ("DATABASE_BEHIND_CHAIN",)
EXPECTED: Final[dict[str, dict[str, Codes]]] = {
    "chain/clock.json": each(("CLOCK_FILE_MISSING",), ("CLOCK_FILE_DAMAGED",)),
    "chain/journal.jsonl": each(
        ("JOURNAL_MISSING",),
        ("JOURNAL_DAMAGED", "JOURNAL_UNWRITABLE"),
        emptied=("JOURNAL_MISSING",),
        halved=("CHAIN_BEHIND_DATABASE", "CONTRACT_MISSING"),
    ),
    "chain/journal.lock": lock(),
    "chain/node.json": harmless(),
    "chain/node.log": harmless(),
    "chain/owner.lock": lock(),
    "deployment.json": each(("DEPLOYMENT_MISSING",), ("DEPLOYMENT_CHANGED", "DEPLOYMENT_MISSING")),
    "installation.json": each(("INSTALLATION_FILE_MISSING",), ("INSTALLATION_FILE_DAMAGED", "FILE_REFUSED")),
    "keys/accounts.json": KEYS,
    "keys/kek-1.key": each(
        ("SEALING_KEY_MISSING", "KEY_FILE_MISSING"),
        ("KEY_FILE_DAMAGED", "FILE_REFUSED"),
        # A flipped bit gives another hex digit (a wrong key), or a character that is no hex digit (a damaged file).
        flipped=("SEALING_KEY_WRONG", "KEY_FILE_DAMAGED"),
    ),
    "keys/kek-current": each(("KEY_FILE_MISSING",), ("KEY_FILE_DAMAGED", "FILE_REFUSED"), "halved", "flipped"),
    "keys/lookup.key": KEYS | {"flipped": ("KEY_FILE_WRONG", "KEY_FILE_DAMAGED")},
    "ledger.db": each(
        ("DATABASE_MISSING",),
        ("DATABASE_DAMAGED", "DATABASE_EMPTY", "DATABASE_UNREACHABLE"),
        "flipped",
        emptied=("DATABASE_EMPTY", "DATABASE_MISSING"),
    ),
    "ledger.db-shm": harmless(**{"a folder": ("DATABASE_READ_ONLY", "DATABASE_UNREACHABLE")}),
    "ledger.db-wal": each(BEHIND, BEHIND, "emptied", "replaced", **{"a folder": ("DATABASE_UNREACHABLE",)}),
    "offices/1/accounts.json": KEYS,
    "offices/2/accounts.json": KEYS,
    "offices/3/accounts.json": KEYS,
    "opening.lock": lock(),
    "proposing.lock": {"lost": FINE, "replaced": FINE},
    "seen.json": each(FINE, ("SEEN_FORM", "FILE_REFUSED"), "flipped"),
    "seen.lock": {"lost": FINE, "replaced": FINE},
}


def test_the_table_of_this_test_lists_every_file_of_a_ledgers_home_folder(prepared: Prepared) -> None:
    assert sorted({*files_of(prepared.cut), *files_of(prepared.late)}) == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_loss_or_damage_of_a_file_of_the_home_folder_gives_the_expected_error(
    prepared: Prepared, tmp_path: Path, acts: Acts, tally: Tally, name: str
) -> None:
    home, waiting = copied(prepared.cut, tmp_path / "home"), iter(prepared.waiting())
    for damage, expected in EXPECTED[name].items():
        if name in DATABASE:
            # Each damage is done to a new copy as after a power cut, because a properly closed database has no
            # write-ahead log.
            home = copied(prepared.cut, tmp_path / f"home before {damage}")
            acts.forget()
        DAMAGES[damage](home / name)
        request = next(waiting)
        answer = cli(home, "certificate", "issue", request)
        fault = f"{name} is {damage}"
        if expected == FINE:
            tally.harmless(fault, [] if answer.code is None else [answer.code])
        else:
            tally.noticed(fault, [answer.code] if answer.code else findings(home), expected)
        if answer.exit_code == 0:
            acts.add(request, answer.printed["certificate_no"])
        else:
            # If the write-ahead log was damaged, all three files of the database are restored, because they belong
            # together.
            for each_file in DATABASE if name == "ledger.db-wal" else (name,):
                put_back(home, each_file, prepared.cut)
        if name in DATABASE:
            _check(home, acts)
    with opened(home) as ledger:
        acts.issue(ledger, next(waiting))
        acts.check(ledger)


def findings(home: Path) -> list[str]:
    """Return the findings of `pingzheng doctor`, which also finds damages that do not stop a ledger from opening."""
    return [str(each["code"]) for part in cli(home, "doctor").printed["parts"] for each in part["findings"]]


def _check(home: Path, acts: Acts) -> None:
    with opened(home) as ledger:
        acts.check(ledger)
