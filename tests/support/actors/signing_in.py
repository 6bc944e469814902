"""Signs in as a party whose key an installation keeps. The steps are those of the party's own client."""

from __future__ import annotations

from ledger.installation.participant import Participant
from ledger.installation.wiring import Ledger
from ledger.parties.access.sessions import NewSession
from ledger.parties.custody import Custody
from ledger.proof.jws import Signer
from ledger.proof.sign_in import Place, sign_in

HERE = "192.0.2.1"


def signed_in(ledger: Participant, party: str, signer: Signer, *, cookie: bool = False) -> NewSession:
    """Sign in as the party with one of its keys, and return the session."""
    place = Place.of(ledger.sessions.origin, ledger.reader.chain)
    nonce = ledger.sessions.nonce(party, HERE).nonce
    return ledger.sessions.begin(sign_in(place, party, nonce, signer, ledger.clock() + 300), cookie=cookie)


def signer_of(ledger: Participant, party: str) -> Signer:
    """Return the signer of a party's present key; the installation must keep this key."""
    if isinstance(ledger, Ledger):
        return ledger.custody.signer(ledger.parties.register.get(party).account)
    return Custody(ledger.settings.keys_folder / "accounts.json").signer(ledger.client.account)


def token_of(ledger: Participant, party: str) -> str:
    """Return the token of a new session of the party; the installation must keep the party's key."""
    return signed_in(ledger, party, signer_of(ledger, party)).token
