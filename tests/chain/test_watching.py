"""Tests that a party can watch its keys with any node and without our service, and notices a node that hides events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ledger.chain import watching
from ledger.chain.contracts.deployment import deployment_of
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import asset_calls, calls
from ledger.chain.sending.calls import Call
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.proposals import read_call
from ledger.chain.watching import key_changes, pending
from ledger.domain.powers import OPEN_FOR
from ledger.errors import ChainUnavailable
from tests.support.chain.deployed import DELAY, PARTIES, Chain, test_key
from tests.support.chain.hiding_nodes import reader_replacing, reader_without
from tests.support.chain.scripted_ledger import ASSETS, CONSENT, FAR, account, digest, newcomer_to, register_confirmed

FIRM, BANK = PARTIES["enterprise"], PARTIES["bank"]


@pytest.fixture
def chain(waiting_chain: Chain) -> Chain:
    return waiting_chain


@pytest.fixture
def stranger(chain: Chain) -> ChainReader:
    """Return a reader that knows only what a bundle says about the ledger."""
    connection = Connection(chain.node.url)
    return ChainReader(ChainClient(connection, deployment_of(connection, chain.deployment.chain)))


def recovery(chain: Chain) -> Call:
    return calls.change_key(FIRM.no, account("fresh"), FIRM.account, chain.proof(test_key("fresh"), FIRM.no))


def changes_of(reader: ChainReader, after: int = 0) -> list[tuple[str, str | None, int | None, int, str | None]]:
    return [
        (each.event, each.account, each.proposal, each.by, each.state) for each in key_changes(reader, FIRM.no, after)
    ]


def test_a_party_sees_each_change_of_its_keys_and_each_proposal_that_concerns_it(
    chain: Chain, stranger: ChainReader
) -> None:
    founder, second = PARTIES["founder"].no, PARTIES["second"].no
    born = [("AccountBound", FIRM.account, 0, founder, None)]
    assert changes_of(stranger) == born
    start = chain.reader.block_number()
    chain.acting("founder").send(calls.report(FIRM.no, FIRM.account))
    vetoed = chain.propose(recovery(chain))
    chain.acting("enterprise").send(calls.veto(vetoed))
    chain.decide(recovery(chain))
    chain.decide(calls.date_compromise(FIRM.no, FIRM.account, 5))
    # These changes concern another party, so they are not listed.
    chain.decide(calls.set_roles(BANK.no, 1 << 7))
    chain.acting("bank").send(calls.report(BANK.no, BANK.account))
    expected = [
        ("AccountReported", FIRM.account, None, founder, None),
        ("Proposed", None, 1, founder, None),
        ("ProposalEnded", FIRM.account, 1, FIRM.no, "vetoed"),
        ("Proposed", None, 2, founder, None),
        ("Confirmed", None, 2, second, None),
        ("ProposalEnded", None, 2, founder, "carried_out"),
        ("AccountRetired", FIRM.account, 2, founder, None),
        ("AccountBound", account("fresh"), 2, founder, None),
        ("Proposed", None, 3, founder, None),
        ("Confirmed", None, 3, second, None),
        ("ProposalEnded", None, 3, founder, "carried_out"),
        ("AccountCompromised", FIRM.account, None, founder, None),
    ]
    assert changes_of(stranger) == born + expected
    assert changes_of(stranger, start) == expected
    assert changes_of(stranger, chain.reader.block_number()) == []
    proposed = [each.call for each in key_changes(stranger, FIRM.no, start) if each.event == "Proposed"]
    assert proposed[0] == proposed[1]
    assert [each.kind for each in proposed if each and each.call] == ["change_key", "change_key", "date_compromise"]


def test_the_end_of_a_proposal_made_before_the_watched_blocks_is_listed(chain: Chain, stranger: ChainReader) -> None:
    number = chain.propose(recovery(chain))
    start = chain.reader.block_number()
    chain.acting("third").send(calls.cancel(number))
    assert changes_of(stranger, start) == [("ProposalEnded", None, number, PARTIES["third"].no, "cancelled")]


@pytest.mark.parametrize("place", [0, 1, -1])
def test_attack_a_node_that_hides_a_change_is_noticed(chain: Chain, place: int) -> None:
    start = chain.reader.block_number()
    chain.acting("founder").send(calls.report(FIRM.no, FIRM.account))
    chain.decide(recovery(chain))
    events = chain.reader.party_events(start + 1, chain.reader.block_number())
    for after in (0, start):
        with pytest.raises(ChainUnavailable) as caught:
            key_changes(reader_without(chain, events[place]), FIRM.no, after)
        assert caught.value.code == "PARTY_HISTORY_INCOMPLETE" and caught.value.hint


class PrunedConnection(Connection):
    """A connection to a node that has deleted the state of the blocks before ``first``."""

    def __init__(self, url: str, first: int) -> None:
        super().__init__(url)
        self._first = first

    def ask_many(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        asked = [int(parameters[1], 16) for method, parameters in calls if method == "eth_call"]
        if any(block < self._first for block in asked):
            raise ChainUnavailable("NODE_REFUSED", "missing trie node")
        return super().ask_many(calls)


def test_watching_works_with_a_node_that_keeps_no_old_state(chain: Chain) -> None:
    """Watching needs no old state: all events of the party, from the first one on, are hashed, and the result is
    compared with the newest hash in the contract.
    """
    start = chain.reader.block_number()
    chain.acting("founder").send(calls.report(FIRM.no, FIRM.account))
    chain.propose(recovery(chain))
    last = chain.reader.block_number()
    pruned = ChainReader(ChainClient(PrunedConnection(chain.node.url, last), chain.deployment))
    assert changes_of(pruned, start) == changes_of(chain.reader, start) != []
    assert changes_of(pruned, last) == []


def test_attack_a_node_that_shows_a_false_proposed_call_is_noticed(chain: Chain) -> None:
    chain.propose(recovery(chain))
    with pytest.raises(ChainUnavailable) as caught:
        key_changes(reader_replacing(chain, account("fresh")[2:], account("harmless")[2:]), FIRM.no, 0)
    assert caught.value.code == "PROPOSAL_CALL_DIFFERS"


def test_all_open_proposals_that_concern_a_party_are_listed(
    chain: Chain, stranger: ChainReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are more proposals than one page holds, and some of them have ended or expired."""
    monkeypatch.setattr(watching, "PROPOSALS_AT_ONCE", 2)
    expired = chain.propose(recovery(chain))
    assert [each.record.no for each in pending(stranger, FIRM.no)] == [expired]
    chain.node.advance(DELAY + OPEN_FOR + 1)
    assert pending(stranger, FIRM.no) == []
    numbers = [chain.propose(recovery(chain)) for _ in range(5)]
    chain.propose(calls.set_roles(BANK.no, 1 << 7))
    chain.acting("enterprise").send(calls.veto(numbers[1]))
    found = pending(stranger, FIRM.no)
    assert [each.record.no for each in found] == [numbers[0], *numbers[2:]]
    assert found[0].record == chain.reader.proposal(numbers[0])
    assert found[0].call == read_call(
        chain.deployment, chain.deployment.party_registry, encoded(chain, recovery(chain))
    )


def encoded(chain: Chain, call: Call) -> str:
    return chain.client.encode(call).hex()


def proposed_raw(chain: Chain, by: str, target: str, data: str) -> int:
    """Propose exactly these call data, and return the number of the proposal."""
    function = calls.propose(recovery(chain))
    raw = Call(function.contract, function.function, (target, bytes.fromhex(data)))
    (event,) = chain.acting(by).send(raw).named("Proposed")
    return int(event.args["no"])


@pytest.mark.parametrize("more", ["00", "00" * 32])
def test_attack_a_key_change_with_an_unusual_encoding_is_shown_as_a_key_change(
    chain: Chain, stranger: ChainReader, more: str
) -> None:
    """A thief adds a byte to the call data of a key change. The contract still accepts the call, so the party must see
    it as a key change.
    """
    call = calls.change_key(FIRM.no, account("thief"), FIRM.account, chain.proof(test_key("thief"), FIRM.no))
    number = proposed_raw(chain, "enterprise", chain.deployment.party_registry, encoded(chain, call) + more)
    (found,) = pending(stranger, FIRM.no)
    (change,) = [each for each in key_changes(stranger, FIRM.no, 0) if each.event == "Proposed"]
    assert found.record.no == change.proposal == number
    for shown in (found.call, change.call):
        assert shown is not None
        assert (shown.call, shown.kind, shown.changes_key) == (None, "change_key", True)
        assert (shown.arguments["fresh"], shown.arguments["old"]) == (account("thief"), FIRM.account)


def test_a_holder_sees_a_proposal_to_reassign_its_asset(chain: Chain, stranger: ChainReader) -> None:
    """The chain does not store which party a proposed reassignment concerns. The current holder and every later holder
    must see the proposal; earlier holders do not.
    """
    asset, holder = ASSETS[0], PARTIES["provider"].no
    register_confirmed(chain, asset)
    assert pending(stranger, holder) == []
    number = chain.propose(asset_calls.reassign(asset, BANK.no, digest("why")))
    chain.propose(asset_calls.reassign(digest("another asset"), BANK.no, digest("why")))
    chain.propose(calls.end_pause())
    (found,) = pending(stranger, holder)
    assert found.call is not None
    assert (found.record.no, found.call.kind, found.call.arguments["to"]) == (number, "reassign", BANK.no)
    assert [(each.event, each.proposal) for each in key_changes(stranger, holder, 0)][-1] == ("Proposed", number)
    assert pending(stranger, FIRM.no) == pending(stranger, BANK.no) == []
    chain.acting("third").send(calls.cancel(number))
    assert pending(stranger, holder) == []
    assert [(each.event, each.proposal) for each in key_changes(stranger, holder, 0)][-1] == ("ProposalEnded", number)


def test_attack_a_node_that_hides_a_proposed_reassignment_is_noticed(chain: Chain) -> None:
    register_confirmed(chain, ASSETS[0])
    start = chain.reader.block_number()
    chain.propose(asset_calls.reassign(ASSETS[0], BANK.no, digest("why")))
    (event,) = chain.reader.party_events(start + 1, chain.reader.block_number())
    with pytest.raises(ChainUnavailable) as caught:
        pending(reader_without(chain, event), PARTIES["provider"].no)
    assert caught.value.code == "PARTY_HISTORY_INCOMPLETE"


DECODED: dict[str, tuple[Call, dict[str, object]]] = {
    "change_key": (
        calls.change_key(7, "0x" + "aa" * 20, proof="ee" * 64),
        {"no": 7, "fresh": "0x" + "aa" * 20, "old": calls.NO_ACCOUNT, "proof": "ee" * 64},
    ),
    "set_roles": (calls.set_roles(7, 1 << 5 | 1), {"no": 7, "roles": ("subject", "authority")}),
    "set_status": (calls.set_status(7, "closed", "fraud"), {"no": 7, "status": "closed", "reason": "fraud"}),
    "accredit": (calls.accredit(7, "S51", 1, FAR), {"no": 7, "scenario": "S51", "from": 1, "to": FAR}),
    "lift": (
        calls.lift("supervisor", [CONSENT]),
        {"office": "supervisor", "statements": [CONSENT], "reason": "lifted"},
    ),
    "end_pause": (calls.end_pause(), {}),
}


@pytest.mark.parametrize(("kind", "call", "words"), [(kind, *row) for kind, row in DECODED.items()], ids=DECODED)
def test_the_arguments_of_a_call_are_shown_with_names(
    chain: Chain, kind: str, call: Call, words: dict[str, object]
) -> None:
    target, data = chain.deployment.addresses[call.contract], chain.client.encode(call).hex()
    shown = read_call(chain.deployment, target, data)
    assert shown.call is not None
    assert chain.client.encode(shown.call).hex() == data
    assert (shown.kind, shown.arguments) == (kind, words)


def test_a_list_of_parties_is_decoded_with_the_keys_of_the_parties(chain: Chain) -> None:
    newcomer = newcomer_to(chain, "newcomer", "subject")
    call = calls.register_parties([newcomer])
    decoded = read_call(chain.deployment, chain.deployment.party_registry, chain.client.encode(call).hex()).call
    assert decoded is not None and chain.client.encode(decoded) == chain.client.encode(call)
    (row,) = decoded.args[0]
    assert (row["id"], row["roles"]) == (newcomer.id, newcomer.roles)
    assert [(key["account"], key["proof"]) for key in row["keys"]] == list(newcomer.keys)


def test_inexact_call_data_is_not_decoded_as_a_call(chain: Chain) -> None:
    """Call data are not decoded as a call if bytes are missing or extra, or if the target does not have the function.
    If an argument is a number that has no name, the number itself is shown.
    """
    registry, encode = chain.deployment.party_registry, chain.client.encode
    roles = encode(calls.set_roles(7, 1)).hex()
    assert read_call(chain.deployment, registry.upper().replace("0X", "0x"), roles).call is not None
    for target, data in (
        (registry, roles + "00" * 32),
        (registry, roles[:-2]),
        (registry, encode(calls.lift("authority", [CONSENT])).hex()),
        (chain.deployment.forwarder, roles),
        ("0x" + "11" * 20, roles),
        (registry, ""),
    ):
        assert read_call(chain.deployment, target, data).call is None
    unknown = Call("PartyRegistry", "setStatus", (7, 200, 201))
    shown = read_call(chain.deployment, registry, encode(unknown).hex())
    assert shown.call is not None and shown.arguments == {"no": 7, "status": 200, "reason": 201}


@pytest.mark.parametrize("length", [*range(4), 4, 5, 35, 36, 67, 68, 100, 131, 132, 164, 200, 228])
def test_malformed_call_data_is_read_as_far_as_possible(chain: Chain, length: int) -> None:
    """No error is raised for call data that are cut at any place or that contain impossible offsets and lengths."""
    registry = chain.deployment.party_registry
    whole = chain.client.encode(recovery(chain))
    for cut in (whole[:length], whole[:length] + b"\xff" * 64, whole[:100] + b"\xff" * 32 + whole[132:]):
        shown = read_call(chain.deployment, registry, cut.hex())
        assert shown.call is None or chain.client.encode(shown.call) == cut
        assert shown.changes_key == (cut[:4] == whole[:4])
        if cut[:36] == whole[:36]:
            assert shown.arguments["no"] == FIRM.no
