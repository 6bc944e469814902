"""Erase personal text (PIPL art. 47): destroy its encryption keys and salts, and record the erasure as a log entry.

Signed and anchored data stay. Every leaf, root and proof verifies as before, but nobody can find out the texts behind
the digests. Erasing neither withdraws nor revokes: an active certificate stays active, the holder can present it from
the holder's own copy, and verifiers keep what they have received.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.certificates.hidden_claims import hides_claims
from ledger.certificates.lookups import certificate, named_provisions
from ledger.certificates.tables import Certificate
from ledger.domain.days import DAY, Clock
from ledger.domain.digests import hex_of, reference
from ledger.domain.entries import erasure_entry
from ledger.domain.entry_forms import MAX_TARGETS
from ledger.domain.parties import Role
from ledger.errors import Conflict, Forbidden
from ledger.index.follower import Follower
from ledger.index.tables import ASSETS, LIENS, RIGHTS
from ledger.parties.lookups import party
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, Roles, require
from ledger.parties.tables import Party
from ledger.privacy.archives import ErasableCopies
from ledger.privacy.traces import end_access, erase_texts, forget_requests
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.sealing import Sealer, texts_erased_with
from ledger.usage.lookups import access_request, authorizations_of, certificates_of, provisions_of
from ledger.usage.tables import AccessRequest, Authorization, Provision

log = structlog.get_logger()

# Rows that have sealed text about a subject (note, notice, claims or disclosures). The log entry of an erasure names
# the digests of these rows.
SealedRow = AccessRequest | Authorization | Provision | Certificate


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure: its log entry, the entry's number, and the erased certificates (numbers).

    ``archived`` is true if the texts in the archive were erased too; otherwise the archive's texts are erased when the
    next batch is archived. ``remains`` are the deleted values, which ``Erasure.scrub`` removes from the files. If the
    erasure was repeated, the deleted values are not known, and ``remains`` is empty.
    """

    entry: dict[str, Any]
    seq: int
    certificates: tuple[str, ...]
    archived: bool
    remains: tuple[bytes, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class _Act:
    """An erasure in progress: the party ``by`` erases text about ``subject`` for a reason; ``ledger`` is the ledger
    digest.

    ``targets`` collects the erased statements by digest, ``sealed`` the erased sealed records by id, ``remains`` the
    deleted values.
    """

    ledger: str
    subject: str
    by: str
    reason: str
    at: int
    targets: list[str] = field(default_factory=list)
    sealed: list[str] = field(default_factory=list)
    remains: list[bytes] = field(default_factory=list)


@dataclass(eq=False, repr=False)
class Erasure:
    """Erases the texts of a certificate or of a party, each in one transaction. ``ledger`` is the ledger digest.

    Repeating an erasure returns the first erasure.
    """

    _database: Database
    _sealer: Sealer
    _follower: Follower
    _roles: Roles
    _archiving: ErasableCopies
    _ledger: str
    _clock: Clock

    def certificate(self, actor: Actor, number: str, reason: str) -> Erased:
        """Destroy the claims and salts of a certificate, of its provisions, and of the certificate's earlier versions.

        If the certificate is the newest version, all other texts of its request are destroyed too.

        Raises ``NotFound``, ``Forbidden`` ``PARTY_LACKS_ROLE`` or ``ERASURE_REASON``, ``Conflict`` ``NO_PAYLOAD`` or
        ``RETENTION_NOT_OVER``.
        """
        with self._database.write() as session:
            row = certificate(session, number)
            _take_turns(session, row)
            act = self._act(actor, row.subject, reason)
            if not hides_claims(row):
                raise Conflict("NO_PAYLOAD", "The certificate has no hidden claims.", where=number)
            known, about = session.get(ErasureRecord, row.digest), _with(session, row)
            recorded = self._erase(session, act, about)
            if known is None and recorded is None:
                # The text is missing although no erasure was recorded, so the erasure is recorded now.
                recorded = _record(session, act, [row.digest])
            self._write_down(act, None)
            if known is not None:
                act.remains.clear()
        return self._reported(act, known.digest if known else str(recorded), about, None)

    def party(self, actor: Actor, identifier: str, reason: str) -> Erased:
        """Destroy the name and identifier of a person or a firm, and all texts about this party.

        A table can declare that its texts are erased together with a party (``erased_with``).

        The party stays on the chain as an opaque id with its keys. If the person or firm is onboarded again, it gets a
        new id. Raises the errors of ``certificate``; ``Conflict`` ``PARTY_NOT_A_SUBJECT`` if the party also has other
        roles, ``PARTY_ON_REGISTER`` if it holds an asset, or has a right in an asset or a lien on one.
        """
        self._follower.sync()
        with self._database.write() as session:
            row = party(session, identifier)
            _take_turns(session, row)
            act = self._act(actor, identifier, reason)
            known = session.get(ErasureRecord, identifier)
            if known is None:
                self._require_erasable(session, row)
            groups = _groups_about(session, identifier)
            for about in groups:
                self._erase(session, act, about)
            self._destroy(session, act, sorted(self._sealer.kept(session, texts_erased_with(session, [identifier]))))
            recorded = self._end_identity(session, row, act) if known is None else known.digest
            self._write_down(act, identifier if known is None else None)
            if known is not None:
                act.remains.clear()
        return self._reported(act, recorded, [item for about in groups for item in about], row)

    def scrub(self, erased: Erased) -> bool:
        """Remove the remains of erased texts from the files of database and archive, and return whether this removal
        succeeded.

        An erasure is permanent even without this call, because the keys are destroyed. The call is separate because it
        reads the whole files; writers wait only for short steps. If the call fails, repeat the erasure and this call.
        The repeated erasure does not know the deleted values, so the call then removes the remains of all deleted data.
        See ``Database.scrub``.
        """
        scrubbed = self._database.scrub(erased.remains)
        return self._archiving.scrub(erased.remains) and scrubbed and erased.archived

    def _act(self, actor: Actor, subject: str, reason: str) -> _Act:
        require(actor, Action.ERASE, owns=actor.party == subject)
        if (reason == "subject_request") != (actor.party == subject):
            raise Forbidden(
                "ERASURE_REASON",
                "The party may not erase for this reason.",
                where="reason",
                hint="The subject gives the reason subject_request. "
                "An issuer or an authority gives the reason retention_over or court.",
            )
        return _Act(self._ledger, subject, actor.party, reason, self._clock())

    def _erase(self, session: Session, act: _Act, about: Sequence[SealedRow]) -> str | None:
        """Erase the texts that still exist; return the digest of the log entry, or None if no text was left."""
        kept = self._sealer.kept(session, [item.sealed_id for item in about if item.sealed_id])
        going = [item for item in about if item.sealed_id in kept or _goes_with_provisions(session, item)]
        if not going:
            return None
        if act.reason == "retention_over":
            _require_retention_over(session, about, act.at)
        self._destroy(session, act, [item.sealed_id for item in going if item.sealed_id is not None])
        act.targets.extend(item.digest for item in going)
        act.remains.extend(forget_requests(session, going))
        first, *_ = [
            _record(session, act, [item.digest for item in going[start : start + MAX_TARGETS]])
            for start in range(0, len(going), MAX_TARGETS)
        ]
        return first

    def _destroy(self, session: Session, act: _Act, texts: Sequence[str]) -> None:
        act.remains.extend(erase_texts(session, self._sealer, texts))
        act.sealed.extend(texts)

    def _end_identity(self, session: Session, row: Party, act: _Act) -> str:
        # The lookup value is a keyed digest of the identifier. With the installation's key, somebody could use the
        # lookup value to test guesses of the identifier. So a random value replaces the lookup value.
        act.remains.append(row.lookup.encode())
        row.lookup = secrets.token_hex(32)
        act.remains.extend(end_access(session, row.id))
        return _record(session, act, [], row.id)

    def _require_erasable(self, session: Session, row: Party) -> None:
        if others := sorted(set(self._roles.of([row.id])[row.id]) - {Role.SUBJECT}):
            raise Conflict(
                "PARTY_NOT_A_SUBJECT",
                f"The party also acts as {', '.join(others)}, so other parties must be able to see its name.",
                where="party",
                hint="Remove these roles from the party first.",
            )
        parts = (
            select(ASSETS.c.id).where(ASSETS.c.holder_no == row.no, ASSETS.c.state.in_(("applied", "confirmed"))),
            select(RIGHTS.c.asset).where(RIGHTS.c.grantee_no == row.no, RIGHTS.c.end > self._clock()),
            select(LIENS.c.asset).where(LIENS.c.creditor_no == row.no),
        )
        if any(session.execute(part.limit(1)).first() for part in parts):
            raise Conflict(
                "PARTY_ON_REGISTER",
                "The party holds a registered asset, or has a right in an asset or a lien on one.",
                where="party",
                hint="End or transfer the holding, the right or the lien first.",
            )

    def _write_down(self, act: _Act, identity: str | None) -> None:
        """Record the erasure outside the backups before the text is erased, so that a restore never brings the text
        back.

        If the transaction then fails, the text stays in the database until the erasure is repeated or a backup is
        restored. The restore then erases the text, which is right, because the erasure was requested.
        """
        if act.targets or act.sealed:
            self._archiving.record_erasure(tuple(act.targets), identity, tuple(act.sealed))

    def _reported(self, act: _Act, recorded: str, about: Sequence[SealedRow], whole: Party | None) -> Erased:
        sealed = [item.sealed_id for item in about if item.sealed_id]
        with self._database.read() as session:
            sealed += texts_erased_with(session, [whole.id] if whole else [])
            entry = log_store.statement(session, recorded)
            seq = log_store.entries_by_digest(session, [recorded])[recorded].seq
        archived = self._archiving.erase(tuple(sealed), whole.id if whole else None)
        log.info("personal text erased", entry=seq, archived=archived)
        numbers = tuple(item.certificate_no for item in about if isinstance(item, Certificate))
        return Erased(entry, seq, numbers, archived, tuple(act.remains))


def _take_turns(session: Session, row: Certificate | Party) -> None:
    """Lock the row, so that two erasures of the same row wait for each other (PostgreSQL allows several writers)."""
    session.refresh(row, with_for_update=True)


def _with(session: Session, row: Certificate) -> list[SealedRow]:
    """Return the rows that are erased with a certificate: the certificate, its earlier versions, and the provisions of
    these versions, except provisions whose disclosures a later version uses.

    If the certificate is the newest version, these are all rows of its request.
    """
    if row.request_id is None:
        return [row]
    *_, newest = versions = certificates_of(session, row.request_id)
    if row.version == newest.version:
        return _rows_of_request(session, access_request(session, row.request_id))
    older = [item for item in versions if item.version <= row.version]
    later = [item for item in versions if item.version > row.version and item.sealed_id is None]
    going = named_provisions(session, older) - named_provisions(session, later)
    provisions = select(Provision).where(Provision.digest.in_(going))
    return [*older, *session.scalars(provisions.order_by(Provision.id))]


def _goes_with_provisions(session: Session, item: SealedRow) -> bool:
    """Return whether the row is a certificate that has no copy of its claims, and whose erasure is not recorded."""
    used = isinstance(item, Certificate) and item.sealed_id is None
    return used and session.get(ErasureRecord, item.digest) is None


def _rows_of_request(session: Session, request: AccessRequest) -> list[SealedRow]:
    """Return a request with its authorizations, provisions and certificates."""
    consents = authorizations_of(session, request.id)
    answers = [answer for consent in consents for answer in provisions_of(session, consent.id)]
    return [request, *consents, *answers, *certificates_of(session, request.id)]


def _groups_about(session: Session, subject: str) -> list[list[SealedRow]]:
    """Return all rows with sealed text about a subject, grouped by request."""
    asked = select(AccessRequest).where(AccessRequest.subject == subject).order_by(AccessRequest.id)
    others = select(Certificate).where(
        Certificate.subject == subject, Certificate.request_id.is_(None), Certificate.sealed_id.is_not(None)
    )
    groups = [_rows_of_request(session, request) for request in session.scalars(asked)]
    groups += [[row] for row in session.scalars(others)]
    return groups


def _require_retention_over(session: Session, about: Sequence[SealedRow], now: int) -> None:
    """Raise ``Conflict`` ``RETENTION_NOT_OVER`` unless the template's retention period is over.

    The period begins at the end of the certificate's validity.
    """
    stated = [
        log_store.statement(session, item.digest) for item in about if isinstance(item, AccessRequest | Certificate)
    ]
    issued = [statement for statement in stated if statement["type"] == "certificate"]
    ends = []
    for statement in issued or stated:
        template = log_store.statement(session, hex_of(statement["template"]))
        ends.append(statement["exp" if issued else "valid_to"] + template["retention_days"] * DAY)
    if now < max(ends):
        raise Conflict(
            "RETENTION_NOT_OVER",
            "The data is still valid, or its retention period is not over.",
            where="reason",
            hint="Wait until the scenario's retention days have passed since the end of validity.",
            over=max(ends),
        )


def _record(session: Session, act: _Act, digests: Sequence[str], identity: str | None = None) -> str:
    """Append the log entry for the erasure of these statements or of an identity; return its statement digest."""
    entry = erasure_entry(
        ledger=act.ledger,
        id=str(ULID()),
        subject=act.subject,
        by=act.by,
        targets=[reference(digest) for digest in digests],
        reason=act.reason,
        iat=act.at,
    )
    new = log_store.NewEntry.of(entry)
    log_store.append(session, [new], act.at)
    session.add_all(
        ErasureRecord(
            target=target, subject=act.subject, by=act.by, reason=act.reason, digest=new.digest, created_at=act.at
        )
        for target in ([identity] if identity else digests)
    )
    session.flush()
    return new.digest
