"""Enrolment: a party without a key is not on the chain until it has submitted its first key with a one-time code."""

from __future__ import annotations

from itertools import count

import pytest

from ledger.chain.accounts import account_of_public_key
from ledger.domain.codes import synthetic_resident_id
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound, PingzhengError, Unauthenticated
from ledger.installation.wiring import Ledger
from ledger.parties.access.tables import Enrolment
from ledger.parties.custody import new_key, signer_of_key
from ledger.parties.keys.enrolments import SECONDS, EnrolmentCode, Enrolments
from ledger.parties.keys.possession import possession_of
from ledger.parties.newcomers import NewParty
from ledger.parties.roles import Actor
from ledger.proof.jws import Signer
from ledger.proof.suites.suite import ES256, ES256K, SM2SM3
from tests.support.actors.pilots import Pilot
from tests.support.actors.signing_in import HERE, signed_in
from tests.support.ledgers.waiting_ledger import at_once, officers

_SERIALS = count(700)


def keyless(ledger: Ledger, key: str = "", proof: str = "", serial: int | None = None) -> str:
    """Onboard a new person, without a key unless the test gives one, and return the party id."""
    number = synthetic_resident_id(next(_SERIALS) if serial is None else serial)
    (row,) = ledger.parties.onboarding.onboard(
        ledger.authority, [NewParty(PartyKind.PERSON, "某人", number, "440881", key, proof=proof)]
    )
    return row.id


def office(ledger: Ledger) -> Actor:
    return ledger.authority


def code_for(ledger: Ledger, party: str) -> str:
    return ledger.parties.enrolments.issue(office(ledger), party).code


def a_key(suite: object = ES256K) -> Signer:
    """Return a signer whose key the installation does not keep."""
    return signer_of_key(new_key(suite))  # type: ignore[arg-type]


def proof_of(ledger: Ledger, signer: Signer) -> str:
    return possession_of(ledger.reader.chain, signer)


def test_a_party_without_a_key_is_recorded_in_the_database_but_not_on_the_chain(pilot: Pilot) -> None:
    ledger = pilot.ledger
    party = keyless(ledger)
    row = ledger.parties.register.get(party)
    assert (row.no, row.listed, row.present_account, row.present_key) == (None, None, None, None)
    assert ledger.reader.party_no(party) == 0
    assert ledger.parties.onboarding.pending(party) is None
    assert ledger.parties.onboarding.complete() == []
    with pytest.raises(Conflict, match="PARTY_WITHOUT_KEY"):
        _ = row.account
    with pytest.raises(Conflict, match="PARTY_NOT_ON_CHAIN"):
        ledger.actor(party)


def test_a_first_key_registers_its_party_and_signs_in(pilot: Pilot) -> None:
    ledger = pilot.ledger
    party, signer = keyless(ledger), a_key()
    code = code_for(ledger, party)
    enrolled = ledger.parties.enrolments.redeem(code, signer.public_key, proof_of(ledger, signer))
    assert (enrolled.party, enrolled.account, enrolled.proposal) == (party, signer.kid, None)
    assert ledger.reader.party_no(party) == ledger.parties.register.get(party).no
    assert ledger.callers.of(signed_in(ledger, party, signer).token).roles == {Role.SUBJECT}


def test_a_first_key_is_valid_only_after_two_authorities_agreed(
    waiting: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second authority has its own installation. Until this authority confirms, the first key cannot sign in."""
    first, second, _ = officers(waiting)
    party, signer = keyless(waiting), a_key()
    code = waiting.parties.enrolments.issue(Actor(first, frozenset({Role.AUTHORITY})), party).code
    monkeypatch.setattr(waiting.proposals, "_within_reach", lambda _roles: [])
    enrolled = waiting.parties.enrolments.redeem(code, signer.public_key, proof_of(waiting, signer))
    assert enrolled.proposal is not None
    assert waiting.reader.party_no(party) == 0
    with pytest.raises(Unauthenticated, match="SESSION_KEY_NOT_LIVE"):
        signed_in(waiting, party, signer)
    waiting.proposals.confirm(waiting.actor(second), enrolled.proposal)
    assert waiting.callers.of(signed_in(waiting, party, signer).token).party == party


def test_a_first_key_may_be_p256_but_not_sm2(pilot: Pilot) -> None:
    ledger = pilot.ledger
    party, phone, sm2 = keyless(ledger), a_key(ES256), a_key(SM2SM3)
    code = code_for(ledger, party)
    with pytest.raises(InvalidInput, match="PUBLIC_KEY_INVALID"):
        ledger.parties.enrolments.redeem(code, sm2.public_key, proof_of(ledger, sm2))
    ledger.parties.enrolments.redeem(code, phone.public_key, proof_of(ledger, phone))
    assert ledger.callers.of(signed_in(ledger, party, phone).token).account == phone.kid


def test_an_enrolment_code_works_once(pilot: Pilot) -> None:
    ledger = pilot.ledger
    party, signers = keyless(ledger), [a_key() for _ in range(4)]
    code = code_for(ledger, party)
    answers = at_once(
        *(
            lambda signer=signer: ledger.parties.enrolments.redeem(code, signer.public_key, proof_of(ledger, signer))
            for signer in signers
        )
    )
    refused = [answer.code for answer in answers if isinstance(answer, PingzhengError)]
    assert refused == ["ENROLMENT_UNKNOWN"] * 3
    assert len(ledger.parties.keys.history(party)) == 1


def test_an_enrolment_code_is_valid_for_one_party_and_for_a_limited_time(pilot: Pilot) -> None:
    ledger = pilot.ledger
    party, signer = keyless(ledger), a_key()
    earlier, later = code_for(ledger, party), code_for(ledger, party)
    after = Enrolments(
        ledger.database, ledger.parties.onboarding, ledger.reader.chain, lambda: ledger.clock() + SECONDS
    )
    for enrolments, code in (
        (ledger.parties.enrolments, earlier),
        (after, later),
        (ledger.parties.enrolments, "pe_" + "A" * 43),
    ):
        with pytest.raises(Unauthenticated, match="ENROLMENT_UNKNOWN"):
            enrolments.redeem(code, signer.public_key, proof_of(ledger, signer))
    assert ledger.parties.enrolments.redeem(later, signer.public_key, proof_of(ledger, signer)).party == party


def test_an_enrolment_code_is_not_stored_and_opens_no_session(pilot: Pilot) -> None:
    ledger = pilot.ledger
    issued: EnrolmentCode = ledger.parties.enrolments.issue(office(ledger), keyless(ledger))
    assert issued.expires_at - ledger.clock() <= SECONDS
    with ledger.database.read() as session:
        kept = [(row.code_digest, row.issued_by) for row in session.query(Enrolment)]
    assert all(issued.code not in row for row in kept)
    with pytest.raises(Unauthenticated, match="SESSION_UNKNOWN"):
        ledger.callers.of(issued.code)


def test_a_first_key_needs_a_proof_of_possession(pilot: Pilot) -> None:
    """A wrong proof does not use up the enrolment code, so the party may try again."""
    ledger = pilot.ledger
    party, signer, other = keyless(ledger), a_key(), a_key()
    code = code_for(ledger, party)
    for proof, refusal in (("", "PROOF_MISSING"), (proof_of(ledger, other), "PROOF_INVALID"), ("zz", "PROOF_INVALID")):
        with pytest.raises(InvalidInput, match=refusal):
            ledger.parties.enrolments.redeem(code, signer.public_key, proof)
    held = ledger.parties.register.get(pilot.cast.bank).public_key
    taken = ledger.custody.signer(account_of_public_key(held))
    with pytest.raises(Conflict, match="ACCOUNT_IN_USE"):
        ledger.parties.enrolments.redeem(code, held, proof_of(ledger, taken))
    assert ledger.parties.enrolments.redeem(code, signer.public_key, proof_of(ledger, signer)).party == party


def test_a_party_with_a_present_or_former_key_gets_no_enrolment_code(pilot: Pilot) -> None:
    """With an enrolment code for a party that has or had a key, an admin or an authority could sign in as a subject and
    read the subject's records.
    """
    ledger = pilot.ledger
    firm = pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
    closed = pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
    ledger.parties.role_changes.set_status(ledger.authority, closed, "closed", "investigation")
    reported = pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
    account = ledger.parties.register.get(reported).account
    ledger.parties.keys.report(ledger.authority, reported, account)
    enrolled, signer = keyless(ledger), a_key()
    ledger.parties.enrolments.redeem(code_for(ledger, enrolled), signer.public_key, proof_of(ledger, signer))
    for party in (firm, closed, reported, enrolled, ledger.installation.authority_party):
        with pytest.raises(Conflict, match="PARTY_HAS_KEY"):
            ledger.parties.enrolments.issue(office(ledger), party)
    with pytest.raises(NotFound, match="PARTY_UNKNOWN"):
        ledger.parties.enrolments.issue(office(ledger), "ab" * 32)


def test_only_an_authority_or_admin_can_issue_enrolment_codes(pilot: Pilot) -> None:
    ledger = pilot.ledger
    party = keyless(ledger)
    for caller in (pilot.cast.bank, pilot.cast.registrar, pilot.cast.supervisor, ledger.installation.operator):
        with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
            ledger.parties.enrolments.issue(ledger.actor(caller), party)


def test_an_enrolment_code_is_invalid_after_the_party_is_erased(pilot: Pilot) -> None:
    ledger = pilot.ledger
    party, signer = keyless(ledger), a_key()
    code = code_for(ledger, party)
    ledger.erasure.party(office(ledger), party, "court")
    with pytest.raises(Unauthenticated, match="ENROLMENT_UNKNOWN"):
        ledger.parties.enrolments.redeem(code, signer.public_key, proof_of(ledger, signer))
    with pytest.raises(Conflict, match="PARTY_ERASED"):
        ledger.parties.enrolments.issue(office(ledger), party)


def test_onboarding_a_keyless_party_again_with_a_key_proposes_that_key(pilot: Pilot) -> None:
    """As for a new party, two authorities decide about the key. The party's earlier enrolment code becomes invalid."""
    ledger = pilot.ledger
    serial = next(_SERIALS)
    party, signer, late = keyless(ledger, serial=serial), a_key(), a_key()
    code = code_for(ledger, party)
    assert keyless(ledger, serial=serial) == party
    assert keyless(ledger, signer.public_key, proof_of(ledger, signer), serial) == party
    assert ledger.parties.register.get(party).account == signer.kid
    assert ledger.reader.party_no(party) > 0
    with pytest.raises(Conflict, match="PARTY_HAS_KEY"):
        ledger.parties.enrolments.redeem(code, late.public_key, proof_of(ledger, late))


def test_a_party_without_a_key_cannot_sign_in(pilot: Pilot) -> None:
    ledger = pilot.ledger
    assert len(ledger.sessions.nonce(keyless(ledger), HERE).nonce) == 43
    with pytest.raises(Unauthenticated, match="SESSION_KEY_NOT_LIVE"):
        signed_in(ledger, keyless(ledger), a_key())
