"""Runs an installation in its own process: ``python -m tests.certificates.rival_installation <home>``.

Each input line is the name of a file with presentations. The process prints ``ready`` and waits for another line. Then
it accepts all presentations at once, each in its own thread, and prints the results in order: ``[result, ordinal of the
use or null]``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from ledger.cli.shell.opening import configure_logging
from ledger.installation.participant import Participant
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_participant


def hand_in(installation: Participant, consumer: str, presented: list[Mapping[str, str]]) -> list[object]:
    together = Barrier(len(presented))

    def present(one: Mapping[str, str]) -> object:
        together.wait()
        verified = installation.verification.accept(installation.actor(consumer), one["bundle"].encode(), one["nonce"])
        return [verified.report.result, verified.use.ordinal if verified.use else None]

    with ThreadPoolExecutor(len(presented)) as pool:
        return list(pool.map(present, presented))


if __name__ == "__main__":
    # Log lines go to standard error, because the test reads results from standard output.
    configure_logging()
    with open_participant(Settings(home=Path(sys.argv[1]))) as opened:
        while file := sys.stdin.readline().strip():
            given = json.loads(Path(file).read_text())
            print("ready", flush=True)
            sys.stdin.readline()
            print(json.dumps(hand_in(opened, given["consumer"], given["presented"])), flush=True)
