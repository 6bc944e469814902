"""Rotates a key and kills its own process: ``python -m tests.privacy.crashing_rotation <folder> <point>``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ledger.privacy import key_providers
from ledger.store.database import Database
from ledger.store.sealing import Sealer
from tests.privacy.vault import vault_in

# For each kill point: the class or module, its function, whether the kill is before or after the call, and the number
# of the call (1 is the first).
POINTS: dict[str, tuple[object, str, str, int]] = {
    "when the key is made but not current": (key_providers, "write_private", "before", 1),
    "when the key is current": (key_providers, "write_private", "after", 1),
    "in the first transaction": (Sealer, "rewrap", "after", 1),
    "between two transactions": (Sealer, "rewrap", "before", 2),
    "in the second transaction": (Sealer, "rewrap", "after", 2),
    "when all is rewrapped": (Database, "scrub", "before", 1),
}


def arm(owner: object, name: str, when: str, call: int) -> None:
    """Make the process kill itself at the given call of the function."""
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def deadly(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        result = None if calls == call and when == "before" else original(*args, **kwargs)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


if __name__ == "__main__":
    arm(*POINTS[sys.argv[2]])
    with vault_in(Path(sys.argv[1])) as vault:
        vault.rotation.begin()
        vault.rotation.run(lambda _: None)
        vault.rotation.scrub()
