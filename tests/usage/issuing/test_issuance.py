"""A usage certificate on a real chain, from the authorization to the use."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from ledger.certificates.lookups import payload_of
from ledger.chain.sending.calls import withdraw
from ledger.demo.actors import NOTE
from ledger.domain.days import DAY
from ledger.domain.digests import reference
from ledger.domain.entries import statement_digest
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound
from ledger.proof.report import Verdict
from ledger.proof.sdjwt import Disclosed
from ledger.proof.verifier import Expectation
from ledger.store import log as log_store
from ledger.usage.lookups import access_request, provisions_of
from tests.support.actors.credit_bureau import FIELDS, OUTSIDE
from tests.support.actors.pilots import ROWS, SUPPLIED, Pilot
from tests.support.actors.supervisors import other_supervisor
from tests.support.actors.withdrawals import signed_withdrawal
from tests.support.actors.withdrawals import withdraw as withdraw_consent


def test_a_certificate_contains_claims_but_no_rows(pilot: Pilot) -> None:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    bundle, nonce = pilot.present(firm, number)
    report = pilot.ledger.verification.verify(
        bundle.to_bytes(), Expectation(consumer=pilot.cast.bank, nonce=nonce)
    ).report
    assert report.valid
    assert report.disclosed["years_covered"] == 2
    assert report.disclosed["employment_trend"] == "rising"
    assert report.disclosed["wage_band"] == "15–20"
    assert not any(row["output"] in bundle.to_bytes().decode() for row in ROWS)


def statement_of(pilot: Pilot, number: str) -> dict[str, Any]:
    with pilot.ledger.database.read() as session:
        return payload_of(session, number)


def named(pilot: Pilot, references: Sequence[str]) -> list[dict[str, Any]]:
    """Return the statements that a certificate refers to."""
    with pilot.ledger.database.read() as session:
        return [log_store.statement(session, each.removeprefix("sha-256:")) for each in references]


def test_the_provider_signed_every_claim_and_the_log_entry_is_the_payload(pilot: Pilot) -> None:
    number = pilot.certificate(pilot.firm())
    stated = statement_of(pilot, number)
    claims = [item for provision in named(pilot, stated["provisions"]) for item in provision["claims"].items()]
    assert sorted(stated["fields"]) == sorted(name for name, _ in claims) == sorted(FIELDS)
    assert stated["_sd"] == sorted(digest for _, digest in claims)
    assert [part["fields"] for part in stated["components"]] == [sorted(FIELDS)]
    (asked,) = named(pilot, [stated["request"]])
    assert stated["_sd_alg"] == asked["sd_alg"] == "sha-256"
    assert stated["ledger"] == pilot.ledger.reader.chain.ledger
    digest = pilot.ledger.usage.holdings.get(number).digest
    with pilot.ledger.database.read() as session:
        assert log_store.entries_by_digest(session, [digest])[digest].seq == stated["seq"]
    bundle = pilot.ledger.certificates.bundles.build(number)
    (anchor,) = [each for each in bundle.anchors if each.log_batch == bundle.position.log_batch]
    assert anchor.first_seq + bundle.position.index == stated["seq"]
    assert bundle.position.issuer == pilot.ledger.installation.issuer


def digests_of(pilot: Pilot, firm: str, consent: str) -> dict[str, str]:
    """Return the digests of the statements that a certificate for this authorization would rest on, keyed by kind."""
    row = pilot.ledger.usage.authorizations.get(consent)
    with pilot.ledger.database.read() as session:
        (provision,) = provisions_of(session, consent)
        request = access_request(session, row.request_id)
    return {"request": request.digest, "authorization": row.digest, "provision": provision.digest}


@pytest.mark.parametrize(
    ("kind", "code"),
    [("request", "HELD"), ("authorization", "AUTHORIZATION_HELD"), ("provision", "PROVISION_HELD")],
)
def test_no_certificate_is_issued_if_a_statement_behind_it_has_a_hold(pilot: Pilot, kind: str, code: str) -> None:
    firm, holds = pilot.firm(), pilot.ledger.certificates.holds
    consent = pilot.authorise(firm)
    pilot.supply(firm, consent)
    digest = digests_of(pilot, firm, consent)[kind]
    holds.hold_statements([digest], "investigation", pilot.cast.supervisor)
    with pytest.raises(Conflict, match=code) as refused:
        pilot.actors.issue({firm: consent})
    assert refused.value.details == {"statement": kind}
    other_supervisor(pilot)
    holds.lift_statements([digest], "lifted", pilot.cast.supervisor)
    assert pilot.actors.issue({firm: consent})[firm]


def test_no_certificate_is_issued_if_a_statement_was_withdrawn_directly_on_the_chain(pilot: Pilot) -> None:
    """The store has not read the withdrawal from the chain yet, so the store still lists the statement as valid. Even
    so, no certificate is issued.
    """
    ledger = pilot.ledger
    for kind, code in (("authorization", "AUTHORIZATION_NOT_ACTIVE"), ("provision", "PROVISION_WITHDRAWN")):
        firm = pilot.firm()
        consent = pilot.authorise(firm)
        pilot.supply(firm, consent)
        party = pilot.cast.firms[firm] if kind == "authorization" else pilot.cast.provider
        account = ledger.parties.register.get(party).account
        client = ledger.client.with_account(ledger.custody.private_key(account).hex())
        pilot.fund(account)
        client.send(withdraw(digests_of(pilot, firm, consent)[kind]))
        assert ledger.usage.authorizations.get(consent).state == "active"
        with pytest.raises(Conflict, match=code):
            pilot.actors.issue({firm: consent})


def test_no_certificate_is_issued_if_the_authorization_was_withdrawn_with_a_lost_key(pilot: Pilot) -> None:
    ledger, firm = pilot.ledger, pilot.firm()
    consent, subject = pilot.authorise(firm), pilot.cast.firms[firm]
    pilot.supply(firm, consent)
    stolen = pilot.actors.signer_of(subject)
    ledger.parties.keys.report(ledger.authority, subject, stolen.kid)
    pilot.fund(stolen.kid)
    digest = digests_of(pilot, firm, consent)["authorization"]
    ledger.client.with_account(ledger.custody.private_key(stolen.kid).hex()).send(withdraw(digest))
    with pytest.raises(Conflict, match="AUTHORIZATION_NOT_ACTIVE"):
        pilot.actors.issue({firm: consent})


def test_a_withdrawal_by_another_party_does_not_prevent_a_certificate(pilot: Pilot) -> None:
    firm, ledger = pilot.firm(), pilot.ledger
    consent = pilot.authorise(firm)
    pilot.supply(firm, consent)
    account = ledger.parties.register.get(pilot.cast.other_bank).account
    pilot.fund(account)
    client = ledger.client.with_account(ledger.custody.private_key(account).hex())
    for digest in digests_of(pilot, firm, consent).values():
        client.send(withdraw(digest))
    number = pilot.actors.issue({firm: consent})[firm]
    ledger.anchoring.flush()
    assert pilot.accept(firm, number).valid


def test_a_bundle_contains_withdrawals_of_the_statements_behind_the_certificate(pilot: Pilot) -> None:
    firm, ledger = pilot.firm(), pilot.ledger
    number = pilot.certificate(firm)
    before = ledger.certificates.bundles.build(number)
    (consent,) = named(pilot, statement_of(pilot, number)["authorizations"])
    withdraw_consent(pilot.actors, consent["id"])
    ledger.anchoring.flush()
    fresh = [item for item in ledger.certificates.bundles.build(number).evidence if item not in before.evidence]
    (entry,) = [json.loads(item.entry) for item in fresh]
    assert (entry["type"], entry["party"]) == ("withdrawal", pilot.cast.firms[firm])
    assert entry["statement"] == reference(statement_digest(consent))


def test_no_certificate_is_issued_before_authorization_and_supply(pilot: Pilot) -> None:
    with pytest.raises(NotFound, match="AUTHORIZATION_UNKNOWN"):
        pilot.actors.issue({pilot.firm(): "0" * 26})
    firm = pilot.firm()
    with pytest.raises(Conflict, match="NOT_ANSWERED_YET"):
        pilot.actors.issue({firm: pilot.authorise(firm)})
    (asked,) = pilot.actors.ask([pilot.actors.request(firm)])
    with pytest.raises(Conflict, match="REQUEST_NOT_AUTHORIZED"):
        pilot.actors.certify([asked])


def test_issuing_again_returns_the_same_certificate(pilot: Pilot) -> None:
    firm = pilot.firm()
    authorization = pilot.authorise(firm)
    pilot.supply(firm, authorization)
    assert pilot.actors.issue({firm: authorization}) == pilot.actors.issue({firm: authorization})


def test_an_answer_with_fields_outside_the_authorization_is_refused(pilot: Pilot) -> None:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    with pytest.raises(Forbidden, match="FIELD_OUTSIDE_AUTHORIZATION"):
        pilot.present(firm, number, (*FIELDS, OUTSIDE))


def test_the_holder_can_choose_which_claims_to_disclose(pilot: Pilot) -> None:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    bundle, nonce = pilot.present(firm, number, ["wage_band"])
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)
    assert list(pilot.ledger.verification.verify(bundle.to_bytes(), expect).report.disclosed) == ["wage_band"]
    assert "subject_uscc" not in json.dumps(bundle.to_dict()["certificate"])


def test_a_verification_by_another_consumer_is_refused_and_returns_no_payload(pilot: Pilot) -> None:
    firm = pilot.firm()
    bundle, nonce = pilot.present(firm, pilot.certificate(firm))
    expect = Expectation(consumer=pilot.cast.other_bank, nonce=nonce)
    report = pilot.ledger.verification.verify(bundle.to_bytes(), expect).report
    assert (report.result, report.disclosed, report.claims) == ("not_party", {}, {})


def test_verification_fails_after_a_withdrawal_but_earlier_records_stay_valid(pilot: Pilot) -> None:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    bundle, nonce = pilot.present(firm, number)
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)
    before = pilot.ledger.verification.verify(bundle.to_bytes(), expect)
    with pilot.ledger.database.read() as session:
        statement = payload_of(session, number)
        consent = log_store.statement(session, statement["authorizations"][0].removeprefix("sha-256:"))
    stranger = signed_withdrawal(pilot.actors, consent["id"], by=pilot.cast.bank)
    with pytest.raises(Forbidden, match="SIGNER_NOT_SUBJECT"):
        pilot.ledger.usage.withdrawals.withdraw(stranger.entry, stranger.act)
    withdraw_consent(pilot.actors, consent["id"])
    after = pilot.ledger.verification.verify(bundle.to_bytes(), expect).report
    assert before.report.valid
    status, consent_check = after.checks[7], after.checks[10]
    assert (status.code, status.details["reason"]) == ("REVOKED", "consent_withdrawn")
    assert consent_check.code == "AUTHORIZATION_WITHDRAWN"
    earlier = pilot.ledger.verification.verify(bundle.to_bytes(), expect, at=before.report.at)
    assert earlier.report.valid or earlier.report.at >= consent_check.details["since"]


def test_a_suspended_certificate_can_be_resumed_and_a_revoked_certificate_cannot(pilot: Pilot) -> None:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    bundle, nonce = pilot.present(firm, number)

    def result() -> str:
        expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)
        return pilot.ledger.verification.verify(bundle.to_bytes(), expect).report.result

    pilot.ledger.certificates.status.suspend(number, "investigation")
    assert result() == "suspended"
    pilot.ledger.certificates.status.resume(number, "lifted")
    assert result() == "valid"
    pilot.ledger.certificates.status.revoke(number, "fraud")
    assert result() == "revoked"
    with pytest.raises(Conflict, match="LOG_ALREADY_REVOKED"):
        pilot.ledger.certificates.status.resume(number, "lifted")
    status = pilot.ledger.verification.status(number)
    assert (status["state"], status["reason"]) == ("revoked", "fraud")


def test_of_twenty_simultaneous_presentations_of_a_single_use_certificate_one_counts(pilot: Pilot) -> None:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(lambda _: pilot.accept(firm, number), range(20)))
    assert sum(report.valid for report in reports) == 1
    assert {report.result for report in reports} == {"valid", "used_up"}
    assert pilot.ledger.verification.status(number)["state"] == "used_up"
    recorded = pilot.ledger.presentations.page(number, None, 100)
    assert sorted(row.result for row in recorded) == ["used_up"] * 19 + ["valid"]


def test_a_nonce_that_was_used_before_is_refused_without_reading_the_chain(pilot: Pilot) -> None:
    firm = pilot.firm()
    bundle, nonce = pilot.present(firm, pilot.certificate(firm))
    assert pilot.ledger.verification.accept(pilot.actor(pilot.cast.bank), bundle.to_bytes(), nonce).report.valid
    with pytest.raises(Conflict, match="NONCE_REPLAYED"):
        pilot.ledger.verification.accept(pilot.actor(pilot.cast.bank), bundle.to_bytes(), nonce)


def test_a_provision_with_a_wrong_signature_or_changed_claims_is_refused(pilot: Pilot) -> None:
    firm, submit = pilot.firm(), pilot.ledger.usage.provisions.submit
    drafted = pilot.actors.draft(pilot.authorise(firm), SUPPLIED)
    with pytest.raises(Forbidden, match="SIGNER_NOT_PROVIDER"):
        submit([replace(drafted, entry=pilot.actors.sign(pilot.cast.bank, drafted.entry))])
    signed = replace(drafted, entry=pilot.actors.sign(pilot.cast.provider, drafted.entry))
    first, *others = signed.disclosures
    claim = Disclosed.decode(first)
    for changed in (replace(claim, salt="A" * 22), replace(claim, value="Somebody else"), replace(claim, name="x")):
        with pytest.raises(InvalidInput, match="CLAIM_DIFFERS"):
            submit([replace(signed, disclosures=(changed.encoded, *others))])
    for some in (tuple(others), (first, *signed.disclosures)):
        with pytest.raises(InvalidInput, match="CLAIM_DIFFERS"):
            submit([replace(signed, disclosures=some)])
    assert submit([signed])


def test_nothing_is_supplied_if_one_row_has_an_invalid_value(pilot: Pilot) -> None:
    good, bad = pilot.firm(), pilot.firm()
    authorizations = {firm: pilot.authorise(firm) for firm in (good, bad)}
    rows = {good: ROWS, bad: [{**ROWS[0], "emp": "１２"}, {**ROWS[1], "emp": "viele"}]}
    with pytest.raises(InvalidInput, match="ROW_VALUE_INVALID"):
        pilot.actors.supply(rows, authorizations, lambda _: None)
    with pytest.raises(Conflict, match="NOT_ANSWERED_YET"):
        pilot.actors.issue({good: authorizations[good]})


REFUSED_REQUESTS = [
    ("FIELD_NOT_IN_SCENARIO", {"fields": ("tariff_account",)}),
    ("PERIOD_NOT_IN_SCENARIO", {"valid_to": 31 * DAY + 2_000_000_000}),
    ("PERIOD_NOT_IN_DAYS", {"valid_from": 1_900_000_000, "valid_to": 1_900_000_000 + DAY}),
    ("REQUEST_EXPIRY", {"expires_at": 1_700_000_000}),
    ("SOURCES_DO_NOT_MATCH", {"sources": {}}),
    ("USES_NOT_IN_SCENARIO", {"max_uses": 2}),
    ("CHANNEL_NOT_IN_SCENARIO", {"channel": "licensed_credit_agency"}),
    ("SCENARIO_UNKNOWN", {"scenario": "S99"}),
]


@pytest.mark.parametrize(("code", "change"), REFUSED_REQUESTS, ids=[row[0] for row in REFUSED_REQUESTS])
def test_a_request_that_exceeds_the_scenario_is_refused(pilot: Pilot, code: str, change: dict[str, object]) -> None:
    request = replace(pilot.actors.request("60"), **change)  # type: ignore[arg-type]
    with pytest.raises((InvalidInput, NotFound), match=code):
        pilot.ledger.usage.requests.draft(request, NOTE)


def test_only_a_party_of_the_scenarios_kind_can_be_the_consumer(pilot: Pilot) -> None:
    request = replace(pilot.actors.request("60"), consumer=pilot.cast.provider)
    with pytest.raises(Forbidden, match="KIND_NOT_IN_SCENARIO"):
        pilot.ledger.usage.requests.draft(request, NOTE)


def test_a_statement_changed_after_signing_is_refused(pilot: Pilot) -> None:
    firm = pilot.firm()
    (asked,) = pilot.actors.ask([pilot.actors.request(firm)])
    (draft,) = pilot.ledger.usage.authorizations.draft(asked)
    subject = pilot.cast.firms[firm]
    signed = pilot.actors.sign(subject, draft.entry)
    with pytest.raises(Forbidden, match="SIGNER_NOT_SUBJECT"):
        pilot.ledger.usage.authorizations.submit([{**signed, "iat": signed["iat"] - 1}])
    other = pilot.actors.sign(subject, draft.entry | {"notice_digest": "sha-256:" + "0" * 64})
    with pytest.raises(InvalidInput, match="NOTICE_DIFFERS"):
        pilot.ledger.usage.authorizations.submit([other])


def test_a_check_after_a_failure_is_reported_as_not_reached(pilot: Pilot) -> None:
    firm = pilot.firm()
    bundle, _ = pilot.present(firm, pilot.certificate(firm))
    raw = bundle.to_bytes().replace(b"pingzheng-bundle/2", b"pingzheng-bundle/9")
    report = pilot.ledger.verification.verify(raw, Expectation()).report
    assert [check.verdict for check in report.checks] == [Verdict.FAILED, *[Verdict.NOT_REACHED] * 10]
