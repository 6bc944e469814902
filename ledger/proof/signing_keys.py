# SPDX-License-Identifier: Apache-2.0
"""The keys that signed a certificate and its supporting entries, with the parties that proposed them.

No check depends on who proposed a key, but the report shows the proposers to verifier and subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from ledger.proof.checks.case import Case
from ledger.proof.checks.classes import CERTIFICATE_CLASSES
from ledger.proof.jws import entry_signature
from ledger.proof.report import Report, SigningKey


def signing_keys(case: Case) -> tuple[SigningKey, ...]:
    """Return the keys that signed the certificate, its request, authorizations and provisions, in that order, each key
    once.

    Call this only after the signatures have passed their checks; otherwise it may raise ``BadBundle``.
    """
    signed: dict[str, list[str]] = {}
    for account, kind in _signatures(case):
        kinds = signed.setdefault(account, [])
        if kind not in kinds:
            kinds.append(kind)
    facts = case.facts.accounts
    return tuple(
        SigningKey(account, tuple(kinds), facts[account].proposal, facts[account].reported_at)
        for account, kinds in signed.items()
    )


def _signatures(case: Case) -> Iterator[tuple[str, str]]:
    yield case.presented.issued.kid, "certificate"
    for named in CERTIFICATE_CLASSES[case.claims["class"]].rests_on(case.claims):
        proven = case.entries[named]
        # A template is not signed, so no key belongs to it.
        if proven.entry["type"] != "template":
            yield entry_signature(proven.entry, proven.unsigned).kid, proven.entry["type"]


_KINDS: Final = {"certificate": "凭证", "request": "请求", "authorization": "授权", "provision": "提供"}


def keys_in_words(report: Report, moment: Callable[[int], str]) -> list[str]:
    """Return lines in Chinese and English: how a new key becomes active on the ledger, then each key of the report.

    ``moment`` formats a time in seconds UTC.
    """
    hours, rest = divmod(report.delay, 3600)
    number, chinese, english = (report.delay, "秒", "seconds") if rest else (hours, "小时", "hours")
    rule = (
        f"新密钥由本方提出，或由 {report.threshold} 个主管部门提出和确认，{number} {chinese}后生效。 "
        f"A new key waits {number} {english} before it is active. Its own party or {report.threshold} authorities "
        "propose it."
    )
    return [rule, *(_in_words(key, moment) for key in report.keys)]


def _in_words(key: SigningKey, moment: Callable[[int], str]) -> str:
    chinese, english = _origin(key, moment)
    if key.reported_at:
        since = moment(key.reported_at)
        chinese, english = f"{chinese}；{since} 已挂失", f"{english}; reported on {since}"
    kinds = "、".join(_KINDS[kind] for kind in key.signed)
    return f"{key.account}（{kinds}）：{chinese}。 Signed {', '.join(key.signed)}: {english}."


def _origin(key: SigningKey, moment: Callable[[int], str]) -> tuple[str, str]:
    proposed = key.proposal
    if proposed is None:
        return "部署时已有的密钥", "a founding key"
    at, by = moment(proposed.at), proposed.by
    if not proposed.confirmed_by:
        return f"{at} 由本方（{by} 号参与方）提出", f"proposed by its own party (no. {by}) on {at}"
    other = proposed.confirmed_by
    return (
        f"{at} 由 {by} 号参与方提出、{other} 号参与方确认",
        f"proposed by party {by}, confirmed by party {other}, on {at}",
    )
