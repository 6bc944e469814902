"""Describes a proposal for people: what it does, its parties and deadlines, and how to stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ledger.chain.contracts.names import names_of_roles
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import NO_ACCOUNT
from ledger.chain.sending.proposals import REGISTERS
from ledger.domain.parties import Role
from ledger.domain.powers import ProposalState
from ledger.errors import NotFound
from ledger.index.proposals import REGISTRATION_KIND, IndexedProposal, RunningTime

REASSIGN: Final = "reassign"
REGISTER: Final = REGISTRATION_KIND
EXPIRED: Final = "expired"
Listed = Callable[[str], list[dict[str, Any]] | None]
# Maps each contract parameter that holds a party's number to the parameter's name in a description.
_PARTIES: Final = {"no": "party", "to": "to"}
_BY_VETO: Final = (
    "该参与方在提议时有效的任一密钥均可否决此提案：`pingzheng keys veto {no}`。"
    " Any key that the party had at the time of the proposal can veto the proposal: `pingzheng keys veto {no}`."
)
_BY_OFFICE: Final = (
    "任一同类机构可取消此提案：`pingzheng keys cancel {no}`。"
    " Any party with that role can cancel the proposal: `pingzheng keys cancel {no}`."
)
# Proposals of these acts have no waiting period and cannot be cancelled. If they could be cancelled, one institution
# could block these acts for ever.
_QUICK: Final = frozenset({REGISTRATION_KIND, "lift", "end_pause"})
_BY_NOBODY: Final = (
    "此提案不可取消；没有另一同类机构确认则到期失效。"
    " The proposal cannot be cancelled. It expires unless another party with that role confirms it."
)
_BY_HOLDER: Final = (
    "持有人只要有一把有效的密钥，此提案就不能执行；否则请主管部门取消。"
    " The proposal is refused while the holder has an active key; otherwise ask an authority to cancel it."
)
_UNREADABLE: Final = (
    "本版本无法完整解读此调用，请勿确认。 This version cannot read the call completely: do not confirm it."
)
_ENDED: Final = "提案已结束，无需阻止。 The proposal has ended; there is nothing to stop."


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as read from the index. Parties are given by id; times are seconds UTC, 0 if not set.

    ``kind`` is the contract's function, such as ``change_key``, and ``arguments`` are its arguments by name. If
    ``readable`` is false, ``arguments`` do not show the whole call, and the proposal cannot be confirmed here. ``role``
    is the role that proposes and confirms, empty if a party changes its own keys. A pause makes ``ready_at`` and
    ``expires_at`` later. ``state`` is ``pending``, ``carried_out``, ``cancelled``, ``vetoed`` or ``expired``.
    """

    no: int
    kind: str
    readable: bool
    arguments: dict[str, Any]
    role: str
    concerned: str | None
    by: str
    confirmed_by: str | None
    at: int
    ready_at: int
    expires_at: int
    ended_at: int
    state: str
    how_to_stop: str

    @property
    def pending(self) -> bool:
        """Return whether the proposal can still be confirmed or carried out."""
        return self.state == ProposalState.PENDING

    @property
    def needs_confirmation(self) -> bool:
        """Return whether a second party must still confirm the proposal."""
        return self.pending and bool(self.role) and self.confirmed_by is None


def proposal_in_words(found: IndexedProposal, reader: ChainReader, time: RunningTime, listed: Listed) -> Proposal:
    """Describe a proposal from the index as it is at a time; ``listed`` returns the list of parties for an act, or
    None."""
    open_still = found.state == ProposalState.PENDING and time.running <= found.expires
    state = EXPIRED if found.state == ProposalState.PENDING and not open_still else str(found.state)
    return Proposal(
        no=found.no,
        kind=found.kind,
        readable=_readable(found),
        arguments=_arguments(found, reader, listed),
        role=_office(found.role),
        concerned=reader.party_id(found.concerned) if found.concerned else None,
        by=reader.party_id(found.by),
        confirmed_by=reader.party_id(found.confirmed_by) if found.confirmed_by else None,
        at=found.at,
        ready_at=time.wall(found.ready),
        expires_at=time.wall(found.expires),
        ended_at=found.ended_at,
        state=state,
        how_to_stop=_how_to_stop(found) if open_still else _ENDED,
    )


def _arguments(found: IndexedProposal, reader: ChainReader, listed: Listed) -> dict[str, Any]:
    if found.kind == REGISTER:
        parties = listed(found.act)
        return {"act": found.act} | ({} if parties is None else {"parties": parties})
    words = {_PARTIES.get(name, name): _in_words(reader, name, value) for name, value in found.shown.arguments.items()}
    if _readable(found):
        return words
    return {**words, "selector": found.shown.selector, "target": found.target, "call": found.data}


def _readable(found: IndexedProposal) -> bool:
    return found.call is not None or found.kind == REGISTER


def _in_words(reader: ChainReader, name: str, value: Any) -> Any:
    if name in _PARTIES:
        return _party(reader, value)
    if value == NO_ACCOUNT:
        return None
    return list(value) if isinstance(value, tuple) else value


def _party(reader: ChainReader, number: int) -> str | int:
    try:
        return reader.party_id(number)
    except NotFound:
        # A proposal can name a number that no party has: the contract checks the number only when the proposal is
        # carried out.
        return number


def _office(mask: int) -> str:
    return Role.AUTHORITY.value if mask == REGISTERS else ",".join(names_of_roles(mask))


def _how_to_stop(found: IndexedProposal) -> str:
    by_office = _BY_NOBODY if found.kind in _QUICK else _BY_OFFICE
    ways = {
        _UNREADABLE: not _readable(found),
        # The contract allows a veto if the proposed call is to a function that changes keys; the arguments do not
        # matter. A proposal without a role can also be vetoed, because it can only change the proposer's own keys.
        _BY_VETO: found.shown.changes_key or not found.role,
        _BY_HOLDER: found.kind == REASSIGN,
        by_office: found.role,
    }
    return " ".join(way for way, goes in ways.items() if goes).format(no=found.no)
