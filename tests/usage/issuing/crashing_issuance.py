"""Issues certificates in a process that kills itself at the named point; arguments: ``<home> <point>``."""

from __future__ import annotations

import sys
from pathlib import Path

from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.client import ChainClient
from ledger.cli.shell.opening import configure_logging
from ledger.demo.data.cast import assemble
from ledger.errors import Conflict
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger, open_ledger
from ledger.log.anchoring import Anchoring
from ledger.store import log as log_store
from ledger.usage.issuing.issuance import Issuance
from tests.support.actors.credit_bureau import SCENARIO, CreditBureau
from tests.support.actors.pilots import ROWS
from tests.support.machine.killing import arm

FIRMS = ["1", "2", "3"]
POINTS: dict[str, tuple[object, str, str]] = {
    "in the transaction that appends": (log_store, "append_numbered", "after"),
    "after the commit": (Issuance, "issue", "after"),
    "in the transaction that closes the batch": (log_store, "close_batch", "after"),
    "before the transaction is sent": (ChainClient, "send", "before"),
    "when the node has the transaction": (Connection, "send_raw", "after"),
    "when the block is known but not recorded": (ChainClient, "send", "after"),
    "before the answer": (Anchoring, "flush", "after"),
}


def run(home: Path, point: str) -> None:
    """Issue certificates for three firms, or continue what an earlier process began. Print a certificate's number when
    its issue is complete.
    """
    opening = create_ledger if point == "prepare" else open_ledger
    with opening(Settings(home=home)) as ledger:
        cast = assemble(ledger, FIRMS)
        actors = CreditBureau(ledger, cast)
        now = ledger.clock()
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, (SCENARIO,), now - now % 10**8, now + 10**8
        )
        authorizations = {}
        for firm in FIRMS:
            known = ledger.usage.authorizations.page(cast.firms[firm], None, 1)
            if known:
                authorizations[firm] = known[0].id
                continue
            authorizations |= actors.authorise([firm], lambda _: None)
            try:
                actors.supply({firm: ROWS}, {firm: authorizations[firm]}, lambda _: None)
            except Conflict as known_supply:
                assert known_supply.code == "ALREADY_SUPPLIED"
        ledger.anchoring.flush()
        if point == "prepare":
            return
        if point in POINTS:
            arm(*POINTS[point])
        for firm in FIRMS:
            number = actors.issue({firm: authorizations[firm]})[firm]
            ledger.anchoring.flush()
            print("final", number, flush=True)


if __name__ == "__main__":
    # Log lines go to standard error, because the test reads results from standard output.
    configure_logging()
    run(Path(sys.argv[1]), sys.argv[2])
