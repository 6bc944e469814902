"""A consumer that keeps its own key receives a use to sign, signs the use, and then receives the content."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from ledger.certificates.verification.presentations import Presentations
from ledger.certificates.verification.use_offers import MAX_OFFERS, Offers
from ledger.certificates.verification.uses import Uses, UseToSign
from ledger.certificates.verification.verification import LAPSE_SECONDS, Verification
from ledger.chain.accounts import new_p256_key
from ledger.chain.reading.reader import ChainReader
from ledger.chain.reading.remembering import Remembered
from ledger.chain.sending.client import ChainClient
from ledger.errors import ChainUnavailable, Conflict, Forbidden, NotFound
from ledger.parties.custody import Custody
from ledger.parties.keys.possession import possession_of
from ledger.parties.roles import Actor
from ledger.proof.acts import sign_act
from ledger.proof.jws import Es256Signer, Signer
from ledger.proof.sdjwt import bind_key
from ledger.rulebooks.templates import expecting
from tests.certificates.test_presentations import DeafConnection, presented, results
from tests.support.actors.pilots import Pilot
from tests.support.actors.uses import certificate_of, logged, uses
from tests.support.ledgers.joined import presentations

MAX_AGE_OF_KEY_BINDING = 600


@dataclass(frozen=True, slots=True)
class Counter:
    """A service that does not have the bank's key, and the bank's signer that has the key."""

    verification: Verification
    signer: Signer
    bank: Actor

    def signed(self, use: UseToSign) -> bytes:
        assert use.account == self.signer.kid
        return sign_act(use.message, self.signer)


def counter(
    pilot: Pilot, folder: Path, signer: Signer | None = None, client: ChainClient | None = None, late: int = 0
) -> Counter:
    """Return a new verification service of the pilot, as after a restart. It does not have the bank's key, and its
    clock is ``late`` seconds slow.
    """
    ledger, client = pilot.ledger, client or pilot.ledger.client
    signer = signer or pilot.actors.signer_of(pilot.cast.bank)
    reader, account = ChainReader(client), signer.kid
    known = Presentations(ledger.database, reader, ledger.follower, ledger.clock, True)
    nobody = Custody(folder / "nobody.json")
    counting = Uses(client, reader, nobody, ledger.installation.operator, lambda _: account)
    clock = lambda: ledger.clock() - late  # noqa: E731
    remembered = Remembered(reader, folder / "seen.json")
    return Counter(
        Verification(remembered, partial(expecting, ledger.scenarios), clock, ledger.database, reader, counting, known),
        signer,
        pilot.actor(pilot.cast.bank),
    )


def proposed(at: Counter, raw: bytes, nonce: str) -> UseToSign:
    answer = at.verification.propose(at.bank, raw, nonce)
    assert answer.verified.report.valid, answer.verified.report.first_failure
    assert (answer.verified.report.claims, answer.verified.report.disclosed, answer.verified.use) == ({}, {}, None)
    assert answer.use is not None
    return answer.use


def test_the_consumer_gets_the_disclosed_values_only_after_its_signed_use_is_in_a_block(
    pilot: Pilot, tmp_path: Path
) -> None:
    number, ((raw, nonce),) = presented(pilot)
    at = counter(pilot, tmp_path)
    use = proposed(at, raw, nonce)
    assert (use.ordinal, uses(pilot, number), results(pilot, number)) == (1, 0, [("pending", True, None)])
    assert proposed(at, raw, nonce) == use
    verified = at.verification.use(at.bank, use.presentation, at.signed(use))
    assert verified.report.valid and verified.report.disclosed and verified.use is not None
    assert (results(pilot, number), uses(pilot, number)) == ([("valid", True, 1)], 1)
    receipt = pilot.ledger.client.receipt(verified.use.tx_hash)
    assert receipt is not None
    (event,) = receipt.named("Used")
    assert pilot.ledger.reader.party_id(event.args["consumer"]) == at.bank.party
    assert [entry["type"] for entry in logged(pilot, number)] == ["presentation", "use"]
    assert pilot.ledger.presentations.elsewhere(number) == []
    for again in (
        lambda: at.verification.propose(at.bank, raw, nonce),
        lambda: at.verification.use(at.bank, use.presentation, at.signed(use)),
    ):
        with pytest.raises(Conflict, match="NONCE_REPLAYED") as replayed:
            again()
        assert replayed.value.details["result"] == "valid"


def test_no_use_is_counted_without_the_consumers_key(pilot: Pilot, tmp_path: Path) -> None:
    """The refused call counts no use and does not use up the nonce, so the same presentation can be sent again."""
    number, ((raw, nonce),) = presented(pilot)
    at = counter(pilot, tmp_path)
    assert [each.verification.signs_for(at.bank.party) for each in (at, pilot.ledger)] == [False, True]
    with pytest.raises(Conflict, match="ACT_SIGNATURE_REQUIRED"):
        at.verification.accept(at.bank, raw, nonce)
    assert (results(pilot, number), uses(pilot, number)) == ([], 0)
    use = proposed(at, raw, nonce)
    for key in (pilot.cast.other_bank, pilot.ledger.installation.operator):
        foreign = sign_act(use.message, pilot.actors.signer_of(key))
        with pytest.raises(Forbidden, match="LOG_SIGNATURE_INVALID"):
            at.verification.use(at.bank, use.presentation, foreign)
    with pytest.raises(Forbidden, match="LOG_SIGNATURE_INVALID"):
        at.verification.use(at.bank, use.presentation, b"no signature")
    with pytest.raises(NotFound, match="PRESENTATION_UNKNOWN"):
        at.verification.use(pilot.actor(pilot.cast.other_bank), use.presentation, at.signed(use))
    assert (results(pilot, number), uses(pilot, number)) == ([("pending", True, None)], 0)
    assert at.verification.use(at.bank, use.presentation, at.signed(use)).report.disclosed


def test_a_p256_key_signs_a_use(pilot: Pilot, tmp_path: Path) -> None:
    ledger, (_, ((raw, nonce),)) = pilot.ledger, presented(pilot)
    signer = Es256Signer(new_p256_key())
    proof = possession_of(ledger.reader.chain, signer, ledger.reader.party_no(pilot.cast.bank))
    ledger.parties.keys.bind(ledger.actor(pilot.cast.bank), pilot.cast.bank, signer.public_key, proof)
    at = counter(pilot, tmp_path, signer)
    use = proposed(at, raw, nonce)
    assert len(at.signed(use)) == 128
    assert at.verification.use(at.bank, use.presentation, at.signed(use)).report.disclosed


def test_an_invalid_presentation_gets_a_report_and_no_use_to_sign(pilot: Pilot, tmp_path: Path) -> None:
    number, ((raw, nonce), (again, other_nonce)) = presented(pilot, 2)
    at = counter(pilot, tmp_path)
    answer = at.verification.propose(pilot.actor(pilot.cast.other_bank), raw, nonce)
    assert (answer.verified.report.result, answer.use) == ("not_party", None)
    use = proposed(at, again, other_nonce)
    pilot.ledger.certificates.status.revoke(number, "fraud")
    verified = at.verification.use(at.bank, use.presentation, at.signed(use))
    assert (verified.report.result, verified.report.disclosed, verified.use) == ("revoked", {}, None)
    assert [row[0] for row in results(pilot, number)] == ["not_party", "revoked"]
    assert uses(pilot, number) == 0
    asset = str(pilot.ledger.registration.registrations.get(pilot.confirmed())["certificate_no"])
    answer = at.verification.propose(at.bank, pilot.ledger.certificates.bundles.build(asset).to_bytes(), "n" * 16)
    assert (answer.verified.report.valid, answer.use) == (True, None) and answer.verified.report.claims


@pytest.mark.parametrize(("max_uses", "left"), [(1, False), (2, True)])
def test_a_consumer_must_sign_the_next_use_if_a_use_with_the_same_ordinal_was_counted_first(
    pilot: Pilot, tmp_path: Path, max_uses: int, left: bool
) -> None:
    firm = pilot.firm()
    number = certificate_of(pilot, firm, max_uses, tmp_path)
    made, at = presentations(pilot, firm, number, 2), counter(pilot, tmp_path)
    first, second = (proposed(at, raw, nonce) for raw, nonce in made)
    assert (first.request, first.ordinal) == (second.request, second.ordinal)
    assert at.verification.use(at.bank, first.presentation, at.signed(first)).report.valid
    block = pilot.ledger.reader.block_number()
    if not left:
        verified = at.verification.use(at.bank, second.presentation, at.signed(second))
        assert (verified.report.result, verified.use) == ("used_up", None)
    else:
        with pytest.raises(Conflict, match="USE_OVERTAKEN"):
            at.verification.use(at.bank, second.presentation, at.signed(second))
    assert pilot.ledger.reader.block_number() == block
    if left:
        following = proposed(at, *made[1])
        assert (following.presentation, following.ordinal) == (second.presentation, 2)
        assert at.verification.use(at.bank, following.presentation, at.signed(following)).report.disclosed
    assert uses(pilot, number) == max_uses


def test_the_signature_of_a_use_is_still_accepted_after_a_restart(pilot: Pilot, tmp_path: Path) -> None:
    number, ((raw, nonce),) = presented(pilot)
    before = counter(pilot, tmp_path)
    use = proposed(before, raw, nonce)
    signature = before.signed(use)
    after = counter(pilot, tmp_path)
    with pytest.raises(Conflict, match="USE_NOT_PROPOSED"):
        after.verification.use(after.bank, use.presentation, signature)
    assert proposed(after, raw, nonce) == use
    assert after.verification.use(after.bank, use.presentation, signature).report.disclosed
    assert uses(pilot, number) == 1


def test_an_answer_that_was_lost_is_returned_again_with_the_disclosed_values(pilot: Pilot, tmp_path: Path) -> None:
    number, ((raw, nonce),) = presented(pilot)
    ledger = pilot.ledger
    node = DeafConnection(ledger.client.connection.url)
    key = ledger.custody.private_key(ledger.client.account).hex()
    at = counter(pilot, tmp_path, client=ChainClient(node, ledger.client.deployment, key))
    use = proposed(at, raw, nonce)
    node.deaf = True
    with pytest.raises(ChainUnavailable, match="TRANSACTION_UNCONFIRMED"):
        at.verification.use(at.bank, use.presentation, at.signed(use))
    node.deaf = False
    assert (results(pilot, number), uses(pilot, number)) == ([("pending", True, 1)], 1)
    answer = at.verification.propose(at.bank, raw, nonce)
    assert answer.use is None and answer.verified.report.disclosed
    assert answer.verified.use is not None and answer.verified.use.ordinal == 1
    assert (results(pilot, number), uses(pilot, number)) == ([("valid", True, 1)], 1)


def test_a_use_that_is_not_signed_in_time_lapses(pilot: Pilot, tmp_path: Path) -> None:
    number, ((raw, nonce), (another, other_nonce)) = presented(pilot, 2)
    at = counter(pilot, tmp_path)
    use, sent_again = proposed(at, raw, nonce), proposed(at, another, other_nonce)
    pilot.skip(LAPSE_SECONDS + 1)
    for late in (
        lambda: at.verification.use(at.bank, use.presentation, at.signed(use)),
        lambda: at.verification.propose(at.bank, another, other_nonce),
    ):
        with pytest.raises(Conflict, match="NONCE_REPLAYED") as lapsed:
            late()
        assert lapsed.value.details["result"] == "lapsed"
    with pytest.raises(Conflict, match="LOG_SIGNATURE_EXPIRED"):
        at.verification._uses.send([sent_again], at.signed(sent_again), lambda _: None)
    assert [row[0] for row in results(pilot, number)] == ["lapsed"] * 2
    assert uses(pilot, number) == 0


def test_a_repeated_presentation_is_verified_as_of_the_time_of_its_first_receipt(pilot: Pilot, tmp_path: Path) -> None:
    """The first attempt came when the key-binding JWT was almost too old. A retry minutes later is still accepted."""
    firm = pilot.firm()
    number = pilot.certificate(firm)
    pilot.skip(MAX_AGE_OF_KEY_BINDING)
    ledger, at = pilot.ledger, counter(pilot, tmp_path)
    bundle, signer = ledger.certificates.bundles.build(number), pilot.actors.signer_of(pilot.cast.firms[firm])
    made = ledger.clock() - MAX_AGE_OF_KEY_BINDING + 60
    nonces = [ledger.verification.new_nonce() for _ in range(2)]
    known, fresh = (
        bundle.with_certificate(
            bind_key(bundle.certificate, signer, audience=at.bank.party, nonce=nonce, at=made)
        ).to_bytes()
        for nonce in nonces
    )
    use = proposed(at, known, nonces[0])
    pilot.skip(120)
    assert at.verification.propose(at.bank, fresh, nonces[1]).verified.report.checks[9].code == "KEY_BINDING_TIME"
    assert proposed(at, known, nonces[0]) == use
    assert at.verification.use(at.bank, use.presentation, at.signed(use)).report.disclosed


def test_a_service_with_a_slow_clock_refuses_no_presentation(pilot: Pilot, tmp_path: Path) -> None:
    _, ((raw, nonce),) = presented(pilot)
    at = counter(pilot, tmp_path, late=3600)
    use = proposed(at, raw, nonce)
    assert at.verification.use(at.bank, use.presentation, at.signed(use)).report.disclosed


def offered(presentation: object, ordinal: int = 1) -> UseToSign:
    return UseToSign(str(presentation), "0x", "", ordinal, 0, b"")


def test_the_number_of_proposed_uses_is_limited_and_the_newest_are_kept() -> None:
    offers: Offers[int] = Offers()
    for number in range(MAX_OFFERS + 1):
        offers.put("bank", offered(number), number)
    with pytest.raises(Conflict, match="USE_NOT_PROPOSED"):
        offers.get("bank", "0")
    offers.put("bank", offered(1, ordinal=2), 1)
    assert offers.get("bank", "1").use.ordinal == 2
    offers.put("bank", offered("x"), 0)
    assert offers.get("bank", "1").about == 1
    offers.drop("bank", "1")
    offers.drop("bank", "1")
    with pytest.raises(Conflict, match="USE_NOT_PROPOSED"):
        offers.get("bank", "1")


def test_attack_many_presentations_displace_only_the_consumers_own_proposed_uses() -> None:
    offers: Offers[int] = Offers()
    offers.put("bank", offered("kept"), 7)
    for number in range(10 * MAX_OFFERS):
        offers.put("flood", offered(number), number)
    assert offers.get("bank", "kept").about == 7
    for other, presentation in (("flood", "kept"), ("bank", str(10 * MAX_OFFERS - 1)), ("flood", "0")):
        with pytest.raises(Conflict, match="USE_NOT_PROPOSED"):
            offers.get(other, presentation)
    offers.drop("flood", "kept")
    assert offers.get("bank", "kept").about == 7
