"""Sessions over HTTP: parties sign in and out, and relays, authorities and strangers cannot get another party's
session.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update

from ledger.parties.access.tables import SignedIn
from tests.api.parties.visitors import Person, Visitor, code


def test_a_party_signs_in_and_reads_and_signs_out(visitor: Visitor, firm: Person) -> None:
    listed = visitor.get("/v1/sessions", firm.token).json()["items"]
    assert [(each["account"], each["current"], each["cookie"]) for each in listed] == [(firm.signer.kid, True, False)]
    assert visitor.delete("/v1/sessions/current", firm.token).status_code == 204
    assert code(visitor.get("/v1/sessions", firm.token)) == (401, "SESSION_UNKNOWN")


def test_answers_with_secrets_are_not_cached(visitor: Visitor, firm: Person) -> None:
    statement = visitor.statement(firm.party, firm.signer, visitor.nonce(firm.party))
    assert visitor.sign_in(statement).headers["Cache-Control"] == "no-store"


def test_a_sign_in_statement_for_the_address_of_a_relay_is_refused(visitor: Visitor, firm: Person) -> None:
    """A relay passes the service's nonce to its client. The client signs the nonce together with the relay's address,
    so the service refuses the statement.
    """
    relayed = visitor.statement(firm.party, firm.signer, visitor.nonce(firm.party), origin="https://relay.example")
    assert code(visitor.sign_in(relayed)) == (401, "SESSION_ORIGIN_DIFFERS")


def test_a_replayed_sign_in_statement_is_refused(visitor: Visitor, firm: Person) -> None:
    statement = visitor.statement(firm.party, firm.signer, visitor.nonce(firm.party))
    assert visitor.sign_in(statement).status_code == 201
    assert code(visitor.sign_in(statement)) == (401, "SESSION_NONCE_UNKNOWN")


def test_a_sign_in_with_a_nonce_or_key_of_another_party_is_refused(visitor: Visitor, firm: Person) -> None:
    other = Person(visitor)
    foreign = visitor.statement(firm.party, firm.signer, visitor.nonce(other.party))
    assert code(visitor.sign_in(foreign)) == (401, "SESSION_NONCE_UNKNOWN")
    strange = visitor.statement(firm.party, other.signer, visitor.nonce(firm.party))
    assert code(visitor.sign_in(strange)) == (401, "SESSION_KEY_NOT_LIVE")


def test_an_old_or_malformed_sign_in_statement_is_refused(visitor: Visitor, firm: Person) -> None:
    old = visitor.statement(firm.party, firm.signer, visitor.nonce(firm.party), seconds=0)
    assert code(visitor.sign_in(old)) == (401, "SESSION_EXPIRED")
    assert code(visitor.sign_in("a.b.c")) == (422, "SESSION_STATEMENT_INVALID")


def test_a_nonce_does_not_show_whether_the_party_exists(visitor: Visitor, firm: Person) -> None:
    known = visitor.client.post("/v1/sessions/nonce", json={"party": firm.party})
    unknown = visitor.client.post("/v1/sessions/nonce", json={"party": "ab" * 32})
    assert known.status_code == unknown.status_code == 200
    assert known.json().keys() == unknown.json().keys()
    assert len(known.json()["nonce"]) == len(unknown.json()["nonce"])


def recovered(visitor: Visitor, firm: Person) -> None:
    (account,) = visitor.ledger.custody.create()
    fresh = {"public_key": visitor.ledger.custody.public_key(account)}
    assert visitor.api.post("authority", f"/v1/parties/{firm.party}/recovery", fresh).status_code == 200


def reported(visitor: Visitor, firm: Person) -> None:
    body = {"reported": firm.signer.kid}
    assert visitor.api.post("authority", f"/v1/parties/{firm.party}/reports", body).status_code == 200


def closed(visitor: Visitor, firm: Person) -> None:
    body = {"status": "closed", "reason": "sanction"}
    answer = visitor.api.call("authority", "PUT", f"/v1/parties/{firm.party}/status", json=body)
    assert answer.status_code == 200, answer.text


def erased(visitor: Visitor, firm: Person) -> None:
    body = {"reason": "subject_request"}
    assert visitor.post(f"/v1/parties/{firm.party}/erasure", body, firm.token).status_code == 200


@pytest.mark.parametrize("end", [recovered, reported, closed, erased])
def test_sessions_and_api_keys_end_when_the_key_is_replaced_or_the_party_closed_or_erased(
    visitor: Visitor, firm: Person, end: Callable[[Visitor, Person], None]
) -> None:
    assert visitor.get("/v1/parties", firm.key).status_code == 200
    end(visitor, firm)
    assert code(visitor.get("/v1/parties", firm.token)) == (401, "SESSION_UNKNOWN")
    assert code(visitor.get("/v1/parties", firm.key)) == (401, "API_KEY_UNKNOWN")


def test_an_expired_session_is_refused(visitor: Visitor, firm: Person) -> None:
    with visitor.ledger.database.write() as session:
        past = visitor.ledger.clock() - 1
        session.execute(update(SignedIn).where(SignedIn.party_id == firm.party).values(expires_at=past))
    assert code(visitor.get("/v1/parties", firm.token)) == (401, "SESSION_UNKNOWN")


def test_a_party_cannot_see_or_end_another_partys_sessions_and_api_keys(visitor: Visitor, firm: Person) -> None:
    other = Person(visitor)
    (foreign,) = visitor.get("/v1/sessions", other.token).json()["items"]
    (key,) = visitor.get("/v1/api-keys", other.token).json()["items"]
    assert foreign["id"] not in visitor.get("/v1/sessions", firm.token).text
    assert key["id"] not in visitor.get("/v1/api-keys", firm.token).text
    assert code(visitor.delete(f"/v1/sessions/{foreign['id']}", firm.token)) == (404, "SESSION_NOT_FOUND")
    assert code(visitor.delete(f"/v1/api-keys/{key['id']}", firm.token)) == (404, "API_KEY_NOT_FOUND")
    assert visitor.get("/v1/sessions", other.token).status_code == 200
    assert visitor.get("/v1/parties", other.key).status_code == 200


def test_no_authority_or_supervisor_gets_a_session_or_api_key_of_a_subject(visitor: Visitor, firm: Person) -> None:
    api = visitor.api
    for office in ("authority", "supervisor", "platform", "registrar"):
        assert api.post(office, f"/v1/parties/{firm.party}/api-keys").status_code == 404
        enrolment = api.post(office, f"/v1/parties/{firm.party}/enrolment")
        expected = (409, "PARTY_HAS_KEY") if office == "authority" else (403, "PARTY_LACKS_ROLE")
        assert code(enrolment) == expected
        # The authority's own key cannot sign in as the subject.
        own = api.pilot.actors.signer_of(api.parties[office])
        foreign = visitor.statement(firm.party, own, visitor.nonce(firm.party))
        assert code(visitor.sign_in(foreign)) == (401, "SESSION_KEY_NOT_LIVE")


def test_a_session_has_the_roles_that_its_party_has_on_the_chain_now(visitor: Visitor, firm: Person) -> None:
    path = f"/v1/parties/{firm.party}/roles"
    assert code(visitor.get("/v1/log/entries", firm.token)) == (403, "PARTY_LACKS_ROLE")
    registrar = visitor.api.call("authority", "PUT", path, json={"roles": ["registrar"]})
    assert registrar.status_code == 200, registrar.text
    assert visitor.get("/v1/log/entries", firm.token).status_code == 200
    assert visitor.api.get("bank", f"/v1/parties/{firm.party}").json()["roles"] == ["registrar"]
    visitor.api.call("authority", "PUT", path, json={"roles": ["subject"]})
    assert code(visitor.get("/v1/log/entries", firm.token)) == (403, "PARTY_LACKS_ROLE")
