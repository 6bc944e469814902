# SPDX-License-Identifier: Apache-2.0
"""Texts about the events of an asset: a title for each event, and names for the numbers in an event's arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.domain.assets.names import (
    APPLICATION_KINDS,
    ASSESSMENTS,
    OBJECTION_STATES,
    RELATIONS,
    RIGHT_KINDS,
    STAGES,
)
from ledger.domain.grades import ASSET_GRADES
from ledger.domain.reasons import REASONS

# The title of each event in Chinese and English.
EVENT_TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "Registered": ("登记申请", "registered"),
    "Filed": ("提交申请", "filed"),
    "Advanced": ("申请进展", "advanced"),
    "Rejected": ("驳回", "rejected"),
    "Confirmed": ("确认", "confirmed"),
    "Cleared": ("安全审查", "cleared"),
    "Objected": ("异议", "objected"),
    "ObjectionDecided": ("异议处理", "objection decided"),
    "TransferOffered": ("要约转让", "transfer offered"),
    "TransferAccepted": ("接受转让", "transfer accepted"),
    "TransferRejected": ("拒绝转让", "transfer rejected"),
    "TransferWithdrawn": ("撤回要约", "transfer withdrawn"),
    "Reassigned": ("变更持有方", "holder replaced"),
    "Frozen": ("冻结", "frozen"),
    "Unfrozen": ("解冻", "unfrozen"),
    "Annulled": ("撤销登记", "annulled"),
    "RightGranted": ("授予权利", "right granted"),
    "RightTransferred": ("权利转让", "right transferred"),
    "RightEnded": ("权利终止", "right ended"),
    "Pledged": ("质押", "pledged"),
    "LienConsented": ("质权人同意", "creditor consented"),
    "LienReleased": ("解除质押", "lien released"),
    "Linked": ("来源关联", "linked"),
    "Replaced": ("被替代", "replaced"),
    "Assessed": ("评估报告", "assessed"),
}

NAME_TITLES: Final[Mapping[str, str]] = {
    "first": "首次登记",
    "change": "变更",
    "correct": "更正",
    "renew": "续展",
    "cancel": "注销",
    "submitted": "已提交",
    "accepted": "受理",
    "reviewed": "审核",
    "noticed": "公示",
    "returned": "退回",
    "admitted": "受理",
    "verified": "核实",
    "upheld": "成立",
    "dismissed": "不成立",
    "refused": "不予受理",
    "applied": "申请中",
    "confirmed": "已登记",
    "rejected": "已驳回",
    "cancelled": "已注销",
    "annulled": "已撤销",
    "hold": "持有权",
    "process": "加工使用权",
    "operate": "经营权",
    "derived_from": "派生自",
    "split_from": "拆分自",
    "merged_from": "合并自",
    "replaced_by": "被替代为",
    "quality": "质量",
    "valuation": "价值",
    "general": "一般",
    "important": "重要",
    "core": "核心",
    "consent_withdrawn": "授权撤回",
    "data_error": "数据错误",
    "expired_basis": "依据失效",
    "court": "司法要求",
    "sanction": "处罚",
    "key_compromise": "密钥泄露",
    "fraud": "欺诈",
    "superseded": "已被取代",
    "investigation": "调查",
    "lifted": "解除",
}

_NAMES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("Registered", "grade"): ASSET_GRADES,
    ("Filed", "grade"): ASSET_GRADES,
    ("Filed", "kind"): APPLICATION_KINDS,
    ("Advanced", "stage"): STAGES,
    ("Rejected", "kind"): APPLICATION_KINDS,
    ("Confirmed", "kind"): APPLICATION_KINDS,
    ("ObjectionDecided", "state"): OBJECTION_STATES,
    ("Frozen", "reason"): REASONS,
    ("Unfrozen", "reason"): REASONS,
    ("Annulled", "reason"): REASONS,
    ("RightGranted", "kind"): RIGHT_KINDS,
    ("Linked", "relation"): RELATIONS,
    ("Assessed", "kind"): ASSESSMENTS,
}

_PARTIES: Final[Mapping[str, tuple[str, ...]]] = {
    "Registered": ("holder",),
    "TransferOffered": ("to",),
    "TransferAccepted": ("from", "to"),
    "TransferRejected": ("to",),
    "TransferWithdrawn": ("to",),
    "Reassigned": ("from", "to"),
    "RightGranted": ("grantee",),
    "RightTransferred": ("from", "to"),
    "Pledged": ("creditor",),
    "LienConsented": ("to",),
}

_DOCUMENTS: Final = ("content", "grounds", "report", "terms", "scope")


def names_in(event: str, args: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of values in an event's arguments, as a map from argument to name. For a value without a known
    name, a name is made from the argument's name and the value's number.
    """
    return {
        field: table[args[field]] if args[field] < len(table) else f"{field}_{args[field]}"
        for (name, field), table in _NAMES.items()
        if name == event
    }


def parties_in(event: str, args: Mapping[str, Any]) -> dict[str, int]:
    """Return the parties that an event names besides the party that acted, as a map from argument to party number."""
    return {field: args[field] for field in _PARTIES.get(event, ()) if args[field]}


def documents_in(args: Mapping[str, Any]) -> dict[str, str]:
    """Return the digests (64 hex digits) of the documents on which an event rests, as a map from argument to digest."""
    return {field: args[field] for field in _DOCUMENTS if field in args and int(args[field], 16)}
