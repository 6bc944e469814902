"""Errors of the operating system when a file is written: a full disk, no permission, or another cause."""

from __future__ import annotations

import errno
import os

import pytest

from ledger.domain.disk import disk_full, write_failure, writing
from ledger.errors import Misconfigured, StorageFull


def refused(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_raises_disk_full(number: int) -> None:
    with pytest.raises(StorageFull, match="DISK_FULL") as caught, writing("keys/lookup.key"):
        raise refused(number)
    assert caught.value.where == "keys/lookup.key"
    assert caught.value.hint == disk_full().hint


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_missing_write_permission_raises_file_read_only(number: int) -> None:
    with pytest.raises(Misconfigured, match="FILE_READ_ONLY") as caught, writing("keys/lookup.key"):
        raise refused(number)
    assert caught.value.where == "keys/lookup.key"


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EIO, errno.EMFILE])
def test_errors_other_than_a_full_disk_or_a_missing_permission_are_not_changed(number: int) -> None:
    assert write_failure(refused(number), "keys/lookup.key") is None
    with pytest.raises(OSError) as caught, writing("keys/lookup.key"):
        raise refused(number)
    assert caught.value.errno == number


def test_successful_write_raises_nothing() -> None:
    with writing("keys/lookup.key"):
        pass
