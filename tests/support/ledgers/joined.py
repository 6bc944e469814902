"""Makes installations that join a pilot's chain, and presentations of a firm's certificate to a bank."""

from __future__ import annotations

import secrets
from pathlib import Path

from ledger.chain.local.node import FUNDS_WEI
from ledger.installation.joining import join
from ledger.installation.membership import Membership
from ledger.installation.settings import Settings
from ledger.proof.sdjwt import bind_key
from tests.support.actors.pilots import Pilot

Presented = tuple[bytes, str]


def joined(pilot: Pilot, home: Path, party: str) -> Membership:
    """Join the pilot's chain as a party, with the party's key and money for gas."""
    ledger = pilot.ledger
    account, node = ledger.parties.register.get(party).account, ledger.client.connection
    node.ask("hardhat_setBalance", account, hex(FUNDS_WEI))
    deployment = ledger.settings.home / "deployment.json"
    return join(Settings(home=home), deployment, node.url, ledger.custody.private_key(account))


def presentations(pilot: Pilot, firm: str, number: str, count: int = 1) -> list[Presented]:
    """Return presentations of the firm's certificate to the bank; each presentation has a nonce of its own."""
    ledger, holder = pilot.ledger, pilot.actors.signer_of(pilot.cast.firms[firm])
    bundle, now = ledger.certificates.bundles.build(number), ledger.clock()
    made = []
    for nonce in (secrets.token_urlsafe(16) for _ in range(count)):
        bound = bind_key(bundle.certificate, holder, audience=pilot.cast.bank, nonce=nonce, at=now)
        made.append((bundle.with_certificate(bound).to_bytes(), nonce))
    return made
