"""Check whether a home folder is empty, holds a ledger, or holds a ledger whose creation was interrupted.

Only ``create_ledger``, ``join`` and ``restore`` create a ledger. Opening a ledger reports a missing key, deployment
file or database, and never creates a new file in its place: the new file would belong to another ledger.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from ledger.chain.locking import one_at_a_time
from ledger.errors import Conflict, Misconfigured, NotFound
from ledger.installation.settings import LOCK, Settings
from ledger.parties.custody import key_file_missing
from ledger.store.database import file_of
from ledger.wallet.private_file import sync_folder, write_private

MARKER: Final = "creating"
# A home counts as empty if it holds only files or folders with these names. A new disk has the folder lost+found.
_NOTHING: Final = {LOCK, "lost+found"}
_TRACES: Final = (
    "chain",
    "deployment.json",
    "installation.json",
    "joined.json",
    "keys",
    "ledger.db",
    "offices",
)


def is_half_made(home: Path) -> bool:
    """Return whether the creation of the ledger in this folder was interrupted; ``create_ledger`` can continue it."""
    return (home / MARKER).exists()


def holds_ledger(home: Path) -> bool:
    """Return whether a ledger was completely created in the folder, even if some of its files are missing now."""
    return not is_half_made(home) and any((home / name).exists() for name in _TRACES)


def require_made(home: Path) -> None:
    """Raise ``NotFound`` ``LEDGER_MISSING``, or ``Misconfigured`` ``LEDGER_HALF_MADE``, if the folder has no complete
    ledger.
    """
    if is_half_made(home):
        raise Misconfigured(
            "LEDGER_HALF_MADE",
            "The creation of this ledger was interrupted.",
            where=str(home),
            hint="Run the command that created it again, such as `pingzheng init`; the command continues the creation.",
        )
    if not holds_ledger(home):
        raise NotFound(
            "LEDGER_MISSING",
            "There is no ledger here.",
            where=str(home),
            hint="Make a ledger with `pingzheng init`, `pingzheng demo`, `pingzheng join` or `pingzheng restore`, or "
            "name its folder with --home or $PINGZHENG_HOME.",
        )


@contextmanager
def creating(settings: Settings) -> Iterator[None]:
    """Lock the folder while a ledger is created in it, or while an interrupted creation is continued.

    After an error or a crash the folder stays marked as an interrupted creation. Raises ``Conflict``
    ``HOME_NOT_EMPTY``.
    """
    home = settings.home
    require_free(home)
    settings.make_home()
    with one_at_a_time(home / LOCK):
        # Check again: another program may have created a ledger while this program waited for the lock.
        require_free(home)
        write_private(home / MARKER, "")
        yield
        (home / MARKER).unlink()
        sync_folder(home)


def require_free(home: Path) -> None:
    """Raise ``Conflict`` ``HOME_NOT_EMPTY`` unless a ledger may be created in this folder."""
    if not home.exists() or is_half_made(home):
        return
    if not home.is_dir() or {path.name for path in home.iterdir()} - _NOTHING:
        raise Conflict(
            "HOME_NOT_EMPTY",
            "A new ledger needs an empty folder, but this folder is not empty.",
            where=str(home),
            hint="Give another --home. Other commands open the ledger that is already here.",
        )


def require_files(settings: Settings) -> None:
    """Raise ``Misconfigured`` if a file is missing that every operator's ledger has; the error names the file."""
    home = settings.home
    _require_deployment(home)
    _require(
        home / "installation.json",
        "INSTALLATION_FILE_MISSING",
        "The file with this installation's identity is missing: installation.json of an operator, joined.json of a "
        "party that has joined.",
        "Restore the file from the backup.",
    )
    _require_keys(settings.keys_folder / "lookup.key", settings.keys_folder / "accounts.json", *_offices(home))
    if settings.rpc_url is None:
        _require(
            home / "chain" / "journal.jsonl",
            "JOURNAL_MISSING",
            "The journal of the local chain is missing. The whole chain is stored in this file.",
            "Restore the folder `chain` from the backup. The program does not begin another chain in its place.",
        )


def require_secrets(settings: Settings, *, sealing_files: bool) -> None:
    """Raise ``Misconfigured`` ``KEY_FILE_MISSING`` if a partly created ledger has lost a secret.

    Secrets are created before database and contracts. So if the database or the contracts exist, the secrets once
    existed, and new secrets would not fit this database and these contracts. ``sealing_files`` says whether the
    wrapping keys are files.
    """
    deployed, database = (settings.home / "deployment.json").exists(), file_of(settings.database)
    if not deployed and (database is None or not database.exists() or not database.stat().st_size):
        return
    needed = [settings.keys_folder / "lookup.key"]
    if sealing_files:
        needed.append(settings.keys_folder / "kek-current")
    if deployed:
        needed.append(settings.keys_folder / "accounts.json")
    _require_keys(*needed, *_offices(settings.home))


def require_joined_files(settings: Settings) -> None:
    """Raise ``Misconfigured`` if a file is missing that every joined installation has; the error names the file."""
    _require_deployment(settings.home)
    _require_keys(settings.keys_folder / "accounts.json")


def read_installation(home: Path) -> dict[str, str]:
    """Return the members of ``installation.json``, or an empty map if the file does not exist.

    The members are the operator's accounts and the digest of the deployment file. Raises ``Misconfigured``
    ``INSTALLATION_FILE_DAMAGED``.
    """
    path = home / "installation.json"
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (ValueError, IsADirectoryError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Misconfigured(
            "INSTALLATION_FILE_DAMAGED",
            "The file with this installation's identity, installation.json, cannot be read.",
            where=str(path),
            hint="Restore installation.json from the backup.",
        )
    return found


def write_installation(home: Path, members: dict[str, str]) -> None:
    """Replace ``installation.json``."""
    write_private(home / "installation.json", json.dumps(members, sort_keys=True))


def note_deployment(home: Path) -> None:
    """Record the digest of ``deployment.json`` in ``installation.json``, to detect later changes of that file."""
    noted, found = read_installation(home), deployment_digest(home)
    if noted.get("deployment") != found:
        write_installation(home, noted | {"deployment": found})


def require_deployment_unchanged(home: Path) -> None:
    """Raise ``Misconfigured`` ``DEPLOYMENT_CHANGED`` if the deployment file no longer has the recorded digest."""
    require_deployment(home, read_installation(home).get("deployment", ""))


def require_deployment(home: Path, noted: str) -> None:
    """Raise ``Misconfigured`` ``DEPLOYMENT_CHANGED`` unless the deployment file has the digest ``noted``. If ``noted``
    is empty, do nothing.
    """
    if noted and noted != deployment_digest(home):
        raise Misconfigured(
            "DEPLOYMENT_CHANGED",
            "The file deployment.json is not the file that this ledger was set up with.",
            where=str(home / "deployment.json"),
            hint="Restore the file from the backup: it names this ledger's contracts.",
        )


def deployment_digest(home: Path) -> str:
    """Return the SHA-256 of the deployment file as 64 hex digits; "" if the file does not exist."""
    path = home / "deployment.json"
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _offices(home: Path) -> list[Path]:
    """Return the key file of each founding institution whose keys are kept in this home."""
    return [folder / "accounts.json" for folder in sorted((home / "offices").glob("*")) if folder.is_dir()]


def _require_deployment(home: Path) -> None:
    _require(
        home / "deployment.json",
        "DEPLOYMENT_MISSING",
        "The file that names this ledger's contracts, deployment.json, is missing.",
        "Restore deployment.json from the backup: newly deployed contracts would be another ledger.",
    )


def _require_keys(*paths: Path) -> None:
    for path in paths:
        if not path.exists():
            raise key_file_missing(path)


def _require(path: Path, code: str, message: str, hint: str) -> None:
    if not path.exists():
        raise Misconfigured(code, message, where=str(path), hint=hint)
