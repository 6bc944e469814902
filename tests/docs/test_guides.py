"""The guides' commands, in order, in an empty folder each; in this process, which spares each its start."""

from __future__ import annotations

import re
import shlex
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_ledger
from tests.support.places import GUIDES

BLOCK = re.compile(r"(?:`(\S+)`:\n\n)?```(\w+)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize(("guide", "commands"), [("registration.md", 24), ("sealing.md", 8), ("fifty-firms.md", 12)])
def test_every_command_of_a_guide_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guide: str, commands: int
) -> None:
    monkeypatch.chdir(tmp_path)
    # As it is for whoever sets nothing.
    monkeypatch.delenv("PINGZHENG_DELAY")
    printed: dict[str, str] = {}
    blocks = BLOCK.findall((GUIDES / guide).read_text("utf-8"))
    with ExitStack() as stack:
        ran = sum(run_block(stack, printed, *block) for block in blocks)
    assert ran >= commands


def run_block(stack: ExitStack, printed: dict[str, str], name: str, kind: str, body: str) -> int:
    """Write a named block to its file; run a block of commands. Returns how many.

    ``PARTY`` stands for the party that was added last. Once there is a ledger, it stays open in ``stack``: beside it,
    as beside a running server, the commands share one chain and start none.
    """
    if name:
        Path(name).write_text(body, "utf-8")
    lines = body.splitlines() if kind == "sh" else []
    for line in lines:
        program, *arguments = (printed.get(word, word) for word in shlex.split(line))
        assert program == "pingzheng", line
        result = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
        assert result.exit_code == 0, f"{line}\n{result.output}{result.exception!r}"
        if arguments == ["init"]:
            stack.enter_context(open_ledger(Settings(home=Path("var"))))
        if arguments[:2] == ["party", "add"]:
            printed["PARTY"] = re.findall(r"\b[0-9a-f]{64}\b", result.stdout)[0]
    return len(lines)
