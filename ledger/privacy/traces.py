"""Delete the values that an erasure removes, and return them, so that their remains in the files can be found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ledger.certificates.tables import Certificate
from ledger.log.tables import IdempotentRequest
from ledger.parties.access.tables import ApiKey, Enrolment, SignedIn, SignInNonce
from ledger.parties.tables import Mandate
from ledger.store.sealing import Sealer
from ledger.store.sets import matching
from ledger.store.tables import Sealed
from ledger.usage.tables import AccessRequest, Authorization, Provision

# The tables about a party's access. For each table: the columns whose values must not be found in the files after an
# erasure.
_ACCESS: Final[dict[Any, tuple[InstrumentedAttribute[str], ...]]] = {
    SignedIn: (SignedIn.token_digest,),
    SignInNonce: (SignInNonce.digest, SignInNonce.source),
    ApiKey: (ApiKey.key_digest, ApiKey.name),
    Enrolment: (Enrolment.code_digest,),
}


def erase_texts(session: Session, sealer: Sealer, texts: Sequence[str]) -> list[bytes]:
    """Destroy the data keys and ciphertexts of the sealed records with these ids, and return the destroyed values."""
    columns = select(Sealed.wrapped_key, Sealed.ciphertext)
    gone = [part for row in matching(session, columns, Sealed.id, texts) for part in row if part]
    for text in texts:
        sealer.erase(session, text)
    return gone


def end_access(session: Session, party: str) -> list[bytes]:
    """Delete the party's sessions, machine keys and enrolment codes; return the deleted digests and names."""
    return [
        value
        for table, columns in _ACCESS.items()
        for value in _deleted(session, table, columns, table.party_id == party)
    ]


def forget_requests(
    session: Session, going: Sequence[AccessRequest | Authorization | Provision | Certificate]
) -> list[bytes]:
    """Delete the stored requests with idempotency keys. Otherwise somebody with the digest key could use the digests of
    the requests to test guesses of the erased text. The deleted digests are returned.
    """
    ids = [item.id for item in going if not isinstance(item, Certificate)]
    sent_by = {item.provider for item in going if isinstance(item, Provision)}
    askers = {item.consumer for item in going if isinstance(item, AccessRequest)}
    # A request that a broker sent for a consumer is stored under the broker's id. It is deleted too, even if the
    # broker's mandate has ended.
    sent_by |= askers | set(session.scalars(select(Mandate.broker).where(Mandate.principal.in_(askers))))
    broke_off, answered = IdempotentRequest.status.is_(None), IdempotentRequest.response["id"].as_string().in_(ids)
    columns = (IdempotentRequest.key, IdempotentRequest.request_digest)
    sent = IdempotentRequest.party_id.in_(sent_by), broke_off | answered
    return _deleted(session, IdempotentRequest, columns, *sent)


def _deleted(
    session: Session, table: Any, columns: Sequence[InstrumentedAttribute[str]], *where: ColumnElement[bool]
) -> list[bytes]:
    gone = [value.encode() for row in session.execute(select(*columns).where(*where)) for value in row]
    session.execute(delete(table).where(*where))
    return gone
