"""A pilot scenario: what may be asked, of whom, for whom, for how long. Data, loaded from a file.

Validity, uses, retention, price and pilot window are configuration of the pilot and no law; ``standing`` and
``basis_note`` say what a scenario rests on, and whatever shows a scenario must show them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from ledger.domain.days import DAY, end_of_validity
from ledger.domain.definitions.reader import Bilingual
from ledger.domain.field_names import listed
from ledger.domain.parties import PartyKind
from ledger.domain.rules.predicates import columns_of
from ledger.errors import Forbidden, InvalidInput

# A sole trader's data is that of a person.
PERSONS: Final = frozenset({PartyKind.PERSON, PartyKind.SOLE_TRADER})


@dataclass(frozen=True, slots=True)
class Source:
    """A source of data; who supplies from it signs a provision of its own."""

    name: str
    title: Bilingual
    provider_kinds: frozenset[PartyKind]


@dataclass(frozen=True, slots=True)
class ScenarioField:
    """A claim that the scenario allows, the source of its rows, and the rule that computes it."""

    name: str
    title: Bilingual
    source: str
    type: str
    rule: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Price:
    """What a certificate costs, in fen for each ``unit``: nothing for public use, at most ``cap`` else."""

    use: str
    unit: str
    cap: int
    amount: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario. ``digest`` is that of the whole definition: a certificate names the one it was issued under.

    ``request_note`` is what the consumer's note must state, if anything. The pilot runs from ``pilot_from`` to
    ``pilot_to``, days in Asia/Shanghai, both included.
    """

    code: str
    version: int
    guide_version: int
    standing: str
    title: Bilingual
    purpose: Bilingual
    basis_note: Bilingual
    request_note: Bilingual | None
    domain: str
    consumer_kinds: frozenset[PartyKind]
    subject_kinds: frozenset[PartyKind]
    legal_basis: str
    requires_pia: bool
    payload_mode: str
    max_validity_days: int
    max_uses: int
    retention_days: int
    pilot_from: date
    pilot_to: date
    channels: tuple[str, ...]
    price: Price
    grade: str
    sources: tuple[Source, ...]
    fields: tuple[ScenarioField, ...]
    rights_duties: Mapping[str, Sequence[str]]
    digest: str

    def source(self, name: str) -> Source:
        """The source; raises ``InvalidInput`` ``SOURCE_NOT_IN_SCENARIO``."""
        for source in self.sources:
            if source.name == name:
                return source
        raise InvalidInput(
            "SOURCE_NOT_IN_SCENARIO",
            f"Scenario {self.code} has no such source.",
            where="source",
            hint=f"It has: {', '.join(source.name for source in self.sources) or 'none'}.",
        )

    def source_of(self, field: str) -> str:
        """The source of a field; raises ``InvalidInput`` ``FIELD_NOT_IN_SCENARIO``."""
        self.require_fields([field])
        return next(item.source for item in self.fields if item.name == field)

    def fields_of(self, source: str) -> tuple[ScenarioField, ...]:
        """The fields that are computed from this source; raises as ``source`` does."""
        name = self.source(source).name
        return tuple(field for field in self.fields if field.source == name)

    def columns_of(self, source: str, fields: Iterable[str] | None = None) -> tuple[str, ...]:
        """The columns that the rules of the source's fields read, or those of some ``fields``: no more is supplied."""
        wanted = None if fields is None else set(fields)
        rules = [field.rule for field in self.fields_of(source) if wanted is None or field.name in wanted]
        return tuple(dict.fromkeys(column for rule in rules for column in columns_of(rule)))

    def require_fields(self, names: Iterable[str]) -> None:
        """Raise ``InvalidInput`` unless the names are some of the scenario's fields, each once."""
        asked = list(names)
        if outside := [name for name in asked if name not in {field.name for field in self.fields}]:
            raise InvalidInput(
                "FIELD_NOT_IN_SCENARIO",
                f"Scenario {self.code} does not allow: {listed(outside)}.",
                where="fields",
                hint=f"It allows: {', '.join(field.name for field in self.fields)}.",
            )
        if not asked or len(set(asked)) != len(asked):
            raise InvalidInput("FIELDS_REPEATED", "Name each field once, and at least one.", where="fields")

    def require_period(self, start: int, end: int) -> None:
        """Raise ``InvalidInput`` unless the period (seconds UTC, end exclusive) is within the scenario's validity."""
        if not 0 < end - start <= self.max_validity_days * DAY:
            raise InvalidInput(
                "PERIOD_NOT_IN_SCENARIO",
                f"An authorization of scenario {self.code} runs for at most {self.max_validity_days} days.",
                where="valid_to",
            )

    def require_pilot(self, at: int) -> None:
        """Raise ``Forbidden`` ``PILOT_NOT_OPEN`` unless the pilot runs at that time (seconds UTC)."""
        opens = end_of_validity(self.pilot_from - timedelta(days=1))
        if not opens <= at < end_of_validity(self.pilot_to):
            raise Forbidden(
                "PILOT_NOT_OPEN",
                f"Scenario {self.code} is open from {self.pilot_from} to {self.pilot_to}, days in Asia/Shanghai.",
                where="scenario",
                hint="Ask within the pilot's window, or have the operator open it again by a new version.",
                pilot_from=self.pilot_from.isoformat(),
                pilot_to=self.pilot_to.isoformat(),
            )

    def require_uses(self, uses: int) -> None:
        """Raise ``InvalidInput`` unless so many uses are allowed."""
        if not 1 <= uses <= self.max_uses:
            raise InvalidInput(
                "USES_NOT_IN_SCENARIO", f"Scenario {self.code} allows 1 to {self.max_uses} uses.", where="max_uses"
            )

    def require_channel(self, channel: str) -> None:
        """Raise ``InvalidInput`` unless the channel is allowed."""
        if channel not in self.channels:
            raise InvalidInput(
                "CHANNEL_NOT_IN_SCENARIO",
                f"Scenario {self.code} does not allow this channel.",
                where="channel",
                hint=f"It allows: {', '.join(self.channels)}.",
            )

    def require_note(self, note: str) -> None:
        """Raise ``InvalidInput`` ``NOTE_MISSING`` if the consumer's note must state something and is blank."""
        if self.request_note is not None and not note.strip():
            raise InvalidInput(
                "NOTE_MISSING",
                f"A request of scenario {self.code} states: {self.request_note.zh} {self.request_note.en}.",
                where="note",
            )

    def require_subject_kind(self, kind: PartyKind) -> None:
        """Raise ``Forbidden`` unless such a party may be the subject."""
        self._require_kind("subject", kind, self.subject_kinds)

    def require_consumer_kind(self, kind: PartyKind) -> None:
        """Raise ``Forbidden`` unless such a party may be the consumer."""
        self._require_kind("consumer", kind, self.consumer_kinds)

    def require_provider_kind(self, source: str, kind: PartyKind) -> None:
        """Raise ``Forbidden`` unless such a party may supply from this source; ``InvalidInput`` if there is none."""
        self._require_kind("provider", kind, self.source(source).provider_kinds)

    def _require_kind(self, part: str, kind: PartyKind, kinds: frozenset[PartyKind]) -> None:
        if kind not in kinds:
            allowed = ", ".join(sorted(kinds))
            raise Forbidden(
                "KIND_NOT_IN_SCENARIO",
                f"In scenario {self.code} the {part} is one of: {allowed or 'nobody'}.",
                where=part,
            )
