"""Lets a data subject withdraw its authorizations on the chain, without the service. This needs a bundle, a node and
the subject's key.

Before anything is sent, two things are checked: the node has the ledger that the bundle names, with our contracts; and
the subject signed the authorizations in the bundle. Without these checks, someone could change a bundle so that the
subject withdraws something else and believes that the authorization has ended.
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
    """An authorization (its id and its statement digest) that the subject withdrew at the time ``at`` (seconds UTC).

    ``receipt`` is ``None`` if the subject had already withdrawn the authorization.
    """

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
    """Withdraw all authorizations of the subject that a bundle contains, or only the authorization with the id
    ``authorization``.

    One transaction withdraws all authorizations. Earlier withdrawals stay as they are; a second call sends nothing. The
    subject signs with its key of the suite ``alg``, ES256K or ES256. A reported key is accepted too, because a
    subject's withdrawal counts even if its key was reported. The account of ``payer`` (a private key) sends and pays.
    Without ``payer``, the subject's own account pays, which is impossible for a P-256 key.

    Raises ``Forbidden`` ``SIGNER_NOT_SUBJECT`` or ``PARTY_UNKNOWN_ACCOUNT``, ``NotFound`` ``AUTHORIZATION_UNKNOWN``,
    ``BadBundle`` if the subject did not sign the statements in the bundle, ``ChainUnavailable`` or ``Misconfigured`` if
    the node serves another ledger, and ``Misconfigured`` ``PAYER_MISSING`` or ``ACCOUNT_WITHOUT_FUNDS``.
    """
    signer = _signer(private_key, alg)
    sender = payer_of(private_key, alg, payer, "Let another account send the signed withdrawal and pay (`--payer`).")
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
        hint="Sign a `withdrawal` entry instead: the bundle contains it, and verifiers check it.",
    )


def payer_of(private_key: bytes, alg: str, payer: bytes | None, hint: str) -> bytes:
    """Return the private key of the account that sends and pays. This is the payer's key, or without a payer the
    signer's key.

    Raises ``Misconfigured`` ``PAYER_MISSING``, with the given ``hint``, if that key cannot send transactions.
    """
    if payer is not None:
        return payer
    if alg == ES256K.alg:
        return private_key
    raise Misconfigured(
        "PAYER_MISSING",
        "An account with a P-256 key cannot send transactions.",
        where="payer",
        hint=hint,
    )


def _bound(reader: ChainReader, account: str) -> AccountRecord:
    """Return the signer's account; raise ``Forbidden`` ``PARTY_UNKNOWN_ACCOUNT`` if it was never bound to a party.

    A retired account is returned too; the contract refuses such an account with the same code.
    """
    record = reader.account(account)
    if record is None:
        raise Forbidden(
            "PARTY_UNKNOWN_ACCOUNT",
            "The key's account acts for no party on this chain.",
            where=account,
            hint="Use the party's present key. Two institutions can bind a new key in place of a lost key.",
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
            "The bundle does not contain this authorization.",
            where="evidence",
            hint="Use the bundle of a usage certificate that is based on the authorization.",
        )
    own = [item for item in found if item.statement.get("subject") == subject]
    if not own:
        raise Forbidden(
            "SIGNER_NOT_SUBJECT",
            "The key's party is not the subject of the authorization.",
            where="evidence",
            hint="Use a key of the data subject: only the data subject can withdraw.",
        )
    return own


def _require_signed(bundle: Bundle, reader: ChainReader, consent: Evidence, party: int) -> None:
    """Raise unless the authorization names this ledger and was signed by an account of the party. A retired account is
    accepted too.
    """
    if consent.statement.get("ledger") != bundle.chain.ledger:
        raise _lying("LEDGER_DIFFERS", "The authorization was signed for another ledger than the bundle names.")
    signer = consent.signer
    key = bundle.keys.get(signer or "")
    if signer is None or key is None or account_of_public_key(key.compressed) != signer:
        raise _lying("AUTHORIZATION_NOT_BY_SUBJECT", "The bundle lacks the key that signed the authorization.")
    record = reader.account(signer)
    own = record is not None and record.party_no == party
    if not own or not entry_signed_by(consent.statement, signer, key.compressed):
        raise _lying("AUTHORIZATION_NOT_BY_SUBJECT", "The subject did not sign the authorization in the bundle.")


def _send(client: ChainClient, signer: Signer, statements: list[str]) -> Receipt | None:
    """Withdraw the statements; send nothing if the list is empty."""
    if not statements:
        return None
    signature = sign_act(withdrawals_message(client.deployment.chain, signer.kid, statements), signer)
    return client.send(calls.withdraw_for(signer.kid, statements, signature))


def _lying(code: str, message: str) -> BadBundle:
    return BadBundle(code, message, where="evidence", hint="Nothing was sent. Get the bundle again.")
