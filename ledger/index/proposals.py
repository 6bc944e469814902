"""Read proposals from the index. The caller updates the index first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, func, select

from ledger.chain.contracts.deployment import ASSET_REGISTRY, Deployment, interface_of
from ledger.chain.sending.calls import Call
from ledger.chain.sending.proposals import REGISTERS, UNKNOWN_KIND, ProposedCall, read_call
from ledger.domain.powers import OPEN_FOR, ProposalState
from ledger.index.tables import ASSETS, PAUSES, PROPOSALS

REGISTRATION_KIND: Final = "register"
_WORD_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class IndexedProposal:
    """A proposal. Parties are given by their numbers; 0 means no party.

    ``role`` is a bit mask of the roles that may decide the proposal, 0 if a party proposed a change of its own keys.
    ``kind`` is the contract function in snake case. ``call`` is None for a proposed registration, because its list of
    parties is not on the chain, and for data that this version cannot decode; ``shown`` has the arguments that can be
    read. ``ready`` is the running time (seconds UTC minus paused seconds) from which the proposal can be carried out.
    ``account`` is the account that vetoed the proposal; it is empty if there was no veto.
    """

    no: int
    act: str
    target: str
    data: str
    kind: str
    call: Call | None
    shown: ProposedCall
    role: int
    concerned: int
    by: int
    confirmed_by: int
    at: int
    ready: int
    state: str
    ended_at: int
    account: str

    @property
    def expires(self) -> int:
        """The last second in which the proposal can be confirmed or carried out, as running time (seconds UTC minus
        paused seconds).
        """
        return self.ready + OPEN_FOR


@dataclass(frozen=True, slots=True)
class RunningTime:
    """The running time (seconds UTC minus paused seconds) at ``now``. ``paused_until`` is when the present pause ends,
    0 without a pause.
    """

    now: int
    running: int
    paused_until: int

    def wall(self, running: int) -> int:
        """Return the time (seconds UTC) at which the given running time will be reached, if the present pause ends as
        planned.
        """
        left = running - self.running
        return (self.paused_until or self.now) + left if left > 0 else self.now + left


def running_time(connection: Connection, now: int) -> RunningTime:
    """Return the running time at ``now``; ``now`` must not be earlier than the block that the index has reached."""
    paused, until = 0, 0
    for row in connection.execute(select(PAUSES)):
        end = row.ended_at or row.until
        paused += min(now, end) - row.at
        until = end if end > now else until
    return RunningTime(now, now - paused, until)


def proposal(connection: Connection, deployment: Deployment, number: int) -> IndexedProposal | None:
    """Return the proposal with this number, or None if there is none."""
    found = _selected(connection, deployment, PROPOSALS.c.no == number)
    return found[0] if found else None


def proposals(connection: Connection, deployment: Deployment, after: int, limit: int) -> list[IndexedProposal]:
    """Return at most ``limit`` proposals with numbers above ``after``, in the order of their numbers."""
    return _selected(connection, deployment, PROPOSALS.c.no > after, limit=limit)


def pending(connection: Connection, deployment: Deployment, now: int, concerned: int | None) -> list[IndexedProposal]:
    """Return the proposals that have neither ended nor expired at ``now``, in the order of their numbers.

    With ``concerned``, return only proposals that concern this party or would reassign an asset that this party holds.
    """
    expired_before = running_time(connection, now).running - OPEN_FOR
    wanted = (PROPOSALS.c.state == ProposalState.PENDING.value) & (PROPOSALS.c.ready >= expired_before)
    if concerned is not None:
        wanted &= (PROPOSALS.c.concerned == concerned) | _reassigns_from(deployment, concerned)
    return _selected(connection, deployment, wanted)


def _reassigns_from(deployment: Deployment, holder: int) -> ColumnElement[bool]:
    """Return the SQL condition for proposals that would give an asset of this holder to another party.

    The contract names no concerned party for such a proposal; the first argument of the proposed call is the asset.
    """
    selector = interface_of(ASSET_REGISTRY).selector("reassign").hex()
    held = select(ASSETS.c.id).where(ASSETS.c.holder_no == holder)
    return (
        (PROPOSALS.c.target == deployment.asset_registry)
        & (func.substr(PROPOSALS.c.call, 1, len(selector)) == selector)
        & func.substr(PROPOSALS.c.call, len(selector) + 1, _WORD_DIGITS).in_(held)
    )


def _selected(
    connection: Connection, deployment: Deployment, wanted: ColumnElement[bool], limit: int | None = None
) -> list[IndexedProposal]:
    query = select(PROPOSALS).where(wanted).order_by(PROPOSALS.c.no).limit(limit)
    return [_proposal(deployment, row) for row in connection.execute(query)]


def _proposal(deployment: Deployment, row: Row[tuple[object, ...]]) -> IndexedProposal:
    fields = dict(row._mapping)
    data = fields.pop("call")
    shown = read_call(deployment, row.target, data)
    kind = REGISTRATION_KIND if shown.kind == UNKNOWN_KIND and row.role == REGISTERS else shown.kind
    return IndexedProposal(kind=kind, call=shown.call, shown=shown, data=data, **fields)
