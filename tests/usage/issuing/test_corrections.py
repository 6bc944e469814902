"""A correction creates a new version of a certificate. Each version can be verified for its own time, and the uses of
both versions are counted together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.certificates.lookups import payload_of
from ledger.certificates.status import CertificateStatus
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.client import ChainClient
from ledger.errors import ChainUnavailable, Conflict
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from ledger.store import log as log_store
from ledger.usage.holdings.filter import HoldingsFilter
from ledger.usage.issuing.corrections import Corrections
from ledger.usage.lookups import certificates_of
from tests.support.actors.persons import CONTRIBUTIONS, PersonActors
from tests.support.actors.pilots import Pilot
from tests.support.actors.supervisors import other_supervisor

FALSE, TRUE = CONTRIBUTIONS[:3], CONTRIBUTIONS


def certified(persons: PersonActors, person: str) -> tuple[str, str]:
    """Return the number of a certificate that rests on wrong data, and the id of its authorization."""
    request, given = persons.authorised(person)
    consent = given["social_insurance"].id
    persons.answer({consent: persons.supplied(FALSE)})
    (issued,) = persons.certify([request])
    persons.ledger.anchoring.flush()
    return issued.certificate_no, consent


def verified(persons: PersonActors, number: str, at: int | None = None) -> Report:
    nonce = persons.ledger.verification.new_nonce()
    raw = persons.show(number, nonce).to_bytes()
    return persons.ledger.verification.verify(raw, Expectation(consumer=persons.bank, nonce=nonce), at).report


def test_the_old_and_the_new_version_can_be_verified_after_a_correction(persons: PersonActors, pilot: Pilot) -> None:
    old, consent = certified(persons, persons.person())
    with pytest.raises(Conflict, match="NOTHING_CORRECTED"):
        persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), old)
    before = persons.ledger.clock()
    pilot.skip(60)
    (provision,) = persons.answer({consent: persons.supplied(TRUE)})
    assert provision.number == 2
    new = persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), old)
    assert (new.version, new.supersedes) == (2, old)
    assert (
        persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), old).certificate_no
        == new.certificate_no
    )
    now = verified(persons, old)
    assert (now.result, now.checks[7].code) == ("revoked", "SUPERSEDED")
    then = verified(persons, old, at=before)
    assert then.valid and then.disclosed["months_paid"] == 3
    corrected = verified(persons, new.certificate_no)
    assert corrected.valid and corrected.disclosed["months_paid"] == 10
    assert corrected.claims["supersedes"].startswith("sha-256:")


def test_a_correction_does_not_restore_the_uses_of_a_certificate(persons: PersonActors) -> None:
    """The uses of both versions are counted under the same request."""
    old, consent = certified(persons, persons.person())
    assert persons.accepted(old).valid
    persons.answer({consent: persons.supplied(TRUE)})
    new = persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), old)
    report = persons.accepted(new.certificate_no)
    assert (report.result, report.checks[8].code) == ("used_up", "USED_UP")
    assert new.max_uses == 1


def test_verification_refuses_the_old_version_of_a_certificate_after_its_provision_is_withdrawn(
    persons: PersonActors,
) -> None:
    """Verification refuses the old version even before the corrected version is issued."""
    old, consent = certified(persons, persons.person())
    first = statement(persons, old)["provisions"]
    persons.answer({consent: persons.supplied(TRUE)})
    report = persons.accepted(old)
    assert (report.result, report.checks[10].code) == ("revoked", "PROVISION_WITHDRAWN")
    new = persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), old).certificate_no
    assert persons.accepted(new).valid
    corrected = statement(persons, new)["provisions"]
    with persons.ledger.database.read() as session:
        supplied = log_store.statement(session, corrected[0].removeprefix("sha-256:"))
    assert [supplied["corrects"]] == first != corrected


def test_an_answer_drafted_before_the_newest_answer_was_recorded_is_refused(persons: PersonActors) -> None:
    _, consent = certified(persons, persons.person())
    second, third = (persons.draft(consent, persons.supplied(TRUE)) for _ in range(2))
    provider = second.entry["provider"]
    (row,) = persons.answer({consent: persons.supplied(TRUE)})
    assert row.number == 2
    for stale in (second, third):
        signed = replace(stale, entry=persons.sign(provider, stale.entry))
        with pytest.raises(Conflict, match="ALREADY_SUPPLIED"):
            persons.ledger.usage.provisions.submit([signed])


def test_an_interrupted_correction_is_completed_by_the_next_call(persons: PersonActors) -> None:
    """The node fails when the new version is anchored, but the old version is not superseded yet."""
    ledger, person = persons.ledger, persons.person()
    old, consent = certified(persons, person)
    persons.answer({consent: persons.supplied(TRUE)})
    gone = ChainClient(Connection("http://127.0.0.1:9"), ledger.client.deployment, "11" * 32)
    status = CertificateStatus(ledger.database, gone, ledger.positions)
    broken = Corrections(ledger.database, ledger.sealer, ledger.reader, ledger.usage.issuance, ledger.positions, status)
    with pytest.raises(ChainUnavailable):
        broken.correct(ledger.actor(ledger.party), old)
    with ledger.database.read() as session:
        new = certificates_of(session, ledger.usage.authorizations.get(consent).request_id)[-1].certificate_no
    assert persons.accepted(old).result == "revoked"
    assert persons.accepted(new).valid
    assert ledger.usage.holder_bundles.all(person, HoldingsFilter()).left_out == ()
    assert ledger.usage.corrections.correct(ledger.actor(ledger.party), old).certificate_no == new
    assert ledger.verification.status(old)["state"] == "superseded"


@pytest.mark.parametrize(("move", "reason"), [("suspend", "investigation"), ("revoke", "fraud")])
def test_a_certificate_that_its_issuer_suspended_or_revoked_cannot_be_corrected(
    persons: PersonActors, move: str, reason: str
) -> None:
    old, consent = certified(persons, persons.person())
    getattr(persons.ledger.certificates.status, move)(old, reason)
    persons.answer({consent: persons.supplied(TRUE)})
    with pytest.raises(Conflict, match="CERTIFICATE_STOPPED"):
        persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), old)
    if move == "suspend":
        persons.ledger.certificates.status.resume(old, "lifted")
        assert persons.accepted(
            persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), old).certificate_no
        ).valid


def test_a_certificate_with_a_supervisors_hold_cannot_be_corrected(persons: PersonActors, pilot: Pilot) -> None:
    old, consent = certified(persons, persons.person())
    persons.ledger.certificates.holds.hold(old, "investigation", persons.supervisor)
    persons.answer({consent: persons.supplied(TRUE)})
    with pytest.raises(Conflict, match="CERTIFICATE_STOPPED"):
        persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), old)
    other_supervisor(pilot)
    persons.ledger.certificates.holds.lift(old, "lifted", persons.supervisor)
    assert persons.accepted(
        persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), old).certificate_no
    ).valid


def statement(persons: PersonActors, number: str) -> dict[str, Any]:
    with persons.ledger.database.read() as session:
        return payload_of(session, number)


def test_a_certificate_revoked_for_wrong_data_can_be_corrected(persons: PersonActors) -> None:
    old, consent = certified(persons, persons.person())
    persons.ledger.certificates.status.revoke(old, "data_error")
    persons.answer({consent: persons.supplied(TRUE)})
    assert (
        persons.accepted(
            persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), old).certificate_no
        ).disclosed["months_paid"]
        == 10
    )
