"""What a home folder holds: nothing, a ledger, or a ledger whose creation was interrupted.

A ledger is made on purpose, by ``create_ledger`` alone. Whatever opens one finds its files there or says which is
missing: a key, a deployment file or a database that were made again in silence would be other ones.
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
from ledger.installation.settings import Settings
from ledger.parties.custody import key_file_missing
from ledger.store.database import file_of
from ledger.wallet.private_file import sync_folder, write_private

MARKER: Final = "creating"
LOCK: Final = "opening.lock"
# An empty disk has the second one from the beginning.
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
    """Whether the creation of the ledger in this folder was interrupted: ``create_ledger`` goes on with it."""
    return (home / MARKER).exists()


def holds_ledger(home: Path) -> bool:
    """Whether the folder holds a ledger that was made to the end, whatever has become of its files since."""
    return not is_half_made(home) and any((home / name).exists() for name in _TRACES)


def require_made(home: Path) -> None:
    """Raise ``NotFound`` ``LEDGER_MISSING`` or ``Misconfigured`` ``LEDGER_HALF_MADE`` unless a ledger is here."""
    if is_half_made(home):
        raise Misconfigured(
            "LEDGER_HALF_MADE",
            "The creation of this ledger was interrupted.",
            where=str(home),
            hint="Run the command that created it again, such as `pingzheng init`: it goes on where it stopped.",
        )
    if not holds_ledger(home):
        raise NotFound(
            "LEDGER_MISSING",
            "There is no ledger here.",
            where=str(home),
            hint="Make one with `pingzheng init`, `pingzheng demo`, `pingzheng join` or `pingzheng restore`, or name "
            "its folder by --home or $PINGZHENG_HOME.",
        )


@contextmanager
def creating(settings: Settings) -> Iterator[None]:
    """Alone in the empty folder, or in the half-made ledger that an interrupted creation left there.

    What an error or a crash leaves behind stays marked as half-made. Raises ``Conflict`` ``HOME_NOT_EMPTY``.
    """
    home = settings.home
    require_free(home)
    settings.make_home()
    with one_at_a_time(home / LOCK):
        # Who waited for the lock finds what the first one made.
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
            "A new ledger needs an empty folder, and this one is not empty.",
            where=str(home),
            hint="Give another --home. A ledger that is already here is opened by the other commands.",
        )


def require_files(settings: Settings) -> None:
    """Raise ``Misconfigured``, naming it, if a file that every ledger of an operator has is missing or damaged."""
    home = settings.home
    _require_deployment(home)
    _require(
        home / "installation.json",
        "INSTALLATION_FILE_MISSING",
        "The file that says whose installation this is is missing: installation.json of an operator, joined.json of "
        "a party that has joined.",
        "Restore it from the backup.",
    )
    _require_keys(settings.keys_folder / "lookup.key", settings.keys_folder / "accounts.json", *_offices(home))
    if settings.rpc_url is None:
        _require(
            home / "chain" / "journal.jsonl",
            "JOURNAL_MISSING",
            "The journal of the local chain is missing: it is the chain.",
            "Restore the folder chain from the backup. The ledger does not begin another chain in its place.",
        )


def require_secrets(settings: Settings, *, sealing_files: bool) -> None:
    """Raise ``Misconfigured`` ``KEY_FILE_MISSING`` if a ledger that is begun lacks a secret: they are made first.

    A mark that was left in a whole ledger is no reason to make another one. ``sealing_files``: the wrapping keys are
    files.
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
    """As ``require_files``, for an installation that has joined another operator's chain."""
    _require_deployment(settings.home)
    _require_keys(settings.keys_folder / "accounts.json")


def read_installation(home: Path) -> dict[str, str]:
    """The file ``installation.json``: the operator's accounts and the digest of the deployment file; {} without one.

    Raises ``Misconfigured`` ``INSTALLATION_FILE_DAMAGED``.
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
            "The file that says whose installation this is cannot be read.",
            where=str(path),
            hint="Restore installation.json from the backup.",
        )
    return found


def write_installation(home: Path, members: dict[str, str]) -> None:
    """Replace ``installation.json``."""
    write_private(home / "installation.json", json.dumps(members, sort_keys=True))


def note_deployment(home: Path) -> None:
    """Note the digest of ``deployment.json``: later a changed file is noticed, whichever member was changed."""
    noted, found = read_installation(home), deployment_digest(home)
    if noted.get("deployment") != found:
        write_installation(home, noted | {"deployment": found})


def require_deployment_unchanged(home: Path) -> None:
    """Raise ``Misconfigured`` ``DEPLOYMENT_CHANGED`` unless the deployment file is the one that was noted."""
    require_deployment(home, read_installation(home).get("deployment", ""))


def require_deployment(home: Path, noted: str) -> None:
    """Raise ``Misconfigured`` ``DEPLOYMENT_CHANGED`` unless the deployment file has that digest; "" is any."""
    if noted and noted != deployment_digest(home):
        raise Misconfigured(
            "DEPLOYMENT_CHANGED",
            "The file deployment.json is not the one that this ledger was set up with.",
            where=str(home / "deployment.json"),
            hint="Restore it from the backup: it says which contracts are this ledger's.",
        )


def deployment_digest(home: Path) -> str:
    """SHA-256 of the deployment file, 64 hex digits; "" without one."""
    path = home / "deployment.json"
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _offices(home: Path) -> list[Path]:
    """The key file of each office whose folder is here: an office that is elsewhere has none."""
    return [folder / "accounts.json" for folder in sorted((home / "offices").glob("*")) if folder.is_dir()]


def _require_deployment(home: Path) -> None:
    _require(
        home / "deployment.json",
        "DEPLOYMENT_MISSING",
        "The file that says which contracts this ledger's are is missing.",
        "Restore deployment.json from the backup: contracts deployed anew would be another ledger.",
    )


def _require_keys(*paths: Path) -> None:
    for path in paths:
        if not path.exists():
            raise key_file_missing(path)


def _require(path: Path, code: str, message: str, hint: str) -> None:
    if not path.exists():
        raise Misconfigured(code, message, where=str(path), hint=hint)
