"""A service whose proposals have a waiting period, with parties that tests address by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Any

from fastapi.testclient import TestClient

from api.app import create_app
from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.sending import calls
from ledger.chain.sending.relay import ForwardRequest, sign_request
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role
from ledger.installation.local_chain import LocalClock
from ledger.installation.wiring import Ledger
from ledger.parties.keys.possession import possession_of
from ledger.parties.newcomers import NewParty
from ledger.proof.acts import sign_act, veto_message
from ledger.proof.jws import LocalSigner, Signer
from tests.support.api.parts import Tokens

DELAY = 7_200


class Waiting:
    """A ledger whose proposals have a waiting period of two hours; ``parties`` maps names to party ids."""

    def __init__(self, ledger: Ledger, client: TestClient) -> None:
        self.ledger, self.client = ledger, client
        self._numbers, self._names = count(9900), count()
        self.parties: dict[str, str] = {}
        self.tokens = Tokens(ledger)
        for name, party in zip(("first", "second", "third"), ledger.installation.officers, strict=True):
            self._named(name, party)

    def _named(self, name: str, party: str) -> str:
        self.parties[name] = party
        return name

    def firm(self, key: Signer | None = None) -> str:
        """Onboard a new firm. The service keeps its key, unless ``key`` is given."""
        return self.party(PartyKind.ENTERPRISE, key=key)

    def party(self, kind: PartyKind, *roles: Role, key: Signer | None = None) -> str:
        custody, chain = self.ledger.custody, self.ledger.reader.chain
        public_key = custody.public_key(*custody.create()) if key is None else key.public_key
        proof = "" if key is None else possession_of(chain, key)
        uscc, given = synthetic_uscc("440800", next(self._numbers)), frozenset(roles) or None
        party = NewParty(kind, f"Party {uscc}", uscc, "440800", public_key, given, proof)
        (row,) = self.ledger.parties.onboarding.onboard(self.ledger.authority, [party])
        if key is not None:
            self.tokens.elsewhere[row.id] = key
        return self._named(f"party {next(self._names)}", row.id)

    def office(self, kind: PartyKind, role: Role) -> tuple[str, bytes]:
        """Onboard a new authority or supervisor that keeps its own key; return its name and its private key."""
        key = new_private_key()
        name = self.party(kind, role, key=LocalSigner(key, account_of(key)))
        self.skip(DELAY)
        self.ledger.proposals.tick()
        return name, key

    def veto_by_signature(self, who: str, number: int) -> None:
        """Veto a proposal without the service: the party's current key signs the veto, and another account sends it to
        the chain.
        """
        account = self.ledger.parties.register.get(self.parties[who]).account
        act = sign_act(veto_message(self.ledger.reader.chain, account, number), self.ledger.custody.signer(account))
        self.ledger.client.send(calls.veto_for(account, number, act))
        self.ledger.follower.sync()

    def call(self, who: str, method: str, path: str, body: object = None) -> Any:
        headers = self.tokens.header(self.parties[who])
        return self.client.request(method, path, json=body, headers=headers)

    def post(self, who: str, path: str, body: object = None) -> Any:
        return self.call(who, "POST", path, {} if body is None else body)

    def get(self, who: str, path: str) -> Any:
        return self.call(who, "GET", path)

    def kept_key(self) -> str:
        return self.ledger.custody.public_key(*self.ledger.custody.create())

    def account(self, who: str) -> str:
        return self.ledger.parties.register.get(self.parties[who]).account

    def number(self, who: str) -> int:
        return self.ledger.reader.party_no(self.parties[who])

    def skip(self, seconds: int) -> None:
        LocalClock(self.ledger.settings).skip(self.ledger.reader.connection, seconds)

    def recovery(self, who: str) -> dict[str, Any]:
        """Propose a recovery of the party's key, and return the proposal."""
        path = f"/v1/parties/{self.parties[who]}/recovery"
        return dict(waits(self.post("first", path, {"public_key": self.kept_key()})))

    def proposed(self, call: calls.Call, by: str = "first") -> int:
        """Propose a call as party ``by``, and return the number of the proposal, which still needs a confirmation."""
        return self.ledger.proposals.propose(self.parties[by], call).no


@contextmanager
def serving(opening: AbstractContextManager[Ledger]) -> Iterator[Waiting]:
    with opening as ledger:

        @contextmanager
        def already_open() -> Iterator[Ledger]:
            yield ledger

        # The client is not used as a context manager: that would start background work, which carries out proposals.
        app = create_app(already_open)
        app.state.ledger = ledger
        yield Waiting(ledger, TestClient(app, raise_server_exceptions=False))


def waits(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def done(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def signed(asked: Any, key: bytes) -> dict[str, Any]:
    """Sign the request that a response 409 ``SIGNATURE_REQUIRED`` contains; return the body for the next call."""
    typed_data = asked.json()["details"]["typed_data"]
    signature = sign_request(ForwardRequest(typed_data), key).signature
    return {"signed_request": {"typed_data": typed_data, "signature": signature}}


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
