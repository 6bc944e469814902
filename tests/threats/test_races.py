"""Several acts on one object at the same time: one succeeds, the others are refused with the reason, and the history is
complete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ledger.chain.sending.asset_calls import AssetRegistration, register_assets
from ledger.chain.sending.relay import Relay
from ledger.domain.days import DAY
from ledger.errors import PingzhengError
from ledger.parties.relayed_acts import RelayedActs
from ledger.proof.acts import sign_act
from ledger.proof.jws import sign_entry
from ledger.registration.certificates import RegistrationCertificates
from ledger.registration.descriptions import Descriptions
from ledger.registration.rights import NewRight
from tests.support.actors.consents import Consent
from tests.support.actors.pilots import Pilot, resource
from tests.support.actors.uses import uses
from tests.support.chain.reads import asset_by_fingerprint

WON = "won"
ROUNDS = 3
TERMS = {"amount": 200_000_000}


def together(*acts: Callable[[], object]) -> list[str]:
    """Run all acts at the same time, each in a thread; return ``won`` or the error code for each act."""
    start = Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        start.wait()
        try:
            act()
        except PingzhengError as refusal:
            return refusal.code
        return WON

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def offered(pilot: Pilot, seconds: int | None = None) -> str:
    """Return an asset with an offer to the bank; the offer lasts the given number of seconds."""
    asset = pilot.confirmed()
    deadline = None if seconds is None else pilot.ledger.clock() + seconds
    pilot.ledger.registration.transfers.offer(pilot.actor(pilot.cast.provider), asset, pilot.cast.bank, deadline)
    return asset


def granting(pilot: Pilot, asset: str, kind: str, to: str, exclusive: bool) -> Callable[[], object]:
    start = pilot.ledger.clock() + 60
    right = NewRight(kind, to, start, start + DAY, "信贷风控 Credit decisions", exclusive)
    return lambda: pilot.ledger.registration.rights.grant(pilot.actor(pilot.cast.provider), asset, right)


def acting(pilot: Pilot) -> RelayedActs:
    """Return the relay that sends a party's acts to the chain directly, without the checks of the service."""
    ledger = pilot.ledger
    return RelayedActs(Relay(ledger.client), ledger.custody, ledger.database, ledger.clock)


def names(pilot: Pilot, asset: str) -> list[str]:
    return [event["name"] for event in pilot.history(asset)]


@pytest.fixture(params=range(ROUNDS))
def again(request: pytest.FixtureRequest) -> int:
    """Repeat each race, because a different act may win each time."""
    return int(request.param)


@pytest.mark.usefixtures("again")
def test_one_of_two_concurrent_acceptances_succeeds(pilot: Pilot) -> None:
    asset, cast = offered(pilot), pilot.cast
    accept = lambda: pilot.ledger.registration.transfers.accept(pilot.actor(cast.bank), asset)  # noqa: E731
    assert sorted(together(accept, accept)) in (["ASSET_NO_OFFER", WON], [WON, WON])
    assert names(pilot, asset).count("TransferAccepted") == 1
    assert (pilot.record(asset).holder, len(pilot.certificates(asset))) == (cast.bank, 2)
    assert pilot.report(asset).valid


@pytest.mark.usefixtures("again")
def test_either_the_acceptance_or_the_withdrawal_of_an_offer_succeeds(pilot: Pilot) -> None:
    asset, cast, transfers = offered(pilot), pilot.cast, pilot.ledger.registration.transfers
    accepted, withdrawn = together(
        lambda: transfers.accept(pilot.actor(cast.bank), asset),
        lambda: transfers.withdraw(pilot.actor(cast.provider), asset),
    )
    assert (accepted, withdrawn) in ((WON, "ASSET_NOT_HOLDER"), ("ASSET_NO_OFFER", WON))
    assert pilot.record(asset).holder == (cast.bank if accepted == WON else cast.provider)
    assert pilot.record(asset).offered_to is None
    assert names(pilot, asset)[-1] == ("TransferAccepted" if accepted == WON else "TransferWithdrawn")


@pytest.mark.usefixtures("again")
def test_an_acceptance_whose_deadline_passes_meanwhile_leaves_a_consistent_history(pilot: Pilot) -> None:
    """The offer's deadline passes while the bank accepts it, and the holder then offers the asset to another party."""
    cast, transfers = pilot.cast, pilot.ledger.registration.transfers
    asset = offered(pilot, 30)

    def offer_elsewhere() -> None:
        pilot.skip(40)
        transfers.offer(pilot.actor(cast.provider), asset, cast.other_bank)

    accepted, elsewhere = together(lambda: transfers.accept(pilot.actor(cast.bank), asset), offer_elsewhere)
    late = ("ASSET_OFFER_LAPSED", "ASSET_NOT_OFFEREE")
    assert (accepted == WON and elsewhere == "ASSET_NOT_HOLDER") or (accepted in late and elsewhere == WON)
    record = pilot.record(asset)
    assert (record.holder, record.offered_to) == (
        (cast.bank, None) if accepted == WON else (cast.provider, cast.other_bank)
    )
    assert names(pilot, asset).count("TransferAccepted") == (accepted == WON)


def test_an_offer_cannot_be_accepted_one_second_after_its_deadline(pilot: Pilot) -> None:
    asset = offered(pilot, 30)
    pilot.skip(31)
    assert together(lambda: pilot.ledger.registration.transfers.accept(pilot.actor(pilot.cast.bank), asset)) == [
        "ASSET_OFFER_LAPSED"
    ]


@pytest.mark.usefixtures("again")
def test_a_freeze_succeeds_during_a_transfer(pilot: Pilot) -> None:
    """The freeze succeeds whether or not the asset is transferred first. The history shows which act came first."""
    asset, cast, transfers = offered(pilot), pilot.cast, pilot.ledger.registration.transfers
    accepted, frozen = together(
        lambda: transfers.accept(pilot.actor(cast.bank), asset),
        lambda: transfers.freeze(pilot.actor(cast.supervisor), asset, "court"),
    )
    assert frozen == WON
    assert accepted in (WON, "ASSET_FROZEN")
    last = ["TransferAccepted", "Frozen"] if accepted == WON else ["TransferOffered", "Frozen"]
    assert names(pilot, asset)[-2:] == last
    assert pilot.record(asset).holder == (cast.bank if accepted == WON else cast.provider)
    assert pilot.report(asset).result == "refused"


@pytest.mark.usefixtures("again")
def test_either_a_pledge_or_a_simultaneous_acceptance_succeeds(pilot: Pilot) -> None:
    asset, cast = offered(pilot), pilot.cast
    accepted, pledged = together(
        lambda: pilot.ledger.registration.transfers.accept(pilot.actor(cast.bank), asset),
        lambda: pilot.ledger.registration.liens.pledge(pilot.actor(cast.provider), asset, cast.other_bank, TERMS),
    )
    assert (accepted, pledged) in ((WON, "ASSET_NOT_HOLDER"), ("ASSET_PLEDGED", WON))
    record = pilot.record(asset)
    assert (record.holder, len(record.liens)) == ((cast.bank, 0) if accepted == WON else (cast.provider, 1))
    assert len(pilot.act_documents_of(asset)) == len(record.liens)
    assert names(pilot, asset)[-1] == ("TransferAccepted" if accepted == WON else "Pledged")


def test_one_of_two_direct_registrations_of_the_same_content_succeeds(pilot: Pilot, again: int) -> None:
    """Two applicants register directly on the chain."""
    cast, chain, content = pilot.cast, acting(pilot), f"{again + 1:064x}"
    ids = {cast.provider: f"a{again + 1:063x}", cast.bank: f"b{again + 1:063x}"}

    def register(applicant: str) -> Callable[[], object]:
        call = register_assets([AssetRegistration(ids[applicant], "c1" * 32, content)])
        return lambda: chain.act_as(applicant, call)

    outcomes = dict(zip(ids, together(*map(register, ids)), strict=True))
    assert sorted(outcomes.values()) == ["ASSET_DUPLICATE_FINGERPRINT", WON]
    (winner,) = (applicant for applicant, outcome in outcomes.items() if outcome == WON)
    assert asset_by_fingerprint(pilot.ledger.reader, content) == ids[winner]
    assert names(pilot, ids[winner]) == ["Registered"]


@pytest.mark.usefixtures("again")
def test_an_application_submitted_twice_at_the_same_time_is_recorded_once(pilot: Pilot, again: int) -> None:
    registrations = pilot.ledger.registration.registrations
    wanted = resource(f"races/twice-{again}")

    def hand_in() -> None:
        registrations.register(registrations.submit(pilot.actor(pilot.cast.provider), [wanted]).accepted)

    assert together(hand_in, hand_in) == [WON, WON]
    (asset,) = registrations.submit(pilot.actor(pilot.cast.provider), [wanted]).accepted
    assert names(pilot, asset) == ["Registered"]
    assert len(registrations.get(asset)["applications"]) == 1


def test_concurrent_confirmations_confirm_an_application_once(pilot: Pilot, again: int) -> None:
    (asset,) = pilot.applied(f"races/confirm-{again}")
    pilot.noticed([asset])
    pilot.after_notice([asset])
    confirm = lambda: pilot.ledger.registration.review.confirm(pilot.actor(pilot.cast.registrar), [asset])  # noqa: E731
    outcomes = together(confirm, confirm)
    assert WON in outcomes
    assert set(outcomes) <= {WON, "ASSET_WRONG_STAGE"}
    assert names(pilot, asset).count("Confirmed") == 1
    assert len(pilot.certificates(asset)) == 1
    assert pilot.report(asset).valid


@pytest.mark.usefixtures("again")
def test_one_of_two_overlapping_exclusive_grants_succeeds(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    outcomes = together(*(granting(pilot, asset, "operate", to, True) for to in (cast.bank, cast.other_bank)))
    assert sorted(outcomes) == ["ASSET_RIGHT_OVERLAPS", WON]
    (right,) = pilot.ledger.registration.rights.of(asset)
    assert right["grantee"] == (cast.bank, cast.other_bank)[outcomes.index(WON)]
    assert len(pilot.act_documents_of(asset)) == 1
    assert names(pilot, asset).count("RightGranted") == 1


@pytest.mark.usefixtures("again")
def test_a_certificate_lists_all_rights_that_were_granted_at_the_same_time(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    kinds = ("hold", "process", "operate")
    assert together(*(granting(pilot, asset, kind, cast.bank, True) for kind in kinds)) == [WON] * 3
    report = pilot.report(asset)
    assert report.valid
    assert sorted(each["grant"] for each in report.claims["rights"]) == [0, 0, 0, 1, 2, 3]


def test_no_certificate_of_an_earlier_state_of_an_asset_follows_a_certificate_of_a_later_state(pilot: Pilot) -> None:
    """A slow call issues a certificate for one state of the asset. Meanwhile another call issues a certificate for a
    later state. The slow call must not add its certificate after the newer one.
    """
    asset, cast, ledger = pilot.confirmed(), pilot.cast, pilot.ledger

    class Overtaken(Descriptions):
        def refresh(self, asset_ids: Sequence[str]) -> None:
            super().refresh(asset_ids)
            granting(pilot, asset, "operate", cast.bank, True)()

    slow = RegistrationCertificates(
        ledger.database,
        ledger.reader,
        ledger.certificates.status,
        ledger.scenarios,
        Overtaken(ledger.database, ledger.follower),
        ledger.installation.operator,
        ledger.reader.chain.ledger,
        ledger.clock,
        ledger.settings.home / "certifying.lock",
    )
    slow.settle([asset])
    report = pilot.report(asset)
    assert report.valid
    assert sorted(each["grant"] for each in report.claims["rights"]) == [0, 0, 0, 1]
    assert len(pilot.certificates(asset)) == 2


@pytest.mark.usefixtures("again")
def test_two_equal_concurrent_decisions_keep_their_reasons_readable(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    pilot.ledger.registration.objections.file(pilot.actor(pilot.cast.bank), asset, "It is ours")
    decide = lambda: pilot.decide(asset, "admitted", reason="可以受理 Admissible")  # noqa: E731
    assert sorted(together(decide, decide)) == ["ASSET_WRONG_OBJECTION", WON]
    grounds = pilot.history(asset)[-1]["args"]["grounds"]
    assert "可以受理" in pilot.ledger.registration.act_documents.read(grounds)["text"]


@pytest.mark.usefixtures("again")
def test_concurrent_withdrawals_of_one_consent_count_once_on_the_chain(pilot: Pilot) -> None:
    """The subject signs two withdrawals of one consent; the first is submitted twice, the second once."""
    consent = Consent(pilot)
    drafts = [consent.draft() for _ in range(2)]
    signed = [sign_entry(draft.entry, consent.signer) for draft in drafts]
    act = sign_act(drafts[0].message or b"", consent.signer)
    withdraw = pilot.ledger.usage.withdrawals.withdraw
    outcomes = together(*(lambda entry=entry: withdraw(entry, act) for entry in (signed[0], signed[0], signed[1])))
    assert set(outcomes) == {WON}
    assert len(consent.recorded()) == 2
    events = pilot.ledger.provenances.certificate(consent.number).events
    assert [event["name"] for event in events].count("Withdrawn") == 1
    assert consent.report().checks[10].code == "AUTHORIZATION_WITHDRAWN"


@pytest.mark.usefixtures("again")
def test_a_withdrawal_of_consent_succeeds_during_a_use(pilot: Pilot) -> None:
    """The withdrawal always succeeds. If a verification answered that the use is valid, the use is counted."""
    consent = Consent(pilot)
    raw, bank, verification = consent.bundle.to_bytes(), pilot.cast.bank, pilot.ledger.verification
    results: list[str] = []
    outcomes = together(
        lambda: results.append(verification.accept(pilot.actor(bank), raw, consent.nonce).report.result),
        consent.withdraw,
    )
    assert outcomes == [WON, WON]
    assert results[0] in ("valid", "revoked")
    assert uses(pilot, consent.number) == (results[0] == "valid")
    assert consent.report().checks[10].code == "AUTHORIZATION_WITHDRAWN"


@pytest.mark.usefixtures("again")
def test_an_authority_and_a_supervisor_can_place_holds_on_one_statement_at_the_same_time(pilot: Pilot) -> None:
    ledger, number = pilot.ledger, pilot.certificate(pilot.firm())
    supervisor, authority = pilot.cast.supervisor, ledger.installation.authority_party
    first, second, other = together(
        *(
            lambda by=by: ledger.certificates.holds.hold(number, "court", by)
            for by in (supervisor, supervisor, authority)
        )
    )
    assert WON in (first, second) and {first, second} <= {WON, "LOG_ALREADY_HELD"}
    assert other == WON
    hold = ledger.reader.hold_of(ledger.usage.holdings.get(number).digest)
    assert (hold.offices, hold.changes) == (("authority", "supervisor"), 2)
    assert ledger.verification.status(number)["state"] == "suspended"


def test_concurrent_readers_all_get_the_history(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    pilot.ledger.registration.transfers.freeze(pilot.actor(pilot.cast.supervisor), asset, "court")
    assert together(*[lambda: pilot.history(asset)] * 6) == [WON] * 6
