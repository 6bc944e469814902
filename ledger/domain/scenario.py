"""A pilot scenario: what may be asked, of whom, for whom, for how long. Data, loaded from a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.domain.definition import Bilingual, DefinitionReader
from ledger.domain.entries import CHANNELS, MAX_USES, PAYLOAD_MODES
from ledger.domain.parties import PartyKind
from ledger.domain.predicates import check_rule
from ledger.errors import Forbidden, InvalidInput

DAY: Final = 86_400
STANDINGS: Final = ("documented", "proposed", "demonstration")
LEGAL_BASES: Final = ("consent", "separate_consent", "contract", "statutory_duty")
GRADES: Final = ("general_1", "general_2", "general_3", "general_4", "important")
FIELD_TYPES: Final = ("text", "integer", "boolean", "band", "trend")
_CODE: Final = re.compile(r"S\d{2}", re.ASCII)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class ScenarioField:
    """A claim that the scenario allows, and the rule that computes it."""

    name: str
    title: Bilingual
    type: str
    rule: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario. ``digest`` is that of the whole definition: a certificate names the one it was issued under."""

    code: str
    version: int
    standing: str
    title: Bilingual
    purpose: Bilingual
    domain: str
    consumer_kinds: frozenset[PartyKind]
    provider_kinds: frozenset[PartyKind]
    subject_kinds: frozenset[PartyKind]
    legal_basis: str
    payload_mode: str
    max_validity_days: int
    max_uses: int
    retention_days: int
    channels: tuple[str, ...]
    grade: str
    fields: tuple[ScenarioField, ...]
    rights_duties: Mapping[str, Sequence[str]]
    digest: str

    def require_fields(self, names: Iterable[str]) -> None:
        """Raise ``InvalidInput`` unless the names are some of the scenario's fields, each once."""
        asked = list(names)
        if outside := [name for name in asked if name not in {field.name for field in self.fields}]:
            raise InvalidInput(
                "FIELD_NOT_IN_SCENARIO",
                f"Scenario {self.code} does not allow: {', '.join(outside)}.",
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

    def require_subject_kind(self, kind: PartyKind) -> None:
        """Raise ``Forbidden`` unless such a party may be the subject."""
        self._require_kind("subject", kind, self.subject_kinds)

    def require_consumer_kind(self, kind: PartyKind) -> None:
        """Raise ``Forbidden`` unless such a party may be the consumer."""
        self._require_kind("consumer", kind, self.consumer_kinds)

    def require_provider_kind(self, kind: PartyKind) -> None:
        """Raise ``Forbidden`` unless such a party may supply."""
        self._require_kind("provider", kind, self.provider_kinds)

    def _require_kind(self, part: str, kind: PartyKind, kinds: frozenset[PartyKind]) -> None:
        if kind not in kinds:
            raise Forbidden(
                "KIND_NOT_IN_SCENARIO",
                f"In scenario {self.code} a {part} is one of: {', '.join(sorted(kinds)) or 'nobody'}.",
                where=part,
            )


def scenario_of(raw: object, where: str) -> Scenario:
    """The scenario that a definition describes; raises ``InvalidInput`` ``SCENARIO_INVALID`` naming file and member."""
    reader = _Reader(raw, where)
    fields = tuple(_field(item, f"{where}: fields[{place}]") for place, item in enumerate(reader.items("fields")))
    scenario = Scenario(
        code=reader.matching("code", _CODE),
        version=reader.integer("version", 1, 10_000),
        standing=reader.one_of("standing", STANDINGS),
        title=reader.bilingual("title"),
        purpose=reader.bilingual("purpose"),
        domain=reader.text("domain"),
        consumer_kinds=reader.kinds("consumer_kinds"),
        provider_kinds=reader.kinds("provider_kinds"),
        subject_kinds=reader.kinds("subject_kinds"),
        legal_basis=reader.one_of("legal_basis", LEGAL_BASES),
        payload_mode=reader.one_of("payload_mode", PAYLOAD_MODES),
        max_validity_days=reader.integer("max_validity_days", 1, 3_660),
        max_uses=reader.integer("max_uses", 1, MAX_USES),
        retention_days=reader.integer("retention_days", 0, 36_600),
        channels=tuple(reader.choices("channels", CHANNELS)),
        grade=reader.one_of("grade", GRADES),
        fields=fields,
        rights_duties=reader.rights_duties(),
        digest=reader.digest(),
    )
    names = [field.name for field in fields]
    if len(set(names)) != len(names):
        raise reader.invalid("fields", "A field is named twice.")
    return scenario


def _field(raw: object, where: str) -> ScenarioField:
    reader = _Reader(raw, where)
    rule = reader.take("rule")
    check_rule(rule, f"{where}.rule")
    field = ScenarioField(
        reader.matching("name", _NAME), reader.bilingual("title"), reader.one_of("type", FIELD_TYPES), rule
    )
    reader.require_nothing_else()
    return field


class _Reader(DefinitionReader):
    code = "SCENARIO_INVALID"
    hint = "Compare with the scenarios of the package."

    def kinds(self, name: str) -> frozenset[PartyKind]:
        return frozenset(PartyKind(value) for value in self.choices(name, [kind.value for kind in PartyKind]))

    def rights_duties(self) -> dict[str, list[str]]:
        reader = self.nested("rights_duties")
        block = {part: [*reader.items(part)] for part in ("subject", "provider", "consumer")}
        for part, codes in block.items():
            if not codes or not all(isinstance(code, str) and _NAME.fullmatch(code) for code in codes):
                raise reader.invalid(part, "A list of codes is expected.")
        reader.require_nothing_else()
        return block
