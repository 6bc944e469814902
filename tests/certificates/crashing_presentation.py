"""An installation that kills itself while it accepts a presentation.

``python -m tests.certificates.crashing_presentation <home> <file>``

The file contains a presentation, its consumer, the point at which the process kills itself, and whether the consumer
signs the use.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ledger.certificates.verification.presentations import Presentations
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.client import ChainClient
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_participant
from ledger.parties.custody import Custody
from ledger.proof.acts import sign_act
from tests.support.machine.killing import arm

# The points at which the process kills itself; for each, whether the use is then on the chain.
POINTS: dict[str, tuple[tuple[object, str, str], bool]] = {
    "the nonce is taken": ((Presentations, "begin", "after"), False),
    "the use is stored as announced": ((Presentations, "announce", "after"), False),
    "the transaction was sent to the node": ((Connection, "send_raw", "after"), True),
    "the use is counted, not recorded": ((ChainClient, "send", "after"), True),
    "during the database transaction that records the end": ((Presentations, "_log", "after"), True),
}


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[2]).read_text())
    with open_participant(Settings(home=Path(sys.argv[1]))) as opened:
        arm(*POINTS[given["point"]][0])
        presented = opened.actor(given["consumer"]), given["bundle"].encode(), given["nonce"]
        if given["signed"]:
            use = opened.verification.propose(*presented).use
            assert use is not None
            signer = Custody(opened.settings.keys_folder / "accounts.json").signer(use.account)
            opened.verification.use(opened.actor(given["consumer"]), use.presentation, sign_act(use.message, signer))
        else:
            opened.verification.accept(*presented)
