"""Sessions on a real ledger: which permissions they give, and which events end them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from ledger.chain.sending import calls
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Unauthenticated
from ledger.installation.tables import METADATA
from ledger.parties.access.callers import Caller, Callers
from ledger.parties.access.sessions import MAX_SESSIONS
from ledger.parties.access.tables import SignedIn
from tests.parties.access.statements import reach, refused, statement
from tests.support.actors.pilots import Pilot
from tests.support.actors.signing_in import signed_in, signer_of, token_of
from tests.support.ledgers.waiting_ledger import fresh_key


def dismissed(pilot: Pilot, party: str, *steps: str) -> None:
    """Set the party to each status in ``steps``. One authority acts, or two authorities if the status needs two."""
    first = pilot.ledger.installation.authority_party
    for status in steps:
        pilot.ledger.parties.role_changes.set_status(pilot.ledger.actor(first), party, status, "investigation")


def test_a_party_signs_in_with_its_key_and_signs_out(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    opened = signed_in(ledger, firm, signer_of(ledger, firm))
    caller = ledger.callers.of(opened.token)
    assert (caller.party, caller.roles, caller.account) == (
        firm,
        {Role.SUBJECT},
        ledger.parties.register.get(firm).account,
    )
    assert opened.expires_at - ledger.clock() <= ledger.settings.session_seconds == 1800
    (row,) = ledger.sessions.listed(caller)
    assert (row.id, row.current) == (opened.id, True)
    ledger.sessions.end(caller, "current")
    assert reach(ledger, opened.token) == "SESSION_UNKNOWN"


def test_the_session_token_is_not_stored(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    token = token_of(ledger, firm)
    assert len(token) >= 46
    with ledger.database.read() as session:
        rows = [str(row) for table in METADATA.sorted_tables for row in session.execute(select(table))]
    assert any(firm in row for row in rows)
    assert not any(token in row for row in rows)


def test_a_party_ends_only_its_own_sessions(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    stranger = pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
    mine, other, theirs = (token_of(ledger, each) for each in (firm, firm, stranger))
    caller = ledger.callers.of(mine)
    session = str(ledger.callers.of(theirs).session)
    assert refused(lambda: ledger.sessions.end(caller, session)) == "SESSION_NOT_FOUND"
    assert session not in {row.id for row in ledger.sessions.listed(caller)}
    ledger.sessions.end(caller, str(ledger.callers.of(other).session))
    assert [reach(ledger, token) for token in (mine, other, theirs)] == [firm, "SESSION_UNKNOWN", stranger]


def test_a_session_expires(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    token = token_of(ledger, firm)
    then = Callers(ledger.database, lambda _key, _day: None, lambda: ledger.clock() + 1801)
    with pytest.raises(Unauthenticated, match="SESSION_UNKNOWN"):
        then.of(token)


def test_a_session_ends_if_its_key_is_reported_as_lost(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    token, signed = token_of(ledger, firm), statement(ledger, firm)
    ledger.parties.keys.report(ledger.authority, firm, ledger.parties.register.get(firm).account)
    assert reach(ledger, token) == "SESSION_UNKNOWN"
    assert refused(lambda: ledger.sessions.begin(signed)) == "SESSION_KEY_NOT_LIVE"


def test_a_session_ends_if_its_key_is_reported_directly_on_the_chain(pilot: Pilot, firm: str) -> None:
    """The party reports its key through its own node; the session ends as soon as the index has read the report."""
    ledger = pilot.ledger
    token, account = token_of(ledger, firm), ledger.parties.register.get(firm).account
    pilot.fund(account)
    owner = ledger.client.with_account(ledger.custody.private_key(account).hex())
    owner.send(calls.report(ledger.reader.party_no(firm), account))
    ledger.follower.sync()
    assert reach(ledger, token) == "SESSION_UNKNOWN"


def test_a_session_ends_if_its_key_is_replaced_in_a_recovery(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    token = token_of(ledger, firm)
    ledger.parties.keys.recover(ledger.authority, firm, fresh_key(ledger))
    assert reach(ledger, token) == "SESSION_UNKNOWN"
    assert reach(ledger, token_of(ledger, firm)) == firm


def test_a_session_is_refused_while_its_party_is_suspended_and_ends_when_the_party_is_closed(
    pilot: Pilot, firm: str
) -> None:
    ledger = pilot.ledger
    token = token_of(ledger, firm)
    dismissed(pilot, firm, "suspended")
    assert reach(ledger, token) == "PARTY_NOT_ACTIVE"
    signed = statement(ledger, firm)
    assert refused(lambda: ledger.sessions.begin(signed)) == "PARTY_NOT_ACTIVE"
    dismissed(pilot, firm, "active")
    assert reach(ledger, token) == firm
    dismissed(pilot, firm, "closed")
    assert reach(ledger, token) == "SESSION_UNKNOWN"
    assert refused(lambda: ledger.sessions.begin(signed)) == "SESSION_KEY_NOT_LIVE"


def test_a_session_ends_if_its_party_is_erased(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    token, signed = token_of(ledger, firm), statement(ledger, firm)
    ledger.erasure.party(ledger.callers.of(token).actor, firm, "subject_request")
    assert reach(ledger, token) == "SESSION_UNKNOWN"
    assert refused(lambda: ledger.sessions.begin(signed)) == "SESSION_NONCE_UNKNOWN"


def test_roles_come_from_the_chain_and_not_from_onboarding(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    caller = ledger.callers.of(token := token_of(ledger, firm))
    assert caller.roles == {Role.SUBJECT}
    account = ledger.parties.register.get(ledger.installation.authority_party).account
    office = ledger.client.with_account(ledger.custody.private_key(account).hex())
    pilot.fund(account)
    office.send(calls.set_roles(ledger.reader.party_no(firm), Role.mask([Role.CONSUMER])))
    ledger.follower.sync()
    assert ledger.callers.of(token).roles == {Role.CONSUMER}
    assert ledger.roles.actor(firm).roles == ledger.actor(firm).roles == {Role.CONSUMER}
    assert ledger.roles.of([firm])[firm] == ("consumer",)
    # The party asked for other roles at onboarding, but requested roles give no permission.
    assert ledger.parties.register.get(firm).roles == ("subject",)


def test_cookie_tokens_and_bearer_tokens_are_not_interchangeable(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    page = signed_in(ledger, firm, signer_of(ledger, firm), cookie=True).token
    assert ledger.callers.of(page, cookie=True).cookie
    assert reach(ledger, page) == "SESSION_UNKNOWN"
    with pytest.raises(Unauthenticated, match="SESSION_UNKNOWN"):
        ledger.callers.of(token_of(ledger, firm), cookie=True)


def test_a_partys_oldest_session_ends_when_the_party_has_too_many_sessions(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    first = token_of(ledger, firm)
    now = ledger.clock()
    with ledger.database.write() as session:
        for number in range(MAX_SESSIONS - 1):
            kept = {"account": "0x" + "0" * 40, "cookie": False, "created_at": now, "expires_at": now + 100}
            session.add(
                SignedIn(
                    id=f"7ZZZZZZZZZZZZZZZZZZZZZ{number:04}",
                    party_id=firm,
                    token_digest=f"{firm[:60]}{number:04}",
                    **kept,
                )
            )
    last = token_of(ledger, firm)
    assert reach(ledger, first) == "SESSION_UNKNOWN"
    with ledger.database.read() as session:
        assert session.query(SignedIn).filter_by(party_id=firm).count() == MAX_SESSIONS
    assert reach(ledger, last) == firm


def test_a_caller_in_a_session_has_all_scopes(pilot: Pilot, firm: str) -> None:
    caller: Caller = pilot.ledger.callers.of(token_of(pilot.ledger, firm))
    for scope in ("read", "act", "payload"):
        caller.require(scope)  # type: ignore[arg-type]
    caller.require_session()
