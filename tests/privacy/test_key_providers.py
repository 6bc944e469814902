"""The keys that wrap data keys. They come from files, the environment or a key service; no key has a default, and none
is created twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import Misconfigured
from ledger.installation.settings import Settings
from ledger.parties.custody import SecretFile
from ledger.privacy.key_providers import EnvironmentKeyProvider, FileKeyProvider, local_keys
from ledger.store.sealing import KeyProvider
from tests.privacy.vault import PROVIDERS, Vault, environment, sealed_text, stored


@pytest.mark.parametrize("make", PROVIDERS.values(), ids=PROVIDERS)
def test_every_key_provider_can_unwrap_the_keys_that_it_wrapped(
    vault: Vault, tmp_path: Path, make: Callable[[Path], KeyProvider]
) -> None:
    own = vault.under(make(tmp_path / "own"))
    records = own.fill(3)
    assert own.opened(*records) == [sealed_text(0), sealed_text(1), sealed_text(2)]
    assert own.rotation.status().by_key == {own.keys.current: 3}
    assert "某人0".encode() not in stored(vault)


def test_key_wrapping_follows_rfc_3394() -> None:
    """Wrapping gives the result of the test vector in RFC 3394 §4.6: 256 bits of key data with a 256-bit key."""
    keys = environment(a="000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")
    data_key = bytes.fromhex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F")
    wrapped = "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"
    assert keys.wrap(data_key, "a").hex().upper() == wrapped
    assert keys.unwrap(bytes.fromhex(wrapped), "a") == data_key


def test_a_wrapping_key_can_come_from_a_file_or_from_the_environment(vault: Vault) -> None:
    (record,) = vault.fill(1)
    moved = vault.under(environment("1", **{"1": vault.key_file("1").read_text()}))
    assert moved.opened(record) == [sealed_text(0)]
    assert vault.opened(*moved.fill(1, first=1)) == [sealed_text(1)]


def test_the_setting_selects_the_key_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(local_keys(Settings().key_provider, tmp_path, {}), FileKeyProvider)
    monkeypatch.setenv("PINGZHENG_KEY_PROVIDER", "environment")
    assert isinstance(local_keys(Settings().key_provider, tmp_path, {}), EnvironmentKeyProvider)
    monkeypatch.setenv("PINGZHENG_KEY_PROVIDER", "cloud")
    with pytest.raises(ValueError, match="key_provider"):
        Settings()


KEY = "ab" * 32
WRONG_ENVIRONMENT = {
    "no current key": (environment("", a=KEY), "SEALING_KEY_MISSING", "PINGZHENG_KEK_CURRENT"),
    "current key not there": (environment("b", a=KEY), "SEALING_KEY_MISSING", "PINGZHENG_KEK_b"),
    "key too short": (environment(a="ab" * 31), "SEALING_KEY_FORM", "PINGZHENG_KEK_a"),
    "key not hexadecimal": (environment(a="xy" * 32), "SEALING_KEY_FORM", "PINGZHENG_KEK_a"),
    "key empty": (environment(a=""), "SEALING_KEY_FORM", "PINGZHENG_KEK_a"),
}


@pytest.mark.parametrize(("keys", "code", "where"), WRONG_ENVIRONMENT.values(), ids=WRONG_ENVIRONMENT)
def test_a_text_cannot_be_encrypted_if_the_current_key_is_missing(
    vault: Vault, keys: EnvironmentKeyProvider, code: str, where: str
) -> None:
    with pytest.raises(Misconfigured) as caught:
        vault.under(keys).fill(1)
    assert (caught.value.code, caught.value.where) == (code, where)
    assert vault.rows() == {}


def test_a_lost_key_is_not_created_again(vault: Vault) -> None:
    (record,) = vault.fill(1)
    vault.key_file("1").unlink()
    with pytest.raises(Misconfigured, match="SEALING_KEY_MISSING"):
        vault.opened(record)
    with pytest.raises(Misconfigured, match="SEALING_KEY_MISSING"):
        vault.fill(1)
    assert not vault.key_file("1").exists()
    SecretFile(vault.key_file("1")).make()
    with pytest.raises(Misconfigured, match="SEALING_KEY_WRONG"):
        vault.opened(record)


def test_a_missing_file_that_names_the_current_wrapping_key_is_an_error(vault: Vault) -> None:
    (record,) = vault.fill(1)
    (vault.folder / "keys" / "kek-current").unlink()
    with pytest.raises(Misconfigured, match="KEY_FILE_MISSING"):
        vault.fill(1)
    assert vault.opened(record) == [sealed_text(0)]


def test_two_processes_that_create_a_key_get_the_same_key(tmp_path: Path) -> None:
    """If each process kept the key that it made itself, the key of one process would be lost, and nobody could open the
    records that this key wraps.
    """
    start, seen = threading.Barrier(8), []

    def make() -> None:
        start.wait()
        secret = SecretFile(tmp_path / "kek-2.key")
        secret.make()
        seen.append(secret.read())

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8 and len(set(seen)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kek-2.key"]
    assert (tmp_path / "kek-2.key").stat().st_mode & 0o077 == 0
