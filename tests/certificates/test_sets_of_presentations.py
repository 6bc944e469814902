"""A consumer accepts many presentations in one call. Each presentation gets the same answer as in a single call, and
one transaction contains all uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ledger.certificates.verification.judging import Verified
from ledger.certificates.verification.verification import MAX_TOGETHER, Received
from ledger.chain.rpc.transport import Transport
from ledger.chain.sending.client import ChainClient
from ledger.errors import ChainUnavailable, InvalidInput, PingzhengError
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_participant
from tests.certificates.test_presentations import DeafConnection, results, verification
from tests.support.actors.pilots import Pilot
from tests.support.actors.uses import certificate_of, logged, uses
from tests.support.ledgers.joined import joined, presentations
from tests.support.ledgers.small_ledger import counting

MANY = 4


def certificates(pilot: Pilot, count: int) -> dict[str, Received]:
    """Issue certificates to ``count`` firms; return a presentation of each certificate to the bank, by certificate
    number.
    """
    made = {}
    for _ in range(count):
        firm = pilot.firm()
        number = pilot.certificate(firm)
        made[number] = Received(*presentations(pilot, firm, number)[0])
    return made


def said(answers: Sequence[Verified | PingzhengError]) -> list[tuple[str, int | None]]:
    """Return for each answer the error's code, or the result and the ordinal of the use."""
    return [
        (answer.code, None)
        if isinstance(answer, PingzhengError)
        else (answer.report.result, None if answer.use is None else answer.use.ordinal)
        for answer in answers
    ]


@contextmanager
def node_requests() -> Iterator[list[bytes]]:
    """Collect the requests that are sent to the node, except those that wait for a receipt."""
    sent: list[bytes] = []
    post = Transport.post

    def counted(self: Transport, body: bytes, *arguments: Any, **named: Any) -> Any:
        if b"eth_getTransactionReceipt" not in body:
            sent.append(body)
        return post(self, body, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transport, "post", counted)
        yield sent


def test_the_uses_of_a_set_are_counted_in_one_transaction(pilot: Pilot) -> None:
    made = certificates(pilot, 3)
    answers = pilot.ledger.verification.accept_all(pilot.actor(pilot.cast.bank), list(made.values()))
    assert said(answers) == [("valid", 1)] * 3
    counted = [answer.use for answer in answers if isinstance(answer, Verified) and answer.use is not None]
    (tx_hash,) = {use.tx_hash for use in counted}
    receipt = pilot.ledger.client.receipt(tx_hash)
    assert receipt is not None and len(receipt.named("Used")) == 3
    assert {use.gas for use in counted} == {receipt.gas_used // 3}
    for number in made:
        assert (results(pilot, number), uses(pilot, number)) == ([("valid", True, 1)], 1)
        assert [entry["type"] for entry in logged(pilot, number)] == ["presentation", "use"]


def test_a_presentation_in_a_set_gets_the_answer_of_a_single_call(pilot: Pilot, tmp_path: Path) -> None:
    asset = pilot.confirmed()
    registered = str(pilot.ledger.registration.registrations.get(asset)["certificate_no"])
    registration = Received(pilot.ledger.certificates.bundles.build(registered).to_bytes(), "n" * 16)
    bank, firm = pilot.actor(pilot.cast.bank), pilot.firm()
    accept = pilot.ledger.verification.accept_all
    twice = certificate_of(pilot, firm, 2, tmp_path)
    three = [Received(*each) for each in presentations(pilot, firm, twice, 3)]
    ((spent, before),) = certificates(pilot, 1).items()
    assert said(accept(bank, [before])) == [("valid", 1)]
    ((number, good),) = certificates(pilot, 1).items()
    assert said(accept(pilot.actor(pilot.cast.other_bank), [good])) == [("not_party", None)]
    together = [*three, before, Received(b"{}", "m" * 16), good, registration, good]
    assert said(accept(bank, together)) == [
        ("valid", 1),
        ("valid", 2),
        ("used_up", None),
        ("NONCE_REPLAYED", None),
        ("unknown", None),
        ("valid", 1),
        ("valid", None),
        ("NONCE_REPLAYED", None),
    ]
    assert [uses(pilot, each) for each in (twice, spent, number)] == [2, 1, 1]


def test_a_consumers_own_installation_sends_a_set_from_the_consumers_account(pilot: Pilot, tmp_path: Path) -> None:
    made = certificates(pilot, 2)
    joined(pilot, tmp_path / "home", pilot.cast.bank)
    with open_participant(Settings(home=tmp_path / "home")) as bank:
        assert said(bank.verification.accept_all(bank.actor(bank.party), list(made.values()))) == [("valid", 1)] * 2
    assert [uses(pilot, number) for number in made] == [1, 1]


def test_a_set_interrupted_after_the_transaction_was_sent_is_completed_without_counting_a_use_twice(
    pilot: Pilot,
) -> None:
    made, bank = certificates(pilot, 3), pilot.actor(pilot.cast.bank)
    node = DeafConnection(pilot.ledger.client.connection.url)
    key = pilot.ledger.custody.private_key(pilot.ledger.client.account).hex()
    over = verification(pilot, ChainClient(node, pilot.ledger.client.deployment, key))
    node.deaf = True
    answers = over.accept_all(bank, list(made.values()))
    assert all(isinstance(answer, ChainUnavailable) for answer in answers)
    node.deaf = False
    assert [results(pilot, number) for number in made] == [[("pending", True, 1)]] * 3
    first, *others = made.values()
    assert said(over.accept_all(bank, [first])) == [("valid", 1)]
    assert pilot.ledger.verification.settle() == 2
    assert said(over.accept_all(bank, [first, *others])) == [("NONCE_REPLAYED", None)] * 3
    for number in made:
        assert (results(pilot, number), uses(pilot, number)) == ([("valid", True, 1)], 1)


def test_more_presentations_than_fit_into_one_transaction_are_refused(pilot: Pilot) -> None:
    with pytest.raises(InvalidInput, match="TOO_MANY_PRESENTATIONS"):
        pilot.ledger.verification.accept_all(
            pilot.actor(pilot.cast.bank), [Received(b"{}", str(number)) for number in range(MAX_TOGETHER + 1)]
        )


def test_four_presentations_take_as_many_queries_and_node_requests_as_one_presentation(pilot: Pilot) -> None:
    verification, bank = pilot.ledger.verification, pilot.actor(pilot.cast.bank)

    def cost(count: int) -> tuple[int, int]:
        presented = list(certificates(pilot, count).values())
        with counting(pilot.ledger.database.engine) as statements, node_requests() as requests:
            assert said(verification.accept_all(bank, presented)) == [("valid", 1)] * count
        return len(statements), len(requests)

    cost(1)
    assert cost(MANY) == cost(1)
