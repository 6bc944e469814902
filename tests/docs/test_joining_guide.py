"""Follows docs/guides/joining.md from top to bottom, with two services in two processes."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.docs.documents import blocks, commands
from tests.support.places import GUIDES, PROJECT

GUIDE = GUIDES / "joining.md"
COMMANDS = commands(GUIDE)
PROGRAM = [sys.executable, "-c", "from ledger.cli.program import run; run()"]
PORTS = {"8000": "18000", "8001": "18001"}
STARTING_SECONDS = 60


@pytest.fixture
def environment() -> dict[str, str]:
    """Return the environment of a reader who sets no environment variable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PINGZHENG_")}
    return kept | {"PYTHONPATH": str(PROJECT), "COLUMNS": "200"}


def test_a_bank_joins_by_following_only_the_guide(tmp_path: Path, environment: dict[str, str]) -> None:
    for block in blocks(GUIDE):
        if block.name:
            (tmp_path / block.name).write_text(block.body, "utf-8")
    words: dict[str, str] = {}
    with ExitStack() as terminals:
        for line in COMMANDS:
            arguments = [moved(words.get(word, word)) for word in shlex.split(line)[1:]]
            if arguments[0] == "serve":
                if "--port" not in arguments:
                    arguments += ["--port", PORTS["8000"]]
                terminals.enter_context(serving(tmp_path, environment, arguments))
                words.setdefault("NODE", json.loads((tmp_path / "var/chain/node.json").read_text())["url"])
                continue
            printed = ran(tmp_path, environment, arguments)
            if arguments[:2] == ["key", "prove"]:
                words |= {"BANK_KEY": printed["public_key"], "BANK_PROOF": printed["proof"]}
            if arguments[:2] == ["api-key", "new"]:
                words["API_KEY"] = printed["id"]
            if arguments[:2] == ["sessions", "list"]:
                (session,) = printed
                words["SESSION"] = session["id"]
            if arguments[0] == "status":
                assert all(check["ok"] for check in printed.values())
        key = (tmp_path / "desk.api").read_text().strip()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{PORTS['8001']}/v1/readings", headers={"Authorization": f"Bearer {key}"}
        )
        with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(asked, timeout=10):
            pass
    # The service accepts the API key, but refuses the call, because only the operator's installation serves this call.
    assert (refused.value.code, json.loads(refused.value.read())["code"]) == (403, "NOT_THE_OPERATOR")
    assert len(COMMANDS) == 18


def moved(word: str) -> str:
    """Replace the port in a word of the guide by another port, because the guide's port may be in use."""
    return re.sub(r"\b(8000|8001)\b", lambda found: PORTS[found[0]], word)


def ran(folder: Path, environment: dict[str, str], arguments: list[str]) -> Any:
    done = subprocess.run(
        [*PROGRAM, *arguments, "--json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout}{done.stderr}"
    return json.loads(done.stdout)


@contextmanager
def serving(folder: Path, environment: dict[str, str], arguments: list[str]) -> Iterator[None]:
    """Run a service in a separate process, as in a second terminal, and wait until the service answers."""
    port = arguments[arguments.index("--port") + 1]
    with subprocess.Popen(
        [*PROGRAM, *arguments], cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            deadline = time.monotonic() + STARTING_SECONDS
            while not answers(port):
                assert process.poll() is None, f"{arguments} ended with {process.returncode}"
                assert time.monotonic() < deadline, f"{arguments} does not answer"
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def answers(port: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
