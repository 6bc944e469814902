"""Chooses acts of officers and parties from random bytes. Most chosen acts can succeed. Many of the others are wrong in
only one detail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ledger.chain.contracts.deployment import PARTY_REGISTRY
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call
from ledger.proof.acts import report_message, veto_message
from tests.chain.parity.drawn_asset_acts import Choices
from tests.chain.parity.power_world import ACCOUNTS, PAYER, STATEMENTS, PairedAct, SideBySide, root_of
from tests.reference.powers.acts import Powers
from tests.reference.powers.state import (
    ADMIN,
    AUTHORITY,
    BROKER,
    CONSUMER,
    DAY,
    ELSEWHERE,
    GUARDS,
    ISSUER,
    KEY,
    LOG,
    MAX_PAUSE,
    NO_PROOF,
    OF_ANOTHER,
    OPEN_FOR,
    PAUSE_REST,
    PENDING,
    QUICK,
    REGISTERS,
    REGISTRY,
    RIGHT,
    ROLE_OF_OFFICE,
    SUBJECT,
    SUPERVISOR,
    WRONG,
    Act,
    Proposal,
)
from tests.support.chain.scripted_ledger import digest

REASON: Final = 4
COURT: Final = "court"
ROLES: Final = (AUTHORITY, AUTHORITY | ADMIN, SUPERVISOR, ISSUER, SUBJECT, CONSUMER | BROKER, 0, 1 << 11)
STATUSES: Final = (1, 1, 2, 3, 4, 0)


def voices(powers: Powers, fits: Callable[[int], bool]) -> list[str]:
    """Return the keys that may act for a party, for all parties that ``fits`` accepts."""
    return [each for each in ACCOUNTS if powers.speaks(each) and fits(powers.keys[each].owner)]


def in_role(powers: Powers, role: int, *others: int) -> list[str]:
    """Return the keys whose party has the role and is active; parties in ``others`` are left out."""

    def fits(no: int) -> bool:
        party = powers.parties[no]
        return party.status == 1 and bool(party.roles & role) and no not in others

    return voices(powers, fits)


def keys_of(powers: Powers, no: int) -> list[str]:
    return [each for each, key in powers.keys.items() if key.owner == no]


def unbound(powers: Powers) -> list[str]:
    return [each for each in ACCOUNTS if each not in powers.keys]


def a_party(powers: Powers, choices: Choices) -> int:
    return choices.mostly(sorted(powers.parties), [99])


def a_proof(choices: Choices) -> str:
    return choices.mostly([RIGHT, RIGHT, RIGHT, NO_PROOF], [WRONG, OF_ANOTHER])


def a_status(choices: Choices) -> int:
    return choices.of(STATUSES)


def change_of_key(powers: Powers, choices: Choices, no: int) -> Act:
    """Return a change of keys: a replacement, a further key, or a retirement."""
    fresh = choices.mostly(unbound(powers), ACCOUNTS)
    old = choices.mostly(keys_of(powers, no), ACCOUNTS)
    fresh, old = choices.mostly([(fresh, old), (fresh, "")], [("", old), ("", "")])
    return Act(REGISTRY, "changeKey", (no, fresh, old, a_proof(choices) if fresh else NO_PROOF))


def an_act(sides: SideBySide, choices: Choices) -> Act:
    """Return an act that officers may propose."""
    powers, no = sides.powers, a_party(sides.powers, choices)
    account = choices.mostly(keys_of(powers, no), ACCOUNTS)
    start = choices.of([0, sides.now, sides.now + DAY])
    kinds: dict[str, Callable[[], Act]] = {
        "changeKey": lambda: change_of_key(powers, choices, no),
        "further changeKey": lambda: change_of_key(powers, choices, no),
        "setRoles": lambda: Act(REGISTRY, "setRoles", (no, choices.of(ROLES))),
        "setStatus": lambda: Act(REGISTRY, "setStatus", (no, a_status(choices), REASON)),
        "accredit": lambda: Act(REGISTRY, "accredit", (no, "S51", start, start + choices.of([DAY, 2 * DAY, 0]))),
        "report": lambda: Act(REGISTRY, "report", (no, account)),
        "dateCompromise": lambda: Act(
            REGISTRY, "dateCompromise", (no, account, sides.now - choices.of([1, 500, 5000, -DAY]))
        ),
        "endPause": lambda: Act(REGISTRY, "endPause"),
        "lift": lambda: Act(LOG, "lift", (choices.of([1, 2, 1, 2, 3]), (choices.of(STATEMENTS),), REASON)),
        "pause": lambda: Act(REGISTRY, "pause"),
        "elsewhere": lambda: Act(ELSEWHERE, "anything"),
    }
    return kinds[choices.of(list(kinds))]()


def propose(sides: SideBySide, choices: Choices) -> PairedAct:
    act, powers = an_act(sides, choices), sides.powers
    role = ROLE_OF_OFFICE.get(act.args[0], AUTHORITY) if act.function == "lift" else AUTHORITY
    concerned = act.args[0] if act.target == REGISTRY and act.args else 0
    return _proposed("propose", choices.mostly(in_role(powers, role, concerned), ACCOUNTS), sides, act)


def propose_own_key(sides: SideBySide, choices: Choices) -> PairedAct:
    no = choices.of(sorted(sides.powers.parties))
    caller = choices.mostly(voices(sides.powers, lambda owner: owner == no), keys_of(sides.powers, no))
    return _proposed("propose own key", caller, sides, change_of_key(sides.powers, choices, no))


def _proposed(name: str, caller: str, sides: SideBySide, act: Act) -> PairedAct:
    call = Call(PARTY_REGISTRY, "propose", sides.world.sent(act))
    return PairedAct(name, caller, call, Powers.propose, (caller, act))


def propose_registration(sides: SideBySide, choices: Choices) -> PairedAct:
    """Propose the registration of one or two parties by the digest of their list; sometimes propose another act by its
    digest.
    """
    powers = sides.powers
    fresh = unbound(powers) or list(ACCOUNTS)
    rows = [
        (
            digest(choices.mostly([f"party {len(powers.proposals)} {place}"], ["firm"])),
            tuple((choices.of(fresh), a_proof(choices)) for _ in range(choices.of([1, 1, 2]))),
            choices.mostly([SUBJECT, CONSUMER | SUBJECT], ROLES),
        )
        for place in range(choices.of([1, 1, 2]))
    ]
    act = choices.mostly([Act(REGISTRY, "register", (tuple(rows),))], [an_act(sides, choices)])
    caller = choices.mostly(in_role(powers, REGISTERS), ACCOUNTS)
    call = calls.propose_registration(sides.world.digest_of(act))
    return PairedAct("propose registration", caller, call, Powers.propose_registration, (caller, act))


def a_proposal(sides: SideBySide, choices: Choices, fits: Callable[[int], bool]) -> tuple[int, Act]:
    """Return the number of a proposal, and an act: usually the proposed act, sometimes an act that differs from it."""
    powers = sides.powers
    pending = [no for no, each in powers.proposals.items() if each.state == PENDING]
    newest = [no for no in pending if fits(no)][-4:]
    no = choices.mostly(newest or pending, [*powers.proposals, len(powers.proposals) + 1])
    acts = [each.act for each in powers.proposals.values()] or [Act(REGISTRY, "endPause")]
    own = [powers.proposals[no].act] if no in powers.proposals else []
    return no, choices.mostly(own * 3, acts)


def confirm(sides: SideBySide, choices: Choices) -> PairedAct:
    powers = sides.powers
    no, act = a_proposal(sides, choices, lambda each: not powers.proposals[each].confirmer)
    proposal = powers.proposals.get(no)
    others = (proposal.by, proposal.concerned) if proposal else ()
    role = proposal.role if proposal else AUTHORITY
    caller = choices.mostly(in_role(powers, role, *others), [*in_role(powers, GUARDS), *ACCOUNTS])
    call = Call(PARTY_REGISTRY, "confirm", (no, *sides.world.sent(act)))
    return PairedAct("confirm", caller, call, Powers.confirm, (caller, no, act))


def carry_out(sides: SideBySide, choices: Choices) -> PairedAct:
    powers = sides.powers

    def ready(no: int) -> bool:
        proposal = powers.proposals[no]
        decided = proposal.role == 0 or bool(proposal.confirmer)
        return decided and proposal.ready <= sides.now

    no, act = a_proposal(sides, choices, ready)
    call = Call(PARTY_REGISTRY, "carryOut", (no, *sides.world.sent(act)))
    return PairedAct("carry out", PAYER, call, Powers.carry_out, (no, act))


def cancellable(proposal: Proposal) -> bool:
    return proposal.role != 0 and proposal.kind != QUICK


def cancel(sides: SideBySide, choices: Choices) -> PairedAct:
    no, _ = a_proposal(sides, choices, lambda each: cancellable(sides.powers.proposals[each]))
    role = sides.powers.proposals[no].role if no in sides.powers.proposals else AUTHORITY
    caller = choices.mostly(in_role(sides.powers, role), ACCOUNTS)
    return PairedAct("cancel", caller, calls.cancel(no), Powers.cancel, (caller, no))


def _vetoing(sides: SideBySide, choices: Choices) -> tuple[int, str]:
    powers = sides.powers
    no, _ = a_proposal(sides, choices, lambda each: powers.proposals[each].kind == KEY)
    concerned = powers.proposals[no].concerned if no in powers.proposals else 0
    return no, choices.mostly(keys_of(powers, concerned), ACCOUNTS)


def veto(sides: SideBySide, choices: Choices) -> PairedAct:
    no, caller = _vetoing(sides, choices)
    return PairedAct("veto", caller, calls.veto(no), Powers.veto, (caller, no))


def veto_for(sides: SideBySide, choices: Choices) -> PairedAct:
    no, by = _vetoing(sides, choices)
    proof = choices.mostly([RIGHT], [WRONG])
    signature = sides.world.signature(by, veto_message(sides.world.deployment.chain, by, no), proof)
    call = calls.veto_for(by, no, signature)
    return PairedAct("veto for", PAYER, call, Powers.veto, (by, no, proof))


def report(sides: SideBySide, choices: Choices) -> PairedAct:
    powers, no = sides.powers, a_party(sides.powers, choices)
    account = choices.mostly(keys_of(powers, no), ACCOUNTS)
    by_whom = [keys_of(powers, no), in_role(powers, AUTHORITY, no)]
    caller = choices.mostly(choices.of(by_whom), ACCOUNTS)
    return PairedAct("report", caller, calls.report(no, account), Powers.report, (caller, no, account))


def report_for(sides: SideBySide, choices: Choices) -> PairedAct:
    powers, no = sides.powers, a_party(sides.powers, choices)
    by = choices.mostly(keys_of(powers, no), ACCOUNTS)
    account = choices.mostly(keys_of(powers, no), ACCOUNTS)
    proof = choices.mostly([RIGHT], [WRONG])
    signature = sides.world.signature(by, report_message(sides.world.deployment.chain, by, account), proof)
    call = calls.report_for(by, no, account, signature)
    return PairedAct("report for", PAYER, call, Powers.report_for, (by, no, account, proof))


def set_roles(sides: SideBySide, choices: Choices) -> PairedAct:
    powers, no, roles = sides.powers, a_party(sides.powers, choices), choices.of(ROLES)
    caller = choices.mostly(in_role(powers, REGISTERS, no), ACCOUNTS)
    return PairedAct("set roles", caller, calls.set_roles(no, roles), Powers.set_roles, (caller, no, roles))


def set_status(sides: SideBySide, choices: Choices) -> PairedAct:
    powers, no, status = sides.powers, a_party(sides.powers, choices), a_status(choices)
    caller = choices.mostly(in_role(powers, GUARDS, no), ACCOUNTS)
    call = Call(PARTY_REGISTRY, "setStatus", (no, status, REASON))
    return PairedAct("set status", caller, call, Powers.set_status, (caller, no, status, REASON))


def pause(sides: SideBySide, choices: Choices) -> PairedAct:
    caller = choices.mostly(in_role(sides.powers, GUARDS), ACCOUNTS)
    return PairedAct("pause", caller, calls.pause(), Powers.pause, (caller,))


def hold(sides: SideBySide, choices: Choices) -> PairedAct:
    caller, statement = choices.mostly(in_role(sides.powers, GUARDS), ACCOUNTS), choices.of(STATEMENTS)
    return PairedAct("hold", caller, calls.hold([statement], COURT), Powers.hold, (caller, statement, REASON))


def withdraw(sides: SideBySide, choices: Choices) -> PairedAct:
    """Withdraw with any key, because reported keys may withdraw too."""
    caller, statement = choices.of(sorted(sides.powers.keys)), choices.of(STATEMENTS)
    return PairedAct("withdraw", caller, calls.withdraw(statement), Powers.withdraw, (caller, statement))


def anchor(sides: SideBySide, choices: Choices) -> PairedAct:
    powers = sides.powers
    caller = choices.mostly(in_role(powers, ISSUER), ACCOUNTS)
    key = powers.keys.get(caller)
    first = powers.anchored.get(key.owner, 0) if key else 0
    root = root_of(first)
    return PairedAct("anchor", caller, calls.anchor(first, 1, root), Powers.anchor, (caller, root))


def call_alone(sides: SideBySide, choices: Choices) -> PairedAct:
    """Let an officer send a call directly, although the contract allows this call only through a proposal."""
    powers, act = sides.powers, an_act(sides, choices)
    if act.function not in ("changeKey", "accredit", "dateCompromise", "endPause", "lift"):
        act = Act(REGISTRY, "endPause")
    caller = choices.mostly(in_role(powers, AUTHORITY), ACCOUNTS)
    return PairedAct("call alone", caller, sides.world.call(act), Powers.perform, (act, caller))


def wait(sides: SideBySide, choices: Choices) -> None:
    """Move the clock forward by a short time, or to just before, at or just after a deadline."""
    powers = sides.powers
    powers.now = sides.now
    paused = sides.now - powers.running()
    pending = [each for each in powers.proposals.values() if each.state == PENDING]
    ready = {each.ready + paused + off for each in pending for off in (-1, 0, 1)}
    expiry = {each.ready + paused + OPEN_FOR + off for each in pending for off in (0, 1)}
    ends = {until + off for _, until in powers.pauses for off in (-1, 0)}
    rests = {until + PAUSE_REST + off for _, until in powers.pauses for off in (-1, 0)}
    soon = sorted(time for time in ready | ends if time > sides.now)
    late = sorted(time for time in expiry | rests if time > sides.now)
    sides.now = choices.mostly([sides.now + 1, sides.now + 60, *soon], [sides.now + MAX_PAUSE, *late])


BUILDERS: Final[dict[str, Callable[[SideBySide, Choices], PairedAct]]] = {
    "propose": propose,
    "propose own key": propose_own_key,
    "propose registration": propose_registration,
    "confirm": confirm,
    "carry out": carry_out,
    "cancel": cancel,
    "veto": veto,
    "veto for": veto_for,
    "report": report,
    "report for": report_for,
    "set roles": set_roles,
    "set status": set_status,
    "pause": pause,
    "hold": hold,
    "withdraw": withdraw,
    "anchor": anchor,
    "call alone": call_alone,
}
# Acts that end a proposal, close a party or pause the ledger are tried less often.
_OFTEN: Final = {"propose": 6, "propose own key": 4, "propose registration": 3, "confirm": 8, "carry out": 8}
WEIGHTED: Final[Sequence[str]] = [name for name in BUILDERS for _ in range(_OFTEN.get(name, 1))]
