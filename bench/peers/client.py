"""A fast client for the compared products. It uses web3.py with one key, counts the nonce itself, sets a fixed gas
limit, and makes no call to the node that is not necessary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from eth_account import Account
from web3 import Web3
from web3.contract import Contract

from bench.peers.nodes import CHAIN_ID, Node
from bench.peers.packages import Artifact

GAS_LIMIT: Final = 95_000_000
GAS_PRICE: Final = 10**11


class Client:
    """Sends signed transactions one after the other, and returns the gas of each transaction when it is in a block."""

    def __init__(self, node: Node) -> None:
        self._web3 = Web3(Web3.HTTPProvider(node.url, request_kwargs={"timeout": 300}))
        self._account = Account.create()
        self._nonce = 0
        node.fund(self._account.address.lower())

    @property
    def address(self) -> str:
        """The account that signs."""
        return str(self._account.address)

    def deploy(self, artifact: Artifact, *arguments: Any) -> Contract:
        """Deploy a contract and return it."""
        factory = self._web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        receipt = self._sent({"data": factory.constructor(*arguments).data_in_transaction})
        return self.at(artifact, str(receipt["contractAddress"]))

    def at(self, artifact: Artifact, address: str) -> Contract:
        """Return the contract at an address."""
        return self._web3.eth.contract(address=Web3.to_checksum_address(address), abi=artifact.abi)

    def send(self, contract: Contract, function: str, arguments: Sequence[Any]) -> int:
        """Call a function of a contract in one transaction, and return the gas used."""
        data = contract.encode_abi(function, args=list(arguments))
        return int(self._sent({"to": contract.address, "data": data})["gasUsed"])

    def _sent(self, fields: dict[str, Any]) -> Any:
        transaction = fields | {
            "nonce": self._nonce,
            "gas": GAS_LIMIT,
            "gasPrice": GAS_PRICE,
            "value": 0,
            "chainId": CHAIN_ID,
        }
        signed = self._account.sign_transaction(transaction)
        sent = self._web3.eth.send_raw_transaction(signed.raw_transaction)
        # Every node here mines a transaction before it answers, so the receipt usually exists already. If a node is
        # late, the client waits.
        receipt = self._web3.eth.wait_for_transaction_receipt(sent, timeout=60, poll_latency=0.001)
        if receipt["status"] != 1:
            raise RuntimeError(f"the transaction {sent.hex()} was refused")
        self._nonce += 1
        return receipt
