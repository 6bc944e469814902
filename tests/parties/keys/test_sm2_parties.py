"""An installation with the SM2/SM3 suite: parties sign with SM2 or ES256K, and one verify call handles both."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.chain.accounts import account_of_public_key, new_private_key, public_key_of
from ledger.chain.sending.calls import change_key, confirm, propose
from ledger.chain.sending.proposals import proposal_of
from ledger.demo.actors import NOTE
from ledger.demo.data.cast import assemble
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger, open_ledger
from ledger.parties.custody import new_key, signer_of_key
from ledger.parties.keys.possession import possession_of
from ledger.proof.jws import Signer, Sm2Signer, public_jwk, sign_entry
from ledger.proof.report import Report, Verdict
from ledger.proof.sdjwt import parse_certificate
from ledger.proof.suites import sm2
from ledger.proof.suites.suite import ES256K, SM2SM3
from ledger.proof.verifier import Expectation
from ledger.usage.authorizations import Choice
from tests.support.actors.credit_bureau import FIELDS, SCENARIO
from tests.support.actors.pilots import SUPPLIED, Pilot
from tests.support.actors.signatures import is_word_of
from tests.support.bundles.without_sm3 import no_sm3

pytestmark = pytest.mark.slow

FIRMS = ["1", "2", "3", "4"]
GENUINE = 6


def fresh() -> Sm2Signer:
    signer = signer_of_key(new_key(SM2SM3))
    assert isinstance(signer, Sm2Signer)
    return signer


def bound(ledger: Ledger, party: str) -> Sm2Signer:
    """Bind a new key to the party, in addition to its present key."""
    signer = fresh()
    ledger.parties.keys.bind(ledger.authority, party, signer.public_key, proof(ledger, party, signer))
    return signer


def proof(ledger: Ledger, party: str, signer: Signer) -> str:
    return possession_of(ledger.reader.chain, signer, ledger.reader.party_no(party))


def accepted(pilot: Pilot, number: str, holder: Signer) -> Report:
    nonce = pilot.ledger.verification.new_nonce()
    bundle = pilot.ledger.certificates.bundles.present(
        number, FIELDS, pilot.cast.bank, nonce, holder, pilot.ledger.clock()
    )
    return pilot.ledger.verification.accept(pilot.actor(pilot.cast.bank), bundle.to_bytes(), nonce).report


def genuine(report: Report) -> bool:
    return all(check.verdict is Verdict.PASSED for check in report.checks[:GENUINE])


def suite_of(ledger: Ledger, number: str) -> tuple[str, str]:
    """Return the certificate's signature algorithm and the digest algorithm of its disclosures."""
    presented = parse_certificate(ledger.certificates.bundles.build(number).certificate)
    return presented.issued.suite.alg, presented.algorithm


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sm")


@pytest.fixture(scope="module")
def pilot(home: Path) -> Iterator[Pilot]:
    """A ledger that started with ES256K, issued one certificate, and now signs with SM2."""
    with create_ledger(Settings(home=home)) as ledger:
        cast, now = assemble(ledger, FIRMS), ledger.clock()
        scenarios = (SCENARIO, REGISTRATION_SCENARIO)
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, scenarios, now - 86_400, now + 10**9
        )
        older = Pilot(ledger, cast).certificate("1")
        assert suite_of(ledger, older) == ("ES256K", "sha-256")
    with open_ledger(Settings(home=home, suite="sm3-sm2")) as ledger:
        made = Pilot(ledger, assemble(ledger, FIRMS))
        report = made.accept("1", older)
        assert report.valid, report.first_failure
        yield made


def test_all_parties_sign_with_sm2_from_consent_to_presentation(pilot: Pilot) -> None:
    ledger, cast = pilot.ledger, pilot.cast
    bank, firm, provider = (bound(ledger, party) for party in (cast.bank, cast.firms["2"], cast.provider))
    asked = ledger.usage.requests.draft(pilot.actors.request("2"), NOTE)
    (request,) = ledger.usage.requests.submit([replace(asked, entry=sign_entry(asked.entry, bank))])
    (draft,) = ledger.usage.authorizations.draft(request.id, Choice(holder_key=public_jwk(firm.public_key)))
    (consent,) = ledger.usage.authorizations.submit([sign_entry(draft.entry, firm)])
    drafted = pilot.actors.draft(consent.id, SUPPLIED)
    ledger.usage.provisions.submit([replace(drafted, entry=sign_entry(drafted.entry, provider))])
    (row,) = ledger.usage.issuance.issue(ledger.actor(ledger.party), [request.id])
    ledger.anchoring.flush()
    assert suite_of(ledger, row.certificate_no) == ("SM2SM3", "sm3")
    bundle = json.loads(ledger.certificates.bundles.build(row.certificate_no).to_bytes())
    assert {key["crv"] for key in bundle["keys"].values()} == {"SM2"}
    report = accepted(pilot, row.certificate_no, firm)
    assert report.valid, report.first_failure
    assert accepted(pilot, row.certificate_no, firm).first_failure.code == "USED_UP"


def test_a_certificate_keeps_its_sm2_suite_when_the_installation_uses_es256k_again(pilot: Pilot) -> None:
    number = pilot.certificate("3")
    with pilot.under(suite="sha256-es256k") as back:
        assert suite_of(back.ledger, number) == ("SM2SM3", "sm3")
    report = pilot.accept("3", number)
    assert report.valid, report.first_failure


def test_a_certificate_uses_the_digest_algorithm_of_its_request(pilot: Pilot) -> None:
    """Providers hash claims with the algorithm that the request names. If the installation's suite changes, only later
    requests name the new algorithm.
    """
    ledger = pilot.ledger
    with pilot.under(suite="sha256-es256k") as before:
        consent = before.authorise("4")
        before.supply("4", consent)
        unsigned = before.ledger.usage.requests.draft(before.actors.request("4"), NOTE)
    number = pilot.actors.issue({"4": consent})["4"]
    ledger.anchoring.flush()
    assert suite_of(ledger, number) == ("ES256K", "sha-256")
    assert pilot.accept("4", number).valid
    signed = replace(unsigned, entry=pilot.actors.sign(pilot.cast.bank, unsigned.entry))
    with pytest.raises(InvalidInput, match="SD_ALG_DIFFERS"):
        ledger.usage.requests.submit([signed])


def test_an_sm2_withdrawal_is_an_entry_in_the_bundle(pilot: Pilot) -> None:
    """The chain cannot check an SM2 signature, so the withdrawal is an entry in the bundle. A verifier that supports
    SM2 checks the signature of this entry.
    """
    ledger, firm = pilot.ledger, pilot.cast.firms["2"]
    signer = bound(ledger, firm)
    consent = pilot.authorise("2")
    pilot.supply("2", consent)
    number = pilot.actors.issue({"2": consent})["2"]
    ledger.anchoring.flush()
    draft = ledger.usage.withdrawals.draft(consent, account=signer.kid)
    assert draft.message is None
    row = ledger.usage.withdrawals.withdraw(sign_entry(draft.entry, signer), None)
    assert ledger.reader.withdrawn_at(ledger.parties.register.get(firm).no or 0, row.digest).first == 0
    ledger.anchoring.flush()
    bundle = ledger.certificates.bundles.build(number)
    carried = [json.loads(item.entry) for item in bundle.evidence if '"type":"withdrawal"' in item.entry]
    assert [each["statement"] for each in carried] == [f"sha-256:{row.digest}"]
    assert signer.kid in bundle.keys
    report = ledger.verification.verify(bundle.to_bytes(), Expectation()).report
    assert report.checks[10].code == "AUTHORIZATION_WITHDRAWN"
    (event,) = [event for event in ledger.provenances.certificate(number).events if event["name"] == "Withdrawn"]
    assert (event["by"], event["names"]) == (firm, {"entry": "authorization", "reason": "consent_withdrawn"})


def test_registration_certificates_are_signed_with_sm2(pilot: Pilot) -> None:
    number = str(pilot.ledger.registration.registrations.get(pilot.confirmed())["certificate_no"])
    assert suite_of(pilot.ledger, number)[0] == "SM2SM3"
    assert pilot.verified(number).valid


def test_a_restart_binds_no_second_sm2_key_and_the_party_acts_with_its_earlier_key(pilot: Pilot, home: Path) -> None:
    ledger = pilot.ledger
    operator, before = ledger.installation.operator, ledger.parties.keys.history(ledger.installation.operator)
    with pilot.under() as again:
        assert [key.account for key in again.ledger.parties.keys.history(operator)] == [key.account for key in before]
    (key,) = [key for key in before if key.public_key.startswith("sm2:")]
    record = ledger.reader.account(key.account)
    assert record is not None and record.party_no == ledger.parties.register.get(operator).no
    assert key.account == account_of_public_key(key.public_key)
    assert ledger.parties.register.get(operator).public_key == next(
        each.public_key for each in before if each is not key
    )
    assert json.loads((home / "keys" / "accounts.json").read_text())[key.account].startswith("sm2:")


def test_a_binding_that_is_on_the_chain_is_completed_in_the_database_after_a_crash(pilot: Pilot) -> None:
    ledger, party, signer = pilot.ledger, pilot.cast.bank, fresh()
    authority = ledger.installation.authority_party
    row, account, shown = ledger.parties.keys._announce(
        party, signer.public_key, proof(ledger, party, signer), (SM2SM3,)
    )
    assert shown == ""
    call = change_key(row.no or 0, account)
    proposal = proposal_of(ledger.parties.keys._relayed.act_as(authority, propose(call)))
    ledger.parties.keys._relayed.act_as(ledger.installation.officers[1], confirm(proposal, call))
    for _ in range(2):
        assert ledger.parties.keys.bind(ledger.actor(authority), party, signer.public_key) is None
    assert ledger.parties.register.get(party).account == row.account
    assert [key.bound_at is not None for key in ledger.parties.keys.history(party) if key.account == account] == [True]


def test_a_service_without_the_sm2_suite_reports_the_missing_suite(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the suite the service cannot find out whose key signed. Therefore the error must not say that the key is
    unknown.
    """
    raw = pilot.ledger.certificates.bundles.build(pilot.certificate("4")).to_bytes()
    for module in ("gmalg", "gmalg.ellipticcurve", "gmalg.sm2"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(hashlib, "new", no_sm3)
    sm2._curve.cache_clear()
    failure = pilot.ledger.verification.verify(raw, Expectation()).report.first_failure
    assert failure is not None
    assert (failure.number, failure.code) == (2, "SUITE_NOT_INSTALLED")


def test_a_retired_key_signs_no_new_statements_and_its_earlier_statements_stay_valid(pilot: Pilot) -> None:
    ledger, firm = pilot.ledger, pilot.cast.firms["1"]
    signer = bound(ledger, firm)
    first, second = pilot.actors.ask([pilot.actors.request("1"), pilot.actors.request("1")])
    (draft,) = ledger.usage.authorizations.draft(first)
    (consent,) = ledger.usage.authorizations.submit([sign_entry(draft.entry, signer)])
    ledger.parties.keys.retire(ledger.actor(firm), firm, signer.kid)
    ledger.parties.keys.retire(ledger.actor(firm), firm, signer.kid)
    (later,) = ledger.usage.authorizations.draft(second)
    with pytest.raises(Forbidden, match="SIGNER_NOT_SUBJECT"):
        ledger.usage.authorizations.submit([sign_entry(later.entry, signer)])
    pilot.supply("1", consent.id)
    (row,) = ledger.usage.issuance.issue(ledger.actor(ledger.party), [first])
    ledger.anchoring.flush()
    bundle = ledger.certificates.bundles.build(row.certificate_no)
    assert ledger.verification.verify(bundle.to_bytes(), Expectation()).report.checks[10].code == "OK"


def test_a_party_must_keep_one_key_that_the_chain_can_check(pilot: Pilot) -> None:
    ledger, bank = pilot.ledger, pilot.cast.bank
    bound(ledger, bank)
    with pytest.raises(Conflict, match="PARTY_LAST_KEY"):
        ledger.parties.keys.retire(ledger.actor(bank), bank, ledger.parties.register.get(bank).account)


def test_two_authorities_bind_an_additional_sm2_key_with_a_proof_of_possession(pilot: Pilot) -> None:
    """The chain cannot check that the party possesses an SM2 key, so the party cannot bind the key alone: two
    authorities do.
    """
    ledger, bank, signer = pilot.ledger, pilot.cast.bank, fresh()
    authority, firm = ledger.installation.authority_party, pilot.cast.firms["1"]
    for wrong in (proof(ledger, bank, fresh()), proof(ledger, firm, signer)):
        with pytest.raises(InvalidInput, match="PROOF_INVALID"):
            ledger.parties.keys.bind(ledger.actor(authority), bank, signer.public_key, wrong)
    with pytest.raises(InvalidInput, match="PARTY_PROOF_MISSING"):
        ledger.parties.keys.bind(ledger.actor(bank), bank, signer.public_key, proof(ledger, bank, signer))
    row = ledger.parties.keys.bind(ledger.actor(authority), bank, signer.public_key, proof(ledger, bank, signer))
    assert row is not None
    assert (row.by, row.role, row.state) == (authority, "authority", "carried_out")
    assert is_word_of(ledger, bank, sign_entry({"type": "x"}, signer))


def test_a_lost_sm2_key_is_replaced_by_a_new_sm2_key(pilot: Pilot) -> None:
    ledger, party = pilot.ledger, pilot.cast.provider
    authority, lost, acting = (
        ledger.installation.authority_party,
        bound(ledger, party),
        ledger.parties.register.get(party),
    )
    with pytest.raises(InvalidInput, match="PUBLIC_KEY_INVALID"):
        ledger.parties.keys.recover(ledger.actor(authority), party, public_key_of(new_private_key()), lost=lost.kid)
    with pytest.raises(InvalidInput, match="PUBLIC_KEY_INVALID"):
        ledger.parties.keys.rotate(ledger.actor(party), party, fresh().public_key)
    found = fresh()
    ledger.parties.keys.recover(
        ledger.actor(authority), party, found.public_key, proof(ledger, party, found), lost=lost.kid
    )
    ledger.parties.keys.date_compromise(ledger.actor(authority), party, lost.kid, 1)
    assert ledger.parties.register.get(party).account == acting.account
    state = {key.account: (key.retired_at is None, key.compromised_at) for key in ledger.parties.keys.history(party)}
    assert (state[lost.kid], state[found.kid]) == ((False, 1), (True, None))
    assert ledger.reader.account(found.kid) is not None


def test_a_party_keeps_its_additional_key_when_it_rotates_its_first_key(pilot: Pilot) -> None:
    ledger, party = pilot.ledger, pilot.cast.firms["3"]
    further = bound(ledger, party)
    ledger.parties.keys.rotate(ledger.actor(party), party, ledger.custody.public_key(*ledger.custody.create()))
    assert ledger.parties.register.get(party).account != further.kid
    assert is_word_of(ledger, party, sign_entry({"type": "x"}, further))
    assert ledger.settings.signs_with is SM2SM3 and Settings().signs_with is ES256K
