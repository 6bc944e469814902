"""Erasing personal text (PIPL art. 47): data keys and salts are destroyed, and that they were is an entry of the log.

What was signed and anchored stays: every leaf, root and proof verifies as before, but nobody can tell any more what the
digests in it are of. Erasing is neither withdrawing nor revoking: a certificate that is in force stays so, and its
holder can present it from its own copy; whoever was shown it has what it was shown.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.domain.canonical import canonical
from ledger.domain.entries import MAX_TARGETS, erasure_entry
from ledger.domain.parties import DEFAULT_ROLES, OFFICES, PartyKind, Role
from ledger.domain.permissions import Action
from ledger.errors import Conflict, Forbidden
from ledger.index.follower import Follower
from ledger.index.tables import ASSETS, LIENS, RIGHTS
from ledger.service.parties import Actor
from ledger.service.roles import require
from ledger.service.scenarios import ScenarioBook
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.records import certificate, party
from ledger.store.sealing import Sealer
from ledger.store.tables import Authorization, Certificate, IdempotentRequest, Party, Provision

log = structlog.get_logger()
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure: its entry with its number in the log, and the certificates of the subject that are erased by now.

    ``scrubbed``: nothing of it is left in the database's files either (see ``Database.scrub``). It was erased for good
    in any case; erasing again tries again.
    """

    entry: dict[str, Any]
    seq: int
    certificates: tuple[str, ...]
    scrubbed: bool


@dataclass(frozen=True, slots=True)
class _Act:
    """Who erases whose text, why and when."""

    subject: str
    by: str
    reason: str
    at: int


class Erasure:
    """Erases by certificate or by party, each in one transaction; what was erased before is told as it was then."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        scenarios: ScenarioBook,
        follower: Follower,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._scenarios = scenarios
        self._follower = follower
        self._clock = clock

    def certificate(self, actor: Actor, number: str, reason: str) -> Erased:
        """Destroy the claims of a certificate with their salts, and those of the provisions it rests on.

        Raises ``NotFound``, ``Forbidden`` ``ROLE_MISSING`` or ``ERASURE_REASON``, ``Conflict`` ``NO_PAYLOAD`` or
        ``RETENTION_NOT_OVER``.
        """
        with self._database.write() as session:
            row = certificate(session, number)
            _take_turns(session, row)
            act = self._act(actor, row.subject, reason)
            if row.sealed_id is None:
                raise Conflict("NO_PAYLOAD", "The certificate carries no claims beside its public text.", where=number)
            leaf = self._erase_certificate(session, row, act)
        return self._told(leaf, (number,))

    def party(self, actor: Actor, identifier: str, reason: str) -> Erased:
        """Destroy a person's or a firm's name and identifier, and the claims of every certificate that is about it.

        The party stays on the chain as an opaque id with its keys; onboarded again it is another party.
        Raises as ``certificate`` does; ``Conflict`` ``PARTY_NOT_A_SUBJECT`` for an institution or an officer,
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
            certificates = _certificates_of(session, identifier)
            for item in certificates:
                self._erase_certificate(session, item, act)
            self._erase_unused(session, act)
            leaf = self._erase_identity(session, row, act) if known is None else known.leaf
        return self._told(leaf, tuple(item.certificate_no for item in certificates))

    def _act(self, actor: Actor, subject: str, reason: str) -> _Act:
        require(actor, Action.ERASE, owns=actor.party == subject)
        if (reason == "subject_request") != (actor.party == subject):
            raise Forbidden(
                "ERASURE_REASON",
                "A subject asks for the erasure of its own; an office erases when retention is over or a court orders.",
                where="reason",
                hint="subject_request is the subject's own; retention_over and court are the issuer's or authority's.",
            )
        return _Act(subject, actor.party, reason, self._clock())

    def _erase_certificate(self, session: Session, row: Certificate, act: _Act) -> str:
        """Erase it unless it was; the leaf hash of the entry that tells so."""
        known = session.get(ErasureRecord, row.leaf)
        if known is not None:
            return known.leaf
        if act.reason == "retention_over":
            self._require_retention_over(row, act.at)
        provisions = self._kept(session, _provisions_of(session, row))
        self._sealer.erase(session, str(row.sealed_id))
        self._erase_provisions(session, provisions)
        return _record(session, act, [row.leaf, *(item.leaf for item in provisions)])

    def _erase_unused(self, session: Session, act: _Act) -> None:
        """What was supplied about the subject and went into no certificate."""
        query = (
            select(Provision)
            .join(Authorization, Authorization.id == Provision.authorization_id)
            .where(Authorization.subject == act.subject, Provision.sealed_id.is_not(None))
            .order_by(Provision.id)
        )
        unused = self._kept(session, session.scalars(query).all())
        self._erase_provisions(session, unused)
        for start in range(0, len(unused), MAX_TARGETS):
            _record(session, act, [row.leaf for row in unused[start : start + MAX_TARGETS]])

    def _kept(self, session: Session, provisions: Sequence[Provision]) -> list[Provision]:
        """Those whose claims were not erased before."""
        kept = self._sealer.kept(session, [str(row.sealed_id) for row in provisions])
        return [row for row in provisions if row.sealed_id in kept]

    def _erase_provisions(self, session: Session, provisions: Sequence[Provision]) -> None:
        for row in provisions:
            self._sealer.erase(session, str(row.sealed_id))
        # A digest of the request that brought the rows would confirm a guess at them, to whoever has its key.
        session.execute(
            delete(IdempotentRequest).where(
                IdempotentRequest.party_id.in_({row.provider for row in provisions}),
                IdempotentRequest.status.is_(None)
                | IdempotentRequest.response["id"].as_string().in_([row.id for row in provisions]),
            )
        )

    def _erase_identity(self, session: Session, row: Party, act: _Act) -> str:
        self._sealer.erase(session, row.sealed_id)
        # The lookup is a digest under a key of the installation: who has that could confirm a guess.
        row.lookup = secrets.token_hex(32)
        return _record(session, act, [], row.id)

    def _require_retention_over(self, row: Certificate, now: int) -> None:
        over = row.exp + self._scenarios.get(row.scenario).retention_days * DAY
        if now < over:
            raise Conflict(
                "RETENTION_NOT_OVER",
                "The certificate is still within its retention.",
                where=row.certificate_no,
                hint="Retention is counted in days from the end of validity, by the scenario.",
                over=over,
            )

    def _require_erasable(self, session: Session, row: Party) -> None:
        if Role.SUBJECT not in DEFAULT_ROLES[PartyKind(row.kind)] or OFFICES.intersection(map(Role, row.roles)):
            raise Conflict(
                "PARTY_NOT_A_SUBJECT",
                "The names of institutions, and of officers while they are in office, are on public record.",
                where="party",
                hint="Take a person's offices from it first.",
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

    def _told(self, leaf: str, certificates: tuple[str, ...]) -> Erased:
        scrubbed = self._database.scrub()
        with self._database.read() as session:
            entry = log_store.statement(session, leaf)
            seq = log_store.entries_by_leaf(session, [leaf])[leaf].seq
        log.info("personal text erased", entry=seq, scrubbed=scrubbed)
        return Erased(entry, seq, certificates, scrubbed)


def _take_turns(session: Session, row: Certificate | Party) -> None:
    """Of two who erase the same at once one waits, also where writers do not take turns by themselves."""
    session.refresh(row, with_for_update=True)


def _certificates_of(session: Session, subject: str) -> list[Certificate]:
    query = select(Certificate).where(Certificate.subject == subject, Certificate.sealed_id.is_not(None))
    return list(session.scalars(query.order_by(Certificate.certificate_no)))


def _provisions_of(session: Session, row: Certificate) -> list[Provision]:
    """Those that a certificate rests on and what they correct, as far as they hold claims."""
    leaves = list(log_store.statement(session, row.leaf).get("provisions", ()))
    for leaf in leaves:
        corrected = log_store.statement(session, leaf.removeprefix("sha-256:")).get("corrects")
        if corrected is not None and corrected not in leaves:
            leaves.append(corrected)
    named = [leaf.removeprefix("sha-256:") for leaf in leaves]
    query = select(Provision).where(Provision.leaf.in_(named), Provision.sealed_id.is_not(None))
    return list(session.scalars(query.order_by(Provision.id)))


def _record(session: Session, act: _Act, leaves: Sequence[str], identity: str | None = None) -> str:
    """Append the entry over these leaf hashes, or over an identity; its own leaf hash."""
    entry = erasure_entry(
        id=str(ULID()),
        subject=act.subject,
        by=act.by,
        targets=[f"sha-256:{leaf}" for leaf in leaves],
        reason=act.reason,
        iat=act.at,
    )
    new = log_store.NewEntry("erasure", canonical(entry))
    log_store.append(session, [new], act.at)
    session.add_all(
        ErasureRecord(
            target=target, subject=act.subject, by=act.by, reason=act.reason, leaf=new.leaf.hex(), created_at=act.at
        )
        for target in ([identity] if identity else leaves)
    )
    session.flush()
    return new.leaf.hex()
