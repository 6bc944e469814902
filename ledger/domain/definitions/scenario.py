# SPDX-License-Identifier: Apache-2.0
"""A pilot scenario, loaded from a file. It says which data a consumer may request, about which subjects, and for how
long.

The limits on validity, uses, retention, price and pilot period are settings of the pilot, not rules of a law.
``standing`` and ``basis_note`` say on what a scenario is based, and must be shown wherever a scenario is shown.
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

# Data about a sole trader counts as data about a person.
PERSONS: Final = frozenset({PartyKind.PERSON, PartyKind.SOLE_TRADER})


@dataclass(frozen=True, slots=True)
class Source:
    """A source of data. Each source has its own provision, which the source's provider signs."""

    name: str
    title: Bilingual
    provider_kinds: frozenset[PartyKind]


@dataclass(frozen=True, slots=True)
class ScenarioField:
    """A claim that the scenario allows. It names the source whose rows it needs, and the rule that computes it."""

    name: str
    title: Bilingual
    source: str
    type: str
    rule: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a certificate, in fen for each ``unit``: 0 for public use, otherwise at most ``cap``."""

    use: str
    unit: str
    cap: int
    amount: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario. ``digest`` is the digest of the whole definition; a certificate names the digest of its scenario.

    ``request_note`` says what the consumer's note must state; it is None if no note is required. The pilot period
    begins on the day ``pilot_from`` and ends with the day ``pilot_to`` (Asia/Shanghai).
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
        """Return the source with this name; raise ``InvalidInput`` ``SOURCE_NOT_IN_SCENARIO`` if there is none."""
        for source in self.sources:
            if source.name == name:
                return source
        raise InvalidInput(
            "SOURCE_NOT_IN_SCENARIO",
            f"Scenario {self.code} does not have this source.",
            where="source",
            hint=f"Sources of the scenario: {', '.join(source.name for source in self.sources) or 'none'}.",
        )

    def source_of(self, field: str) -> str:
        """Return the name of the source from which a field is computed.

        Raises ``InvalidInput`` ``FIELD_NOT_IN_SCENARIO`` for an unknown field.
        """
        self.require_fields([field])
        return next(item.source for item in self.fields if item.name == field)

    def fields_of(self, source: str) -> tuple[ScenarioField, ...]:
        """Return the fields that are computed from this source. Raises the errors of ``source``."""
        name = self.source(source).name
        return tuple(field for field in self.fields if field.source == name)

    def columns_of(self, source: str, fields: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return the columns that the source's fields need (all of them, or only ``fields``). No other columns may be
        supplied.
        """
        wanted = None if fields is None else set(fields)
        rules = [field.rule for field in self.fields_of(source) if wanted is None or field.name in wanted]
        return tuple(dict.fromkeys(column for rule in rules for column in columns_of(rule)))

    def require_fields(self, names: Iterable[str]) -> None:
        """Raise ``InvalidInput`` if there is no name, a name is repeated, or a name is not a field of the scenario."""
        asked = list(names)
        if outside := [name for name in asked if name not in {field.name for field in self.fields}]:
            raise InvalidInput(
                "FIELD_NOT_IN_SCENARIO",
                f"Scenario {self.code} does not allow these fields: {listed(outside)}.",
                where="fields",
                hint=f"Allowed fields: {', '.join(field.name for field in self.fields)}.",
            )
        if not asked or len(set(asked)) != len(asked):
            raise InvalidInput("FIELDS_REPEATED", "Give at least one field, and each field only once.", where="fields")

    def require_period(self, start: int, end: int) -> None:
        """Raise ``InvalidInput`` if the period (seconds UTC, end excluded) is longer than the scenario allows."""
        if not 0 < end - start <= self.max_validity_days * DAY:
            raise InvalidInput(
                "PERIOD_NOT_IN_SCENARIO",
                f"In scenario {self.code} an authorization is valid for at most {self.max_validity_days} days.",
                where="valid_to",
            )

    def require_pilot(self, at: int) -> None:
        """Raise ``Forbidden`` ``PILOT_NOT_OPEN`` if the time ``at`` (seconds UTC) is outside the pilot period."""
        opens = end_of_validity(self.pilot_from - timedelta(days=1))
        if not opens <= at < end_of_validity(self.pilot_to):
            raise Forbidden(
                "PILOT_NOT_OPEN",
                f"Scenario {self.code} takes requests only from {self.pilot_from} to {self.pilot_to} (Asia/Shanghai).",
                where="scenario",
                hint="Make the request within the pilot period, or ask the operator for a new version of the scenario.",
                pilot_from=self.pilot_from.isoformat(),
                pilot_to=self.pilot_to.isoformat(),
            )

    def require_uses(self, uses: int) -> None:
        """Raise ``InvalidInput`` unless the scenario allows this number of uses."""
        if not 1 <= uses <= self.max_uses:
            raise InvalidInput(
                "USES_NOT_IN_SCENARIO", f"Scenario {self.code} allows 1 to {self.max_uses} uses.", where="max_uses"
            )

    def require_channel(self, channel: str) -> None:
        """Raise ``InvalidInput`` unless the scenario allows the channel."""
        if channel not in self.channels:
            raise InvalidInput(
                "CHANNEL_NOT_IN_SCENARIO",
                f"Scenario {self.code} does not allow this channel.",
                where="channel",
                hint=f"Allowed channels: {', '.join(self.channels)}.",
            )

    def require_note(self, note: str) -> None:
        """Raise ``InvalidInput`` ``NOTE_MISSING`` if the scenario requires a consumer's note and the note is blank."""
        if self.request_note is not None and not note.strip():
            raise InvalidInput(
                "NOTE_MISSING",
                f"In scenario {self.code} the note must state: {self.request_note.zh} {self.request_note.en}.",
                where="note",
            )

    def require_subject_kind(self, kind: PartyKind) -> None:
        """Raise ``Forbidden`` unless a party of this kind may be the subject."""
        self._require_kind("subject", kind, self.subject_kinds)

    def require_consumer_kind(self, kind: PartyKind) -> None:
        """Raise ``Forbidden`` unless a party of this kind may be the consumer."""
        self._require_kind("consumer", kind, self.consumer_kinds)

    def require_provider_kind(self, source: str, kind: PartyKind) -> None:
        """Raise ``Forbidden`` unless a party of this kind may supply data from the source. Also raises the errors of
        ``source``.
        """
        self._require_kind("provider", kind, self.source(source).provider_kinds)

    def _require_kind(self, part: str, kind: PartyKind, kinds: frozenset[PartyKind]) -> None:
        if kind not in kinds:
            allowed = ", ".join(sorted(kinds))
            raise Forbidden(
                "KIND_NOT_IN_SCENARIO",
                f"In scenario {self.code} the {part} must be one of: {allowed or 'none'}.",
                where=part,
            )
