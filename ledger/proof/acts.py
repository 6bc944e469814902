# SPDX-License-Identifier: Apache-2.0
"""Messages by which a party signs an act, so that anyone can send the signed act to the chain (protocol §3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from ledger.errors import InvalidInput
from ledger.proof.bundle import ChainId
from ledger.proof.head import tag, word
from ledger.proof.jws import Signer
from ledger.proof.suites.suite import ES256, ES256K

_USES: Final = b"log/uses/v2"
_WITHDRAWALS: Final = b"log/withdraw/v2"
_KEY: Final = b"party/key/v2"
_VETO: Final = b"party/veto/v2"
_REPORT: Final = b"party/report/v2"


def uses_message(chain: ChainId, account: str, deadline: int, uses: Sequence[tuple[str, int]]) -> bytes:
    """Return the message that a consumer signs so that others can record its uses (``recordUsesFor``).

    Each use is given as a request's statement digest and an ordinal (1, 2, …). ``deadline`` is seconds UTC. Raises
    ``ValueError`` for a value that does not fit into a word of the ABI.
    """
    items = b"".join(word("bytes32", request) + word("uint", ordinal) for request, ordinal in uses)
    return _log(_USES, chain, account) + word("uint", deadline) + _list(len(uses), items)


def withdrawals_message(chain: ChainId, account: str, statements: Sequence[str]) -> bytes:
    """Return the message that a subject or provider signs so that others can send its withdrawal (``withdrawFor``).

    ``statements`` are statement digests.

    Raises ``ValueError``.
    """
    items = b"".join(word("bytes32", statement) for statement in statements)
    return _log(_WITHDRAWALS, chain, account) + _list(len(statements), items)


def key_message(chain: ChainId, account: str, number: int = 0) -> bytes:
    """Return the message that the owner of a key signs to agree that the key is bound to the party with this
    ``number``.

    The number is 0 for the first keys of a party, because the party has no number yet. Raises ``ValueError`` for a
    negative or too large number.
    """
    return _party(_KEY, chain, account) + word("uint", number)


def veto_message(chain: ChainId, account: str, proposal: int) -> bytes:
    """Return the message that a party signs so that others can send its veto; ``proposal`` is the proposal's number."""
    return _party(_VETO, chain, account) + word("uint", proposal)


def report_message(chain: ChainId, account: str, reported: str) -> bytes:
    """Return the message that a party signs with the key of ``account`` to report the key of the account ``reported``.

    Raises ``ValueError``.
    """
    return _party(_REPORT, chain, account) + word("address", reported)


def prove_key(chain: ChainId, signer: Signer, number: int = 0) -> str:
    """Return the proof of possession that the chain checks when the key is bound to a party, as hex digits.

    ``number`` is the party's number, or 0 for the first keys of a party. The proof is empty for SM2, because the chain
    cannot check SM2 signatures: the key is then marked as not proven, and the party that confirms the binding must
    check that the key's owner possesses the key.
    """
    if signer.algorithm["alg"] not in (ES256K.alg, ES256.alg):
        return ""
    return sign_act(key_message(chain, signer.kid, number), signer).hex()


def sign_act(message: bytes, signer: Signer) -> bytes:
    """Return the signature in the contract's format: ``r ‖ s`` for secp256k1, ``r ‖ s ‖ x ‖ y`` for P-256.

    Raises ``InvalidInput`` ``ACT_SUITE_UNSUPPORTED`` for an SM2 key, because the chain cannot check SM2.
    """
    alg = signer.algorithm["alg"]
    if alg == ES256K.alg:
        return signer.sign(message)
    if alg == ES256.alg:
        return signer.sign(message) + ES256.point_of(signer.public_key)
    raise InvalidInput(
        "ACT_SUITE_UNSUPPORTED",
        f"The chain cannot check a signature with {alg}.",
        hint="To withdraw, sign a `withdrawal` entry: the bundle contains it, and every verifier checks it. To veto or "
        "report, use a secp256k1 or P-256 key of the party.",
    )


def _log(name: bytes, chain: ChainId, account: str) -> bytes:
    return _act(name, chain, chain.certificate_log, account)


def _party(name: bytes, chain: ChainId, account: str) -> bytes:
    return _act(name, chain, chain.party_registry, account)


def _act(name: bytes, chain: ChainId, contract: str, account: str) -> bytes:
    origin, chain_id = word("bytes32", chain.origin), word("uint", chain.chain_id)
    return tag(name) + origin + chain_id + word("address", contract) + word("address", account)


def _list(length: int, items: bytes) -> bytes:
    """Return SHA-256 of ``abi.encode`` of a list of ``length`` static items."""
    return hashlib.sha256(word("uint", 32) + word("uint", length) + items).digest()
