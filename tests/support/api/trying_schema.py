"""Tests every operation as each role with schemathesis, which makes valid and invalid calls from the schema.

``scripts/try_schema.py`` runs this at length; the tests run it briefly.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.http.limits import Limits
from tests.support.api.parts import Api
from tests.support.api.raw_http import Service, serving
from tests.support.api.stage import Stage
from tests.support.places import PROJECT

PROGRAM = PROJECT / ".venv-clients" / "bin" / "schemathesis"
SCHEMA = PROJECT / "docs" / "openapi.json"
SETTINGS = Path(__file__).parent / "schemathesis.toml"
# The letter ``U`` stands for calls without a session. Every other letter is a column of the role matrix. The official
# roles come last, because their calls change other parties.
ROLES = ("U", "S", "P", "C", "T", "B", "X", "D", "R", "V", "I", "A")
PHASES = ("examples", "coverage", "fuzzing", "stateful")
YEAR = 300 * 86_400
_FOREIGN_METHOD = re.compile(r"Unsupported method (\w+) returned")


@dataclass(frozen=True)
class Tried:
    """The result of one role's run: the statuses of all answers, and the errors found."""

    role: str
    statuses: Counter[int]
    failures: tuple[str, ...]

    @property
    def calls(self) -> int:
        """The number of answers."""
        return self.statuses.total()


class Trying:
    """A service with a party of every role on its stage; reports are written to ``folder``."""

    def __init__(self, service: Service, stage: Stage, folder: Path) -> None:
        self._service, self._stage, self._folder = service, stage, folder

    def run(self, role: str, phases: Sequence[str], *, examples: int, seed: int) -> Tried:
        """Test all operations as this role, with ``examples`` generated calls for each operation."""
        report = self._folder / f"{role}.ndjson"
        command: list[str | Path] = [PROGRAM, "--config-file", SETTINGS, "run", SCHEMA]
        command += ["--url", f"http://127.0.0.1:{self._service.port}", "--phases", ",".join(phases)]
        command += ["--seed", str(seed), "--max-examples", str(examples), "--no-shrink"]
        command += ["--report-ndjson-path", report, *self._caller(role)]
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        (self._folder / f"{role}.txt").write_text(done.stdout + done.stderr, "utf-8")
        if not report.exists():
            raise AssertionError(done.stdout + done.stderr)
        return _read(role, report)

    def _caller(self, role: str) -> list[str]:
        """Return an API key of the party with all scopes. A session could be ended by one of the generated calls; an
        API key cannot end itself.
        """
        if role == "U":
            return []
        ends = self._stage.ledger.clock() + YEAR
        wanted = {"name": "schema", "scopes": ["read", "act", "payload"], "expires_at": ends}
        made = self._stage.post(role, "/v1/api-keys", wanted).json()
        return ["--header", f"Authorization: Bearer {made['key']}"]


@contextmanager
def trying(api: Api, stage: Stage, folder: Path) -> Iterator[Trying]:
    """Open a service that has no limit for calls without a session. With a limit, most of these calls would only get
    the answer 429.
    """
    with serving(api.pilot.ledger, Limits(public_reserve=10**9)) as service:
        yield Trying(service, stage, folder)


def _read(role: str, report: Path) -> Tried:
    statuses: Counter[int] = Counter()
    failures: list[str] = []
    with report.open(encoding="utf-8") as lines:
        for line in lines:
            finished = json.loads(line).get("ScenarioFinished")
            if finished is None:
                continue
            recorder: dict[str, Any] = finished["recorder"]
            label = recorder["label"]
            answers = (each.get("response") for each in recorder.get("interactions", {}).values())
            statuses.update(answer["status_code"] for answer in answers if answer)
            checks = (check for checks in recorder.get("checks", {}).values() for check in checks)
            failed = (check for check in checks if check["status"] == "failure")
            failures += [f"{label}: {_reason(check)}" for check in failed if not _documented_elsewhere(label, check)]
    return Tried(role, statuses, tuple(failures))


def _documented_elsewhere(label: str, check: dict[str, Any]) -> bool:
    """Return whether the call's method, which schemathesis reports as undocumented, is documented under another path
    template that also fits the call's address.

    ``GET /v1/requests/draft`` also fits ``GET /v1/requests/{request}``; schemathesis compares only the templates.
    """
    found = _FOREIGN_METHOD.search(json.dumps(check.get("failure_info")))
    if check["name"] != "unsupported_method" or found is None:
        return False
    address, method = label.split()[1], found[1].lower()
    paths = json.loads(SCHEMA.read_text("utf-8"))["paths"]
    return any(
        method in operations and path != address and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), address)
        for path, operations in paths.items()
    )


def _reason(check: dict[str, Any]) -> str:
    return f"{check['name']}: {json.dumps(check.get('failure_info'), ensure_ascii=False)[:800]}"
