"""A provider's task: an authorization, the statements that the authorization rests on, and the subject's identifier."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from ledger.domain.digests import reference
from ledger.domain.parties import PartyKind
from ledger.parties.lookups import party
from ledger.parties.tables import PartyKey
from ledger.proof.bundle import ChainId
from ledger.proof.jws import Jwk, entry_signature, public_jwk
from ledger.provider.task import Opening, Task
from ledger.store.sealing import Sealer
from ledger.usage.provision_checks import AnswerBasis


def task_for(session: Session, sealer: Sealer, chain: ChainId, basis: AnswerBasis) -> Task:
    """Return the task of an authorization. Raises ``NotFound`` ``SEALED_ERASED`` if the subject was erased."""
    last = basis.before[-1] if basis.before else None
    return Task(
        chain=chain,
        template=basis.template,
        request=basis.asked,
        authorization=basis.consented,
        keys=dict(_key(session, entry) for entry in (basis.asked, basis.consented)),
        opening=opening_of(session, sealer, basis.consent.subject),
        corrects=reference(last.digest) if last is not None and last.result == "supplied" else None,
    )


def opening_of(session: Session, sealer: Sealer, identifier: str) -> Opening:
    """Return the decrypted values from which a party id is computed; a task gives them to the provider. Raises the
    errors of ``task_for``.
    """
    row = party(session, identifier)
    opened = sealer.open_object(session, row.sealed_id)
    return Opening(PartyKind(row.kind), opened["identifier"], opened["id_key"])


def _key(session: Session, entry: dict[str, Any]) -> tuple[str, Jwk]:
    account = entry_signature(entry).kid
    return account, public_jwk(session.get_one(PartyKey, account).public_key)
