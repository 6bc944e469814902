"""Invariants of keys and of authorities, supervisors and admins, tested on the ledger of a running service.

For random sequences of acts, see tests/contracts and tests/reference. For attacks, see
tests/threats/test_officer_powers.py, tests/threats/test_stolen_keys.py and tests/threats/test_proposal_attacks.py.
"""

from __future__ import annotations

import pytest
from sqlalchemy import select

from ledger.domain.parties import PartyKind, Role
from ledger.domain.powers import THRESHOLD, ProposalState
from ledger.errors import ChainRejected, Conflict
from ledger.index.tables import ACCOUNTS
from tests.support.actors.pilots import Pilot


def test_invariant_19_every_key_was_bound_by_its_party_or_by_two_authorities(pilot: Pilot) -> None:
    """Each account was bound when the registry was created, or by a proposal that the account's own party or two other
    parties decided.
    """
    ledger = pilot.ledger
    party = pilot.party(PartyKind.BANK, Role.CONSUMER)
    authority = ledger.installation.authority_party
    for by in (party, authority):
        ledger.parties.keys.bind(ledger.actor(by), party, ledger.custody.public_key(*ledger.custody.create()))
    ledger.follower.sync()
    with ledger.database.read() as session:
        accounts = [(row.account, row.party_no) for row in session.execute(select(ACCOUNTS))]
    kinds: set[str] = set()
    for account, number in accounts:
        record = ledger.reader.account(account)
        assert record is not None and record.party_no == number
        if not record.proposal:
            kinds.add("founding")
            continue
        made = ledger.reader.proposal(record.proposal)
        assert made.state == ProposalState.CARRIED_OUT
        if made.by == number:
            kinds.add("own")
            assert (made.role, made.confirmed_by) == (0, 0)
            continue
        kinds.add("offices")
        assert len({made.by, made.confirmed_by, number}) == 3 and made.confirmed_by
    assert kinds == {"founding", "own", "offices"}


def test_invariant_20_no_act_leaves_fewer_officers_than_the_threshold_plus_one(pilot: Pilot) -> None:
    ledger = pilot.ledger
    first, *others = (ledger.reader.party_id(number) for number in (1, 3, 4))
    assert ledger.reader.officers() == THRESHOLD + 1
    for other in others:
        for act in (
            lambda other=other: ledger.parties.role_changes.set_roles(ledger.actor(first), other, [Role.SUBJECT]),
            lambda other=other: ledger.parties.role_changes.set_status(
                ledger.actor(first), other, "closed", "sanction"
            ),
            lambda other=other: ledger.parties.keys.report(
                ledger.actor(first), other, ledger.parties.register.get(other).account
            ),
        ):
            with pytest.raises((Conflict, ChainRejected), match="PARTY_TOO_FEW_OFFICERS"):
                act()
    assert ledger.reader.officers() == THRESHOLD + 1
