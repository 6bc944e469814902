"""Stores the documents whose digests are on the chain (grounds, terms, reports). Each document is stored encrypted and
found by its digest.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.chain.contracts.deployment import ASSET_REGISTRY
from ledger.domain.canonical import canonical
from ledger.domain.days import Clock
from ledger.errors import ChainRejected, Conflict, Forbidden, InvalidInput, NotFound
from ledger.index.follower import Follower
from ledger.index.tables import EVENTS, PROPOSALS
from ledger.registration.lookups import registration
from ledger.registration.tables import ActDocument
from ledger.store.database import Database
from ledger.store.sealing import Sealer

MAX_DOCUMENT_BYTES = 256 * 1024
# These errors mean that a check here or the contract refused the act, so the act is not on the chain.
# ``ChainUnavailable`` is not listed: a node that does not answer may have accepted the act.
REFUSED = (ChainRejected, Conflict, Forbidden, InvalidInput, NotFound)


@contextmanager
def taken_back_if_refused(take_back: Callable[[], None]) -> Iterator[None]:
    """Call ``take_back`` if the act on the chain is refused; ``take_back`` deletes what was stored for the act."""
    try:
        yield
    except REFUSED:
        take_back()
        raise


class ActDocuments:
    """Stores documents and returns the digests that go to the chain.

    The digest is salted with a keyed digest of the document. Without the key nobody can test a guess of the document.
    The same document always has the same digest. A party can therefore sign the call in a second request: the second
    request builds the same call.
    """

    def __init__(self, database: Database, sealer: Sealer, follower: Follower, salt_key: bytes, clock: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._follower = follower
        self._salt_key = salt_key
        self._clock = clock

    @contextmanager
    def kept(self, asset: str, kind: str, by: str, document: Mapping[str, Any]) -> Iterator[str]:
        """Store ``document`` for an act on the chain and yield its digest (64 hex digits). A document that is stored
        already is not stored again.

        If the act is refused, the document is deleted, unless meanwhile the same act was accepted or proposed in
        another call. Raises ``InvalidInput`` ``EVIDENCE_TOO_LARGE``; ``NotFound`` for an unknown asset or party.
        """
        digest, fresh = self._keep(asset, kind, by, document)
        with taken_back_if_refused(lambda: self._forget(asset, digest) if fresh else None):
            yield digest

    def _keep(self, asset: str, kind: str, by: str, document: Mapping[str, Any]) -> tuple[str, bool]:
        text = canonical({"kind": kind, "asset": asset, "by": by, "document": dict(document)})
        if len(text) > MAX_DOCUMENT_BYTES:
            raise InvalidInput(
                "EVIDENCE_TOO_LARGE",
                f"A document may have at most {MAX_DOCUMENT_BYTES} bytes.",
                where=kind,
                hint="Give the digest of a file instead of its content, and keep the file.",
            )
        salt = hmac.new(self._salt_key, b"evidence|" + text, hashlib.sha256).digest()
        digest = hashlib.sha256(salt + text).hexdigest()
        with self._database.write() as session:
            registration(session, asset)
            fresh = session.get(ActDocument, digest) is None
            if fresh:
                self._add(session, digest, asset, kind, by, {"salt": salt.hex(), "text": text.decode()})
        return digest, fresh

    def _on_chain(self, asset: str, digest: str) -> bool:
        self._follower.sync()
        acts = select(EVENTS.c.args).where(EVENTS.c.contract == ASSET_REGISTRY, EVENTS.c.scope == asset)
        proposals = select(PROPOSALS.c.no).where(PROPOSALS.c.call.contains(digest)).limit(1)
        with self._database.read() as session:
            taken = any(digest in args.values() for args in session.scalars(acts))
            return taken or session.scalar(proposals) is not None

    def _forget(self, asset: str, digest: str) -> None:
        if self._on_chain(asset, digest):
            return
        with self._database.write() as session:
            row = session.get_one(ActDocument, digest)
            self._sealer.erase(session, row.sealed_id)
            session.delete(row)

    def _add(self, session: Session, digest: str, asset: str, kind: str, by: str, sealed: dict[str, str]) -> None:
        session.add(
            ActDocument(
                digest=digest,
                asset_id=asset,
                kind=kind,
                by=by,
                sealed_id=self._sealer.seal(session, sealed),
                created_at=self._clock(),
            )
        )

    def read(self, digest: str) -> dict[str, Any]:
        """Return digest, asset, kind, author, salt and text of a document. The digest is SHA-256 over salt and text.

        Raises ``NotFound`` ``EVIDENCE_UNKNOWN`` or ``SEALED_ERASED``.
        """
        with self._database.read() as session:
            row = session.get(ActDocument, digest)
            if row is None:
                raise NotFound("EVIDENCE_UNKNOWN", "No document with this digest is stored here.", where="digest")
            opened = self._sealer.open_object(session, row.sealed_id)
        return {"digest": digest, "asset": row.asset_id, "kind": row.kind, "by": row.by, **opened}
