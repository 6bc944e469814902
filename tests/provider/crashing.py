"""A provider's round whose process kills itself at a named point: ``python -m tests.provider.crashing FOLDER POINT``.

``FOLDER`` holds ``round.json`` with the address of the platform's service, the party and the keys. Each query to the
source adds a line to the file ``asked``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from ledger.connectors.answers import Answer, Connector, Query, Supplied
from ledger.parties.custody import signer_of_key
from ledger.provider import provider as providers
from ledger.provider.answer_store import AnswerStore
from ledger.provider.platform import HttpPlatform
from ledger.provider.provider import Provider
from ledger.provider.run import go_round
from tests.support.actors.credit_bureau import AS_OF
from tests.support.actors.pilots import ROWS
from tests.support.machine.killing import arm

POINTS: dict[str, tuple[object, str, str]] = {
    "when the source has answered": (providers, "made_of", "before"),
    "when it is signed and not kept": (AnswerStore, "keep", "before"),
    "when it is kept and not sent": (HttpPlatform, "submit", "before"),
    "when the platform has it and has not answered": (HttpPlatform, "submit", "after"),
    "when the acknowledgement is noted": (AnswerStore, "received", "after"),
}


class Noting:
    """A source that adds a line to a file for each query."""

    def __init__(self, folder: Path) -> None:
        self._notes = folder / "asked"

    def ask(self, query: Query) -> Answer:
        with self._notes.open("a") as notes:
            notes.write("asked\n")
        return Supplied(ROWS, AS_OF, query.at, "某企业" if query.name else None)

    def connector(self, _scenario: str, _source: str) -> Connector:
        return self


def run(folder: Path, point: str) -> None:
    given = json.loads((folder / "round.json").read_text())
    provider = Provider(
        given["party"],
        signer_of_key(given["key"]),
        AnswerStore(folder / "records"),
        lambda: int(time.time()) + given["ahead"],
    )
    if point in POINTS:
        arm(*POINTS[point])
    for done in go_round(provider, HttpPlatform(given["service"], given["api_key"]), Noting(folder).connector):
        print(done.result, flush=True)


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2])
