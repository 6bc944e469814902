"""Proofs of possession: a key signs that it belongs to this ledger before it becomes a party's (protocol §3).

The chain checks those of secp256k1 and P-256. That of an SM2 key is checked here, by who proposes and by who confirms.
"""

from __future__ import annotations

from ledger.chain.accounts import account_of_public_key
from ledger.errors import InvalidInput
from ledger.proof.acts import key_message, prove_key
from ledger.proof.bundle import ChainId
from ledger.proof.jws import Signer
from ledger.proof.sm2 import DEFAULT_ID
from ledger.proof.suite import ES256, SM2SM3, suite_of_key
from ledger.service.keys import Custody

SIGNATURE_BYTES = 64


def possession_of(chain: ChainId, signer: Signer) -> str:
    """The proof of a key that is at hand, in hex; of any suite."""
    if suite_of_key(signer.public_key) is SM2SM3:
        return signer.sign(key_message(chain, signer.kid)).hex()
    return prove_key(chain, signer)


def require_possession(chain: ChainId, public_key: str, proof: str, where: str) -> str:
    """The proof, if the key made it for this ledger; raises ``InvalidInput`` ``PROOF_MISSING``, ``PROOF_INVALID``."""
    if not proof:
        raise InvalidInput(
            "PROOF_MISSING",
            "A key that is not kept here proves that its owner has it.",
            where=where,
            hint="The owner makes the proof: `pingzheng key prove <key file> --deployment <file>`.",
        )
    if not _proves(chain, public_key, proof):
        raise InvalidInput(
            "PROOF_INVALID",
            "The proof is none of this key for this ledger.",
            where=where,
            hint="Make it anew with this key and this ledger's deployment file: `pingzheng key prove`.",
        )
    return proof


def proof_of(chain: ChainId, custody: Custody, public_key: str, proof: str, where: str) -> str:
    """The proof of possession of a key: made here if the key is kept here, else the given one, checked.

    Raises ``InvalidInput`` ``PROOF_MISSING``, ``PROOF_INVALID``.
    """
    account = account_of_public_key(public_key)
    if not proof and account in custody:
        return possession_of(chain, custody.signer(account))
    return require_possession(chain, public_key, proof, where)


def proof_for_chain(public_key: str, proof: str) -> str:
    """What the contract takes: nothing for an SM2 key, whose signatures it cannot check."""
    return "" if suite_of_key(public_key) is SM2SM3 else proof


def _proves(chain: ChainId, public_key: str, proof: str) -> bool:
    suite = suite_of_key(public_key)
    point = suite.point_of(public_key)
    try:
        raw = bytes.fromhex(proof)
    except ValueError:
        return False
    signature, rest = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if len(signature) != SIGNATURE_BYTES or rest != (point if suite is ES256 else b""):
        return False
    message = key_message(chain, account_of_public_key(public_key))
    return suite.unaltered(signature) and suite.verify(point, message, signature, DEFAULT_ID)
