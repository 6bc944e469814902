"""Tests requests that a party signs, and that the service sends and pays for. A change to the signed request is
noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from ledger.chain.accounts import account_of
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call
from ledger.chain.sending.proposals import proposal_of
from ledger.chain.sending.relay import MAX_REQUEST_GAS, Relay, SignedRequest, sign_request
from ledger.errors import Conflict, Forbidden, InvalidInput, PingzhengError
from tests.support.chain.deployed import Chain, test_key
from tests.support.chain.reads import uses_of
from tests.support.chain.scripted_ledger import FAR, OTHER_REQUEST, REQUEST

USE = calls.record_use(REQUEST, 1)
OTHER_USE = calls.record_use(OTHER_REQUEST, 1)


@pytest.fixture
def relay(chain: Chain) -> Relay:
    """Return a relay whose transactions the founder sends and pays for."""
    return Relay(chain.acting("founder"))


def signed(
    chain: Chain, relay: Relay, call: Call = USE, *, key: str | None = None, deadline: int = FAR
) -> SignedRequest:
    bank = chain.parties["bank"]
    return sign_request(relay.prepare(bank.account, call, deadline), key or bank.key)


def altered(request: SignedRequest, part: str, **fields: Any) -> SignedRequest:
    typed_data = deepcopy(dict(request.typed_data))
    typed_data[part].update(fields)
    return SignedRequest(typed_data, request.signature)


def refusal(submit: Callable[[], object], kind: type[PingzhengError]) -> str:
    with pytest.raises(kind) as caught:
        submit()
    return caught.value.code


def test_a_relayed_call_counts_as_the_partys_act_and_the_service_pays(chain: Chain, relay: Relay) -> None:
    bank = chain.parties["bank"]
    funds = int(chain.node.rpc("eth_getBalance", bank.account, "latest"), 16)
    request = signed(chain, relay)
    assert relay.covers(request, bank.account, USE)
    receipt = relay.submit(request)
    assert receipt.named("Used")[0].args["consumer"] == bank.no
    assert int(chain.node.rpc("eth_getBalance", bank.account, "latest"), 16) == funds
    assert chain.client.connection.transaction_count(bank.account) == 0
    assert uses_of(chain.reader, chain.parties["bank"].no, REQUEST) == 1


def test_an_account_without_money_can_act_through_the_relay(chain: Chain, relay: Relay) -> None:
    fresh, bank = test_key("penniless"), chain.parties["bank"]
    rotation = calls.change_key(bank.no, account_of_key(fresh), bank.account, chain.proof(fresh, bank.no))
    number = proposal_of(relay.submit(signed(chain, relay, calls.propose(rotation))))
    chain.client.send(calls.carry_out(number, rotation))
    relay.submit(sign_request(relay.prepare(account_of_key(fresh), USE, FAR), fresh))
    assert int(chain.node.rpc("eth_getBalance", account_of_key(fresh), "latest"), 16) == 0
    assert uses_of(chain.reader, chain.parties["bank"].no, REQUEST) == 1
    assert refusal(lambda: relay.prepare(bank.account, USE, FAR), Forbidden) == "PARTY_UNKNOWN_ACCOUNT"


def account_of_key(key: str) -> str:
    return account_of(bytes.fromhex(key))


def test_a_request_signed_with_a_wrong_key_is_refused(chain: Chain, relay: Relay) -> None:
    request = signed(chain, relay, key=chain.parties["other_bank"].key)
    assert refusal(lambda: relay.submit(request), Forbidden) == "REQUEST_SIGNATURE_INVALID"


def test_a_request_cannot_be_sent_twice(chain: Chain, relay: Relay) -> None:
    request = signed(chain, relay)
    relay.submit(request)
    assert refusal(lambda: relay.submit(request), Forbidden) == "REQUEST_SIGNATURE_INVALID"
    assert uses_of(chain.reader, chain.parties["bank"].no, REQUEST) == 1


def test_only_one_of_two_requests_that_an_account_signed_with_the_same_nonce_is_accepted(
    chain: Chain, relay: Relay
) -> None:
    one, other = signed(chain, relay), signed(chain, relay, OTHER_USE)
    relay.submit(other)
    assert refusal(lambda: relay.submit(one), Forbidden) == "REQUEST_SIGNATURE_INVALID"


def test_a_request_is_valid_until_its_deadline(chain: Chain, relay: Relay) -> None:
    now = chain.reader.latest().time
    request = signed(chain, relay, deadline=now + 1000)
    assert refusal(lambda: relay.submit(signed(chain, relay, deadline=now - 1)), Forbidden) == (
        "REQUEST_SIGNATURE_INVALID"
    )
    chain.node.advance(1001)
    assert refusal(lambda: relay.submit(request), Forbidden) == "REQUEST_SIGNATURE_INVALID"
    assert uses_of(chain.reader, chain.parties["bank"].no, REQUEST) == 0


ALTERATIONS = {
    "another chain": ("REQUEST_NOT_OURS", "domain", lambda chain: {"chainId": 1}),
    "another forwarder": ("REQUEST_NOT_OURS", "domain", lambda chain: {"verifyingContract": "0x" + "11" * 20}),
    "another name": ("REQUEST_NOT_OURS", "domain", lambda chain: {"name": "Other"}),
    "another origin": ("REQUEST_NOT_OURS", "domain", lambda chain: {"name": "Pingzheng/0x" + "ee" * 32}),
    "another contract": ("REQUEST_NOT_OURS", "message", lambda chain: {"to": "0x" + "11" * 20}),
    "the forwarder itself": ("REQUEST_NOT_OURS", "message", lambda chain: {"to": chain.deployment.forwarder}),
    "our other contract": (
        "REQUEST_SIGNATURE_INVALID",
        "message",
        lambda chain: {"to": chain.deployment.asset_registry},
    ),
    "changed data": (
        "REQUEST_SIGNATURE_INVALID",
        "message",
        lambda chain: {"data": "0x" + chain.client.encode(OTHER_USE).hex()},
    ),
    "another sender": (
        "REQUEST_SIGNATURE_INVALID",
        "message",
        lambda chain: {"from": chain.parties["other_bank"].account},
    ),
    "later deadline": ("REQUEST_SIGNATURE_INVALID", "message", lambda chain: {"deadline": FAR + 1}),
    "more gas": ("REQUEST_SIGNATURE_INVALID", "message", lambda chain: {"gas": MAX_REQUEST_GAS}),
    "too much gas": ("REQUEST_INVALID", "message", lambda chain: {"gas": MAX_REQUEST_GAS + 1}),
    "money": ("REQUEST_INVALID", "message", lambda chain: {"value": 1}),
    "negative deadline": ("REQUEST_INVALID", "message", lambda chain: {"deadline": -1}),
    "deadline too large": ("CALL_ARGUMENTS_INVALID", "message", lambda chain: {"deadline": 2**48}),
    "no hex": ("REQUEST_INVALID", "message", lambda chain: {"data": "0xzz"}),
    "half a byte": ("REQUEST_INVALID", "message", lambda chain: {"data": "0xabc"}),
    "short account": ("REQUEST_INVALID", "message", lambda chain: {"from": "0x11"}),
    "too much data": ("REQUEST_INVALID", "message", lambda chain: {"data": "0x" + "00" * (2**17 + 1)}),
    "data of another kind": ("REQUEST_INVALID", "message", lambda chain: {"data": 5}),
}


@pytest.mark.parametrize(("code", "part", "fields"), ALTERATIONS.values(), ids=ALTERATIONS)
def test_an_altered_request_is_refused(
    chain: Chain, relay: Relay, code: str, part: str, fields: Callable[[Chain], dict[str, Any]]
) -> None:
    request = altered(signed(chain, relay), part, **fields(chain))
    before = chain.reader.block_number()
    assert refusal(lambda: relay.submit(request), PingzhengError) == code
    assert chain.reader.block_number() == before


@pytest.mark.parametrize(
    "signature", ["", "0x", "0x" + "00" * 65, "0x" + "ff" * 65, "0x" + "11" * 64, "0x" + "1" * 129]
)
def test_a_malformed_signature_is_refused(chain: Chain, relay: Relay, signature: str) -> None:
    request = SignedRequest(signed(chain, relay).typed_data, signature)
    assert refusal(lambda: relay.submit(request), PingzhengError) in {"REQUEST_SIGNATURE_INVALID", "REQUEST_INVALID"}


@pytest.mark.parametrize("typed_data", [{}, {"message": {}}, {"message": None}, {"message": {"from": 1}}])
def test_malformed_typed_data_is_refused(chain: Chain, relay: Relay, typed_data: dict[str, Any]) -> None:
    request = SignedRequest(typed_data, "0x" + "00" * 65)
    assert refusal(lambda: relay.submit(request), InvalidInput) == "REQUEST_INVALID"


def test_typed_data_without_a_domain_is_refused(chain: Chain, relay: Relay) -> None:
    typed_data = dict(signed(chain, relay).typed_data)
    del typed_data["domain"]
    assert refusal(lambda: relay.submit(SignedRequest(typed_data, "0x" + "00" * 65)), InvalidInput) in {
        "REQUEST_INVALID",
        "REQUEST_NOT_OURS",
    }


def test_a_signed_request_covers_only_its_own_call_and_account(chain: Chain, relay: Relay) -> None:
    request, bank = signed(chain, relay), chain.parties["bank"]
    assert relay.covers(request, bank.account.upper().replace("0X", "0x"), USE)
    assert not relay.covers(request, bank.account, calls.record_use(REQUEST, 2))
    assert not relay.covers(request, chain.parties["other_bank"].account, USE)
    assert not relay.covers(altered(request, "message", to=chain.deployment.asset_registry), bank.account, USE)


def test_a_call_that_a_contract_would_refuse_is_refused_before_the_party_signs_it(chain: Chain, relay: Relay) -> None:
    bank = chain.parties["bank"].account
    assert refusal(lambda: relay.prepare(bank, calls.record_use(REQUEST, 2), FAR), Conflict) == "LOG_USE_OUT_OF_ORDER"
    assert refusal(lambda: relay.prepare(bank, calls.revoke(0, 0, "fraud"), FAR), Forbidden) == "PARTY_LACKS_ROLE"


def test_a_contracts_refusal_of_a_signed_request_is_a_pingzheng_error(chain: Chain, relay: Relay) -> None:
    request = signed(chain, relay)
    chain.acting("bank").send(calls.record_use(REQUEST, 1))
    before = chain.reader.block_number()
    assert refusal(lambda: relay.submit(request), Conflict) == "LOG_USE_OUT_OF_ORDER"
    assert chain.reader.block_number() == before


def test_only_the_forwarder_can_act_in_the_name_of_other_accounts(chain: Chain, relay: Relay) -> None:
    """The contracts take an address at the end of the call data as the caller only if the forwarder sent the call."""
    data = chain.client.encode(USE) + bytes.fromhex(chain.parties["bank"].account[2:])
    enterprise = chain.acting("enterprise")
    with pytest.raises(Forbidden) as caught:
        enterprise.transact(chain.deployment.certificate_log, data)
    assert (caught.value.code, caught.value.details["no"]) == ("PARTY_LACKS_ROLE", chain.parties["enterprise"].no)
