"""Runs the application on a new ledger. Tests call it as a party that they name: authority, bank, firm …"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from api.app import create_app
from ledger.demo.data.cast import assemble
from ledger.installation.participant import Participant
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger
from ledger.parties.access.sessions import NewSession
from ledger.parties.keys.possession import possession_of
from ledger.proof.jws import Signer
from tests.support.actors.pilots import FIRMS, Pilot
from tests.support.actors.signing_in import signed_in, signer_of


class Tokens:
    """Sessions of parties. A party signs in with its present key; it signs in again if its key changed or its session
    ended.
    """

    def __init__(self, ledger: Participant) -> None:
        self._ledger = ledger
        self._sessions: dict[str, NewSession] = {}
        self.elsewhere: dict[str, Signer] = {}

    def header(self, party: str) -> dict[str, str]:
        """Return the header of a call by the party. A party whose key the installation does not keep signs in with its
        signer in ``self.elsewhere``.
        """
        signer = self.elsewhere.get(party) or signer_of(self._ledger, party)
        known = self._sessions.get(party)
        if known is None or known.account != signer.kid or known.expires_at <= self._ledger.clock():
            known = self._sessions[party] = signed_in(self._ledger, party, signer)
        return bearer(known.token)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Api:
    """Calls the application as a named party: ``api.get("bank", …)``."""

    def __init__(self, client: TestClient, pilot: Pilot) -> None:
        self.client, self.pilot = client, pilot
        cast, own = pilot.cast, pilot.ledger.installation
        self.parties = {
            "authority": own.authority_party,
            "platform": own.operator,
            "registrar": cast.registrar,
            "provider": cast.provider,
            "bank": cast.bank,
            "other_bank": cast.other_bank,
            "supervisor": cast.supervisor,
            "firm": cast.firms["1"],
            "other_firm": cast.firms["2"],
        }
        self.tokens = Tokens(pilot.ledger)
        for party in self.parties.values():
            self.tokens.header(party)

    def header(self, part: str) -> dict[str, str]:
        return self.tokens.header(self.parties[part])

    def call(self, part: str | None, method: str, path: str, **arguments: Any) -> Any:
        headers = arguments.pop("headers", {})
        if part is not None:
            headers = headers | self.header(part)
        return self.client.request(method, path, headers=headers, **arguments)

    def get(self, part: str | None, path: str) -> Any:
        return self.call(part, "GET", path)

    def post(self, part: str | None, path: str, body: object = None, **arguments: Any) -> Any:
        return self.call(part, "POST", path, json=body, **arguments)


def handed_in(api: Api, signer: Signer, party: str | None = None) -> dict[str, str]:
    """Return a public key and its proof of possession, in the form in which the owner of the private key submits them.

    The proof is made for the party ``party``. If ``party`` is None, it is made for a new party, which has no number
    yet.
    """
    reader = api.pilot.ledger.reader
    number = 0 if party is None else reader.party_no(party)
    return {"public_key": signer.public_key, "proof": possession_of(reader.chain, signer, number)}


@contextmanager
def opened(home: Path) -> Iterator[Api]:
    """Create a ledger with all parties in an empty folder, and start the application on this ledger."""
    settings = Settings(home=home, batch_age=1, delay=0, session_seconds=86_400)
    with create_ledger(settings) as ledger:

        @contextmanager
        def already_open() -> Iterator[Ledger]:
            yield ledger

        cast = assemble(ledger, FIRMS)
        now = ledger.clock()
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, ("S00", "S51"), now - 86_400, now + 10**9
        )
        with TestClient(create_app(already_open), raise_server_exceptions=False) as client:
            yield Api(client, Pilot(ledger, cast))
