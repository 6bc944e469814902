"""Migrations upgrade a database of an earlier version to the current version without losing data."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from ledger.errors import Misconfigured
from ledger.installation.tables import METADATA
from ledger.store.database import open_engine
from ledger.store.migrations import configuration, upgrade

PARTY = """INSERT INTO party (id, no, kind, roles, region, account, public_key, lookup, sealed_id, created_at)
VALUES ('p', 1, 'bank', '[]', '440800', '0x01', '02ab', 'l', 's', 7)"""
KEYLESS = """INSERT INTO party (id, kind, roles, region, lookup, sealed_id, created_at)
VALUES ('q', 'person', '[]', '440800', 'm', 's', 8)"""
SEALED = "INSERT INTO sealed (id, key_id, nonce, ciphertext) VALUES ('s', '1', '', '')"

CERTIFICATE = """INSERT INTO certificate (certificate_no, class, leaf, scenario, issuer, subject, exp, created_at)
VALUES (:no, :cls, :leaf, 'S51', 'i', 's', 9, 7)"""
ENTRY = "INSERT INTO entry (seq, type, leaf, body, created_at) VALUES (:seq, 'certificate', :no, :body, 7)"
REPEATED = """INSERT INTO idempotent_request (party_id, key, request_digest, created_at)
VALUES ('p', 'loan-11010519491231002X', 'd', 7)"""
PRESENTATION = """INSERT INTO presentation (id, certificate_no, consumer, nonce_digest, result, created_at)
VALUES (:id, 'n', 'c', :id, :result, 1)"""
PRESENTED = """INSERT INTO presentation (id, certificate_no, consumer, nonce_digest, fields, result, created_at)
VALUES (:id, 'n', :by, 'd', '[]', 'valid', 1)"""
PRESENTATION_1 = """INSERT INTO presentation (id, certificate_no, consumer, fields, result, created_at)
VALUES ('1', 'n', 'c', '[]', 'valid', 1)"""


def test_running_all_migrations_creates_exactly_the_declared_tables(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_migration_keeps_the_parties_keys(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    command.upgrade(configuration(engine), "0001")
    with engine.begin() as connection:
        connection.execute(text(SEALED))
        connection.execute(text(PARTY))
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT account, party_id, public_key, bound_at FROM party_key")).all() == [
            ("0x01", "p", "02ab", 7)
        ]


def test_a_migration_takes_the_maximum_number_of_uses_from_the_stored_payload(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    command.upgrade(configuration(engine), "0005")
    with engine.begin() as connection:
        for seq, (no, cls, body) in enumerate((("a", "usage", b'{"max_uses":3}'), ("b", "registration", b"{}"))):
            connection.execute(text(ENTRY), {"seq": seq, "no": no, "body": body})
            connection.execute(text(CERTIFICATE), {"no": no, "cls": cls, "leaf": no})
    command.upgrade(configuration(engine), "0007")
    with engine.connect() as connection:
        kept = connection.execute(
            text("SELECT certificate_no, max_uses FROM certificate ORDER BY certificate_no")
        ).all()
    assert kept == [("a", 3), ("b", None)]


def test_a_migration_gives_numbers_to_the_earlier_verifications(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    command.upgrade(configuration(engine), "0005")
    with engine.begin() as connection:
        connection.execute(text(ENTRY), {"seq": 0, "no": "l", "body": b'{"max_uses":3}'})
        connection.execute(text(CERTIFICATE), {"no": "n", "cls": "usage", "leaf": "l"})
        for identifier, result in (("1", "valid"), ("2", "used_up"), ("3", "valid")):
            connection.execute(text(PRESENTATION), {"id": identifier, "result": result})
    command.upgrade(configuration(engine), "0008")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT nonce_digest, ordinal, fields FROM presentation ORDER BY id")).all()
    assert rows == [("1", 1, "[]"), ("2", None, "[]"), ("3", 2, "[]")]


def test_a_nonce_may_occur_once_for_each_consumer(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    upgrade(engine)
    with engine.begin() as connection:
        for identifier, by in (("1", "c"), ("2", "other")):
            connection.execute(text(PRESENTED), {"id": identifier, "by": by})
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(PRESENTED), {"id": "3", "by": "c"})


def test_a_migration_deletes_remains_of_earlier_versions(tmp_path: Path) -> None:
    """The migration deletes sealed texts of deleted authorizations, and idempotency keys that are not digests."""
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    command.upgrade(configuration(engine), "0010")
    with engine.begin() as connection:
        connection.execute(text(SEALED.replace("'s'", "'lost'")))
        connection.execute(text(SEALED))
        connection.execute(text("UPDATE sealed SET wrapped_key = 'k', ciphertext = 'c'"))
        connection.execute(text(PARTY))
        connection.execute(text(REPEATED))
    upgrade(engine)
    with engine.connect() as connection:
        sealed = connection.execute(text("SELECT id, wrapped_key, ciphertext FROM sealed ORDER BY id")).all()
        assert sealed == [("lost", None, b""), ("s", "k", "c")]
        assert connection.execute(text("SELECT count(*) FROM idempotent_request")).scalar_one() == 0


@pytest.mark.parametrize(
    ("insert", "values"),
    [
        (ENTRY, {"seq": 0, "no": "l", "body": b'{"v":1}'}),
        (PRESENTATION_1, {}),
    ],
    ids=["an entry", "a verification"],
)
def test_a_database_with_a_log_of_protocol_1_is_refused_unchanged(
    tmp_path: Path, insert: str, values: dict[str, object]
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    command.upgrade(configuration(engine), "0011")
    with engine.begin() as connection:
        connection.execute(text(insert), values)
    with pytest.raises(Misconfigured, match="PROTOCOL_UNSUPPORTED") as refused:
        upgrade(engine)
    assert refused.value.hint is not None and "empty folder" in refused.value.hint
    with engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == "0011"


def test_migration_0012_cannot_be_undone_with_a_log_of_protocol_2(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(
            text(ENTRY.replace("leaf,", "leaf, digest,").replace(":no,", ":no, :no,")),
            {"seq": 0, "no": "l", "body": b'{"v":2}'},
        )
    with pytest.raises(Misconfigured, match="PROTOCOL_UNSUPPORTED"):
        command.downgrade(configuration(engine), "0011")


def test_the_newest_migration_can_be_undone(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    upgrade(engine)
    command.downgrade(configuration(engine), "0007")
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_migration_deletes_old_api_keys_and_allows_parties_without_a_key(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    command.upgrade(configuration(engine), "0013")
    with engine.begin() as connection:
        for statement in (SEALED, PARTY):
            connection.execute(text(statement))
        connection.execute(text("INSERT INTO api_key (id, party_id, key_digest, created_at) VALUES ('k', 'p', 'd', 1)"))
    upgrade(engine)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM api_key")).scalar() == 0
        connection.execute(text(KEYLESS))
        assert connection.execute(text("SELECT id, account FROM party ORDER BY id")).all() == [
            ("p", "0x01"),
            ("q", None),
        ]
    command.downgrade(configuration(engine), "0013")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM party")).all() == [("p",)]
