"""Creating a ledger in an empty folder; an interrupted creation is continued and keeps its secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.days import DAY
from ledger.errors import Conflict, Misconfigured
from ledger.installation import home as homes
from ledger.installation import setup as installation
from ledger.installation import wiring
from ledger.installation.local_chain import LocalClock
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger, open_ledger
from ledger.parties.custody import Custody, SecretFile
from ledger.privacy.key_providers import FileKeyProvider


class Interrupted(Exception):
    """Raised to interrupt the creation of a ledger, like a power failure."""


def stopping(original: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    def stopped(*arguments: Any, **named: Any) -> Any:
        if after:
            original(*arguments, **named)
        raise Interrupted

    return stopped


POINTS: dict[str, tuple[object, str, bool]] = {
    "before the chain's clock is set": (LocalClock, "begin", False),
    "after the chain's clock is set": (LocalClock, "begin", True),
    "before the first sealing key": (FileKeyProvider, "make_first", False),
    "after the first sealing key": (FileKeyProvider, "make_first", True),
    "after lookup.key": (SecretFile, "make", True),
    "after the offices' keys": (wiring, "_founders", True),
    "before the tables": (wiring, "upgrade", False),
    "after the tables": (wiring, "upgrade", True),
    "after the operator's keys": (installation, "_operator_keys", True),
    "in the transaction of the founding parties": (installation, "_found", True),
    "before the contracts": (installation, "deploy", False),
    "after the contracts": (installation, "deploy", True),
    "before the deployment is noted": (installation, "note_deployment", False),
    "before the ledger is remembered": (installation, "remember_ledger", False),
    "before the index": (wiring, "follow", False),
    "before the mark is taken away": (homes, "sync_folder", False),
}


def secrets_of(home: Path) -> dict[str, bytes]:
    """Return the secrets of a folder that must not change: files that contain one key, and each key in files with
    several keys.
    """
    found = {str(path.relative_to(home)): path.read_bytes() for path in home.glob("keys/*.key")}
    for path in (home / "keys" / "accounts.json", *home.glob("offices/*/accounts.json")):
        keys = json.loads(path.read_text()) if path.exists() else {}
        found |= {f"{path.relative_to(home)} {account}": key.encode() for account, key in keys.items()}
    return found


@pytest.mark.parametrize("point", POINTS)
def test_an_interrupted_creation_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str) -> None:
    owner, name, after = POINTS[point]
    settings = Settings(home=tmp_path / "home")
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, stopping(getattr(owner, name), after=after))
        with pytest.raises(Interrupted), create_ledger(settings, ago=3 * DAY):
            pass
    made = secrets_of(settings.home)
    if homes.is_half_made(settings.home):
        with pytest.raises(Misconfigured, match="LEDGER_HALF_MADE"), open_ledger(settings):
            pass
        with create_ledger(settings, ago=3 * DAY) as ledger:
            assert ledger.inspection.readiness()["ledger"]["ok"]
    assert not homes.is_half_made(settings.home)
    assert made.items() <= secrets_of(settings.home).items()
    with open_ledger(settings) as ledger:
        assert ledger.coherence.findings() == []
        assert -3 * DAY - 120 < LocalClock(settings).ahead <= -3 * DAY + 120
    assert len(Custody(settings.keys_folder / "accounts.json").accounts) == 1


@pytest.mark.parametrize(
    "name", ["keys/lookup.key", "keys/kek-current", "keys/accounts.json", "offices/2/accounts.json"]
)
def test_a_complete_ledger_marked_as_incomplete_gets_no_new_secret(tmp_path: Path, name: str) -> None:
    settings = Settings(home=tmp_path / "home")
    with create_ledger(settings):
        pass
    (settings.home / homes.MARKER).touch()
    kept = (settings.home / name).rename(tmp_path / "kept")
    with pytest.raises(Misconfigured, match="KEY_FILE_MISSING") as refused, create_ledger(settings):
        pass
    assert refused.value.where == str(settings.home / name) and not (settings.home / name).exists()
    kept.rename(settings.home / name)
    with create_ledger(settings) as ledger:
        assert ledger.coherence.findings() == []
    assert not homes.is_half_made(settings.home)


def test_a_ledger_is_not_created_in_a_folder_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(Conflict, match="HOME_NOT_EMPTY"), create_ledger(Settings(home=tmp_path)):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_ledger_is_not_created_twice(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with create_ledger(settings) as ledger:
        ours = ledger.reader.chain.ledger
        with pytest.raises(Conflict, match="HOME_NOT_EMPTY"), create_ledger(settings):
            pass
    with pytest.raises(Conflict, match="HOME_NOT_EMPTY"), create_ledger(settings):
        pass
    with open_ledger(settings) as ledger:
        assert ledger.reader.chain.ledger == ours


def test_a_ledger_can_be_created_in_the_root_folder_of_an_empty_disk(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    with create_ledger(Settings(home=tmp_path)) as ledger:
        assert ledger.coherence.findings() == []
