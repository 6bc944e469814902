"""§3: acts by signature, which anyone may send to the chain for the party that signed them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.proof.second.notation import Json, sha_256, tag, word, word_of_account
from tests.proof.second.signatures import Key, signed_by_ecdsa


def uses_message(chain: Json, account: str, deadline: int, uses: Sequence[tuple[str, int]]) -> bytes:
    items = b"".join(bytes.fromhex(request) + word(ordinal) for request, ordinal in uses)
    return act("log/uses/v2", chain, "certificate_log", account) + word(deadline) + listed(len(uses), items)


def withdrawals_message(chain: Json, account: str, statements: Sequence[str]) -> bytes:
    items = bytes.fromhex("".join(statements))
    return act("log/withdraw/v2", chain, "certificate_log", account) + listed(len(statements), items)


def key_message(chain: Json, account: str, no: int) -> bytes:
    return act("party/key/v2", chain, "party_registry", account) + word(no)


def veto_message(chain: Json, account: str, proposal: int) -> bytes:
    return act("party/veto/v2", chain, "party_registry", account) + word(proposal)


def report_message(chain: Json, account: str, reported: str) -> bytes:
    return act("party/report/v2", chain, "party_registry", account) + word_of_account(reported)


def act(name: str, chain: Json, contract: str, account: str) -> bytes:
    ledger = bytes.fromhex(chain["origin"]) + word(chain["chain_id"]) + word_of_account(chain[contract])
    return tag(name) + ledger + word_of_account(account)


def proposed(target: str, call: bytes) -> str:
    """Return the digest of the call in a proposal."""
    padded = call + bytes(-len(call) % 32)
    return sha_256(word_of_account(target) + word(64) + word(len(call)) + padded).hex()


def listed(length: int, items: bytes) -> bytes:
    """Return the hash of a list of fixed-size values, encoded as Solidity's ``abi.encode`` does."""
    return sha_256(word(32) + word(length) + items)


def signed_act(message: bytes, signature: bytes, key: Key) -> bool:
    """Return whether the key made the signature of the act. For a P-256 key, the public key must follow the signature,
    because the chain cannot recover it.
    """
    alg, point = key
    return signature[64:] == (point if alg == "ES256" else b"") and signed_by_ecdsa(message, signature[:64], key)


def es256_account(point: bytes) -> str:
    return f"0x{sha_256(b'ES256' + point)[-20:].hex()}"
