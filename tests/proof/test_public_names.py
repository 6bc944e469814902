"""The public names of ``ledger.proof``: which names are listed, whether the docstring's example works, and which
modules are loaded when ``ledger.proof`` is imported.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

import ledger.proof
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import AT, BANK, NONCE

PUBLIC = [
    "BadBundle",
    "Bundle",
    "Caution",
    "Check",
    "Expectation",
    "Facts",
    "Report",
    "SigningKey",
    "Verdict",
    "parse_bundle",
    "parse_facts",
    "verify",
]


def test_the_public_names_are_sorted_and_complete() -> None:
    assert ledger.proof.__all__ == PUBLIC == sorted(PUBLIC) == dir(ledger.proof)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_the_name_of_an_object_with_a_docstring(name: str) -> None:
    value = getattr(ledger.proof, name)
    assert value.__name__ == name and value.__doc__


def test_unknown_public_name_raises_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'verified'"):
        getattr(ledger.proof, "verified")  # noqa: B009


def test_the_example_of_the_docstring_prints_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = usage()
    (tmp_path / "bundle.json").write_bytes(made.bundle.to_bytes())
    (tmp_path / "facts.json").write_bytes(made.facts.to_bytes())
    (block,) = re.findall(r"(?:^    .*\n|^\n)+", str(ledger.proof.__doc__).partition("\n")[2], re.MULTILINE)
    code = dedent(block).replace("<your party id>", BANK.id).replace("<the nonce that you gave>", NONCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "time", lambda: AT)
    exec(compile(code, "example", "exec"), {})
    assert capsys.readouterr().out == "valid {'tax_band': 'B', 'power_trend': 3}\n"


def test_importing_ledger_proof_loads_no_further_module_of_the_ledger() -> None:
    code = "import sys, ledger.proof; print(sorted(name for name in sys.modules if name.startswith('ledger')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "['ledger', 'ledger.proof']"
