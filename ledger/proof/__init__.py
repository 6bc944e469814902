# SPDX-License-Identifier: Apache-2.0
"""The offline verifier. A program that embeds the verifier imports from here only: later versions keep these names.

    import time
    from pathlib import Path

    from ledger.proof import Expectation, parse_facts, verify

    bundle, facts = Path("bundle.json").read_bytes(), parse_facts(Path("facts.json").read_bytes())
    expect = Expectation(consumer="<your party id>", nonce="<the nonce that you gave>", max_facts_age=600)
    report = verify(bundle, facts, max(int(time.time()), facts.block_time), expect)
    print(report.result, report.disclosed)

``verify`` uses no network, no clock and no database. It returns a report for any bundle, even for a damaged bundle. A
module is loaded when one of its names is first used, so a program loads only what it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ledger.errors import BadBundle
    from ledger.proof.bundle import Bundle, parse_bundle
    from ledger.proof.checks.case import Expectation
    from ledger.proof.facts import Facts
    from ledger.proof.facts_file import parse_facts
    from ledger.proof.report import Caution, Check, Report, SigningKey, Verdict
    from ledger.proof.verifier import verify

__all__ = [
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

_MODULES: Final = {
    "BadBundle": "ledger.errors",
    "Bundle": "ledger.proof.bundle",
    "Caution": "ledger.proof.report",
    "Check": "ledger.proof.report",
    "Expectation": "ledger.proof.checks.case",
    "Facts": "ledger.proof.facts",
    "Report": "ledger.proof.report",
    "SigningKey": "ledger.proof.report",
    "Verdict": "ledger.proof.report",
    "parse_bundle": "ledger.proof.bundle",
    "parse_facts": "ledger.proof.facts_file",
    "verify": "ledger.proof.verifier",
}

# This function is hidden from type checkers, because otherwise they would accept every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load the module of a public name and return the name's value; raises ``AttributeError`` for other names."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULES[name]), name)

    def __dir__() -> list[str]:
        return __all__
