"""Onboarding: records new parties and proposes their registration.

After the registration, the roles that only an authority may grant are proposed ("offices": all roles except subject,
provider, consumer and broker).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, exists, select, update
from sqlalchemy.orm import Session

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import set_roles
from ledger.chain.sending.relay import SignedRequest
from ledger.domain.days import Clock, shanghai_day
from ledger.domain.parties import DEFAULT_ROLES, OFFICES, Role
from ledger.errors import Forbidden
from ledger.index.follower import Follower
from ledger.index.speaking_keys import mute_among
from ledger.index.tables import ACCOUNTS, PARTIES
from ledger.parties.custody import Custody
from ledger.parties.keys.possession import proof_of
from ledger.parties.known import KNOWN, KnownParty
from ledger.parties.lookups import parties, party
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
from ledger.parties.tables import Party, PartyKey
from ledger.store.database import Database
from ledger.store.sealing import Sealer
from ledger.store.sets import change_rows, matching


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
        is made in the caller's name, because otherwise the caller could also confirm the proposal, and one institution
        would decide alone. If this installation does not keep the caller's key, the caller must have signed the
        request, and all parties must fit into one list (``RegistrationLists.divided``).

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
            let_go(session, self._lookup_key, replaced)
            ids = find_or_add(session, self._sealer, self._lookup_key, checked, self._clock())
            known = parties(session, ids)
        return self._register_all([known[each] for each in ids], actor.party, actor.signed)

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
                "The institution that issues an enrolment code also proposes the party's first key, but this service "
                "does not keep the institution's key.",
                where=f"party {office}",
                hint="Let an institution whose key is kept here issue the code. Another institution must then confirm "
                "the proposal.",
            )

    def _register_all(
        self, found: Sequence[KnownParty], by: str, signed: SignedRequest | None = None
    ) -> list[KnownParty]:
        unlisted = {each.id for each in found if each.no is None and each.listed is None and each.present_account}
        for act in dict.fromkeys(each.listed for each in found if each.no is None and each.listed):
            unlisted |= self._continued(act, by, signed)
        if ordered := [each.id for each in found if each.id in unlisted]:
            with self._database.read() as session:
                listed = _listed(session, ordered)
            for some in self._lists.divided(listed, self._reader.latest().gas_limit):
                self._register(some, by, signed)
        self._proposals.follow_up()
        with self._database.read() as session:
            known = parties(session, [each.id for each in found])
        self._give_offices({each.no: each for each in known.values() if each.no is not None})
        return [known[each.id] for each in found]

    def pending(self, identifier: str) -> int | None:
        """Return the number of the pending proposal that would register the party, or None."""
        known = self._party(identifier)
        found = None if known.no is not None or known.listed is None else self._proposals.of_act(known.listed)
        return found.no if found is not None and found.pending else None

    def complete(self) -> list[str]:
        """Complete the parties that were registered since the last call, and return their ids. For each of them,
        propose the roles that only an authority may grant, and store the party's number and the time since which each
        key is bound.

        The caller must bring the index up to date first. The call can be repeated: a party's number is stored only
        after the party's roles are proposed.
        """
        registered = PARTIES.c.id == Party.id
        query = select(PARTIES.c.no, *KNOWN).join(PARTIES, registered)
        with self._database.read() as session:
            rows = session.execute(query.where(Party.no.is_(None), Party.listed.is_not(None))).all()
        if not rows:
            return []
        self._give_offices({row[0]: KnownParty.of(row) for row in rows})
        ids = [row.id for row in rows]
        bound = ACCOUNTS.c.account == PartyKey.account
        number = select(PARTIES.c.no).where(registered).scalar_subquery()
        since = select(ACCOUNTS.c.valid_from).where(bound).scalar_subquery()
        with self._database.write() as session:
            change_rows(session, update(Party).values(no=number), Party.id, ids)
            own = select(Party.no).where(Party.id == PartyKey.party_id).correlate(PartyKey).scalar_subquery()
            fresh = PartyKey.bound_at.is_(None), exists().where(bound, ACCOUNTS.c.party_no == own).correlate(PartyKey)
            change_rows(session, update(PartyKey).where(*fresh).values(bound_at=since), PartyKey.party_id, ids)
        return ids

    def _unable_to_act(self, identifiers: Iterable[str]) -> dict[str, str]:
        """Return the identifiers, by party id, of those parties that are closed or have no active key. Such parties are
        onboarded with a new id.
        """
        lookups = {lookup_digest(self._lookup_key, each): each for each in identifiers}
        query = select(Party.id, Party.lookup, Party.no).where(Party.no.is_not(None))
        with self._database.read() as session:
            known = list(matching(session, query, Party.lookup, lookups))
        if not known:
            return {}
        self._follower.sync()
        with self._database.read() as session:
            mute = mute_among(session, [row.no for row in known])
        return {row.id: lookups[row.lookup] for row in known if row.no in mute}

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

    def _register(self, some: Sequence[ListedParty], by: str, signed: SignedRequest | None) -> None:
        """Store the list, then propose it, so that a crash in between does not lose the list."""
        with self._database.write() as session:
            act, call = self._lists.keep(session, some)
            change_rows(session, update(Party).values(listed=act), Party.id, [each.id for each in some])
        self._proposals.decide(by, call, signed)

    def _give_offices(self, registered: Mapping[int, KnownParty]) -> None:
        """Find the parties that requested, at onboarding, a role that only an authority may grant, and do not have this
        role yet. For each of them (a map by number), propose all roles that it requested.
        """
        wanted = {number: {Role(role) for role in each.roles} for number, each in registered.items()}
        asked = self._reader.batched("latest")
        answers = {number: asked.party(number) for number, roles in wanted.items() if OFFICES & roles}
        for number, answer in answers.items():
            if (OFFICES & wanted[number]) - {Role(role) for role in answer().roles}:
                self._proposals.decide(self._authority, set_roles(number, Role.mask(wanted[number])))

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


def _listed(session: Session, identifiers: Sequence[str]) -> list[ListedParty]:
    """Return the parties in the form of a registration list: with the roles that need no authority, and with their
    keys, the present key first.
    """
    query = select(PartyKey.party_id, PartyKey.account, PartyKey.public_key, PartyKey.proof)
    keys: dict[str, list[Row[Any]]] = {}
    for row in matching(session, query, PartyKey.party_id, identifiers):
        keys.setdefault(row.party_id, []).append(row)
    found, listed = parties(session, identifiers), []
    for each in (found[identifier] for identifier in identifiers):
        own = sorted(keys[each.id], key=lambda key: (key.account != each.present_account, key.account))
        ordinary = tuple(role for role in each.roles if role not in OFFICES)
        listed.append(ListedParty(each.id, ordinary, tuple(ListedKey(key.public_key, key.proof or "") for key in own)))
    return listed
