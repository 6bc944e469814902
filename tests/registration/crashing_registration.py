"""Confirms applications, or accepts an offer, in a process that kills itself.

``python -m tests.registration.crashing_registration <home> <point>``

The home contains ``assets.json``: the assets to confirm, and an asset that is offered to the bank.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from ledger.certificates.status import CertificateStatus
from ledger.chain.rpc.connection import Connection
from ledger.demo.data.cast import assemble
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, open_ledger
from ledger.parties.relayed_acts import RelayedActs
from ledger.registration import certificates as registration_certificates
from tests.support.machine.killing import arm

# For each name: the act, and the point at which the process kills itself.
POINTS: dict[str, tuple[str, tuple[object, str, str]]] = {
    "confirm: when the node has the transaction": ("confirm", (Connection, "send_raw", "after")),
    "confirm: on the chain, not certified": ("confirm", (RelayedActs, "act", "after")),
    "confirm: in the transaction that certifies": ("confirm", (registration_certificates, "add_certificates", "after")),
    "accept: on the chain, not certified": ("accept", (RelayedActs, "act", "after")),
    "accept: certified, the old certificate not superseded": ("accept", (CertificateStatus, "supersede", "before")),
}


def run(ledger: Ledger, act: str, assets: dict[str, Any]) -> None:
    """Do the act ``act``. If an earlier process has already begun or completed it, do it again."""
    cast = assemble(ledger, [])
    if act == "confirm":
        ledger.registration.review.confirm(ledger.actor(cast.registrar), assets["confirm"])
    else:
        ledger.registration.transfers.accept(ledger.actor(cast.bank), assets["accept"])


if __name__ == "__main__":
    home = Path(sys.argv[1])
    chosen, place = POINTS[sys.argv[2]]
    with open_ledger(Settings(home=home)) as opened:
        arm(*place)
        run(opened, chosen, json.loads((home / "assets.json").read_text()))
