"""Signing in with a key on a real ledger; thieves, relays and strangers are refused."""

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


def test_a_sign_in_statement_signed_for_the_address_of_a_relay_is_refused(pilot: Pilot, firm: str) -> None:
    """A party signs in at a relay, which passes on the service's nonce. The party therefore signs a statement for the
    relay's address. If the relay sends this statement to the service, the service refuses it.
    """
    ledger = pilot.ledger
    relay = replace(here(ledger), origin="https://relay.example")
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, place=relay))) == "SESSION_ORIGIN_DIFFERS"


def test_a_sign_in_statement_opens_one_session(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    signed = statement(ledger, firm)
    ledger.sessions.begin(signed)
    assert refused(lambda: ledger.sessions.begin(signed)) == "SESSION_NONCE_UNKNOWN"


def test_a_sign_in_statement_sent_to_two_processes_opens_one_session(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    signed = statement(ledger, firm)
    with open_ledger(ledger.settings) as second:
        opened = second.sessions.begin(signed)
        assert refused(lambda: ledger.sessions.begin(signed)) == "SESSION_NONCE_UNKNOWN"
        assert reach(ledger, opened.token) == firm


def test_only_one_of_many_concurrent_sign_ins_with_one_statement_succeeds(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    signed = statement(ledger, firm)
    answers = at_once(*[lambda: ledger.sessions.begin(signed)] * 8)
    opened = [answer for answer in answers if isinstance(answer, NewSession)]
    assert [reach(ledger, session.token) for session in opened] == [firm]
    assert [answer.code for answer in answers if answer not in opened] == ["SESSION_NONCE_UNKNOWN"] * 7


def test_a_nonce_is_valid_for_one_party_and_expires(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    other = pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
    nonce = ledger.sessions.nonce(other, HERE).nonce
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, nonce=nonce))) == "SESSION_NONCE_UNKNOWN"
    made_up = "A" * 43
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, nonce=made_up))) == "SESSION_NONCE_UNKNOWN"
    later = at(ledger, NONCE_SECONDS)
    signed = statement(ledger, firm, expires_at=ledger.clock() + 600)
    assert refused(lambda: later.begin(signed)) == "SESSION_NONCE_UNKNOWN"


def at(ledger: Ledger, seconds: int) -> Sessions:
    """Return the session register of a service whose clock is ahead by the given number of seconds."""
    keys = {
        key.account: key.public_key
        for row in ledger.parties.register.page(None, 1000)
        if row.no
        for key in ledger.parties.keys.history(row.id)
    }
    return Sessions(ledger.database, here(ledger), keys.get, 1800, lambda: ledger.clock() + seconds)


@pytest.mark.parametrize("ahead", [-1, 0, 601, 10**9])
def test_an_early_or_late_sign_in_statement_is_refused(pilot: Pilot, firm: str, ahead: int) -> None:
    ledger = pilot.ledger
    signed = statement(ledger, firm, expires_at=ledger.clock() + ahead)
    assert refused(lambda: ledger.sessions.begin(signed)) == "SESSION_EXPIRED"


def test_sessions_and_statements_of_another_ledger_are_refused(pilot: Pilot, firm: str, waiting: Ledger) -> None:
    ledger, officer = pilot.ledger, waiting.installation.authority_party
    foreign = token_of(waiting, officer)
    assert reach(waiting, foreign) == officer
    assert reach(ledger, foreign) == "SESSION_UNKNOWN"
    for place in (
        replace(here(ledger), ledger=waiting.reader.chain.ledger),
        replace(here(ledger), chain_id=1),
        here(waiting),
    ):
        signed = statement(ledger, firm, place=place)
        assert refused(lambda signed=signed: ledger.sessions.begin(signed)) == "SESSION_LEDGER_DIFFERS"


def test_only_an_active_key_of_the_party_signs_in(pilot: Pilot, firm: str) -> None:
    ledger = pilot.ledger
    other = signer_of(ledger, pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT))
    forged = LocalSigner(bytes.fromhex("11" * 32), signer_of(ledger, firm).kid)
    stray = signer_of_key("22" * 32)
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, signer=other))) == "SESSION_KEY_NOT_LIVE"
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, signer=stray))) == "SESSION_KEY_NOT_LIVE"
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, signer=forged))) == "SESSION_SIGNATURE_INVALID"


def test_an_admin_cannot_sign_in_as_another_party(pilot: Pilot, firm: str) -> None:
    """An admin may manage parties, but can sign in only as itself: no call creates a token for another party."""
    ledger = pilot.ledger
    admin = signer_of(ledger, ledger.installation.authority_party)
    assert refused(lambda: ledger.sessions.begin(statement(ledger, firm, signer=admin))) == "SESSION_KEY_NOT_LIVE"
    assert not hasattr(ledger.parties.register, "new_api_key")


def test_a_malformed_sign_in_statement_is_refused(pilot: Pilot) -> None:
    for signed in ("", "a.b.c", "ps_x", "." * 5000, "é.é.é"):
        with pytest.raises(InvalidInput, match="SESSION_STATEMENT_INVALID"):
            pilot.ledger.sessions.begin(signed)


@pytest.mark.parametrize("origin", [None, "", "null", "https://evil.example", "http://127.0.0.1:8001"])
def test_a_call_from_a_page_of_a_foreign_origin_is_refused(ledger: Ledger, origin: str | None) -> None:
    ledger.sessions.require_origin("http://127.0.0.1:8000")
    with pytest.raises(Forbidden, match="ORIGIN_DIFFERS"):
        ledger.sessions.require_origin(origin)


def test_a_caller_that_names_an_unknown_party_gets_a_nonce(ledger: Ledger) -> None:
    known, unknown = (ledger.sessions.nonce(party, HERE) for party in (ledger.party, "ab" * 32))
    assert len(known.nonce) == len(unknown.nonce) == 43
    assert abs(known.expires_at - unknown.expires_at) <= 1


def held(ledger: Ledger, **where: str) -> int:
    with ledger.database.read() as session:
        return session.query(SignInNonce).filter_by(**where).count()


def test_the_number_of_nonces_is_limited(pilot: Pilot, firm: str) -> None:
    """Someone asks for many nonces from a few addresses. The service then deletes nonces that were issued to these
    addresses, but no nonces that were issued to other addresses.
    """
    ledger = pilot.ledger
    small = Sessions(ledger.database, here(ledger), lambda _: None, 1800, ledger.clock, 4, 12)
    with ledger.database.write() as session:
        session.query(SignInNonce).delete()
    signed = statement(ledger, firm)
    for count in range(40):
        small.nonce("ab" * 32, f"198.51.100.{count % 5}")
    assert held(ledger) <= 12
    assert reach(ledger, ledger.sessions.begin(signed).token) == firm
    many = [small.nonce("ab" * 32, "2001:db8::1").nonce for _ in range(9)]
    assert len(set(many)) == 9
    assert held(ledger) <= 12


def test_the_limit_of_nonces_counts_an_ipv6_network_as_one_address(pilot: Pilot) -> None:
    ledger = pilot.ledger
    small = Sessions(ledger.database, here(ledger), lambda _: None, 1800, ledger.clock, 3, 10_000)
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


def test_sessions_name_the_origin_of_the_service() -> None:
    assert Settings(origin="HTTPS://Pingzheng.Example:443/x").service_origin == "https://pingzheng.example"
    with pytest.raises(InvalidInput, match="ORIGIN_INVALID"):
        _ = Settings(origin="pingzheng.example").service_origin
