"""Clients with their own network addresses, and new parties that sign in through these clients."""

from __future__ import annotations

from itertools import count
from typing import Any

from fastapi.testclient import TestClient

from ledger.domain.days import DAY
from ledger.domain.parties import PartyKind, Role
from ledger.proof.jws import Signer
from ledger.proof.sign_in import Place, sign_in
from tests.support.api.parts import Api, bearer

_addresses = count(1)


class Visitor:
    """A client with its own network address. Its wrong tokens therefore make no other client wait."""

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
        """Make a machine key with these scopes in the session of ``token``, and return the key."""
        wanted = {"name": "a machine", "scopes": scopes, "expires_at": self.ledger.clock() + DAY}
        answer = self.post("/v1/api-keys", wanted, token)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])


class Person:
    """A new party that is signed in and has a machine key with all scopes."""

    def __init__(self, visitor: Visitor) -> None:
        api = visitor.api
        self.party = api.pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
        self.signer = api.pilot.actors.signer_of(self.party)
        self.token = visitor.token(self.party, self.signer)
        self.key = visitor.key(self.token, "read", "act", "payload")


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
