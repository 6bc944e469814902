"""The parties of the demonstration. Each party has an invented name, an invented number with valid check digits, and a
key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role
from ledger.installation.wiring import Ledger
from ledger.parties.newcomers import NewParty

REGIONS = ("440802", "440803", "440804", "440811", "440823", "440825", "440881", "440882", "440883")
FIRST_INSTITUTION = 9000
FIRST_FIRM = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """A party to onboard. ``identifier`` is its USCC or resident ID number. Without ``roles``, it gets the usual roles
    of its kind.
    """

    kind: PartyKind
    name: str
    region: str
    identifier: str
    roles: frozenset[Role] | None = None


@dataclass(frozen=True, slots=True)
class Cast:
    """The ids of the parties. ``firms`` maps a firm's number in the panel to the firm's party id."""

    registrar: str
    provider: str
    bank: str
    other_bank: str
    supervisor: str
    assessor: str
    firms: dict[str, str]


def assemble(ledger: Ledger, firm_numbers: Sequence[str]) -> Cast:
    """Onboard institutions and firms, or find those that an earlier run onboarded. Return their ids."""
    institutions = [
        institution(0, PartyKind.REGISTRAR, "湛江市数据登记中心（演示） Data registrar (demo)"),
        institution(1, PartyKind.UTILITY, "湛江企业数据服务（演示） Enterprise data provider (demo)"),
        institution(2, PartyKind.BANK, "湛江第一银行（演示） First Bank of Zhanjiang (demo)"),
        institution(3, PartyKind.BANK, "湛江第二银行（演示） Second Bank of Zhanjiang (demo)"),
        institution(4, PartyKind.SUPERVISOR, "湛江数据监管（演示） Data supervisor (demo)"),
        institution(5, PartyKind.ASSESSOR, "湛江数据评估（演示） Data assessor (demo)"),
    ]
    firms = [firm(place, number) for place, number in enumerate(firm_numbers)]
    ids = onboard(ledger, [*institutions, *firms])
    registrar, provider, bank, other_bank, supervisor, assessor = ids[: len(institutions)]
    numbered = dict(zip(firm_numbers, ids[len(institutions) :], strict=True))
    return Cast(registrar, provider, bank, other_bank, supervisor, assessor, numbered)


def institution(place: int, kind: PartyKind, name: str, roles: frozenset[Role] | None = None) -> Part:
    """Return an institution. ``place`` is a number that no other institution may have."""
    return Part(kind, name, "440800", synthetic_uscc("440800", FIRST_INSTITUTION + place), roles)


def firm(place: int, number: str) -> Part:
    """Return the firm with the number ``number`` in the panel; ``place`` is its place in the list of firms."""
    region = REGIONS[place % len(REGIONS)]
    name = f"湛江第{number}号企业（演示） Firm {number}"
    return Part(PartyKind.ENTERPRISE, name, region, synthetic_uscc(region, FIRST_FIRM + int(number)))


def onboard(ledger: Ledger, parts: Sequence[Part]) -> list[str]:
    """Onboard those parties that are not on the chain yet, with keys that are kept here. Return the ids of all parties.

    If an interrupted run recorded a party but did not put it on the chain, the party keeps its recorded key.
    """
    found = ledger.parties.register.found(part.identifier for part in parts)
    known = [found.get(part.identifier) for part in parts]
    waiting = [(part, row) for part, row in zip(parts, known, strict=True) if row is None or row.no is None]
    without_key = sum(row is None for _, row in waiting)
    fresh = iter(ledger.custody.create(without_key) if without_key else ())
    newcomers = [
        _newcomer(part, ledger.custody.public_key(next(fresh)) if row is None else row.public_key)
        for part, row in waiting
    ]
    made = iter(ledger.parties.onboarding.onboard(ledger.authority, newcomers) if newcomers else ())
    return [row.id if row is not None and row.no is not None else next(made).id for row in known]


def _newcomer(part: Part, public_key: str) -> NewParty:
    return NewParty(part.kind, part.name, part.identifier, part.region, public_key, part.roles)
