"""Every file of a home, lost or damaged: each has its clear error, nothing is made again in silence.

The home is one after a power cut, which has all the files that there can be. What is damaged is put back after each
answer; at the end everything that was acknowledged must be there.
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
    """By which code a damage is noticed; ``but`` are damages that this file is not given."""
    told = {"lost": missing} | dict.fromkeys(CONTENT, damaged) | others
    return {name: codes for name, codes in told.items() if name not in but}


def harmless(**others: Codes) -> dict[str, Codes]:
    """A file that the next opening makes again, or that nothing rests on."""
    return {"lost": FINE, "overwritten": FINE, "replaced": FINE, "a folder": FINE} | others


def lock() -> dict[str, Codes]:
    """Locks are empty: there is nothing in them to damage. Where a folder stands, nobody can lock."""
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
        # A bit more or less of a hex digit may be no digit.
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


def test_the_table_has_every_file_of_a_home(prepared: Prepared) -> None:
    assert sorted({*files_of(prepared.cut), *files_of(prepared.late)}) == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_is_lost_or_damaged(prepared: Prepared, tmp_path: Path, acts: Acts, tally: Tally, name: str) -> None:
    home, waiting = copied(prepared.cut, tmp_path / "home"), iter(prepared.waiting())
    for damage, expected in EXPECTED[name].items():
        if name in DATABASE:
            # A database that was closed well has no log: each damage follows a power cut of its own.
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
            acts.told(request, answer.told["certificate_no"])
        else:
            # The three files of a database are one: its log is put back with it.
            for each_file in DATABASE if name == "ledger.db-wal" else (name,):
                put_back(home, each_file, prepared.cut)
        if name in DATABASE:
            _check(home, acts)
    with opened(home) as ledger:
        acts.issue(ledger, next(waiting))
        acts.check(ledger)


def findings(home: Path) -> list[str]:
    """What `pingzheng doctor` finds: not every damage keeps a ledger from being opened."""
    return [str(each["code"]) for part in cli(home, "doctor").told["parts"] for each in part["findings"]]


def _check(home: Path, acts: Acts) -> None:
    with opened(home) as ledger:
        acts.check(ledger)
