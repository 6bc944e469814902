"""Chooses acts on an asset from random bytes. Most chosen acts can succeed. Many of the others are wrong in only one
detail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from ledger.chain.sending import asset_calls as writes
from ledger.chain.sending.asset_calls import NOTHING, AssetRegistration, Grant
from ledger.domain.assets.names import APPLICATION_KINDS, ASSESSMENTS, OBJECTION_STATES, RIGHT_KINDS, STAGES
from ledger.domain.grades import ASSET_GRADES
from ledger.domain.parties import Role
from tests.chain.parity.asset_world import NOTICE, PairedAct, SideBySide
from tests.reference.assets import applications, claims, transfers
from tests.reference.assets.life import AssetLife, Party, Right
from tests.reference.lifecycles import OBJECTION
from tests.support.chain.scripted_ledger import digest

T = TypeVar("T")
SAID: Final = digest("grounds")
DAY: Final = 60
_KINDS: Final = APPLICATION_KINDS
_STAGE_OF: Final = {"accept": "accepted", "review": "reviewed", "notice": "noticed", "return": "returned"}
_STATE_OF: Final = {move: state for (_, move), state in OBJECTION.moves.items()}
_PROLONGS: Final = ("first", "renew")


class Choices:
    """The choices for one step. Each choice uses one byte; without bytes, the first option is chosen."""

    def __init__(self, chosen: bytes = b"") -> None:
        self._bytes = iter(chosen)

    def of(self, options: Sequence[T]) -> T:
        return options[next(self._bytes, 0) % len(options)]

    def mostly(self, likely: Sequence[T], others: Sequence[T]) -> T:
        """Return an option from ``likely`` in seven of eight cases, otherwise an option from ``others``."""
        return self.of(likely) if self.of(range(8)) < 7 and likely else self.of(others)

    def party(self, sides: SideBySide, fits: Callable[[Party], bool]) -> Party:
        """Return a party, usually an active one that fits."""
        everyone = list(sides.parties.values())
        return self.mostly([party for party in everyone if party.active and fits(party)], everyone)

    def said(self) -> str:
        """Return the grounds of an act: usually a digest, sometimes zero (no grounds)."""
        return self.mostly([SAID], [NOTHING])


Builder = Callable[[SideBySide, str, Choices], PairedAct]


def step(sides: SideBySide, move: str, asset: str, choices: Choices) -> PairedAct:
    return BUILDERS[move](sides, asset, choices)


def wait(sides: SideBySide, asset: str, choices: Choices) -> None:
    """Move the clock forward by a short time, or to just before, at or just after a deadline."""
    life = sides.life(asset)
    matters = {
        life.until,
        life.until + 1,
        life.valid_to,
        *(time for each in life.rights for time in (each.start, each.end)),
    }
    ahead = sorted(time + off for time in matters for off in (-1, 0, 1) if time + off > sides.now)
    sides.now = choices.mostly([sides.now + 1, sides.now + DAY, *ahead[:3]], [sides.now + DAY, *ahead])


def _holder(life: AssetLife) -> Callable[[Party], bool]:
    return lambda party: party.no == life.holder


def _third(life: AssetLife, *roles: Role) -> Callable[[Party], bool]:
    return lambda party: party.no != life.holder and bool(party.roles & set(roles))


def _numbered(number: int) -> Callable[[Party], bool]:
    return lambda party: party.no == number


def _register(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by = choices.party(sides, lambda party: bool(party.roles & {Role.PROVIDER, Role.CONSUMER}))
    content = choices.said()
    fingerprint = choices.mostly([digest(f"print {asset}")], [NOTHING, *sides.fingerprints])
    grade = choices.mostly(ASSET_GRADES[:2], ASSET_GRADES)
    call = writes.register_assets([AssetRegistration(digest(asset), content, fingerprint, grade)])
    earlier = sides.having(fingerprint, asset)
    after = partial(applications.register, life, by, content, fingerprint, grade, at, earlier=earlier)
    return PairedAct("register", asset, by, call, after, fingerprint)


def _file(kind: str | None, sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by, content = choices.party(sides, _holder(life)), choices.said()
    kind = choices.mostly([kind or life.kind or "first"], _KINDS)
    name = "file_again" if life.stage == "returned" else f"file_{kind}"
    prints = [digest(f"second print {asset}"), *sides.fingerprints]
    fingerprint = choices.mostly([NOTHING, prints[0]], prints)
    grade = choices.mostly([life.grade] * 3 + [ASSET_GRADES[1]], ASSET_GRADES)
    earlier, anew = sides.having(fingerprint, asset), fingerprint != NOTHING
    after = partial(applications.file, life, by, kind, content, grade, at, anew=anew, earlier=earlier)
    call = writes.file_application(digest(asset), kind, content, fingerprint, grade)
    return PairedAct(name, asset, by, call, after, fingerprint)


def _advance(name: str, sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by, grounds = choices.party(sides, _third(life, Role.REGISTRAR)), choices.said()
    stage = choices.mostly([_STAGE_OF[name]], STAGES)
    name = next((move for move, reached in _STAGE_OF.items() if reached == stage), "")
    early = at + NOTICE
    until = choices.mostly([early, early + 1] if stage == "noticed" else [0], [0, early - 1, early])
    call = writes.advance([digest(asset)], stage, until=until, grounds=grounds)
    after = partial(applications.advance, life, by, stage, at, until=until, grounds=grounds, notice=NOTICE)
    return PairedAct(name, asset, by, call, after)


def _reject(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life = sides.life(asset)
    by, grounds = choices.party(sides, _third(life, Role.REGISTRAR)), choices.said()
    return PairedAct(
        "reject", asset, by, writes.reject(digest(asset), grounds), lambda: applications.reject(life, by, grounds)
    )


def _confirm(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by = choices.party(sides, _third(life, Role.REGISTRAR))
    latest = max(at, life.valid_to)
    valid_to = choices.mostly(
        [latest + 20 * DAY, latest + 1] if life.kind in _PROLONGS else [0], [0, at, latest, at + 1]
    )
    call = writes.confirm_assets([digest(asset)], valid_to)
    return PairedAct("confirm", asset, by, call, lambda: applications.confirm(life, by, valid_to, at))


def _clear(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by, report = choices.party(sides, _third(life, Role.AUTHORITY, Role.SUPERVISOR)), choices.said()
    return PairedAct(
        "clear", asset, by, writes.clear(digest(asset), report), lambda: applications.clear(life, by, report, at)
    )


def _object(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by, grounds = choices.party(sides, _third(life, Role.SUBJECT, Role.BROKER, Role.CONSUMER)), choices.said()
    call = writes.object_to(digest(asset), grounds)
    return PairedAct("object", asset, by, call, lambda: applications.object_to(life, by, grounds, at))


def _decide(name: str, sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life = sides.life(asset)
    numbered = list(enumerate(life.objections, start=1))
    fitting = [no for no, objection in numbered if name in OBJECTION.moves_from(objection.state)]
    no = choices.mostly(fitting, range(len(numbered) + 2))
    objector = dict(numbered)[no].objector if 0 < no <= len(numbered) else 0
    by = choices.party(sides, lambda party: _third(life, Role.REGISTRAR)(party) and party.no != objector)
    state, grounds = choices.mostly([_STATE_OF[name]], OBJECTION_STATES), choices.said()
    name = next((move for move, reached in _STATE_OF.items() if reached == state), "")
    call = writes.decide(digest(asset), no, state, grounds)
    return PairedAct(name, asset, by, call, lambda: applications.decide(life, by, no, state, grounds))


def _offer(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    agreed = {lien.consent_to for lien in life.liens.values()}
    by = choices.party(sides, _holder(life))
    to = choices.party(sides, lambda party: party.no != by.no and (not agreed or party.no in agreed))
    deadline = choices.mostly([at, at + 1, at + DAY], [at - 1, at])
    call = writes.offer_transfer(digest(asset), to.no, deadline)
    return PairedAct("offer", asset, by, call, lambda: transfers.offer_transfer(life, by, to, deadline, at))


def _accept_transfer(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by = choices.party(sides, _numbered(life.offered_to))
    call = writes.accept_transfer(digest(asset))
    return PairedAct("accept_transfer", asset, by, call, lambda: transfers.accept_transfer(life, by, at))


def _reject_transfer(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by = choices.party(sides, _numbered(life.offered_to))
    call = writes.reject_transfer(digest(asset))
    return PairedAct("reject_transfer", asset, by, call, lambda: transfers.reject_transfer(life, by, at))


def _withdraw_offer(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by = choices.party(sides, _holder(life))
    call = writes.withdraw_offer(digest(asset))
    return PairedAct("withdraw_offer", asset, by, call, lambda: transfers.withdraw_offer(life, by, at))


def _set_frozen(wanted: bool, sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by = choices.party(sides, _third(life, Role.AUTHORITY, Role.SUPERVISOR))
    call = writes.set_frozen(digest(asset), wanted, "court")
    after = transfers.freeze if wanted else transfers.unfreeze
    return PairedAct("freeze" if wanted else "unfreeze", asset, by, call, lambda: after(life, by, at))


def _annul(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by = choices.party(sides, _third(life, Role.REGISTRAR, Role.AUTHORITY, Role.SUPERVISOR))
    grounds = choices.said()
    call = writes.annul(digest(asset), "fraud", grounds)
    return PairedAct("annul", asset, by, call, lambda: transfers.annul(life, by, grounds, at))


def _grant(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    numbered = dict(enumerate(life.rights, start=1))
    wide = [no for no, right in numbered.items() if right.sublicensable and right.end > at]
    parent = choices.mostly([0, *wide, *wide], range(len(numbered) + 2))
    above = numbered.get(parent)
    by = choices.party(sides, _numbered(above.grantee) if above else _holder(life))
    to = choices.party(sides, lambda party: party.no != by.no)
    times = [time for right in numbered.values() for time in (right.start, right.end)]
    start = choices.mostly([max(at, above.start) if above else at, at + 1, *times], [at - 1, at + DAY])
    end = choices.mostly(
        [above.end if above else start + DAY, start + 1, *times], [start, life.valid_to, life.valid_to + 1]
    )
    kind = choices.mostly([above.kind if above else "process"], RIGHT_KINDS)
    exclusive = choices.mostly([False] if above else [True, False], [True])
    sublicensable, transferable = choices.of([True, False]), choices.of([True, False])
    right = Right(kind, to.no, start, end, exclusive, sublicensable, transferable, parent)
    call = writes.grant_right(
        digest(asset), Grant(kind, to.no, start, end, exclusive, sublicensable, transferable, parent, SAID)
    )
    return PairedAct("grant", asset, by, call, lambda: claims.grant(life, by, to, right, at))


def _right(life: AssetLife, choices: Choices) -> tuple[int, int]:
    """Return the number of a right and its grantee."""
    no = choices.mostly(range(1, len(life.rights) + 1), range(len(life.rights) + 2))
    return no, life.rights[no - 1].grantee if 0 < no <= len(life.rights) else 0


def _transfer_right(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    no, grantee = _right(life, choices)
    by, to = choices.party(sides, _numbered(grantee)), choices.party(sides, lambda party: party.no != grantee)
    call = writes.transfer_right(digest(asset), no, to.no)
    return PairedAct("transfer_right", asset, by, call, lambda: claims.transfer_right(life, by, no, to, at))


def _end_right(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    no, grantee = _right(life, choices)
    fits = choices.of([_numbered(grantee), _third(life, Role.REGISTRAR)])
    by, grounds = choices.party(sides, fits), choices.said()
    call = writes.end_right(digest(asset), no, grounds)
    return PairedAct("end_right", asset, by, call, lambda: claims.end_right(life, by, no, grounds, at))


def _pledge(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by, creditor = choices.party(sides, _holder(life)), choices.party(sides, lambda party: party.no != life.holder)
    sole, terms = choices.mostly([False], [True]), choices.said()
    call = writes.pledge(digest(asset), creditor.no, sole, terms)
    return PairedAct("pledge", asset, by, call, lambda: claims.pledge(life, by, creditor, sole, terms, at))


def _lien(sides: SideBySide, life: AssetLife, choices: Choices) -> tuple[int, Party]:
    """Return the number of a lien, and a party: usually the creditor of this lien."""
    number = choices.mostly(sorted(life.liens), range(9))
    creditor = life.liens[number].creditor if number in life.liens else 0
    return number, choices.party(sides, _numbered(creditor))


def _consent(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life = sides.life(asset)
    number, by = _lien(sides, life, choices)
    to = choices.mostly([lien.consent_to for lien in life.liens.values()], range(len(sides.parties) + 2))
    call = writes.consent_to_transfer(digest(asset), number, to)
    return PairedAct("consent", asset, by, call, lambda: claims.consent_to_transfer(life, by, number, to))


def _release(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life = sides.life(asset)
    number, by = _lien(sides, life, choices)
    return PairedAct(
        "release", asset, by, writes.release(digest(asset), number), lambda: claims.release(life, by, number)
    )


def _link(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by, parent = choices.party(sides, _holder(life)), choices.of(sorted(sides.lives))
    call = writes.link(digest(asset), "derived_from", digest(parent))
    return PairedAct("link", asset, by, call, lambda: transfers.link(life, by, sides.life(parent), at))


def _replace(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by, successor = choices.party(sides, _holder(life)), choices.of(sorted(sides.lives))
    call = writes.replace(digest(asset), digest(successor))
    return PairedAct("replace", asset, by, call, lambda: transfers.replace_by(life, by, sides.life(successor), at))


def _assess(sides: SideBySide, asset: str, choices: Choices) -> PairedAct:
    life, at = sides.life(asset), sides.now
    by, report = choices.party(sides, _third(life, Role.ASSESSOR)), choices.said()
    kind, valid_to = choices.mostly(["quality"], ASSESSMENTS), choices.mostly([at + 1], [at])
    call = writes.assess(digest(asset), kind, report, valid_to)
    return PairedAct("assess", asset, by, call, lambda: transfers.assess(life, by, kind, report, valid_to, at))


BUILDERS: Final[Mapping[str, Builder]] = {
    "register": _register,
    "link": _link,
    **{f"file_{kind}": partial(_file, kind) for kind in applications.FILED},
    "file_again": partial(_file, None),
    **{name: partial(_advance, name) for name in _STAGE_OF},
    "reject": _reject,
    "confirm": _confirm,
    "clear": _clear,
    "object": _object,
    **{name: partial(_decide, name) for name in _STATE_OF},
    "offer": _offer,
    "accept_transfer": _accept_transfer,
    "reject_transfer": _reject_transfer,
    "withdraw_offer": _withdraw_offer,
    "freeze": partial(_set_frozen, True),
    "unfreeze": partial(_set_frozen, False),
    "annul": _annul,
    "grant": _grant,
    "transfer_right": _transfer_right,
    "end_right": _end_right,
    "pledge": _pledge,
    "consent": _consent,
    "release": _release,
    "replace": _replace,
    "assess": _assess,
}
