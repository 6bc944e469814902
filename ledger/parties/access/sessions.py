"""Signing in by key (protocol §11), and the sessions that come of it: short, listed, ended at any time.

A nonce is a row that goes when a valid statement uses it, so it serves once, whichever process is asked. What
strangers can fill is bounded: of one source the oldest nonces go, and of all sources those of whoever has the most.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.domain.days import Clock
from ledger.errors import Forbidden, NotFound, Unauthenticated
from ledger.index.speaking_keys import speaks
from ledger.index.tables import ACCOUNTS, PARTIES
from ledger.parties.access.attempts import source_of
from ledger.parties.access.callers import SESSION_PREFIX, Caller
from ledger.parties.access.tables import SignedIn, SignInNonce
from ledger.parties.access.tokens import digest, fresh
from ledger.parties.roles import CLOSED, active_actor
from ledger.proof.jws import encode_base64url
from ledger.proof.sign_in import NONCE_BYTES, Place, SignIn, read_sign_in, require_place
from ledger.store.database import Database

COOKIE: Final = "pz_session"
CURRENT: Final = "current"
NONCE_SECONDS: Final = 300
MAX_NONCES_OF_SOURCE: Final = 64
MAX_NONCES: Final = 20_000
MAX_SESSIONS: Final = 100


@dataclass(frozen=True, slots=True)
class Nonce:
    """What a client signs; it serves once, until ``expires_at`` (seconds UTC)."""

    nonce: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session with its token, which is shown once."""

    token: str
    id: str
    party: str
    account: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session of the caller's party; ``current``: it is the one that asks."""

    id: str
    account: str
    cookie: bool
    created_at: int
    expires_at: int
    current: bool


class Sessions:
    """Sessions at one service, whose origin is in ``place``; ``key_of`` gives the public key of an account, if it is
    known. ``seconds`` is how long a session lasts."""

    def __init__(
        self,
        database: Database,
        place: Place,
        key_of: Callable[[str], str | None],
        seconds: int,
        clock: Clock,
        *,
        most: tuple[int, int] = (MAX_NONCES_OF_SOURCE, MAX_NONCES),
    ) -> None:
        self._database = database
        self._place = place
        self._key_of = key_of
        self._seconds = seconds
        self._clock = clock
        self._most_of_source, self._most = most

    @property
    def origin(self) -> str:
        """The origin that statements are signed for."""
        return self._place.origin

    def require_origin(self, origin: str | None) -> None:
        """Raise ``Forbidden`` ``ORIGIN_DIFFERS`` unless a changing call with the cookie comes from our own pages."""
        if origin != self._place.origin:
            raise Forbidden(
                "ORIGIN_DIFFERS",
                "A call with the cookie comes from a page of another origin, or says none.",
                hint="Make changing calls from the service's own pages, or with a token.",
                expected=self._place.origin,
            )

    def nonce(self, party: str, source: str) -> Nonce:
        """A fresh nonce for the party to sign in with; nothing in the answer says whether there is such a party.

        ``source`` is the address that asks.
        """
        now = self._clock()
        value = encode_base64url(secrets.token_bytes(NONCE_BYTES))
        asks = hashlib.sha256(f"{self._place.ledger}|{source_of(source)}".encode()).hexdigest()
        with self._database.write() as session:
            session.execute(delete(SignInNonce).where(SignInNonce.expires_at <= now))
            self._make_room(session, asks)
            session.add(SignInNonce(digest=digest(value), party_id=party, source=asks, expires_at=now + NONCE_SECONDS))
        return Nonce(value, now + NONCE_SECONDS)

    def begin(self, statement: str, *, cookie: bool = False) -> NewSession:
        """Open a session by a signed statement; ``cookie``: for pages, by the cookie alone.

        Raises ``InvalidInput`` ``SESSION_STATEMENT_INVALID``; ``Unauthenticated`` ``SESSION_ORIGIN_DIFFERS``,
        ``SESSION_LEDGER_DIFFERS``, ``SESSION_EXPIRED``, ``SESSION_NONCE_UNKNOWN``, ``SESSION_KEY_NOT_LIVE``,
        ``SESSION_SIGNATURE_INVALID``; ``Forbidden`` ``PARTY_NOT_ACTIVE``.
        """
        now = self._clock()
        told = read_sign_in(statement)
        require_place(told, self._place, now)
        self._require_known(told, now)
        self._require_signed(told)
        row = SignedIn(
            id=str(ULID()),
            party_id=told.party,
            account=told.signature.kid,
            token_digest="",
            cookie=cookie,
            created_at=now,
            expires_at=now + self._seconds,
        )
        token = fresh(SESSION_PREFIX)
        row.token_digest = digest(token)
        with self._database.write() as session:
            if session.connection().execute(delete(SignInNonce).where(*_of(told, now))).rowcount != 1:
                raise _nonce_unknown()
            session.execute(delete(SignedIn).where(SignedIn.expires_at <= now))
            _end_oldest(session, told.party)
            session.add(row)
        return NewSession(token, row.id, row.party_id, row.account, row.expires_at)

    def listed(self, caller: Caller) -> list[OwnSession]:
        """The sessions of the caller's party that have not run out, the newest first; in a session alone."""
        caller.require_session()
        query = select(SignedIn).where(SignedIn.party_id == caller.party, SignedIn.expires_at > self._clock())
        with self._database.read() as session:
            rows = session.scalars(query.order_by(SignedIn.id.desc())).all()
        return [
            OwnSession(row.id, row.account, row.cookie, row.created_at, row.expires_at, row.id == caller.session)
            for row in rows
        ]

    def end(self, caller: Caller, identifier: str) -> None:
        """End a session of the caller's party, or its own (``current``); raises ``NotFound`` ``SESSION_NOT_FOUND``."""
        caller.require_session()
        wanted = caller.session if identifier == CURRENT else identifier
        own = delete(SignedIn).where(SignedIn.id == wanted, SignedIn.party_id == caller.party)
        with self._database.write() as session:
            ended = session.connection().execute(own).rowcount
        if not ended:
            raise NotFound("SESSION_NOT_FOUND", "The party has no such session.", hint="List them first.")

    def _make_room(self, session: Session, source: str) -> None:
        """Before another nonce is kept: the source's own oldest ones go, then those of the source with the most."""
        _drop_oldest(session, source, self._most_of_source - 1)
        while session.scalars(select(func.count()).select_from(SignInNonce)).one() >= self._most:
            counted = select(SignInNonce.source, func.count().label("held")).group_by(SignInNonce.source)
            (greediest, held) = session.execute(counted.order_by(func.count().desc()).limit(1)).one()
            _drop_oldest(session, greediest, held - 1)

    def _require_known(self, told: SignIn, now: int) -> None:
        """Before anything is computed: a statement costs a stranger a nonce at least."""
        with self._database.read() as session:
            if session.scalar(select(SignInNonce.digest).where(*_of(told, now))) is None:
                raise _nonce_unknown()

    def _require_signed(self, told: SignIn) -> None:
        query = (
            select(PARTIES.c.status, PARTIES.c.roles)
            .join(ACCOUNTS, ACCOUNTS.c.party_no == PARTIES.c.no)
            .where(ACCOUNTS.c.account == told.signature.kid, PARTIES.c.id == told.party, *speaks())
        )
        with self._database.read() as session:
            found = session.execute(query).first()
        key = None if found is None or found.status == CLOSED else self._key_of(told.signature.kid)
        if found is None or key is None:
            raise Unauthenticated(
                "SESSION_KEY_NOT_LIVE",
                "The key does not speak for this party, as far as the chain is followed here.",
                where=told.signature.kid,
                hint="Sign in by the party's present key; one that was just bound counts within seconds.",
            )
        if not told.signature.signed_by(key):
            raise Unauthenticated(
                "SESSION_SIGNATURE_INVALID",
                "The statement was not signed by this key.",
                where="signature",
                hint="Sign exactly the statement that is sent (protocol §11).",
            )
        active_actor(told.party, found.status, found.roles)


def _of(told: SignIn, now: int) -> tuple[ColumnElement[bool], ...]:
    return SignInNonce.digest == digest(told.nonce), SignInNonce.party_id == told.party, SignInNonce.expires_at > now


def _drop_oldest(session: Session, source: str, left: int) -> None:
    kept = (
        select(SignInNonce.digest)
        .where(SignInNonce.source == source)
        .order_by(SignInNonce.expires_at.desc(), SignInNonce.digest)
        .limit(left)
    )
    session.execute(delete(SignInNonce).where(SignInNonce.source == source, SignInNonce.digest.not_in(kept)))


def _end_oldest(session: Session, party: str) -> None:
    """Room for one more session of the party."""
    newest = select(SignedIn.id).where(SignedIn.party_id == party).order_by(SignedIn.id.desc()).limit(MAX_SESSIONS - 1)
    session.execute(delete(SignedIn).where(SignedIn.party_id == party, SignedIn.id.not_in(newest)))


def _nonce_unknown() -> Unauthenticated:
    return Unauthenticated(
        "SESSION_NONCE_UNKNOWN",
        "The nonce was not given to this party here, it was used, or it is over.",
        where="nonce",
        hint=f"Ask for a new one and sign within {NONCE_SECONDS // 60} minutes.",
    )
