"""Lists of parties behind registrations: the chain knows a list by its hash, and registers what has that hash.

A list names parties by id, roles and keys. The office that confirms gets it as a file from the one that proposed, with
the opening of each id (protocol §1): so it knows whom it registers. It also checks the proofs of SM2 keys, which the
chain cannot check. Openings are personal text: they stand in that file alone, and are not kept where it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from ledger.chain.accounts import ANY_SUITE, account_of_public_key, check_public_key
from ledger.chain.sending.calls import Call, PartyRegistration, register_parties
from ledger.chain.sending.client import ChainClient
from ledger.domain.codes import check_institution, check_resident_id
from ledger.domain.days import Clock
from ledger.domain.lines import require_line
from ledger.domain.parties import PartyKind, Role, party_id
from ledger.errors import Conflict, InvalidInput, NotFound
from ledger.parties.keys.possession import proof_for_chain, require_possession
from ledger.parties.tables import Party, PartyList
from ledger.store.database import Database
from ledger.store.sealing import Sealer

FORMAT: Final = "pingzheng-registrations/1"
MAX_PARTIES: Final = 200
MAX_KEYS: Final = 16
MAX_NAME: Final = 200
ID_KEY_BYTES: Final = 32
OPENING: Final = frozenset({"kind", "identifier", "key", "name"})


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A first key of a party, as text, with its proof of possession in hex."""

    public_key: str
    proof: str


@dataclass(frozen=True, slots=True)
class ListedParty:
    """A party to register: its id, its roles by name (none of them an office), its keys."""

    id: str
    roles: tuple[str, ...]
    keys: tuple[ListedKey, ...]


@dataclass(frozen=True, slots=True)
class ListedIdentity:
    """Whom the id of a listed party stands for, as its opening says and the id proves.

    ``name`` is the word of the office that proposed: the id does not commit to it.
    """

    id: str
    kind: PartyKind
    identifier: str
    name: str
    roles: tuple[str, ...]
    accounts: tuple[str, ...]


class RegistrationLists:
    """Keeps lists until they are confirmed, and after. ``sealer`` opens who the parties are, where that is known."""

    def __init__(self, database: Database, client: ChainClient, clock: Clock, sealer: Sealer | None = None) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._sealer = sealer

    def keep(self, session: Session, parties: Sequence[ListedParty]) -> str:
        """Record a list and return its act, 64 hex digits."""
        act = self._client.act_of(_call(parties))
        if session.get(PartyList, act) is None:
            told = [asdict(party) for party in parties]
            session.add(PartyList(act=act, registrations=told, created_at=self._clock()))
            session.flush()
        return act

    def call(self, act: str) -> Call:
        """The call that registers the list of that act; raises ``Conflict`` ``REGISTRATION_LIST_MISSING``."""
        return _call(self._parties(act))

    def parties(self, act: str) -> list[dict[str, Any]] | None:
        """The list as JSON; None where it is not known here."""
        with self._database.read() as session:
            row = session.get(PartyList, act)
        return None if row is None else row.registrations

    def document(self, act: str, *, openings: bool) -> dict[str, Any]:
        """The list as a file for another installation; with ``openings`` it holds personal text.

        A party that is not known here, or was erased, has none. Raises ``Conflict`` ``REGISTRATION_LIST_MISSING``.
        """
        with self._database.read() as session:
            parties = [
                asdict(party) | {"opening": self._opening(session, party.id) if openings else None}
                for party in self._parties(act)
            ]
        return {"format": FORMAT, "act": act, "parties": parties}

    def identities(self, act: str, document: Mapping[str, Any]) -> list[ListedIdentity]:
        """Whom the list of that act registers, every opening and every proof checked. Nothing is recorded.

        Raises ``InvalidInput`` ``REGISTRATION_LIST_INVALID``, ``PROOF_MISSING`` or ``PROOF_INVALID``.
        """
        parties = self._checked(act, document)
        return [_identity(party, raw["opening"]) for party, raw in zip(parties, document["parties"], strict=True)]

    def take(self, act: str, document: Mapping[str, Any]) -> None:
        """Record the list that another installation proposed as that act, without the openings; raises as
        ``identities``."""
        self.identities(act, document)
        with self._database.write() as session:
            self.keep(session, self._checked(act, document))

    def _checked(self, act: str, document: Mapping[str, Any]) -> list[ListedParty]:
        parties = _read(document)
        for party in parties:
            for key in party.keys:
                require_possession(self._client.deployment.chain, key.public_key, key.proof, f"party {party.id}")
        if self._client.act_of(_call(parties)) != act:
            raise _invalid()
        return parties

    def _opening(self, session: Session, identifier: str) -> dict[str, str] | None:
        row = session.get(Party, identifier)
        if row is None or self._sealer is None:
            return None
        try:
            opened = self._sealer.open_object(session, row.sealed_id)
        except NotFound:
            return None
        return {
            "kind": row.kind,
            "identifier": opened["identifier"],
            "key": opened["id_key"],
            "name": opened["name"],
        }

    def _parties(self, act: str) -> list[ListedParty]:
        found = self.parties(act)
        if found is None:
            raise Conflict(
                "REGISTRATION_LIST_MISSING",
                "The list of parties that is proposed is not known here: the chain has its hash alone.",
                where=f"act {act}",
                hint="Ask the office that proposed it for the list, and confirm with it: `pingzheng keys show`.",
            )
        return [_party(each) for each in found]


def _call(parties: Sequence[ListedParty]) -> Call:
    return register_parties([_registration(party) for party in parties])


def _registration(party: ListedParty) -> PartyRegistration:
    keys = ((account_of_public_key(key.public_key), proof_for_chain(key.public_key, key.proof)) for key in party.keys)
    return PartyRegistration(party.id, tuple(keys), Role.mask(Role(role) for role in party.roles))


def _read(document: Mapping[str, Any]) -> list[ListedParty]:
    try:
        if document["format"] != FORMAT or not 1 <= len(document["parties"]) <= MAX_PARTIES:
            raise _invalid()
        parties = [_party(each) for each in document["parties"]]
        for party, raw in zip(parties, document["parties"], strict=True):
            _identity(party, raw["opening"])
            if len(bytes.fromhex(party.id)) != 32 or not 1 <= len(party.keys) <= MAX_KEYS:
                raise _invalid()
            Role.mask(Role(role) for role in party.roles)
            for key in party.keys:
                check_public_key(key.public_key, suites=ANY_SUITE)
    except (InvalidInput, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _invalid() from error
    return parties


def _identity(party: ListedParty, opening: Mapping[str, Any]) -> ListedIdentity:
    """Raises ``InvalidInput``, ``TypeError``, ``KeyError``, ``ValueError``."""
    if opening.keys() != OPENING:
        raise ValueError("an opening has exactly these members")
    kind, identifier, name = PartyKind(opening["kind"]), str(opening["identifier"]), str(opening["name"])
    check = check_resident_id if kind is PartyKind.PERSON else check_institution
    key = bytes.fromhex(opening["key"])
    if len(key) != ID_KEY_BYTES or check(identifier) != identifier or party_id(key, kind, identifier) != party.id:
        raise ValueError("the opening is of another id")
    if not 1 <= len(require_line(name, "name")) <= MAX_NAME:
        raise ValueError("no name")
    accounts = tuple(account_of_public_key(key.public_key) for key in party.keys)
    return ListedIdentity(party.id, kind, identifier, name, party.roles, accounts)


def _party(raw: Mapping[str, Any]) -> ListedParty:
    keys = tuple(ListedKey(str(key["public_key"]), str(key["proof"])) for key in raw["keys"])
    return ListedParty(str(raw["id"]), tuple(str(role) for role in raw["roles"]), keys)


def _invalid() -> InvalidInput:
    return InvalidInput(
        "REGISTRATION_LIST_INVALID",
        "This is not the list of parties that is proposed, with the opening of each id.",
        where="list",
        hint="Ask the office that proposed it for the list of this proposal: `pingzheng keys show --list-out`.",
    )
