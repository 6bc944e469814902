"""Sign-in with a key (protocol §11), and the sessions that a sign-in opens.

Each nonce is a database row. The first valid statement with the nonce deletes the row, so a nonce can be used only
once, even if several processes serve. The number of nonces is limited: if one source (address) has too many nonces, its
oldest nonces are deleted; if all sources together have too many nonces, the oldest nonces of the source with the most
nonces are deleted.
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
    """A value for a client to sign; it can be used once, until ``expires_at`` (seconds UTC)."""

    nonce: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session with its token, which is shown only once."""

    token: str
    id: str
    party: str
    account: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session of the caller's party; ``current`` marks the session of this call."""

    id: str
    account: str
    cookie: bool
    created_at: int
    expires_at: int
    current: bool


@dataclass(eq=False, repr=False)
class Sessions:
    """The sessions of one service; ``place`` contains the service's origin.

    ``key_of`` returns the public key of an account, or None. A session lasts ``seconds``. ``most_of_source`` limits the
    nonces of one source, ``most`` the nonces of all sources.
    """

    _database: Database
    _place: Place
    _key_of: Callable[[str], str | None]
    _seconds: int
    _clock: Clock
    _most_of_source: int = MAX_NONCES_OF_SOURCE
    _most: int = MAX_NONCES

    @property
    def origin(self) -> str:
        """The service's origin, which a sign-in statement must name."""
        return self._place.origin

    def require_origin(self, origin: str | None) -> None:
        """Raise ``Forbidden`` ``ORIGIN_DIFFERS`` if a call with the cookie changes something but comes from a page of
        another origin."""
        if origin != self._place.origin:
            raise Forbidden(
                "ORIGIN_DIFFERS",
                "This call has the cookie and changes something, but it names no origin, or another origin.",
                hint="Make calls that change something from the service's own pages, or with a token.",
                expected=self._place.origin,
            )

    def nonce(self, party: str, source: str) -> Nonce:
        """Return a new nonce with which the party can sign in. The nonce does not show whether the party exists.

        ``source`` is the caller's address.
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
        """Open a session for a signed sign-in statement. With ``cookie``, the session's token is valid only in the
        cookie of a page.

        Raises ``InvalidInput`` ``SESSION_STATEMENT_INVALID``; ``Unauthenticated`` ``SESSION_ORIGIN_DIFFERS``,
        ``SESSION_LEDGER_DIFFERS``, ``SESSION_EXPIRED``, ``SESSION_NONCE_UNKNOWN``, ``SESSION_KEY_NOT_LIVE``,
        ``SESSION_SIGNATURE_INVALID``; ``Forbidden`` ``PARTY_NOT_ACTIVE``.
        """
        now, token = self._clock(), fresh(SESSION_PREFIX)
        read = read_sign_in(statement)
        require_place(read, self._place, now)
        self._require_known(read, now)
        self._require_signed(read)
        row = SignedIn(
            id=str(ULID()),
            party_id=read.party,
            account=read.signature.kid,
            token_digest=digest(token),
            cookie=cookie,
            created_at=now,
            expires_at=now + self._seconds,
        )
        with self._database.write() as session:
            if session.connection().execute(delete(SignInNonce).where(*_of(read, now))).rowcount != 1:
                raise _nonce_unknown()
            session.execute(delete(SignedIn).where(SignedIn.expires_at <= now))
            _end_oldest(session, read.party)
            session.add(row)
        return NewSession(token, row.id, row.party_id, row.account, row.expires_at)

    def listed(self, caller: Caller) -> list[OwnSession]:
        """Return the sessions of the caller's party that have not expired, the newest first.

        Raises ``Forbidden`` ``SESSION_REQUIRED`` for a machine key.
        """
        caller.require_session()
        query = select(SignedIn).where(SignedIn.party_id == caller.party, SignedIn.expires_at > self._clock())
        with self._database.read() as session:
            rows = session.scalars(query.order_by(SignedIn.id.desc())).all()
        return [
            OwnSession(row.id, row.account, row.cookie, row.created_at, row.expires_at, row.id == caller.session)
            for row in rows
        ]

    def end(self, caller: Caller, identifier: str) -> None:
        """Delete the session with this id; the id ``current`` means the session of this call. The session must belong
        to the caller's party.

        Raises ``NotFound`` ``SESSION_NOT_FOUND``, ``Forbidden`` ``SESSION_REQUIRED`` for a machine key.
        """
        caller.require_session()
        wanted = caller.session if identifier == CURRENT else identifier
        own = delete(SignedIn).where(SignedIn.id == wanted, SignedIn.party_id == caller.party)
        with self._database.write() as session:
            ended = session.connection().execute(own).rowcount
        if not ended:
            raise NotFound(
                "SESSION_NOT_FOUND", "The party has no session with this id.", hint="List the party's sessions first."
            )

    def _make_room(self, session: Session, source: str) -> None:
        """If there are too many nonces, delete the oldest nonces of this source, then the oldest nonces of the source
        that has the most nonces.
        """
        _drop_oldest(session, source, self._most_of_source - 1)
        while session.scalars(select(func.count()).select_from(SignInNonce)).one() >= self._most:
            counted = select(SignInNonce.source, func.count().label("held")).group_by(SignInNonce.source)
            (greediest, held) = session.execute(counted.order_by(func.count().desc()).limit(1)).one()
            _drop_oldest(session, greediest, held - 1)

    def _require_known(self, read: SignIn, now: int) -> None:
        """Raise unless the party has this nonce.

        This check comes before the costly check of the signature, so a caller needs a nonce for every costly check.
        """
        with self._database.read() as session:
            if session.scalar(select(SignInNonce.digest).where(*_of(read, now))) is None:
                raise _nonce_unknown()

    def _require_signed(self, read: SignIn) -> None:
        query = (
            select(PARTIES.c.status, PARTIES.c.roles)
            .join(ACCOUNTS, ACCOUNTS.c.party_no == PARTIES.c.no)
            .where(ACCOUNTS.c.account == read.signature.kid, PARTIES.c.id == read.party, *speaks())
        )
        with self._database.read() as session:
            found = session.execute(query).first()
        key = None if found is None or found.status == CLOSED else self._key_of(read.signature.kid)
        if found is None or key is None:
            raise Unauthenticated(
                "SESSION_KEY_NOT_LIVE",
                "By the newest block that this service has read, the key is not an active key of this party.",
                where=read.signature.kid,
                hint="Sign in with the party's present key. A key that was just bound works after a few seconds.",
            )
        if not read.signature.signed_by(key):
            raise Unauthenticated(
                "SESSION_SIGNATURE_INVALID",
                "The statement was not signed by this key.",
                where="signature",
                hint="Sign exactly the statement that you send (protocol §11).",
            )
        active_actor(read.party, found.status, found.roles)


def _of(read: SignIn, now: int) -> tuple[ColumnElement[bool], ...]:
    return SignInNonce.digest == digest(read.nonce), SignInNonce.party_id == read.party, SignInNonce.expires_at > now


def _drop_oldest(session: Session, source: str, left: int) -> None:
    kept = (
        select(SignInNonce.digest)
        .where(SignInNonce.source == source)
        .order_by(SignInNonce.expires_at.desc(), SignInNonce.digest)
        .limit(left)
    )
    session.execute(delete(SignInNonce).where(SignInNonce.source == source, SignInNonce.digest.not_in(kept)))


def _end_oldest(session: Session, party: str) -> None:
    """Delete the party's oldest sessions until one more session is within the limit."""
    newest = select(SignedIn.id).where(SignedIn.party_id == party).order_by(SignedIn.id.desc()).limit(MAX_SESSIONS - 1)
    session.execute(delete(SignedIn).where(SignedIn.party_id == party, SignedIn.id.not_in(newest)))


def _nonce_unknown() -> Unauthenticated:
    return Unauthenticated(
        "SESSION_NONCE_UNKNOWN",
        "The nonce was not issued to this party here, was used already, or has expired.",
        where="nonce",
        hint=f"Ask for a new nonce, and sign within {NONCE_SECONDS // 60} minutes.",
    )
