"""Onboarding parties, accrediting issuers, and API keys."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ledger.chain.accounts import account_of_public_key, check_public_key
from ledger.chain.calls import PartyRegistration, accredit, register_parties
from ledger.chain.client import ChainClient
from ledger.chain.reader import ChainReader
from ledger.chain.records import PartyRecord
from ledger.domain.codes import check_region, check_resident_id, check_uscc
from ledger.domain.notice import require_line
from ledger.domain.parties import DEFAULT_ROLES, PartyKind, Role, party_id
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound
from ledger.proof.jws import entry_signed_by
from ledger.proof.suite import ES256, ES256K
from ledger.service.api_keys import add_key, party_of_key
from ledger.store.database import Database
from ledger.store.records import live_keys, party
from ledger.store.sealing import Sealer
from ledger.store.tables import Party, PartyKey

MAX_NAME = 200
CHAIN_CHUNK = 50
SHOWN_OF_ID = 12
FIRST_KEYS: Final = (ES256K, ES256)


@dataclass(frozen=True, slots=True)
class NewParty:
    """A party to onboard. ``identifier`` is the USCC, or for a person the resident ID number.

    ``public_key`` is its first key as text (protocol §4), of secp256k1 or P-256; its account follows from it. Others
    are bound later. By a P-256 key alone a party signs, and does not act on the chain by itself.
    """

    kind: PartyKind
    name: str
    identifier: str
    region: str
    public_key: str
    roles: frozenset[Role] | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls: a party with the roles that the chain gives it now."""

    party: str
    roles: frozenset[Role]


class Parties:
    """The party register: identifiers sealed here, ids and roles on the chain."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        client: ChainClient,
        reader: ChainReader,
        lookup_key: bytes,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._client = client
        self._reader = reader
        self._lookup_key = lookup_key
        self._clock = clock

    def onboard(self, newcomers: Sequence[NewParty]) -> list[Party]:
        """Record the parties and register them on the chain; those already here are returned as they are.

        All are checked before any is written. Raises ``InvalidInput`` naming the row, ``Conflict``
        ``ACCOUNT_IN_USE`` if an account belongs to another party.
        """
        checked = [checked_party(newcomer, f"party {row}") for row, newcomer in enumerate(newcomers, start=1)]
        with self._database.write() as session:
            parties = [
                find_or_add(session, self._sealer, self._lookup_key, newcomer, self._clock()) for newcomer in checked
            ]
        self._register_on_chain([party for party in parties if party.no is None])
        with self._database.read() as session:
            return [session.get_one(Party, party.id) for party in parties]

    def _register_on_chain(self, parties: Sequence[Party]) -> None:
        for start in range(0, len(parties), CHAIN_CHUNK):
            chunk = parties[start : start + CHAIN_CHUNK]
            numbers = {party.id: self._reader.party_no(party.id) for party in chunk}
            missing = [party for party in chunk if not numbers[party.id]]
            if missing:
                self._client.send(
                    register_parties(
                        [
                            PartyRegistration(party.id, party.account, Role.mask(Role(role) for role in party.roles))
                            for party in missing
                        ]
                    )
                )
            numbers |= {party.id: self._reader.party_no(party.id) for party in missing}
            with self._database.write() as session:
                for identifier, number in numbers.items():
                    session.execute(update(Party).where(Party.id == identifier).values(no=number))

    def accredit(self, issuer: str, scenarios: Iterable[str], start: int, end: int) -> None:
        """Let ``issuer`` issue under ``scenarios`` while ``start ≤ t < end``; already so: nothing is sent.

        A renewal keeps an earlier start, so that what was issued under it stays issued rightly. The contract refuses
        to end an accreditation in the past (``InvalidInput`` ``PARTY_PERIOD``).
        """
        number = self.get(issuer).no
        if number is None:
            raise Conflict("PARTY_NOT_ON_CHAIN", "The party is not registered on the chain yet.")
        for scenario in scenarios:
            given = self._reader.accreditation(number, scenario)
            wanted = (min(start, given[0]) if given[1] else start, end)
            if given != wanted:
                self._client.send(accredit(number, scenario, *wanted))

    def get(self, identifier: str) -> Party:
        """The party with that id; raises ``NotFound`` ``PARTY_UNKNOWN``."""
        with self._database.read() as session:
            return party(session, identifier)

    def find(self, identifier: str) -> Party:
        """The party with that USCC or ID number; raises ``NotFound``."""
        with self._database.read() as session:
            found = session.scalar(select(Party).where(Party.lookup == lookup_digest(self._lookup_key, identifier)))
        if found is None:
            raise _unknown()
        return found

    def signed(self, entry: Mapping[str, Any], identifier: str) -> bool:
        """Whether one of the party's keys in force signed the entry; raises as ``signed_by``."""
        with self._database.read() as session:
            return signed_by(session, entry, identifier)

    def page(self, after: str | None, limit: int, kind: PartyKind | None = None) -> list[Party]:
        """Parties by id, keyset paged."""
        query = select(Party).order_by(Party.id).limit(limit)
        if after:
            query = query.where(Party.id > after)
        if kind:
            query = query.where(Party.kind == kind.value)
        with self._database.read() as session:
            return list(session.scalars(query))

    def identity(self, identifier: str) -> dict[str, str]:
        """Name and identifier, unsealed: for the party itself and those it deals with, never for a log.

        Raises ``NotFound``: ``PARTY_UNKNOWN``, or ``SEALED_ERASED`` once they were erased.
        """
        with self._database.read() as session:
            return identity(session, self._sealer, party(session, identifier))

    def names(self, identifiers: Iterable[str]) -> Iterator[tuple[str, str]]:
        """(id, name) of each party, for what people read; of one that was erased, the beginning of its id."""
        for identifier in dict.fromkeys(identifiers):
            try:
                yield identifier, self.identity(identifier)["name"]
            except NotFound as erased:
                if erased.code != "SEALED_ERASED":
                    raise
                yield identifier, f"{identifier[:SHOWN_OF_ID]}…"

    def new_api_key(self, identifier: str) -> str:
        """A fresh API key of the party: shown once, kept as a digest; raises ``NotFound`` ``PARTY_UNKNOWN``."""
        with self._database.write() as session:
            return add_key(session, party(session, identifier).id, self._clock())

    def authenticate(self, key: str) -> Actor:
        """Who holds this API key, with its roles by the chain; raises ``Unauthenticated``, ``Forbidden``."""
        with self._database.read() as session:
            holder = party_of_key(session, key)
        return self.actor(holder)

    def actor(self, identifier: str) -> Actor:
        """The party with the roles that the chain gives it now; raises ``Forbidden`` ``PARTY_NOT_ACTIVE``."""
        return acting(self._record(self.get(identifier)))

    def active(self, identifier: str) -> Party:
        """The party, if the chain says that it is active; raises ``Forbidden`` ``PARTY_NOT_ACTIVE``, ``NotFound``."""
        row = self.get(identifier)
        acting(self._record(row))
        return row

    def _record(self, row: Party) -> PartyRecord:
        if row.no is None:
            raise Conflict("PARTY_NOT_ON_CHAIN", "The party is not registered on the chain yet.")
        return self._reader.party(row.no)


def acting(record: PartyRecord) -> Actor:
    """A party of the chain as one that calls; raises ``Forbidden`` ``PARTY_NOT_ACTIVE``."""
    if record.status != "active":
        raise Forbidden("PARTY_NOT_ACTIVE", f"The party is {record.status}.", hint="Ask the authority.")
    return Actor(record.id, frozenset(Role(role) for role in record.roles))


def checked_party(newcomer: NewParty, where: str) -> NewParty:
    """The party with every value checked and normalised; raises ``InvalidInput``."""
    if not 1 <= len(newcomer.name) <= MAX_NAME:
        raise InvalidInput("PARTY_NAME_LENGTH", f"A name has 1 to {MAX_NAME} characters.", where=where)
    check = check_resident_id if newcomer.kind is PartyKind.PERSON else check_uscc
    return NewParty(
        kind=newcomer.kind,
        name=require_line(newcomer.name, where),
        identifier=check(newcomer.identifier, where=where),
        region=check_region(newcomer.region, where=where),
        public_key=check_public_key(newcomer.public_key, where=where, suites=FIRST_KEYS),
        roles=DEFAULT_ROLES[newcomer.kind] if newcomer.roles is None else newcomer.roles,
    )


def lookup_digest(key: bytes, identifier: str) -> str:
    """Keyed digest under which an identifier is found again: without the key it cannot be guessed at."""
    return hmac.new(key, b"party|" + identifier.encode(), hashlib.sha256).hexdigest()


def account_of_identifier(session: Session, key: bytes, identifier: str) -> str | None:
    """The present account of the party with that USCC or ID number; ``None`` if there is no such party."""
    return session.scalar(select(Party.account).where(Party.lookup == lookup_digest(key, identifier)))


def find_or_add(session: Session, sealer: Sealer, lookup_key: bytes, newcomer: NewParty, now: int) -> Party:
    """The party's record, made if it is new; it is not on the chain by this."""
    lookup = lookup_digest(lookup_key, newcomer.identifier)
    if known := session.scalar(select(Party).where(Party.lookup == lookup)):
        return known
    account = account_of_public_key(newcomer.public_key)
    require_free(session, account)
    key = secrets.token_bytes(32)
    identity = {"name": newcomer.name, "identifier": newcomer.identifier, "id_key": key.hex()}
    row = Party(
        id=party_id(key, newcomer.kind, newcomer.identifier),
        kind=newcomer.kind.value,
        roles=sorted(role.value for role in newcomer.roles or ()),
        region=newcomer.region,
        account=account,
        public_key=newcomer.public_key,
        lookup=lookup,
        sealed_id=sealer.seal(session, identity),
        created_at=now,
    )
    session.add(row)
    session.flush()
    session.merge(PartyKey(account=account, party_id=row.id, public_key=newcomer.public_key, bound_at=now))
    return row


def signed_by(session: Session, entry: Mapping[str, Any], identifier: str) -> bool:
    """Whether one of the party's keys in force, of whichever suite, signed the entry.

    Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED``.
    """
    return any(entry_signed_by(entry, key.account, key.public_key) for key in live_keys(session, identifier))


def require_free(session: Session, account: str, party: str | None = None) -> None:
    """Raise ``Conflict`` ``ACCOUNT_IN_USE`` if the account is or was another party's than ``party``."""
    key = session.get(PartyKey, account)
    if key is not None and key.bound_at is not None and key.party_id != party:
        raise Conflict(
            "ACCOUNT_IN_USE",
            f"The account {account} is or was another party's.",
            hint="Give every party an account of its own.",
        )


def identity(session: Session, sealer: Sealer, party: Party) -> dict[str, str]:
    """Name and identifier, unsealed."""
    opened = sealer.open(session, party.sealed_id)
    if not isinstance(opened, dict):
        raise TypeError("a sealed identity is an object")
    return {"name": opened["name"], "identifier": opened["identifier"]}


def _unknown() -> NotFound:
    return NotFound("PARTY_UNKNOWN", "No such party.", hint="Onboard it first, or check the id.")
