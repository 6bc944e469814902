"""Functions for tests with the fixture ``waiting`` of ``pilots``: a ledger on which proposals wait for an hour."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind
from ledger.errors import PingzhengError
from ledger.installation.local_chain import LocalClock
from ledger.installation.participant import Participant
from ledger.installation.wiring import Ledger
from ledger.parties.custody import signer_of_key
from ledger.parties.keys.possession import possession_of
from ledger.parties.newcomers import NewParty
from ledger.parties.proposals.proposals import Proposal

DELAY = 3_600
_SERIALS = count(8_000)


def officers(ledger: Ledger) -> tuple[str, str, str]:
    """Return the ids of the three authorities that founded the ledger."""
    first, second, third = ledger.installation.officers
    return first, second, third


def new_party(ledger: Ledger, *further: str, kind: PartyKind = PartyKind.ENTERPRISE) -> NewParty:
    """Return a party to onboard. The installation keeps its first key. ``further`` lists the private keys (as text) of
    its other keys, which the installation does not keep.
    """
    keys = [signer_of_key(each) for each in further]
    others = tuple((signer.public_key, possession_of(ledger.reader.chain, signer)) for signer in keys)
    uscc = synthetic_uscc("440800", next(_SERIALS))
    return NewParty(kind, "Waiting", uscc, "440800", fresh_key(ledger), further_keys=others)


def newcomer(ledger: Ledger, *further: str, kind: PartyKind = PartyKind.ENTERPRISE) -> str:
    """Register a party made by ``new_party``, and return the party's id."""
    (row,) = ledger.parties.onboarding.onboard(ledger.authority, [new_party(ledger, *further, kind=kind)])
    assert row.no is not None
    return row.id


def fresh_key(ledger: Ledger) -> str:
    """Return a new public key as text; the installation keeps its private key."""
    return ledger.custody.public_key(*ledger.custody.create())


def no(ledger: Ledger, party: str) -> int:
    """Return the party's number."""
    found = ledger.parties.register.get(party).no
    assert found is not None
    return found


def skip(ledger: Ledger, seconds: int) -> None:
    """Move the clocks of ledger and chain forward."""
    LocalClock(ledger.settings).skip(ledger.reader.connection, seconds)


def proposed(row: Proposal | None) -> Proposal:
    """Return the proposal; fail if it is None."""
    assert row is not None
    return row


def proposals_after(ledger: Participant, number: int = 0) -> list[Proposal]:
    """Return all proposals with a number higher than ``number``, in order."""
    return [ledger.proposals.get(each) for each in range(number + 1, ledger.reader.proposal_count() + 1)]


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run all acts at the same time, each in a thread; return the result or the error of each act."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return act()
        except PingzhengError as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
