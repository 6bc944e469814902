"""During a pause no acknowledged work is lost, and the work continues after the pause. Errors say when the
pause ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from ledger.chain.accounts import new_sm2_key
from ledger.chain.sending import calls
from ledger.domain.days import shanghai_time
from ledger.domain.powers import MAX_PAUSE, PAUSE_REST
from ledger.errors import Conflict
from ledger.installation.background import TickingThread
from ledger.parties.keys.possession import possession_of
from ledger.proof.jws import Sm2Signer, sign_entry
from tests.support.actors.officers import Powers, founded
from tests.support.actors.pilots import resource
from tests.support.actors.withdrawals import withdraw

PATIENCE = 30


@pytest.fixture(scope="module")
def powers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Powers]:
    with founded(tmp_path_factory.mktemp("paused"), firms=20) as made:
        yield made


@pytest.fixture
def pause(powers: Powers) -> Iterator[Callable[[], int]]:
    """A function that starts a pause in the supervisor's name, and returns when the pause ends (seconds UTC)."""

    def begin() -> int:
        powers.ledger.anchoring.flush()
        powers.act(powers.officers.supervisor, calls.pause())
        return powers.ledger.reader.paused_until()

    yield begin
    powers.pilot.skip(MAX_PAUSE + PAUSE_REST + 1)
    powers.ledger.anchoring.flush()


def over(powers: Powers) -> None:
    """Move the clock to the end of the pause."""
    powers.pilot.skip(MAX_PAUSE + 1)


def says_until_when(act: Callable[[], object], until: int) -> None:
    with pytest.raises(Conflict, match="PARTY_PAUSED") as caught:
        act()
    assert caught.value.details == {"until": until}
    assert shanghai_time(until) in caught.value.message
    assert shanghai_time(until) in str(caught.value.hint)


def two_officers_end_it(powers: Powers) -> None:
    number = powers.propose(powers.account(powers.officers.first), calls.end_pause())
    powers.act(powers.officers.second, calls.confirm(number, calls.end_pause()))


def test_certificates_issued_during_a_pause_are_anchored_after_the_pause(
    powers: Powers, pause: Callable[[], int]
) -> None:
    """The status of the issued certificate gives the end of the pause; the service stays ready."""
    ledger, pilot, firm = powers.ledger, powers.pilot, powers.pilot.firm()
    consent = pilot.authorise(firm)
    pilot.supply(firm, consent)
    until = pause()
    number = pilot.actors.issue({firm: consent})[firm]
    says_until_when(ledger.anchoring.flush, until)
    turn = ledger.anchoring.tick()
    assert (turn.batches, turn.gas, turn.paused_until) == (0, 0, until)
    status = ledger.verification.status(number)
    assert (status["state"], status["paused_until"]) == ("building", until)
    says_until_when(lambda: ledger.certificates.bundles.build(number), until)
    assert (ledger.inspection.head()["entries_waiting"], ledger.inspection.head()["paused_until"]) == (1, until)
    ready = ledger.inspection.readiness()["anchoring"]
    assert (ready["ok"], ready["waiting"], ready["paused_until"]) == (True, 1, until)
    assert pilot.actors.issue({firm: consent})[firm] == number
    over(powers)
    turn = ledger.anchoring.tick()
    assert (turn.batches, turn.paused_until) == (1, 0)
    assert ledger.verification.status(number)["state"] == "active"
    assert ledger.inspection.head()["entries_waiting"] == 0
    assert pilot.accept(firm, number).valid


def test_a_server_anchors_again_after_two_officers_end_the_pause(powers: Powers, pause: Callable[[], int]) -> None:
    ledger, pilot, firm = powers.ledger, powers.pilot, powers.pilot.firm()
    consent = pilot.authorise(firm)
    pilot.supply(firm, consent)
    pause()
    number = pilot.actors.issue({firm: consent})[firm]
    turns: list[int] = []

    def tick() -> None:
        turns.append(ledger.anchoring.tick().paused_until)

    thread = TickingThread("anchoring", tick, interval=0.05)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while not any(turns) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert ledger.verification.status(number)["state"] == "building"
        two_officers_end_it(powers)
        while ledger.verification.status(number)["state"] == "building" and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        thread.stop()
    assert any(turns) and turns[-1] == 0
    assert pilot.accept(firm, number).valid


def test_an_application_filed_during_a_pause_is_registered_after_the_pause(
    powers: Powers, pause: Callable[[], int]
) -> None:
    """The application was acknowledged with an asset id. The asset keeps this id, even if the application is submitted
    a second time.
    """
    ledger, provider = powers.ledger, powers.cast.provider
    until, wanted = pause(), resource("paused/1")
    (asset,) = ledger.registration.registrations.submit(ledger.actor(provider), [wanted]).accepted
    says_until_when(lambda: ledger.registration.registrations.register([asset]), until)
    assert ledger.registration.registrations.get(asset)["state"] == "submitted"
    assert ledger.registration.registrations.submit(ledger.actor(provider), [wanted]).accepted == (asset,)
    over(powers)
    ledger.registration.registrations.register([asset])
    assert powers.pilot.record(asset).state == "applied"


def test_applications_are_reviewed_during_a_pause_and_confirmed_after_the_pause(
    powers: Powers, pause: Callable[[], int]
) -> None:
    ledger, pilot, registrar = powers.ledger, powers.pilot, powers.cast.registrar
    (asset,) = pilot.applied("paused/2")
    pilot.noticed([asset])
    pilot.after_notice([asset])
    (other,) = pilot.applied("paused/3")
    until = pause()
    ledger.registration.review.accept(ledger.actor(registrar), [other])
    says_until_when(lambda: ledger.registration.review.confirm(ledger.actor(registrar), [asset]), until)
    over(powers)
    ledger.registration.review.confirm(ledger.actor(registrar), [asset])
    assert pilot.report(asset).valid
    assert pilot.record(other).stage == "accepted"


def test_a_consent_is_withdrawn_during_a_pause(powers: Powers, pause: Callable[[], int]) -> None:
    """Verifiers see the withdrawal at once. A certificate that was not anchored before the pause is revoked after the
    pause.
    """
    ledger, pilot = powers.ledger, powers.pilot
    first, second = pilot.firm(), pilot.firm()
    anchored = pilot.certificate(first)
    waiting = pilot.authorise(second)
    pilot.supply(second, waiting)
    pause()
    number = pilot.actors.issue({second: waiting})[second]
    (consent, *_) = ledger.usage.authorizations.page(powers.cast.firms[first], None, 1)
    for each in (consent.id, waiting):
        assert withdraw(pilot.actors, each).state == "withdrawn"
    assert ledger.verification.status(anchored)["state"] == "revoked"
    assert ledger.verification.status(number)["state"] == "building"
    ledger.usage.direct_withdrawals.follow()
    over(powers)
    ledger.anchoring.tick()
    assert pilot.accept(second, number).first_failure is not None
    ledger.usage.direct_withdrawals.follow()
    assert ledger.verification.status(number)["state"] == "revoked"
    assert ledger.usage.direct_withdrawals.follow() == []


def test_a_withdrawal_by_an_sm2_key_is_anchored_after_the_pause(powers: Powers, pause: Callable[[], int]) -> None:
    """The chain cannot check signatures of an SM2 key, so the withdrawal is a log entry, anchored after the pause. The
    issuer revokes the certificate at once.
    """
    ledger, pilot, firm = powers.ledger, powers.pilot, powers.pilot.firm()
    party, signer = powers.cast.firms[firm], Sm2Signer(new_sm2_key())
    proof = possession_of(ledger.reader.chain, signer, ledger.reader.party_no(party))
    ledger.parties.keys.bind(ledger.authority, party, signer.public_key, proof)
    powers.pass_delay()
    ledger.proposals.tick()
    number = pilot.certificate(firm)
    (consent, *_) = ledger.usage.authorizations.page(party, None, 1)
    pause()
    entry = sign_entry(ledger.usage.withdrawals.draft(consent.id, signer.kid).entry, signer)
    assert ledger.usage.withdrawals.withdraw(entry, None).state == "withdrawn"
    assert ledger.verification.status(number)["state"] == "revoked"
    assert ledger.inspection.head()["entries_waiting"] == 1
    over(powers)
    assert ledger.anchoring.tick().batches == 1
    report = powers.judged(number, powers.actors.signer_of(party))
    assert [check.code for check in report.checks if check.number in (8, 11)] == ["REVOKED", "AUTHORIZATION_WITHDRAWN"]


def test_an_asset_transferred_during_a_pause_gets_its_certificate_after_the_pause(
    powers: Powers, pause: Callable[[], int]
) -> None:
    ledger, pilot, bank = powers.ledger, powers.pilot, powers.cast.bank
    asset = pilot.confirmed()
    old = str(ledger.registration.registrations.get(asset)["certificate_no"])
    pause()
    ledger.registration.transfers.offer(ledger.actor(powers.cast.provider), asset, bank)
    accepted = ledger.registration.transfers.accept(ledger.actor(bank), asset)
    assert (pilot.record(asset).holder, accepted.certificate.subject) == (bank, bank)
    assert ledger.verification.status(accepted.certificate.certificate_no)["state"] == "building"
    over(powers)
    place = ledger.certificates.status.position(old)
    assert ledger.reader.status_of(place).state == "active"
    assert ledger.verification.status(old)["state"] == "superseded"
    assert [row.certificate_no for row in ledger.registration.transfers.follow()] == [
        accepted.certificate.certificate_no
    ]
    assert ledger.reader.status_of(place).state == "superseded"
    assert ledger.verification.status(old)["state"] == "superseded"
    assert pilot.verified(accepted.certificate.certificate_no).valid
    assert ledger.registration.transfers.follow() == []
