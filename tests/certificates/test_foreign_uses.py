"""Attacks by a party that is not the consumer: it tries to use up a certificate, or to make the certificate's
verification slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.certificates.verification.seen_certificates import counter_of
from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.local.node import FUNDS_WEI
from ledger.chain.reading.facts import collect_facts
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.sender import Receipt
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, Forbidden, PingzhengError
from ledger.proof.acts import sign_act, uses_message
from ledger.proof.bundle import parse_bundle
from ledger.proof.facts_needed import facts_needed
from tests.support.actors.pilots import Pilot
from tests.support.actors.uses import certificate_of, uses
from tests.support.chain.reads import uses_of
from tests.support.ledgers.joined import presentations

FOREIGN_USES = 2_000
IN_ONE_LIST = 200
HOUR = 3600


class CountingConnection(Connection):
    """Counts the calls to the node and the size of its answers."""

    asked = 0
    bytes_back = 0

    def request(self, method: str, *params: Any) -> Any:
        return self._counted(1, super().request(method, *params))

    def _ask_batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answers: list[Any] = self._counted(len(calls), super()._ask_batch(calls))
        return answers

    def _counted(self, questions: int, answer: Any) -> Any:
        self.asked += questions
        self.bytes_back += len(repr(answer))
        return answer


def request_of(pilot: Pilot, number: str) -> str:
    """Return the digest of the request; the chain counts the certificate's uses for this digest."""
    with pilot.ledger.database.read() as session:
        counter = counter_of(session, number)
    assert counter is not None
    return counter[1]


def client_of(pilot: Pilot, key: bytes) -> ChainClient:
    """Give the key's account money for gas, and return a client that sends from this account."""
    pilot.ledger.client.connection.ask("hardhat_setBalance", account_of(key), hex(FUNDS_WEI))
    return pilot.ledger.client.with_account(key.hex())


def own_key(pilot: Pilot, party: str) -> bytes:
    return pilot.ledger.custody.private_key(pilot.ledger.parties.register.get(party).account)


def deadline(pilot: Pilot) -> int:
    return pilot.ledger.reader.latest().time + HOUR


def relayed(pilot: Pilot, named: str, signer: str, listed: Sequence[tuple[str, int]], until: int) -> Receipt:
    """Send uses from the operator's account. The uses name the party ``named``, and are signed by ``signer``."""
    ledger = pilot.ledger
    account = ledger.parties.register.get(named).account
    signature = sign_act(uses_message(ledger.reader.chain, account, until, listed), pilot.actors.signer_of(signer))
    return ledger.client.send(calls.record_uses_for(account, listed, until, signature))


def code_of(refusal: pytest.ExceptionInfo[PingzhengError]) -> str:
    return refusal.value.code


def test_only_the_consumer_can_add_to_its_count_of_uses(pilot: Pilot) -> None:
    """An unknown account, the subject, the provider, the issuer and another bank try to count a use, also with forged
    signatures.
    """
    ledger, cast, firm = pilot.ledger, pilot.cast, pilot.firm()
    number = pilot.certificate(firm)
    request = request_of(pilot, number)

    with pytest.raises(Forbidden) as unknown:
        client_of(pilot, new_private_key()).send(calls.record_use(request, 1))
    assert code_of(unknown) == "PARTY_UNKNOWN_ACCOUNT"
    for party in (cast.firms[firm], cast.provider, ledger.installation.operator, cast.supervisor):
        with pytest.raises(Forbidden) as lacking:
            client_of(pilot, own_key(pilot, party)).send(calls.record_use(request, 1))
        assert code_of(lacking) == "PARTY_LACKS_ROLE"
    for signer in (ledger.installation.operator, cast.other_bank, cast.firms[firm]):
        with pytest.raises(Forbidden) as forged:
            relayed(pilot, cast.bank, signer, [(request, 1)], deadline(pilot))
        assert code_of(forged) == "LOG_SIGNATURE_INVALID"
    client_of(pilot, own_key(pilot, cast.other_bank)).send(calls.record_use(request, 1))
    relayed(pilot, cast.other_bank, cast.other_bank, [(request, 2), (request, 3)], deadline(pilot))

    assert uses_of(ledger.reader, ledger.reader.party_no(cast.other_bank), request) == 3
    assert (uses(pilot, number), ledger.presentations.elsewhere(number)) == (0, [])
    report = pilot.accept(firm, number)
    assert report.valid and report.disclosed
    assert uses(pilot, number) == 1


def test_a_signature_for_one_use_is_refused_for_another_use_and_on_another_ledger(pilot: Pilot) -> None:
    """The signed use is sent a second time, for another request, with another ordinal, after its deadline, and to
    another ledger.
    """
    ledger, cast, firm = pilot.ledger, pilot.cast, pilot.firm()
    request, other = (request_of(pilot, pilot.certificate(each)) for each in (firm, pilot.firm()))
    account, until = ledger.parties.register.get(cast.bank).account, deadline(pilot)
    chain, signer = ledger.reader.chain, pilot.actors.signer_of(cast.bank)
    signature = sign_act(uses_message(chain, account, until, [(request, 1)]), signer)

    for altered in ([(other, 1)], [(request, 2)], [(request, 1), (other, 1)]):
        with pytest.raises(Forbidden, match="LOG_SIGNATURE_INVALID"):
            ledger.client.send(calls.record_uses_for(account, altered, until, signature))
    with pytest.raises(Forbidden, match="LOG_SIGNATURE_INVALID"):
        ledger.client.send(calls.record_uses_for(account, [(request, 1)], until + 1, signature))
    for elsewhere in (replace(chain, origin="ab" * 32), replace(chain, chain_id=chain.chain_id + 1)):
        foreign = sign_act(uses_message(elsewhere, account, until, [(request, 1)]), signer)
        with pytest.raises(Forbidden, match="LOG_SIGNATURE_INVALID"):
            ledger.client.send(calls.record_uses_for(account, [(request, 1)], until, foreign))

    first, again = (
        ledger.client.send(calls.record_uses_for(account, [(request, 1)], until, signature)) for _ in range(2)
    )
    assert (len(first.named("Used")), len(again.named("Used"))) == (1, 0)
    pilot.skip(2 * HOUR)
    with pytest.raises(Conflict, match="LOG_SIGNATURE_EXPIRED"):
        relayed(pilot, cast.bank, cast.bank, [(request, 2)], until)
    number = ledger.reader.party_no(cast.bank)
    assert [uses_of(ledger.reader, number, each) for each in (request, other)] == [1, 0]


def test_the_new_uses_in_a_list_are_counted_although_one_use_was_counted_before(pilot: Pilot) -> None:
    requests = [request_of(pilot, pilot.certificate(pilot.firm())) for _ in range(3)]
    bank = pilot.cast.bank
    relayed(pilot, bank, bank, [(requests[1], 1)], deadline(pilot))
    receipt = relayed(pilot, bank, bank, [(request, 1) for request in requests], deadline(pilot))
    assert [event.args["request"] for event in receipt.named("Used")] == [requests[0], requests[2]]
    number = pilot.ledger.reader.party_no(bank)
    assert [uses_of(pilot.ledger.reader, number, request) for request in requests] == [1, 1, 1]


def test_thousands_of_uses_by_other_parties_do_not_slow_a_verification(pilot: Pilot, tmp_path: Path) -> None:
    """Uses that other parties record for the same request add no calls and no events to a verification."""
    ledger, firm = pilot.ledger, pilot.firm()
    number = certificate_of(pilot, firm, 3, tmp_path)
    assert pilot.accept(firm, number).valid
    request, bundle = request_of(pilot, number), parse_bundle(presentations(pilot, firm, number)[0][0])
    crowd = pilot.party(PartyKind.BANK, Role.CONSUMER)

    def read() -> tuple[int, int, int]:
        node = CountingConnection(ledger.client.connection.url)
        facts = collect_facts(ChainReader(ChainClient(node, ledger.client.deployment)), bundle)
        counter = facts_needed(bundle).uses
        assert counter is not None
        return node.asked, node.bytes_back, facts.uses_of(*counter)

    asked, came_back, counted = read()
    for first in range(1, FOREIGN_USES + 1, IN_ONE_LIST):
        listed = [(request, ordinal) for ordinal in range(first, first + IN_ONE_LIST)]
        assert len(relayed(pilot, crowd, crowd, listed, deadline(pilot)).named("Used")) == IN_ONE_LIST
    assert uses_of(ledger.reader, ledger.reader.party_no(crowd), request) == FOREIGN_USES
    after = read()
    assert (after[0], after[2]) == (asked, counted) == (asked, 1)
    # The answers may be a few bytes longer, because later block numbers have one more digit.
    assert abs(after[1] - came_back) < 100
    assert ledger.presentations.elsewhere(number) == []
