"""Facts of a bundle: what it names is known, as of one block; what strangers write costs nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from ledger.chain.accounts import new_p256_key
from ledger.chain.contracts.deployment import CERTIFICATE_LOG, PARTY_REGISTRY
from ledger.chain.reading.facts import collect_facts
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.sender import Receipt
from ledger.domain.canonical import canonical
from ledger.errors import ChainUnavailable
from ledger.proof.acts import prove_key, sign_act, withdrawals_message
from ledger.proof.bundle import Bundle, Position
from ledger.proof.facts import Facts, Heads, HoldFact, LogFact, ProposedKey, StatusFact, UseFact, WithdrawalFact
from ledger.proof.facts_file import parse_facts
from ledger.proof.jws import Es256Signer, LocalSigner, public_jwk, sign_compact
from ledger.proof.sdjwt import CERTIFICATE_TYP
from tests.chain.consented import BANK, FIRM, ISSUER, PROVIDER, Consented, claims_of, consent, made, signer_of
from tests.support.chain.deployed import ACCREDITED_UNTIL, DELAY, PARTIES, SCENARIO, Chain, TestParty, test_key
from tests.support.chain.hiding_nodes import reader_dating, reader_numbering, reader_without
from tests.support.chain.scripted_ledger import ROOT, account, digest, signed_uses

NEVER = WithdrawalFact(0, 0)
STRANGERS_WRITE = 3_000
AT_ONCE = 1_000


@pytest.fixture
def consented(chain: Chain) -> Consented:
    return made(chain)


def with_claims(bundle: Bundle, **changes: Any) -> Bundle:
    """The same bundle around a certificate that says something else."""
    claims = {**claims_of(bundle), **changes}
    return bundle.with_certificate(sign_compact(canonical(claims), signer_of(ISSUER), CERTIFICATE_TYP) + "~")


def test_all_that_the_bundle_names_is_known_to_be_untouched(chain: Chain, consented: Consented) -> None:
    facts, block = consented.facts(), chain.reader.latest()
    statements = {each: consented.statement(each) for each in ("FIRST", "SECOND", "THE BANKS", "PROVISION")}
    held = {consented.certificate, consented.request, *statements.values()} - {statements["THE BANKS"]}
    commitment = chain.reader.commitment(ISSUER.no, 0)
    assert commitment is not None
    assert facts.chain == chain.deployment.chain == chain.reader.chain
    assert (facts.block, facts.block_hash, facts.block_time) == (block.number, block.hash, block.time)
    assert facts.heads == Heads(chain.reader.head(PARTY_REGISTRY), chain.reader.head(CERTIFICATE_LOG))
    assert facts.logs == {ISSUER.no: LogFact(1, commitment)}
    assert facts.anchors == {(ISSUER.no, 0): commitment}
    assert facts.status == {consented.bundle.position: ()}
    assert facts.holds == dict.fromkeys(held, ())
    assert facts.uses == {(BANK.id, consented.request): ()}
    subject = {"FIRST": FIRM.id, "SECOND": FIRM.id, "THE BANKS": BANK.id, "PROVISION": PROVIDER.id}
    assert facts.withdrawals == {(subject[name], each): NEVER for name, each in statements.items()}
    assert {fact.party for fact in facts.accounts.values()} == {FIRM.id, BANK.id, PROVIDER.id, ISSUER.id}
    assert facts.parties[ISSUER.id].accreditations == {SCENARIO: (0, ACCREDITED_UNTIL)}
    assert facts.parties[BANK.id].accreditations == {}
    assert parse_facts(facts.to_bytes()) == facts


def live_on(chain: Chain, consented: Consented) -> list[Receipt]:
    """A use, a withdrawal of a consent and of the provision, a hold that is lifted, and a revocation."""
    chain.node.advance(60)
    place = consented.bundle.position
    return [
        chain.acting("bank").record_use(consented.request, 1),
        chain.acting("enterprise").withdraw(consented.statement("FIRST")),
        chain.acting("provider").withdraw(consented.statement("PROVISION")),
        chain.acting("founder").hold([consented.certificate, consented.request], "court"),
        chain.decide(calls.lift("authority", [consented.request])),
        chain.client.revoke(place.batch, place.index, "fraud"),
    ]


def test_what_happened_since_is_known_with_its_time(chain: Chain, consented: Consented) -> None:
    before = consented.facts()
    used, withdrawn, taken_back, held, lifted, revoked = live_on(chain, consented)
    facts, office = consented.facts(), PARTIES["founder"].no
    assert facts.uses == {(BANK.id, consented.request): (UseFact(1, used.time),)}
    assert facts.uses_of(BANK.id, consented.request) == 1
    assert facts.withdrawals == {
        **before.withdrawals,
        (FIRM.id, consented.statement("FIRST")): WithdrawalFact(withdrawn.time, 0),
        (PROVIDER.id, consented.statement("PROVISION")): WithdrawalFact(taken_back.time, 0),
    }
    hold = HoldFact(("authority",), "court", held.time, office)
    assert facts.holds == {
        **before.holds,
        consented.certificate: (hold,),
        consented.request: (hold, HoldFact((), "lifted", lifted.time, office)),
    }
    assert facts.status == {consented.bundle.position: (StatusFact("revoked", "fraud", revoked.time),)}
    assert facts.block > before.block and facts.heads != before.heads
    assert parse_facts(facts.to_bytes()) == facts


def test_anchoring_the_evidence_again_changes_nothing(chain: Chain, consented: Consented) -> None:
    """What was signed decides: the same texts in another issuer's log are neither unused nor unwithdrawn there."""
    live_on(chain, consented)
    before = consented.facts()
    (anchor,) = consented.bundle.anchors
    rival = PARTIES["other_issuer"]
    chain.acting("other_issuer").anchor(0, anchor.size, anchor.root)
    elsewhere = replace(
        consented.bundle,
        position=replace(consented.bundle.position, issuer=rival.no),
        evidence=tuple(
            replace(item, position=replace(item.position, issuer=rival.no)) for item in consented.bundle.evidence
        ),
        anchors=(replace(anchor, issuer=rival.no, at=chain.reader.latest().time),),
    )
    facts = collect_facts(chain.reader, elsewhere)
    assert (facts.uses, facts.withdrawals, facts.holds) == (before.uses, before.withdrawals, before.holds)
    assert set(facts.logs) == {rival.no}


class CountingConnection(Connection):
    """Counts requests, the questions in them, and the bytes of the answers."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.turns: list[list[str]] = []
        self.bytes = 0

    def ask_many(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answers = super().ask_many(calls)
        self.turns.append([method for method, _ in calls])
        self.bytes += len(json.dumps(answers))
        return answers


def counted(chain: Chain, bundle: Bundle) -> tuple[Facts, CountingConnection]:
    connection = CountingConnection(chain.node.url)
    return collect_facts(ChainReader(ChainClient(connection, chain.deployment)), bundle), connection


def test_an_untouched_certificate_costs_two_turns_and_each_kind_of_history_no_more_than_one(
    chain: Chain, consented: Consented
) -> None:
    _, untouched = counted(chain, consented.bundle)
    assert len(untouched.turns) == 2
    # The status of a leaf has no counter: its events are asked for each time, and they are the issuer's own.
    assert [turn.count("eth_getLogs") for turn in untouched.turns] == [1, 0]
    live_on(chain, consented)
    _, touched = counted(chain, consented.bundle)
    assert [turn.count("eth_getLogs") for turn in touched.turns] == [1, 2, 1]


def test_what_strangers_write_costs_nothing(fast_chain: Chain) -> None:
    """Thousands of uses of the same request by another consumer, and thousands of withdrawals by another party."""
    chain, consented = fast_chain, made(fast_chain)
    before, cheap = counted(chain, consented.bundle)
    stranger = PARTIES["other_bank"]
    named = [consented.request, consented.statement("FIRST"), consented.statement("PROVISION")]
    for start in range(1, STRANGERS_WRITE + 1, AT_ONCE):
        ordinals = range(start, start + AT_ONCE)
        receipt = chain.client.send(signed_uses(chain, "other_bank", [(consented.request, each) for each in ordinals]))
        assert len(receipt.named("Used")) == AT_ONCE
        withdrawn = [*named, *(digest(f"statement {each}") for each in ordinals)]
        message = withdrawals_message(chain.deployment.chain, stranger.account, withdrawn)
        signature = sign_act(message, signer_of(stranger))
        chain.client.send(calls.withdraw_for(stranger.account, withdrawn, signature))
    assert chain.reader.uses_of(stranger.no, consented.request) == STRANGERS_WRITE
    after, dear = counted(chain, consented.bundle)
    assert (after.uses, after.withdrawals, after.holds) == (before.uses, before.withdrawals, before.holds)
    assert dear.turns == cheap.turns
    assert dear.bytes == cheap.bytes


def test_what_a_stranger_withdraws_is_not_listed(chain: Chain, consented: Consented) -> None:
    for name in ("bank", "other_bank", "issuer", "founder"):
        chain.acting(name).withdraw(consented.statement("FIRST"))
    assert consented.facts().withdrawals[FIRM.id, consented.statement("FIRST")] == NEVER


def hidden_use(chain: Chain, consented: Consented) -> Receipt:
    return chain.acting("bank").record_use(consented.request, 1)


def hidden_hold(chain: Chain, consented: Consented) -> Receipt:
    return chain.acting("supervisor").hold([consented.statement("PROVISION")], "investigation")


def hidden_revocation(chain: Chain, consented: Consented) -> Receipt:
    place = consented.bundle.position
    return chain.client.revoke(place.batch, place.index, "fraud")


HIDING: dict[str, Callable[[Chain, Consented], Receipt]] = {
    "USE_HISTORY_INCOMPLETE": hidden_use,
    "HOLD_HISTORY_INCOMPLETE": hidden_hold,
    "STATUS_HISTORY_INCOMPLETE": hidden_revocation,
}


@pytest.mark.parametrize("code", HIDING)
def test_a_node_that_hides_an_event_is_noticed(chain: Chain, consented: Consented, code: str) -> None:
    hidden = HIDING[code](chain, consented)
    with pytest.raises(ChainUnavailable) as caught:
        collect_facts(reader_without(chain, *hidden.events), consented.bundle)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["StatusChanged", "Used", "Held"])
def test_a_node_that_dates_an_event_after_its_newest_block_is_noticed(
    chain: Chain, consented: Consented, name: str
) -> None:
    """The event is there, so that nothing is missing; and it would count for nothing yet."""
    live_on(chain, consented)
    now = chain.reader.latest().time
    dated = collect_facts(reader_dating(chain, name, now), consented.bundle)
    assert dated.block_time == now
    with pytest.raises(ChainUnavailable) as caught:
        collect_facts(reader_dating(chain, name, now + 1), consented.bundle)
    assert caught.value.code == "EVENT_AFTER_BLOCK" and caught.value.hint


@pytest.mark.parametrize("number", [PARTIES["other_bank"].no, 99], ids=["another party's", "nobody's"])
@pytest.mark.parametrize("party", [BANK, FIRM, PROVIDER], ids=["consumer", "subject", "provider"])
def test_attack_a_node_that_gives_another_number_for_a_party_is_noticed(
    chain: Chain, consented: Consented, party: TestParty, number: int
) -> None:
    """Under that number neither the use of the bank shows nor what the firm and the provider withdrew."""
    live_on(chain, consented)
    with pytest.raises(ChainUnavailable) as caught:
        collect_facts(reader_numbering(chain, party.id, number), consented.bundle)
    assert caught.value.code == "PARTY_NUMBER_DIFFERS" and caught.value.hint
    assert caught.value.where == f"party {party.id}"


def test_parties_that_nobody_registered_are_not_known(chain: Chain, consented: Consented) -> None:
    facts = collect_facts(chain.reader, with_claims(consented.bundle, consumer="ee" * 32))
    assert facts.uses == {}
    assert facts.withdrawals == consented.facts().withdrawals


@pytest.mark.parametrize(
    "place",
    [Position(ISSUER.no, 9, 1), Position(2**32, 0, 1), Position(2**53 - 1, 2**53 - 1, 1), Position(99, 0, 1)],
    ids=str,
)
def test_nothing_is_said_of_a_batch_that_the_chain_does_not_know(
    chain: Chain, consented: Consented, place: Position
) -> None:
    facts = collect_facts(chain.reader, replace(consented.bundle, position=place))
    assert facts.status == {}
    assert set(facts.anchors) == {(ISSUER.no, 0)}
    assert set(facts.logs) == {ISSUER.no}


def test_an_index_that_no_batch_has(chain: Chain, consented: Consented) -> None:
    beyond = replace(consented.bundle, position=Position(ISSUER.no, 0, 2**32))
    assert collect_facts(chain.reader, beyond).status == {}


def test_logs_are_those_of_the_issuers_that_the_bundle_names(chain: Chain, consented: Consented) -> None:
    rival = PARTIES["other_issuer"]
    for first in range(2):
        chain.acting("other_issuer").anchor(first, 1, ROOT)
    assert set(consented.facts().logs) == {ISSUER.no}
    moved = consented.with_evidence(3, position=Position(rival.no, 0, 0))
    newest = chain.reader.commitment(rival.no, 1)
    assert newest is not None
    facts = collect_facts(chain.reader, moved)
    assert facts.logs[rival.no] == LogFact(2, newest)
    assert facts.anchors[rival.no, 0] == chain.reader.commitment(rival.no, 0) != newest


def bind(chain: Chain, signer: Es256Signer) -> None:
    """The firm binds a further key."""
    further = calls.change_key(FIRM.no, signer.kid, proof=prove_key(chain.deployment.chain, signer, FIRM.no))
    chain.decide(further, "enterprise", None)


def test_a_p256_account_is_a_fact_like_any_other(chain: Chain) -> None:
    signer = Es256Signer(new_p256_key())
    bind(chain, signer)
    fact = made(chain, signer).facts().accounts[signer.kid]
    assert (fact.party, fact.key, fact.valid_to) == (FIRM.id, signer.public_key, 0)
    assert fact.key.startswith("p256:")


def test_a_recovered_key_says_who_proposed_it(waiting_chain: Chain) -> None:
    """The firm lost its key. Two officers bind a new one; the facts say which, and when they proposed it."""
    chain, consented, key = waiting_chain, made(waiting_chain), test_key("the firm's new key")
    fresh = LocalSigner(bytes.fromhex(key), account("the firm's new key"))
    reported = chain.acting("founder").send(calls.report(FIRM.no, FIRM.account)).time
    bound = chain.decide(
        calls.change_key(FIRM.no, fresh.kid, FIRM.account, chain.proof(key, FIRM.no)), "second", "founder"
    )
    bundle = consented.with_evidence(0, entry=consent(chain.deployment.chain, "FIRST", fresh))
    keys = {**bundle.keys, fresh.kid: public_jwk(fresh.public_key)}
    accounts = collect_facts(chain.reader, replace(bundle, keys=keys)).accounts
    old, new = accounts[FIRM.account], accounts[fresh.kid]
    assert new.proposal == ProposedKey(PARTIES["second"].no, PARTIES["founder"].no, chain.reader.proposal(1).at)
    assert new.valid_from == bound.time >= new.proposal.at + DELAY
    assert (old.reported_at, old.valid_to, old.compromised_at, old.proposal) == (reported, bound.time, 0, None)


def test_a_key_that_the_party_proposed_itself_has_no_confirmation_and_costs_no_further_turn(chain: Chain) -> None:
    signer = Es256Signer(new_p256_key())
    bind(chain, signer)
    facts, connection = counted(chain, made(chain, signer).bundle)
    assert facts.accounts[signer.kid].proposal == ProposedKey(FIRM.no, 0, chain.reader.proposal(1).at)
    assert len(connection.turns) == 2


@pytest.mark.parametrize("name", ["enterprise", "provider"])
def test_a_withdrawal_by_a_reported_key_has_its_own_time(chain: Chain, consented: Consented, name: str) -> None:
    party, statement = PARTIES[name], consented.statement("FIRST" if name == "enterprise" else "PROVISION")
    chain.acting("founder").send(calls.report(party.no, party.account))
    receipt = chain.acting(name).withdraw(statement)
    facts = consented.facts()
    assert facts.withdrawals[party.id, statement] == WithdrawalFact(0, receipt.time)
    assert parse_facts(facts.to_bytes()) == facts


def test_the_presenting_key_is_known_if_it_is_a_partys_and_costs_no_further_turn(
    chain: Chain, consented: Consented
) -> None:
    """It signed nothing in the bundle, so its key stands in the certificate alone."""
    device = Es256Signer(new_p256_key())
    bundle = with_claims(consented.bundle, cnf={"jwk": public_jwk(device.public_key).to_dict()})
    assert collect_facts(chain.reader, bundle).accounts == consented.facts().accounts
    bind(chain, device)
    reported = chain.acting("enterprise").send(calls.report(FIRM.no, device.kid)).time
    facts, connection = counted(chain, bundle)
    fact = facts.accounts[device.kid]
    assert (fact.party, fact.key, fact.reported_at) == (FIRM.id, device.public_key, reported)
    assert len(connection.turns) == 2
    assert parse_facts(facts.to_bytes()) == facts


def test_a_presenting_key_that_also_signed_is_the_one_of_the_certificate(chain: Chain, consented: Consented) -> None:
    """Whoever hands the bundle on cannot hide the key's account by another key in its place."""
    keys = {**consented.bundle.keys, FIRM.account: consented.bundle.keys[BANK.account]}
    jwk = consented.bundle.keys[FIRM.account].to_dict()
    facts = collect_facts(chain.reader, replace(with_claims(consented.bundle, cnf={"jwk": jwk}), keys=keys))
    assert facts.accounts[FIRM.account] == consented.facts().accounts[FIRM.account]


@pytest.mark.parametrize(
    "cnf",
    [None, [], "jwk", {}, {"jwk": None}, {"jwk": {"kty": "EC", "crv": [], "x": "", "y": ""}}, {"jwk": "x" * 9000}],
)
def test_a_presenting_key_that_is_none_is_not_asked_for(chain: Chain, consented: Consented, cnf: Any) -> None:
    assert collect_facts(chain.reader, with_claims(consented.bundle, cnf=cnf)).accounts == consented.facts().accounts


def test_a_key_of_another_account_is_no_fact(chain: Chain, consented: Consented) -> None:
    swapped = {**consented.bundle.keys, FIRM.account: consented.bundle.keys[BANK.account]}
    facts = collect_facts(chain.reader, replace(consented.bundle, keys=swapped))
    assert FIRM.account not in facts.accounts
    assert FIRM.account in consented.facts().accounts
