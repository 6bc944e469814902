"""A subject withdraws on the chain by itself, and the verifier hears of it; who is not the subject changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ledger.chain import calls
from ledger.chain.client import ChainClient
from ledger.chain.connection import Connection
from ledger.chain.deployment import deployment_of
from ledger.chain.facts import collect_facts
from ledger.chain.reader import ChainReader
from ledger.chain.relay import Relay, sign_request
from ledger.chain.withdrawing import DirectWithdrawal, withdraw_by_itself
from ledger.domain.canonical import canonical
from ledger.errors import BadBundle, ChainUnavailable, Conflict, Forbidden, Misconfigured, NotFound, PingzhengError
from ledger.proof.bundle import Anchor, Bundle, ChainId, Evidence, Position, StatusSeen
from ledger.proof.facts import Facts, WithdrawalFact, parse_facts
from ledger.proof.merkle import Tree, leaf_hash
from tests.chain.hiding import reader_dating
from tests.chain.life import FAR, account
from tests.conftest import PARTIES, Chain, test_key

FIRM, BANK, NEWCOMER = PARTIES["enterprise"], PARTIES["bank"], test_key("newcomer to withdrawing")
SIZE = 300


@dataclass(frozen=True, slots=True)
class Consented:
    """A bundle whose evidence is anchored on the chain: two consents of the firm, one of the bank, a provision."""

    chain: Chain
    bundle: Bundle

    @property
    def first(self) -> Position:
        return self.bundle.evidence[0].position

    def withdraw(self, key: str = FIRM.key, **options: Any) -> tuple[DirectWithdrawal, ...]:
        bundle = options.pop("bundle", self.bundle)
        return withdraw_by_itself(bundle, self.chain.node.url, bytes.fromhex(key), **options)

    def facts(self) -> Facts:
        return collect_facts(self.chain.reader, self.bundle)

    def with_evidence(self, place: int, **changes: Any) -> Bundle:
        evidence = list(self.bundle.evidence)
        evidence[place] = replace(evidence[place], **changes)
        return replace(self.bundle, evidence=tuple(evidence))

    def on_chain(self, **changes: Any) -> Bundle:
        return replace(self.bundle, chain=replace(self.bundle.chain, **changes))


def entry(kind: str, identifier: str, **members: str) -> str:
    return canonical({"type": kind, "v": 1, "id": identifier, **members}).decode()


@pytest.fixture
def consented(chain: Chain) -> Consented:
    """The entries hold no more than what a withdrawal looks at; nothing else is judged here."""
    placed = {
        7: entry("authorization", "FIRST", subject=FIRM.id),
        256: entry("authorization", "SECOND", subject=FIRM.id),
        8: entry("authorization", "THE BANKS", subject=BANK.id),
        9: entry("provision", "PROVISION", provider=PARTIES["provider"].id),
    }
    tree = Tree([leaf_hash(placed.get(index, f"other {index}").encode()) for index in range(SIZE)])
    at = chain.client.anchor(0, SIZE, tree.root).time
    deployment = chain.deployment
    bundle = Bundle(
        chain=ChainId(
            deployment.chain_id, deployment.certificate_log, deployment.party_registry, deployment.asset_registry
        ),
        certificate="no certificate~",
        position=Position(0, 1),
        proof=(),
        evidence=tuple(
            Evidence(text, Position(0, index), tuple(tree.inclusion_proof(index))) for index, text in placed.items()
        ),
        anchors=(Anchor(0, 0, SIZE, tree.root, at, chain.parties["issuer"].no),),
        keys={},
        status=StatusSeen(1, "active"),
    )
    return Consented(chain, bundle)


def refusal(act: Callable[[], object], kind: type[PingzhengError]) -> PingzhengError:
    with pytest.raises(kind) as caught:
        act()
    return caught.value


def test_every_consent_of_the_subject_is_withdrawn_from_its_own_account(consented: Consented) -> None:
    made = consented.withdraw()
    assert [(each.authorization, each.position.index) for each in made] == [("FIRST", 7), ("SECOND", 256)]
    for each in made:
        assert each.receipt is not None
        (event,) = each.receipt.named("Withdrawn")
        assert dict(event.args) == {"batch": 0, "index": each.position.index, "at": each.at, "by": FIRM.no}
    assert consented.chain.client.connection.transaction_count(FIRM.account) >= 2
    told = {position.index: history for position, history in consented.facts().withdrawals.items()}
    by_firm = [(WithdrawalFact(FIRM.id, each.at),) for each in made]
    assert told == {7: by_firm[0], 8: (), 256: by_firm[1]}
    assert parse_facts(consented.facts().to_bytes()).withdrawals == consented.facts().withdrawals


def test_doing_it_again_sends_nothing_and_does_what_was_left(consented: Consented) -> None:
    (first,) = consented.withdraw(authorization="FIRST")
    again, rest = consented.withdraw()
    assert (again, rest.authorization) == (replace(first, receipt=None), "SECOND")
    assert rest.receipt is not None
    block = consented.chain.reader.block_number()
    assert consented.withdraw() == (again, replace(rest, receipt=None))
    assert consented.chain.reader.block_number() == block


def test_the_contract_takes_a_withdrawal_once(consented: Consented) -> None:
    firm = consented.chain.acting("enterprise")
    firm.withdraw(0, 7)
    error = refusal(lambda: firm.withdraw(0, 7), Conflict)
    assert (error.code, error.details) == ("LOG_ALREADY_WITHDRAWN", {"batch": 0, "index": 7})


@pytest.mark.parametrize("status", ["suspended", "sanctioned", "closed"])
def test_whatever_the_subjects_status(consented: Consented, status: str) -> None:
    consented.chain.acting("founder").send(calls.set_status(FIRM.no, status, "sanction"))
    firm, other = consented.chain.acting("enterprise"), calls.rotate_account("0x" + "bb" * 20)
    assert refusal(lambda: firm.send(other), Forbidden).code == "PARTY_NOT_ACTIVE"
    assert len(consented.withdraw()) == 2
    assert consented.chain.reader.withdrawn_by(0, 7, FIRM.no)


def test_another_party_withdraws_nothing_of_the_subjects(consented: Consented) -> None:
    consented.chain.acting("bank").withdraw(0, 7)
    assert consented.facts().withdrawals[consented.first] == ()
    assert not consented.chain.reader.withdrawn_by(0, 7, FIRM.no)


def test_facts_are_as_of_one_block(consented: Consented) -> None:
    before = consented.facts()
    consented.withdraw()
    assert before.withdrawals[consented.first] == ()
    assert consented.facts().block > before.block


@pytest.mark.parametrize("name", ["Withdrawn", "StatusChanged", "Used"])
def test_a_node_that_dates_an_event_after_its_newest_block_is_noticed(consented: Consented, name: str) -> None:
    """It tells of it, so that nothing is missing; and it would count for nothing yet."""
    chain = consented.chain
    consented.withdraw()
    chain.client.revoke(0, 7, "consent_withdrawn")
    chain.acting("bank").record_use(0, consented.bundle.position.index, 1)
    now = chain.reader.latest().time
    dated = collect_facts(reader_dating(chain, name, now), consented.bundle)
    assert dated.block_time == now
    error = refusal(lambda: collect_facts(reader_dating(chain, name, now + 1), consented.bundle), ChainUnavailable)
    assert error.code == "EVENT_AFTER_BLOCK" and error.hint


def test_nothing_is_said_of_a_batch_that_the_chain_does_not_know(consented: Consented) -> None:
    elsewhere = consented.with_evidence(0, position=Position(9, 7))
    facts = collect_facts(consented.chain.reader, elsewhere)
    assert set(facts.withdrawals) == {Position(0, index) for index in (8, 256)}


def test_anyone_may_relay_what_the_subject_signed(consented: Consented) -> None:
    """By hand, as a stranger with money and no party would; the subject's account has none and sends nothing."""
    chain, payer = consented.chain, test_key("payer")
    chain.node.fund(account("payer"))
    relay = Relay(chain.client.with_account(payer))
    signed = sign_request(relay.prepare(FIRM.account, calls.withdraw(0, 7), FAR), FIRM.key)
    (event,) = relay.submit(signed).named("Withdrawn")
    assert event.args["by"] == FIRM.no
    assert refusal(lambda: relay.submit(signed), Forbidden).code == "REQUEST_SIGNATURE_INVALID"


def test_an_account_without_money_is_told_so_and_another_pays(consented: Consented) -> None:
    chain = consented.chain
    chain.acting("enterprise").send(calls.rotate_account(account("newcomer to withdrawing")))
    before = chain.reader.block_number()
    error = refusal(lambda: consented.withdraw(NEWCOMER), Misconfigured)
    assert (error.code, error.where) == ("ACCOUNT_WITHOUT_FUNDS", account("newcomer to withdrawing"))
    assert error.details["balance_wei"] == 0 and error.details["needed_wei"]
    assert error.hint is not None and "relay" in error.hint
    assert chain.reader.block_number() == before
    chain.node.fund(account("payer"))
    made = consented.withdraw(NEWCOMER, payer=bytes.fromhex(test_key("payer")))
    assert [each.authorization for each in made] == ["FIRST", "SECOND"]
    assert chain.client.connection.transaction_count(account("newcomer to withdrawing")) == 0
    assert chain.reader.withdrawn_by(0, 256, FIRM.no)


WRONG: dict[str, tuple[type[PingzhengError], str, Callable[[Consented], object]]] = {
    "another subject's": (Forbidden, "SIGNER_NOT_SUBJECT", lambda it: it.withdraw(authorization="THE BANKS")),
    "of no subject here": (Forbidden, "SIGNER_NOT_SUBJECT", lambda it: it.withdraw(PARTIES["provider"].key)),
    "unknown id": (NotFound, "AUTHORIZATION_UNKNOWN", lambda it: it.withdraw(authorization="THIRD")),
    "a provision": (NotFound, "AUTHORIZATION_UNKNOWN", lambda it: it.withdraw(authorization="PROVISION")),
    "no evidence": (
        NotFound,
        "AUTHORIZATION_UNKNOWN",
        lambda it: it.withdraw(bundle=replace(it.bundle, evidence=())),
    ),
    "a stranger": (Forbidden, "PARTY_UNKNOWN_ACCOUNT", lambda it: it.withdraw(test_key("stranger"))),
    "another place": (
        BadBundle,
        "NOT_INCLUDED",
        lambda it: it.withdraw(bundle=it.with_evidence(0, position=Position(0, 8))),
    ),
    "another entry": (
        BadBundle,
        "NOT_INCLUDED",
        lambda it: it.withdraw(bundle=it.with_evidence(0, entry=entry("authorization", "X", subject=FIRM.id))),
    ),
    "no anchor": (BadBundle, "NOT_INCLUDED", lambda it: it.withdraw(bundle=replace(it.bundle, anchors=()))),
    "another anchor": (
        BadBundle,
        "ANCHOR_DIFFERS",
        lambda it: it.withdraw(bundle=replace(it.bundle, anchors=(replace(it.bundle.anchors[0], at=1),))),
    ),
    "another chain": (
        ChainUnavailable,
        "CHAIN_ID_CHANGED",
        lambda it: it.withdraw(bundle=it.on_chain(chain_id=1)),
    ),
    "no contract": (
        Misconfigured,
        "CONTRACT_MISSING",
        lambda it: it.withdraw(bundle=it.on_chain(certificate_log="0x" + "11" * 20)),
    ),
    "another contract": (
        Misconfigured,
        "CONTRACT_CODE_MISMATCH",
        lambda it: it.withdraw(bundle=it.on_chain(party_registry=it.bundle.chain.asset_registry)),
    ),
    "no node": (
        ChainUnavailable,
        "CHAIN_UNREACHABLE",
        lambda it: withdraw_by_itself(it.bundle, "http://127.0.0.1:1", bytes.fromhex(FIRM.key)),
    ),
}


@pytest.mark.parametrize(("kind", "code", "act"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_and_nothing_sent(
    consented: Consented, kind: type[PingzhengError], code: str, act: Callable[[Consented], object]
) -> None:
    before = consented.chain.reader.block_number()
    error = refusal(lambda: act(consented), kind)
    assert error.code == code and error.hint
    assert consented.chain.reader.block_number() == before


def test_a_retired_account_withdraws_nothing(consented: Consented) -> None:
    consented.chain.acting("enterprise").send(calls.rotate_account(account("newcomer to withdrawing")))
    assert refusal(consented.withdraw, Forbidden).code == "PARTY_UNKNOWN_ACCOUNT"


def test_a_bundle_names_the_deployment(consented: Consented) -> None:
    chain = consented.chain
    found = deployment_of(Connection(chain.node.url), consented.bundle.chain)
    assert dict(found.addresses) == dict(chain.deployment.addresses)
    assert (found.chain_id, found.genesis_hash) == (chain.deployment.chain_id, chain.deployment.genesis_hash)
    assert found.code_digests == chain.deployment.code_digests
    consented.withdraw()
    reader = ChainReader(ChainClient(chain.client.connection, found))
    assert collect_facts(reader, consented.bundle) == consented.facts()
