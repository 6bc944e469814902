"""On a full disk, an act is acknowledged only if it is completely stored. A refusal has an error code, and reading
still works.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.prepared_homes import Prepared
from tests.support.machine import small_disk
from tests.support.machine.fault_counts import Tally

CASES = ["database_at_every_page", "home_page_by_page", "backup", "archive", "keys", "inodes", "read_only"]


def test_a_disk_that_is_full_after_any_byte_of_a_journal_line_loses_no_act(tmp_path: Path, tally: Tally) -> None:
    small_disk.run("disk_cases", "journal_at_every_byte", tally, tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_a_full_disk_is_reported_and_no_acknowledged_act_is_lost(
    prepared: Prepared, tmp_path: Path, tally: Tally, case: str
) -> None:
    small_disk.run("disk_cases", case, tally, tmp_path, prepared.folder)
