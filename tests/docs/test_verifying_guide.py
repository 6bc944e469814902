"""Follows docs/guides/verifying.md as an engineer of a bank, who has only the built wheel and its dependencies.

The environment is a venv without pip. Its Python refuses every socket, and its clock is set by the test.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from ledger.domain.days import DAY
from ledger.domain.entry_forms import VERIFICATION_RESULTS
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.rulebooks.templates import template_reference
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import (
    ANCHORED,
    AT,
    BANK,
    BLOCK_TIME,
    CHAIN,
    EXPIRES,
    HIDDEN,
    ISSUED,
    NONCE,
    OTHER_BANK,
    SUBJECT,
)
from tests.support.bundles.changes import ruled
from tests.support.bundles.made import Made
from tests.support.bundles.sm_cast import sm_usage
from tests.support.places import PROJECT

GUIDE = (PROJECT / "docs" / "guides" / "verifying.md").read_text("utf-8")
RULES, LINES, LATER = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
NOT_THERE = (
    "web3",
    "requests",
    "sqlalchemy",
    "fastapi",
    "eth_account",
    "pydantic",
    "yaml",
    "httpx",
    "pip",
    "pytest",
)
CUT_OFF = """
import os, sys, time

def no_network(event, args):
    if event.startswith("socket."):
        raise OSError("there is no network here")

sys.addaudithook(no_network)
if "NOW" in os.environ:
    time.time = lambda: float(os.environ["NOW"])
"""


@dataclass(frozen=True)
class Environment:
    """A Python environment with the package and its dependencies; ``packages`` are the installed distributions."""

    python: Path
    packages: frozenset[str]

    def run(self, code: str, folder: Path, now: int = AT) -> subprocess.CompletedProcess[str]:
        command = [str(self.python), "-I", "-X", "utf8", "-c", code]
        settings = {"NOW": str(now), "PATH": os.environ["PATH"]}
        return subprocess.run(
            command, cwd=folder, env=settings, capture_output=True, text=True, timeout=60, check=False
        )


def declared(name: str) -> Iterator[Distribution]:
    """Yield a distribution and all its dependencies that this system needs. Optional extras are not included."""
    found = distribution(name)
    yield found
    for text in found.requires or ():
        need = Requirement(text)
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            yield from declared(need.name)


def build_wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, timeout=120)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(build_wheel(folder)) as wheel:
        wheel.extractall(packages)
        (metadata,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        needs = re.findall(r"^Requires-Dist: ([^;\n]+)$", wheel.read(metadata).decode(), re.MULTILINE)
    installed = {item.name: item for need in needs for item in declared(Requirement(need).name)}
    for item in installed.values():
        for file in item.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = packages / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(Path(str(item.locate_file(file))).resolve())
    # The module has a name of its own. If it were named sitecustomize, a module of this name in the system would be
    # imported instead.
    (packages / "cut_off.py").write_text(CUT_OFF)
    (packages / "cut_off.pth").write_text("import cut_off\n")
    return Environment(folder / "bin" / "python", frozenset(installed))


def test_the_error_names_the_extra_to_install_if_the_service_extra_is_missing(
    bare: Environment, tmp_path: Path
) -> None:
    program = """
from importlib.metadata import entry_points
(script,) = entry_points(group="console_scripts", name="pingzheng")
script.load()()
"""
    done = bare.run(program, tmp_path)
    assert done.returncode == 2
    assert "pip install 'pingzheng[service]'" in done.stderr and "Traceback" not in done.stderr


def hold(folder: Path, made: Made, consumer: str = BANK.id, **more: Any) -> None:
    """Write the three files of the guide into the folder."""
    (folder / "bundle.json").write_bytes(made.bundle.to_bytes())
    (folder / "facts.json").write_bytes(made.facts.to_bytes())
    asked = {"consumer": consumer, "nonce": NONCE, "accept": ACCEPT, "templates": [TEMPLATE]}
    (folder / "request.json").write_text(json.dumps(asked | more))


def test_the_guides_environment_has_only_the_packages_of_the_verifier(bare: Environment, tmp_path: Path) -> None:
    code = f"""
import importlib.metadata, importlib.util, ledger, sys
print(sorted(item.name for item in importlib.metadata.distributions()))
print([name for name in {NOT_THERE} if importlib.util.find_spec(name)])
print(ledger.__file__.startswith(sys.prefix))
"""
    done = bare.run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    names, others, own = done.stdout.splitlines()
    assert names == str(sorted({*bare.packages, "pingzheng"}))
    # The limit on the number of packages leaves room for dependencies that not every release has: cryptography installs
    # cffi and pycparser, and some releases of coincurve install asn1crypto.
    assert {"coincurve", "cryptography", "orjson", "rfc8785"} <= bare.packages and len(bare.packages) <= 6
    assert (others, own) == ("[]", "True")


@pytest.mark.parametrize("line", ["import ledger.chain.reading.reader", "import socket; socket.socket()"])
def test_the_guides_environment_cannot_import_the_chain_package_or_use_the_network(
    bare: Environment, tmp_path: Path, line: str
) -> None:
    assert bare.run(line, tmp_path).returncode != 0


def test_the_program_of_the_guide_has_twelve_lines() -> None:
    assert len([line for line in LINES.splitlines() if line.strip()]) == 12


ACCEPT: dict[str, list[Any]] = {"tax_band": ["A", "B"], "power_trend": [2, 3]}
TEMPLATE = usage().claims["template"]
OTHER_COLUMN = {"op": "latest", "column": "turnover", "order": "month", "choices": ["A", "B", "C"]}
CASES: dict[str, tuple[str, Callable[[], Made], int, str]] = {
    "genuine": ("lend valid OK", usage, AT, BANK.id),
    "more than asked": ("lend valid OK", lambda: usage().presenting(*HIDDEN), AT, BANK.id),
    "nothing disclosed": ("refuse valid FIELDS_MISSING", lambda: usage().presenting(), AT, BANK.id),
    "a value that the bank does not accept": (
        "refuse valid NOT_ACCEPTED",
        lambda: usage(hidden={**HIDDEN, "tax_band": "C"}),
        AT,
        BANK.id,
    ),
    "one field short": ("refuse valid FIELDS_MISSING", lambda: usage().presenting("tax_band"), AT, BANK.id),
    "other rules under the scenario's name": (
        "refuse refused TEMPLATE_NOT_EXPECTED",
        lambda: usage(template={"fields": ruled("tax_band", OTHER_COLUMN)}),
        AT,
        BANK.id,
    ),
    "consent that came later": (
        "refuse refused EVIDENCE_ANCHORED_LATER",
        lambda: usage().anchoring(0, ANCHORED + 1),
        AT,
        BANK.id,
    ),
    "to the last second": (
        "lend valid OK",
        lambda: usage().presenting("tax_band", "power_trend", at=EXPIRES - 60).knowing(block_time=EXPIRES - 60),
        EXPIRES - 1,
        BANK.id,
    ),
    "a second later": ("refuse expired EXPIRED", lambda: usage().knowing(block_time=EXPIRES - 60), EXPIRES, BANK.id),
    "used up": ("refuse used_up USED_UP", lambda: usage().used(AT - 3, AT - 2, AT - 1), AT, BANK.id),
    "revoked": ("refuse revoked REVOKED", lambda: usage().status(("revoked", "fraud", AT - 9)), AT, BANK.id),
    "consent withdrawn": (
        "refuse revoked AUTHORIZATION_WITHDRAWN",
        lambda: usage().withdrawn((SUBJECT, AT - 9)),
        AT,
        BANK.id,
    ),
    "for another bank": ("refuse not_party NOT_PARTY", usage, AT, OTHER_BANK.id),
    "yesterday's presentation": (
        "refuse refused KEY_BINDING_DIFFERS",
        lambda: usage().presenting("tax_band", nonce="yesterday's"),
        AT,
        BANK.id,
    ),
    "authorization by another": (
        "refuse refused AUTHORIZATION_NOT_BY_SUBJECT",
        lambda: usage(subject_key=OTHER_BANK),
        AT,
        BANK.id,
    ),
    "certificate changed": (
        "refuse tampered SIGNATURE_INVALID",
        lambda: usage().presenting("tax_band", token=usage(claims={"purpose": "Another"}).token[:-86] + "A" * 86),
        AT,
        BANK.id,
    ),
    "suspended": (
        "later suspended SUSPENDED",
        lambda: usage().status(("suspended", "investigation", AT - 9)),
        AT,
        BANK.id,
    ),
    "not valid yet": (
        "later not_yet_valid NOT_YET_VALID",
        lambda: usage().knowing(block_time=ISSUED - 60),
        ISSUED - 1,
        BANK.id,
    ),
    "revoked by a clock ahead of the bank's": (
        "refuse revoked REVOKED",
        lambda: usage().status(("revoked", "fraud", BLOCK_TIME)),
        AT,
        BANK.id,
    ),
    "held by an office": (
        "later suspended HELD",
        lambda: usage().on_hold((("supervisor",), "court", AT - 9)),
        AT,
        BANK.id,
    ),
    "presented an hour ago": (
        "refuse refused KEY_BINDING_TIME",
        lambda: usage().presenting("tax_band", at=AT - 3600),
        AT,
        BANK.id,
    ),
    "facts a day old": ("later unknown FACTS_STALE", lambda: usage().knowing(block_time=AT - DAY), AT, BANK.id),
    "status not known": ("later unknown STATUS_UNKNOWN", lambda: usage().knowing(status={}), AT, BANK.id),
    "another suite than is installed": ("later unknown SUITE_NOT_INSTALLED", sm_usage, AT, BANK.id),
    "uses not known": ("later unknown USES_UNKNOWN", lambda: usage().knowing(uses={}), AT, BANK.id),
}


SHOWN = {
    "more than asked": "{'tax_band': 'B', 'tax_trend': 'rising', 'power_trend': 3}",
    "a value that the bank does not accept": "{'tax_band': 'C', 'power_trend': 3}",
    "one field short": "{'tax_band': 'B'}",
}


@pytest.mark.parametrize("name", CASES)
def test_the_program_of_the_guide_prints_the_expected_decision(bare: Environment, tmp_path: Path, name: str) -> None:
    decision, made, now, consumer = CASES[name]
    hold(tmp_path, made(), consumer)
    done = bare.run(LINES, tmp_path, now)
    assert done.returncode == 0, done.stderr
    shown = SHOWN.get(name, "{'tax_band': 'B', 'power_trend': 3}" if decision.startswith("lend") else "{}")
    assert done.stdout.strip() == f"{decision} {shown}"


def test_the_program_of_the_guide_stops_if_accepted_values_or_templates_are_missing(
    bare: Environment, tmp_path: Path
) -> None:
    """The bank must state which values and which templates it accepts. If one of the two lists is missing, the guide's
    program stops.
    """
    for name in ("accept", "templates"):
        hold(tmp_path, usage())
        asked = json.loads((tmp_path / "request.json").read_text())
        del asked[name]
        (tmp_path / "request.json").write_text(json.dumps(asked))
        done = bare.run(LINES, tmp_path)
        assert (done.returncode, done.stdout) == (1, "") and f"KeyError: '{name}'" in done.stderr


def test_the_accepted_template_is_computed_from_the_scenario_file(tmp_path: Path) -> None:
    """The machine that reads the chain computes the template's digest from the scenario file, for the ledger that is
    named in the chain data.
    """
    hold(tmp_path, usage())
    done = subprocess.run(
        [sys.executable, "-c", RULES], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == template_reference(ScenarioBook.load().get("S01"), CHAIN.ledger)


def test_a_certificate_revoked_after_a_loan_was_valid_at_the_time_of_the_loan(
    bare: Environment, tmp_path: Path
) -> None:
    """According to newer chain data, the certificate was used up and revoked after the loan. The report says since when
    it is revoked.
    """
    made = usage().used(AT + 1, AT + 2, AT + 3).status(("revoked", "data_error", AT + DAY))
    hold(tmp_path, made.knowing(block_time=AT + 2 * DAY), lent_at=AT)
    done = bare.run(LINES + LATER, tmp_path, AT + 2 * DAY)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "refuse revoked REVOKED {}"
    printed = f"then valid now revoked {{'REVOKED': {{'since': {AT + DAY}, 'reason': 'data_error'}}}}"
    assert second == printed


def test_a_certificate_is_not_valid_at_a_time_before_its_presentation_or_after_its_last_use(
    bare: Environment, tmp_path: Path
) -> None:
    made = usage().used(AT + 1, AT + 2, AT + 3).knowing(block_time=AT + DAY)
    for lent_at, result in ((AT - 301, "refused"), (AT + 2, "valid"), (AT + 3, "used_up")):
        hold(tmp_path, made, lent_at=lent_at)
        done = bare.run(LINES + LATER, tmp_path, AT + DAY)
        assert f"then {result} " in done.stdout, done.stderr


def test_the_guide_has_a_row_for_every_result() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE)
    assert set(rows) == set(VERIFICATION_RESULTS) - {"lapsed"}
    assert len(rows) == len(set(rows))


def test_the_times_of_the_test_bundle_are_in_chronological_order() -> None:
    assert ISSUED < ANCHORED < AT < BLOCK_TIME < EXPIRES
