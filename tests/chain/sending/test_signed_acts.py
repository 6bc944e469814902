"""Tests uses and withdrawals that a party signs and anybody can send, with both kinds of keys that the chain checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from ledger.chain.contracts.deployment import CERTIFICATE_LOG
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call
from ledger.chain.sending.client import ChainClient
from ledger.errors import Conflict, Forbidden, PingzhengError
from ledger.proof.acts import prove_key, sign_act, uses_message, withdrawals_message
from ledger.proof.bundle import ChainId
from ledger.proof.facts import WithdrawalFact
from ledger.proof.jws import Es256Signer, LocalSigner, Signer
from ledger.proof.suites import p256
from tests.support.chain.deployed import PARTIES, Chain, deployed_on, test_key
from tests.support.chain.reads import uses_of
from tests.support.chain.scripted_ledger import CONSENT, FAR, OTHER_CONSENT, OTHER_REQUEST, REQUEST

BANK = PARTIES["bank"]
P256 = Es256Signer(bytes.fromhex(test_key("the bank's P-256 key")))
SIGNERS: dict[str, Signer] = {"secp256k1": LocalSigner(bytes.fromhex(BANK.key), BANK.account), "P-256": P256}
ORDERS = {64: 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141, 128: p256.ORDER}
USES = [(REQUEST, 1), (OTHER_REQUEST, 1)]


@dataclass(frozen=True, slots=True)
class Acting:
    """The bank signs with one of its keys. An account that belongs to no party sends the act and pays."""

    chain: Chain
    signer: Signer
    sender: ChainClient

    def uses(self, uses: Sequence[tuple[str, int]] = USES, *, deadline: int = FAR, on: ChainId | None = None) -> Call:
        message = uses_message(on or self.chain.deployment.chain, self.signer.kid, deadline, uses)
        return calls.record_uses_for(self.signer.kid, uses, deadline, sign_act(message, self.signer))

    def withdrawals(self, statements: Sequence[str] = (CONSENT, OTHER_CONSENT), *, on: ChainId | None = None) -> Call:
        message = withdrawals_message(on or self.chain.deployment.chain, self.signer.kid, statements)
        return calls.withdraw_for(self.signer.kid, statements, sign_act(message, self.signer))

    def counted(self, request: str = REQUEST) -> int:
        return uses_of(self.chain.reader, BANK.no, request)

    def refusal(self, call: Call, kind: type[PingzhengError] = Forbidden) -> str:
        with pytest.raises(kind) as caught:
            self.sender.send(call)
        assert caught.value.hint
        return caught.value.code


@pytest.fixture(params=SIGNERS)
def acting(chain: Chain, request: pytest.FixtureRequest) -> Acting:
    chain.decide(calls.change_key(BANK.no, P256.kid, proof=prove_key(chain.deployment.chain, P256, BANK.no)))
    sender = chain.client.with_account(test_key("stranger who pays"))
    chain.node.fund(sender.account)
    return Acting(chain, SIGNERS[request.param], sender)


def test_uses_are_counted_for_the_consumer_that_signed_them(acting: Acting) -> None:
    receipt = acting.sender.send(acting.uses())
    assert [dict(event.args) for event in receipt.named("Used")] == [
        {"consumer": BANK.no, "request": request, "ordinal": ordinal, "at": receipt.time} for request, ordinal in USES
    ]
    assert (acting.counted(REQUEST), acting.counted(OTHER_REQUEST)) == (1, 1)
    assert acting.chain.client.connection.transaction_count(BANK.account) == 0


def test_only_the_outdated_use_of_a_list_is_skipped(acting: Acting) -> None:
    """The first use of the list is outdated, because another program of the bank has already recorded it. A use whose
    ordinal is too high is skipped too.
    """
    acting.chain.acting("bank").send(calls.record_use(REQUEST, 1))
    uses = [(REQUEST, 1), (REQUEST, 2), (OTHER_REQUEST, 1), (REQUEST, 4), (REQUEST, 3), (OTHER_REQUEST, 1)]
    call = acting.uses(uses)
    assert acting.sender.read(CERTIFICATE_LOG, call.function, call.args) == [3]
    found = [(event.args["request"], event.args["ordinal"]) for event in acting.sender.send(call).named("Used")]
    assert found == [(REQUEST, 2), (OTHER_REQUEST, 1), (REQUEST, 3)]
    assert (acting.counted(REQUEST), acting.counted(OTHER_REQUEST)) == (3, 1)


def test_signed_uses_sent_again_are_not_counted(acting: Acting) -> None:
    call = acting.uses()
    acting.sender.send(call)
    assert acting.chain.acting("other_bank").send(call).events == ()
    assert (acting.counted(REQUEST), acting.counted(OTHER_REQUEST)) == (1, 1)


def test_signed_uses_after_the_deadline_are_refused(acting: Acting) -> None:
    now = acting.chain.reader.latest().time
    call = acting.uses(deadline=now + 1000)
    acting.chain.node.advance(1001)
    assert acting.refusal(call, Conflict) == "LOG_SIGNATURE_EXPIRED"
    assert acting.counted() == 0


def test_statements_are_withdrawn_for_the_party_that_signed_the_withdrawal(acting: Acting) -> None:
    receipt = acting.sender.send(acting.withdrawals())
    for statement in (CONSENT, OTHER_CONSENT):
        assert acting.chain.reader.withdrawn_at(BANK.no, statement) == WithdrawalFact(receipt.time, 0)
    assert acting.chain.client.connection.transaction_count(BANK.account) == 0


def test_statements_withdrawn_earlier_are_skipped(acting: Acting) -> None:
    first = acting.chain.acting("bank").send(calls.withdraw(CONSENT))
    acting.chain.node.advance(60)
    call = acting.withdrawals([CONSENT, OTHER_CONSENT, OTHER_CONSENT])
    (event,) = acting.sender.send(call).named("Withdrawn")
    assert event.args["statement"] == OTHER_CONSENT
    assert acting.chain.reader.withdrawn_at(BANK.no, CONSENT) == WithdrawalFact(first.time, 0)
    assert acting.sender.send(call).events == ()


def test_a_suspended_party_can_withdraw_statements_but_cannot_record_uses(acting: Acting) -> None:
    acting.chain.acting("founder").send(calls.set_status(BANK.no, "suspended", "sanction"))
    assert acting.refusal(acting.uses()) == "PARTY_NOT_ACTIVE"
    assert len(acting.sender.send(acting.withdrawals()).events) == 2


def test_a_party_that_is_not_a_consumer_cannot_record_uses(acting: Acting) -> None:
    acting.chain.acting("founder").send(calls.set_roles(BANK.no, 1))
    assert acting.refusal(acting.uses()) == "PARTY_LACKS_ROLE"


@pytest.mark.parametrize("act", [Acting.uses, Acting.withdrawals])
def test_signatures_of_a_retired_account_are_refused(acting: Acting, act: Callable[[Acting], Call]) -> None:
    acting.chain.decide(calls.change_key(BANK.no, "0x" + "bb" * 20, acting.signer.kid))
    assert acting.refusal(act(acting)) == "PARTY_UNKNOWN_ACCOUNT"


def with_argument(call: Call, place: int, value: object) -> Call:
    return replace(call, args=(*call.args[:place], value, *call.args[place + 1 :]))


def with_high_s(signature: bytes) -> bytes:
    """Return the signature with the second valid ``s``, the order minus ``s``. Anybody can compute it."""
    s = ORDERS[len(signature)] - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + signature[64:]


def elsewhere(acting: Acting, **changes: object) -> ChainId:
    return replace(acting.chain.deployment.chain, **changes)  # type: ignore[arg-type]


FORGED: dict[str, Callable[[Acting], Call]] = {
    "uses: another ordinal": lambda it: with_argument(it.uses(), 1, [(REQUEST, 1), (OTHER_REQUEST, 2)]),
    "uses: one fewer": lambda it: with_argument(it.uses(), 1, USES[:1]),
    "uses: another order": lambda it: with_argument(it.uses(), 1, USES[::-1]),
    "uses: later deadline": lambda it: with_argument(it.uses(), 2, FAR + 1),
    "uses: another consumer": lambda it: with_argument(it.uses(), 0, PARTIES["other_bank"].account),
    "uses: another origin": lambda it: it.uses(on=elsewhere(it, origin="ee" * 32)),
    "uses: another chain": lambda it: it.uses(on=elsewhere(it, chain_id=1)),
    "uses: another log": lambda it: it.uses(on=elsewhere(it, certificate_log="0x" + "11" * 20)),
    "uses: high s": lambda it: with_argument(it.uses(), 3, with_high_s(it.uses().args[3])),
    "uses: a withdrawal's signature": lambda it: with_argument(it.uses(), 3, it.withdrawals().args[2]),
    "uses: no signature": lambda it: with_argument(it.uses(), 3, b""),
    "uses: zeros": lambda it: with_argument(it.uses(), 3, bytes(len(it.uses().args[3]))),
    "uses: a byte more": lambda it: with_argument(it.uses(), 3, it.uses().args[3] + b"\0"),
    "withdrawals: another statement": lambda it: with_argument(it.withdrawals(), 1, [CONSENT, REQUEST]),
    "withdrawals: one more": lambda it: with_argument(it.withdrawals(), 1, [CONSENT, OTHER_CONSENT, REQUEST]),
    "withdrawals: another party": lambda it: with_argument(it.withdrawals(), 0, PARTIES["enterprise"].account),
    "withdrawals: another origin": lambda it: it.withdrawals(on=elsewhere(it, origin="ee" * 32)),
    "withdrawals: another chain": lambda it: it.withdrawals(on=elsewhere(it, chain_id=1)),
    "withdrawals: another log": lambda it: it.withdrawals(on=elsewhere(it, certificate_log="0x" + "11" * 20)),
    "withdrawals: high s": lambda it: with_argument(it.withdrawals(), 2, with_high_s(it.withdrawals().args[2])),
    "withdrawals: a use's signature": lambda it: with_argument(it.withdrawals(), 2, it.uses().args[3]),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_acts_that_the_party_did_not_sign_are_refused(acting: Acting, forge: Callable[[Acting], Call]) -> None:
    before = acting.chain.reader.block_number()
    assert acting.refusal(forge(acting)) == "LOG_SIGNATURE_INVALID"
    assert acting.chain.reader.block_number() == before


def test_an_act_signed_for_another_ledger_is_refused(acting: Acting) -> None:
    """A second ledger on the same chain has the same parties and keys. An act signed for the second ledger is refused
    in the first.
    """
    other = deployed_on(acting.chain.node)
    assert acting.refusal(acting.uses(on=other.chain)) == "LOG_SIGNATURE_INVALID"
    assert acting.refusal(acting.withdrawals(on=other.chain)) == "LOG_SIGNATURE_INVALID"


def test_an_act_signed_with_a_p256_key_that_is_not_the_accounts_key_is_refused(acting: Acting) -> None:
    """The signature contains the public key, which must be the key of the account."""
    stranger = Es256Signer(bytes.fromhex(test_key("a stranger's P-256 key")))
    message = uses_message(acting.chain.deployment.chain, acting.signer.kid, FAR, USES)
    call = calls.record_uses_for(acting.signer.kid, USES, FAR, sign_act(message, stranger))
    assert acting.refusal(call) == "LOG_SIGNATURE_INVALID"
