"""What happens to a party's keys, and what is proposed about it and its assets, from any node and without any service.

The events of the registry are folded onto its head, so a node that hides one is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import ASSET_REGISTRY, PARTY_REGISTRY
from ledger.chain.reading.batched_reads import incomplete
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
    """A change to a party's keys, or to a proposal that concerns the party; ``event`` is the event's name.

    ``account`` is that of the key, or the one that vetoed. ``by`` is the number of the party that acted. ``state`` is
    what became of the proposal that ended. ``call`` is what was proposed, None where nothing was.
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
    """A proposal that concerns a party, with what it is to do; ``call`` is None where the chain does not show it."""

    record: ProposalRecord
    call: ProposedCall | None


def key_changes(reader: ChainReader, party: int, after: int) -> list[KeyChange]:
    """Every change after a block, in order; ``party`` is a party's number.

    Raises ChainUnavailable: PARTY_HISTORY_INCOMPLETE where the node hides an event of the registry, and
    PROPOSAL_CALL_DIFFERS.
    """
    last, start = reader.block_number(), _head_at(reader, after)
    # A node that has no state of so old a block gives the events from the first one on.
    events = reader.party_events(reader.deploy_block if start is None else after + 1, last)
    _require_whole(reader, start or _genesis(reader), events, last)
    events = [event for event in events if event.block_number > after]
    numbers = sorted({event.args["no"] for event in events if event.name in _OF_PROPOSALS})
    asked = reader.questions(last)
    answers = [asked.proposal(number) for number in numbers]
    mine = {each.record.no for each in _of_party(reader, party, [answer() for answer in answers], last)}
    return [_change(reader, event) for event in events if _concerns(event, party, mine)]


def pending(reader: ChainReader, party: int) -> list[PendingProposal]:
    """The proposals that have neither ended nor expired, and concern a party or would give away an asset that it holds.

    In order of their numbers. Raises ChainUnavailable as ``key_changes``.
    """
    block = reader.block_number()
    running, last = reader.running(block=block), reader.proposal_count(block=block)
    found: list[ProposalRecord] = []
    while last:
        first = max(last - PROPOSALS_AT_ONCE, 0)
        page = reader.proposals(first, last - first, block=block)
        found = [each for each in page if each.concerned in (party, NOBODY) and each.open_at(running)] + found
        # Whatever was proposed before this one became ready at most one delay after it.
        last = 0 if page[0].expires + reader.deployment.delay < running else first
    return _of_party(reader, party, found, block)


def _of_party(
    reader: ChainReader, party: int, proposals: Iterable[ProposalRecord], block: int
) -> list[PendingProposal]:
    """Those that concern the party, or an asset that it held when they were made or later; each with its call."""
    asked = reader.questions(block)
    answers = [
        (record, asked.party_events("Proposed", reader.deploy_block, block, no=record.no))
        for record in proposals
        if record.concerned in (party, NOBODY) and record.role != REGISTERS
    ]
    shown = [PendingProposal(record, _call_of(reader, record, answer())) for record, answer in answers]
    return [each for each in shown if each.record.concerned == party or _gives_away(reader, party, each, block)]


def _call_of(reader: ChainReader, record: ProposalRecord, events: Sequence[Event]) -> ProposedCall | None:
    """The call of the one event that made the proposal."""
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
    """The registry's head at a block; None where the node does not know it any more."""
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
