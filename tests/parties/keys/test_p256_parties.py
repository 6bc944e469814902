"""Parties with only a P-256 key, and a platform that signs with ES256, from the request to the withdrawal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ledger.demo.data.cast import assemble
from ledger.domain.codes import synthetic_uscc
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger
from ledger.parties.newcomers import NewParty
from ledger.proof.jws import sign_entry
from ledger.proof.sdjwt import parse_certificate
from ledger.proof.suites.suite import ES256, ES256K
from tests.support.actors.credit_bureau import SCENARIO, CreditBureau
from tests.support.actors.pilots import SUPPLIED, Pilot
from tests.support.actors.signatures import is_word_of
from tests.support.actors.withdrawals import withdraw
from tests.support.chain.reads import state_of

pytestmark = pytest.mark.slow

FIRM = "1"


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilot]:
    """A pilot whose platform signs with ES256."""
    with create_ledger(Settings(home=tmp_path_factory.mktemp("p256"), suite="sha256-es256")) as ledger:
        cast, now = assemble(ledger, [FIRM]), ledger.clock()
        scenarios = (SCENARIO, REGISTRATION_SCENARIO)
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, scenarios, now - 86_400, now + 10**9
        )
        yield Pilot(ledger, cast)


def newcomer(ledger: Ledger, serial: int, kind: PartyKind, *roles: Role) -> str:
    """Return a new party with only a P-256 key."""
    (account,) = ledger.custody.create(suite=ES256)
    key = ledger.custody.public_key(account)
    assert key.startswith("p256:")
    uscc = synthetic_uscc("440800", serial)
    (row,) = ledger.parties.onboarding.onboard(
        ledger.authority, [NewParty(kind, f"P-256 {serial}", uscc, "440800", key, frozenset(roles))]
    )
    assert (row.account, row.public_key) == (account, key)
    return row.id


@pytest.fixture(scope="module")
def actors(pilot: Pilot) -> CreditBureau:
    """A bank, a provider and a firm with only P-256 keys."""
    ledger, cast = pilot.ledger, pilot.cast
    firm = newcomer(ledger, 9_701, PartyKind.ENTERPRISE, Role.SUBJECT)
    bank = newcomer(ledger, 9_702, PartyKind.BANK, Role.CONSUMER)
    kind = PartyKind(ledger.parties.register.get(cast.provider).kind)
    provider = newcomer(ledger, 9_703, kind, Role.PROVIDER)
    return CreditBureau(ledger, replace(cast, firms={FIRM: firm}, bank=bank, provider=provider))


def certified(actors: CreditBureau) -> tuple[str, str]:
    """Issue a certificate. Return the certificate's number and the id of its authorization."""
    consent = actors.authorise([FIRM], lambda _: None)[FIRM]
    actors.answer({consent: SUPPLIED})
    number = actors.issue({FIRM: consent})[FIRM]
    actors.ledger.anchoring.flush()
    return number, consent


def test_all_parties_sign_with_es256_from_request_to_withdrawal(actors: CreditBureau) -> None:
    ledger, cast = actors.ledger, actors.cast
    number, consent = certified(actors)
    bundle = ledger.certificates.bundles.build(number)
    presented = parse_certificate(bundle.certificate)
    assert (presented.issued.suite, presented.algorithm) == (ES256, "sha-256")
    assert {key.crv for key in bundle.keys.values()} == {"P-256"}
    nonce = ledger.verification.new_nonce()
    raw = actors.show(number, nonce).to_bytes()
    report = ledger.verification.accept(ledger.actor(cast.bank), raw, nonce).report
    assert report.valid, report.first_failure
    assert report.disclosed["years_covered"] == 2
    place = ledger.positions.wait(ledger.usage.holdings.get(number).digest)
    withdraw(actors, consent)
    assert state_of(ledger.reader, place) == "revoked"
    subject = ledger.parties.register.get(cast.firms[FIRM])
    assert ledger.reader.withdrawn_at(subject.no or 0, ledger.usage.authorizations.get(consent).digest).first > 0
    again = actors.show(number, "again").to_bytes()
    assert ledger.verification.check(ledger.actor(cast.bank), again, "again").report.result == "revoked"


def test_a_consent_signed_with_another_partys_p256_key_is_refused(actors: CreditBureau) -> None:
    ledger, cast = actors.ledger, actors.cast
    (request,) = actors.ask([actors.request(FIRM)])
    (draft,) = ledger.usage.authorizations.draft(request)
    (stranger,) = ledger.custody.create(suite=ES256)
    with pytest.raises(Forbidden, match="SIGNER_NOT_SUBJECT"):
        ledger.usage.authorizations.submit([sign_entry(draft.entry, ledger.custody.signer(stranger))])
    assert ledger.usage.authorizations.submit([actors.sign(cast.firms[FIRM], draft.entry)])


def test_a_party_with_only_a_p256_key_cannot_act_on_the_chain(pilot: Pilot) -> None:
    """After an authority has bound a secp256k1 key to the party too, the party can act on the chain. Statements that it
    signs with either of its two keys are valid.
    """
    ledger = pilot.ledger
    provider = newcomer(ledger, 9_705, PartyKind.UTILITY, Role.PROVIDER)
    first = ledger.parties.register.get(provider)
    asset = pilot.confirmed()
    with pytest.raises(Conflict, match="KEY_CANNOT_ACT"):
        ledger.registration.transfers.accept(ledger.actor(provider), asset)
    with pytest.raises(Conflict, match="KEY_CANNOT_ACT"):
        ledger.parties.keys.rotate(
            ledger.actor(provider), provider, ledger.custody.public_key(*ledger.custody.create())
        )
    (account,) = ledger.custody.create()
    authority = ledger.installation.authority_party
    ledger.parties.keys.bind(ledger.actor(authority), provider, ledger.custody.public_key(account))
    row = ledger.parties.register.get(provider)
    assert (row.account, row.public_key) == (account, ledger.custody.public_key(account))
    ledger.registration.transfers.offer(ledger.actor(pilot.cast.provider), asset, provider)
    ledger.registration.transfers.accept(ledger.actor(provider), asset)
    assert pilot.record(asset).holder == provider
    entry = {"type": "x"}
    for signer in (ledger.custody.signer(first.account), ledger.custody.signer(account)):
        assert is_word_of(ledger, provider, sign_entry(entry, signer))


def test_a_lost_p256_key_is_replaced_by_a_new_p256_key(pilot: Pilot) -> None:
    ledger, authority = pilot.ledger, pilot.ledger.installation.authority_party
    party = newcomer(ledger, 9_704, PartyKind.ENTERPRISE, Role.SUBJECT)
    lost = ledger.parties.register.get(party)
    (other,) = ledger.custody.create()
    with pytest.raises(InvalidInput, match="PUBLIC_KEY_INVALID"):
        ledger.parties.keys.recover(ledger.actor(authority), party, ledger.custody.public_key(other))
    (found,) = ledger.custody.create(suite=ES256)
    ledger.parties.keys.recover(ledger.actor(authority), party, ledger.custody.public_key(found))
    ledger.parties.keys.date_compromise(ledger.actor(authority), party, lost.account, ledger.clock())
    row = ledger.parties.register.get(party)
    assert (row.account, row.no) == (found, lost.no)
    entry = {"type": "x"}
    assert not is_word_of(ledger, party, sign_entry(entry, ledger.custody.signer(lost.account)))
    assert is_word_of(ledger, party, sign_entry(entry, ledger.custody.signer(found)))


def test_registration_certificates_are_signed_with_es256(pilot: Pilot) -> None:
    number = str(pilot.ledger.registration.registrations.get(pilot.confirmed())["certificate_no"])
    assert parse_certificate(pilot.ledger.certificates.bundles.build(number).certificate).issued.suite is ES256
    assert pilot.verified(number).valid


def test_es256k_and_es256_sign_the_same_certificate_payload(pilot: Pilot) -> None:
    """The installation's suite decides how a bundle is signed. The payload that ES256K and ES256 sign is the same."""
    number = pilot.certificate(FIRM)
    with pilot.under(suite="sha256-es256k") as other:
        earlier = parse_certificate(other.ledger.certificates.bundles.build(number).certificate).issued
    later = parse_certificate(pilot.ledger.certificates.bundles.build(number).certificate).issued
    assert (earlier.suite, later.suite) == (ES256K, ES256)
    assert earlier.payload == later.payload
