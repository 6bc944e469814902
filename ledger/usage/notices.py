"""Builds the notice (告知书) that a subject reads before it signs. The notice has the elements of PIPL art. 23 and says
what refusal and withdrawal mean.

The notice names the recipient and the provider, but not the subject, so every subject of a request sees the same text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ledger.domain.days import shanghai_time
from ledger.domain.definitions.scenario import Scenario
from ledger.domain.lines import require_line

# How the notice expresses the codes of a scenario, in Chinese and English.
_METHODS = {
    "raw": ("原始数据", "the data itself"),
    "aggregate": ("汇总数据", "aggregates"),
    "predicate": ("核验结论", "yes or no, and bands"),
    "component": ("数据元件", "components made of the data"),
}
_CHANNELS = {
    "subject_carried": ("由您本人携带", "carried by yourself"),
    "licensed_credit_agency": ("经持牌征信机构", "through a licensed credit agency"),
    "government_platform": ("经政务平台", "through the government platform"),
}
_BASES = {
    "consent": ("您的同意", "your consent"),
    "separate_consent": ("您的单独同意", "your separate consent"),
    "contract": ("订立或履行合同所必需", "a contract of yours"),
    "statutory_duty": ("履行法定职责所必需", "a statutory duty"),
}


class Notices:
    """The notices of a set of authorizations. Notices that differ only in the salt are rendered once."""

    def __init__(self) -> None:
        self._rendered: dict[tuple[object, ...], dict[str, Any]] = {}

    def of(
        self,
        scenario: Scenario,
        terms: Mapping[str, Any],
        *,
        recipient: str,
        provider: str,
        note: Mapping[str, str],
    ) -> dict[str, Any]:
        """Return the notice of one authorization, as ``notice_of`` does."""
        members = "source", "channel", "valid_from", "valid_to", "max_uses"
        words = recipient, provider, note["contact"], note["purpose_note"]
        same = scenario.digest, *words, *terms["fields"], *(terms[name] for name in members)
        if same not in self._rendered:
            self._rendered[same] = notice_of(scenario, terms, recipient=recipient, provider=provider, note=note)
        return {**self._rendered[same], "salt": note["salt"]}


def notice_of(
    scenario: Scenario, terms: Mapping[str, Any], *, recipient: str, provider: str, note: Mapping[str, str]
) -> dict[str, Any]:
    """Return the notice for the ``terms`` of an authorization: source, fields, channel, valid_from, valid_to and
    max_uses.

    ``note`` is the consumer's note: contact, purpose_note, salt. The member ``text`` of the notice is the text to show,
    Chinese above English; the other members give the same information for programs. The subject signs the digest of the
    canonical JSON of the whole notice. Without the salt, nobody can test a guess of the note against that digest.
    Raises ``InvalidInput`` ``TEXT_CONTROL`` for a name or text with control characters or line breaks.
    """
    words = {"recipient": recipient, "provider": provider}
    for name, text in {**words, "contact": note["contact"], "purpose_note": note["purpose_note"]}.items():
        require_line(text, name)
    titles = {field.name: field.title for field in scenario.fields}
    fields = [{"name": name, "zh": titles[name].zh, "en": titles[name].en} for name in terms["fields"]]
    notice = {
        "recipient": recipient,
        "contact": note["contact"],
        "purpose_note": note["purpose_note"],
        "salt": note["salt"],
        "provider": provider,
        "scenario": scenario.code,
        "standing": scenario.standing,
        "purpose": {"zh": scenario.purpose.zh, "en": scenario.purpose.en},
        "method": {"payload_mode": scenario.payload_mode, "channel": terms["channel"]},
        "legal_basis": scenario.legal_basis,
        "source": terms["source"],
        "kinds": fields,
        "valid_from": terms["valid_from"],
        "valid_to": terms["valid_to"],
        "max_uses": terms["max_uses"],
        "retention_days": scenario.retention_days,
    }
    return {**notice, "text": "\n".join([*_chinese(scenario, notice), "", *_english(scenario, notice)])}


def _chinese(scenario: Scenario, notice: Mapping[str, Any]) -> Sequence[str]:
    mode, channel = _METHODS[scenario.payload_mode][0], _CHANNELS[notice["method"]["channel"]][0]
    return [
        f"告知书 · {scenario.title.zh}",
        f"接收方：{notice['recipient']}；联系方式：{notice['contact']}",
        f"数据提供方：{notice['provider']}（{scenario.source(notice['source']).title.zh}）",
        f"目的：{scenario.purpose.zh}{'；' if notice['purpose_note'] else ''}{notice['purpose_note']}",
        f"方式：{mode}，{channel}；依据：{_BASES[scenario.legal_basis][0]}",
        f"种类：{'；'.join(item['zh'] for item in notice['kinds'])}",
        f"期限：{shanghai_time(notice['valid_from'])} 至 {shanghai_time(notice['valid_to'])}（北京时间，不含末时）",
        f"次数：{notice['max_uses']}；接收方保存期限：{notice['retention_days']} 天",
        "您可以拒绝，也可以只同意其中一部分；拒绝不影响无关服务。您可以随时撤回，撤回前已进行的使用仍然有效。",
    ]


def _english(scenario: Scenario, notice: Mapping[str, Any]) -> Sequence[str]:
    mode, channel = _METHODS[scenario.payload_mode][1], _CHANNELS[notice["method"]["channel"]][1]
    return [
        f"Notice · {scenario.title.en}",
        f"Recipient: {notice['recipient']}; contact: {notice['contact']}",
        f"Provider: {notice['provider']} ({scenario.source(notice['source']).title.en})",
        f"Purpose: {scenario.purpose.en}{'; ' if notice['purpose_note'] else ''}{notice['purpose_note']}",
        f"Method: {mode}, {channel}; basis: {_BASES[scenario.legal_basis][1]}",
        f"Kinds: {'; '.join(item['en'] for item in notice['kinds'])}",
        f"Period: {shanghai_time(notice['valid_from'])} until {shanghai_time(notice['valid_to'])} (Beijing time)",
        f"Uses: {notice['max_uses']}; kept by the recipient for {notice['retention_days']} days",
        "You may refuse, or agree to a part only. Refusing does not affect unrelated services. You may withdraw at any "
        "time; earlier uses stay valid.",
    ]
