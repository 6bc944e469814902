"""Lists of parties to register. The chain stores the hash of the proposed list, and registers only that list.

A list holds the id, the roles and the keys of each party. The confirming institution gets the list as a file from the
proposing institution. The file also has the opening of each id: the values from which the id is computed (kind,
identifier and key; protocol §1). An opening shows whom the list registers. The confirming institution also checks the
proofs of SM2 keys, which the chain cannot check. Openings are personal text: they are only in that file, and the
confirming installation does not store them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.chain.accounts import ANY_SUITE, account_of_public_key, check_public_key
from ledger.chain.sending.calls import Call, PartyRegistration, register_parties
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.gas import registration_gas, within_one_transaction
from ledger.domain.codes import check_institution, check_resident_id
from ledger.domain.days import Clock
from ledger.domain.lines import require_line
from ledger.domain.parties import PartyKind, Role, party_id
from ledger.errors import Conflict, InvalidInput, NotFound
from ledger.parties.keys.possession import proof_for_chain, require_possession
from ledger.parties.tables import Party, PartyList
from ledger.store.database import Database
from ledger.store.sealing import Sealer
from ledger.store.sets import add_rows

FORMAT: Final = "pingzheng-registrations/1"
MAX_PARTIES: Final = 200
MAX_KEYS: Final = 16
MAX_NAME: Final = 200
ID_KEY_BYTES: Final = 32
# Upper limits for the bytes of call data that a party needs without its keys, and a key without its proof.
_PARTY_BYTES: Final = 160
_KEY_BYTES: Final = 160
OPENING: Final = frozenset({"kind", "identifier", "key", "name"})


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A first key of a party as text (protocol §4), with the proof of possession in hex."""

    public_key: str
    proof: str


@dataclass(frozen=True, slots=True)
class ListedParty:
    """A party to register: its id, its keys, and its roles (names) except those that only an authority may grant."""

    id: str
    roles: tuple[str, ...]
    keys: tuple[ListedKey, ...]


@dataclass(frozen=True, slots=True)
class ListedIdentity:
    """The identity of a listed party: the id proves ``kind`` and ``identifier``.

    Nothing proves ``name``: the id does not depend on the name, so the name is what the proposing institution says.
    """

    id: str
    kind: PartyKind
    identifier: str
    name: str
    roles: tuple[str, ...]
    accounts: tuple[str, ...]


class RegistrationLists:
    """Stores registration lists. ``sealer`` decrypts the identities of parties; None in a joined installation."""

    def __init__(self, database: Database, client: ChainClient, clock: Clock, sealer: Sealer | None = None) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._sealer = sealer
        # The call of the list that was used last is kept: a list is usually confirmed directly after it is proposed,
        # and then the call need not be built again.
        self._newest: tuple[str, Call | None] = "", None

    def keep(self, session: Session, parties: Sequence[ListedParty]) -> tuple[str, Call]:
        """Store a list, and return the hash of the act that registers it, 64 hex digits, and the call itself."""
        call = _call(parties)
        act = self._client.act_of(call)
        if session.scalar(select(PartyList.act).where(PartyList.act == act)) is None:
            registrations = [_json(party) for party in parties]
            add_rows(session, PartyList, [{"act": act, "registrations": registrations, "created_at": self._clock()}])
        self._newest = act, call
        return act, call

    def call(self, act: str) -> Call:
        """Return the call that registers the list of ``act`` (a hash); raises ``Conflict``
        ``REGISTRATION_LIST_MISSING``."""
        known, call = self._newest
        if known != act or call is None:
            call = _call(self._parties(act))
            self._newest = act, call
        return call

    def parties(self, act: str) -> list[dict[str, Any]] | None:
        """Return the list as JSON, or None if it is not stored here."""
        with self._database.read() as session:
            return session.scalar(select(PartyList.registrations).where(PartyList.act == act))

    def divided(self, parties: Sequence[ListedParty], block_gas: int) -> Iterator[Sequence[ListedParty]]:
        """Divide the parties into as few lists as possible. Because one transaction registers a whole list, the gas of
        a list is at most the gas limit of a transaction, and at most ``block_gas``, the gas limit of a block.
        """
        for some in within_one_transaction(parties, _gas, _bytes, block_gas):
            yield from (some[start : start + MAX_PARTIES] for start in range(0, len(some), MAX_PARTIES))

    def document(self, act: str, *, openings: bool) -> dict[str, Any]:
        """Return the list as a file for another installation; with ``openings`` it contains personal text.

        A party that is erased or not in this database has no opening. Raises ``Conflict``
        ``REGISTRATION_LIST_MISSING``.
        """
        with self._database.read() as session:
            parties = [
                _json(party) | {"opening": self._opening(session, party.id) if openings else None}
                for party in self._parties(act)
            ]
        return {"format": FORMAT, "act": act, "parties": parties}

    def identities(self, act: str, document: Mapping[str, Any]) -> list[ListedIdentity]:
        """Check every opening and proof in the list with this act hash, and return the identities; store nothing.

        Raises ``InvalidInput`` ``REGISTRATION_LIST_INVALID``, ``PROOF_MISSING`` or ``PROOF_INVALID``.
        """
        parties = self._checked(act, document)
        return [_identity(party, raw["opening"]) for party, raw in zip(parties, document["parties"], strict=True)]

    def take(self, act: str, document: Mapping[str, Any]) -> None:
        """Check and store another installation's list with this act hash, without the openings.

        Raises the errors of ``identities``.
        """
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
                "The proposed list of parties is not stored here; the chain has only its hash.",
                where=f"act {act}",
                hint="Ask the proposing institution for the list, and check the list with `pingzheng keys show`.",
            )
        return [_party(each) for each in found]


def _call(parties: Sequence[ListedParty]) -> Call:
    return register_parties([_registration(party) for party in parties])


def _gas(party: ListedParty) -> int:
    return registration_gas(proof_for_chain(key.public_key, key.proof) for key in party.keys)


def _bytes(party: ListedParty) -> int:
    """Return the maximum number of bytes of call data that one party of a list takes."""
    return _PARTY_BYTES + sum(_KEY_BYTES + len(key.proof) // 2 for key in party.keys)


def _json(party: ListedParty) -> dict[str, Any]:
    keys = [{"public_key": key.public_key, "proof": key.proof} for key in party.keys]
    return {"id": party.id, "roles": list(party.roles), "keys": keys}


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
    """Check that the party's id was computed from the opening, and return the party's identity.

    Raises ``InvalidInput``, ``TypeError``, ``KeyError``, ``ValueError``.
    """
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
        "The file is not a list of proposed parties with the values from which each party id is computed.",
        where="list",
        hint="Ask the proposing institution for the list; it writes the file with `pingzheng keys show --list-out`.",
    )
