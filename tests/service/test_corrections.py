"""A corrected certificate is a new version: both verify, each for its time, and no use is won by it."""

from __future__ import annotations

import pytest

from ledger.chain.client import ChainClient
from ledger.chain.connection import Connection
from ledger.chain.relay import Relay
from ledger.domain.holdings import HoldingsFilter
from ledger.errors import ChainUnavailable, Conflict
from ledger.proof.bundle import Position
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from ledger.service.acting import Acting
from ledger.service.corrections import Corrections
from ledger.service.positions import Positions
from ledger.service.status import CertificateStatus
from ledger.store.records import certificates_of
from tests.service.conftest import Pilot
from tests.service.persons import CONTRIBUTIONS, Desk

FALSE, TRUE = CONTRIBUTIONS[:3], CONTRIBUTIONS


@pytest.fixture(scope="module")
def desk(pilot: Pilot) -> Desk:
    return Desk(pilot)


def certified(desk: Desk, person: str) -> tuple[str, str]:
    """A certificate on data that is wrong, and the authorization that it rests on."""
    request, given = desk.authorised(person)
    consent = given["social_insurance"].id
    desk.answer({consent: desk.supplied(FALSE)})
    (issued,) = desk.certify([request])
    desk.ledger.anchoring.flush()
    return issued.certificate_no, consent


def verified(desk: Desk, number: str, at: int | None = None) -> Report:
    nonce = desk.ledger.verification.new_nonce()
    raw = desk.show(number, nonce).to_bytes()
    return desk.ledger.verification.verify(raw, Expectation(consumer=desk.bank, nonce=nonce), at).report


def test_a_correction_makes_a_new_version_and_both_verify(desk: Desk, pilot: Pilot) -> None:
    old, consent = certified(desk, desk.person())
    with pytest.raises(Conflict, match="NOTHING_CORRECTED"):
        desk.ledger.corrections.correct(old)
    before = desk.ledger.clock()
    pilot.skip(60)
    (provision,) = desk.answer({consent: desk.supplied(TRUE)})
    assert provision.number == 2
    new = desk.ledger.corrections.correct(old)
    assert (new.version, new.supersedes) == (2, old)
    assert desk.ledger.corrections.correct(old).certificate_no == new.certificate_no
    now = verified(desk, old)
    assert (now.result, now.checks[7].code) == ("revoked", "SUPERSEDED")
    then = verified(desk, old, at=before)
    assert then.valid and then.disclosed["months_paid"] == 3
    corrected = verified(desk, new.certificate_no)
    assert corrected.valid and corrected.disclosed["months_paid"] == 10
    assert corrected.claims["supersedes"].startswith("sha-256:")


def test_a_correction_gives_no_use_back(desk: Desk) -> None:
    old, consent = certified(desk, desk.person())
    assert desk.accepted(old).valid
    desk.answer({consent: desk.supplied(TRUE)})
    with pytest.raises(Conflict, match="USED_UP"):
        desk.ledger.corrections.correct(old)


def test_only_a_correction_may_follow_what_was_supplied(desk: Desk) -> None:
    _, consent = certified(desk, desk.person())
    second, third = (desk.ledger.provisions.draft(consent, desk.supplied(TRUE)) for _ in range(2))
    provider = second.entry["provider"]
    (row,) = desk.answer({consent: desk.supplied(TRUE)})
    assert row.number == 2
    for stale in (second, third):
        signed = desk.sign(provider, stale.entry)
        with pytest.raises(Conflict, match="ALREADY_SUPPLIED"):
            desk.ledger.provisions.submit([type(stale)(signed, stale.rows, stale.salt)])


class UsedMeanwhile(Positions):
    """The bank uses the old version while the new one is being anchored."""

    def __init__(self, desk: Desk, old: str) -> None:
        super().__init__(desk.ledger.database, desk.ledger.anchoring)
        self._desk, self._old, self._asked = desk, old, 0

    def wait(self, leaf: str) -> Position:
        self._asked += 1
        if self._asked == 2:
            assert self._desk.accepted(self._old).valid
        return super().wait(leaf)


def test_a_use_while_it_is_corrected_is_not_given_twice(desk: Desk) -> None:
    ledger, (old, consent) = desk.ledger, certified(desk, desk.person())
    desk.answer({consent: desk.supplied(TRUE)})
    positions = UsedMeanwhile(desk, old)
    corrections = Corrections(ledger.database, ledger.reader, ledger.issuance, positions, ledger.status)
    for _ in range(2):
        with pytest.raises(Conflict, match="USED_UP"):
            corrections.correct(old)
    with ledger.database.read() as session:
        new = certificates_of(session, ledger.authorizations.get(consent).request_id)[-1].certificate_no
    assert new != old and ledger.verification.status(new)["state"] == "revoked"
    with pytest.raises(Conflict, match="CORRECTION_UNFINISHED"):
        desk.accepted(new)


@pytest.mark.parametrize("used", [False, True])
def test_a_correction_that_breaks_off_leaves_one_version_to_use(desk: Desk, used: bool) -> None:
    """The new one is anchored, then the node is gone before the old one is ended."""
    ledger, person = desk.ledger, desk.person()
    old, consent = certified(desk, person)
    desk.answer({consent: desk.supplied(TRUE)})
    gone = ChainClient(Connection("http://127.0.0.1:9"), ledger.client.deployment, "11" * 32)
    acting = Acting(Relay(gone), ledger.custody, ledger.database, ledger.clock)
    status = CertificateStatus(ledger.database, gone, acting, ledger.positions, ledger.installation.operator)
    broken = Corrections(ledger.database, ledger.reader, ledger.issuance, ledger.positions, status)
    with pytest.raises(ChainUnavailable):
        broken.correct(old)
    with ledger.database.read() as session:
        new = certificates_of(session, ledger.authorizations.get(consent).request_id)[-1].certificate_no
    with pytest.raises(Conflict, match="CORRECTION_UNFINISHED"):
        desk.accepted(new)
    assert ledger.holder_bundles.all(person, HoldingsFilter()).left_out == (new,)
    if used:
        assert desk.accepted(old).valid
        with pytest.raises(Conflict, match="USED_UP"):
            ledger.corrections.correct(old)
        with pytest.raises(Conflict, match="CORRECTION_UNFINISHED"):
            desk.accepted(new)
    else:
        assert desk.accepted(ledger.corrections.correct(old).certificate_no).valid


@pytest.mark.parametrize(("move", "reason"), [("suspend", "investigation"), ("revoke", "fraud")])
def test_no_correction_goes_round_who_stopped_it(desk: Desk, move: str, reason: str) -> None:
    old, consent = certified(desk, desk.person())
    getattr(desk.ledger.status, move)(old, reason, desk.supervisor)
    desk.answer({consent: desk.supplied(TRUE)})
    with pytest.raises(Conflict, match="CERTIFICATE_STOPPED"):
        desk.ledger.corrections.correct(old)
    if move == "suspend":
        desk.ledger.status.resume(old, "lifted", desk.supervisor)
        assert desk.accepted(desk.ledger.corrections.correct(old).certificate_no).valid


def test_what_was_ended_for_wrong_data_is_corrected(desk: Desk) -> None:
    old, consent = certified(desk, desk.person())
    desk.ledger.status.revoke(old, "data_error")
    desk.answer({consent: desk.supplied(TRUE)})
    assert desk.accepted(desk.ledger.corrections.correct(old).certificate_no).disclosed["months_paid"] == 10
