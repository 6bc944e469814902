"""Acts that a child process does until it is killed at a named point.

A plan names ``home``, ``act``, the act's ``arguments``, and the ``point``: a function, whether the child is killed
before or after this function, and at which of its calls. The child reports each acknowledged act on one line.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ledger.domain.parties import Role
from ledger.installation.recovery.backup import back_up
from ledger.installation.wiring import Ledger
from ledger.parties.roles import Actor
from tests.faults.prepared_homes import opened

Report = Callable[[str], None]


def issue(ledger: Ledger, report: Report, *requests: str) -> None:
    """Issue certificates one after the other. Each certificate is acknowledged when it is anchored."""
    for request in requests:
        (row,) = ledger.usage.issuance.issue(ledger.actor(ledger.party), [request])
        ledger.anchoring.flush()
        report(f"issued {request} {row.certificate_no}")


def revoke(ledger: Ledger, report: Report, *numbers: str) -> None:
    """Revoke certificates."""
    for number in numbers:
        ledger.certificates.status.revoke_position(ledger.certificates.status.position(number), "data_error")
        report(f"revoked {number}")


def erase(ledger: Ledger, report: Report, *numbers: str) -> None:
    """As an authority, erase the texts of certificates, with a court as the reason."""
    authority = Actor(ledger.installation.authority_party, frozenset({Role.AUTHORITY, Role.ADMIN}))
    for number in numbers:
        ledger.erasure.scrub(ledger.erasure.certificate(authority, number, "court"))
        report(f"erased {number}")


def rotate(ledger: Ledger, report: Report) -> None:
    """Encrypt the data key of every record with a new key."""
    ledger.key_rotation.begin()
    ledger.key_rotation.run(lambda _: None)
    ledger.key_rotation.scrub()
    report("rotated")


def propose(ledger: Ledger, report: Report, *scenarios: str) -> None:
    """As two authorities, accredit the platform for further scenarios."""
    now = ledger.clock()
    for scenario in scenarios:
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, (scenario,), now - 86_400, now + 10**8
        )
        report(f"accredited {scenario}")


def back(ledger: Ledger, report: Report, folder: str) -> None:
    """Back up the running ledger."""
    back_up(ledger.settings, Path(folder) / "data", Path(folder) / "keys")
    report("backed up")


ACTS: Final[dict[str, Callable[..., None]]] = {
    each.__name__: each for each in (issue, revoke, erase, rotate, propose, back)
}


def arm(place: str, when: str, call: int) -> None:
    """Arrange that this process is killed at call number ``call`` of the function ``place``: before the function runs,
    or after it.
    """
    module, _, path = place.partition(":")
    owner: Any = import_module(module)
    *holders, name = path.split(".")
    for holder in holders:
        owner = getattr(owner, holder)
    original, calls = getattr(owner, name), 0

    def deadly(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


def run(plan: dict[str, Any], report: Report) -> None:
    """Do the act of the plan, and report each acknowledged act. The process is killed at the plan's point."""
    with opened(Path(plan["home"])) as ledger:
        arm(*plan["point"])
        ACTS[plan["act"]](ledger, report, *plan["arguments"])
