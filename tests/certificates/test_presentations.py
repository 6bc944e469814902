"""Verifications are recorded, each nonce is accepted only once, and interrupted presentations are completed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from ledger.certificates.verification.presentations import Arrived, Presentations
from ledger.certificates.verification.uses import Uses
from ledger.certificates.verification.verification import LAPSE_SECONDS, Verification
from ledger.chain.reading.reader import ChainReader
from ledger.chain.reading.remembering import Remembered
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.calls import Call
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.sender import Announce, Receipt
from ledger.errors import ChainUnavailable, Conflict, NotFound
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_participant
from ledger.proof.bundle import parse_bundle
from ledger.rulebooks.templates import expecting
from tests.support.actors.pilots import Pilot
from tests.support.actors.uses import certificate_of, logged, uses
from tests.support.ledgers.joined import Presented, joined, presentations


class DeafConnection(Connection):
    """A connection that returns no transaction receipts while ``deaf`` is true."""

    deaf = False

    def receipt(self, tx_hash: str) -> dict[str, Any] | None:
        if self.deaf:
            raise ChainUnavailable("CHAIN_UNREACHABLE", "No node answers.")
        return super().receipt(tx_hash)


class OvertakenClient(ChainClient):
    """A client that is too late: just before its first transaction, the client ``rival`` sends the same call."""

    rival: ChainClient | None = None

    def send(self, call: Call, *, announce: Announce | None = None) -> Receipt:
        if (rival := self.rival) is not None:
            self.rival = None
            rival.send(call)
        return super().send(call, announce=announce)


def presented(pilot: Pilot, count: int = 1) -> tuple[str, list[Presented]]:
    """Issue a certificate; return its number, and presentations of the certificate to the bank."""
    firm = pilot.firm()
    number = pilot.certificate(firm)
    return number, presentations(pilot, firm, number, count)


def verification(pilot: Pilot, client: ChainClient, ahead: int = 0) -> Verification:
    """Return the pilot's verification service with the given chain client. Its clock shows ``ahead`` seconds more than
    the pilot's clock.
    """
    ledger, reader = pilot.ledger, ChainReader(client)
    known = Presentations(ledger.database, reader, ledger.follower, ledger.clock, True)
    accounts = lambda party: ledger.parties.register.get(party).account  # noqa: E731
    counting = Uses(client, reader, ledger.custody, ledger.installation.operator, accounts)
    remembered = Remembered(reader, ledger.settings.home / "seen.json")
    return Verification(
        remembered,
        partial(expecting, ledger.scenarios),
        lambda: ledger.clock() + ahead,
        ledger.database,
        reader,
        counting,
        known,
    )


def results(pilot: Pilot, number: str) -> list[tuple[str, bool, int | None]]:
    """Return for each recorded verification its result, whether it has a nonce, and the ordinal of its use."""
    rows = pilot.ledger.presentations.page(number, None, 100)
    return [(row.result, row.nonce_digest is not None, row.ordinal) for row in rows]


@contextmanager
def refused(code: str) -> Iterator[dict[str, Any]]:
    """Fail unless the block raises ``Conflict`` with this code; yield a dict into which the error's details
    are copied.
    """
    details: dict[str, Any] = {}
    with pytest.raises(Conflict) as caught:
        yield details
    assert caught.value.code == code
    details |= caught.value.details


def test_a_presentation_that_is_only_checked_is_recorded_and_counts_no_use(pilot: Pilot) -> None:
    number, ((raw, nonce),) = presented(pilot)
    bank, other = pilot.cast.bank, pilot.cast.other_bank
    check = pilot.ledger.verification.check
    consumer, stranger = pilot.actor(bank), pilot.actor(other)
    assert [check(consumer, raw, nonce).report.result, check(stranger, raw, nonce).report.result] == [
        "valid",
        "not_party",
    ]
    assert check(consumer, raw, None).report.result == "refused"
    assert pilot.ledger.verification.accept(consumer, raw, nonce).report.valid
    assert check(consumer, raw, nonce).report.result == "used_up"
    expected = [("valid", False), ("not_party", False), ("refused", False), ("valid", True), ("used_up", False)]
    assert [row[:2] for row in results(pilot, number)] == expected
    entries = [entry for entry in logged(pilot, number) if entry["type"] == "presentation"]
    assert [(entry["result"], entry["nonce_digest"] is not None) for entry in entries] == expected
    assert [entry["consumer"] for entry in entries] == [bank, other, bank, bank, bank]
    assert [bool(entry["fields"]) for entry in entries] == [result == "valid" for result, _ in expected]


def test_a_nonce_is_accepted_for_one_presentation_only(pilot: Pilot) -> None:
    number, ((raw, nonce), (another, _)) = presented(pilot, 2)
    accept, bank = pilot.ledger.verification.accept, pilot.actor(pilot.cast.bank)
    assert accept(bank, raw, nonce).report.valid
    (row,) = pilot.ledger.presentations.page(number, None, 10)
    with refused("NONCE_REPLAYED") as details:
        accept(bank, raw, nonce)
    assert details == {"result": "valid", "ordinal": 1, "at": row.created_at}
    with refused("NONCE_REPLAYED") as details:
        accept(bank, another, nonce)
    assert details == {}
    assert results(pilot, number) == [("valid", True, 1)]


def test_attack_a_consumer_cannot_use_up_the_nonce_of_another_consumer(pilot: Pilot) -> None:
    """If another consumer could use up a nonce that it saw, the holder's presentation with this nonce would
    be refused.
    """
    number, ((raw, nonce),) = presented(pilot)
    bank, thief = pilot.cast.bank, pilot.cast.other_bank
    assert pilot.ledger.verification.accept(pilot.actor(thief), raw, nonce).report.result == "not_party"
    verified = pilot.ledger.verification.accept(pilot.actor(bank), raw, nonce)
    assert verified.report.valid and verified.report.disclosed
    for consumer, result in ((thief, "not_party"), (bank, "valid")):
        with refused("NONCE_REPLAYED") as details:
            pilot.ledger.verification.accept(pilot.actor(consumer), raw, nonce)
        assert details["result"] == result
    assert results(pilot, number) == [("not_party", True, None), ("valid", True, 1)]


def test_repeating_a_presentation_returns_the_answer_that_was_lost(pilot: Pilot) -> None:
    number, ((raw, nonce),) = presented(pilot)
    node = DeafConnection(pilot.ledger.client.connection.url)
    key = pilot.ledger.custody.private_key(pilot.ledger.client.account).hex()
    over = verification(pilot, ChainClient(node, pilot.ledger.client.deployment, key))
    node.deaf = True
    with pytest.raises(ChainUnavailable, match="TRANSACTION_UNCONFIRMED"):
        over.accept(pilot.actor(pilot.cast.bank), raw, nonce)
    node.deaf = False
    assert (results(pilot, number), uses(pilot, number)) == ([("pending", True, 1)], 1)
    assert over.accept(pilot.actor(pilot.cast.other_bank), raw, nonce).report.result == "used_up"
    verified = over.accept(pilot.actor(pilot.cast.bank), raw, nonce)
    assert verified.report.valid and verified.report.disclosed
    assert verified.use is not None and verified.use.ordinal == 1
    expected = [("valid", True, 1), ("used_up", True, None)]
    assert (results(pilot, number), uses(pilot, number)) == (expected, 1)
    assert [entry["type"] for entry in logged(pilot, number)] == ["presentation", "presentation", "use"]


def test_an_interrupted_presentation_whose_use_is_on_the_chain_is_completed(pilot: Pilot) -> None:
    number, ((raw, nonce),) = presented(pilot)
    node = DeafConnection(pilot.ledger.client.connection.url)
    key = pilot.ledger.custody.private_key(pilot.ledger.client.account).hex()
    over = verification(pilot, ChainClient(node, pilot.ledger.client.deployment, key))
    node.deaf = True
    with pytest.raises(ChainUnavailable):
        over.accept(pilot.actor(pilot.cast.bank), raw, nonce)
    assert pilot.ledger.verification.settle() == 1
    assert pilot.ledger.verification.settle() == 0
    assert results(pilot, number) == [("valid", True, 1)]
    assert pilot.ledger.presentations.elsewhere(number) == []


def test_an_interrupted_presentation_whose_use_is_not_on_the_chain_lapses(pilot: Pilot) -> None:
    number, ((raw, nonce),) = presented(pilot)
    pilot.ledger.presentations.begin(pilot.cast.bank, [Arrived(parse_bundle(raw), number, nonce)], pilot.ledger.clock())
    assert pilot.ledger.verification.settle() == 0
    pilot.skip(LAPSE_SECONDS)
    assert pilot.ledger.verification.settle() == 1
    with refused("NONCE_REPLAYED") as details:
        pilot.ledger.verification.accept(pilot.actor(pilot.cast.bank), raw, nonce)
    assert details["result"] == "lapsed"
    # The presentation lapsed before it was verified, so it is not listed as a verification.
    assert results(pilot, number) == logged(pilot, number) == []
    assert uses(pilot, number) == 0


def test_a_presentation_sent_by_many_threads_is_accepted_once(pilot: Pilot) -> None:
    number, ((raw, nonce),) = presented(pilot)
    together = Barrier(8)

    def send(_: int) -> str:
        together.wait()
        try:
            return pilot.ledger.verification.accept(pilot.actor(pilot.cast.bank), raw, nonce).report.result
        except Conflict as refusal:
            return refusal.code

    with ThreadPoolExecutor(8) as pool:
        results_of_all = list(pool.map(send, range(8)))
    assert results_of_all.count("valid") == 1
    assert set(results_of_all) <= {"valid", "PRESENTATION_PENDING", "NONCE_REPLAYED"}
    assert (results(pilot, number), uses(pilot, number)) == ([("valid", True, 1)], 1)


def test_a_slow_clock_does_not_allow_a_second_use(pilot: Pilot) -> None:
    number, made = presented(pilot, 2)
    late = verification(pilot, pilot.ledger.client, ahead=-3600)
    assert [late.accept(pilot.actor(pilot.cast.bank), raw, nonce).report.result for raw, nonce in made] == [
        "valid",
        "used_up",
    ]
    assert uses(pilot, number) == 1


@pytest.mark.parametrize(("max_uses", "outcome"), [(1, ("used_up", None)), (2, ("valid", 2))])
def test_a_presentation_is_verified_again_if_a_use_was_counted_during_the_verification(
    pilot: Pilot, tmp_path: Path, max_uses: int, outcome: tuple[str, int | None]
) -> None:
    ledger, firm = pilot.ledger, pilot.firm()
    number = certificate_of(pilot, firm, max_uses, tmp_path)
    ((raw, nonce),) = presentations(pilot, firm, number)
    key = ledger.custody.private_key(ledger.client.account).hex()
    client = OvertakenClient(ledger.client.connection, ledger.client.deployment, key)
    client.rival = ledger.client
    verified = verification(pilot, client).accept(pilot.actor(pilot.cast.bank), raw, nonce)
    assert (verified.report.result, verified.use and verified.use.ordinal) == outcome
    assert uses(pilot, number) == max_uses
    assert [(use.ordinal, use.by) for use in ledger.presentations.elsewhere(number)] == [(1, pilot.cast.bank)]


def test_uses_that_this_installation_did_not_verify_are_listed_with_their_time(pilot: Pilot, tmp_path: Path) -> None:
    number, ((raw, nonce),) = presented(pilot)
    joined(pilot, tmp_path / "home", pilot.cast.bank)
    with open_participant(Settings(home=tmp_path / "home")) as bank:
        use = bank.verification.accept(bank.actor(bank.party), raw, nonce).use
        assert use is not None
        receipt = bank.client.receipt(use.tx_hash)
        assert receipt is not None
        assert bank.presentations.elsewhere(number) == []
        names = [event["name"] for event in bank.provenances.certificate(number).events]
        assert sorted(names) == ["Anchored", "Used", "Verified"]
    (elsewhere,) = pilot.ledger.presentations.elsewhere(number)
    assert (elsewhere.ordinal, elsewhere.by, elsewhere.at) == (1, pilot.cast.bank, receipt.time)
    assert results(pilot, number) == []


def test_a_registration_certificate_has_no_uses(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    number = str(pilot.ledger.registration.registrations.get(asset)["certificate_no"])
    raw = pilot.ledger.certificates.bundles.build(number).to_bytes()
    verified = pilot.ledger.verification.accept(pilot.actor(pilot.cast.bank), raw, "n" * 16)
    assert (verified.report.result, verified.use) == ("valid", None)
    assert (results(pilot, number), pilot.ledger.presentations.elsewhere(number)) == ([], [])


@pytest.mark.parametrize("index", [2**32, 2**53 - 1])
def test_a_bundle_with_an_impossible_log_position_is_refused_and_not_recorded(pilot: Pilot, index: int) -> None:
    number, ((raw, nonce),) = presented(pilot)
    bundle = json.loads(raw)
    bundle["position"]["index"] = index
    report = pilot.ledger.verification.accept(pilot.actor(pilot.cast.bank), json.dumps(bundle).encode(), nonce).report
    assert report.first_failure is not None
    assert (report.result, report.first_failure.name) == ("tampered", "inclusion")
    assert results(pilot, number) == logged(pilot, number) == []


def test_listing_verifications_of_an_unknown_certificate_number_is_refused(pilot: Pilot) -> None:
    for ask in (pilot.ledger.presentations.elsewhere, lambda number: pilot.ledger.presentations.page(number, None, 1)):
        with pytest.raises(NotFound, match="CERTIFICATE_UNKNOWN"):
            ask("DAC-440802-2026-S01-00000123-V")
