"""What the pilot leaves to be verified: the first bundles of each scenario, and one with the chain's facts."""

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
# The conditions of a bank that lends: no arrears, and bills paid on time.
_ACCEPTED: Final = {"has_arrears": [False], "on_time_95": [True]}


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate as it is shown to a consumer: the bundle, the party that verifies, and the nonce it gave."""

    raw: bytes
    consumer: str
    nonce: str


class Keepsakes:
    """Files in ``out``, each replaced whole. Members that a presentation of is not kept are passed over."""

    def __init__(self, ledger: Ledger, out: Path) -> None:
        self._ledger = ledger
        self._out = out
        self._names: dict[tuple[str, str], str] = {}
        self._first = ""

    def choose(self, members: Mapping[str, Sequence[Member]]) -> None:
        """Keep the first presentations of these members, by scenario."""
        self._names = {
            (scenario, member.party): f"{scenario}-{place}"
            for scenario, group in members.items()
            for place, member in enumerate(group[:_KEPT], start=1)
        }
        self._first = min(self._names.values(), default="")

    def keep(self, member: Member, presented: Presented) -> None:
        """Keep a presentation that is about to be used, with what the chain says before that."""
        if name := self._names.get((member.scenario, member.party)):
            self._save(name, member.scenario, presented, used=False)

    def look_after(self, member: Member, presented: Callable[[], Presented]) -> None:
        """Of a certificate that an earlier run used: keep a presentation if its file is not there or of another."""
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
        """The bundle, the facts and the request to verify without the network."""
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
        # Last: by this file a later run sees that the others are there.
        save(self._bundle(name), presented.raw)

    def _request(self, scenario: str, presented: Presented, now: int) -> dict[str, Any]:
        """What a bank keeps of its question: what it accepts, the rules that it knows, and when it decided."""
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
    """The facts without the uses of the certificate: as they were when its consumer verified it."""
    counter = facts_needed(parse_bundle(raw)).uses
    return facts if counter is None else replace(facts, uses={**facts.uses, counter: ()})


def as_json(value: object) -> bytes:
    """JSON for people, with a newline at its end."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def save(path: Path, data: bytes) -> None:
    """Write a file whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(data)
    draft.replace(path)
