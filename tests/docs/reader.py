"""A reader who follows a guide from top to bottom: it writes the guide's files, runs its commands, and remembers what
they print.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, open_ledger
from tests.docs.documents import Block

WORD: Final = re.compile(r"\b[A-Z][A-Z_]*(?:_\d+)?\b")
KEY_WORDS: Final = {"public_key": "KEY", "proof": "PROOF", "account": "ACCOUNT"}
# Words of a page that may have a number: REQUEST stands for the request that was printed last, REQUEST_2 for the second
# one.
COUNTED: Final = {"request": "REQUEST", "authorization": "AUTHORIZATION", "certificate_no": "CERTIFICATE"}
FAILURE: Final = re.compile(r"# exit code (\d+): (\w+)$")
SETTING: Final = re.compile(r"export (\w+)=(\S+)")


class Reader:
    """Follows a page in the current folder, which must be empty at first.

    A word in capitals in a command, such as ``FIRM_KEY``, stands for a value that an earlier command printed. If a
    command must fail, a comment gives its exit code and a word of its output: ``# exit code 1: NOT_PARTY``.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stack: ExitStack) -> None:
        self._monkeypatch, self._stack = monkeypatch, stack
        self.words: dict[str, str] = {}
        self.ledger: Ledger | None = None
        self.last: Any = None
        self.ran = 0

    def follow(self, blocks: Iterable[Block]) -> None:
        """Write each named block to its file, and run the lines of each block of commands."""
        for block in blocks:
            if block.name:
                path = Path(block.name)
                path.parent.mkdir(exist_ok=True)
                path.write_text(block.body, "utf-8")
            for line in block.body.splitlines() if block.kind == "sh" else ():
                if setting := SETTING.fullmatch(line):
                    self._monkeypatch.setenv(*setting.groups())
                else:
                    self.run(line)

    def run(self, line: str) -> None:
        """Run a line of the page with ``--json``; raise ``AssertionError`` if it does not end as the page says."""
        fails = FAILURE.search(line)
        program, *arguments = shlex.split(WORD.sub(lambda word: self.words.get(word[0], word[0]), line), comments=True)
        assert program == "pingzheng", line
        done = CliRunner().invoke(app, [*arguments, "--json"])
        expected = (int(fails[1]), fails[2]) if fails else (0, "")
        assert done.exit_code == expected[0] and expected[1] in done.output, f"{line}\n{done.output}{done.exception!r}"
        self.last = json.loads(done.stdout)
        self.ran += 1
        for row in self.last if isinstance(self.last, list) else [self.last]:
            if isinstance(row, dict):
                self._keep(arguments, row)
        if arguments == ["init"]:
            # A ledger is open here, as in a running server. So all commands use its local chain, and none starts
            # another.
            self.ledger = self._stack.enter_context(open_ledger(Settings(home=Path("var"))))
            self.words["NODE"] = self.ledger.client.connection.url

    def _keep(self, arguments: list[str], row: dict[str, Any]) -> None:
        if str(row.get("file", "")).endswith(".key"):
            name = Path(row["file"]).stem.upper()
            self.words |= {f"{name}_{word}": row[member] for member, word in KEY_WORDS.items() if member in row}
        for member, word in COUNTED.items():
            if isinstance(value := row.get(member), str) and value not in self.words.values():
                number = 1 + sum(known.startswith(f"{word}_") for known in self.words)
                self.words[f"{word}_{number}"] = self.words[word] = value
        if isinstance(row.get("no"), int) and "account" in row:
            self.words["NUMBER"] = str(row["no"])
        if isinstance(row.get("proposal"), int):
            self.words["PROPOSAL"] = str(row["proposal"])
        if "digest" in row:
            self.words["DIGEST"] = str(row["digest"])
        if "id" in row and "--file" in arguments:
            self.words[f"{Path(arguments[arguments.index('--file') + 1]).stem.upper()}_PARTY"] = row["id"]
        if "id" in row and arguments[:3] == ["catalogue", "demand", "file"]:
            number = 1 + sum(word.startswith("DEMAND_") for word in self.words)
            self.words[f"DEMAND_{number}"] = row["id"]
        if "id" in row and arguments[:3] == ["catalogue", "important", "add"]:
            self.words["ENTRY"] = row["id"]
