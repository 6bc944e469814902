"""What the system's errors about a file of ours mean: no room, no right, or something else."""

from __future__ import annotations

import errno
import os

import pytest

from ledger.domain.disk import disk_full, write_failure, writing
from ledger.errors import Misconfigured, StorageFull


def refused(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_is_a_full_disk(number: int) -> None:
    with pytest.raises(StorageFull, match="DISK_FULL") as caught, writing("keys/lookup.key"):
        raise refused(number)
    assert caught.value.where == "keys/lookup.key"
    assert caught.value.hint == disk_full().hint


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_no_right_to_write_is_named(number: int) -> None:
    with pytest.raises(Misconfigured, match="FILE_READ_ONLY") as caught, writing("keys/lookup.key"):
        raise refused(number)
    assert caught.value.where == "keys/lookup.key"


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EIO, errno.EMFILE])
def test_other_errors_are_left_as_they_are(number: int) -> None:
    assert write_failure(refused(number), "keys/lookup.key") is None
    with pytest.raises(OSError) as caught, writing("keys/lookup.key"):
        raise refused(number)
    assert caught.value.errno == number


def test_what_is_written_passes() -> None:
    with writing("keys/lookup.key"):
        pass
