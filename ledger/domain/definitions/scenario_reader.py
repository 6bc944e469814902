# SPDX-License-Identifier: Apache-2.0
"""Read a scenario from its definition, and check the rules that every scenario must follow."""

from __future__ import annotations

import re
from typing import Final

from ledger.domain.definitions.reader import DefinitionReader
from ledger.domain.definitions.scenario import PERSONS, Price, Scenario, ScenarioField, Source
from ledger.domain.entries import SD_NAMES, holds_sd_name
from ledger.domain.entry_forms import CHANNELS, CLAIM_NAMES, LEGAL_BASES, MAX_SOURCES, MAX_USES, PAYLOAD_MODES
from ledger.domain.field_names import FIELD_NAME
from ledger.domain.grades import SCENARIO_GRADES
from ledger.domain.parties import PartyKind
from ledger.domain.rules.predicates import OPS, TYPES, check_rule
from ledger.domain.shapes import MAX_ITEMS

SCENARIO_STANDINGS: Final = ("documented", "proposed", "demonstration")
PRICE_USES: Final = ("public", "industry")
PRICE_UNITS: Final = ("product", "call", "time", "volume")
MAX_FEN: Final = 10**12
# The channels through which data may reach a bank. If the platform used another channel, it would do credit reporting
# (征信).
CREDIT_CHANNELS: Final = frozenset({"subject_carried", "licensed_credit_agency", "government_platform"})
_CODE: Final = re.compile(r"S\d{2}", re.ASCII)
_NAMES_HIDE: Final = (
    f"不能使用 SD-JWT 的保留名称。Do not use the reserved names of SD-JWT: {', '.join(sorted(SD_NAMES))}."
)


def scenario_of(raw: object, where: str) -> Scenario:
    """Return the scenario that a definition describes.

    Raises ``InvalidInput`` with the file and the member: ``SCENARIO_INVALID``, ``RULE_INVALID``, ``RULE_OUTSIDE_MODE``,
    ``PRICE_PUBLIC_NOT_FREE``, ``PRICE_OVER_CAP``.
    """
    reader = _Reader(raw, where)
    scenario = Scenario(
        code=reader.matching("code", _CODE),
        version=reader.integer("version", 1, 10_000),
        guide_version=reader.integer("guide_version", 1, 10_000),
        standing=reader.one_of("standing", SCENARIO_STANDINGS),
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
        grade=reader.one_of("grade", SCENARIO_GRADES),
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
    source = Source(reader.matching("name", FIELD_NAME), reader.bilingual("title"), reader.kinds("provider_kinds"))
    if not source.provider_kinds:
        raise reader.invalid("provider_kinds", "至少写一类提供方。Give at least one kind of provider.")
    return source


def _field(reader: _Reader) -> ScenarioField:
    rule = reader.take("rule")
    check_rule(rule, reader.place("rule"))
    field = ScenarioField(
        name=reader.matching("name", FIELD_NAME),
        title=reader.bilingual("title"),
        source=reader.matching("source", FIELD_NAME),
        type=reader.one_of("type", TYPES),
        rule=rule,
    )
    if field.type != (made := OPS[rule["op"]].type):
        raise reader.invalid("type", f"该规则的结果为 {made} 类型。The rule {rule['op']} gives the type {made}.")
    return field


def _require_sources_and_fields(scenario: Scenario, reader: _Reader) -> None:
    """Raise unless all names are different, every field names an existing source, and every source has a field."""
    sources = [source.name for source in scenario.sources]
    for member, names in (("sources", sources), ("fields", [field.name for field in scenario.fields])):
        for number, name in enumerate(names):
            if name in names[:number]:
                raise reader.invalid(f"{member}[{number}]: name", "名称重复。This name is used twice.")
    for number, field in enumerate(scenario.fields):
        if field.name in CLAIM_NAMES:
            message = "凭证已有同名项，请换一个名称。A certificate already has a claim with this name; choose another."
            raise reader.invalid(f"fields[{number}]: name", message)
    for number, field in enumerate(scenario.fields):
        if field.source not in sources:
            known = ", ".join(sources)
            message = f"没有这个来源。The scenario does not have this source; its sources: {known}."
            raise reader.invalid(f"fields[{number}]: source", message)
    for number, source in enumerate(sources):
        if not any(field.source == source for field in scenario.fields):
            raise reader.invalid(f"sources[{number}]", "没有字段使用该来源。No field uses this source.")
    if scenario.pilot_to < scenario.pilot_from:
        raise reader.invalid("pilot_to", "试点结束日早于开始日。The pilot ends before it begins.")


def _require_content_safety(scenario: Scenario, reader: _Reader) -> None:
    """Raise unless every rule reveals at most what the payload mode allows, and no claim contains a person's name.

    Raise also if a text that goes into certificates is a name that SD-JWT reserves (protocol §5).
    """
    for number, field in enumerate(scenario.fields):
        op, member = field.rule["op"], f"fields[{number}]: rule"
        if scenario.payload_mode not in OPS[op].modes:
            allowed = ", ".join(sorted(name for name, known in OPS.items() if scenario.payload_mode in known.modes))
            message = (
                f"数据形态 {scenario.payload_mode} 不允许规则 {op}。Rules that this payload mode allows: {allowed}."
            )
            raise reader.invalid(f"{member}.op", message, "RULE_OUTSIDE_MODE")
        if op == "attribute" and scenario.subject_kinds & PERSONS:
            raise reader.invalid(f"{member}.op", "凭证不得写个人姓名、证件号码。A claim must not name a person.")
        if holds_sd_name(field.rule.get("choices")):
            raise reader.invalid(f"{member}.choices", _NAMES_HIDE, "RULE_INVALID")
    if holds_sd_name(scenario.purpose.zh):
        raise reader.invalid("purpose.zh", _NAMES_HIDE)


def _require_protection(scenario: Scenario, reader: _Reader) -> None:
    """Raise unless scenarios about persons require separate consent and an assessment, and banks get data through an
    allowed channel.
    """
    if scenario.subject_kinds & PERSONS and scenario.legal_basis != "statutory_duty":
        if scenario.legal_basis != "separate_consent":
            message = "主体含个人，应为 separate_consent。If subjects can be persons, this must be separate_consent."
            raise reader.invalid("legal_basis", message)
        if not scenario.requires_pia:
            message = (
                "主体含个人，须先做影响评估，应为 true。If subjects can be persons, an assessment is needed: true."
            )
            raise reader.invalid("requires_pia", message)
    if PartyKind.BANK in scenario.consumer_kinds and not CREDIT_CHANNELS.intersection(scenario.channels):
        known = ", ".join(sorted(CREDIT_CHANNELS))
        raise reader.invalid("channels", f"银行使用须写明渠道。If banks are consumers, include one of: {known}.")


class _Reader(DefinitionReader):
    code = "SCENARIO_INVALID"
    hint = (
        "请与软件包自带的场景对照；写法见 docs/scenarios.zh.md。"
        "Compare the file with the scenarios in the package; see docs/scenarios.md."
    )

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
                message = "公益使用免费，应为 0。Public use is free, so this must be 0."
                raise reader.invalid(member, message, "PRICE_PUBLIC_NOT_FREE")
        if price.amount > price.cap:
            raise reader.invalid("amount", "价格高于上限。The amount is above the cap.", "PRICE_OVER_CAP")
        return price

    def rights_duties(self) -> dict[str, list[str]]:
        reader = self.nested("rights_duties")
        block = {part: [*reader.items(part)] for part in ("subject", "provider", "consumer")}
        for part, codes in block.items():
            if not codes or not all(isinstance(code, str) and FIELD_NAME.fullmatch(code) for code in codes):
                raise reader.invalid(part, "应为代码的列表。A list of codes is expected.")
        reader.require_nothing_else()
        return block
