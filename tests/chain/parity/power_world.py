"""Makes each act of officers and parties twice, on the contracts of a fast chain and in ``tests.reference``, and
compares the results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final

from ledger.chain.contracts.deployment import CERTIFICATE_LOG, CONTRACTS, PARTY_REGISTRY, interface_of
from ledger.chain.contracts.names import code_of_scenario
from ledger.chain.contracts.revert import RevertReader, code_of
from ledger.chain.local.node import LocalNode
from ledger.chain.reading.batched_reads import BatchedReads
from ledger.chain.reading.contract_state import AccountRecord
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.calls import NO_ACCOUNT, Call, Founding, PartyRegistration
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.deploy import deploy
from ledger.errors import ChainUnavailable
from ledger.proof.acts import key_message, prove_key, sign_act
from ledger.proof.facts import WithdrawalFact
from ledger.proof.head import act_digest, event_digest, fold, genesis
from ledger.proof.jws import Es256Signer, LocalSigner, Signer
from tests.reference.powers.acts import Powers
from tests.reference.powers.state import (
    ADMIN,
    AUTHORITY,
    CONSUMER,
    ELSEWHERE,
    ISSUER,
    LOG,
    NO_PROOF,
    REGISTRY,
    RIGHT,
    SUBJECT,
    SUPERVISOR,
    WRONG,
    Act,
    Event,
    Key,
    Proposal,
)
from tests.support.chain.deployed import PARTIES, test_key
from tests.support.chain.scripted_ledger import account, digest

DELAY: Final = 1_000
NOWHERE: Final = "0x" + "11" * 20
PAYER: Final = account("payer of the powers")
# Every fourth key is an ES256 key. Such a key cannot send transactions; it can prove that its owner has it, and sign
# vetoes and reports.
SIGNERS: Final[dict[str, Signer]] = {
    signer.kid: signer
    for signer in (
        Es256Signer(bytes.fromhex(test_key(f"power {number}")))
        if number % 4 == 3
        else LocalSigner(bytes.fromhex(test_key(f"power {number}")), account(f"power {number}"))
        for number in range(28)
    )
}
ACCOUNTS: Final = tuple(SIGNERS)
FOUNDED: Final = (
    ("first", (0, 1), AUTHORITY | ADMIN),
    ("second", (2, 3), AUTHORITY),
    ("third", (4,), AUTHORITY),
    ("fourth", (5,), AUTHORITY | SUPERVISOR),
    ("guardian", (6,), SUPERVISOR),
    ("issuer", (8,), ISSUER),
    ("firm", (7, 9), SUBJECT | CONSUMER),
    ("clerk", (10,), ADMIN),
)
STATEMENTS: Final = tuple(digest(f"statement {number}") for number in range(3))
_GAS: Final = hex(10_000_000)
_NAMES: Final = {REGISTRY: PARTY_REGISTRY, LOG: CERTIFICATE_LOG}


@dataclass(frozen=True)
class PairedAct:
    """An act in two forms: the call that an account sends, and the reference's function with its arguments."""

    name: str
    sender: str
    call: Call
    act: Callable[..., None]
    args: tuple[Any, ...]

    def after(self, powers: Powers) -> None:
        self.act(powers, *self.args)


class World:
    """The contracts and their founding parties on a separate node."""

    def __init__(self, node: LocalNode) -> None:
        self._node = node
        self.connection = Connection(node.url)
        founder = PARTIES["founder"]
        founding = [
            Founding(digest(name), tuple(ACCOUNTS[key] for key in keys), roles) for name, keys, roles in FOUNDED
        ]
        self.deployment = deploy(node.url, founder.key, founding, delay=DELAY)
        self.client = ChainClient(self.connection, self.deployment, founder.key)
        self._reverts = RevertReader(interface_of(name) for name in CONTRACTS)
        block = self.connection.block()
        assert block is not None
        suited = frozenset(kid for kid, signer in SIGNERS.items() if isinstance(signer, LocalSigner))
        self.reference = Powers(DELAY, self._founded_at(), suited)
        for each in founding:
            self.reference.found(each.id, each.accounts, each.roles)
        for key in (*ACCOUNTS, PAYER):
            node.fund(key)
            node.rpc("hardhat_impersonateAccount", key)
        # The first block is far ahead of the clock. Otherwise the clock could give a block a later time than the test
        # chose for the block.
        self.start = block.time + 100_000_000
        self._snapshot = node.snapshot()
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def _founded_at(self) -> int:
        receipt = self.connection.receipt(self.deployment.creations[PARTY_REGISTRY])
        assert receipt is not None
        block = self.connection.block(int(receipt["blockNumber"], 16))
        assert block is not None
        return block.time

    def back(self) -> None:
        self._node.revert(self._snapshot)
        self._snapshot = self._node.snapshot()

    def send(self, caller: str, call: Call, at: int) -> str:
        """Send a call in a block with exactly the time ``at``; return the refusal's code, or an empty text if the call
        was accepted.
        """
        self._node.rpc("evm_setNextBlockTimestamp", at)
        to, data = self.client.address_of(call.contract), "0x" + self.client.encode(call).hex()
        try:
            self._node.rpc("eth_sendTransaction", {"from": caller, "to": to, "data": data, "gas": _GAS})
        except ChainUnavailable as error:
            raw = error.details["node"].get("data")
            assert raw, error.details
            return self._reverts.decode(bytes.fromhex(raw.removeprefix("0x"))).code
        return ""

    def heads(self) -> list[str]:
        """Return the newest hashes of two hash chains: the events of the party registry, and those of the certificate
        log.
        """
        calls_ = [
            (self.client.address_of(name), interface_of(name).encode_call("head", [])) for name in _NAMES.values()
        ]
        return [answer.hex() for answer in self.connection.call_many(calls_)]

    def call(self, act: Act) -> Call:
        """Return the call of the contracts for an act of the reference."""
        args = list(act.args)
        if act.function == "register":
            return calls.register_parties(
                [
                    PartyRegistration(party, tuple(self._key(key, 0) for key in keys), roles)
                    for party, keys, roles in args[0]
                ]
            )
        if act.function == "changeKey":
            fresh, proof = self._key((args[1], args[3]), args[0])
            args = [args[0], fresh or NO_ACCOUNT, args[2] or NO_ACCOUNT, proof]
        if act.function == "accredit":
            args[1] = code_of_scenario(args[1])
        return Call(_NAMES[act.target], act.function, tuple(args))

    def sent(self, act: Act) -> tuple[str, bytes]:
        """Return the target and call data of an act; the target `elsewhere` is an address without a contract."""
        if act.target == ELSEWHERE:
            return NOWHERE, bytes.fromhex("01020304")
        call = self.call(act)
        return self.client.address_of(call.contract), self.client.encode(call)

    def digest_of(self, act: Act) -> str:
        target, data = self.sent(act)
        return act_digest(target, data)

    def signature(self, signer: str, message: bytes, proof: str) -> bytes:
        """Sign a message with the key of ``signer``, or with a wrong key if the signature must be invalid."""
        right = SIGNERS[signer]
        return sign_act(message, right if proof == RIGHT else _other(right))

    @cache  # noqa: B019 (a world lives as long as its tests)
    def _key(self, key: tuple[str, str], number: int) -> tuple[str, str]:
        """Return a key with the proof of possession for the party with this number."""
        owner, proof = key
        if proof == NO_PROOF:
            return owner, NO_PROOF
        chain = self.deployment.chain
        if proof == WRONG:
            return owner, sign_act(key_message(chain, owner, number), _other(SIGNERS[owner])).hex()
        return owner, prove_key(chain, SIGNERS[owner], number if proof == RIGHT else number + 1)


def _other(signer: Signer) -> Signer:
    return next(each for each in SIGNERS.values() if each is not signer)


class SideBySide:
    """The contracts and the reference in one run, which begins with the founding parties."""

    def __init__(self, world: World) -> None:
        world.back()
        self.world = world
        self.now = world.start
        self.powers = deepcopy(world.reference)
        deployment = world.deployment
        self._heads = {
            contract: genesis(deployment.origin, deployment.chain_id, deployment.addresses[name])
            for contract, name in _NAMES.items()
        }
        self._fold(self.powers.events)

    def make(self, move: PairedAct) -> bool:
        """Make an act on the contracts and in the reference; return whether both accept it. Fail if their results or
        histories differ.
        """
        self.powers.now = self.now
        after, refusal = self.powers.attempt(move.after)
        found, expected = self.world.send(move.sender, move.call, self.now), code_of(refusal)
        assert found == expected, (move.name, self.named(move.args), found, expected)
        if refusal:
            self.world.refused[refusal] += 1
            return False
        self.powers = after
        self._fold(after.events)
        assert [head.hex() for head in self._heads.values()] == self.world.heads(), (move.name, after.events)
        assert after.officers() > 2
        self.world.done[move.name] += 1
        return True

    def named(self, said: object) -> str:
        """Return the text with short names in place of keys and statements."""
        text = str(said)
        for place, each in enumerate(ACCOUNTS):
            owner = self.powers.keys[each].owner if each in self.powers.keys else "?"
            text = text.replace(each, f"key{place}/{owner}")
        return text.replace(PAYER, "payer")

    def compare(self) -> None:
        """Check that the contracts and the reference have the same records."""
        block = self.world.connection.block()
        assert block is not None
        self.powers.now = block.time
        asked, powers = BatchedReads(self.world.client, "latest"), self.powers
        accounts = {each: asked.account(each) for each in ACCOUNTS}
        parties = {no: asked.read(PARTY_REGISTRY, "partyOf", no) for no in powers.parties}
        silent = {no: asked.read(PARTY_REGISTRY, "isSilent", no) for no in (*powers.parties, 99)}
        proposals = {no: asked.read(PARTY_REGISTRY, "proposalOf", no) for no in powers.proposals}
        counts = [asked.read(PARTY_REGISTRY, name) for name in ("officers", "proposals", "running", "pausedUntil")]
        holds = {each: asked.read(CERTIFICATE_LOG, "holdOf", each) for each in STATEMENTS}
        withdrawn = {key: asked.withdrawn_at(*key) for key in powers.withdrawals}
        for each, account_of in accounts.items():
            assert account_of() == _record(each, powers.keys.get(each))
        for no, party in parties.items():
            (raw,), known = party(), powers.parties[no]
            assert (raw["id"], raw["roles"], raw["status"]) == (known.id, known.roles, known.status)
        assert {no: answer()[0] for no, answer in silent.items()} == {no: powers.is_silent(no) for no in silent}
        for no, proposal in proposals.items():
            assert proposal()[0] == self._proposal(powers.proposals[no])
        expected = [powers.officers(), len(powers.proposals), powers.running(), powers.paused_until()]
        assert [answer()[0] for answer in counts] == expected
        assert {each: tuple(answer()) for each, answer in holds.items()} == {
            each: powers.holds.get(each, (0, 0)) for each in STATEMENTS
        }
        for key, times in withdrawn.items():
            assert times() == WithdrawalFact(*powers.withdrawals[key])

    def _fold(self, events: list[Event]) -> None:
        for event in events:
            args = dict(event.args)
            if "act" in args:
                args["act"] = self.world.digest_of(args["act"])
            if "scenario" in args:
                args["scenario"] = code_of_scenario(args["scenario"]).hex()
            if args.get("account") == "":
                args["account"] = NO_ACCOUNT
            tag = f"{_NAMES[event.contract]}.{event.name}"
            self._heads[event.contract] = fold(self._heads[event.contract], event_digest(tag, args))

    def _proposal(self, proposal: Proposal) -> dict[str, Any]:
        return {
            "act": self.world.digest_of(proposal.act),
            "proposer": proposal.proposer,
            "at": proposal.at,
            "ready": proposal.ready,
            "state": proposal.state,
            "kind": proposal.kind,
            "confirmer": proposal.confirmer or NO_ACCOUNT,
            "by": proposal.by,
            "concerned": proposal.concerned,
            "role": proposal.role,
            "confirmedBy": proposal.confirmed_by,
        }


def _record(owner: str, key: Key | None) -> AccountRecord | None:
    if key is None:
        return None
    return AccountRecord(
        account=owner,
        party_no=key.owner,
        valid_from=key.valid_from,
        valid_to=key.valid_to,
        reported_at=key.reported_at,
        compromised_at=key.compromised_at,
        proven=key.proven,
        proposal=key.proposal,
        acts=key.acts,
    )


def root_of(number: int) -> str:
    return sha256(f"root {number}".encode()).hexdigest()
