"""Lost entries are taken back from holders' bundles. Each entry is first checked against the root on the chain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ledger.certificates.tables import Certificate
from ledger.errors import NotFound, PingzhengError
from ledger.installation.recovery.adopting import lost_batches
from ledger.installation.settings import Settings
from ledger.log.coherence import Coherence
from ledger.log.tables import AdoptedEntry
from ledger.parties.custody import Custody
from ledger.parties.tables import Party
from ledger.proof.bundle import parse_bundle
from ledger.proof.presenting import disclosing
from ledger.store.tables import Entry
from ledger.usage.tables import AccessRequest, Authorization, Provision
from tests.installation.recovery.lost_batches import Lost, entries_in
from tests.support.actors.credit_bureau import FIELDS
from tests.support.ledgers.small_ledger import valid


def test_a_certificate_taken_back_from_a_bundle_has_a_status_and_a_valid_bundle(lost: Lost) -> None:
    ledger, number = lost.pilot.ledger, lost.numbers[0]
    with pytest.raises(NotFound, match="CERTIFICATE_UNKNOWN"):
        ledger.verification.status(number)
    adopted = lost.adopting.adopt(lost.bundles[number])
    # The certificate's template is not among the four entries that are taken back, because the backup contains the
    # template.
    assert adopted.certificate_no == number and adopted.entries == 4 and sorted(adopted.claims) == sorted(FIELDS)
    assert adopted.parties == []
    assert ledger.verification.status(number)["state"] == "active"
    assert ledger.verification.public_status(number)["state"] == "active"
    again = ledger.certificates.bundles.build(number)
    assert again == replace(parse_bundle(lost.bundles[number]), status=again.status)
    assert valid(lost.pilot, again.to_bytes())
    with ledger.database.read() as session:
        row = session.get_one(Certificate, number)
        seq = session.scalars(select(Entry.seq).where(Entry.digest == row.digest)).one()
    proof = ledger.inspection.proof(ledger.actor(ledger.party), seq)
    assert proof["proof"] == [node.hex() for node in parse_bundle(lost.bundles[number]).proof]
    assert ledger.usage.holdings.get(number).subject == row.subject


def test_a_bundle_that_is_taken_back_twice_adds_its_entries_once(lost: Lost) -> None:
    first = lost.adopting.adopt(lost.bundles[lost.numbers[0]])
    before = entries_in(lost)
    again = lost.adopting.adopt(lost.bundles[lost.numbers[0]])
    assert (first.entries, again.entries, again.claims) == (4, 0, []) and entries_in(lost) == before


def test_a_lost_batch_is_anchored_again_when_all_its_entries_were_taken_back(lost: Lost) -> None:
    ledger, before = lost.pilot.ledger, lost.lost()
    completed = sum(lost.adopting.adopt(raw).completed for raw in lost.bundles.values())
    after = lost.lost()
    assert completed >= 6 and len(before) - len(after) == completed
    with ledger.database.read() as session:
        kept = {seq for (seq,) in session.execute(select(AdoptedEntry.seq))}
        lost_now = {seq for row in lost_batches(session) for seq in range(row.first_seq, row.first_seq + row.size)}
    assert kept <= lost_now
    issuer = ledger.installation.issuer
    assert Coherence(ledger.database, ledger.reader, issuer, ledger.clock, local=True).findings() == []
    for number in lost.numbers[:3]:
        assert valid(lost.pilot, ledger.certificates.bundles.build(number).to_bytes())
    # After the lost entries were taken back, new entries can be anchored again.
    assert valid(lost.pilot, ledger.certificates.bundles.build(lost.pilot.certificate(lost.pilot.firm())).to_bytes())


def test_a_certificate_revoked_or_withdrawn_after_the_backup_is_taken_back_in_that_state(lost: Lost) -> None:
    ledger = lost.pilot.ledger
    for raw in lost.bundles.values():
        lost.adopting.adopt(raw)
    assert ledger.verification.status(lost.numbers[3])["state"] == "revoked"
    assert not valid(lost.pilot, ledger.certificates.bundles.build(lost.numbers[3]).to_bytes())
    with ledger.database.read() as session:
        request = session.get_one(Certificate, lost.withdrawn).request_id
        consent = session.scalars(select(Authorization).where(Authorization.request_id == request)).one()
    assert consent.state == "withdrawn"
    assert not valid(lost.pilot, ledger.certificates.bundles.build(lost.withdrawn).to_bytes())


def test_a_party_that_is_missing_in_the_backup_is_taken_back_with_its_id_and_key(
    lost: Lost, origin: tuple[Path, Settings, dict[str, Any]]
) -> None:
    ledger = lost.pilot.ledger
    adopted = lost.adopting.adopt(lost.bundles[lost.newcomer])
    (party,) = adopted.parties
    with ledger.database.read() as session:
        account = session.get_one(Party, party).account
    # The backup of the keys lacks the firm's newer key, so only the firm itself can present the certificate.
    holder = Custody(origin[0] / "home" / "keys" / "accounts.json").signer(account)
    assert valid(lost.pilot, ledger.certificates.bundles.build(lost.newcomer).to_bytes(), holder)
    with pytest.raises(NotFound, match="SEALED_LOST"):
        ledger.parties.register.identity(party)
    with ledger.database.read() as session:
        row = session.get_one(Party, party)
        assert row.no == ledger.reader.party_no(party)
        request = session.scalars(select(AccessRequest).where(AccessRequest.subject == party)).one()
        answer = session.scalars(
            select(Provision).where(
                Provision.authorization_id.in_(select(Authorization.id).where(Authorization.request_id == request.id))
            )
        ).one()
    assert request.state == "fulfilled" and answer.result == "supplied"


def test_claims_missing_in_one_bundle_are_added_from_the_next_bundle(lost: Lost) -> None:
    ledger, number = lost.pilot.ledger, lost.numbers[0]
    full = parse_bundle(lost.bundles[number])
    first = lost.adopting.adopt(disclosing(full, FIELDS[:2]).to_bytes())
    assert sorted(first.claims) == sorted(FIELDS[:2])
    with pytest.raises(PingzhengError, match="FIELD_OUTSIDE_AUTHORIZATION"):
        ledger.certificates.bundles.build(number, FIELDS)
    second = lost.adopting.adopt(disclosing(full, FIELDS[2:]).to_bytes())
    assert sorted(second.claims) == sorted(FIELDS) and second.entries == 0
    assert ledger.certificates.bundles.build(number, FIELDS)


def test_a_lost_certificate_can_be_taken_back_after_a_second_certificate_was_issued_for_its_request(
    lost: Lost, origin: tuple[Path, Settings, dict[str, Any]]
) -> None:
    """A certificate was lost, and after the restore another certificate was issued for the same request. The lost
    certificate is then taken back from its bundle.
    """
    ledger, (firm, answered, first) = lost.pilot.ledger, origin[2]["issued"]
    (second,) = lost.pilot.actors.issue({firm: answered}).values()
    ledger.anchoring.flush()
    assert second != first
    assert lost.adopting.adopt(lost.bundles[first]).entries == 1
    for number in (first, second):
        assert ledger.verification.status(number)["state"] == "active"
        assert valid(lost.pilot, ledger.certificates.bundles.build(number).to_bytes())
    # The chain counts the uses of both certificates together, because both were issued for one request, and the limit
    # of uses applies to the request.
    with ledger.database.read() as session:
        rows = [session.get_one(Certificate, number) for number in (first, second)]
    assert rows[0].request_id == rows[1].request_id and rows[0].version != rows[1].version
