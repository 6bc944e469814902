"""Signing in over HTTP: what opens a session, what ends it, and what thieves, relays, offices and strangers get."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from ledger.domain.parties import PartyKind, Role
from ledger.parties.access.attempts import LIMIT
from ledger.parties.access.sessions import COOKIE
from ledger.parties.access.tables import SignedIn
from ledger.parties.custody import new_key, signer_of_key
from ledger.proof.jws import Signer
from ledger.proof.sign_in import Place, sign_in
from tests.api.conftest import Api, bearer, handed_in
from tests.api.flow import NUMBER, certificate, presented

DAY = 86_400
_addresses = count(1)


class Visitor:
    """A client at an address of its own: what it tries wrongly is counted for it alone."""

    def __init__(self, api: Api) -> None:
        self.api, self.ledger = api, api.pilot.ledger
        address = f"203.0.113.{next(_addresses)}"
        self.client = TestClient(api.client.app, client=(address, 50_000), raise_server_exceptions=False)

    def get(self, path: str, token: str) -> Any:
        return self.client.get(path, headers=bearer(token))

    def post(self, path: str, body: object, token: str) -> Any:
        return self.client.post(path, json=body, headers=bearer(token))

    def delete(self, path: str, token: str) -> Any:
        return self.client.delete(path, headers=bearer(token))

    def nonce(self, party: str) -> str:
        return str(self.client.post("/v1/sessions/nonce", json={"party": party}).json()["nonce"])

    def statement(self, party: str, signer: Signer, nonce: str, **other: Any) -> str:
        place = Place.of(other.get("origin", self.ledger.sessions.origin), self.ledger.reader.chain)
        return sign_in(place, party, nonce, signer, self.ledger.clock() + other.get("seconds", 300))

    def sign_in(self, statement: str, **members: Any) -> Any:
        headers = members.pop("headers", None)
        return self.client.post("/v1/sessions", json={"statement": statement, **members}, headers=headers)

    def token(self, party: str, signer: Signer) -> str:
        answer = self.sign_in(self.statement(party, signer, self.nonce(party)))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def key(self, token: str, *scopes: str) -> str:
        """A machine's key, made in a session."""
        wanted = {"name": "a machine", "scopes": scopes, "expires_at": self.ledger.clock() + DAY}
        answer = self.post("/v1/api-keys", wanted, token)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])


@pytest.fixture
def visitor(api: Api) -> Visitor:
    return Visitor(api)


class Person:
    """A new party, signed in, with a machine's key that may do everything."""

    def __init__(self, visitor: Visitor) -> None:
        api = visitor.api
        self.party = api.pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
        self.signer = api.pilot.bureau.signer_of(self.party)
        self.token = visitor.token(self.party, self.signer)
        self.key = visitor.key(self.token, "read", "act", "payload")


@pytest.fixture
def firm(visitor: Visitor) -> Iterator[Person]:
    yield Person(visitor)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# Signing in


def test_a_party_signs_in_looks_and_signs_out(visitor: Visitor, firm: Person) -> None:
    listed = visitor.get("/v1/sessions", firm.token).json()["items"]
    assert [(each["account"], each["current"], each["cookie"]) for each in listed] == [(firm.signer.kid, True, False)]
    assert visitor.delete("/v1/sessions/current", firm.token).status_code == 204
    assert code(visitor.get("/v1/sessions", firm.token)) == (401, "SESSION_UNKNOWN")


def test_what_is_shown_once_is_not_stored_on_the_way(visitor: Visitor, firm: Person) -> None:
    statement = visitor.statement(firm.party, firm.signer, visitor.nonce(firm.party))
    assert visitor.sign_in(statement).headers["Cache-Control"] == "no-store"


def test_a_relayed_challenge_opens_nothing(visitor: Visitor, firm: Person) -> None:
    """The relay passes our nonce on; the client signs for the address that it meant to reach: the relay's."""
    relayed = visitor.statement(firm.party, firm.signer, visitor.nonce(firm.party), origin="https://relay.example")
    assert code(visitor.sign_in(relayed)) == (401, "SESSION_ORIGIN_DIFFERS")


def test_a_replayed_statement_opens_nothing(visitor: Visitor, firm: Person) -> None:
    statement = visitor.statement(firm.party, firm.signer, visitor.nonce(firm.party))
    assert visitor.sign_in(statement).status_code == 201
    assert code(visitor.sign_in(statement)) == (401, "SESSION_NONCE_UNKNOWN")


def test_a_nonce_of_another_party_and_a_key_of_another_party_open_nothing(visitor: Visitor, firm: Person) -> None:
    other = Person(visitor)
    foreign = visitor.statement(firm.party, firm.signer, visitor.nonce(other.party))
    assert code(visitor.sign_in(foreign)) == (401, "SESSION_NONCE_UNKNOWN")
    strange = visitor.statement(firm.party, other.signer, visitor.nonce(firm.party))
    assert code(visitor.sign_in(strange)) == (401, "SESSION_KEY_NOT_LIVE")


def test_an_old_statement_and_junk_open_nothing(visitor: Visitor, firm: Person) -> None:
    old = visitor.statement(firm.party, firm.signer, visitor.nonce(firm.party), seconds=0)
    assert code(visitor.sign_in(old)) == (401, "SESSION_EXPIRED")
    assert code(visitor.sign_in("a.b.c")) == (422, "SESSION_STATEMENT_INVALID")


def test_a_nonce_says_nothing_about_who_there_is(visitor: Visitor, firm: Person) -> None:
    known = visitor.client.post("/v1/sessions/nonce", json={"party": firm.party})
    unknown = visitor.client.post("/v1/sessions/nonce", json={"party": "ab" * 32})
    assert known.status_code == unknown.status_code == 200
    assert known.json().keys() == unknown.json().keys()
    assert len(known.json()["nonce"]) == len(unknown.json()["nonce"])


# What ends a session and a machine's key


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
def test_session_and_key_end_with_the_key_the_party_and_its_data(
    visitor: Visitor, firm: Person, end: Callable[[Visitor, Person], None]
) -> None:
    assert visitor.get("/v1/parties", firm.key).status_code == 200
    end(visitor, firm)
    assert code(visitor.get("/v1/parties", firm.token)) == (401, "SESSION_UNKNOWN")
    assert code(visitor.get("/v1/parties", firm.key)) == (401, "API_KEY_UNKNOWN")


def test_an_expired_session_is_none(visitor: Visitor, firm: Person) -> None:
    with visitor.ledger.database.write() as session:
        past = visitor.ledger.clock() - 1
        session.execute(update(SignedIn).where(SignedIn.party_id == firm.party).values(expires_at=past))
    assert code(visitor.get("/v1/parties", firm.token)) == (401, "SESSION_UNKNOWN")


def test_nobody_ends_or_sees_a_foreign_session_or_key(visitor: Visitor, firm: Person) -> None:
    other = Person(visitor)
    (foreign,) = visitor.get("/v1/sessions", other.token).json()["items"]
    (key,) = visitor.get("/v1/api-keys", other.token).json()["items"]
    assert foreign["id"] not in visitor.get("/v1/sessions", firm.token).text
    assert key["id"] not in visitor.get("/v1/api-keys", firm.token).text
    assert code(visitor.delete(f"/v1/sessions/{foreign['id']}", firm.token)) == (404, "SESSION_NOT_FOUND")
    assert code(visitor.delete(f"/v1/api-keys/{key['id']}", firm.token)) == (404, "API_KEY_NOT_FOUND")
    assert visitor.get("/v1/sessions", other.token).status_code == 200
    assert visitor.get("/v1/parties", other.key).status_code == 200


# Keys for machines


def test_a_stolen_key_mints_nothing_and_ends_nothing(visitor: Visitor, firm: Person) -> None:
    wanted = {"name": "mine", "scopes": ["read"], "expires_at": visitor.ledger.clock() + DAY}
    (own,) = visitor.get("/v1/api-keys", firm.token).json()["items"]
    for answer in (
        visitor.post("/v1/api-keys", wanted, firm.key),
        visitor.get("/v1/api-keys", firm.key),
        visitor.delete(f"/v1/api-keys/{own['id']}", firm.key),
        visitor.get("/v1/sessions", firm.key),
        visitor.delete("/v1/sessions/current", firm.key),
    ):
        assert code(answer) == (403, "SESSION_REQUIRED")
    assert len(visitor.get("/v1/api-keys", firm.token).json()["items"]) == 1


def test_a_key_is_listed_without_its_secret_with_its_last_day_and_revoked(visitor: Visitor, firm: Person) -> None:
    assert visitor.get("/v1/parties", firm.key).status_code == 200
    visitor.ledger.flush()
    answer = visitor.get("/v1/api-keys", firm.token)
    (row,) = answer.json()["items"]
    assert firm.key not in answer.text
    assert row.keys() == {"id", "name", "scopes", "account", "created_at", "expires_at", "last_used"}
    assert (row["name"], row["scopes"]) == ("a machine", ["read", "act", "payload"])
    assert row["last_used"] is not None
    assert visitor.delete(f"/v1/api-keys/{row['id']}", firm.token).status_code == 204
    assert code(visitor.get("/v1/parties", firm.key)) == (401, "API_KEY_UNKNOWN")


def test_no_key_exceeds_its_scope(visitor: Visitor, firm: Person) -> None:
    """Each scope alone: a look, an act, and the caller's own data."""
    calls = {
        "read": lambda token: visitor.get("/v1/readings", token),
        "act": lambda token: visitor.post("/v1/verify", {"certificate_no": NUMBER}, token),
        "payload": lambda token: visitor.get("/v1/holdings/export", token),
    }
    for scope in calls:
        key = visitor.key(firm.token, scope)
        for wanted, call in calls.items():
            answer = call(key)
            exceeded = answer.status_code == 403 and answer.json()["code"] == "SCOPE_EXCEEDED"
            assert exceeded == (wanted != scope), (scope, wanted, answer.text)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"scopes": []}, "API_KEY_SCOPES"),
        ({"scopes": ["admin"]}, "REQUEST_SHAPE"),
        ({"expires_at": 1}, "API_KEY_PERIOD"),
        ({"name": ""}, "API_KEY_NAME"),
    ],
)
def test_a_key_has_a_name_a_scope_and_an_end(
    visitor: Visitor, firm: Person, change: dict[str, Any], expected: str
) -> None:
    wanted = {"name": "mine", "scopes": ["read"], "expires_at": visitor.ledger.clock() + DAY} | change
    assert code(visitor.post("/v1/api-keys", wanted, firm.token)) == (422, expected)
    far = {"name": "mine", "scopes": ["read"], "expires_at": visitor.ledger.clock() + 400 * DAY}
    assert code(visitor.post("/v1/api-keys", far, firm.token)) == (422, "API_KEY_PERIOD")


# Guessing


def test_guessing_is_slowed_for_the_guesser_alone(api: Api, visitor: Visitor, firm: Person) -> None:
    guesser = Visitor(api)
    answers = [guesser.get("/v1/parties", f"pz_guess{number}") for number in range(LIMIT + 1)]
    assert {code(answer) for answer in answers[:LIMIT]} == {(401, "API_KEY_UNKNOWN")}
    assert code(answers[LIMIT]) == (429, "TOO_MANY_ATTEMPTS")
    assert 0 < int(answers[LIMIT].headers["Retry-After"]) <= 60
    # What is right passes from there too, and nobody else is slowed.
    assert guesser.get("/v1/parties", firm.key).status_code == 200
    assert code(guesser.get("/v1/parties", "ps_guess")) == (429, "TOO_MANY_ATTEMPTS")
    assert code(visitor.get("/v1/parties", "pz_guess")) == (401, "API_KEY_UNKNOWN")


def test_statements_and_codes_are_guessed_no_faster(api: Api, firm: Person) -> None:
    guesser = Visitor(api)
    made = guesser.statement(firm.party, firm.signer, guesser.nonce(firm.party))
    assert guesser.sign_in(made).status_code == 201
    replays = [code(guesser.sign_in(made)) for _ in range(LIMIT + 1)]
    assert replays[-1] == (429, "TOO_MANY_ATTEMPTS")
    guess = handed_in(api, signer_of_key(new_key())) | {"code": "pe_guess"}
    assert code(guesser.client.post("/v1/enrolments", json=guess)) == (429, "TOO_MANY_ATTEMPTS")


# Pages


def by_cookie(visitor: Visitor, firm: Person) -> tuple[Any, dict[str, str]]:
    statement = visitor.statement(firm.party, firm.signer, visitor.nonce(firm.party))
    answer = visitor.sign_in(statement, cookie=True, headers={"Origin": visitor.ledger.sessions.origin})
    assert answer.status_code == 201, answer.text
    return answer, {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}


def test_a_page_gets_a_cookie_that_no_script_reads(visitor: Visitor, firm: Person) -> None:
    answer, cookie = by_cookie(visitor, firm)
    assert answer.json()["token"] is None
    told = {each.strip().lower() for each in answer.headers["Set-Cookie"].split(";")[1:]}
    assert {"httponly", "secure", "samesite=strict", "path=/"} <= told
    assert visitor.client.get("/v1/sessions", headers=cookie).status_code == 200
    # The cookie's secret is no bearer token, and a token no cookie.
    secret = cookie["Cookie"].removeprefix(f"{COOKIE}=")
    assert code(visitor.get("/v1/sessions", secret)) == (401, "SESSION_UNKNOWN")
    smuggled = visitor.client.get("/v1/sessions", headers={"Cookie": f"{COOKIE}={firm.token}"})
    assert code(smuggled) == (401, "SESSION_UNKNOWN")


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://127.0.0.1:8000.evil.example"])
def test_a_page_of_another_origin_changes_nothing(visitor: Visitor, firm: Person, origin: str | None) -> None:
    _, cookie = by_cookie(visitor, firm)
    foreign = cookie if origin is None else cookie | {"Origin": origin}
    wanted = {"name": "mine", "scopes": ["read"], "expires_at": visitor.ledger.clock() + DAY}
    assert code(visitor.client.post("/v1/api-keys", json=wanted, headers=foreign)) == (403, "ORIGIN_DIFFERS")
    assert code(visitor.client.delete("/v1/sessions/current", headers=foreign)) == (403, "ORIGIN_DIFFERS")
    # Nor does it sign the reader in as somebody else.
    statement = visitor.statement(firm.party, firm.signer, visitor.nonce(firm.party))
    headers = {name: value for name, value in foreign.items() if name == "Origin"}
    assert code(visitor.sign_in(statement, cookie=True, headers=headers)) == (403, "ORIGIN_DIFFERS")
    own = cookie | {"Origin": visitor.ledger.sessions.origin}
    answer = visitor.client.delete("/v1/sessions/current", headers=own)
    assert answer.status_code == 204
    assert f'{COOKIE}=""' in answer.headers["Set-Cookie"]


# Offices


def test_no_office_gets_a_session_or_a_key_for_a_subject(visitor: Visitor, firm: Person) -> None:
    api = visitor.api
    for office in ("authority", "supervisor", "platform", "registrar"):
        assert api.post(office, f"/v1/parties/{firm.party}/api-keys").status_code == 404
        enrolment = api.post(office, f"/v1/parties/{firm.party}/enrolment")
        expected = (409, "PARTY_HAS_KEY") if office == "authority" else (403, "PARTY_LACKS_ROLE")
        assert code(enrolment) == expected
        # The office's own key opens no session of the subject.
        own = api.pilot.bureau.signer_of(api.parties[office])
        foreign = visitor.statement(firm.party, own, visitor.nonce(firm.party))
        assert code(visitor.sign_in(foreign)) == (401, "SESSION_KEY_NOT_LIVE")


def test_a_party_without_a_key_gets_its_first_one_by_a_code(visitor: Visitor) -> None:
    api = visitor.api
    newcomer = {"kind": "person", "name": "示例某人", "identifier": "440899195001010025", "region": "440825"}
    (row,) = api.post("authority", "/v1/parties", {"parties": [newcomer]}).json()["parties"]
    assert (row["no"], row["account"], row["roles"]) == (None, None, [])
    assert api.get("bank", f"/v1/parties/{row['id']}").json() == row
    given = api.post("authority", f"/v1/parties/{row['id']}/enrolment").json()
    signer = signer_of_key(new_key())
    # The code is no token.
    assert code(visitor.get("/v1/parties", given["code"])) == (401, "SESSION_UNKNOWN")
    body = handed_in(api, signer) | {"code": given["code"]}
    unproven = visitor.client.post("/v1/enrolments", json=body | {"proof": "00" * 64})
    assert code(unproven) == (422, "PROOF_INVALID")
    enrolled = visitor.client.post("/v1/enrolments", json=body)
    assert (enrolled.status_code, enrolled.json()["account"]) == (201, signer.kid), enrolled.text
    assert code(visitor.client.post("/v1/enrolments", json=body)) == (401, "ENROLMENT_UNKNOWN")
    token = visitor.token(row["id"], signer)
    assert visitor.get("/v1/readings", token).json() == {"items": [], "next_cursor": None}


def test_a_role_that_only_the_chain_gave_counts_and_one_that_it_took_does_not(visitor: Visitor, firm: Person) -> None:
    path = f"/v1/parties/{firm.party}/roles"
    assert code(visitor.get("/v1/log/entries", firm.token)) == (403, "PARTY_LACKS_ROLE")
    registrar = visitor.api.call("authority", "PUT", path, json={"roles": ["registrar"]})
    assert registrar.status_code == 200, registrar.text
    assert visitor.get("/v1/log/entries", firm.token).status_code == 200
    assert visitor.api.get("bank", f"/v1/parties/{firm.party}").json()["roles"] == ["registrar"]
    visitor.api.call("authority", "PUT", path, json={"roles": ["subject"]})
    assert code(visitor.get("/v1/log/entries", firm.token)) == (403, "PARTY_LACKS_ROLE")


# Strangers and readings


def test_a_stranger_learns_state_and_since_by_a_number(api: Api, visitor: Visitor, firm: Person) -> None:
    number = certificate(api)
    public = visitor.client.get(f"/v1/certificates/{number}/status").json()
    assert public.keys() == {"certificate_no", "state", "since"}
    assert visitor.post("/v1/verify", {"certificate_no": number}, firm.token).json() == public
    for part in ("firm", "bank", "provider", "platform"):
        assert {"batch", "index", "reason"} <= api.post(part, "/v1/verify", {"certificate_no": number}).json().keys()


def test_a_subject_sees_who_used_its_data_and_nobody_else_does(api: Api, visitor: Visitor) -> None:
    number = certificate(api)
    nonce = api.get("bank", "/v1/presentations/nonce").json()["nonce"]
    bundle = presented(api, number, nonce)
    assert api.post("bank", "/v1/presentations", {"bundle": bundle, "nonce": nonce}).json()["valid"]
    api.pilot.ledger.flush()

    def seen(part: str) -> list[tuple[str, str]]:
        rows: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = api.get(part, f"/v1/readings?limit=200{cursor}").json()
            rows += page["items"]
            if page["next_cursor"] is None:
                return [(row["how"], row["by"]) for row in rows if row["certificate_no"] == number]
            cursor = f"&cursor={page['next_cursor']}"

    assert sorted(seen("firm")) == [("bundle", api.parties["firm"]), ("used", api.parties["bank"])]
    for part in ("bank", "provider", "platform", "authority", "other_firm"):
        assert seen(part) == []


def test_junk_with_a_subjects_number_leaves_no_record(api: Api, visitor: Visitor, firm: Person) -> None:
    number = certificate(api)
    bundle = presented(api, number, "n" * 16)
    forged = bundle | {"inclusion": bundle["inclusion"] | {"leaf_index": 2**20}} if "inclusion" in bundle else bundle
    junk = [forged, bundle | {"certificate": bundle["certificate"][:-20] + "A" * 20}]
    for each in junk:
        visitor.post("/v1/verify", {"bundle": each, "nonce": "n" * 16}, firm.token)
    # A genuine one, of which the caller is no party: once a day.
    for _ in range(3):
        visitor.post("/v1/verify", {"bundle": bundle, "nonce": "n" * 16}, firm.token)
    api.pilot.ledger.flush()
    path = f"/v1/certificates/{number}/presentations"
    told = [(row["consumer"], row["result"]) for row in api.get("firm", path).json()["items"]]
    assert told == [(firm.party, "not_party")]
