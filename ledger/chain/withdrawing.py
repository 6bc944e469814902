"""A data subject withdraws its consents on the chain by itself: with a bundle, a node and its own key, and no service.

    withdraw_by_itself(bundle, url, key) → what was withdrawn

Nothing is sent before the node has shown that it serves the bundle's ledger with our contracts, and the bundle that the
subject signed the consents: a bundle that was changed cannot make the subject withdraw what it never signed, and
believe that its consent has ended.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.chain.accounts import account_of, account_of_public_key
from ledger.chain.contracts.deployment import deployment_of
from ledger.chain.reading.contract_state import AccountRecord
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.sender import Receipt
from ledger.domain.entries import statement_digest
from ledger.errors import BadBundle, Forbidden, InvalidInput, Misconfigured, NotFound
from ledger.proof.acts import sign_act, withdrawals_message
from ledger.proof.bundle import Bundle, Evidence
from ledger.proof.jws import Es256Signer, LocalSigner, Signer, entry_signed_by
from ledger.proof.suites.suite import ES256, ES256K


@dataclass(frozen=True, slots=True)
class DirectWithdrawal:
    """An authorization (by its id, and the digest of its statement) that its subject withdrew ``at`` (seconds UTC);
    ``receipt`` is ``None`` if the subject had done so before."""

    authorization: str
    statement: str
    at: int
    receipt: Receipt | None


def withdraw_by_itself(
    bundle: Bundle,
    url: str,
    private_key: bytes,
    *,
    alg: str = ES256K.alg,
    authorization: str | None = None,
    payer: bytes | None = None,
) -> tuple[DirectWithdrawal, ...]:
    """Withdraw the subject's authorizations in a bundle, or the one with that id, in one transaction. Earlier
    withdrawals are unaffected, and doing it again sends nothing.

    The subject signs by its key of the suite ``alg``, ES256K or ES256. A key that is reported will do: a subject's
    withdrawal counts all the same. The account of ``payer`` (a private key) sends
    and pays; without it the subject's own account does, which a P-256 key cannot. Raises ``Forbidden``
    ``SIGNER_NOT_SUBJECT`` or ``PARTY_UNKNOWN_ACCOUNT``, ``NotFound`` ``AUTHORIZATION_UNKNOWN``, ``BadBundle`` where the
    subject did not sign what the bundle says, ``ChainUnavailable`` or ``Misconfigured`` where the node is not of the
    bundle's ledger, and ``Misconfigured`` ``PAYER_MISSING`` or ``ACCOUNT_WITHOUT_FUNDS``.
    """
    signer = _signer(private_key, alg)
    sender = _sender(private_key, alg, payer)
    connection = Connection(url)
    client = ChainClient(connection, deployment_of(connection, bundle.chain), sender.hex())
    reader = ChainReader(client)
    account = _bound(reader, signer.kid)
    consents = _consents(bundle, reader.party_id(account.party_no), authorization)
    for consent in consents:
        _require_signed(bundle, reader, consent, account.party_no)
    statements = {statement_digest(consent.statement): str(consent.statement.get("id")) for consent in consents}
    left = [statement for statement in statements if not reader.withdrawn_at(account.party_no, statement).first]
    receipt = _send(client, signer, left)
    return tuple(
        DirectWithdrawal(
            authorization=identifier,
            statement=statement,
            at=reader.withdrawn_at(account.party_no, statement).first,
            receipt=receipt if statement in left else None,
        )
        for statement, identifier in statements.items()
    )


def _signer(private_key: bytes, alg: str) -> Signer:
    if alg == ES256.alg:
        return Es256Signer(private_key)
    if alg == ES256K.alg:
        return LocalSigner(private_key, account_of(private_key))
    raise InvalidInput(
        "ACT_SUITE_UNSUPPORTED",
        f"The chain cannot check a signature by {alg}.",
        hint="Sign a `withdrawal` entry, which the bundle carries and verifiers obey.",
    )


def _sender(private_key: bytes, alg: str, payer: bytes | None) -> bytes:
    """The private key of the account that sends and pays."""
    if payer is not None:
        return payer
    if alg == ES256K.alg:
        return private_key
    raise Misconfigured(
        "PAYER_MISSING",
        "An account with a P-256 key cannot send transactions.",
        where="payer",
        hint="Let another account send what this key signs and pay (`--payer`).",
    )


def _bound(reader: ChainReader, account: str) -> AccountRecord:
    """The signer's account; the contract refuses one that is retired by the same code."""
    record = reader.account(account)
    if record is None:
        raise Forbidden(
            "PARTY_UNKNOWN_ACCOUNT",
            "The key's account acts for no party on this chain.",
            where=account,
            hint="Use the party's present key; two officers can bind a new one in place of a lost one.",
        )
    return record


def _consents(bundle: Bundle, subject: str, authorization: str | None) -> list[Evidence]:
    found = [
        item
        for item in bundle.evidence
        if item.statement.get("type") == "authorization" and authorization in (None, item.statement.get("id"))
    ]
    if not found:
        raise NotFound(
            "AUTHORIZATION_UNKNOWN",
            "The bundle holds no such authorization.",
            where="evidence",
            hint="Take the bundle of a usage certificate that rests on it.",
        )
    own = [item for item in found if item.statement.get("subject") == subject]
    if not own:
        raise Forbidden(
            "SIGNER_NOT_SUBJECT",
            "The authorization is of another subject than the key's party.",
            where="evidence",
            hint="Only the data subject can withdraw; anyone else's withdrawal would have no effect.",
        )
    return own


def _require_signed(bundle: Bundle, reader: ChainReader, consent: Evidence, party: int) -> None:
    """The consent names this ledger, and an account of the party signed it, be it one that is retired since."""
    if consent.statement.get("ledger") != bundle.chain.ledger:
        raise _lying("LEDGER_DIFFERS", "The authorization was signed for another ledger than the bundle names.")
    signer = consent.signer
    key = bundle.keys.get(signer or "")
    if signer is None or key is None or account_of_public_key(key.compressed) != signer:
        raise _lying("AUTHORIZATION_NOT_BY_SUBJECT", "The bundle lacks the key that signed the authorization.")
    record = reader.account(signer)
    own = record is not None and record.party_no == party
    if not own or not entry_signed_by(consent.statement, signer, key.compressed):
        raise _lying("AUTHORIZATION_NOT_BY_SUBJECT", "The authorization is not what the subject signed.")


def _send(client: ChainClient, signer: Signer, statements: list[str]) -> Receipt | None:
    """Withdraw what is left; sends nothing where nothing is."""
    if not statements:
        return None
    signature = sign_act(withdrawals_message(client.deployment.chain, signer.kid, statements), signer)
    return client.send(calls.withdraw_for(signer.kid, statements, signature))


def _lying(code: str, message: str) -> BadBundle:
    return BadBundle(code, message, where="evidence", hint="Nothing was sent. Ask for the bundle again.")
