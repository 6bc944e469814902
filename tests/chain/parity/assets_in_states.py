"""Assets in several states, and acts of parties on them, for the tests of the rules in ``tests.reference.assets``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ledger.domain.parties import Role
from tests.reference.assets import applications, claims, transfers
from tests.reference.assets.life import AssetLife, Lien, Objection, Party, Right

AT = 1_000
END = 2_000
SAID = "1f" * 32
NONE = "00" * 32

OWNER = Party(1, frozenset({Role.PROVIDER}))
BUYER = Party(2, frozenset({Role.CONSUMER}))
BANK = Party(3, frozenset({Role.BROKER}))
REGISTRAR = Party(4, frozenset({Role.REGISTRAR}))
AUTHORITY = Party(5, frozenset({Role.AUTHORITY}))
ASSESSOR = Party(6, frozenset({Role.ASSESSOR}), accredited={"quality": (AT, AT + 1)})
STRANGER = Party(7)
ABSENT = Party(8, frozenset(Role), active=False)
OWNER_WITH_OFFICE = Party(1, frozenset(Role))

NEW = AssetLife()
APPLIED = AssetLife("applied", "first", "submitted", holder=1, since=1, applications=1)
CONFIRMED = AssetLife("confirmed", holder=1, valid_to=END, since=1, applications=1)
OVER = replace(CONFIRMED, valid_to=AT)
FROZEN = replace(CONFIRMED, frozen=True)
OFFERED = replace(CONFIRMED, offered_to=2, until=AT)
LAPSED = replace(CONFIRMED, offered_to=2, until=AT - 1)
FILED = Objection(3, "filed", 0, 900)
OBJECTED = replace(CONFIRMED, objections=(FILED,))
PLEDGED = replace(CONFIRMED, liens={0: Lien(3, 1, False, 900)})
LET_GO = replace(CONFIRMED, liens={0: Lien(3, 1, False, 900, consent_to=2)})
WIDE = Right("process", 2, AT, AT + 100, exclusive=True, sublicensable=True, transferable=True)
GRANTED = replace(CONFIRMED, rights=(WIDE,))
LICENCE = Right("process", 3, AT, AT + 50, parent=1)
LICENSED = replace(GRANTED, rights=(WIDE, LICENCE))
IMPORTANT = replace(CONFIRMED, grade="important")


def staged(stage: str, kind: str = "change", **changes: object) -> AssetLife:
    """Return an asset whose application is at the given stage: its first application if ``kind`` is "first", otherwise
    its second.
    """
    life = APPLIED if kind == "first" else replace(CONFIRMED, applications=2)
    return replace(life, kind=kind, stage=stage, **changes)  # type: ignore[arg-type]


def objected(state: str, *, application: int = 0, life: AssetLife = CONFIRMED) -> AssetLife:
    return replace(life, objections=(replace(FILED, state=state, application=application),))


def closed(life: AssetLife, **changes: object) -> AssetLife:
    return replace(life, kind=None, stage=None, until=0, **changes)  # type: ignore[arg-type]


def file(life: AssetLife, kind: str, grade: str = "general", content: str = SAID, **kwargs: Any) -> AssetLife:
    return applications.file(life, OWNER, kind, content, grade, AT, **kwargs)


def advance(life: AssetLife, stage: str, until: int = 0, grounds: str = SAID) -> AssetLife:
    return applications.advance(life, REGISTRAR, stage, AT, until=until, grounds=grounds, notice=10)


def reassign(life: AssetLife, to: Party = BUYER, grounds: str = SAID, **kwargs: Any) -> AssetLife:
    """Reassign an asset whose holder is silent, as after a decision of two officers."""
    usual: dict[str, Any] = {"by": AUTHORITY, "at": AT, "decided": True, "silent": True}
    return transfers.reassign(life, to=to, grounds=grounds, **usual | kwargs)


def confirm(life: AssetLife, valid_to: int = 0, at: int = AT) -> AssetLife:
    return applications.confirm(life, REGISTRAR, valid_to, at)


def register(grade: str = "general", earlier: AssetLife | None = None, life: AssetLife = NEW) -> AssetLife:
    return applications.register(life, OWNER, SAID, SAID, grade, AT, earlier=earlier)


def decide(life: AssetLife, state: str, by: Party = REGISTRAR, no: int = 1, grounds: str = SAID) -> AssetLife:
    return applications.decide(life, by, no, state, grounds)


def grant(life: AssetLife, right: Right, by: Party = OWNER, to: Party = BANK) -> AssetLife:
    return claims.grant(life, by, to, right, AT)


RIGHT = Right("process", 3, AT, AT + 10)
