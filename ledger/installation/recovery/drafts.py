"""Drafts: the folders in which backups and restores are built. A program that is killed leaves its draft behind.

A draft has the same parent folder as the final folder, whose name it gets at the end. The program that builds a draft
holds a lock on the draft, so a draft without a lock was left behind by a killed program.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ledger.domain.findings import Finding

_NAME: Final = re.compile(r"\..+\.[0-9a-f]{8}\.draft")
# For each file and folder of a backup: what it holds, in plain words.
_HELD: Final = {
    "keys": "private keys",
    "offices": "keys of the offices",
    "ledger.db": "the database",
    "chain": "the local chain",
}


@contextmanager
def locked_draft(target: Path) -> Iterator[Path]:
    """Create a private, locked folder, which the caller renames to ``target``; delete it if it was not renamed."""
    target.absolute().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.absolute().parent / f".{target.absolute().name}.{secrets.token_hex(4)}.draft"
    draft.mkdir(mode=0o700)
    descriptor = os.open(draft, os.O_RDONLY)
    try:
        # A network disk may not support locks; then the draft has no lock.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        os.close(descriptor)


def drafts_left(home: Path) -> Iterator[Finding]:
    """Yield a finding for each draft that a killed program left beside ``home``.

    Nothing is yielded if the folder of the drafts cannot be listed.
    """
    try:
        beside = sorted(path for path in home.absolute().parent.iterdir() if _NAME.fullmatch(path.name))
    except OSError:
        return
    for path in beside:
        if path.is_dir() and not _is_held(path):
            held = [text for name, text in _HELD.items() if (path / name).exists()]
            yield Finding(
                "DRAFT_LEFT",
                f"A killed backup or restore left a folder that contains: {', '.join(held) or 'no files yet'}.",
                str(path),
                f"No program uses the folder. Delete it: rm -r {shlex.quote(str(path))}",
                {"holds": held},
            )


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
