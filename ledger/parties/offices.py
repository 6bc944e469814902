"""The offices of a ledger: the founding authorities, and the keys of offices that this installation holds.

On a local chain all three authorities are played here, and the key of each is in a folder of its own:
``<home>/offices/1`` to ``3``. On another chain a home holds the key of at most one office. The others are founded by
office files: an office's name and public key, signed by that key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from ledger.chain.accounts import account_of_public_key, check_public_key
from ledger.chain.contracts.names import names_of_roles
from ledger.chain.reading.reader import ChainReader
from ledger.domain.canonical import parse_json
from ledger.domain.codes import check_region, check_uscc
from ledger.domain.lines import require_line
from ledger.domain.parties import PartyKind, Role
from ledger.errors import InvalidInput
from ledger.index.tables import PARTIES
from ledger.parties.custody import Custody, signer_of_key
from ledger.parties.newcomers import MAX_NAME, NewParty, checked_party
from ledger.parties.tables import Party
from ledger.proof.jws import entry_signed_by, sign_entry
from ledger.store.database import Database

FORMAT: Final = "pingzheng-office/1"
MAX_OFFICE_BYTES: Final = 16 * 1024
FIRST: Final = 1
COUNT: Final = 3
FOUNDING_ROLES: Final = frozenset({Role.AUTHORITY, Role.ADMIN})
_MEMBERS: Final = {"format", "name", "uscc", "region", "public_key", "signature"}


@dataclass(frozen=True, slots=True)
class Institution:
    """Who runs an office or an installation; the defaults are synthetic and for demonstrations."""

    name: str
    uscc: str
    region: str = "440800"


AUTHORITIES: Final = (
    Institution("湛江市数据主管部门（演示） Zhanjiang data authority (demo)", "11440800MB9X00015Q"),
    Institution("湛江市政务服务数据管理局（演示） Zhanjiang services authority (demo)", "11440800MB9X00023K"),
    Institution("湛江市司法局（演示） Zhanjiang justice authority (demo)", "11440800MB9X00031E"),
)


@dataclass(frozen=True, slots=True)
class FoundingOffice:
    """An authority that the contracts are deployed with: who it is, and its secp256k1 key as text (protocol §4)."""

    institution: Institution
    public_key: str

    def party(self, roles: Iterable[Role] = (Role.AUTHORITY,)) -> NewParty:
        """The office as a party; raises ``InvalidInput``."""
        who = self.institution
        founder = NewParty(PartyKind.GOV_DEPT, who.name, who.uscc, who.region, self.public_key, frozenset(roles))
        return checked_party(founder, who.uscc)


def office_file(key: str, name: str, uscc: str, region: str) -> dict[str, Any]:
    """The office file of the private key as text: what an authority hands to who deploys the contracts. It is public.

    Raises ``InvalidInput`` for a name, a code or a key that no office can have.
    """
    signer = signer_of_key(key)
    file = {"format": FORMAT, "name": name, "uscc": uscc, "region": region, "public_key": signer.public_key}
    _checked(file)
    return sign_entry(file, signer)


def read_office(raw: bytes) -> FoundingOffice:
    """What an office file says; raises ``InvalidInput`` ``OFFICE_FILE_INVALID`` unless its own key signed it."""
    try:
        file = parse_json(raw, max_bytes=MAX_OFFICE_BYTES)
        if not isinstance(file, dict) or file.keys() != _MEMBERS or file["format"] != FORMAT:
            raise ValueError("another format")
        office = _checked(file)
        if not entry_signed_by(file, account_of_public_key(office.public_key), office.public_key):
            raise ValueError("not signed by its key")
    except (InvalidInput, ValueError, TypeError) as error:
        raise InvalidInput(
            "OFFICE_FILE_INVALID",
            "This is not an office file that its own key signed.",
            where="office",
            hint="Ask the office for the file again: `pingzheng key office` makes it.",
        ) from error
    return office


def office_custody(home: Path, number: int) -> Custody:
    """The keys of the office with that number; empty where the home does not hold them."""
    return Custody(home / "offices" / str(number) / "accounts.json")


def keys_within_reach(home: Path) -> Custody:
    """All private keys that this home holds: its parties', to which new keys are added, and its offices'."""
    return Custody(home / "keys" / "accounts.json", [office_custody(home, FIRST + place) for place in range(COUNT)])


def local_offices(home: Path) -> list[FoundingOffice]:
    """The three authorities of a local chain, whose keys are made here."""
    return [own_office(home, FIRST + place) for place in range(COUNT)]


def own_office(home: Path, number: int) -> FoundingOffice:
    """The authority with that number, whose key is kept in its folder, and made there unless it is there."""
    custody = office_custody(home, number)
    (account, *_) = custody.accounts or custody.create()
    return FoundingOffice(AUTHORITIES[number - FIRST], custody.public_key(account))


class Offices:
    """Which parties can confirm here what another one proposed: those whose present key this home holds."""

    def __init__(self, database: Database, reader: ChainReader, custody: Custody) -> None:
        self._database = database
        self._reader = reader
        self._custody = custody

    def within_reach(self, roles: Iterable[str]) -> list[str]:
        """Ids of the active parties with one of the roles, in the order of their numbers."""
        wanted = set(roles)
        query = select(Party, PARTIES.c.roles).join(PARTIES, PARTIES.c.no == Party.no).order_by(Party.no)
        with self._database.read() as session:
            rows = session.execute(query).all()
        held = [row for row, mask in rows if row.account in self._custody and wanted & set(names_of_roles(mask))]
        asked = self._reader.batched("latest")
        answers = [(row.id, asked.party(row.no or 0)) for row in held]
        records = [(identifier, answer()) for identifier, answer in answers]
        return [
            identifier for identifier, record in records if record.status == "active" and wanted & set(record.roles)
        ]


def _checked(file: dict[str, Any]) -> FoundingOffice:
    """Raises ``InvalidInput``, ``TypeError``, ``ValueError``."""
    name, region = str(file["name"]), str(file["region"])
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidInput("PARTY_NAME_LENGTH", f"A name has 1 to {MAX_NAME} characters.", where="name")
    institution = Institution(
        require_line(name, "name"),
        check_uscc(str(file["uscc"]), where="uscc"),
        check_region(region, where="region"),
    )
    return FoundingOffice(institution, check_public_key(str(file["public_key"]), where="public_key"))


def dump_office(file: dict[str, Any]) -> str:
    """An office file as text."""
    return json.dumps(file, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
