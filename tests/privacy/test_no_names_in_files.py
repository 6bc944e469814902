"""Names and identifiers of subjects are stored only in sealed texts."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3

import pytest

from ledger.errors import NotFound
from ledger.installation.wiring import Ledger
from ledger.proof.verifier import Expectation
from tests.support.actors.credit_bureau import FIELDS
from tests.support.actors.erasing import text_of
from tests.support.actors.pilots import Pilot
from tests.support.machine.file_contents import contents


def test_database_and_chain_contain_no_name_and_no_identifier(ledger: Ledger, pilot: Pilot) -> None:
    firm = pilot.firm()
    pilot.accept(firm, pilot.certificate(firm))
    answer = ledger.parties.register.identity(pilot.cast.firms[firm])
    needles = [text.encode() for text in answer.values()]
    with sqlite3.connect(ledger.settings.home / "ledger.db") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    files = contents(ledger.settings.home)
    assert any(path.name == "ledger.db" for path in files)
    assert any(path.name == "journal.jsonl" for path in files)
    for path, content in files.items():
        for needle in needles:
            assert needle not in content, path.name
            assert needle.hex().encode() not in content, path.name


def test_a_party_id_cannot_be_computed_from_the_identifier(ledger: Ledger, pilot: Pilot) -> None:
    """Without the party's secret key, an attacker who tries every identifier finds no match."""
    identity = ledger.parties.register.identity(pilot.cast.firms["1"])
    guesses = {
        hashlib.sha256(f"pingzheng/party/v1|enterprise|{identity['identifier']}".encode()).hexdigest(),
        hmac.new(bytes(32), f"pingzheng/party/v1|enterprise|{identity['identifier']}".encode(), "sha256").hexdigest(),
    }
    assert pilot.cast.firms["1"] not in guesses


def test_the_public_status_contains_no_claims(pilot: Pilot) -> None:
    firm = pilot.firm()
    status = pilot.ledger.verification.status(pilot.certificate(firm))
    assert not set(FIELDS) & status.keys()


def test_claims_are_erased_and_all_proofs_stay_valid(ledger: Ledger, pilot: Pilot) -> None:
    firm, other = pilot.firm(), pilot.firm()
    number, neighbour = pilot.certificate(firm), pilot.certificate(other)
    bundle, nonce = pilot.present(firm, number)
    with ledger.database.write() as session:
        ledger.sealer.erase(session, text_of(ledger, number))
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.certificates.bundles.build(number)
    held = ledger.verification.verify(bundle.to_bytes(), Expectation(consumer=pilot.cast.bank, nonce=nonce))
    assert held.report.valid
    assert pilot.accept(other, neighbour).valid
    assert ledger.inspection.head()["complete"]
