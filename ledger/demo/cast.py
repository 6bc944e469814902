"""Who plays in the pilot: synthetic names and numbers with valid check digits, and a key for each."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind
from ledger.errors import NotFound
from ledger.service.parties import NewParty
from ledger.service.wiring import Ledger

REGIONS = ("440802", "440803", "440804", "440811", "440823", "440825", "440881", "440882", "440883")
FIRST_INSTITUTION = 9000
FIRST_FIRM = 1000


@dataclass(frozen=True, slots=True)
class Cast:
    """Party ids by part; ``firms`` by firm number of the panel."""

    registrar: str
    provider: str
    bank: str
    other_bank: str
    supervisor: str
    assessor: str
    firms: dict[str, str]


def assemble(ledger: Ledger, firm_numbers: list[str]) -> Cast:
    """Onboard institutions and firms; those of an earlier run are found again."""
    institutions = [
        (PartyKind.REGISTRAR, "湛江市数据登记中心（演示） Data registrar (demo)"),
        (PartyKind.UTILITY, "湛江企业数据服务（演示） Enterprise data provider (demo)"),
        (PartyKind.BANK, "湛江第一银行（演示） First Bank of Zhanjiang (demo)"),
        (PartyKind.BANK, "湛江第二银行（演示） Second Bank of Zhanjiang (demo)"),
        (PartyKind.SUPERVISOR, "湛江数据监管（演示） Data supervisor (demo)"),
        (PartyKind.ASSESSOR, "湛江数据评估（演示） Data assessor (demo)"),
    ]
    wanted = [
        (kind, name, "440800", synthetic_uscc("440800", FIRST_INSTITUTION + place))
        for place, (kind, name) in enumerate(institutions)
    ]
    for place, number in enumerate(firm_numbers):
        region = REGIONS[place % len(REGIONS)]
        wanted.append(
            (
                PartyKind.ENTERPRISE,
                f"湛江第{number}号企业（演示） Firm {number}",
                region,
                synthetic_uscc(region, FIRST_FIRM + int(number)),
            )
        )
    parts = [_found_or_new(ledger, *part) for part in wanted]
    newcomers = iter(ledger.parties.onboard([part for part in parts if isinstance(part, NewParty)]))
    ids = [next(newcomers).id if isinstance(part, NewParty) else part for part in parts]
    offices, firms = ids[: len(institutions)], ids[len(institutions) :]
    registrar, provider, bank, other_bank, supervisor, assessor = offices
    numbered = dict(zip(firm_numbers, firms, strict=True))
    return Cast(registrar, provider, bank, other_bank, supervisor, assessor, numbered)


def _found_or_new(ledger: Ledger, kind: PartyKind, name: str, region: str, uscc: str) -> str | NewParty:
    try:
        return ledger.parties.find(uscc).id
    except NotFound:
        (account,) = ledger.custody.create()
        return NewParty(kind, name, uscc, region, ledger.custody.public_key(account))
