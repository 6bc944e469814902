"""Withdraws in a process that kills itself: ``python -m tests.usage.crashing_withdrawal <home> <file>``.

The file contains a signed withdrawal entry, the signed act for the chain, and the name of the point at which the
process kills itself.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ledger.certificates.status import CertificateStatus
from ledger.chain.sending.client import ChainClient
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_ledger
from ledger.parties.statements import Intake
from tests.support.machine.killing import arm

# The points at which the process kills itself, and whether the withdrawal is on the chain at that point.
POINTS: dict[str, tuple[tuple[object, str, str], bool]] = {
    "before the act is sent": ((ChainClient, "send", "before"), False),
    "the chain has it, nothing is recorded": ((ChainClient, "send", "after"), True),
    "in the transaction that records": ((Intake, "append", "after"), True),
    "recorded, no certificate revoked": ((CertificateStatus, "revoke_position", "before"), True),
}


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[2]).read_text())
    with open_ledger(Settings(home=Path(sys.argv[1]))) as opened:
        arm(*POINTS[given["point"]][0])
        opened.usage.withdrawals.withdraw(given["entry"], bytes.fromhex(given["act"]))
