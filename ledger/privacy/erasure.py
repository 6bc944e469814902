"""Erasing personal text (PIPL art. 47): data keys and salts are destroyed, and that they were is an entry of the log.

What was signed and anchored stays: every leaf, root and proof verifies as before, but nobody can find out any more what
its digests are of. Erasing is neither withdrawing nor revoking: a certificate that is in force stays so, and its
holder can present it from its own copy; whoever was shown it has what it was shown.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.certificates.lookups import certificate
from ledger.certificates.tables import Certificate
from ledger.domain.canonical import canonical
from ledger.domain.days import DAY, Clock
from ledger.domain.digests import hex_of, reference
from ledger.domain.entries import erasure_entry
from ledger.domain.entry_forms import MAX_TARGETS
from ledger.domain.parties import Role
from ledger.errors import Conflict, Forbidden
from ledger.index.follower import Follower
from ledger.index.tables import ASSETS, LIENS, RIGHTS
from ledger.log.tables import IdempotentRequest
from ledger.parties.access.tables import ApiKey, Enrolment, SignedIn, SignInNonce
from ledger.parties.lookups import party
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, Roles, require
from ledger.parties.tables import Mandate, Party
from ledger.privacy.archives import ErasableCopies
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.sealing import Sealer
from ledger.usage.lookups import access_request, authorizations_of, certificates_of, provisions_of
from ledger.usage.tables import AccessRequest, Authorization, Provision

log = structlog.get_logger()

# What has sealed text about a subject, beside its identity: note, notice, claims, disclosures.
Told = AccessRequest | Authorization | Provision | Certificate


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure: its entry with its number in the log, and the certificates that are erased by now.

    ``archived``: the archive was reached too; otherwise it follows with the next batch.
    """

    entry: dict[str, Any]
    seq: int
    certificates: tuple[str, ...]
    archived: bool


@dataclass(frozen=True, slots=True)
class _Act:
    """Who erases whose text, why and when; ``ledger`` is the ledger digest.

    ``targets`` and ``sealed`` collect what is destroyed: statements by digest, sealed records by id.
    """

    ledger: str
    subject: str
    by: str
    reason: str
    at: int
    targets: list[str] = field(default_factory=list)
    sealed: list[str] = field(default_factory=list)


class Erasure:
    """Erases by certificate or by party, each in one transaction; what was erased before is reported as it was then.

    ``ledger`` is the ledger digest.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        follower: Follower,
        roles: Roles,
        archiving: ErasableCopies,
        ledger: str,
        clock: Clock,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._follower = follower
        self._roles = roles
        self._archiving = archiving
        self._ledger = ledger
        self._clock = clock

    def certificate(self, actor: Actor, number: str, reason: str) -> Erased:
        """Destroy the claims of a certificate with their salts, those of the provisions it rests on, and the same of
        the versions that it superseded; with the newest version goes whatever else was told for its request.

        Raises ``NotFound``, ``Forbidden`` ``PARTY_LACKS_ROLE`` or ``ERASURE_REASON``, ``Conflict`` ``NO_PAYLOAD`` or
        ``RETENTION_NOT_OVER``.
        """
        with self._database.write() as session:
            row = certificate(session, number)
            _take_turns(session, row)
            act = self._act(actor, row.subject, reason)
            if row.sealed_id is None:
                raise Conflict("NO_PAYLOAD", "The certificate carries no claims beside its public text.", where=number)
            known, about = session.get(ErasureRecord, row.digest), _with(session, row)
            recorded = self._erase(session, act, about)
            if known is None and recorded is None:
                # Its text is gone by other means than this; that it is gone is recorded nevertheless.
                recorded = _record(session, act, [row.digest])
            self._write_down(act, None)
        return self._reported(known.digest if known else str(recorded), about, None)

    def party(self, actor: Actor, identifier: str, reason: str) -> Erased:
        """Destroy a person's or a firm's name and identifier, and whatever was told about it.

        The party stays on the chain as an opaque id with its keys; onboarded again it is another party.
        Raises as ``certificate`` does; ``Conflict`` ``PARTY_NOT_A_SUBJECT`` for a party that has other roles,
        ``PARTY_ON_REGISTER`` while it has a part in a registered asset.
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
            recorded = self._erase_identity(session, row, act) if known is None else known.digest
            self._write_down(act, identifier if known is None else None)
        return self._reported(recorded, [item for about in groups for item in about], row)

    def scrub(self, erased: Erased) -> bool:
        """Leave nothing of what was erased in the files of database and archive; see ``Database.scrub``.

        It is erased for good in any case. Slow: for the caller, when the erasure itself is done.
        """
        scrubbed = self._database.scrub()
        return self._archiving.scrub() and scrubbed and erased.archived

    def _act(self, actor: Actor, subject: str, reason: str) -> _Act:
        require(actor, Action.ERASE, owns=actor.party == subject)
        if (reason == "subject_request") != (actor.party == subject):
            raise Forbidden(
                "ERASURE_REASON",
                "A subject asks for the erasure of its own; an office erases when retention is over or a court orders.",
                where="reason",
                hint="subject_request is the subject's own; retention_over and court are the issuer's or authority's.",
            )
        return _Act(self._ledger, subject, actor.party, reason, self._clock())

    def _erase(self, session: Session, act: _Act, about: Sequence[Told]) -> str | None:
        """Erase what is left of the text; returns the digest of the entry that records it, None if nothing was left."""
        kept = self._sealer.kept(session, [item.sealed_id for item in about if item.sealed_id])
        going = [item for item in about if item.sealed_id in kept]
        if not going:
            return None
        if act.reason == "retention_over":
            _require_retention_over(session, about, act.at)
        for item in going:
            self._sealer.erase(session, str(item.sealed_id))
        act.targets.extend(item.digest for item in going)
        act.sealed.extend(str(item.sealed_id) for item in going)
        _forget_requests(session, going)
        first, *_ = [
            _record(session, act, [item.digest for item in going[start : start + MAX_TARGETS]])
            for start in range(0, len(going), MAX_TARGETS)
        ]
        return first

    def _erase_identity(self, session: Session, row: Party, act: _Act) -> str:
        self._sealer.erase(session, row.sealed_id)
        act.sealed.append(row.sealed_id)
        # The lookup is a digest under a key of the installation: who has that could confirm a guess.
        row.lookup = secrets.token_hex(32)
        _end_access(session, row.id)
        return _record(session, act, [], row.id)

    def _require_erasable(self, session: Session, row: Party) -> None:
        if others := sorted(set(self._roles.of([row.id])[row.id]) - {Role.SUBJECT}):
            raise Conflict(
                "PARTY_NOT_A_SUBJECT",
                f"The party acts as {', '.join(others)}: who does so is told by name to those it deals with.",
                where="party",
                hint="Take its other roles from it first.",
            )
        parts = (
            select(ASSETS.c.id).where(ASSETS.c.holder_no == row.no, ASSETS.c.state.in_(("applied", "confirmed"))),
            select(RIGHTS.c.asset).where(RIGHTS.c.grantee_no == row.no, RIGHTS.c.end > self._clock()),
            select(LIENS.c.asset).where(LIENS.c.creditor_no == row.no),
        )
        if any(session.execute(part.limit(1)).first() for part in parts):
            raise Conflict(
                "PARTY_ON_REGISTER",
                "The party holds a registered asset, a right in one or a lien on one.",
                where="party",
                hint="The register names its parties while their rights last: end or transfer them first.",
            )

    def _write_down(self, act: _Act, identity: str | None) -> None:
        """List it outside the backups, before it is done: a restore must not bring back what was erased.

        Listed and then not done, because the transaction fails, it is gone after a restore alone: it was asked for.
        """
        if act.sealed:
            self._archiving.record_erasure(tuple(act.targets), identity, tuple(act.sealed))

    def _reported(self, recorded: str, about: Sequence[Told], whole: Party | None) -> Erased:
        sealed = [item.sealed_id for item in about if item.sealed_id] + ([whole.sealed_id] if whole else [])
        archived = self._archiving.erase(tuple(sealed), whole.id if whole else None)
        with self._database.read() as session:
            entry = log_store.statement(session, recorded)
            seq = log_store.entries_by_digest(session, [recorded])[recorded].seq
        log.info("personal text erased", entry=seq, archived=archived)
        numbers = tuple(item.certificate_no for item in about if isinstance(item, Certificate))
        return Erased(entry, seq, numbers, archived)


def _take_turns(session: Session, row: Certificate | Party) -> None:
    """Of two who erase the same at once one waits, also where writers do not take turns by themselves."""
    session.refresh(row, with_for_update=True)


def _with(session: Session, row: Certificate) -> list[Told]:
    """What goes with a certificate: what it supersedes and rests on; with the newest version all of its request."""
    if row.request_id is None:
        return [row]
    *_, newest = versions = certificates_of(session, row.request_id)
    if row.version == newest.version:
        return _told_for(session, access_request(session, row.request_id))
    older = [item for item in versions if item.version <= row.version]
    named = {each for item in older for each in log_store.statement(session, item.digest)["provisions"]}
    provisions = select(Provision).where(Provision.digest.in_([hex_of(each) for each in named]))
    return [*older, *session.scalars(provisions.order_by(Provision.id))]


def _told_for(session: Session, request: AccessRequest) -> list[Told]:
    """All that was told for a request, whether it came to a certificate or not."""
    consents = authorizations_of(session, request.id)
    answers = [answer for consent in consents for answer in provisions_of(session, consent.id)]
    return [request, *consents, *answers, *certificates_of(session, request.id)]


def _groups_about(session: Session, subject: str) -> list[list[Told]]:
    """All that was told about a subject, by request; public text of registrations is not among it."""
    asked = select(AccessRequest).where(AccessRequest.subject == subject).order_by(AccessRequest.id)
    others = select(Certificate).where(
        Certificate.subject == subject, Certificate.request_id.is_(None), Certificate.sealed_id.is_not(None)
    )
    groups = [_told_for(session, request) for request in session.scalars(asked)]
    groups += [[row] for row in session.scalars(others)]
    return groups


def _require_retention_over(session: Session, about: Sequence[Told], now: int) -> None:
    """Retention is counted from the end of validity, by the template that the request was made under."""
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
            "What came of the request is still within its validity or its retention.",
            where="reason",
            hint="Retention is counted in days from the end of validity, by the scenario.",
            over=max(ends),
        )


def _end_access(session: Session, identifier: str) -> None:
    """Nobody is signed in as a party that was erased, by no key and by no code."""
    for table in (SignedIn, SignInNonce, ApiKey, Enrolment):
        session.execute(delete(table).where(table.party_id == identifier))


def _forget_requests(session: Session, going: Sequence[Told]) -> None:
    """A digest of the request that brought rows or note would confirm a guess at them, to whoever has its key."""
    ids = [item.id for item in going if not isinstance(item, Certificate)]
    sent_by = {item.provider for item in going if isinstance(item, Provision)}
    askers = {item.consumer for item in going if isinstance(item, AccessRequest)}
    # A broker sends under a key of its own, also when its mandate is over by now.
    sent_by |= askers | set(session.scalars(select(Mandate.broker).where(Mandate.principal.in_(askers))))
    broke_off, answered = IdempotentRequest.status.is_(None), IdempotentRequest.response["id"].as_string().in_(ids)
    session.execute(delete(IdempotentRequest).where(IdempotentRequest.party_id.in_(sent_by), broke_off | answered))


def _record(session: Session, act: _Act, digests: Sequence[str], identity: str | None = None) -> str:
    """Append the entry over these statements, or over an identity; returns its own statement digest."""
    entry = erasure_entry(
        ledger=act.ledger,
        id=str(ULID()),
        subject=act.subject,
        by=act.by,
        targets=[reference(digest) for digest in digests],
        reason=act.reason,
        iat=act.at,
    )
    new = log_store.NewEntry("erasure", canonical(entry))
    log_store.append(session, [new], act.at)
    session.add_all(
        ErasureRecord(
            target=target, subject=act.subject, by=act.by, reason=act.reason, digest=new.digest, created_at=act.at
        )
        for target in ([identity] if identity else digests)
    )
    session.flush()
    return new.digest
