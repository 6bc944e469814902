"""A pilot scenario: what may be asked, of whom, for whom, for how long. Data, loaded from a file.

Validity, uses, retention, price and pilot window are configuration of the pilot and no law; ``standing`` and
``basis_note`` say what a scenario rests on, and whatever shows a scenario must show them too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from ledger.domain.days import DAY, end_of_validity
from ledger.domain.definitions.reader import Bilingual, DefinitionReader
from ledger.domain.entries import SD_NAMES, holds_sd_name
from ledger.domain.entry_forms import CHANNELS, CLAIM_NAMES, LEGAL_BASES, MAX_SOURCES, MAX_USES, PAYLOAD_MODES
from ledger.domain.field_names import listed
from ledger.domain.parties import PartyKind
from ledger.domain.rules.predicates import OPS, TYPES, check_rule, columns_of
from ledger.domain.shapes import MAX_ITEMS
from ledger.errors import Forbidden, InvalidInput

STANDINGS: Final = ("documented", "proposed", "demonstration")
GRADES: Final = ("general_1", "general_2", "general_3", "general_4", "important")
PRICE_USES: Final = ("public", "industry")
PRICE_UNITS: Final = ("product", "call", "time", "volume")
MAX_FEN: Final = 10**12
# A sole trader's data is that of a person.
PERSONS: Final = frozenset({PartyKind.PERSON, PartyKind.SOLE_TRADER})
# The ways to a bank that keep to the boundary of the credit reporting business (征信).
CREDIT_CHANNELS: Final = frozenset({"subject_carried", "licensed_credit_agency", "government_platform"})
_CODE: Final = re.compile(r"S\d{2}", re.ASCII)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NAMES_HIDE: Final = f"SD-JWT 保留名称不能作文本。SD-JWT libraries hide claims by these: {', '.join(sorted(SD_NAMES))}."


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


def scenario_of(raw: object, where: str) -> Scenario:
    """The scenario that a definition describes.

    Raises ``InvalidInput`` naming file and member: ``SCENARIO_INVALID``, ``RULE_INVALID``, ``RULE_OUTSIDE_MODE``,
    ``PRICE_PUBLIC_NOT_FREE``, ``PRICE_OVER_CAP``.
    """
    reader = _Reader(raw, where)
    scenario = Scenario(
        code=reader.matching("code", _CODE),
        version=reader.integer("version", 1, 10_000),
        guide_version=reader.integer("guide_version", 1, 10_000),
        standing=reader.one_of("standing", STANDINGS),
        title=reader.bilingual("title"),
        purpose=reader.bilingual("purpose"),
        basis_note=reader.bilingual("basis_note"),
        request_note=reader.bilingual_or_null("request_note"),
        domain=reader.text("domain"),
        consumer_kinds=reader.kinds("consumer_kinds"),
        subject_kinds=reader.kinds("subject_kinds"),
        legal_basis=reader.one_of("legal_basis", LEGAL_BASES),
        requires_pia=reader.boolean("requires_pia"),
        payload_mode=reader.one_of("payload_mode", PAYLOAD_MODES),
        max_validity_days=reader.integer("max_validity_days", 1, 3_660),
        max_uses=reader.integer("max_uses", 1, MAX_USES),
        retention_days=reader.integer("retention_days", 0, 36_600),
        pilot_from=reader.day("pilot_from"),
        pilot_to=reader.day("pilot_to"),
        channels=tuple(reader.choices("channels", CHANNELS)),
        price=reader.price(),
        grade=reader.one_of("grade", GRADES),
        sources=reader.each("sources", _source, MAX_SOURCES),
        fields=reader.each("fields", _field, MAX_ITEMS),
        rights_duties=reader.rights_duties(),
        digest=reader.digest(),
    )
    _require_sources_and_fields(scenario, reader)
    _require_content_safety(scenario, reader)
    _require_protection(scenario, reader)
    return scenario


def _source(reader: _Reader) -> Source:
    source = Source(reader.matching("name", _NAME), reader.bilingual("title"), reader.kinds("provider_kinds"))
    if not source.provider_kinds:
        raise reader.invalid("provider_kinds", "至少写一类提供方。Name at least one kind of provider.")
    return source


def _field(reader: _Reader) -> ScenarioField:
    rule = reader.take("rule")
    check_rule(rule, reader.place("rule"))
    field = ScenarioField(
        name=reader.matching("name", _NAME),
        title=reader.bilingual("title"),
        source=reader.matching("source", _NAME),
        type=reader.one_of("type", TYPES),
        rule=rule,
    )
    if field.type != (made := OPS[rule["op"]].type):
        raise reader.invalid("type", f"该规则的结果类型不同。The rule {rule['op']} makes: {made}.")
    return field


def _require_sources_and_fields(scenario: Scenario, reader: _Reader) -> None:
    """Names stand once; every field's source exists, and every source has a field."""
    sources = [source.name for source in scenario.sources]
    for member, names in (("sources", sources), ("fields", [field.name for field in scenario.fields])):
        for number, name in enumerate(names):
            if name in names[:number]:
                raise reader.invalid(f"{member}[{number}]: name", "名称重复。This name stands twice.")
    for number, field in enumerate(scenario.fields):
        if field.name in CLAIM_NAMES:
            message = "凭证本身已有同名项，请换一个名称。A certificate has a claim of this name: choose another."
            raise reader.invalid(f"fields[{number}]: name", message)
    for number, field in enumerate(scenario.fields):
        if field.source not in sources:
            known = ", ".join(sources)
            raise reader.invalid(f"fields[{number}]: source", f"没有这个来源。There is no such source; known: {known}.")
    for number, source in enumerate(sources):
        if not any(field.source == source for field in scenario.fields):
            raise reader.invalid(f"sources[{number}]", "没有字段取自该来源。No field comes from this source.")
    if scenario.pilot_to < scenario.pilot_from:
        raise reader.invalid("pilot_to", "试点在开始前就结束了。The pilot ends before it begins.")


def _require_content_safety(scenario: Scenario, reader: _Reader) -> None:
    """No rule reveals more than the payload mode says; a person is not named by a claim.

    What stands in every certificate under the scenario must be a text to SD-JWT libraries too (protocol §5).
    """
    for number, field in enumerate(scenario.fields):
        op, member = field.rule["op"], f"fields[{number}]: rule"
        if scenario.payload_mode not in OPS[op].modes:
            allowed = ", ".join(sorted(name for name, known in OPS.items() if scenario.payload_mode in known.modes))
            message = f"{scenario.payload_mode} 模式不允许规则 {op}，只允许: In this payload mode only: {allowed}."
            raise reader.invalid(f"{member}.op", message, "RULE_OUTSIDE_MODE")
        if op == "attribute" and scenario.subject_kinds & PERSONS:
            raise reader.invalid(f"{member}.op", "凭证不写个人姓名、证号。A claim never names a person.")
        if holds_sd_name(field.rule.get("choices")):
            raise reader.invalid(f"{member}.choices", _NAMES_HIDE, "RULE_INVALID")
    if holds_sd_name(scenario.purpose.zh):
        raise reader.invalid("purpose.zh", _NAMES_HIDE)


def _require_protection(scenario: Scenario, reader: _Reader) -> None:
    """Persons give a separate consent and their data is assessed first; banks are reached by a named channel."""
    if scenario.subject_kinds & PERSONS and scenario.legal_basis != "statutory_duty":
        if scenario.legal_basis != "separate_consent":
            message = "主体含个人，应为 separate_consent。With persons as subjects it must be separate_consent."
            raise reader.invalid("legal_basis", message)
        if not scenario.requires_pia:
            message = "主体含个人，应为 true。With persons as subjects an impact assessment is needed: true."
            raise reader.invalid("requires_pia", message)
    if PartyKind.BANK in scenario.consumer_kinds and not CREDIT_CHANNELS.intersection(scenario.channels):
        known = ", ".join(sorted(CREDIT_CHANNELS))
        raise reader.invalid("channels", f"银行使用须写明渠道。With banks as consumers, name one of: {known}.")


class _Reader(DefinitionReader):
    code = "SCENARIO_INVALID"
    hint = "与软件包自带的场景对照。Compare with the scenarios of the package; see docs/scenarios.md."

    def kinds(self, name: str) -> frozenset[PartyKind]:
        return frozenset(PartyKind(value) for value in self.choices(name, [kind.value for kind in PartyKind]))

    def price(self) -> Price:
        reader = self.nested("price")
        price = Price(
            use=reader.one_of("use", PRICE_USES),
            unit=reader.one_of("unit", PRICE_UNITS),
            cap=reader.integer("cap", 0, MAX_FEN),
            amount=reader.integer("amount", 0, MAX_FEN),
        )
        reader.require_nothing_else()
        for member in ("cap", "amount"):
            if price.use == "public" and getattr(price, member):
                raise reader.invalid(member, "公益使用免费，应为 0。Public use is free: 0.", "PRICE_PUBLIC_NOT_FREE")
        if price.amount > price.cap:
            raise reader.invalid("amount", "价格高于上限。The amount is above the cap.", "PRICE_OVER_CAP")
        return price

    def rights_duties(self) -> dict[str, list[str]]:
        reader = self.nested("rights_duties")
        block = {part: [*reader.items(part)] for part in ("subject", "provider", "consumer")}
        for part, codes in block.items():
            if not codes or not all(isinstance(code, str) and _NAME.fullmatch(code) for code in codes):
                raise reader.invalid(part, "应为代码的列表。A list of codes is expected.")
        reader.require_nothing_else()
        return block
