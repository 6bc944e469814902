"""A rotation wraps every data key with the new key, changes no text, and continues after an interruption."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ledger.errors import InvalidInput, Misconfigured, NotFound
from ledger.privacy.key_providers import FileKeyProvider
from ledger.privacy.key_rotation import CHUNK
from tests.privacy.crashing_rotation import POINTS
from tests.privacy.vault import PROVIDERS, RECORDS, KeyService, Vault, environment, sealed_text, vault_in
from tests.support.places import PROJECT


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_rotation_changes_wrapped_keys_and_no_texts(vault: Vault, kind: str) -> None:
    service, held = KeyService(), {key_id: secrets.token_hex(32) for key_id in "ab"}
    before, after = {
        "file": (vault.keys, vault.keys),
        "environment": (environment("a", **held), environment("b", **held)),
        "key service": (service, service),
    }[kind]
    records, old = vault.under(before).fill(5), before.current
    sealed = vault.rows()
    own, ticks = vault.under(after), list[int]()
    assert own.rotation.begin().outdated == 5
    assert own.keys.current != old
    assert own.rotation.run(ticks.append) == sum(ticks) == 5
    rewrapped = own.rows()
    for record, row in sealed.items():
        assert (rewrapped[record].nonce, rewrapped[record].ciphertext) == (row.nonce, row.ciphertext)
        assert rewrapped[record].wrapped_key != row.wrapped_key
    assert own.rotation.status().by_key == {own.keys.current: 5}
    assert own.opened(*records) == [sealed_text(number) for number in range(5)]


def test_an_old_key_can_be_removed_after_a_rotation(vault: Vault) -> None:
    first = vault.fill(RECORDS)
    vault.rotation.begin()
    vault.rotation.run(lambda _: None)
    vault.key_file("1").unlink()
    assert vault.opened(first[-1]) == [sealed_text(RECORDS - 1)]
    assert vault.rotation.status().by_key == {"2": RECORDS}


def test_an_old_key_cannot_be_removed_before_a_rotation(vault: Vault) -> None:
    (record,) = vault.fill(1)
    vault.rotation.begin()
    assert vault.rotation.status().by_key == {"1": 1}
    vault.key_file("1").rename(vault.folder / "put away")
    with pytest.raises(Misconfigured, match="SEALING_KEY_MISSING"):
        vault.rotation.run(lambda _: None)
    (vault.folder / "put away").rename(vault.key_file("1"))
    assert vault.rotation.run(lambda _: None) == 1
    assert vault.opened(record) == [sealed_text(0)]


def test_a_second_rotation_to_the_current_wrapping_key_changes_nothing(vault: Vault) -> None:
    vault.fill(3)
    assert (vault.rotation.begin("2026_11").current, vault.rotation.run(lambda _: None)) == ("2026_11", 3)
    done = [row.wrapped_key for row in vault.rows().values()]
    assert (vault.rotation.begin("2026_11").current, vault.rotation.run(lambda _: None)) == ("2026_11", 0)
    assert [row.wrapped_key for row in vault.rows().values()] == done
    assert vault.rotation.begin().current == "2"
    for name in ("", "a-b", "../x", "x" * 33, "１"):
        with pytest.raises(InvalidInput, match="SEALING_KEY_ID"):
            vault.rotation.begin(name)
    assert sorted(path.name for path in (vault.folder / "keys").iterdir()) == [
        "kek-1.key",
        "kek-2.key",
        "kek-2026_11.key",
        "kek-current",
    ]


def test_an_interrupted_rotation_continues(vault: Vault) -> None:
    records = vault.fill(RECORDS)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    vault.rotation.begin()
    with pytest.raises(KeyboardInterrupt):
        vault.rotation.run(interrupt)
    assert vault.rotation.status().by_key == {"1": RECORDS - CHUNK, "2": CHUNK}
    assert vault.opened(*records) == [sealed_text(number) for number in range(RECORDS)]
    assert vault.rotation.begin().current == "2"
    assert vault.rotation.run(lambda _: None) == RECORDS - CHUNK
    assert vault.rotation.status().by_key == {"2": RECORDS}


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_rotation_is_continued(tmp_path: Path, point: str) -> None:
    with vault_in(tmp_path) as vault:
        records, before = vault.fill(RECORDS), vault.rows()
        command = [sys.executable, "-m", "tests.privacy.crashing_rotation", str(tmp_path), point]
        killed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert vault.opened(*records) == [sealed_text(number) for number in range(RECORDS)]
        vault.rotation.begin()
        vault.rotation.run(lambda _: None)
        (key_id,) = vault.rotation.status().by_key
        assert key_id == vault.keys.current != "1"
        vault.key_file("1").unlink()
        assert vault.opened(*records) == [sealed_text(number) for number in range(RECORDS)]
        assert [row.ciphertext for row in vault.rows().values()] == [row.ciphertext for row in before.values()]


def test_records_written_during_a_rotation_use_the_new_key(vault: Vault) -> None:
    """A second writer with its own key provider writes records during the rotation. For each record it reads from the
    keys' folder which key is current, so it uses the new key as soon as the rotation has begun.
    """
    vault.fill(RECORDS)
    other, written, stop = vault.under(FileKeyProvider(vault.folder / "keys")), list[str](), threading.Event()

    def write() -> None:
        while not stop.is_set():
            written.extend(other.fill(1, first=len(written)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        vault.rotation.begin()
        # If another process began to write a record before the key changed, the record's data key is wrapped again too.
        vault.rotation.run(lambda _: None)
    finally:
        stop.set()
        writer.join()
    assert vault.rotation.status().by_key == {"2": RECORDS + len(written)}
    assert vault.opened(*written) == [sealed_text(number) for number in range(len(written))]


def test_a_rotation_does_not_restore_erased_texts(vault: Vault) -> None:
    gone, kept = vault.fill(2)
    with vault.database.write() as session:
        vault.sealer.erase(session, gone)
    vault.rotation.begin()
    assert vault.rotation.run(lambda _: None) == 1
    assert (vault.rotation.status().by_key, vault.rotation.status().erased) == ({"2": 1}, 1)
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        vault.opened(gone)
    assert vault.opened(kept) == [sealed_text(1)]
