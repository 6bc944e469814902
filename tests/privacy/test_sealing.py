"""Data keys are wrapped by keys from files, the environment or a key service; rotation touches no payload."""

from __future__ import annotations

import json
import random
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.domain.parties import PartyKind
from ledger.errors import InvalidInput, Misconfigured, NotFound
from ledger.installation.settings import Settings
from ledger.parties.custody import SecretFile
from ledger.privacy.key_providers import EnvironmentKeyProvider, FileKeyProvider, local_keys
from ledger.privacy.key_rotation import CHUNK
from ledger.store.sealing import KeyProvider
from ledger.store.tables import Sealed
from tests.privacy.crashing_rotation import POINTS
from tests.privacy.vault import Vault, made, told, vault_in
from tests.support.actors.pilots import Pilot
from tests.support.machine.file_contents import contents

PROJECT = Path(__file__).parents[2]
RECORDS = CHUNK + 50


class KeyService:
    """A key management service as a program sees it: it wraps and unwraps by a method of its own, and tells no key."""

    def __init__(self) -> None:
        self.__keys = {"arn:kms:1": AESGCM.generate_key(256)}
        self.current = "arn:kms:1"

    def wrap(self, data_key: bytes, key_id: str) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(self.__keys[key_id]).encrypt(nonce, data_key, None)

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        return AESGCM(self.__keys[key_id]).decrypt(wrapped[:12], wrapped[12:], None)

    def renew(self, to: str | None) -> str:
        self.current = to or f"arn:kms:{len(self.__keys) + 1}"
        self.__keys[self.current] = AESGCM.generate_key(256)
        return self.current


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with vault_in(tmp_path) as opened:
        yield opened


def environment(current: str = "a", **keys: str) -> EnvironmentKeyProvider:
    named = {f"PINGZHENG_KEK_{key_id}": key for key_id, key in keys.items()}
    return EnvironmentKeyProvider(named | {"PINGZHENG_KEK_CURRENT": current})


PROVIDERS: dict[str, Callable[[Path], KeyProvider]] = {
    "file": made,
    "environment": lambda _: environment(a=secrets.token_hex(32)),
    "key service": lambda _: KeyService(),
}


@pytest.mark.parametrize("make", PROVIDERS.values(), ids=PROVIDERS)
def test_what_any_provider_wraps_it_opens(vault: Vault, tmp_path: Path, make: Callable[[Path], KeyProvider]) -> None:
    own = vault.under(make(tmp_path / "own"))
    records = own.fill(3)
    assert own.opened(*records) == [told(0), told(1), told(2)]
    assert own.rotation.status().by_key == {own.keys.current: 3}
    assert "某人0".encode() not in stored(vault)


def test_wrapping_is_rfc_3394() -> None:
    """The vector of §4.6: 256 bits of key data under a 256-bit key."""
    keys = environment(a="000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")
    data_key = bytes.fromhex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F")
    wrapped = "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"
    assert keys.wrap(data_key, "a").hex().upper() == wrapped
    assert keys.unwrap(bytes.fromhex(wrapped), "a") == data_key


def test_the_same_key_in_a_file_and_in_the_environment_opens_the_same(vault: Vault) -> None:
    (record,) = vault.fill(1)
    moved = vault.under(environment("1", **{"1": vault.key_file("1").read_text()}))
    assert moved.opened(record) == [told(0)]
    assert vault.opened(*moved.fill(1, first=1)) == [told(1)]


def test_the_setting_chooses_the_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_nothing_is_sealed_without_its_key(vault: Vault, keys: EnvironmentKeyProvider, code: str, where: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        vault.under(keys).fill(1)
    assert (caught.value.code, caught.value.where) == (code, where)
    assert vault.rows() == {}


def test_a_key_that_is_lost_is_not_made_again(vault: Vault) -> None:
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


def test_the_name_of_the_current_key_is_not_guessed(vault: Vault) -> None:
    (record,) = vault.fill(1)
    (vault.folder / "keys" / "kek-current").unlink()
    with pytest.raises(Misconfigured, match="KEY_FILE_MISSING"):
        vault.fill(1)
    assert vault.opened(record) == [told(0)]


def test_two_who_make_a_key_at_once_have_the_same(tmp_path: Path) -> None:
    """Else what one of them wraps meanwhile is lost."""
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


def test_text_moved_to_another_record_does_not_open(vault: Vault) -> None:
    first, second = vault.fill(2)
    with vault.database.write() as session:
        rows = vault.rows()
        for member in ("wrapped_key", "nonce", "ciphertext"):
            setattr(session.get_one(type(rows[first]), first), member, getattr(rows[second], member))
    with pytest.raises(Misconfigured, match="SEALED_DAMAGED"):
        vault.opened(first)
    assert vault.opened(second) == [told(1)]


@pytest.mark.parametrize("kind", PROVIDERS)
def test_rotation_wraps_anew_and_touches_no_payload(vault: Vault, kind: str) -> None:
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
    assert own.opened(*records) == [told(number) for number in range(5)]


def test_the_old_key_can_go_when_no_record_needs_it(vault: Vault) -> None:
    first = vault.fill(RECORDS)
    vault.rotation.begin()
    vault.rotation.run(lambda _: None)
    vault.key_file("1").unlink()
    assert vault.opened(first[-1]) == [told(RECORDS - 1)]
    assert vault.rotation.status().by_key == {"2": RECORDS}


def test_the_old_key_cannot_go_before(vault: Vault) -> None:
    (record,) = vault.fill(1)
    vault.rotation.begin()
    assert vault.rotation.status().by_key == {"1": 1}
    vault.key_file("1").rename(vault.folder / "put away")
    with pytest.raises(Misconfigured, match="SEALING_KEY_MISSING"):
        vault.rotation.run(lambda _: None)
    (vault.folder / "put away").rename(vault.key_file("1"))
    assert vault.rotation.run(lambda _: None) == 1
    assert vault.opened(record) == [told(0)]


def test_a_rotation_to_a_named_key_is_done_once(vault: Vault) -> None:
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


def test_what_is_interrupted_goes_on_where_it_was(vault: Vault) -> None:
    records = vault.fill(RECORDS)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    vault.rotation.begin()
    with pytest.raises(KeyboardInterrupt):
        vault.rotation.run(interrupt)
    assert vault.rotation.status().by_key == {"1": RECORDS - CHUNK, "2": CHUNK}
    assert vault.opened(*records) == [told(number) for number in range(RECORDS)]
    assert vault.rotation.begin().current == "2"
    assert vault.rotation.run(lambda _: None) == RECORDS - CHUNK
    assert vault.rotation.status().by_key == {"2": RECORDS}


@pytest.mark.parametrize("point", POINTS)
def test_killed_rotation_is_resumed(tmp_path: Path, point: str) -> None:
    with vault_in(tmp_path) as vault:
        records, before = vault.fill(RECORDS), vault.rows()
        command = [sys.executable, "-m", "tests.privacy.crashing_rotation", str(tmp_path), point]
        killed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert vault.opened(*records) == [told(number) for number in range(RECORDS)]
        vault.rotation.begin()
        vault.rotation.run(lambda _: None)
        (key_id,) = vault.rotation.status().by_key
        assert key_id == vault.keys.current != "1"
        vault.key_file("1").unlink()
        assert vault.opened(*records) == [told(number) for number in range(RECORDS)]
        assert [row.ciphertext for row in vault.rows().values()] == [row.ciphertext for row in before.values()]


def test_records_written_meanwhile_use_the_new_key(vault: Vault) -> None:
    """By another process, which learns of the new key from the file."""
    vault.fill(RECORDS)
    other, written, stop = vault.under(FileKeyProvider(vault.folder / "keys")), list[str](), threading.Event()

    def write() -> None:
        while not stop.is_set():
            written.extend(other.fill(1, first=len(written)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        vault.rotation.begin()
        # What was begun before the key changed is not left behind.
        vault.rotation.run(lambda _: None)
    finally:
        stop.set()
        writer.join()
    assert vault.rotation.status().by_key == {"2": RECORDS + len(written)}
    assert vault.opened(*written) == [told(number) for number in range(len(written))]


def test_rotation_leaves_what_is_erased_erased(vault: Vault) -> None:
    gone, kept = vault.fill(2)
    with vault.database.write() as session:
        vault.sealer.erase(session, gone)
    vault.rotation.begin()
    assert vault.rotation.run(lambda _: None) == 1
    assert (vault.rotation.status().by_key, vault.rotation.status().erased) == ({"2": 1}, 1)
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        vault.opened(gone)
    assert vault.opened(kept) == [told(1)]


def test_no_wrapped_key_of_before_is_left_in_any_file(vault: Vault) -> None:
    vault.fill(RECORDS)
    old = wrapped_keys(vault).values()
    assert all(key in stored(vault) for key in old)
    vault.rotation.begin()
    vault.rotation.run(lambda _: None)
    assert not [key for key in old if key in stored(vault)]


def test_scrubbing_takes_what_split_pages_left_in_their_gaps(vault: Vault) -> None:
    """With this seed SQLite 3.40 leaves two of the keys in its file, for all its ``secure_delete``."""
    chance, gone = random.Random(12), list[bytes]()
    with vault.database.write() as session:
        for _ in range(40):
            vault.sealer.seal(session, "x" * chance.choice([60, 200, 400, 900, 3000, 9000]))
    for turn in range(3):
        gone += wrapped_keys(vault).values()
        vault.keys.renew(f"{turn}" + "k" * chance.randint(0, 31))
        with vault.database.write() as session:
            vault.sealer.rewrap(session, "", RECORDS)
        live = wrapped_keys(vault)
        for record in chance.sample(sorted(live), len(live) // 4):
            gone.append(live[record])
            with vault.database.write() as session:
                vault.sealer.erase(session, record)
    assert vault.database.scrub()
    assert not [key for key in gone if key in stored(vault)]
    assert all(key in stored(vault) for key in wrapped_keys(vault).values())


def test_scrubbing_gives_up_while_a_reader_stands_in_the_way(vault: Vault) -> None:
    (record,) = vault.fill(1)
    wrapped = wrapped_keys(vault)[record]
    with vault.database.read() as reader:
        assert reader.get(Sealed, record) is not None
        with vault.database.write() as session:
            vault.sealer.erase(session, record)
        assert not vault.database.scrub(timeout_ms=10)
        assert wrapped in stored(vault)
    assert vault.database.scrub(timeout_ms=10)
    assert wrapped not in stored(vault)


def wrapped_keys(vault: Vault) -> dict[str, bytes]:
    return {record: row.wrapped_key for record, row in vault.rows().items() if row.wrapped_key is not None}


def stored(vault: Vault) -> bytes:
    return b"".join(contents(vault.folder, "ledger.db*").values())


def test_commands_rotate_under_an_open_ledger(pilot: Pilot) -> None:
    """As beside a running server: its next record is wrapped by the new key, its old ones still open."""
    ledger, home = pilot.ledger, str(pilot.ledger.settings.home)
    firm = pilot.cast.firms[pilot.firm()]
    before = ledger.parties.identity(firm)
    told_before = run("status", "--home", home)
    (old,) = told_before["records_by_key"]
    rotated = run("rotate", "--home", home)
    assert rotated["rewrapped"] == told_before["records_by_key"][old]
    assert rotated["records_by_key"] == {rotated["current_key"]: rotated["rewrapped"]}
    assert ledger.parties.identity(firm) == before
    newcomer = pilot.party(PartyKind.ENTERPRISE)
    assert run("status", "--home", home)["records_by_key"] == {rotated["current_key"]: rotated["rewrapped"] + 1}
    assert ledger.parties.identity(newcomer)["name"]
    assert run("rotate", "--to", rotated["current_key"], "--home", home)["rewrapped"] == 0


def run(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["sealing", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer
