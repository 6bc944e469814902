"""A database of an earlier version is brought to this one without losing what it knows."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from ledger.store.database import open_engine
from ledger.store.migrations import configuration, upgrade
from ledger.store.tables import Base, Presentation

PARTY = """INSERT INTO party (id, no, kind, roles, region, account, public_key, lookup, sealed_id, created_at)
VALUES ('p', 1, 'bank', '[]', '440800', '0x01', '02ab', 'l', 's', 7)"""
SEALED = "INSERT INTO sealed (id, key_id, nonce, ciphertext) VALUES ('s', '1', '', '')"

CERTIFICATE = """INSERT INTO certificate (certificate_no, class, leaf, scenario, issuer, subject, exp, created_at)
VALUES (:no, :cls, :leaf, 'S51', 'i', 's', 9, 7)"""
ENTRY = "INSERT INTO entry (seq, type, leaf, body, created_at) VALUES (:seq, 'certificate', :no, :body, 7)"
REPEATED = """INSERT INTO idempotent_request (party_id, key, request_digest, created_at)
VALUES ('p', 'loan-11010519491231002X', 'd', 7)"""
PRESENTATION = """INSERT INTO presentation (id, certificate_no, consumer, nonce_digest, result, created_at)
VALUES (:id, 'n', 'c', :id, :result, 1)"""


def test_migrations_lead_to_the_declared_tables(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_the_key_of_a_party_of_an_earlier_version_stays_known(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    command.upgrade(configuration(engine), "0001")
    with engine.begin() as connection:
        connection.execute(text(SEALED))
        connection.execute(text(PARTY))
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM party_key")).all() == [("0x01", "p", "02ab", 7, None, None)]


def test_how_often_a_certificate_of_an_earlier_version_may_be_used_is_read_from_its_payload(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    command.upgrade(configuration(engine), "0005")
    with engine.begin() as connection:
        for seq, (no, cls, body) in enumerate((("a", "usage", b'{"max_uses":3}'), ("b", "registration", b"{}"))):
            connection.execute(text(ENTRY), {"seq": seq, "no": no, "body": body})
            connection.execute(text(CERTIFICATE), {"no": no, "cls": cls, "leaf": no})
    upgrade(engine)
    with engine.connect() as connection:
        kept = connection.execute(
            text("SELECT certificate_no, max_uses FROM certificate ORDER BY certificate_no")
        ).all()
    assert kept == [("a", 3), ("b", None)]


def test_verifications_of_an_earlier_version_stay_and_say_which_use_they_were(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    command.upgrade(configuration(engine), "0005")
    with engine.begin() as connection:
        connection.execute(text(ENTRY), {"seq": 0, "no": "l", "body": b'{"max_uses":3}'})
        connection.execute(text(CERTIFICATE), {"no": "n", "cls": "usage", "leaf": "l"})
        for identifier, result in (("1", "valid"), ("2", "used_up"), ("3", "valid")):
            connection.execute(text(PRESENTATION), {"id": identifier, "result": result})
    upgrade(engine)
    with Session(engine) as session:
        rows = session.scalars(select(Presentation).order_by(Presentation.id)).all()
        assert [(row.nonce_digest, row.ordinal, row.fields) for row in rows] == [
            ("1", 1, []),
            ("2", None, []),
            ("3", 2, []),
        ]


def test_what_earlier_versions_left_behind_is_forgotten(tmp_path: Path) -> None:
    """Sealed text of consents that are gone, and keys of repeated requests in the clear."""
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


def test_the_newest_schema_can_be_left_again(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    upgrade(engine)
    command.downgrade(configuration(engine), "0007")
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
