"""The institutions of the twelve scenarios, such as departments, utilities and banks: which institution supplies data,
which institution requests data, and for which purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger.demo.data.cast import institution, onboard
from ledger.domain.parties import PartyKind, Role
from ledger.installation.wiring import Ledger

# The institutions of this module get the numbers from 20 on; lower numbers belong to the institutions in ``cast``.
_FIRST_OFFICE: Final = 20

_OFFICES: Final[Mapping[str, tuple[PartyKind, str]]] = {
    "grid": (PartyKind.UTILITY, "湛江供电（演示） Power grid (demo)"),
    "water": (PartyKind.UTILITY, "湛江供水（演示） Water company (demo)"),
    "gas": (PartyKind.UTILITY, "湛江燃气（演示） Gas company (demo)"),
    "insurance": (PartyKind.PUBLIC_INST, "湛江社保中心（演示） Social insurance agency (demo)"),
    "fund": (PartyKind.PUBLIC_INST, "湛江公积金中心（演示） Housing fund centre (demo)"),
    "trading": (PartyKind.PUBLIC_INST, "湛江公共资源交易中心（演示） Public resource trading centre (demo)"),
    "licences": (PartyKind.PUBLIC_INST, "湛江电子证照库（演示） Store of electronic licences (demo)"),
    "vehicles": (PartyKind.GOV_DEPT, "湛江车辆管理（演示） Vehicle registration (demo)"),
    "tax": (PartyKind.GOV_DEPT, "湛江税务（演示） Tax department (demo)"),
    "credit": (PartyKind.GOV_DEPT, "湛江信用平台（演示） Public credit platform (demo)"),
    "market": (PartyKind.GOV_DEPT, "湛江市场监管（演示） Market supervision (demo)"),
    "land": (PartyKind.GOV_DEPT, "湛江自然资源（演示） Natural resources (demo)"),
    "building": (PartyKind.GOV_DEPT, "湛江住建（演示） Housing and construction (demo)"),
    "police": (PartyKind.GOV_DEPT, "湛江公安（演示） Public security (demo)"),
    "statistics": (PartyKind.GOV_DEPT, "湛江统计（演示） Statistics (demo)"),
    "bank": (PartyKind.BANK, "湛江第三银行（演示） Third Bank of Zhanjiang (demo)"),
    "landlord": (PartyKind.ENTERPRISE, "湛江租赁住房（演示） Rental housing (demo)"),
    "listing": (PartyKind.GOV_DEPT, "湛江金融工作（演示） Financial affairs (demo)"),
    "buyer": (PartyKind.PUBLIC_INST, "湛江采购人（演示） Procuring institution (demo)"),
    "approval": (PartyKind.GOV_DEPT, "湛江工程审批（演示） Construction approval (demo)"),
    "counter": (PartyKind.GOV_DEPT, "湛江企业开办窗口（演示） Enterprise counter (demo)"),
    "park": (PartyKind.ENTERPRISE, "湛江产业园（演示） Industrial park (demo)"),
    "subsidies": (PartyKind.GOV_DEPT, "湛江惠企补贴（演示） Subsidies (demo)"),
    "oversight": (PartyKind.SUPERVISOR, "湛江数据安全监管（演示） Data security supervisor (demo)"),
}

# Enterprises that request data in the pilot, and therefore have other roles than enterprises usually have.
_ROLES: Final = {name: frozenset({Role.SUBJECT, Role.CONSUMER}) for name in ("landlord", "park")}

# Maps a source to the institution that supplies its data, if the two have different names.
_SUPPLIERS: Final[Mapping[str, str]] = {
    "electricity": "grid",
    "social_insurance": "insurance",
    "vehicle": "vehicles",
    "housing_fund": "fund",
    "registry": "market",
    "natural_resources": "land",
    "construction": "building",
    "e_certificates": "licences",
}

_CONSUMERS: Final[Mapping[str, str]] = {
    "S01": "bank",
    "S02": "bank",
    "S03": "bank",
    "S04": "landlord",
    "S05": "bank",
    "S06": "listing",
    "S07": "buyer",
    "S08": "bank",
    "S09": "approval",
    "S10": "counter",
    "S11": "park",
    "S12": "subsidies",
}

_NOTES: Final[Mapping[str, str]] = {
    "S07": "标段编号 tender section ZJ-2026-007",
    "S08": "中标编号见合同 number of the award as in the contract",
    "S09": "事项编号 matter GC-2026-009，依审批职责 by the duty to approve",
    "S12": "补贴批次 batch BT-2026-012，依补贴职责 by the duty to subsidise",
}


@dataclass(frozen=True, slots=True)
class Offices:
    """Maps each institution of the scenarios to its party id."""

    ids: Mapping[str, str]

    def supplier(self, source: str) -> str:
        """Return the id of the party that supplies data from a source."""
        return self.ids[office_of(source)]

    def name(self, party: str) -> str:
        """Return the name of the institution with this party id."""
        return next(name for name, identifier in self.ids.items() if identifier == party)

    def consumer(self, scenario: str) -> str:
        """Return the id of the party that requests data in a scenario."""
        return self.ids[_CONSUMERS[scenario]]


def open_offices(ledger: Ledger) -> Offices:
    """Onboard all institutions of the scenarios, or find those that an earlier run onboarded."""
    parts = [
        institution(_FIRST_OFFICE + place, kind, title, _ROLES.get(name))
        for place, (name, (kind, title)) in enumerate(_OFFICES.items())
    ]
    return Offices(dict(zip(_OFFICES, onboard(ledger, parts), strict=True)))


def office_of(source: str) -> str:
    """Return the name of the institution that supplies data from a source."""
    return _SUPPLIERS.get(source, source)


def note_of(scenario: str) -> str:
    """Return the purpose that the consumer states in its note. The text is empty if the scenario needs no purpose."""
    return _NOTES.get(scenario, "")
