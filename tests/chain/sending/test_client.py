"""Tests the client that sends transactions to the contracts: receipts, nonces, refusals."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from eth_utils.crypto import keccak

from ledger.chain.contracts.abi import signature
from ledger.chain.contracts.deployment import CONTRACTS, artifact_of, interface_of
from ledger.chain.contracts.revert import RevertReader, code_of, load_meanings
from ledger.chain.reading.contract_state import Hold
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.domain.parties import Role
from ledger.errors import (
    ChainRejected,
    ChainUnavailable,
    Conflict,
    Forbidden,
    InvalidInput,
    Misconfigured,
    NotFound,
    PingzhengError,
)
from ledger.proof.bundle import Position
from tests.support.chain.deployed import Chain, test_key
from tests.support.chain.reads import state_of, uses_of
from tests.support.chain.scripted_ledger import CONSENT, OTHER_REQUEST, REQUEST, ROOT, account


def place(chain: Chain, index: int) -> Position:
    """Return the position of a leaf in the issuer's first batch."""
    return Position(chain.parties["issuer"].no, 0, index)


def test_a_receipt_has_block_and_time_and_gas_and_events(chain: Chain) -> None:
    receipt = chain.client.send(calls.anchor(0, 5, ROOT))
    (event,) = receipt.events
    assert (event.contract, event.name) == ("CertificateLog", "Anchored")
    assert dict(event.args) == {
        "issuer": chain.parties["issuer"].no,
        "batch": 0,
        "firstSeq": 0,
        "size": 5,
        "root": ROOT.hex(),
        "at": receipt.time,
    }
    block = chain.reader.block(receipt.block_number)
    assert block is not None and (block.hash, block.time) == (receipt.block_hash, receipt.time)
    assert chain.client.receipt(receipt.tx_hash) == receipt


REFUSALS = [
    (
        Conflict,
        "LOG_NOT_CONTIGUOUS",
        {"issuer": 2, "expected": 0, "given": 7},
        lambda c: c.client.send(calls.anchor(7, 1, ROOT)),
    ),
    (InvalidInput, "LOG_EMPTY_BATCH", {}, lambda c: c.client.send(calls.anchor(0, 0, ROOT))),
    (NotFound, "LOG_UNKNOWN_BATCH", {"issuer": 2, "batch": 3}, lambda c: c.client.send(calls.revoke(3, 0, "fraud"))),
    (NotFound, "LOG_UNKNOWN_BATCH", {"issuer": 2, "batch": 0}, lambda c: c.client.send(calls.supersede(0, 0, 0, 1))),
    (
        InvalidInput,
        "LOG_SUPERSEDES_ITSELF",
        {"issuer": 2, "index": 4},
        lambda c: c.client.send(calls.supersede(0, 4, 0, 4)),
    ),
    (
        Conflict,
        "LOG_USE_OUT_OF_ORDER",
        {"request": REQUEST, "expected": 1, "given": 2},
        lambda c: c.acting("bank").send(calls.record_use(REQUEST, 2)),
    ),
    (Forbidden, "LOG_NOT_DECIDED", {}, lambda c: c.acting("founder").send(calls.lift("authority", [CONSENT]))),
    (Forbidden, "PARTY_LACKS_ROLE", {"no": 5}, lambda c: c.acting("bank").send(calls.anchor(0, 1, ROOT))),
    (Forbidden, "PARTY_LACKS_ROLE", {"no": 2}, lambda c: c.client.send(calls.record_use(REQUEST, 1))),
    (Forbidden, "PARTY_LACKS_ROLE", {"no": 2}, lambda c: c.client.send(calls.hold([CONSENT], "court"))),
    (Forbidden, "PARTY_SELF_GRANT", {"no": 1}, lambda c: c.propose(calls.accredit(1, "S51", 0, 2**39))),
    (Forbidden, "PARTY_NOT_DECIDED", {}, lambda c: c.acting("founder").send(calls.accredit(2, "S51", 0, 2**39))),
]


@pytest.mark.parametrize(
    ("kind", "code", "details", "move"), REFUSALS, ids=[f"{row[1]} {number}" for number, row in enumerate(REFUSALS)]
)
def test_a_refusal_found_before_sending_is_a_pingzheng_error_and_nothing_is_sent(
    chain: Chain, kind: type[PingzhengError], code: str, details: dict[str, Any], move: Callable[[Chain], object]
) -> None:
    before = chain.reader.block_number()
    with pytest.raises(kind) as caught:
        move(chain)
    assert caught.value.code == code
    assert details.items() <= caught.value.details.items()
    assert chain.reader.block_number() == before


def test_a_refusal_in_a_block_is_the_same_error_as_a_refusal_before_sending(chain: Chain) -> None:
    """The test itself gives the gas limit. So the client makes no estimate, which would reveal the refusal early; the
    transaction is mined and fails.
    """
    data = interface_of("CertificateLog").encode_call("anchor", (9, 1, ROOT))
    before = chain.reader.block_number()
    with pytest.raises(Conflict) as caught:
        chain.client._required_sender().send(chain.deployment.certificate_log, data, gas=300_000)
    assert caught.value.code == "LOG_NOT_CONTIGUOUS"
    assert chain.reader.block_number() == before + 1


def test_too_little_gas_is_reported(chain: Chain) -> None:
    data = interface_of("CertificateLog").encode_call("anchor", (0, 1, ROOT))
    with pytest.raises(ChainRejected) as caught:
        chain.client._required_sender().send(chain.deployment.certificate_log, data, gas=40_000)
    assert caught.value.code == "OUT_OF_GAS"


def test_threads_share_one_account_without_a_lost_or_doubled_nonce(chain: Chain) -> None:
    chain.client.send(calls.anchor(0, 64, ROOT))
    before = chain.client.connection.transaction_count(chain.client.account)
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda index: chain.client.send(calls.revoke(0, index, "data_error")), range(32)))
    assert len({receipt.tx_hash for receipt in receipts}) == 32
    assert chain.client.connection.transaction_count(chain.client.account) == before + 32
    assert all(state_of(chain.reader, place(chain, index)) == "revoked" for index in range(32))


def test_sending_works_while_another_program_uses_the_account(chain: Chain) -> None:
    other = ChainClient(Connection(chain.node.url), chain.deployment, chain.parties["issuer"].key)
    chain.client.send(calls.anchor(0, 1, ROOT))
    other.send(calls.anchor(1, 1, ROOT))
    other.send(calls.anchor(2, 1, ROOT))
    receipt = chain.client.send(calls.anchor(3, 1, ROOT))
    assert receipt.named("Anchored")[0].args["batch"] == 3


def test_only_one_of_two_simultaneous_uses_succeeds(chain: Chain) -> None:
    """Two programs of one consumer, each with its own account, record the same use."""
    second = test_key("the bank's second program")
    bank = chain.parties["bank"]
    chain.decide(
        calls.change_key(bank.no, account("the bank's second program"), proof=chain.proof(second, bank.no)),
        "bank",
        None,
    )
    chain.node.fund(account("the bank's second program"))
    banks = [chain.acting("bank"), chain.client.with_account(second)]

    def use(client: ChainClient) -> str:
        try:
            client.send(calls.record_use(REQUEST, 1))
        except Conflict as refusal:
            return refusal.code
        return "won"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(use, banks)) == ["LOG_USE_OUT_OF_ORDER", "won"]
    assert uses_of(chain.reader, chain.parties["bank"].no, REQUEST) == 1


def test_authorities_and_supervisors_each_lift_only_the_holds_of_their_own_role(chain: Chain) -> None:
    authority, supervisor = chain.acting("founder"), chain.acting("supervisor")
    authority.send(calls.hold([CONSENT, REQUEST], "court"))
    with pytest.raises(Conflict) as caught:
        authority.send(calls.hold([OTHER_REQUEST, CONSENT], "fraud"))
    assert (caught.value.code, caught.value.details) == ("LOG_ALREADY_HELD", {"statement": CONSENT})
    # A call with a list of statements was refused because of one statement. So no other statement of the list has got a
    # hold.
    assert chain.reader.hold_of(OTHER_REQUEST) == Hold((), 0)
    with pytest.raises(Conflict) as caught:
        chain.decide(calls.lift("supervisor", [CONSENT]), "supervisor", "other_supervisor")
    assert caught.value.code == "LOG_NOT_HELD"
    supervisor.send(calls.hold([CONSENT], "investigation"))
    assert chain.reader.hold_of(CONSENT) == Hold(("authority", "supervisor"), 2)
    chain.decide(calls.lift("authority", [CONSENT, REQUEST]))
    assert chain.reader.hold_of(CONSENT) == Hold(("supervisor",), 3)
    assert chain.reader.hold_of(REQUEST) == Hold((), 2)


def test_a_party_that_is_authority_and_supervisor_places_a_hold_for_each_role(chain: Chain) -> None:
    both = Role.mask([Role.AUTHORITY, Role.SUPERVISOR])
    chain.decide(calls.set_roles(chain.parties["supervisor"].no, both))
    chain.acting("founder").send(calls.hold([CONSENT], "court"))
    chain.acting("supervisor").send(calls.hold([CONSENT], "court"))
    assert chain.reader.hold_of(CONSENT) == Hold(("authority", "supervisor"), 2)
    chain.decide(calls.lift("supervisor", [CONSENT]), "supervisor", "other_supervisor")
    assert chain.reader.hold_of(CONSENT) == Hold(("authority",), 3)
    chain.decide(calls.lift("authority", [CONSENT]), "supervisor", "founder")
    assert chain.reader.hold_of(CONSENT) == Hold((), 4)


def test_the_hash_of_a_transaction_is_announced_before_the_transaction_is_sent(chain: Chain) -> None:
    chain.client.send(calls.anchor(0, 1, ROOT))
    announced: list[tuple[str, object]] = []

    def note(tx_hash: str) -> None:
        announced.append((tx_hash, chain.client.connection.transaction(tx_hash)))

    # Ganache still returns transactions that a snapshot undid. So this transaction must differ from all transactions of
    # the file's other tests, or else the node would return it before it is sent.
    receipt = chain.client.send(calls.revoke(0, 0, "court"), announce=note)
    assert announced == [(receipt.tx_hash, None)]


def test_a_transaction_waits_until_it_is_in_a_block(chain: Chain) -> None:
    chain.client.send(calls.anchor(0, 1, ROOT))
    hashes: list[str] = []
    chain.node.rpc("miner_stop")
    try:
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(chain.client.send, calls.revoke(0, 0, "fraud"), announce=hashes.append)
            while not (hashes and chain.client.waits(hashes[0])):
                assert not sent.done()
            chain.node.rpc("miner_start")
            assert sent.result().tx_hash == hashes[0]
    finally:
        chain.node.rpc("miner_start")
    assert not chain.client.waits(hashes[0])
    assert not chain.client.waits("ee" * 32)


def test_an_error_in_the_announcement_stops_the_transaction(chain: Chain) -> None:
    chain.client.send(calls.anchor(0, 1, ROOT))

    def stop(_tx_hash: str) -> None:
        raise Conflict("STOPPED", "Stopped.")

    with pytest.raises(Conflict, match="STOPPED"):
        chain.client.send(calls.revoke(0, 0, "fraud"), announce=stop)
    assert state_of(chain.reader, place(chain, 0)) == "active"
    chain.client.send(calls.revoke(0, 0, "fraud"))


def test_every_contract_error_has_a_meaning_and_a_code() -> None:
    meanings = load_meanings()
    names = {item["name"] for contract in CONTRACTS for item in interface_of(contract).errors.values()}
    ours = {name for name in names if name.startswith(("Party", "Asset", "Log"))}
    assert ours <= set(meanings)
    assert {name for name in meanings if name.startswith(("Party", "Asset", "Log"))} == ours
    codes = [code_of(name) for name in names]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("LogNotContiguous", "LOG_NOT_CONTIGUOUS"),
        ("ERC2771UntrustfulTarget", "ERC2771_UNTRUSTFUL_TARGET"),
        ("AssetZero", "ASSET_ZERO"),
    ],
)
def test_the_code_of_a_contract_error_is_the_name_of_the_error_in_upper_snake_case(name: str, code: str) -> None:
    assert code_of(name) == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("", "REVERT_UNKNOWN"),
        ("deadbeef", "REVERT_UNKNOWN"),
        ("08c379a0" + "ff" * 32, "REVERT_UNKNOWN"),
        ("4e487b71" + "00" * 31 + "11", "CONTRACT_PANIC"),
        (
            "08c379a0" + f"{32:064x}" + f"{4:064x}" + b"nope".hex().ljust(64, "0"),
            "REVERTED",
        ),
        (keccak(text="LogNotContiguous(uint32,uint64,uint64)")[:4].hex() + "00", "REVERT_UNKNOWN"),
    ],
)
def test_malformed_revert_data_gives_a_pingzheng_error(data: str, code: str) -> None:
    reader = RevertReader(interface_of(name) for name in CONTRACTS)
    assert reader.decode(bytes.fromhex(data)).code == code


def test_arguments_are_checked_before_the_node_is_asked(chain: Chain) -> None:
    for root in (b"short", "zz" * 32, 5):
        with pytest.raises(InvalidInput) as caught:
            chain.client.send(calls.anchor(0, 1, root))  # type: ignore[arg-type]
        assert caught.value.code == "CALL_ARGUMENTS_INVALID"
    for wrong in ("cd" * 31, "sha-256:" + "cd" * 32):
        with pytest.raises(InvalidInput):
            chain.acting("bank").send(calls.record_use(wrong, 1))
    with pytest.raises(InvalidInput):
        chain.client.send(calls.revoke(0, 2**32, "fraud"))
    with pytest.raises(InvalidInput) as caught:
        chain.client.send(calls.revoke(0, 0, "because"))
    assert caught.value.code == "REASON_UNKNOWN"


def test_a_node_that_does_not_answer_raises_chain_unreachable(chain: Chain) -> None:
    gone = ChainClient(Connection("http://127.0.0.1:1", timeout=1), chain.deployment, chain.parties["issuer"].key)
    with pytest.raises(ChainUnavailable) as caught:
        gone.send(calls.anchor(0, 1, ROOT))
    assert caught.value.code == "CHAIN_UNREACHABLE"


def test_a_client_without_an_account_cannot_send(chain: Chain) -> None:
    with pytest.raises(Misconfigured) as caught:
        ChainClient(Connection(chain.node.url), chain.deployment).send(calls.anchor(0, 1, ROOT))
    assert caught.value.code == "ACCOUNT_MISSING"
    with pytest.raises(Misconfigured) as caught:
        ChainClient(Connection(chain.node.url), chain.deployment, "not a key")
    assert caught.value.code == "ACCOUNT_KEY_INVALID"


def test_the_event_signatures_match_the_protocol() -> None:
    """The contracts hash the arguments of their events, so the names and types must stay as docs/protocol.md defines
    them.
    """
    names = {
        item["name"]: [parameter["name"] for parameter in item["inputs"]]
        for item in artifact_of("CertificateLog").abi
        if item["type"] == "event"
    }
    assert names == {
        "Anchored": ["issuer", "batch", "firstSeq", "size", "root", "at"],
        "StatusChanged": ["issuer", "batch", "word", "mask", "status", "reason", "at"],
        "Superseded": ["issuer", "batch", "index", "newBatch", "newIndex", "at"],
        "Used": ["consumer", "request", "ordinal", "at"],
        "Withdrawn": ["party", "statement", "reported", "at"],
        "Held": ["statement", "offices", "change", "reason", "at", "by"],
    }
    assert signature({"name": "f", "inputs": [{"name": "a", "type": "uint64"}]}) == "f(uint64)"
