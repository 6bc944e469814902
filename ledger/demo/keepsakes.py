"""Saves the files with which anybody can verify the pilot's result: the first bundles of each scenario, and for one
bundle also the facts (chain data).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ledger.demo.data.people import Member
from ledger.errors import BadBundle
from ledger.installation.wiring import Ledger
from ledger.proof.bundle import parse_bundle
from ledger.proof.facts import Facts
from ledger.proof.facts_needed import facts_needed
from ledger.proof.sdjwt import parse_certificate
from ledger.rulebooks.templates import template_reference

_KEPT: Final = 2
# A bank's condition for a loan: the firm uses at least 10,000 kWh a month. These are the bands that fulfil the
# condition.
_ACCEPTED: Final = {"usage_band": ["10000–50000", "50000–100000", "100000–500000", "≥500000"]}


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate as a consumer receives it: the bundle, the verifying party, and that party's nonce."""

    raw: bytes
    consumer: str
    nonce: str


class Keepsakes:
    """Saves presentations of chosen members in the folder ``out``. Presentations of other members are ignored."""

    def __init__(self, ledger: Ledger, out: Path) -> None:
        self._ledger = ledger
        self._out = out
        self._names: dict[tuple[str, str], str] = {}
        self._first = ""

    def choose(self, members: Mapping[str, Sequence[Member]]) -> None:
        """Choose the first members of each scenario. Their presentations will be saved."""
        self._names = {
            (scenario, member.party): f"{scenario}-{place}"
            for scenario, group in members.items()
            for place, member in enumerate(group[:_KEPT], start=1)
        }
        self._first = min(self._names.values(), default="")

    def keep(self, member: Member, presented: Presented) -> None:
        """Save a presentation before the certificate is used, with the chain data of that time."""
        if name := self._names.get((member.scenario, member.party)):
            self._save(name, member.scenario, presented, used=False)

    def look_after(self, member: Member, presented: Callable[[], Presented]) -> None:
        """If the file for a used certificate is missing or contains another certificate, save a presentation of the
        used certificate.
        """
        name = self._names.get((member.scenario, member.party))
        if name and not self._has(name, member.certificate):
            self._save(name, member.scenario, presented(), used=True)

    def _has(self, name: str, number: str) -> bool:
        try:
            claims = parse_certificate(parse_bundle(self._bundle(name).read_bytes()).certificate).claims
        except (BadBundle, FileNotFoundError):
            return False
        here = (claims.get("ledger"), claims.get("certificate_no")) == (self._ledger.reader.chain.ledger, number)
        return here and (name != self._first or all(path.exists() for path in self._pair()))

    def _bundle(self, name: str) -> Path:
        return self._out / "bundles" / f"{name}.json"

    def _pair(self) -> tuple[Path, Path, Path]:
        """Return the paths of the files for verification without a network: the bundle, the chain data (facts) and the
        request.
        """
        folder = self._out / "verify"
        return folder / "bundle.json", folder / "facts.json", folder / "request.json"

    def _save(self, name: str, scenario: str, presented: Presented, *, used: bool) -> None:
        bundle = parse_bundle(presented.raw)
        if name == self._first:
            facts = self._ledger.verification.facts(bundle)
            request = as_json(self._request(scenario, presented, facts.block_time))
            known = _before_use(facts, presented.raw) if used else facts
            for path, content in zip(self._pair(), (presented.raw, known.to_bytes(), request), strict=True):
                save(path, content)
        save(self._out / "certificates" / f"{name}.sd-jwt", bundle.certificate.encode())
        # The bundle is saved last. If its file exists, all files of this presentation exist.
        save(self._bundle(name), presented.raw)

    def _request(self, scenario: str, presented: Presented, now: int) -> dict[str, Any]:
        """Return the file that a bank stores about a verification: the values that it accepts, the templates that it
        knows, and the time.
        """
        rules = self._ledger.scenarios.get(scenario)
        fields = {field.name for field in rules.fields}
        return {
            "consumer": presented.consumer,
            "nonce": presented.nonce,
            "accept": {name: values for name, values in _ACCEPTED.items() if name in fields},
            "templates": [template_reference(rules, self._ledger.reader.chain.ledger)],
            "lent_at": now,
        }


def _before_use(facts: Facts, raw: bytes) -> Facts:
    """Return the chain data without the uses of the certificate. The consumer saw the chain in this state when it
    verified the certificate.
    """
    counter = facts_needed(parse_bundle(raw)).uses
    return facts if counter is None else replace(facts, uses={**facts.uses, counter: ()})


def as_json(value: object) -> bytes:
    """Return readable, indented JSON with a newline at the end."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def save(path: Path, data: bytes) -> None:
    """Write the whole file, or leave the old file as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(data)
    draft.replace(path)
