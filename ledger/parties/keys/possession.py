"""Makes and checks proofs of possession: a new key signs that it belongs to a certain party of this ledger.

A proof (protocol §3) names the party's number on the chain, so that no other party can use the proof. For the first
keys of a party, which has no number yet, the proof names 0. The chain checks the proofs of secp256k1 and P-256 keys.
The proof of an SM2 key is checked by two programs: the program of the institution that proposes the key, and the
program of the institution that confirms the proposal.
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
    """Return, in hex, the proof that the party with this number possesses the key of ``signer`` (of any suite)."""
    if suite_of_key(signer.public_key) is SM2SM3:
        return signer.sign(key_message(chain, signer.kid, number)).hex()
    return prove_key(chain, signer, number)


def require_possession(chain: ChainId, public_key: str, proof: str, where: str, number: int = 0) -> str:
    """Return ``proof`` if the key signed it for this party.

    Raises ``InvalidInput`` ``PROOF_MISSING``, ``PROOF_INVALID``.
    """
    if not proof:
        raise InvalidInput(
            "PROOF_MISSING",
            "This installation does not keep the key, so a proof that its owner possesses the key is needed.",
            where=where,
            hint=f"Let the owner make the proof: `{_command(number)}`.",
        )
    if not _proves(chain, public_key, proof, number):
        raise InvalidInput(
            "PROOF_INVALID",
            "The proof was not made by this key for this party of this ledger.",
            where=where,
            hint=f"Make the proof again with this key and this ledger's deployment file: `{_command(number)}`.",
        )
    return proof


def proof_of(chain: ChainId, custody: Custody, public_key: str, proof: str, where: str, number: int = 0) -> str:
    """Return the proof that the party possesses the key.

    If this installation keeps the key, a new proof is made; otherwise ``proof`` is checked. Raises ``InvalidInput``
    ``PROOF_MISSING``, ``PROOF_INVALID``.
    """
    account = account_of_public_key(public_key)
    if not proof and account in custody:
        return possession_of(chain, custody.signer(account), number)
    return require_possession(chain, public_key, proof, where, number)


def proof_for_chain(public_key: str, proof: str) -> str:
    """Return the proof to send to the contract. For an SM2 key it is empty, because the contract cannot check SM2."""
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
