"""Restores a ledger from its backup, archive and chain. After the backup, the ledger had written a hundred batches.

With an archive nothing is lost. Without an archive the lost entries are listed, their numbers are never used again, and
holders can return their certificates.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ledger.errors import PingzhengError
from ledger.installation.recovery.restoring import Restored, Sources, restore
from ledger.installation.wiring import Ledger
from ledger.usage.tables import AccessRequest
from tests.faults.far_ahead import BATCHES, Far, far_in
from tests.faults.home_files import DAMAGES, files_of
from tests.faults.prepared_homes import LATE, Prepared, opened, settings_of
from tests.support.machine.command_line import cli
from tests.support.machine.fault_counts import Tally

UNKNOWN = ["CERTIFICATE_UNKNOWN", "CERTIFICATE_LOST"]


@pytest.fixture(scope="module")
def far(prepared: Prepared) -> Far:
    return far_in(prepared)


def restored(far: Far, home: Path, **changes: Any) -> Restored:
    """Restore the ledger to a new home, from the backup and the chain as it is now."""
    return restore(settings_of(home), replace(Sources(far.backup, far.keys, chain=far.chain), **changes))


def refused(act: Callable[[], Any]) -> str:
    try:
        act()
    except PingzhengError as error:
        return error.code
    except Exception as error:  # the product must raise only its own errors, so any other exception is reported
        return f"FOREIGN {type(error).__name__}: {error}"[:200]
    return "DONE"


def new_certificates(prepared: Prepared, far: Far) -> list[str]:
    """Return three requests that were made before the backup and still have no certificate."""
    return [request for request in prepared.requests[LATE:] if request not in far.issued][:3]


def requests_of(ledger: Ledger) -> set[str]:
    with ledger.database.read() as session:
        return set(session.scalars(select(AccessRequest.id)))


def test_a_restore_with_an_archive_loses_nothing(prepared: Prepared, far: Far, tmp_path: Path, tally: Tally) -> None:
    result = restored(far, tmp_path / "home", archive=far.archive)
    tally.noticed("the home is gone; a backup, an archive and the chain are there", ["restored"], ["restored"])
    assert (result.log.lost, result.closed) == ((), 0)
    acts = far.acts(prepared, tally)
    with opened(tmp_path / "home") as ledger:
        tally.lost += sorted(set(far.asked) - requests_of(ledger))
        for request in new_certificates(prepared, far):
            acts.issue(ledger, request)
        acts.gone(ledger, [far.erased])
        acts.check(ledger)


def test_a_restore_without_an_archive_lists_the_lost_batches_and_holders_can_return_certificates(
    prepared: Prepared, far: Far, tmp_path: Path, tally: Tally
) -> None:
    result = restored(far, tmp_path / "home", erasures=far.archive / "erased.jsonl")
    listed = sum(batch.missing for batch in result.log.lost)
    tally.noticed("the home is gone; a backup and the chain are there", [f"{listed} lost"], [f"{BATCHES} lost"])
    # The texts stay unreadable: a lost batch may record an erasure, so the operator must first confirm that the list of
    # erasures is complete.
    assert result.closed > 0
    confirmed = cli(tmp_path / "home", "restore", "confirm-erasures", "--yes")
    assert confirmed.exit_code == 0, confirmed.text
    acts = far.acts(prepared, tally)
    with opened(tmp_path / "home") as ledger:
        for request in new_certificates(prepared, far):
            acts.issue(ledger, request)
        for number in far.issued.values():
            code = refused(partial(ledger.verification.public_status, number))
            tally.noticed(f"{number} is asked for, and nobody kept it", [code], UNKNOWN)
    brought = cli(tmp_path / "home", "log", "adopt", *far.bundles())
    assert brought.exit_code == 0, brought.text
    with opened(tmp_path / "home") as ledger:
        acts.gone(ledger, [far.erased])
        acts.check(ledger, gaps=True)


def test_texts_are_unreadable_after_a_restore_without_the_list_of_erasures(
    prepared: Prepared, far: Far, tmp_path: Path, tally: Tally
) -> None:
    result = restored(far, tmp_path / "home")
    tally.noticed("the list of erasures is gone", ["CLOSED" if result.closed else "OPEN"], ["CLOSED"])
    with opened(tmp_path / "home") as ledger:
        codes = {refused(partial(ledger.certificates.bundles.build, number)) for number in prepared.numbers[:2]}
        tally.noticed("a text whose erasure is not known is asked for", codes, ["SEALED_CLOSED"])


def test_the_error_names_each_lost_or_damaged_file_of_a_backup(far: Far, tmp_path: Path, tally: Tally) -> None:
    """The error names the file that is lost, truncated or changed, and no home is created."""
    for kind, original in (("backup", far.backup), ("keys", far.keys)):
        folder = tmp_path / kind
        for name in files_of(original):
            for damage in ("lost", "emptied", "halved", "flipped"):
                shutil.copytree(original, folder)
                DAMAGES[damage](folder / name)
                code = refused(partial(restored, far, tmp_path / "home", **{kind: folder}))
                tally.noticed(f"{name} of the {kind} is {damage}", [code], ["BACKUP_DAMAGED", "BACKUP_MISSING"])
                assert not (tmp_path / "home").exists()
                shutil.rmtree(folder)


def test_a_restore_from_files_that_do_not_belong_together_is_refused(
    prepared: Prepared, far: Far, tmp_path: Path, tally: Tally
) -> None:
    """The wrong files are: keys of another backup, the chain of another ledger, an older chain, and a missing or
    damaged archive.
    """
    other = tmp_path / "other archive"
    other.mkdir()
    damaged = tmp_path / "damaged archive"
    shutil.copytree(far.archive, damaged)
    (archived,) = damaged.glob("*.db")
    archived.write_bytes(archived.read_bytes()[:20_000])
    cases: dict[str, tuple[dict[str, Any], list[str]]] = {
        "another ledger's chain": ({"chain": prepared.other / "chain"}, ["CHAINS_DIFFER"]),
        "no chain where it should be": ({"chain": tmp_path}, ["CHAIN_FOLDER_MISSING"]),
        "an archive that is empty": ({"archive": other}, ["ARCHIVE_UNKNOWN"]),
        "an archive that is cut": ({"archive": damaged}, ["DATABASE_DAMAGED", "ARCHIVE_UNREADABLE"]),
        "no backup": ({"backup": tmp_path / "nowhere"}, ["BACKUP_MISSING"]),
        "keys for a backup": ({"backup": far.keys}, ["BACKUP_MISSING", "BACKUP_DAMAGED"]),
    }
    for name, (changes, expected) in cases.items():
        code = refused(partial(restored, far, tmp_path / "home", **changes))
        tally.noticed(f"a restore from {name}", [code], expected)
        assert not (tmp_path / "home").exists()
