"""Signing in by key on a real ledger: what opens a session, and what a thief, a relay or a stranger gets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.domain.parties import PartyKind, Role
from ledger.errors import Forbidden, InvalidInput
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, open_ledger
from ledger.parties.access.sessions import NONCE_SECONDS, NewSession, Sessions
from ledger.parties.access.tables import SignInNonce
from ledger.parties.custody import signer_of_key
from ledger.proof.acts import prove_key
from ledger.proof.jws import Es256Signer, LocalSigner, Signer
from tests.parties.access.statements import here, reach, refused, statement
from tests.support.actors.pilots import Pilot
from tests.support.actors.signing_in import HERE, signed_in, signer_of, token_of
from tests.support.ledgers.waiting_ledger import at_once, no


def test_a_challenge_of_a_relay_opens_nothing_here(pilot: Pilot, firm: str) -> None:
    """The relay hands on our nonce; the client signs for the relay's address, which it knows by its own settings."""
    ledger = pilot.ledger
    relay = replace(here(ledger), origin="https://relay.example")
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, place=relay))) == "SESSION_ORIGIN_DIFFERS"


def test_a_statement_opens_one_session(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    told = statement(ledger, firm)
    ledger.sessions.begin(told)
    assert refused(lambda: ledger.sessions.begin(told)) == "SESSION_NONCE_UNKNOWN"


def test_a_statement_opens_one_session_whichever_process_is_asked(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    told = statement(ledger, firm)
    with open_ledger(ledger.settings) as second:
        opened = second.sessions.begin(told)
        assert refused(lambda: ledger.sessions.begin(told)) == "SESSION_NONCE_UNKNOWN"
        assert reach(ledger, opened.token) == firm


def test_of_many_who_send_one_statement_at_once_one_opens_a_session(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    told = statement(ledger, firm)
    answers = at_once(*[lambda: ledger.sessions.begin(told)] * 8)
    opened = [answer for answer in answers if isinstance(answer, NewSession)]
    assert [reach(ledger, session.token) for session in opened] == [firm]
    assert [answer.code for answer in answers if answer not in opened] == ["SESSION_NONCE_UNKNOWN"] * 7


def test_a_nonce_is_for_the_party_that_asked_and_for_a_short_time(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    other = pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
    nonce = ledger.sessions.nonce(other, HERE).nonce
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, nonce=nonce))) == "SESSION_NONCE_UNKNOWN"
    made_up = "A" * 43
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, nonce=made_up))) == "SESSION_NONCE_UNKNOWN"
    later = at(ledger, NONCE_SECONDS)
    told = statement(ledger, firm, expires_at=ledger.clock() + 600)
    assert refused(lambda: later.begin(told)) == "SESSION_NONCE_UNKNOWN"


def at(ledger: Ledger, seconds: int) -> Sessions:
    """Signing in as it will be then."""
    keys = {
        key.account: key.public_key
        for row in ledger.parties.register.page(None, 1000)
        if row.no
        for key in ledger.parties.keys.history(row.id)
    }
    return Sessions(ledger.database, here(ledger), keys.get, 1800, lambda: ledger.clock() + seconds)


@pytest.mark.parametrize("ahead", [-1, 0, 601, 10**9])
def test_a_statement_is_for_now(pilot: Pilot, firm: str, ahead: int) -> None:
    ledger = pilot.ledger
    told = statement(ledger, firm, expires_at=ledger.clock() + ahead)
    assert refused(lambda: ledger.sessions.begin(told)) == "SESSION_EXPIRED"


def test_a_session_and_a_statement_of_another_ledger_are_none_here(pilot: Pilot, firm: str, waiting: Ledger) -> None:
    ledger, officer = pilot.ledger, waiting.installation.authority_party
    foreign = token_of(waiting, officer)
    assert reach(waiting, foreign) == officer
    assert reach(ledger, foreign) == "SESSION_UNKNOWN"
    for place in (
        replace(here(ledger), ledger=waiting.reader.chain.ledger),
        replace(here(ledger), chain_id=1),
        here(waiting),
    ):
        told = statement(ledger, firm, place=place)
        assert refused(lambda told=told: ledger.sessions.begin(told)) == "SESSION_LEDGER_DIFFERS"


def test_only_a_key_of_the_party_opens_its_session(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    other = signer_of(ledger, pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT))
    forged = LocalSigner(bytes.fromhex("11" * 32), signer_of(ledger, firm).kid)
    stray = signer_of_key("22" * 32)
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, signer=other))) == "SESSION_KEY_NOT_LIVE"
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, signer=stray))) == "SESSION_KEY_NOT_LIVE"
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, signer=forged))) == "SESSION_SIGNATURE_INVALID"


def test_an_admin_opens_no_session_for_a_subject(pilot: Pilot, firm: str) -> None:
    """Whoever manages parties has keys of its own, and no way to a token of another's: none is minted for anybody."""
    ledger = pilot.ledger
    admin = signer_of(ledger, ledger.installation.authority_party)
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, signer=admin))) == "SESSION_KEY_NOT_LIVE"
    assert not hasattr(ledger.parties.register, "new_api_key")


def test_what_is_no_statement_is_refused_as_such(pilot: Pilot) -> None:
    for told in ("", "a.b.c", "ps_x", "." * 5000, "é.é.é"):
        with pytest.raises(InvalidInput, match="SESSION_STATEMENT_INVALID"):
            pilot.ledger.sessions.begin(told)


@pytest.mark.parametrize("origin", [None, "", "null", "https://evil.example", "http://127.0.0.1:8001"])
def test_a_page_of_another_origin_changes_nothing(ledger: Ledger, origin: str | None) -> None:
    ledger.sessions.require_origin("http://127.0.0.1:8000")
    with pytest.raises(Forbidden, match="ORIGIN_DIFFERS"):
        ledger.sessions.require_origin(origin)


def test_a_party_without_such_a_number_gets_a_nonce_all_the_same(ledger: Ledger) -> None:
    known, unknown = (ledger.sessions.nonce(party, HERE) for party in (ledger.party, "ab" * 32))
    assert len(known.nonce) == len(unknown.nonce) == 43
    assert abs(known.expires_at - unknown.expires_at) <= 1


def held(ledger: Ledger, **where: str) -> int:
    with ledger.database.read() as session:
        return session.query(SignInNonce).filter_by(**where).count()


def test_what_strangers_ask_for_stays_bounded(pilot: Pilot, firm: str) -> None:
    """A flood from few sources takes their own nonces away, and not those of a party that signs in meanwhile."""
    ledger = pilot.ledger
    small = Sessions(ledger.database, here(ledger), lambda _: None, 1800, ledger.clock, most=(4, 12))
    with ledger.database.write() as session:
        session.query(SignInNonce).delete()
    told = statement(ledger, firm)
    for count in range(40):
        small.nonce("ab" * 32, f"198.51.100.{count % 5}")
    assert held(ledger) <= 12
    assert reach(ledger, ledger.sessions.begin(told).token) == firm
    many = [small.nonce("ab" * 32, "2001:db8::1").nonce for _ in range(9)]
    assert len(set(many)) == 9
    assert held(ledger) <= 12


def test_a_network_of_ipv6_is_one_source(pilot: Pilot) -> None:
    ledger = pilot.ledger
    small = Sessions(ledger.database, here(ledger), lambda _: None, 1800, ledger.clock, most=(3, 10_000))
    with ledger.database.write() as session:
        session.query(SignInNonce).delete()
    for count in range(20):
        small.nonce("ab" * 32, f"2001:db8::{count:x}")
    assert held(ledger) == 3


def test_a_p256_key_signs_in(pilot: Pilot) -> None:
    ledger = pilot.ledger
    firm = pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
    signer: Signer = Es256Signer(bytes.fromhex("5a" * 32))
    ledger.parties.keys.bind(
        ledger.actor(firm),
        firm,
        signer.public_key,
        prove_key(ledger.reader.chain, signer, no(ledger, firm)),
    )
    assert ledger.callers.of(signed_in(ledger, firm, signer).token).account == signer.kid


def test_the_service_says_where_it_is() -> None:
    assert Settings(origin="HTTPS://Pingzheng.Example:443/x").service_origin == "https://pingzheng.example"
    with pytest.raises(InvalidInput, match="ORIGIN_INVALID"):
        _ = Settings(origin="pingzheng.example").service_origin
