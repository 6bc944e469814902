"""Onboarding parties and accrediting issuers."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ledger.chain.accounts import ANY_SUITE, account_of_public_key, check_public_key
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import accredit, set_roles
from ledger.chain.sending.relay import SignedRequest
from ledger.domain.codes import check_institution, check_region, check_resident_id
from ledger.domain.days import Clock, shanghai_day
from ledger.domain.lines import require_line
from ledger.domain.parties import DEFAULT_ROLES, OFFICES, PartyKind, Role, party_id
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound
from ledger.index.follower import Follower
from ledger.index.speaking_keys import is_mute
from ledger.parties.custody import Custody
from ledger.parties.key_settlement import FIRST_KEYS, settle_keys
from ledger.parties.lookups import party, party_keys, speaking_keys
from ledger.parties.party_lists import ListedKey, ListedParty, RegistrationLists
from ledger.parties.possession import proof_of
from ledger.parties.proposals.proposals import Proposal, Proposals
from ledger.parties.roles import Actor, Roles
from ledger.parties.tables import Party, PartyKey
from ledger.proof.jws import entry_signed_by
from ledger.store.database import Database
from ledger.store.sealing import Sealer

MAX_NAME = 200
CHAIN_CHUNK = 50
SHOWN_OF_ID = 12


@dataclass(frozen=True, slots=True)
class NewParty:
    """A party to onboard. ``identifier`` is the USCC, or for a person the resident ID number.

    ``public_key`` is its first key as text (protocol §4), of secp256k1 or P-256; its account follows from it.
    ``further_keys`` of any suite come with it, each with its proof; later ones wait. A proof of possession is hex, and
    made here for a key that is kept here. By P-256 keys alone a party signs, and does not act on the chain by itself.
    An empty ``public_key``: the party has none yet. It is known here alone until it enrols (``enrolments``).
    """

    kind: PartyKind
    name: str
    identifier: str
    region: str
    public_key: str
    roles: frozenset[Role] | None = None
    proof: str = ""
    further_keys: tuple[tuple[str, str], ...] = ()


class Parties:
    """The party register: identifiers sealed here, ids and roles on the chain.

    ``authority`` is the party in whose name parties are registered and accredited.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        custody: Custody,
        reader: ChainReader,
        proposals: Proposals,
        lists: RegistrationLists,
        follower: Follower,
        roles: Roles,
        authority: str,
        lookup_key: bytes,
        clock: Clock,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._custody = custody
        self._reader = reader
        self._proposals = proposals
        self._lists = lists
        self._follower = follower
        self._roles = roles
        self._authority = authority
        self._lookup_key = lookup_key
        self._clock = clock

    def onboard(
        self, newcomers: Sequence[NewParty], by: str | None = None, signed: SignedRequest | None = None
    ) -> list[Party]:
        """Record the parties and propose their registration; those already here are returned as they are, but those
        that can never speak again, which get a new id.

        The office ``by`` proposes, by default the authority: whoever asks is who proposes, or one institution would
        be both offices. If its key is not kept here, ``signed`` is its request, for one list of at most 50.

        Another office within reach confirms it at once. Without one, a party has no number until an office confirms
        (``pending``). Offices among the roles are proposed after the registration, and may wait for the delay. A party
        without a key is recorded alone.

        All are checked before any is written. Raises ``InvalidInput`` naming the row, ``PROOF_MISSING``,
        ``PROOF_INVALID``; ``Conflict`` ``ACCOUNT_IN_USE`` if an account belongs to another party,
        ``SIGNATURE_REQUIRED``.
        """
        named = [(f"party {row}", newcomer) for row, newcomer in enumerate(newcomers, start=1)]
        today = shanghai_day(self._clock())
        checked = [self._proven(checked_party(newcomer, where, today), where) for where, newcomer in named]
        silent = self._silent([each.identifier for each in checked])
        with self._database.write() as session:
            for identifier in silent:
                _let_go(session, self._lookup_key, identifier)
            rows = [find_or_add(session, self._sealer, self._lookup_key, each, self._clock()) for each in checked]
        return self._register_all(rows, by or self._authority, signed)

    def register(self, identifier: str, by: str) -> Party:
        """Propose the registration of a party that is recorded with its first key, as ``onboard`` does."""
        (row,) = self._register_all([self.get(identifier)], by)
        return row

    def require_key_of(self, office: str) -> None:
        """Raise ``Forbidden`` ``OFFICE_KEY_NOT_HERE`` unless this installation can propose in the office's name."""
        if self.get(office).account not in self._custody:
            raise Forbidden(
                "OFFICE_KEY_NOT_HERE",
                "First keys are proposed in the name of the office that gives out the code; its key is not kept here.",
                where=f"party {office}",
                hint="Let the office whose key this service keeps give out the code, and confirm the proposal.",
            )

    def _register_all(self, rows: Sequence[Party], by: str, signed: SignedRequest | None = None) -> list[Party]:
        unlisted = {row.id for row in rows if row.no is None and row.listed is None and row.present_account}
        for act in dict.fromkeys(row.listed for row in rows if row.no is None and row.listed):
            unlisted |= self._go_on(act, by, signed)
        for start in range(0, len(ordered := [row for row in rows if row.id in unlisted]), CHAIN_CHUNK):
            self._register([row.id for row in ordered[start : start + CHAIN_CHUNK]], by, signed)
        self._proposals.follow_up()
        with self._database.read() as session:
            found = [session.get_one(Party, row.id) for row in rows]
        self._give_offices([row for row in found if row.no is not None])
        return found

    def pending(self, identifier: str) -> int | None:
        """The number of the open proposal that registers the party; None if it is registered, or nothing is open."""
        row = self.get(identifier)
        found = None if row.no is not None or row.listed is None else self._proposals.of_act(row.listed)
        return found.no if found is not None and found.pending else None

    def complete(self) -> list[str]:
        """Take over the numbers of parties that were registered since, and propose their offices; returns their ids.

        Safe to repeat: a party counts as waiting until its offices are proposed.
        """
        with self._database.read() as session:
            waiting = list(session.scalars(select(Party).where(Party.no.is_(None), Party.listed.is_not(None))))
        asked = self._reader.questions("latest")
        answers = [(row, asked.party_no(row.id)) for row in waiting]
        registered = [(row, number) for row, answer in answers if (number := answer())]
        for row, number in registered:
            self._give_offices_to(row, number)
            with self._database.write() as session:
                session.execute(update(Party).where(Party.id == row.id).values(no=number))
            settle_keys(self._database, self._reader, row.id)
        return [row.id for row, _ in registered]

    def _silent(self, identifiers: Iterable[str]) -> list[str]:
        """The identifiers of parties that are closed or have no key that speaks: they are onboarded under a new id."""
        lookups = {lookup_digest(self._lookup_key, each): each for each in identifiers}
        with self._database.read() as session:
            known = session.execute(
                select(Party.lookup, Party.no).where(Party.lookup.in_(lookups), Party.no.is_not(None))
            ).all()
        if not known:
            return []
        self._follower.sync()
        with self._database.read() as session:
            return [lookups[lookup] for lookup, number in known if number and is_mute(session.connection(), number)]

    def _go_on(self, act: str, by: str, signed: SignedRequest | None) -> set[str]:
        """Bring an earlier list as far as it goes; returns the parties that need another list, because it ended."""
        known = self._proposals.of_act(act)
        if known is None or known.pending or known.state == "carried_out":
            if known is None or known.pending:
                self._proposals.decide(by, self._lists.call(act), signed)
            return set()
        with self._database.read() as session:
            return set(session.scalars(select(Party.id).where(Party.listed == act, Party.no.is_(None))))

    def _register(self, identifiers: Sequence[str], by: str, signed: SignedRequest | None) -> None:
        """Record the list and propose it; the list first, so that a crash between does not lose it."""
        with self._database.write() as session:
            rows = [session.get_one(Party, identifier) for identifier in identifiers]
            act = self._lists.keep(session, [_listed(session, row) for row in rows])
            for row in rows:
                row.listed = act
        self._proposals.decide(by, self._lists.call(act), signed)

    def _give_offices(self, rows: Iterable[Party]) -> None:
        for row in rows:
            if row.no is not None and OFFICES & set(row.roles):
                self._give_offices_to(row, row.no)

    def _give_offices_to(self, row: Party, number: int) -> None:
        """Propose the roles that the party was onboarded with, if offices among them are not its own yet."""
        wanted = {Role(role) for role in row.roles}
        if (OFFICES & wanted) - {Role(role) for role in self._reader.party(number).roles}:
            self._proposals.decide(self._authority, set_roles(number, Role.mask(wanted)))

    def _proven(self, newcomer: NewParty, where: str) -> NewParty:
        """The party with a proof for each of its keys: made here for a key that is kept here."""
        keys = [(key, self._proof(key, proof, where)) for key, proof in _keys(newcomer)]
        return replace(newcomer, proof=keys[0][1], further_keys=tuple(keys[1:])) if keys else newcomer

    def _proof(self, public_key: str, proof: str, where: str) -> str:
        return proof_of(self._reader.chain, self._custody, public_key, proof, where)

    def accredit(self, issuer: str, scenarios: Iterable[str], start: int, end: int) -> list[Proposal]:
        """Let ``issuer`` issue under ``scenarios`` while ``start ≤ t < end``, once two offices and the delay let it.

        Returns what was proposed; already so: nothing is. A renewal keeps an earlier start, so that what was issued
        under it stays issued rightly. The contract refuses to end an accreditation in the past (``InvalidInput``
        ``PARTY_PERIOD``).
        """
        number = self.get(issuer).no
        if number is None:
            raise Conflict("PARTY_NOT_ON_CHAIN", "The party is not registered on the chain yet.")
        made = []
        for scenario in scenarios:
            given = self._reader.accreditation(number, scenario)
            wanted = (min(start, given[0]) if given[1] else start, end)
            if given != wanted:
                made.append(self._proposals.decide(self._authority, accredit(number, scenario, *wanted)))
        return made

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

    def actor(self, identifier: str) -> Actor:
        """The party with the roles that the chain gives it now; raises ``Forbidden`` ``PARTY_NOT_ACTIVE``."""
        self.get(identifier)
        self._follower.sync()
        return self._roles.actor(identifier)

    def active(self, identifier: str) -> Party:
        """The party, if it is active by the chain as followed; raises as ``actor``, and ``NotFound``."""
        row = self.get(identifier)
        self._roles.actor(identifier)
        return row


def checked_party(newcomer: NewParty, where: str, today: date | None = None) -> NewParty:
    """The party with every value checked and normalised; raises ``InvalidInput``.

    ``today`` is the day in Shanghai, by which nobody is registered before being born.
    """
    if not 1 <= len(newcomer.name) <= MAX_NAME:
        raise InvalidInput("PARTY_NAME_LENGTH", f"A name has 1 to {MAX_NAME} characters.", where=where)
    person = newcomer.kind is PartyKind.PERSON
    identifier = (
        check_resident_id(newcomer.identifier, where, today=today)
        if person
        else check_institution(newcomer.identifier, where)
    )
    return NewParty(
        kind=newcomer.kind,
        name=require_line(newcomer.name, where),
        identifier=identifier,
        region=check_region(newcomer.region, where=where),
        public_key=_first_key(newcomer, where),
        roles=DEFAULT_ROLES[newcomer.kind] if newcomer.roles is None else newcomer.roles,
        proof=newcomer.proof,
        further_keys=tuple(
            (check_public_key(key, where=where, suites=ANY_SUITE), proof) for key, proof in newcomer.further_keys
        ),
    )


def _first_key(newcomer: NewParty, where: str) -> str:
    if newcomer.public_key or newcomer.further_keys:
        return check_public_key(newcomer.public_key, where=where, suites=FIRST_KEYS)
    return ""


def lookup_digest(key: bytes, identifier: str) -> str:
    """Keyed digest under which an identifier is found again: without the key it cannot be guessed at."""
    return hmac.new(key, b"party|" + identifier.encode(), hashlib.sha256).hexdigest()


def find_or_add(session: Session, sealer: Sealer, lookup_key: bytes, newcomer: NewParty, now: int) -> Party:
    """The party's record, made if it is new; it is not on the chain by this."""
    lookup = lookup_digest(lookup_key, newcomer.identifier)
    known = session.scalar(select(Party).where(Party.lookup == lookup))
    if known is not None and (known.present_account is not None or not newcomer.public_key):
        return known
    keys = {account_of_public_key(key): (key, proof) for key, proof in _keys(newcomer)}
    for account in keys:
        require_free(session, account)
    row = known or _added(session, sealer, newcomer, lookup, now)
    if newcomer.public_key:
        row.present_account, row.present_key = account_of_public_key(newcomer.public_key), newcomer.public_key
    session.flush()
    for account, (public_key, proof) in keys.items():
        session.add(PartyKey(account=account, party_id=row.id, public_key=public_key, proof=proof or None))
    return row


def _added(session: Session, sealer: Sealer, newcomer: NewParty, lookup: str, now: int) -> Party:
    key = secrets.token_bytes(32)
    identity = {"name": newcomer.name, "identifier": newcomer.identifier, "id_key": key.hex()}
    row = Party(
        id=party_id(key, newcomer.kind, newcomer.identifier),
        kind=newcomer.kind.value,
        roles=sorted(role.value for role in newcomer.roles or ()),
        region=newcomer.region,
        lookup=lookup,
        sealed_id=sealer.seal(session, identity),
        created_at=now,
    )
    session.add(row)
    return row


def _let_go(session: Session, key: bytes, identifier: str) -> None:
    """The party is no longer found by its identifier; all else of it stays."""
    row = session.scalars(select(Party).where(Party.lookup == lookup_digest(key, identifier))).one()
    row.lookup = lookup_digest(key, f"{identifier}|{row.id}")
    session.flush()


def _keys(newcomer: NewParty) -> list[tuple[str, str]]:
    return [(newcomer.public_key, newcomer.proof), *newcomer.further_keys] if newcomer.public_key else []


def _listed(session: Session, row: Party) -> ListedParty:
    """What is proposed of a party: its ordinary roles, and its keys, first the one that it acts by."""
    keys = sorted(party_keys(session, row.id), key=lambda key: (key.account != row.present_account, key.account))
    ordinary = tuple(role for role in row.roles if role not in OFFICES)
    return ListedParty(row.id, ordinary, tuple(ListedKey(key.public_key, key.proof or "") for key in keys))


def signed_by(session: Session, entry: Mapping[str, Any], identifier: str) -> bool:
    """Whether one of the party's keys that speak, of whichever suite, signed the entry; no reported one does.

    Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED``.
    """
    return any(entry_signed_by(entry, key.account, key.public_key) for key in speaking_keys(session, identifier))


def require_free(session: Session, account: str, party: str | None = None) -> None:
    """Raise ``Conflict`` ``ACCOUNT_IN_USE`` if the account is, was or is to be another party's than ``party``."""
    key = session.get(PartyKey, account)
    if key is not None and key.party_id != party:
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
