"""A database whose rows were moved often, with deleted values in the gaps of its pages."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Final

from ledger.store import page_gaps
from tests.support.machine.file_contents import contents

SIZES: Final = (0, 100, 700, 2500, 9000)


class Churned:
    """A database in which rows were added, changed and deleted at random, so that SQLite moved many rows.

    ``gone`` are the deleted secrets, ``kept`` the secrets that are still stored.
    """

    def __init__(self, file: Path, seed: int) -> None:
        self.file = file
        self._chance = random.Random(seed)
        self.gone: list[bytes] = []
        self.kept: dict[int, str] = {}
        self.connection = sqlite3.connect(file, isolation_level=None)
        for setting in ("journal_mode=WAL", "secure_delete=ON", "synchronous=OFF", "cache_size=-100"):
            self.connection.execute(f"PRAGMA {setting}")
        self.connection.execute("CREATE TABLE text (id INTEGER PRIMARY KEY, secret TEXT UNIQUE, size TEXT)")
        self.connection.execute("CREATE INDEX sizes ON text (substr(secret, 5), id)")

    def churn(self, turns: int) -> None:
        for _ in range(turns):
            before, gone = dict(self.kept), list[str]()
            self.connection.execute("BEGIN IMMEDIATE")
            for _ in range(self._chance.randint(1, 30)):
                self._change(gone)
            if self._chance.random() < 0.1:
                self.connection.execute("ROLLBACK")
                gone = [secret for secret in self.kept.values() if secret not in before.values()]
                self.kept = before
            else:
                self.connection.execute("COMMIT")
            self.gone += [secret.encode() for secret in gone]

    def _change(self, gone: list[str]) -> None:
        turn, execute = self._chance.random(), self.connection.execute
        size = "x" * self._chance.choice(SIZES)
        if turn < 0.35 or not self.kept:
            key = self._chance.randint(0, 10**6)
            gone += [self.kept[key]] if key in self.kept else []
            self.kept[key] = self._chance.randbytes(32).hex()
            execute("INSERT OR REPLACE INTO text VALUES (?, ?, ?)", (key, self.kept[key], size))
            return
        key = self._chance.choice(list(self.kept))
        if turn < 0.75:
            execute("UPDATE text SET size = ? WHERE id = ?", (size, key))
        elif turn < 0.9:
            gone.append(self.kept[key])
            self.kept[key] = self._chance.randbytes(32).hex()
            execute("UPDATE text SET secret = ? WHERE id = ?", (self.kept[key], key))
        else:
            gone.append(self.kept.pop(key))
            execute("DELETE FROM text WHERE id = ?", (key,))

    def left(self, *secrets: bytes) -> list[bytes]:
        """Return those secrets of which at least 16 bytes are in a file. Without arguments, all deleted secrets are
        searched for.
        """
        files = b"".join(contents(self.file.parent, f"{self.file.name}*").values())
        return [secret for secret in secrets or self.gone if secret[:16] in files or secret[-16:] in files]

    def require_sound(self) -> None:
        assert self.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert dict(self.connection.execute("SELECT id, secret FROM text")) == self.kept


def plant(churned: Churned, secret: bytes, pages: int = 1) -> list[int]:
    """Write a secret into the gaps of pages, as if SQLite had moved the row of the secret; return the pages'
    numbers.
    """
    assert churned.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    code = (
        "import os, sys, page_gaps as g; file = os.open(sys.argv[1], os.O_RDWR); found = []\n"
        "size, usable = g.page_layout(file); secret = bytes.fromhex(sys.argv[2])\n"
        "for number in range(2, os.fstat(file).st_size // size + 1):\n"
        "    begin, end = g.gap_of(os.pread(file, size, (number - 1) * size), usable)\n"
        "    if end - begin > len(secret) and len(found) < int(sys.argv[3]):\n"
        "        os.pwrite(file, secret, (number - 1) * size + end - len(secret)); found.append(number)\n"
        "print(found)"
    )
    asked = [sys.executable, "-c", code, str(churned.file), secret.hex(), str(pages)]
    folder = str(Path(page_gaps.__file__).parent)
    found = subprocess.check_output(asked, env=os.environ | {"PYTHONPATH": folder})
    churned.gone.append(secret)
    return [int(number) for number in found.strip(b"[]\n").split(b",") if number]
