"""Authorities and supervisors place holds on certificates (with their requests), authorizations and provisions.

One party places a hold; two parties with the same role lift it. Attacks are in tests/threats/test_officer_powers.py.
"""

from __future__ import annotations

import pytest

from ledger.certificates.holds import MAX_STATEMENTS
from ledger.certificates.lookups import certificate
from ledger.chain.sending.calls import lift
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from ledger.usage.lookups import access_request, authorizations_of, provisions_of
from tests.support.actors.persons import CONTRIBUTIONS, PersonActors
from tests.support.actors.pilots import Pilot
from tests.support.actors.supervisors import other_supervisor


class Held:
    """A firm's certificate, with the digests of the certificate and of its evidence."""

    def __init__(self, pilot: Pilot) -> None:
        self.pilot, self.firm = pilot, pilot.firm()
        self.number = pilot.certificate(self.firm)
        with pilot.ledger.database.read() as session:
            row = certificate(session, self.number)
            request = access_request(session, str(row.request_id))
            (consent,) = authorizations_of(session, request.id)
            (supplied,) = provisions_of(session, consent.id)
        self.certificate, self.request = row.digest, request.digest
        self.consent, self.supplied = consent.digest, supplied.digest

    def report(self) -> Report:
        bundle, nonce = self.pilot.present(self.firm, self.number)
        expect = Expectation(consumer=self.pilot.cast.bank, nonce=nonce)
        return self.pilot.ledger.verification.verify(bundle.to_bytes(), expect).report

    def offices(self) -> list[tuple[str, ...]]:
        """Return which roles have set a hold on the certificate, and which have set one on its request."""
        return [self.pilot.ledger.reader.hold_of(each).offices for each in (self.certificate, self.request)]


@pytest.fixture
def held(pilot: Pilot) -> Held:
    other_supervisor(pilot)
    return Held(pilot)


def test_a_certificate_with_a_hold_is_suspended_until_the_hold_is_lifted(held: Held, pilot: Pilot) -> None:
    ledger, supervisor = pilot.ledger, pilot.cast.supervisor
    ledger.certificates.holds.hold(held.number, "court", supervisor)
    report = held.report()
    assert (report.checks[7].code, report.checks[7].details["reason"], report.result) == ("HELD", "court", "suspended")
    assert report.disclosed == {}
    status = ledger.verification.status(held.number)
    assert (status["state"], status["reason"]) == ("suspended", "court")
    assert status["since"] == report.checks[7].details["since"]
    assert held.offices() == [("supervisor",)] * 2
    accepted = pilot.accept(held.firm, held.number)
    assert accepted.result == "suspended"
    row = ledger.certificates.holds.lift(held.number, "lifted", supervisor)
    assert (row.state, row.by, row.confirmed_by) == ("carried_out", supervisor, other_supervisor(pilot))
    assert held.report().valid
    assert ledger.verification.status(held.number)["state"] == "active"


def test_a_hold_stays_until_a_second_officer_confirms_the_lifting(held: Held, pilot: Pilot) -> None:
    """A second supervisor that keeps its own key sees the proposal to lift the hold, and confirms the proposal."""
    ledger, first, second = pilot.ledger, pilot.cast.supervisor, other_supervisor(pilot)
    ledger.certificates.holds.hold(held.number, "court", first)
    call = lift("supervisor", [held.certificate, held.request])
    row = ledger.proposals.propose(first, call)
    assert (row.state, row.kind, row.role, row.confirmed_by) == ("pending", "lift", "supervisor", None)
    assert row.no in [each.no for each in ledger.proposals.pending()]
    assert held.report().result == "suspended"
    again = ledger.certificates.holds.lift(held.number, "lifted", second)
    assert (again.no, again.state, again.confirmed_by) == (row.no, "carried_out", second)
    assert held.report().valid


def test_a_party_that_is_authority_and_supervisor_lifts_the_hold_of_each_role_separately(
    held: Held, pilot: Pilot
) -> None:
    both = pilot.party(PartyKind.GOV_DEPT, Role.AUTHORITY, Role.SUPERVISOR)
    pilot.ledger.certificates.holds.hold(held.number, "court", both)
    assert held.offices() == [("authority", "supervisor")] * 2
    for left in (("supervisor",), ()):
        pilot.ledger.certificates.holds.lift(held.number, "lifted", both)
        assert held.offices() == [left] * 2


def test_authorities_and_supervisors_lift_only_holds_of_their_own_role(held: Held, pilot: Pilot) -> None:
    holds, supervisor, authority = (
        pilot.ledger.certificates.holds,
        pilot.cast.supervisor,
        pilot.ledger.installation.authority_party,
    )
    holds.hold(held.number, "court", supervisor)
    holds.hold(held.number, "investigation", authority)
    assert held.offices() == [("authority", "supervisor")] * 2
    holds.lift(held.number, "lifted", supervisor)
    assert held.offices() == [("authority",)] * 2
    assert held.report().result == "suspended"
    with pytest.raises(Conflict, match="LOG_NOT_HELD"):
        holds.lift(held.number, "lifted", supervisor)
    holds.lift(held.number, "lifted", authority)
    assert held.report().valid


def test_placing_holds_skips_statements_that_already_have_a_hold_of_the_same_role(held: Held, pilot: Pilot) -> None:
    """A certificate can get a hold although its request already has one; a second hold of the same role changes
    nothing.
    """
    ledger, supervisor = pilot.ledger, pilot.cast.supervisor
    ledger.certificates.holds.hold_statements([held.request], "investigation", supervisor)
    assert held.report().checks[7].details["statement"] == "request"
    ledger.certificates.holds.hold(held.number, "fraud", supervisor)
    block = ledger.reader.block_number()
    ledger.certificates.holds.hold(held.number, "fraud", supervisor)
    assert ledger.reader.block_number() == block
    assert [ledger.reader.hold_of(each).changes for each in (held.certificate, held.request)] == [1, 1]
    ledger.certificates.holds.lift_statements([held.certificate], "lifted", supervisor)
    assert held.offices() == [(), ("supervisor",)]
    ledger.certificates.holds.lift(held.number, "lifted", supervisor)
    assert held.report().valid


def test_a_hold_on_a_certificate_covers_corrected_versions_of_the_certificate(pilot: Pilot) -> None:
    """The hold covers a corrected version of the certificate, whether the correction is issued before or after the hold
    is placed.
    """
    persons = PersonActors(pilot)
    request, given = persons.authorised(persons.person())
    consent = given["social_insurance"].id
    persons.answer({consent: persons.supplied(CONTRIBUTIONS[:3])})
    (old,) = persons.certify([request])
    persons.ledger.anchoring.flush()
    persons.answer({consent: persons.supplied(CONTRIBUTIONS)})
    new = persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), old.certificate_no)
    persons.ledger.certificates.holds.hold(old.certificate_no, "fraud", pilot.cast.supervisor)
    nonce = persons.ledger.verification.new_nonce()
    raw = persons.show(new.certificate_no, nonce).to_bytes()
    report = persons.ledger.verification.verify(raw, Expectation(consumer=persons.bank, nonce=nonce)).report
    assert (report.checks[7].code, report.checks[7].details["statement"]) == ("HELD", "request")
    persons.answer({consent: persons.supplied(CONTRIBUTIONS[:5])})
    with pytest.raises(Conflict, match="HELD"):
        persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), new.certificate_no)


@pytest.mark.parametrize("what", ["consent", "supplied"])
def test_a_hold_can_be_placed_on_every_statement_in_a_certificates_evidence(
    held: Held, pilot: Pilot, what: str
) -> None:
    code = {"consent": "AUTHORIZATION_HELD", "supplied": "PROVISION_HELD"}[what]
    pilot.ledger.certificates.holds.hold_statements([getattr(held, what)], "data_error", pilot.cast.supervisor)
    report = held.report()
    assert (report.checks[10].code, report.result) == (code, "suspended")
    pilot.ledger.certificates.holds.lift_statements([getattr(held, what)], "lifted", pilot.cast.supervisor)
    assert held.report().valid


def test_only_authority_and_supervisor_can_place_holds(held: Held, pilot: Pilot) -> None:
    cast, ledger = pilot.cast, pilot.ledger
    others = (ledger.installation.operator, cast.bank, cast.provider, cast.firms[held.firm], cast.registrar)
    for party in others:
        for act in (ledger.certificates.holds.hold, ledger.certificates.holds.lift):
            with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
                act(held.number, "fraud", party)
    assert (held.offices(), held.report().valid) == ([(), ()], True)


def test_the_issuer_cannot_lift_a_hold(held: Held, pilot: Pilot) -> None:
    """When the issuer resumes the certificate, only the issuer's own suspension ends. The authority's hold remains."""
    ledger = pilot.ledger
    ledger.certificates.status.suspend(held.number, "investigation")
    ledger.certificates.holds.hold(held.number, "court", pilot.cast.supervisor)
    ledger.certificates.status.resume(held.number, "lifted")
    assert held.report().checks[7].code == "HELD"
    with pytest.raises(Conflict, match="LOG_NOT_SUSPENDED"):
        ledger.certificates.status.resume(held.number, "lifted")


def test_a_hold_on_a_registration_certificate_is_refused(pilot: Pilot) -> None:
    number = str(pilot.ledger.registration.registrations.get(pilot.confirmed())["certificate_no"])
    for act in (pilot.ledger.certificates.holds.hold, pilot.ledger.certificates.holds.lift):
        with pytest.raises(Conflict, match="REGISTRATION_NOT_HELD"):
            act(number, "court", pilot.cast.supervisor)
    assert pilot.verified(number).valid


def test_one_call_places_holds_on_a_limited_number_of_statements_and_only_on_known_certificates(pilot: Pilot) -> None:
    holds, supervisor = pilot.ledger.certificates.holds, pilot.cast.supervisor
    for digests in ([], [f"{number:064x}" for number in range(MAX_STATEMENTS + 1)]):
        with pytest.raises(InvalidInput, match="HOLD_COUNT"):
            holds.hold_statements(digests, "court", supervisor)
    with pytest.raises(NotFound, match="CERTIFICATE_UNKNOWN"):
        holds.hold("DAC-440802-2026-S01-00000123-V", "court", supervisor)
