"""Sealed texts are bound to their record, and scrubbing removes old wrapped keys from the files."""

from __future__ import annotations

import random

import pytest

from ledger.errors import Misconfigured
from ledger.store.tables import Sealed
from tests.privacy.vault import RECORDS, Vault, sealed_text, stored


def test_an_encrypted_text_that_was_moved_to_another_record_cannot_be_decrypted(vault: Vault) -> None:
    first, second = vault.fill(2)
    with vault.database.write() as session:
        rows = vault.rows()
        for member in ("wrapped_key", "nonce", "ciphertext"):
            setattr(session.get_one(type(rows[first]), first), member, getattr(rows[second], member))
    with pytest.raises(Misconfigured, match="SEALED_DAMAGED"):
        vault.opened(first)
    assert vault.opened(second) == [sealed_text(1)]


def test_no_file_contains_a_wrapped_key_from_before_a_rotation(vault: Vault) -> None:
    vault.fill(RECORDS)
    old = wrapped_keys(vault).values()
    assert all(key in stored(vault) for key in old)
    vault.rotation.begin()
    vault.rotation.run(lambda _: None)
    vault.rotation.scrub()
    assert not [key for key in old if key in stored(vault)]


def test_scrubbing_the_database_removes_deleted_text_from_split_pages(vault: Vault) -> None:
    """With this seed of the random numbers, SQLite 3.40 leaves two of the deleted wrapped keys in its file, in spite of
    ``secure_delete``. So the scrubbing has something to remove.
    """
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


def test_scrubbing_the_database_reports_an_open_reader_that_prevents_the_scrubbing(vault: Vault) -> None:
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
