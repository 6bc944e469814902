"""Onboarding: records new parties and proposes their registration.

After the registration, the roles that only an authority may grant are proposed ("offices": all roles except subject,
provider, consumer and broker).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import set_roles
from ledger.chain.sending.relay import SignedRequest
from ledger.domain.days import Clock, shanghai_day
from ledger.domain.parties import DEFAULT_ROLES, OFFICES, Role
from ledger.errors import Forbidden
from ledger.index.follower import Follower
from ledger.index.speaking_keys import is_mute
from ledger.parties.custody import Custody
from ledger.parties.keys.possession import proof_of
from ledger.parties.keys.settlement import settle_keys
from ledger.parties.known import KnownParty
from ledger.parties.lookups import party, party_keys
from ledger.parties.newcomers import (
    NewParty,
    checked_party,
    find_or_add,
    keys_of,
    let_go,
    lookup_digest,
    require_distinct,
)
from ledger.parties.party_lists import ListedKey, ListedParty, RegistrationLists
from ledger.parties.permissions import Action
from ledger.parties.proposals.proposals import Proposals
from ledger.parties.roles import Actor, require
from ledger.parties.tables import Party
from ledger.store.database import Database
from ledger.store.sealing import Sealer

CHAIN_CHUNK = 50


@dataclass(eq=False, repr=False)
class Onboarding:
    """Registers parties: their identifiers are stored encrypted in the database, their ids and roles go to the chain.

    ``authority`` is the id of the party that proposes the roles that only an authority may grant.
    """

    _database: Database
    _sealer: Sealer
    _custody: Custody
    _reader: ChainReader
    _proposals: Proposals
    _lists: RegistrationLists
    _follower: Follower
    _authority: str
    _lookup_key: bytes
    _clock: Clock

    def onboard(self, actor: Actor, newcomers: Sequence[NewParty]) -> list[KnownParty]:
        """Record the parties and propose their registration; nothing is written before all parties are checked.

        A known party is returned unchanged, but a party that is closed or has no active key gets a new id. The proposal
        is made in the caller's name. Otherwise the caller could also confirm it, and one institution would decide
        alone. If the caller's key is not kept here, the caller must have signed the request, for a list of at most 50
        parties.

        If this installation keeps the key of another institution that may confirm, that institution confirms at once.
        Otherwise a party has no number until an institution confirms (``pending``). Roles that only an authority may
        grant are proposed after the registration, and may take effect only after the waiting period. A party without a
        key is only recorded.

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, ``PARTY_OFFICE_BY_AUTHORITY``; ``InvalidInput`` naming the row,
        ``PARTY_REPEATED``, ``PROOF_MISSING``, ``PROOF_INVALID``; ``Conflict`` ``ACCOUNT_IN_USE`` if an account belongs
        to another party, ``SIGNATURE_REQUIRED``.
        """
        require(actor, Action.MANAGE_ROLES)
        self._require_offices_by_authority(actor, newcomers)
        named = [(f"party {row}", newcomer) for row, newcomer in enumerate(newcomers, start=1)]
        today = shanghai_day(self._clock())
        checked = [self._proven(checked_party(newcomer, where, today), where) for where, newcomer in named]
        require_distinct(checked)
        replaced = self._unable_to_act([each.identifier for each in checked])
        with self._database.write() as session:
            for identifier in replaced:
                let_go(session, self._lookup_key, identifier)
            rows = [find_or_add(session, self._sealer, self._lookup_key, each, self._clock()) for each in checked]
            known = [KnownParty.of(row) for row in rows]
        return self._register_all(known, actor.party, actor.signed)

    def register(self, identifier: str, by: str) -> KnownParty:
        """Propose, in the name of ``by``, to register a recorded party with its first key.

        The results and the errors are those of ``onboard``.
        """
        (found,) = self._register_all([self._party(identifier)], by)
        return found

    def require_key_of(self, office: str) -> None:
        """Raise ``Forbidden`` ``OFFICE_KEY_NOT_HERE`` unless this installation keeps the institution's key."""
        if self._party(office).account not in self._custody:
            raise Forbidden(
                "OFFICE_KEY_NOT_HERE",
                "The institution that issues the code also proposes the first key, but this service does not keep the "
                "institution's key.",
                where=f"party {office}",
                hint="Let an institution whose key is kept here issue the code; another must confirm the proposal.",
            )

    def _register_all(
        self, parties: Sequence[KnownParty], by: str, signed: SignedRequest | None = None
    ) -> list[KnownParty]:
        unlisted = {each.id for each in parties if each.no is None and each.listed is None and each.present_account}
        for act in dict.fromkeys(each.listed for each in parties if each.no is None and each.listed):
            unlisted |= self._continued(act, by, signed)
        for start in range(0, len(ordered := [each.id for each in parties if each.id in unlisted]), CHAIN_CHUNK):
            self._register(ordered[start : start + CHAIN_CHUNK], by, signed)
        self._proposals.follow_up()
        with self._database.read() as session:
            found = [KnownParty.of(party(session, each.id)) for each in parties]
        for each in found:
            if each.no is not None and OFFICES & set(each.roles):
                self._give_offices(each, each.no)
        return found

    def pending(self, identifier: str) -> int | None:
        """Return the number of the pending proposal that would register the party, or None."""
        known = self._party(identifier)
        found = None if known.no is not None or known.listed is None else self._proposals.of_act(known.listed)
        return found.no if found is not None and found.pending else None

    def complete(self) -> list[str]:
        """For parties registered since the last call, propose the roles that only an authority may grant, store the
        parties' numbers, and return their ids.

        Safe to repeat: a party's number is stored only after these roles are proposed.
        """
        with self._database.read() as session:
            query = select(Party).where(Party.no.is_(None), Party.listed.is_not(None))
            waiting = [KnownParty.of(row) for row in session.scalars(query)]
        asked = self._reader.batched("latest")
        answers = [(each, asked.party_no(each.id)) for each in waiting]
        registered = [(each, number) for each, answer in answers if (number := answer())]
        for each, number in registered:
            self._give_offices(each, number)
            with self._database.write() as session:
                session.execute(update(Party).where(Party.id == each.id).values(no=number))
            settle_keys(self._database, self._reader, each.id)
        return [each.id for each, _ in registered]

    def _unable_to_act(self, identifiers: Iterable[str]) -> list[str]:
        """Return the identifiers of parties that are closed or have no active key; they are onboarded with a new id."""
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

    def _continued(self, act: str, by: str, signed: SignedRequest | None) -> set[str]:
        """Continue with the proposal of a stored list.

        If the proposal was cancelled or has expired, return the parties of the list, because they need a new list.
        """
        self._follower.sync()
        known = self._proposals.of_act(act)
        if known is None or known.pending or known.state == "carried_out":
            if known is None or known.pending:
                self._proposals.decide(by, self._lists.call(act), signed)
            return set()
        with self._database.read() as session:
            return set(session.scalars(select(Party.id).where(Party.listed == act, Party.no.is_(None))))

    def _register(self, identifiers: Sequence[str], by: str, signed: SignedRequest | None) -> None:
        """Store the list, then propose it, so that a crash in between does not lose the list."""
        with self._database.write() as session:
            rows = [session.get_one(Party, identifier) for identifier in identifiers]
            act = self._lists.keep(session, [_listed(session, row) for row in rows])
            for row in rows:
                row.listed = act
        self._proposals.decide(by, self._lists.call(act), signed)

    def _give_offices(self, registered: KnownParty, number: int) -> None:
        """If the party still lacks a requested role that only an authority may grant, propose the roles requested at
        onboarding.
        """
        wanted = {Role(role) for role in registered.roles}
        if (OFFICES & wanted) - {Role(role) for role in self._reader.party(number).roles}:
            self._proposals.decide(self._authority, set_roles(number, Role.mask(wanted)))

    def _require_offices_by_authority(self, actor: Actor, newcomers: Iterable[NewParty]) -> None:
        """Raise ``Forbidden`` ``PARTY_OFFICE_BY_AUTHORITY`` unless the caller may onboard parties with these roles.

        Roles that only an authority may grant are proposed in the name of this service's authority. So only the
        authority itself may onboard a party with such a role.
        """
        for newcomer in newcomers if actor.party != self._authority else ():
            roles = DEFAULT_ROLES[newcomer.kind] if newcomer.roles is None else newcomer.roles
            if offices := sorted(OFFICES & roles):
                raise Forbidden(
                    "PARTY_OFFICE_BY_AUTHORITY",
                    "Only an authority grants some of these roles, so only the authority may onboard the party.",
                    hint="Ask the authority, or onboard the party as another kind and propose its roles: "
                    "PUT /v1/parties/{party}/roles.",
                    roles=offices,
                )

    def _proven(self, newcomer: NewParty, where: str) -> NewParty:
        """Return the party with a checked proof for each key; for a key that is kept here, make the proof here."""
        keys = [
            (key, proof_of(self._reader.chain, self._custody, key, proof, where)) for key, proof in keys_of(newcomer)
        ]
        return replace(newcomer, proof=keys[0][1], further_keys=tuple(keys[1:])) if keys else newcomer

    def _party(self, identifier: str) -> KnownParty:
        with self._database.read() as session:
            return KnownParty.of(party(session, identifier))


def _listed(session: Session, row: Party) -> ListedParty:
    """Return the party as a list names it: with the roles that need no authority, and with its keys, the present key
    first."""
    keys = sorted(party_keys(session, row.id), key=lambda key: (key.account != row.present_account, key.account))
    ordinary = tuple(role for role in row.roles if role not in OFFICES)
    return ListedParty(row.id, ordinary, tuple(ListedKey(key.public_key, key.proof or "") for key in keys))
