"""If a key is replaced, lost or stolen, the party keeps its assets, and earlier signatures stay valid."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.chain.accounts import account_of_public_key, new_private_key, public_key_of
from ledger.chain.sending.calls import carry_out, change_key, pause, propose
from ledger.chain.sending.proposals import proposal_of
from ledger.chain.sending.relay import ForwardRequest, sign_request
from ledger.demo.data.cast import assemble
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.installation.local_chain import LocalClock
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger, open_ledger
from ledger.parties.custody import signer_of_key
from ledger.parties.keys.possession import possession_of
from ledger.proof.jws import sign_entry
from ledger.proof.report import Check, Report, Verdict
from ledger.proof.verifier import Expectation
from tests.support.actors.credit_bureau import SCENARIO
from tests.support.actors.pilots import SUPPLIED, Pilot, resource

pytestmark = pytest.mark.slow

GENUINE = 6


def fresh_key(ledger: Ledger) -> str:
    """Return a new public key, whose private key the installation keeps."""
    (account,) = ledger.custody.create()
    return ledger.custody.public_key(account)


def rotated(ledger: Ledger, party: str) -> str:
    """Rotate the party's key, and return the retired account."""
    old = ledger.parties.register.get(party).account
    ledger.parties.keys.rotate(ledger.actor(party), party, fresh_key(ledger))
    return old


def chain_time(ledger: Ledger) -> int:
    return ledger.reader.latest().time


def confirmed(pilot: Pilot, code: str) -> str:
    """Return an asset of the provider, registered after its public notice."""
    ledger, registrar = pilot.ledger, pilot.actor(pilot.cast.registrar)
    (asset,) = ledger.registration.registrations.submit(pilot.actor(pilot.cast.provider), [resource(code)]).accepted
    ledger.registration.registrations.register([asset])
    for step in (
        ledger.registration.review.accept,
        ledger.registration.review.review,
        ledger.registration.review.notice,
    ):
        step(registrar, [asset])
    record = ledger.reader.asset(asset)
    assert record is not None
    LocalClock(ledger.settings).skip(ledger.reader.connection, record.until + 1 - ledger.clock())
    ledger.registration.review.confirm(registrar, [asset])
    ledger.anchoring.flush()
    return asset


def next_second(ledger: Ledger) -> int:
    """Wait until the chain's time is one second later, and return this later time."""
    due = chain_time(ledger) + 1
    while ledger.clock() < due:
        time.sleep(0.05)
    return due


def judged(ledger: Ledger, number: str) -> Report:
    """Return the report of a verifier who checks the certificate now, without a presentation by its holder."""
    return ledger.verification.verify(ledger.certificates.bundles.build(number).to_bytes(), Expectation()).report


def check(report: Report, number: int) -> Check:
    return report.checks[number - 1]


def genuine(report: Report) -> bool:
    return all(each.verdict is Verdict.PASSED for each in report.checks[:GENUINE])


def test_assets_stay_with_the_party_after_a_rotation_of_its_key(pilot: Pilot) -> None:
    ledger, bank, provider = pilot.ledger, pilot.cast.bank, pilot.cast.provider
    asset = confirmed(pilot, "kept-by-rotation")
    old = rotated(ledger, provider)
    assert ledger.registration.registrations.get(asset)["holder"] == provider
    with pytest.raises(Forbidden, match="PARTY_UNKNOWN_ACCOUNT"):
        ledger.registration.transfers._acting.act(old, pause())
    ledger.registration.transfers.offer(ledger.actor(provider), asset, bank)
    rotated(ledger, bank)
    ledger.registration.transfers.accept(ledger.actor(bank), asset)
    assert ledger.registration.registrations.get(asset)["holder"] == bank


def test_assets_stay_with_the_party_after_a_recovery_of_its_key(pilot: Pilot) -> None:
    ledger, authority, bank = pilot.ledger, pilot.ledger.installation.authority_party, pilot.cast.bank
    asset = confirmed(pilot, "kept-by-recovery")
    provider = pilot.cast.provider
    lost = ledger.parties.register.get(provider).account
    ledger.parties.keys.recover(ledger.actor(authority), provider, fresh_key(ledger))
    assert ledger.parties.register.get(provider).account != lost
    ledger.registration.transfers.offer(ledger.actor(provider), asset, bank)
    with pytest.raises(Forbidden, match="PARTY_UNKNOWN_ACCOUNT"):
        ledger.registration.transfers._acting.act(lost, pause())
    ledger.registration.transfers.withdraw(ledger.actor(provider), asset)
    assert ledger.registration.registrations.get(asset)["holder"] == provider


def test_certificate_verifies_after_subject_and_provider_rotated_their_keys(pilot: Pilot) -> None:
    ledger, firm = pilot.ledger, pilot.firm()
    number = pilot.certificate(firm)
    bundle, nonce = pilot.present(firm, number)
    old = [rotated(ledger, party) for party in (pilot.cast.firms[firm], pilot.cast.provider)]
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)
    report = ledger.verification.verify(bundle.to_bytes(), expect).report
    assert report.valid, report.first_failure
    again = ledger.certificates.bundles.build(number)
    assert set(old) <= again.keys.keys()
    assert genuine(judged(ledger, number))
    assert check(judged(ledger, number), 11).code == "OK"


def test_signed_statements_are_anchored_before_their_key_is_retired(pilot: Pilot) -> None:
    ledger, firm = pilot.ledger, pilot.firm()
    authorization = pilot.authorise(firm)
    rotated(ledger, pilot.cast.firms[firm])
    pilot.supply(firm, authorization)
    number = pilot.actors.issue({firm: authorization})[firm]
    ledger.anchoring.flush()
    assert check(judged(ledger, number), 11).code == "OK"


def test_a_statement_signed_with_a_retired_key_is_refused(pilot: Pilot) -> None:
    ledger, firm = pilot.ledger, pilot.firm()
    authorization = pilot.authorise(firm)
    old = pilot.actors.signer_of(pilot.cast.provider)
    rotated(ledger, pilot.cast.provider)
    drafted = pilot.actors.draft(authorization, SUPPLIED)
    with pytest.raises(Forbidden, match="SIGNER_NOT_PROVIDER"):
        ledger.usage.provisions.submit([replace(drafted, entry=sign_entry(drafted.entry, old))])


def test_only_signatures_anchored_after_the_time_of_a_compromise_are_invalid(pilot: Pilot) -> None:
    ledger, authority = pilot.ledger, pilot.ledger.installation.authority_party
    first, second = pilot.firm(), pilot.firm()
    before = pilot.certificate(first)
    stolen_at = next_second(ledger)
    after = pilot.certificate(second)
    old = rotated(ledger, pilot.cast.provider)
    assert [check(judged(ledger, number), 11).code for number in (before, after)] == ["OK"] * 2
    ledger.parties.keys.date_compromise(ledger.actor(authority), pilot.cast.provider, old, stolen_at)
    codes = [check(judged(ledger, number), 11).code for number in (before, after)]
    assert codes == ["OK", "KEY_COMPROMISED"]
    with pytest.raises(InvalidInput, match="PARTY_COMPROMISE_TIME"):
        ledger.parties.keys.date_compromise(ledger.actor(authority), pilot.cast.provider, old, stolen_at + 1)
    assert known(ledger, pilot.cast.provider)[old] == stolen_at


def known(ledger: Ledger, party: str) -> dict[str, int | None]:
    return {key.account: key.compromised_at for key in ledger.parties.keys.history(party)}


def test_recording_the_compromise_of_an_active_key_counts_as_a_report_of_the_key(pilot: Pilot) -> None:
    ledger, party = pilot.ledger, pilot.cast.firms[pilot.firm()]
    account = ledger.parties.register.get(party).account
    ledger.parties.keys.date_compromise(ledger.authority, party, account, chain_time(ledger))
    (key,) = ledger.parties.keys.history(party)
    assert key.reported_at is not None
    assert key.compromised_at is not None
    assert key.retired_at is None


def test_supervisor_and_registrar_and_operator_cannot_propose_a_recovery(pilot: Pilot) -> None:
    ledger = pilot.ledger
    for other in (pilot.cast.supervisor, pilot.cast.registrar, ledger.installation.operator):
        with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
            ledger.parties.keys.recover(ledger.actor(other), pilot.cast.bank, fresh_key(ledger))


def test_a_rotation_that_is_on_the_chain_is_completed_in_the_database_after_a_crash(pilot: Pilot) -> None:
    ledger, party = pilot.ledger, pilot.cast.firms[pilot.firm()]
    row, public_key = ledger.parties.register.get(party), fresh_key(ledger)
    fresh = account_of_public_key(public_key)
    ledger.parties.keys._announce(party, public_key, "")
    number = ledger.reader.party_no(party)
    proof = possession_of(ledger.reader.chain, ledger.custody.signer(fresh), number)
    call = change_key(number, fresh, row.account, proof)
    proposal = proposal_of(ledger.registration.transfers._acting.act(row.account, propose(call)))
    ledger.client.send(carry_out(proposal, call))
    assert ledger.parties.register.get(party).account == row.account
    assert ledger.parties.keys.rotate(ledger.actor(party), party, public_key) is None
    assert ledger.parties.register.get(party).account == fresh
    retired = {key.account: key.retired_at for key in ledger.parties.keys.history(party)}
    assert retired[row.account] is not None
    assert retired[fresh] is None


def test_a_new_key_is_refused_if_it_is_or_was_a_key_of_another_party(pilot: Pilot) -> None:
    ledger, firm = pilot.ledger, pilot.cast.firms[pilot.firm()]
    old = ledger.parties.register.get(pilot.cast.bank).public_key
    for _ in range(2):
        with pytest.raises(Conflict, match="ACCOUNT_IN_USE"):
            ledger.parties.keys.rotate(ledger.actor(firm), firm, old)
        rotated(ledger, pilot.cast.bank)


def test_a_party_with_its_own_key_file_signs_its_rotation(pilot: Pilot) -> None:
    ledger, party = pilot.ledger, pilot.cast.firms[pilot.firm()]
    own, later = new_private_key(), new_private_key()
    chain, number = ledger.reader.chain, ledger.reader.party_no(party)
    proofs = {key: possession_of(chain, signer_of_key(key.hex()), number) for key in (own, later)}
    ledger.parties.keys.rotate(ledger.actor(party), party, public_key_of(own), proofs[own])
    with pytest.raises(Conflict, match="SIGNATURE_REQUIRED") as asked:
        ledger.parties.keys.rotate(ledger.actor(party), party, public_key_of(later), proofs[later])
    signed = sign_request(ForwardRequest(asked.value.details["typed_data"]), own)
    acting = replace(ledger.actor(party), signed=signed)
    ledger.parties.keys.rotate(acting, party, public_key_of(later), proofs[later])
    assert ledger.parties.register.get(party).public_key == public_key_of(later)


@pytest.mark.parametrize("proof", ["", "ab", "00" * 64, "another key's", "another party's", "a first key's"])
def test_a_new_key_without_a_proof_of_possession_is_not_proposed(pilot: Pilot, proof: str) -> None:
    ledger, party = pilot.ledger, pilot.cast.firms[pilot.firm()]
    own, other = new_private_key(), new_private_key()
    chain, number = ledger.reader.chain, ledger.reader.party_no(party)
    wrong = {"another key's": (other, number), "another party's": (own, number + 1), "a first key's": (own, 0)}
    if proof in wrong:
        key, whose = wrong[proof]
        proof = possession_of(chain, signer_of_key(key.hex()), whose)
    before = ledger.reader.proposal_count()
    with pytest.raises(InvalidInput, match="PROOF_INVALID" if proof else "PROOF_MISSING"):
        ledger.parties.keys.rotate(ledger.actor(party), party, public_key_of(own), proof)
    assert ledger.reader.proposal_count() == before


def test_a_proof_of_possession_for_another_ledger_is_refused(pilot: Pilot) -> None:
    ledger, key = pilot.ledger, new_private_key()
    elsewhere = replace(ledger.reader.chain, origin="e" * 64)
    proof = possession_of(elsewhere, signer_of_key(key.hex()), ledger.reader.party_no(pilot.cast.bank))
    with pytest.raises(InvalidInput, match="PROOF_INVALID"):
        ledger.parties.keys.rotate(ledger.actor(pilot.cast.bank), pilot.cast.bank, public_key_of(key), proof)


def test_a_renewed_accreditation_keeps_its_original_start(pilot: Pilot) -> None:
    ledger, operator = pilot.ledger, pilot.ledger.installation.operator
    number = ledger.parties.register.get(operator).no
    assert number is not None
    start, end = ledger.reader.accreditation(number, SCENARIO)
    ledger.parties.role_changes.accredit(ledger.authority, operator, [SCENARIO], start + 50, end + 50)
    assert ledger.reader.accreditation(number, SCENARIO) == (start, end + 50)
    with pytest.raises(InvalidInput, match="PARTY_PERIOD"):
        ledger.parties.role_changes.accredit(ledger.authority, operator, [SCENARIO], start, start + 1)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The folder of a separate ledger with an accredited platform. A separate ledger is needed because a ledger reads
    the platform's key only when it is opened.
    """
    with create_ledger(Settings(home=tmp_path)) as ledger:
        assemble(ledger, ["1", "2", "3", "4"])
        now = ledger.clock()
        scenarios = (SCENARIO, REGISTRATION_SCENARIO)
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, scenarios, now - 86_400, now + 10**8
        )
    yield tmp_path


def playing(ledger: Ledger) -> Pilot:
    return Pilot(ledger, assemble(ledger, ["1", "2", "3", "4"]))


def test_certificates_issued_before_and_after_a_rotation_of_the_issuers_key_verify(home: Path) -> None:
    with open_ledger(Settings(home=home)) as ledger:
        pilot = playing(ledger)
        signed, unsigned = pilot.certificate("1"), pilot.certificate("2")
        assert genuine(judged(ledger, signed))
        old = rotated(ledger, ledger.installation.operator)
    with open_ledger(Settings(home=home)) as ledger:
        assert genuine(judged(ledger, signed))
        assert genuine(judged(ledger, unsigned))
        new = playing(ledger).certificate("3")
        assert genuine(judged(ledger, new))
        signers = [check(judged(ledger, number), 2).details["kid"] for number in (signed, unsigned, new)]
        assert signers == [old, old, ledger.parties.register.get(ledger.installation.operator).account]


def test_a_certificate_signed_with_the_issuers_key_after_its_compromise_is_invalid(home: Path) -> None:
    with open_ledger(Settings(home=home)) as ledger:
        pilot, own = playing(ledger), ledger.installation
        before = pilot.certificate("1")
        stolen_at = next_second(ledger)
        signed, unsigned = pilot.certificate("2"), pilot.certificate("3")
        assert genuine(judged(ledger, signed))
        next_second(ledger)
        old = ledger.parties.register.get(own.operator).account
        ledger.parties.keys.recover(ledger.actor(own.authority_party), own.operator, fresh_key(ledger))
        ledger.parties.keys.date_compromise(ledger.actor(own.authority_party), own.operator, old, stolen_at)
        assert genuine(judged(ledger, before))
        for number in (signed, unsigned):
            assert check(judged(ledger, number), 2).code == "KEY_COMPROMISED"
    with open_ledger(Settings(home=home)) as ledger:
        assert genuine(judged(ledger, playing(ledger).certificate("4")))


def test_an_authority_acts_with_its_new_key(home: Path) -> None:
    with open_ledger(Settings(home=home)) as ledger:
        old = rotated(ledger, ledger.installation.authority_party)
    with open_ledger(Settings(home=home)) as ledger:
        authority = ledger.installation.authority_party
        assert ledger.parties.register.get(authority).account != old
        subject = playing(ledger).cast.firms["1"]
        ledger.parties.role_changes.set_status(ledger.actor(authority), subject, "suspended", "court")
        assert ledger.reader.party(ledger.parties.register.get(subject).no or 0).status == "suspended"
