"""Home folders into which tests inject faults. They are made once per run and then copied, because creating a ledger
takes seconds.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger.demo.data.cast import assemble
from ledger.installation.local_chain import LocalClock
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger, open_ledger
from ledger.proof.verifier import Expectation
from tests.support.actors.credit_bureau import SCENARIO, CreditBureau
from tests.support.actors.pilots import ROWS

FIRMS: Final = [str(number) for number in range(1, 61)]
# The first EARLY firms have certificates in every home, the firms from EARLY to LATE only in the late home, and all
# other firms in none.
EARLY: Final = 3
LATE: Final = 6
SKIPPED: Final = 3600  # the chain's clock goes ahead by this many seconds between the two homes
ENDED: Final = 1  # the certificate with this index is revoked between the early and the late home


@dataclass(frozen=True)
class Prepared:
    """Two homes of one ledger, the bundles of holders, and the home of another ledger. The home ``late`` was copied one
    hour after the home ``early``.

    ``requests`` are authorised and answered, in the order of ``FIRMS``. ``numbers`` are the certificates of the first
    requests, whose holders keep the bundles in the folder ``bundles``.
    """

    folder: Path
    requests: list[str]
    numbers: list[str]

    @property
    def early(self) -> Path:
        return self.folder / "early"

    @property
    def late(self) -> Path:
        return self.folder / "late"

    @property
    def cut(self) -> Path:
        """Return the late home as after a power cut: it still has the write-ahead log of the database, and the address
        of a node.
        """
        return self.folder / "cut"

    @property
    def other(self) -> Path:
        """The home of another ledger."""
        return self.folder / "other"

    def bundle(self, number: str) -> Path:
        """Return the bundle that the holder of the certificate keeps."""
        return self.folder / "bundles" / f"{number}.json"

    def waiting(self) -> list[str]:
        """Return the requests without a certificate."""
        return self.requests[LATE:]


def prepared_in(folder: Path) -> Prepared:
    """Return the homes in this folder; the first process creates them, and the others use them."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "making.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        saved = folder / "prepared.json"
        if not saved.exists():
            saved.write_text(json.dumps(_make(folder)), "utf-8")
    return Prepared(folder, **json.loads(saved.read_text("utf-8")))


def _make(folder: Path) -> dict[str, list[str]]:
    home, numbers = folder / "making", list[str]()
    with create_ledger(settings_of(home)) as ledger:
        requests = _authorised(ledger)
        for request in requests[:EARLY]:
            numbers.append(_issued(folder, ledger, request))
    copied(home, folder / "early")
    with open_ledger(settings_of(home)) as ledger:
        LocalClock(ledger.settings).skip(ledger.reader.connection, SKIPPED)
        ledger.certificates.status.revoke(numbers[ENDED], "data_error")
        for request in requests[EARLY:LATE]:
            numbers.append(_issued(folder, ledger, request))
        ledger.verification.verify((folder / "bundles" / f"{numbers[0]}.json").read_bytes(), Expectation())
        copied(home, folder / "cut")
    home.rename(folder / "late")
    with create_ledger(settings_of(folder / "other")):
        pass
    return {"requests": requests, "numbers": numbers}


def _authorised(ledger: Ledger) -> list[str]:
    cast, now = assemble(ledger, FIRMS), ledger.clock()
    actors = CreditBureau(ledger, cast)
    ledger.parties.role_changes.accredit(
        ledger.authority, ledger.installation.operator, (SCENARIO,), now - 86_400, now + 10**8
    )
    given = actors.authorise(FIRMS, lambda _: None)
    actors.supply(dict.fromkeys(FIRMS, ROWS), given, lambda _: None)
    ledger.anchoring.flush()
    return [ledger.usage.authorizations.get(given[firm]).request_id for firm in FIRMS]


def _issued(folder: Path, ledger: Ledger, request: str) -> str:
    (row,) = ledger.usage.issuance.issue(ledger.actor(ledger.party), [request])
    ledger.anchoring.flush()
    kept = folder / "bundles" / f"{row.certificate_no}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(ledger.certificates.bundles.build(row.certificate_no).to_bytes())
    return row.certificate_no


def settings_of(home: Path, **changes: Any) -> Settings:
    """Return the settings for all homes of these tests. A batch is closed only when a test asks for it."""
    return Settings(home=home, delay=0, batch_age=0, **changes)


def copied(home: Path, to: Path) -> Path:
    """Copy a home byte by byte, and return the copy's path."""
    shutil.copytree(home, to, symlinks=True)
    return to


@contextmanager
def opened(home: Path, **changes: Any) -> Iterator[Ledger]:
    """Open the ledger in this home. It uses the clock of its local chain, even if ``changes`` give the
    chain by a URL.
    """
    clock = LocalClock(settings_of(home))
    with open_ledger(settings_of(home, **changes), clock) as ledger:
        yield ledger
