"""Proofs of possession: before a key becomes a party's it signs that it belongs to that party of this ledger.

A proof (protocol §3) is for the party's number on the chain, so that no other party takes it for its own; for 0 if the
key is one of the first of a party that has no number yet. The chain checks proofs of secp256k1 and P-256. That of an
SM2 key is checked here, by who proposes and by who confirms.
"""

from __future__ import annotations

from ledger.chain.accounts import account_of_public_key
from ledger.errors import InvalidInput
from ledger.parties.custody import Custody
from ledger.proof.acts import key_message, prove_key
from ledger.proof.bundle import ChainId
from ledger.proof.jws import Signer
from ledger.proof.suites.sm2 import DEFAULT_ID
from ledger.proof.suites.suite import ES256, SM2SM3, suite_of_key

SIGNATURE_BYTES = 64


def possession_of(chain: ChainId, signer: Signer, number: int = 0) -> str:
    """The proof of a key that is at hand, for the party of that number, in hex; of any suite."""
    if suite_of_key(signer.public_key) is SM2SM3:
        return signer.sign(key_message(chain, signer.kid, number)).hex()
    return prove_key(chain, signer, number)


def require_possession(chain: ChainId, public_key: str, proof: str, where: str, number: int = 0) -> str:
    """The proof, if the key made it for this party; raises ``InvalidInput`` ``PROOF_MISSING``, ``PROOF_INVALID``."""
    if not proof:
        raise InvalidInput(
            "PROOF_MISSING",
            "A key that is not kept here proves that its owner has it.",
            where=where,
            hint=f"The owner makes the proof: `{_command(number)}`.",
        )
    if not _proves(chain, public_key, proof, number):
        raise InvalidInput(
            "PROOF_INVALID",
            "The proof is none of this key for this party of this ledger.",
            where=where,
            hint=f"Make it anew with this key and this ledger's deployment file: `{_command(number)}`.",
        )
    return proof


def proof_of(chain: ChainId, custody: Custody, public_key: str, proof: str, where: str, number: int = 0) -> str:
    """The proof of possession of a key: made here if the key is kept here, else the given one, checked.

    Raises ``InvalidInput`` ``PROOF_MISSING``, ``PROOF_INVALID``.
    """
    account = account_of_public_key(public_key)
    if not proof and account in custody:
        return possession_of(chain, custody.signer(account), number)
    return require_possession(chain, public_key, proof, where, number)


def proof_for_chain(public_key: str, proof: str) -> str:
    """What the contract takes: nothing for an SM2 key, whose signatures it cannot check."""
    return "" if suite_of_key(public_key) is SM2SM3 else proof


def _command(number: int) -> str:
    party = f" --number {number}" if number else ""
    return f"pingzheng key prove <key file> --deployment <file>{party}"


def _proves(chain: ChainId, public_key: str, proof: str, number: int) -> bool:
    suite = suite_of_key(public_key)
    point = suite.point_of(public_key)
    try:
        raw = bytes.fromhex(proof)
    except ValueError:
        return False
    signature, rest = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if len(signature) != SIGNATURE_BYTES or rest != (point if suite is ES256 else b""):
        return False
    message = key_message(chain, account_of_public_key(public_key), number)
    return suite.unaltered(signature) and suite.verify(point, message, signature, DEFAULT_ID)
