"""Reports changes of a party's keys, and proposals about the party and its assets. Needs only a node, not the service.

The events of the party registry are hashed in order, and the result is compared with the registry's head (its running
digest). So a node that hides an event is found out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import ASSET_REGISTRY, PARTY_REGISTRY
from ledger.chain.reading.batched_calls import incomplete
from ledger.chain.reading.contract_state import ProposalRecord
from ledger.chain.reading.power_reader import PROPOSALS_AT_ONCE
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.proposals import REGISTERS, ProposedCall, call_proposed
from ledger.domain.powers import ProposalState
from ledger.errors import ChainUnavailable
from ledger.proof.head import event_digest, fold, genesis

NOBODY: Final = 0
_OF_KEYS: Final = frozenset({"AccountBound", "AccountRetired", "AccountReported", "AccountCompromised"})
_OF_PROPOSALS: Final = frozenset({"Proposed", "Confirmed", "ProposalEnded"})


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A change of a party's keys, or of a proposal that concerns the party. ``event`` is the event's name.

    ``account`` is the account of the changed key, or the account that vetoed. ``by`` is the number of the party that
    acted. ``state`` is the final state of a proposal that ended. ``call`` is the proposed call, or None.
    """

    block: int
    at: int
    event: str
    account: str | None
    proposal: int | None
    by: int
    state: str | None
    call: ProposedCall | None


@dataclass(frozen=True, slots=True)
class PendingProposal:
    """A proposal that concerns a party, and its call. ``call`` is None if the chain does not show the call."""

    record: ProposalRecord
    call: ProposedCall | None


def key_changes(reader: ChainReader, party: int, after: int) -> list[KeyChange]:
    """Return every change after the block ``after``, in order; ``party`` is a party's number.

    Raises ChainUnavailable: PARTY_HISTORY_INCOMPLETE if the node hides an event of the registry, and
    PROPOSAL_CALL_DIFFERS.
    """
    last, start = reader.block_number(), _head_at(reader, after)
    # If the node no longer has the state of the block ``after``, all events are read, from the first event on.
    events = reader.party_events(reader.deploy_block if start is None else after + 1, last)
    _require_whole(reader, start or _genesis(reader), events, last)
    events = [event for event in events if event.block_number > after]
    numbers = sorted({event.args["no"] for event in events if event.name in _OF_PROPOSALS})
    reads = reader.batched(last)
    answers = [reads.proposal(number) for number in numbers]
    mine = {each.record.no for each in _of_party(reader, party, [answer() for answer in answers], last)}
    return [_change(reader, event) for event in events if _concerns(event, party, mine)]


def pending(reader: ChainReader, party: int) -> list[PendingProposal]:
    """Return the open proposals that concern a party or would transfer an asset of the party, in the order of their
    numbers.

    A proposal is open if it has neither ended nor expired. Raises what ``key_changes`` raises.
    """
    block = reader.block_number()
    running, last = reader.running(block=block), reader.proposal_count(block=block)
    found: list[ProposalRecord] = []
    while last:
        first = max(last - PROPOSALS_AT_ONCE, 0)
        page = reader.proposals(first, last - first, block=block)
        found = [each for each in page if each.concerned in (party, NOBODY) and each.open_at(running)] + found
        # Every earlier proposal becomes ready at most one waiting period after ``page[0]``. So if ``page[0]`` expired
        # more than a waiting period ago, all earlier proposals have expired too.
        last = 0 if page[0].expires + reader.deployment.delay < running else first
    return _of_party(reader, party, found, block)


def _of_party(
    reader: ChainReader, party: int, proposals: Iterable[ProposalRecord], block: int
) -> list[PendingProposal]:
    """Return the proposals that concern the party, or an asset that the party held at the time of the proposal or
    later.
    """
    reads = reader.batched(block)
    answers = [
        (record, reads.events(PARTY_REGISTRY, "Proposed", reader.deploy_block, block, no=record.no))
        for record in proposals
        if record.concerned in (party, NOBODY) and record.role != REGISTERS
    ]
    shown = [PendingProposal(record, _call_of(reader, record, answer())) for record, answer in answers]
    return [each for each in shown if each.record.concerned == party or _gives_away(reader, party, each, block)]


def _call_of(reader: ChainReader, record: ProposalRecord, events: Sequence[Event]) -> ProposedCall | None:
    """Return the call that the proposal's event contains."""
    if [event.args["act"] for event in events] != [record.act]:
        raise incomplete("PARTY_HISTORY_INCOMPLETE", f"proposal {record.no}")
    return call_proposed(reader.deployment, events[0])


def _gives_away(reader: ChainReader, party: int, proposal: PendingProposal, block: int) -> bool:
    call = proposal.call
    if call is None or (call.contract, call.kind) != (ASSET_REGISTRY, "reassign") or "id" not in call.arguments:
        return False
    asset = reader.asset(call.arguments["id"], block=block)
    if asset is None:
        return False
    held = reader.holders(asset, block=block)
    since = [each.since for each in held if each.since <= proposal.record.at][-1:]
    later = [each for each in held if each.since >= (since or [0])[0]]
    return reader.party_id(party) in {each.party for each in later}


def _head_at(reader: ChainReader, block: int) -> bytes | None:
    """Return the registry's head (running digest) at a block, or None if the node no longer has the state of that
    block.
    """
    if block < max(reader.deploy_block, 1):
        return _genesis(reader)
    try:
        known = reader.head(PARTY_REGISTRY, block=block)
    except ChainUnavailable as error:
        if error.code == "NODE_REFUSED":
            return None
        raise
    return bytes.fromhex(known) if known else _genesis(reader)


def _genesis(reader: ChainReader) -> bytes:
    deployment = reader.deployment
    return genesis(deployment.origin, deployment.chain_id, deployment.party_registry)


def _require_whole(reader: ChainReader, head: bytes, events: Sequence[Event], last: int) -> None:
    for event in events:
        head = fold(head, event_digest(f"{PARTY_REGISTRY}.{event.name}", event.args))
    if head.hex() != reader.head(PARTY_REGISTRY, block=last):
        raise incomplete("PARTY_HISTORY_INCOMPLETE", f"block {last}")


def _concerns(event: Event, party: int, proposals: set[int]) -> bool:
    if event.name in _OF_KEYS:
        return bool(event.args["no"] == party)
    return event.name in _OF_PROPOSALS and event.args["no"] in proposals


def _change(reader: ChainReader, event: Event) -> KeyChange:
    args: Mapping[str, int] = event.args
    ended = event.name == "ProposalEnded"
    vetoed = ended and args["state"] == ProposalState.VETOED.number
    return KeyChange(
        block=event.block_number,
        at=args["at"],
        event=event.name,
        account=event.args["account"] if event.name in _OF_KEYS or vetoed else None,
        proposal=args["no"] if event.name in _OF_PROPOSALS else args.get("proposal"),
        by=args["by"],
        state=ProposalState.numbered(args["state"]) if ended else None,
        call=call_proposed(reader.deployment, event) if event.name == "Proposed" else None,
    )
