"""Measures the gas of calls to the contracts, on a new local chain."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from ledger.chain.accounts import account_of
from ledger.chain.contracts.deployment import CONTRACTS
from ledger.chain.contracts.names import ROLES
from ledger.chain.local.node import LocalNode
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call, Founding, PartyRegistration
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.deploy import deploy
from ledger.chain.sending.proposals import proposal_of
from ledger.chain.sending.relay import Relay, sign_request
from ledger.chain.sending.sender import Receipt
from ledger.proof.acts import prove_key, report_message, sign_act, uses_message, veto_message, withdrawals_message
from ledger.proof.jws import LocalSigner, Signer

PARTIES: Final = {
    "authority": "authority",
    "issuer": "issuer",
    "provider": "provider",
    "registrar": "registrar",
    "bank": "consumer",
    "second officer": "authority",
    "third officer": "authority",
    "subject": "subject",
}
# The waiting period of proposals on this chain, in seconds.
DELAY: Final = 600
FAR: Final = 4_000_000_000
GAS_LIMIT: Final = 30_000_000


class Meter:
    """A chain with the contracts and one party for each role; records the gas of each transaction."""

    def __init__(self, node: LocalNode) -> None:
        self.found: dict[str, int] = {}
        self._keys = {name: digest(f"gas key {name}") for name in PARTIES}
        accounts = {name: account_of(bytes.fromhex(key)) for name, key in self._keys.items()}
        for account in accounts.values():
            node.fund(account)
        sender = self._keys["authority"]
        self._node = node
        salt = bytes.fromhex(digest("salt"))
        founding = [Founding(digest(each), (accounts[each],), 1 << ROLES.index(PARTIES[each])) for each in PARTIES]
        deployment = deploy(node.url, sender, founding, delay=DELAY, salt=salt)
        self._client = ChainClient(Connection(node.url), deployment, sender)
        self._accounts = accounts
        self.numbers = {name: number for number, name in enumerate(PARTIES, start=1)}
        self._measure_deployment()

    def send(self, name: str | None, party: str, call: Call) -> int:
        """Send a call as a party and return the gas used. If a name is given, record the gas under this name."""
        gas = self._transact(party, call).gas_used
        if name is not None:
            self.found[name] = gas
        return gas

    def propose(self, name: str | None, party: str, call: Call) -> int:
        """Make a proposal and return its number. If the call has a list of parties, only the digest of the call is
        proposed.
        """
        registers = call.function == "register"
        proposed = calls.propose_registration(self._client.act_of(call)) if registers else calls.propose(call)
        receipt = self._transact(party, proposed)
        if name is not None:
            self.found[f"propose {name}"] = receipt.gas_used
        return proposal_of(receipt)

    def decide(self, name: str, call: Call, *, waits: bool = True) -> None:
        """Let two authorities propose and confirm a call. If the proposal has a waiting period, carry it out after this
        period.
        """
        number = self.propose(name, "authority", call)
        self.send(f"confirm {name}", "second officer", calls.confirm(number, call))
        if waits:
            self.wait(DELAY)
            self.send(f"carry out {name}", "bank", calls.carry_out(number, call))

    def change_own(self, name: str | None, party: str, call: Call) -> None:
        """Let a party propose a change of its own keys, and carry out the proposal after the waiting period."""
        number = self.propose(name, party, call)
        self.wait(DELAY)
        self.send(name and f"carry out {name}", party, calls.carry_out(number, call))

    def proof(self, signer: Signer, number: int = 0) -> str:
        """Return the proof that the party with this number possesses the key."""
        return prove_key(self._client.deployment.chain, signer, number)

    def registration(self, name: str) -> PartyRegistration:
        """Return the arguments of a call that registers a consumer with one key."""
        signer = signer_of(digest(f"key of {name}"))
        return PartyRegistration(digest(name), ((signer.kid, self.proof(signer)),), 1 << ROLES.index("consumer"))

    def veto_by_signature(self, party: str, number: int) -> int:
        """Return the gas of a veto that a party signs and the authority sends."""
        account = self._accounts[party]
        message = veto_message(self._client.deployment.chain, account, number)
        signature = sign_act(message, self.signer_of(party))
        return self.send(None, "authority", calls.veto_for(account, number, signature))

    def report_by_signature(self, party: str, account: str) -> int:
        """Return the gas of a report that a party signs and the authority sends."""
        own = self._accounts[party]
        message = report_message(self._client.deployment.chain, own, account)
        signature = sign_act(message, self.signer_of(party))
        return self.send(None, "authority", calls.report_for(own, self.numbers[party], account, signature))

    def now(self) -> int:
        """Return the time of the newest block."""
        return ChainReader(self._client).latest().time

    def wait(self, seconds: int) -> None:
        """Move the clock of the chain forward by this many seconds."""
        self._node.advance(seconds)

    def relay(self, name: str, party: str, call: Call) -> None:
        """Send a call through the forwarder: the party signs, and the authority pays."""
        relay = Relay(self._client)
        request = relay.prepare(self._accounts[party], call, FAR)
        self.found[f"{name}, forwarded"] = relay.submit(sign_request(request, self._keys[party])).gas_used

    def signer_of(self, party: str) -> Signer:
        """Return the signer that signs with the key of a party's account."""
        return signer_of(self._keys[party])

    def use_by_signature(self, uses: list[tuple[str, int]]) -> int:
        """Return the gas of uses that the bank signs and the authority sends."""
        account = self._accounts["bank"]
        message = uses_message(self._client.deployment.chain, account, FAR, uses)
        signature = sign_act(message, self.signer_of("bank"))
        return self.send(None, "authority", calls.record_uses_for(account, uses, FAR, signature))

    def withdraw_by_signature(self, signer: Signer, statement: str) -> int:
        """Return the gas of a withdrawal that a party signs and the authority sends."""
        statements = [digest(statement)]
        message = withdrawals_message(self._client.deployment.chain, signer.kid, statements)
        return self.send(None, "authority", calls.withdraw_for(signer.kid, statements, sign_act(message, signer)))

    def _transact(self, party: str, call: Call) -> Receipt:
        client = self._client.with_account(self._keys[party])
        # Give a gas limit, because otherwise the node first estimates the gas, which takes longer than the transaction.
        return client.transact(client.address_of(call.contract), client.encode(call), gas=GAS_LIMIT)

    def _measure_deployment(self) -> None:
        first, connection = self._client.deployment.deploy_block, self._client.connection
        for number, name in enumerate(CONTRACTS, start=first):
            block = connection.ask("eth_getBlockByNumber", hex(number), False)
            (tx_hash,) = block["transactions"]
            receipt: dict[str, Any] = connection.receipt(tx_hash.removeprefix("0x")) or {}
            self.found[f"deploy {name}"] = int(receipt["gasUsed"], 16)
        self.found["deploy all"] = sum(self.found[f"deploy {name}"] for name in CONTRACTS)


def signer_of(key: str) -> Signer:
    """Return a signer for a secp256k1 private key, which is given in hex."""
    raw = bytes.fromhex(key)
    return LocalSigner(raw, account_of(raw))


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
