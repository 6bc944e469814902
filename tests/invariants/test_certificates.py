"""Invariants of the usage certificate, one test for each; docstrings name tests that check more cases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ledger.certificates.lookups import payload_of
from ledger.demo.actors import NOTE
from ledger.domain.days import SHANGHAI, end_of_validity, shanghai_day
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound, PingzhengError
from ledger.proof.verifier import Expectation
from ledger.store import log as log_store
from ledger.usage.authorizations import Choice
from tests.invariants.conftest import failed_at, verified
from tests.support.actors.credit_bureau import FIELDS
from tests.support.actors.persons import CONTRIBUTIONS, PersonActors
from tests.support.actors.pilots import SUPPLIED, Pilot, resource
from tests.support.actors.withdrawals import withdraw
from tests.support.bundles import cast as who
from tests.support.bundles.builder import usage


def test_invariant_01_no_certificate_is_issued_without_an_active_authorization_for_its_terms(pilot: Pilot) -> None:
    """For altered bundles, with a case for each member, see
    tests/proof/test_verifier.py::test_each_altered_bundle_fails_the_expected_check.
    """
    ledger, actors = pilot.ledger, pilot.actors
    (asked,) = actors.ask([actors.request(pilot.firm())])
    with pytest.raises(Conflict, match="REQUEST_NOT_AUTHORIZED"):
        actors.certify([asked])
    firm = pilot.firm()
    consent = pilot.authorise(firm)
    pilot.supply(firm, consent)
    withdraw(actors, consent)
    with pytest.raises(Conflict, match="REQUEST_NOT_AUTHORIZED"):
        actors.issue({firm: consent})
    (asked,) = actors.ask([actors.request(other := pilot.firm())])
    (drafted,) = ledger.usage.authorizations.draft(asked)
    cast = pilot.cast
    others = {"consumer": cast.other_bank, "provider": cast.bank, "scenario": "S01", "valid_to": 2**33, "channel": "x"}
    for member, value in others.items():
        signed = actors.sign(cast.firms[other], drafted.entry | {member: value})
        with pytest.raises(PingzhengError):
            ledger.usage.authorizations.submit([signed])
    for member, value in (
        ("subject", who.TAX.id),
        ("consumer", who.OTHER_BANK.id),
        ("provider", who.GRID.id),
        ("scenario", "S01"),
        ("valid_from", who.AT + 1),
        ("valid_to", who.AT),
    ):
        report = usage(consent={member: value}).verify()
        assert not report.valid and failed_at(report)[0] == 11, member


def test_invariant_02_disclosed_fields_were_allowed_and_requested_and_authorised(pilot: Pilot) -> None:
    """Issuance and the verifier both check the disclosed fields. For forged certificates, see
    tests/proof/attacks/test_attacks.py.
    """
    ledger, actors, firm = pilot.ledger, pilot.actors, pilot.firm()
    with pytest.raises(InvalidInput, match="FIELD_NOT_IN_SCENARIO"):
        ledger.usage.requests.draft(actors.request(firm, ("years_covered", "tariff_account")), NOTE)
    (asked,) = actors.ask([actors.request(firm, ("years_covered", "wage_band"))])
    with pytest.raises(PingzhengError, match="FIELD"):
        ledger.usage.authorizations.draft(asked, Choice(fields=("years_covered", "employment_band")))
    (consent,) = actors.agree([asked], Choice(fields=("years_covered",)))
    actors.answer({consent.id: SUPPLIED})
    (issued,) = actors.certify([asked])
    ledger.anchoring.flush()
    bundle, nonce = pilot.present(firm, issued.certificate_no, ["years_covered"])
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)
    assert list(ledger.verification.verify(bundle.to_bytes(), expect).report.disclosed) == ["years_covered"]
    with pytest.raises(PingzhengError, match="FIELD_OUTSIDE_AUTHORIZATION"):
        pilot.present(firm, issued.certificate_no, ["wage_band"])


def test_invariant_03_a_single_use_certificate_is_used_once_under_concurrent_presentation(pilot: Pilot) -> None:
    """For presentations to several processes, see tests/certificates/test_single_use.py."""
    firm = pilot.firm()
    number = pilot.certificate(firm)
    with ThreadPoolExecutor(6) as pool:
        reports = list(pool.map(lambda _: pilot.accept(firm, number), range(12)))
    assert sorted(report.result for report in reports) == ["used_up"] * 11 + ["valid"]


def test_invariant_04_a_withdrawal_stops_later_verifications_and_keeps_earlier_records(pilot: Pilot) -> None:
    """For a withdrawal by the subject without the service, see tests/usage/test_direct_withdrawals.py."""
    ledger, firm = pilot.ledger, pilot.firm()
    number = pilot.certificate(firm)
    bundle, nonce = pilot.present(firm, number)
    assert ledger.verification.check(ledger.actor(pilot.cast.bank), bundle.to_bytes(), nonce).report.valid
    before = ledger.clock()
    pilot.skip(5)
    with ledger.database.read() as session:
        (named,) = payload_of(session, number)["authorizations"]
        consent = log_store.statement(session, named.removeprefix("sha-256:"))["id"]
    withdraw(pilot.actors, consent)
    assert verified(pilot, firm, number).result == "revoked"
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)
    assert ledger.verification.verify(bundle.to_bytes(), expect, at=before).report.valid
    assert [row.result for row in ledger.presentations.page(number, None, 10)] == ["valid"]


def test_invariant_05_a_consumer_that_is_not_named_in_the_certificate_is_refused_and_gets_no_payload(
    pilot: Pilot,
) -> None:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    report = verified(pilot, firm, number, consumer=pilot.cast.other_bank)
    assert (report.result, report.disclosed, report.claims) == ("not_party", {}, {})
    bundle, nonce = pilot.present(firm, number)
    accepted = pilot.ledger.verification.accept(pilot.actor(pilot.cast.other_bank), bundle.to_bytes(), nonce).report
    assert (accepted.result, accepted.disclosed, accepted.claims) == ("not_party", {}, {})
    with pytest.raises(PingzhengError, match="NOT_PARTY"):
        pilot.ledger.certificates.bundles.present(
            number, FIELDS, pilot.cast.other_bank, nonce, pilot.actors.signer_of(pilot.cast.firms[firm]), 1
        )


def test_invariant_11_a_certificate_stops_being_valid_exactly_at_the_end_of_its_last_shanghai_day(pilot: Pilot) -> None:
    """A certificate becomes valid at nbf (or at its anchor, if that is a second later), and stops being valid at exp.

    A day in Shanghai ends at 16:00 UTC. For the same rule without a ledger, see tests/proof/test_judgement.py.
    """
    ledger, firm = pilot.ledger, pilot.firm()
    number = pilot.certificate(firm)
    with ledger.database.read() as session:
        start, end = (payload_of(session, number)[name] for name in ("nbf", "exp"))
    bundle, _ = pilot.present(firm, number)
    start = max(start, *(anchor.at for anchor in bundle.anchors if anchor.log_batch == bundle.position.log_batch))
    signer = pilot.actors.signer_of(pilot.cast.firms[firm])

    def result(at: int) -> str:
        nonce = ledger.verification.new_nonce()
        bundle = ledger.certificates.bundles.present(number, FIELDS, pilot.cast.bank, nonce, signer, at)
        expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)
        return ledger.verification.verify(bundle.to_bytes(), expect, at).report.result

    assert [result(at) for at in (start - 1, start, end - 1, end)] == ["not_yet_valid", "valid", "valid", "expired"]
    midnight = datetime.fromtimestamp(end, UTC)
    assert (midnight.hour, midnight.minute, midnight.second) == (16, 0, 0)
    assert midnight.astimezone(SHANGHAI).hour == 0
    assert shanghai_day(end - 1) + timedelta(days=1) == shanghai_day(end)
    assert end_of_validity(shanghai_day(end - 1)) == end


def test_invariant_14_a_sanctioned_party_can_neither_request_data_nor_register_or_receive_assets(pilot: Pilot) -> None:
    ledger, firm = pilot.ledger, pilot.firm()
    party = pilot.party(PartyKind.BANK, Role.CONSUMER, Role.PROVIDER)
    (asset,) = pilot.handed_in(resource("fourteen/before"), by=party)
    offered = pilot.confirmed()
    ledger.parties.role_changes.set_status(ledger.actor(pilot.cast.supervisor), party, "sanctioned", "sanction")
    with pytest.raises(Forbidden, match="PARTY_NOT_ACTIVE"):
        ledger.usage.requests.draft(replace(pilot.actors.request(firm), consumer=party), NOTE)
    with pytest.raises(Forbidden, match="PARTY_NOT_ACTIVE"):
        pilot.handed_in(resource("fourteen/after"), by=party)
    with pytest.raises(PingzhengError, match="ASSET_BAD_RECIPIENT"):
        ledger.registration.transfers.offer(ledger.actor(pilot.cast.provider), offered, party)
    with pytest.raises(Forbidden, match="PARTY_NOT_ACTIVE"):
        ledger.actor(party)
    assert asset


def test_invariant_15_a_certificate_survives_a_rotated_key_but_not_a_compromised_key(pilot: Pilot) -> None:
    """For a key of the issuer that was rotated or compromised, see tests/parties/keys/test_keys.py."""
    ledger, cast = pilot.ledger, pilot.cast
    first, second = pilot.firm(), pilot.firm()
    before = pilot.certificate(first)
    pilot.skip(5)
    stolen_at = ledger.clock()
    pilot.skip(5)
    after = pilot.certificate(second)
    old = ledger.parties.register.get(cast.provider).account
    ledger.parties.keys.rotate(
        ledger.actor(cast.provider), cast.provider, ledger.custody.public_key(*ledger.custody.create())
    )
    assert [verified(pilot, *each).valid for each in ((first, before), (second, after))] == [True, True]
    ledger.parties.keys.date_compromise(ledger.authority, cast.provider, old, stolen_at)
    assert verified(pilot, first, before).valid
    assert failed_at(verified(pilot, second, after)) == (11, "KEY_COMPROMISED")


def test_invariant_16_a_correction_is_a_new_version_and_the_old_version_is_valid_only_before_it(
    pilot: Pilot, persons: PersonActors
) -> None:
    """For uses of corrected certificates and limits of corrections, see tests/usage/issuing/test_corrections.py."""
    person = persons.person()
    request, given = persons.authorised(person)
    persons.answer({given["social_insurance"].id: persons.supplied(CONTRIBUTIONS[:3])})
    (old,) = persons.certify([request])
    persons.ledger.anchoring.flush()
    before = persons.ledger.clock()
    pilot.skip(60)
    persons.answer({given["social_insurance"].id: persons.supplied()})
    new = persons.ledger.usage.corrections.correct(persons.ledger.actor(persons.ledger.party), old.certificate_no)

    def months(number: str, at: int | None = None) -> tuple[str, object]:
        nonce = persons.ledger.verification.new_nonce()
        expect = Expectation(consumer=persons.bank, nonce=nonce)
        report = persons.ledger.verification.verify(persons.show(number, nonce).to_bytes(), expect, at).report
        return report.result, report.disclosed.get("months_paid")

    assert (new.version, new.supersedes) == (2, old.certificate_no)
    assert months(old.certificate_no, before) == ("valid", 3)
    assert months(old.certificate_no) == ("revoked", None)
    assert months(new.certificate_no) == ("valid", 10)


def test_invariant_17_an_erased_payload_is_unreadable_but_its_proofs_verify(
    pilot: Pilot, persons: PersonActors
) -> None:
    """For attempts to confirm an erased text by guessing, see tests/privacy/test_guessing.py."""
    ledger, person = pilot.ledger, persons.person()
    number, neighbour = persons.certificate(person), persons.certificate(persons.person())
    nonce = ledger.verification.new_nonce()
    held = persons.show(number, nonce).to_bytes()
    erased = ledger.erasure.certificate(ledger.actor(person), number, "subject_request")
    assert erased.certificates == (number,) and erased.entry["type"] == "erasure"
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.certificates.bundles.build(number)
    assert ledger.verification.verify(held, Expectation(consumer=persons.bank, nonce=nonce)).report.valid
    assert persons.accepted(neighbour).valid
    assert ledger.inspection.head()["complete"]
