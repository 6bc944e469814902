"""What a child of the tests does before it is killed at a named point.

A plan names ``home``, ``act``, the act's ``arguments``, and the ``point``: a function, whether the child is killed
before or after it, and at which of its calls. What was acknowledged is printed, one line each.
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

Told = Callable[[str], None]


def issue(ledger: Ledger, told: Told, *requests: str) -> None:
    """Issue one after the other; each is acknowledged when it is anchored."""
    for request in requests:
        (row,) = ledger.usage.issuance.issue(ledger.actor(ledger.party), [request])
        ledger.anchoring.flush()
        told(f"issued {request} {row.certificate_no}")


def revoke(ledger: Ledger, told: Told, *numbers: str) -> None:
    """End certificates."""
    for number in numbers:
        ledger.certificates.status.revoke_position(ledger.certificates.status.position(number), "data_error")
        told(f"revoked {number}")


def erase(ledger: Ledger, told: Told, *numbers: str) -> None:
    """Erase the text of certificates, by an authority for a court."""
    authority = Actor(ledger.installation.authority_party, frozenset({Role.AUTHORITY, Role.ADMIN}))
    for number in numbers:
        ledger.erasure.scrub(ledger.erasure.certificate(authority, number, "court"))
        told(f"erased {number}")


def rotate(ledger: Ledger, told: Told) -> None:
    """Wrap every record by a new key."""
    ledger.key_rotation.begin()
    ledger.key_rotation.run(lambda _: None)
    ledger.key_rotation.scrub()
    told("rotated")


def propose(ledger: Ledger, told: Told, *scenarios: str) -> None:
    """Have the platform accredited for further scenarios, by two offices."""
    now = ledger.clock()
    for scenario in scenarios:
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, (scenario,), now - 86_400, now + 10**8
        )
        told(f"accredited {scenario}")


def back(ledger: Ledger, told: Told, folder: str) -> None:
    """Back the running ledger up."""
    back_up(ledger.settings, Path(folder) / "data", Path(folder) / "keys")
    told("backed up")


ACTS: Final[dict[str, Callable[..., None]]] = {
    each.__name__: each for each in (issue, revoke, erase, rotate, propose, back)
}


def arm(place: str, when: str, call: int) -> None:
    """Make that call of the named function the last thing this process does."""
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


def run(plan: dict[str, Any]) -> None:
    """Do the act, with the trap set."""
    with opened(Path(plan["home"])) as ledger:
        arm(*plan["point"])
        ACTS[plan["act"]](ledger, lambda line: print(line, flush=True), *plan["arguments"])
