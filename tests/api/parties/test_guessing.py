"""Attackers guess tokens, statements and codes over HTTP: only the address that guesses must wait."""

from __future__ import annotations

from ledger.parties.access.attempts import LIMIT
from ledger.parties.custody import new_key, signer_of_key
from tests.api.parties.visitors import Person, Visitor, code
from tests.support.api.parts import Api, handed_in


def test_only_the_address_that_guesses_tokens_must_wait(api: Api, visitor: Visitor, firm: Person) -> None:
    guesser = Visitor(api)
    answers = [guesser.get("/v1/parties", f"pz_guess{number}") for number in range(LIMIT + 1)]
    assert {code(answer) for answer in answers[:LIMIT]} == {(401, "API_KEY_UNKNOWN")}
    assert code(answers[LIMIT]) == (429, "TOO_MANY_ATTEMPTS")
    assert 0 < int(answers[LIMIT].headers["Retry-After"]) <= 60
    # A correct token is accepted even from the guessing address. Other addresses need not wait.
    assert guesser.get("/v1/parties", firm.key).status_code == 200
    assert code(guesser.get("/v1/parties", "ps_guess")) == (429, "TOO_MANY_ATTEMPTS")
    assert code(visitor.get("/v1/parties", "pz_guess")) == (401, "API_KEY_UNKNOWN")


def test_replayed_sign_in_statements_and_wrong_enrolment_codes_count_as_guesses(api: Api, firm: Person) -> None:
    guesser = Visitor(api)
    made = guesser.statement(firm.party, firm.signer, guesser.nonce(firm.party))
    assert guesser.sign_in(made).status_code == 201
    replays = [code(guesser.sign_in(made)) for _ in range(LIMIT + 1)]
    assert replays[-1] == (429, "TOO_MANY_ATTEMPTS")
    guess = handed_in(api, signer_of_key(new_key())) | {"code": "pe_guess"}
    assert code(guesser.client.post("/v1/enrolments", json=guess)) == (429, "TOO_MANY_ATTEMPTS")
