"""Each issuer has its own log on the chain: anchors of other issuers change nothing, and a forked log is detected."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.chain.sending.calls import anchor
from ledger.chain.sending.client import ChainClient
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Incoherent, NotFound, StorageFull
from ledger.installation.wiring import Ledger
from ledger.log.anchoring import Anchoring, BatchRule, Failure, FailureNote
from ledger.proof.bundle import Anchor, Position
from ledger.proof.jws import parse_compact
from ledger.proof.merkle import leaf_hash
from ledger.proof.sdjwt import CERTIFICATE_TYP
from ledger.proof.verifier import Expectation
from ledger.provenance.inspection import Inspection
from ledger.store import log as log_store
from ledger.store.tables import Batch
from tests.support.actors.credit_bureau import SCENARIO
from tests.support.actors.pilots import Pilot


def other_issuer(pilot: Pilot) -> tuple[ChainClient, int]:
    """Return the client and the number of another issuer that is accredited for the same scenario."""
    ledger = pilot.ledger
    party, now = pilot.party(PartyKind.OPERATOR, Role.ISSUER), ledger.clock()
    ledger.parties.role_changes.accredit(ledger.authority, party, (SCENARIO,), now - 86_400, now + 10**9)
    row = ledger.parties.register.get(party)
    pilot.fund(row.account)
    return ledger.client.with_account(ledger.custody.private_key(row.account).hex()), row.no or 0


def test_a_second_issuer_cannot_block_the_first_issuers_numbers_or_waiting_batch(pilot: Pilot) -> None:
    """The second issuer anchors the same batch with the same number, but in the second issuer's own log."""
    ledger, (client, number) = pilot.ledger, other_issuer(pilot)
    ledger.anchoring.flush()
    firm, own = pilot.firm(), ledger.installation.issuer
    consent = pilot.authorise(firm)
    pilot.supply(firm, consent)
    certificate = pilot.actors.issue({firm: consent})[firm]
    with ledger.database.write() as session:
        waiting = log_store.close_batch(session, 1_000, ledger.clock())
    assert waiting is not None
    client.send(anchor(0, waiting.size, waiting.root))
    assert ledger.reader.commitment(own, waiting.number) is None
    ledger.anchoring.flush()
    assert ledger.reader.batch_count(own) == waiting.number + 1
    assert ledger.reader.batch_count(number) == 1
    assert pilot.accept(firm, certificate).valid
    assert {"issuer": number, "batches": 1, "entries": waiting.size} in ledger.inspection.head()["logs"]


def test_a_revoked_certificate_stays_invalid_if_another_issuer_anchors_it(pilot: Pilot) -> None:
    """A second issuer anchors the same certificate text. Whether the certificate is valid still depends only on the
    first issuer's log.
    """
    ledger, firm = pilot.ledger, pilot.firm()
    client, number = other_issuer(pilot)
    certificate = pilot.certificate(firm)
    bundle, nonce = pilot.present(firm, certificate)
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)
    assert ledger.verification.verify(bundle.to_bytes(), expect).report.valid
    ledger.certificates.status.revoke(certificate, "fraud")
    root = leaf_hash(parse_compact(bundle.certificate.split("~")[0], CERTIFICATE_TYP).payload)
    client.send(anchor(0, 1, root))
    again = ledger.reader.anchored(number, 0)
    assert again is not None
    moved = replace(
        bundle,
        position=Position(number, 0, 0),
        proof=(),
        anchors=(*bundle.anchors, Anchor(issuer=number, batch=0, first_seq=0, size=1, root=root, at=again.at)),
    )
    report = ledger.verification.verify(moved.to_bytes(), expect).report
    assert not report.genuine and report.first_failure is not None
    assert (report.first_failure.number, report.first_failure.code) == (5, "NOT_AT_ITS_SEQ")
    assert ledger.verification.verify(bundle.to_bytes(), expect).report.result == "revoked"


@pytest.fixture
def copied(pilot: Pilot, tmp_path: Path) -> str:
    """The URL of a copy of the database. When the copy was made, no entry was waiting for a batch."""
    pilot.ledger.anchoring.flush()
    with closing(sqlite3.connect(pilot.ledger.settings.home / "ledger.db")) as database:
        database.execute("VACUUM INTO ?", (str(tmp_path / "older.db"),))
    return f"sqlite:///{tmp_path / 'older.db'}"


def test_an_installation_with_an_older_copy_of_the_database_writes_nothing(pilot: Pilot, copied: str) -> None:
    """A ledger that wrote to the old copy would repeat numbers and issue certificates that cannot be anchored."""
    number = pilot.certificate(pilot.firm())
    chain = pilot.ledger.reader.block_number()
    with pilot.under(database_url=copied) as older:
        with pytest.raises(Incoherent, match="DATABASE_BEHIND_CHAIN") as refused:
            older.actors.ask([older.actors.request("60")])
        for act in (older.ledger.anchoring.tick, older.ledger.anchoring.flush):
            with pytest.raises(Incoherent, match="DATABASE_BEHIND_CHAIN"):
                act()
        ready = older.ledger.inspection.readiness()
        assert (ready["ledger"]["ok"], ready["ledger"]["code"]) == (False, "DATABASE_BEHIND_CHAIN")
        assert older.ledger.inspection.head()["finding"]["code"] == "DATABASE_BEHIND_CHAIN"
        with pytest.raises(NotFound):
            older.ledger.verification.public_status(number)
        with older.ledger.database.read() as session:
            assert log_store.pending(session).count == 0
    assert refused.value.details["batches_on_chain"] == refused.value.details["batches_here"] + 1
    assert pilot.ledger.reader.block_number() == chain


def test_two_databases_that_write_to_one_log_are_detected(pilot: Pilot, copied: str) -> None:
    """Both databases are opened before the test writes to either of them. The second writer stops before it anchors
    anything.
    """
    ledger = pilot.ledger
    with pilot.under(database_url=copied) as older:
        older.ledger.anchoring.tick()
        pilot.certificate(pilot.firm())
        ledger.anchoring.flush()
        older.actors.ask([older.actors.request("60")])
        with pytest.raises(Incoherent, match="LOG_FORKED") as forked:
            older.ledger.anchoring.flush()
        with pytest.raises(Incoherent, match="LOG_FORKED"):
            older.actors.ask([older.actors.request("59")])
    assert forked.value.where is not None and forked.value.where.startswith("batch")
    assert ledger.inspection.head()["complete"]
    assert pilot.ledger.anchoring.flush().batches == 0


class FullArchive:
    """Anchors with an archive that has no room for another batch. The clock is ``later`` seconds ahead."""

    def __init__(self, ledger: Ledger, folder: Path) -> None:
        self.ledger, self.later, self.file = ledger, 0, folder / "anchoring.json"
        own, note = ledger.installation.issuer, FailureNote(self.file)
        parts = (ledger.database, ledger.client, ledger.reader, ledger.coherence, own, BatchRule(10, 0), self.clock)
        self.anchoring = Anchoring(*parts, note, self.refuse)
        self.inspection = Inspection(
            ledger.database,
            ledger.reader,
            ledger.follower,
            ledger.provenances,
            ledger.coherence,
            self.clock,
            None,
            self.anchoring,
            300,
        )

    def clock(self) -> int:
        return self.ledger.clock() + self.later

    @staticmethod
    def refuse(batch: Batch | None) -> None:
        if batch is not None:
            raise StorageFull("ARCHIVE_FULL", f"The archive has no room for batch {batch.number}.")

    def failed(self) -> Failure:
        """Try to anchor. Return the failure that was stored, so that other processes can read it."""
        with pytest.raises(StorageFull, match="ARCHIVE_FULL"):
            self.anchoring.tick()
        failure = FailureNote(self.file).read()
        assert failure is not None and failure.code == "ARCHIVE_FULL"
        return failure


def test_a_batch_that_cannot_be_archived_waits_and_the_status_shows_the_reason(pilot: Pilot, tmp_path: Path) -> None:
    ledger, full = pilot.ledger, FullArchive(pilot.ledger, tmp_path)
    ledger.anchoring.flush()
    assert full.inspection.readiness()["anchoring"]["ok"]
    pilot.actors.ask([pilot.actors.request("58")])
    own = ledger.installation.issuer
    before = ledger.reader.batch_count(own)
    first = full.failed()
    full.later = 1
    failure = full.failed()
    now = ledger.clock()
    assert failure == first and now - 30 < failure.since <= now
    head = full.inspection.head()
    assert (head["batches_waiting"], head["entries_waiting"] > 0) == (1, True)
    assert head["failure"] == {"code": "ARCHIVE_FULL", "since": failure.since}
    # A failure is shown in the status at once. But the service stays ready as long as anchoring has failed only for a
    # short time.
    assert full.inspection.readiness()["anchoring"] | {"seconds": 0} == {
        "ok": True,
        "waiting": head["entries_waiting"],
        "batches": 1,
        "seconds": 0,
        "paused_until": 0,
        "failure": "ARCHIVE_FULL",
        "since": failure.since,
    }
    full.later = 100
    ready = full.inspection.readiness()
    assert (ready["anchoring"]["ok"], ready["anchoring"]["code"]) == (False, "ANCHORING_FAILS")
    assert ready["chain"]["ok"]
    assert ledger.reader.batch_count(own) == before
    ledger.anchoring.flush()
    assert ledger.reader.batch_count(own) == before + 1
    assert full.anchoring.tick().batches == 0
    assert (full.anchoring.failure(), full.inspection.head()["batches_waiting"]) == (None, 0)


def test_the_service_is_not_ready_if_the_chains_newest_block_is_old(pilot: Pilot, tmp_path: Path) -> None:
    full = FullArchive(pilot.ledger, tmp_path)
    full.later = 1_000
    assert full.inspection.readiness()["chain"] | {"head_age": 0, "block": 0} == {
        "ok": False,
        "code": "CHAIN_HEAD_OLD",
        "head_age": 0,
        "block": 0,
    }
