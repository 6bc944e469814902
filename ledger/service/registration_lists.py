"""Lists of parties behind registrations: the chain knows a list by its hash, and registers what has that hash.

A list names parties by id, roles and keys; whose they are stands nowhere in it. The office that confirms gets it as a
file from the one that proposed, and checks the possession of SM2 keys, which the chain cannot check.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from ledger.chain.accounts import ANY_SUITE, account_of_public_key, check_public_key
from ledger.chain.calls import Call, PartyRegistration, register_parties
from ledger.chain.client import ChainClient
from ledger.domain.parties import Role
from ledger.errors import Conflict, InvalidInput
from ledger.service.possession import proof_for_chain, require_possession
from ledger.store.database import Database
from ledger.store.tables import PartyList

FORMAT: Final = "pingzheng-registrations/1"
MAX_PARTIES: Final = 200
MAX_KEYS: Final = 16


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


class RegistrationLists:
    """Keeps lists until they are confirmed, and after."""

    def __init__(self, database: Database, client: ChainClient, clock: Callable[[], int]) -> None:
        self._database = database
        self._client = client
        self._clock = clock

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

    def document(self, act: str) -> dict[str, Any]:
        """The list as a file for another installation; raises ``Conflict`` ``REGISTRATION_LIST_MISSING``."""
        return {"format": FORMAT, "act": act, "parties": [asdict(party) for party in self._parties(act)]}

    def take(self, act: str, document: Mapping[str, Any]) -> None:
        """Record the list that another installation proposed as that act, every proof checked.

        Raises ``InvalidInput`` ``REGISTRATION_LIST_INVALID``, ``PROOF_MISSING`` or ``PROOF_INVALID``.
        """
        parties = _read(document)
        for party in parties:
            for key in party.keys:
                require_possession(self._client.deployment.chain, key.public_key, key.proof, f"party {party.id}")
        with self._database.write() as session:
            if self.keep(session, parties) != act:
                raise _invalid()

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
        for party in parties:
            if len(bytes.fromhex(party.id)) != 32 or not 1 <= len(party.keys) <= MAX_KEYS:
                raise _invalid()
            Role.mask(Role(role) for role in party.roles)
            for key in party.keys:
                check_public_key(key.public_key, suites=ANY_SUITE)
    except (InvalidInput, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _invalid() from error
    return parties


def _party(raw: Mapping[str, Any]) -> ListedParty:
    keys = tuple(ListedKey(str(key["public_key"]), str(key["proof"])) for key in raw["keys"])
    return ListedParty(str(raw["id"]), tuple(str(role) for role in raw["roles"]), keys)


def _invalid() -> InvalidInput:
    return InvalidInput(
        "REGISTRATION_LIST_INVALID",
        "This is not the list of parties that is proposed.",
        where="list",
        hint="Ask the office that proposed it for the list of this proposal.",
    )
