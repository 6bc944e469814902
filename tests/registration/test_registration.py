"""Registration, transfer (offer and acceptance) and provenance, on a real chain."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.catalogue.important_rules import ImportantData
from ledger.errors import Conflict, Forbidden, InvalidInput, PingzhengError
from ledger.proof.history import HistoryEvent, verify_history
from ledger.proof.verifier import Expectation
from tests.support.actors.pilots import Pilot, resource


def result(pilot: Pilot, number: str) -> str:
    bundle = pilot.ledger.certificates.bundles.build(number)
    return pilot.ledger.verification.verify(bundle.to_bytes(), Expectation()).report.result


def test_a_transfer_issues_a_certificate_for_the_new_holder(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    first = str(pilot.ledger.registration.registrations.get(asset)["certificate_no"])
    assert result(pilot, first) == "valid"
    pilot.ledger.registration.transfers.offer(pilot.actor(pilot.cast.provider), asset, pilot.cast.bank)
    assert pilot.ledger.registration.registrations.get(asset)["offer"]["to"] == pilot.cast.bank
    second = pilot.ledger.registration.transfers.accept(pilot.actor(pilot.cast.bank), asset).certificate
    pilot.ledger.anchoring.flush()
    assert (second.supersedes, second.subject) == (first, pilot.cast.bank)
    assert (result(pilot, first), result(pilot, second.certificate_no)) == ("revoked", "valid")
    assert (
        pilot.ledger.registration.transfers.accept(pilot.actor(pilot.cast.bank), asset).certificate.certificate_no
        == second.certificate_no
    )


def test_provenance_is_complete_and_a_missing_event_is_detected(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    pilot.ledger.registration.transfers.offer(pilot.actor(pilot.cast.provider), asset, pilot.cast.bank)
    pilot.ledger.registration.transfers.reject(pilot.actor(pilot.cast.bank), asset)
    provenance = pilot.ledger.provenances.asset(asset)
    names = [event["name"] for event in provenance.events]
    assert names == ["Registered", *["Advanced"] * 3, "Confirmed", "TransferOffered", "TransferRejected"]
    proof = provenance.completeness
    assert proof.complete
    events = [HistoryEvent(f"AssetRegistry.{event['name']}", event["args"]) for event in provenance.events]
    start, head = bytes.fromhex(proof.genesis), bytes.fromhex(proof.head)
    assert verify_history(events, head, start).complete
    for missing in range(len(events)):
        assert not verify_history(events[:missing] + events[missing + 1 :], head, start).complete


@pytest.mark.parametrize("text", ["...", "_sd", "_sd_alg"])
def test_a_description_that_no_certificate_can_contain_is_refused_at_submission(pilot: Pilot, text: str) -> None:
    """If such a description were accepted, the registration would be confirmed, but no certificate could be issued for
    the asset.
    """
    asset = pilot.confirmed()
    code = pilot.ledger.registration.registrations.get(asset)["resource"]["code"]
    with pytest.raises(InvalidInput, match="SD_NAME_NESTED"):
        pilot.ledger.registration.registrations.submit(
            pilot.actor(pilot.cast.provider), [resource(f"named/{text}", title=text)]
        )
    changed = resource(code, content="changed", update_freq=text)
    with pytest.raises(InvalidInput, match="SD_NAME_NESTED"):
        pilot.ledger.registration.applications.apply(pilot.actor(pilot.cast.provider), asset, "change", changed)
    assert len(pilot.ledger.registration.registrations.get(asset)["applications"]) == 1


def test_identical_content_is_refused_with_the_number_of_the_earlier_registration(pilot: Pilot) -> None:
    (asset,) = pilot.applied("original")
    intake = pilot.ledger.registration.registrations.submit(
        pilot.actor(pilot.cast.bank), [resource("copy", content="original")]
    )
    (refusal,) = intake.refused
    assert refusal.error.code == "DUPLICATE_REGISTRATION"
    assert refusal.error.details["earlier"] == asset


def test_only_registrars_can_review_applications(pilot: Pilot) -> None:
    (asset,) = pilot.applied("own")
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        pilot.ledger.registration.review.accept(pilot.actor(pilot.cast.provider), [asset])


def test_a_frozen_asset_cannot_be_transferred(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    number = str(pilot.ledger.registration.registrations.get(asset)["certificate_no"])
    pilot.ledger.registration.transfers.freeze(pilot.actor(pilot.cast.supervisor), asset, "court")
    with pytest.raises(Conflict, match="ASSET_FROZEN"):
        pilot.ledger.registration.transfers.offer(pilot.actor(pilot.cast.provider), asset, pilot.cast.bank)
    assert result(pilot, number) == "refused"
    pilot.ledger.registration.transfers.unfreeze(pilot.actor(pilot.cast.supervisor), asset, "lifted")
    assert result(pilot, number) == "valid"


def test_of_two_simultaneous_registrations_of_the_same_content_one_is_refused(pilot: Pilot) -> None:
    applicants = [pilot.cast.provider, pilot.cast.bank]

    def submit(applicant: str) -> str:
        try:
            code = f"race-{applicant[:6]}"
            intake = pilot.ledger.registration.registrations.submit(
                pilot.actor(applicant), [resource(code, content="one content")]
            )
            return "won" if intake.accepted else intake.refused[0].error.code
        except PingzhengError as error:
            return error.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(submit, applicants)) == ["DUPLICATE_REGISTRATION", "won"]


def test_of_two_simultaneous_answers_to_an_offer_one_is_refused(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    pilot.ledger.registration.transfers.offer(pilot.actor(pilot.cast.provider), asset, pilot.cast.bank)

    def answer(accept: bool) -> str:
        try:
            if accept:
                pilot.ledger.registration.transfers.accept(pilot.actor(pilot.cast.bank), asset)
            else:
                pilot.ledger.registration.transfers.reject(pilot.actor(pilot.cast.bank), asset)
        except PingzhengError as error:
            return error.code
        return "won"

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(answer, [True, False]))
    assert outcomes.count("won") == 1, outcomes
    provenance = pilot.ledger.provenances.asset(asset)
    assert provenance.completeness.complete
    assert [event["name"] for event in provenance.events][-1] in ("TransferAccepted", "TransferRejected")


def test_an_index_that_is_rebuilt_from_the_chain_has_the_same_rows(pilot: Pilot) -> None:
    pilot.ledger.follower.sync()
    before = pilot.ledger.follower.snapshot_rows()
    pilot.ledger.follower.rebuild()
    after = pilot.ledger.follower.snapshot_rows()
    assert sum(map(len, before.values())) > 100
    assert before == after


def test_data_that_matches_the_important_data_list_is_registered_as_important(pilot: Pilot) -> None:
    authority = pilot.ledger.actor(pilot.ledger.installation.authority_party)
    for title, grade in (("Pipelines", "important"), ("Arsenals", "core")):
        pilot.ledger.catalogue.important_data.add(
            authority, ImportantData(title, grade, pattern=f"Resource listed/{title}*")
        )
    intake = pilot.ledger.registration.registrations.submit(
        pilot.actor(pilot.cast.provider), [resource("listed/Pipelines"), resource("listed/Arsenals")]
    )
    (asset,), (refusal,) = intake.accepted, intake.refused
    assert (refusal.resource.code, refusal.error.code) == ("listed/Arsenals", "GRADE_CORE")
    pilot.ledger.registration.registrations.register([asset])
    record = pilot.ledger.reader.asset(asset)
    assert record is not None
    assert (record.grade, record.cleared) == ("important", False)
