"""If a database row was changed, answers and exports that need the row are refused, and doctor reports the row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.certificates.lookups import certificate, named_provisions
from ledger.certificates.recording import next_number
from ledger.certificates.tables import Certificate
from ledger.errors import Incoherent, Misconfigured
from ledger.installation.doctor import Doctor
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_ledger
from ledger.parties.roles import active_actor
from tests.provenance.test_entry_damage import Changed
from tests.support.actors.erasing import text_of
from tests.support.actors.pilots import Pilot


@pytest.fixture
def home(copied_home: Path) -> Path:
    return copied_home


@pytest.fixture
def number(pilot: Pilot) -> str:
    found = pilot.certificate(pilot.firm())
    pilot.ledger.certificates.bundles.build(found)
    return found


@pytest.fixture
def changed(pilot: Pilot) -> Iterator[Changed]:
    made = Changed(pilot.ledger)
    yield made
    made.undo()


def findings(pilot: Pilot) -> set[tuple[str, str | None]]:
    return {(finding.code, finding.where) for finding in pilot.ledger.inspection.entries()}


CERTIFICATE = {
    "exp": ("exp", 9_999_999_999),
    "subject": ("subject", "ab" * 32),
    "consumer": ("consumer", "cd" * 32),
    "issuer": ("issuer", "ef" * 32),
    "max_uses": ("max_uses", 999),
    "scenario": ("scenario", "S01"),
    "seq": ("seq", 987_654),
}


@pytest.mark.parametrize(("column", "value"), CERTIFICATE.values(), ids=CERTIFICATE)
def test_a_certificate_with_a_changed_row_is_refused(
    pilot: Pilot, number: str, changed: Changed, column: str, value: object
) -> None:
    changed.set("certificate", column, value, "certificate_no", number)
    for ask in (
        pilot.ledger.verification.public_status,
        pilot.ledger.verification.status,
        pilot.ledger.certificates.bundles.build,
    ):
        with pytest.raises(Incoherent) as refused:
            ask(number)
        assert (refused.value.code, refused.value.details) == ("RECORD_DAMAGED", {"columns": [column]})
    assert ("RECORD_DAMAGED", f"certificate {number}") in findings(pilot)
    changed.undo()
    assert pilot.ledger.verification.public_status(number)["state"] == "active"
    assert findings(pilot) == set()


def test_exchanged_rows_of_certificates_are_detected(pilot: Pilot, number: str, changed: Changed) -> None:
    ledger = pilot.ledger
    other = pilot.certificate(pilot.firm())
    ledger.certificates.status.revoke(number, "fraud")
    mine, theirs = (ledger.usage.holdings.get(each).digest for each in (number, other))
    changed.set("certificate", "digest", "00" * 32, "certificate_no", number)
    changed.set("certificate", "digest", mine, "certificate_no", other)
    changed.set("certificate", "digest", theirs, "certificate_no", number)
    for each in (number, other):
        with pytest.raises(Incoherent, match="RECORD_DAMAGED"):
            ledger.verification.public_status(each)
    assert {("RECORD_DAMAGED", f"certificate {each}") for each in (number, other)} <= findings(pilot)


def test_a_bundle_with_keys_or_claims_from_other_records_is_refused(
    pilot: Pilot, number: str, changed: Changed
) -> None:
    ledger = pilot.ledger
    other_number = pilot.certificate(pilot.firm())
    with ledger.database.read() as session:
        (provision,) = named_provisions(session, [certificate(session, number)])
    for damaged in (text_of(ledger, other_number), None):
        changed.set("provision", "sealed_id", damaged, "digest", provision)
        with pytest.raises(Incoherent, match="RECORD_DAMAGED"):
            ledger.certificates.bundles.build(number)
        changed.undo()
    provider = ledger.parties.register.get(pilot.cast.provider)
    bank = ledger.parties.register.get(pilot.cast.bank)
    changed.set("party_key", "public_key", bank.public_key, "account", provider.account)
    with pytest.raises(Incoherent, match="RECORD_DAMAGED"):
        ledger.certificates.bundles.build(number)
    assert ("RECORD_DAMAGED", f"party_key {provider.account}") in findings(pilot)
    assert ("RECORD_DAMAGED", f"party {provider.id}") in findings(pilot)
    changed.undo()
    assert ledger.certificates.bundles.build(number)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("access_request", "subject", "ab" * 32),
        ("authorization", "provider", "ab" * 32),
        ("provision", "result", "refused"),
    ],
)
def test_every_database_row_is_compared_with_its_log_entry(
    pilot: Pilot, number: str, changed: Changed, table: str, column: str, value: str
) -> None:
    with closing(sqlite3.connect(pilot.ledger.settings.home / "ledger.db")) as database:
        (key,) = database.execute(f'SELECT id FROM "{table}" ORDER BY id DESC LIMIT 1').fetchone()
    changed.set(f'"{table}"', column, value, "id", key)
    assert findings(pilot) == {("RECORD_DAMAGED", f"{table} {key}")}


def test_a_changed_party_number_is_detected(pilot: Pilot, changed: Changed) -> None:
    for number in (900, pilot.ledger.parties.register.get(pilot.cast.provider).no):
        changed.set("party", "no", None, "id", pilot.cast.provider)
        changed.set("party", "no", number, "id", pilot.cast.bank)
        assert findings(pilot) == {("RECORD_DAMAGED", f"party {pilot.cast.bank}")}
        changed.undo()
    assert findings(pilot) == set()


# For each case: a statement that changes the database while the ledger is not open, and the code that opening the
# ledger raises and doctor must report.
CLOSED = {
    "next entry too high": ("UPDATE counter SET value = value + 5 WHERE name = 'entry_seq'", "COUNTER_DIFFERS"),
    "next entry too low": ("UPDATE counter SET value = value - 1 WHERE name = 'entry_seq'", "COUNTER_DIFFERS"),
    "next batch too high": ("UPDATE counter SET value = value + 1 WHERE name = 'batch_number'", "COUNTER_DIFFERS"),
    "counter gone": ("DELETE FROM counter WHERE name = 'batch_number'", "COUNTER_DIFFERS"),
    "invalid root": ("UPDATE batch SET root = 'zz'", "LOG_FORKED"),
    "no ledger named": ("DELETE FROM ledger_identity", "LEDGER_DIFFERS"),
    "table gone": ("DROP TABLE presentation", "DATABASE_DAMAGED"),
    "no version": ("DELETE FROM alembic_version", "DATABASE_DAMAGED"),
    "newer version": ("UPDATE alembic_version SET version_num = '9999'", "DATABASE_NEWER"),
}


@pytest.mark.parametrize(("statement", "code"), CLOSED.values(), ids=CLOSED)
def test_a_ledger_with_a_changed_database_writes_nothing(home: Path, statement: str, code: str) -> None:
    with closing(sqlite3.connect(home / "ledger.db")) as database:
        database.execute(statement)
        database.commit()
    examined = [finding.code for part in Doctor(Settings(home=home)).examine() for finding in part.findings]
    assert examined and "CHECK_FAILED" not in examined
    try:
        with open_ledger(Settings(home=home)) as ledger:
            found = ledger.coherence.findings()
            with pytest.raises(Incoherent) as refused, ledger.database.write():
                pass
            assert refused.value.code == found[0].code == code
    except Misconfigured as refused_to_open:
        assert refused_to_open.code == code


def test_a_counter_that_was_set_back_repeats_no_certificate_number(home: Path) -> None:
    with closing(sqlite3.connect(home / "ledger.db")) as database:
        assert database.execute("DELETE FROM counter WHERE name LIKE 'certificate/%'").rowcount
        database.commit()
    examined = [finding.code for part in Doctor(Settings(home=home)).examine() for finding in part.findings]
    assert examined == ["COUNTER_DIFFERS"]
    with open_ledger(Settings(home=home)) as ledger, ledger.database.write() as session:
        number = session.scalars(select(Certificate.certificate_no)).one()
        _, region, _, scenario, *_ = number.split("-")
        with pytest.raises(Incoherent, match="COUNTER_DIFFERS"):
            next_number(session, region, scenario, ledger.clock())


# Changes that this program itself never makes, with the finding that doctor must report.
NONSENSE = {
    "another entry type": ("UPDATE entry SET type = 'withdrawal' WHERE type = 'certificate'", "ENTRY_DAMAGED"),
    "text in a counter": ("UPDATE counter SET value = 'x'", "COUNTER_DIFFERS"),
    "missing index table": ("DROP TABLE idx_events", "INDEX_DIFFERS"),
}


@pytest.mark.parametrize(("statement", "code"), NONSENSE.values(), ids=NONSENSE)
def test_impossible_values_in_the_database_are_reported(home: Path, statement: str, code: str) -> None:
    with closing(sqlite3.connect(home / "ledger.db")) as database:
        assert database.execute(statement).rowcount
        database.commit()
    examined = {finding.code for part in Doctor(Settings(home=home)).examine() for finding in part.findings}
    assert examined == {code}


def test_an_invalid_party_status_in_the_index_is_reported() -> None:
    for status in (9, -1, "suspended"):
        with pytest.raises(Incoherent, match="INDEX_DIFFERS"):
            active_actor("ab" * 32, status, 0)  # type: ignore[arg-type]
