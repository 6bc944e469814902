"""Makes and signs the three statements of a usage certificate, from nothing but public rules and the parties' keys.

Nothing here reads the ledger's database or its node, because consumer, subject and provider cannot read the database or
the node. Therefore the ledger has nothing about these statements in memory when a measurement starts.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property, lru_cache
from typing import Any, Final

from ulid import ULID

from bench.own.cast import BANK, DEPARTMENT, NAMES, SCENARIO, signer, subject_name
from ledger.connectors.answers import Supplied
from ledger.domain.canonical import canonical, digest
from ledger.domain.days import end_of_validity, shanghai_day
from ledger.domain.definitions.scenario import Scenario
from ledger.domain.digests import reference
from ledger.domain.entries import authorization_entry, request_entry, statement_digest
from ledger.domain.parties import PartyKind
from ledger.proof.bundle import ChainId
from ledger.proof.jws import Signer, public_jwk, sign_entry
from ledger.provider.answering import made_of
from ledger.provider.supply import Supply
from ledger.provider.task import Opening, Task
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.rulebooks.templates import template_of
from ledger.usage.notices import notice_of
from ledger.usage.request_notes import note_digest
from ledger.usage.request_terms import Terms
from ledger.usage.requests import Asked

MONTHS: Final = tuple({"month": f"2026{month:02d}", "base": str(4_000 + month)} for month in range(1, 11))
AS_OF: Final = date(2026, 10, 31)
DAYS: Final = 4
_PIA: Final = digest(b"impact assessment of the bench")
_NO_KEY: Final = "00" * 32


@dataclass(frozen=True, slots=True)
class Signed:
    """The signed statements of one certificate: the bank's request, the subject's consent, the department's answer."""

    asked: Asked
    consent: dict[str, Any]
    supply: Supply

    @property
    def request(self) -> str:
        """The id of the request."""
        return str(self.asked.entry["id"])


@dataclass(frozen=True)
class Scene:
    """What the parties know before they sign: the ledger, the parties' ids, and the time (seconds UTC).

    ``subjects`` are party ids. The certificate with number n is about ``subjects[n % len(subjects)]``. The key of the
    first subject is computed from ``first_subject``.
    """

    chain: ChainId
    algorithm: str
    suite: str
    ids: dict[str, str]
    subjects: tuple[str, ...]
    first_subject: int
    now: int

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario's definition from the package."""
        return _scenario()

    @cached_property
    def template(self) -> dict[str, Any]:
        """The template of the scenario on this ledger."""
        return template_of(self.scenario, self.chain.ledger)

    @cached_property
    def template_digest(self) -> str:
        """The digest of the template, with which the statements refer to it."""
        return reference(statement_digest(self.template))

    @cached_property
    def bank(self) -> Signer:
        """The bank's signer."""
        return signer(f"{self.suite} {BANK}", self.suite)

    @cached_property
    def department(self) -> Signer:
        """The department's signer."""
        return signer(f"{self.suite} {DEPARTMENT}", self.suite)

    def holder(self, place: int) -> Signer:
        """Return the signer of the subject at this place in ``subjects``."""
        return _subject(self.suite, self.first_subject + place)

    @cached_property
    def valid_to(self) -> int:
        """The end of the requested period."""
        return end_of_validity(shanghai_day(self.now) + timedelta(days=DAYS))


def signed(scene: Scene, numbers: Sequence[int]) -> list[Signed]:
    """Return the signed statements for the certificates with these numbers. Every call makes new ids and salts."""
    return [_signed(scene, number % len(scene.subjects)) for number in numbers]


def _signed(scene: Scene, place: int) -> Signed:
    subject, own = scene.subjects[place], scene.holder(place)
    asked = _asked(scene, subject)
    consent = _consent(scene, asked, own)
    return Signed(asked, consent, _supply(scene, asked, consent))


@cache
def _scenario() -> Scenario:
    """Return the scenario. It is cached, so a worker process reads the files only once."""
    return ScenarioBook.load(None).get(SCENARIO)


@lru_cache(20_000)
def _subject(suite: str, number: int) -> Signer:
    return signer(f"{suite} {subject_name(number)}", suite)


def _asked(scene: Scene, subject: str) -> Asked:
    scenario, sources = scene.scenario, {field.source for field in scene.scenario.fields}
    terms = Terms(
        scenario=scenario.code,
        subject=subject,
        consumer=scene.ids[BANK],
        sources=dict.fromkeys(sorted(sources), scene.ids[DEPARTMENT]),
        fields=tuple(field.name for field in scenario.fields),
        valid_from=scene.now,
        valid_to=scene.valid_to,
        max_uses=1,
        channel=scenario.channels[0],
        expires_at=scene.valid_to,
        pia_digest=_PIA,
    )
    note = {"contact": "柜台 Counter", "purpose_note": "", "business_ref": "", "salt": secrets.token_urlsafe(16)}
    entry = request_entry(
        ledger=scene.chain.ledger,
        id=str(ULID()),
        template=scene.template_digest,
        scenario_version=scenario.version,
        sd_alg=scene.algorithm,
        note_digest=note_digest(note),
        iat=scene.now,
        **terms.members(),
    )
    return Asked(sign_entry(entry, scene.bank), note)


def _consent(scene: Scene, asked: Asked, own: Signer) -> dict[str, Any]:
    scenario, entry = scene.scenario, asked.entry
    (item,) = entry["sources"]
    unsigned = authorization_entry(
        ledger=scene.chain.ledger,
        id=str(ULID()),
        request=reference(statement_digest(entry)),
        scenario=scenario.code,
        scenario_version=scenario.version,
        purpose=scenario.purpose.zh,
        subject=entry["subject"],
        consumer=entry["consumer"],
        source=item["source"],
        provider=item["provider"],
        fields=entry["fields"],
        channel=entry["channel"],
        valid_from=entry["valid_from"],
        valid_to=entry["valid_to"],
        max_uses=entry["max_uses"],
        separate_consent=True,
        holder_key=public_jwk(own.public_key).to_dict(),
        iat=scene.now,
    )
    notice = notice_of(scenario, unsigned, recipient=NAMES[BANK], provider=NAMES[DEPARTMENT], note=asked.note)
    return sign_entry(unsigned | {"notice_digest": digest(canonical(notice))}, own)


def _supply(scene: Scene, asked: Asked, consent: dict[str, Any]) -> Supply:
    task = Task(
        chain=scene.chain,
        template=scene.template,
        request=asked.entry,
        authorization=consent,
        keys={},
        opening=Opening(PartyKind.PERSON, "", _NO_KEY),
        corrects=None,
    )
    made = made_of(task, Supplied(MONTHS, AS_OF, scene.now), scene.now)
    return Supply(sign_entry(made.entry, scene.department), made.disclosures)
