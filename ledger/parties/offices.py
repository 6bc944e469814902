"""The founding authorities of a ledger (here: offices), and the offices' keys, as far as this installation keeps them.

On a local chain this installation keeps the keys of all three authorities, each in its own folder, ``<home>/offices/1``
to ``3``. On another chain this installation keeps the key of at most one office. Each other office provides an office
file, which holds the office's name and public key and is signed with the office's key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from ledger.chain.accounts import account_of_public_key, check_public_key
from ledger.chain.reading.reader import ChainReader
from ledger.domain.canonical import parse_json
from ledger.domain.codes import check_region, check_uscc
from ledger.domain.lines import require_line
from ledger.domain.parties import PartyKind, Role
from ledger.errors import InvalidInput
from ledger.index.tables import PARTIES
from ledger.parties.custody import Custody, signer_of_key
from ledger.parties.known import KNOWN
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
    """The institution that is an authority, or that runs an installation."""

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
    """A founding authority: the institution, and the institution's secp256k1 public key as text (protocol §4)."""

    institution: Institution
    public_key: str

    def party(self, roles: Iterable[Role] = (Role.AUTHORITY,)) -> NewParty:
        """Return the institution as a party to onboard; raises ``InvalidInput`` for an invalid value."""
        who = self.institution
        founder = NewParty(PartyKind.GOV_DEPT, who.name, who.uscc, who.region, self.public_key, frozenset(roles))
        return checked_party(founder, who.uscc)


def office_file(key: str, name: str, uscc: str, region: str) -> dict[str, Any]:
    """Return an office file, signed with the office's private key ``key`` (as text), for the party that deploys the
    contracts.

    The file is public. Raises ``InvalidInput`` for an invalid name, code or key.
    """
    signer = signer_of_key(key)
    file = {"format": FORMAT, "name": name, "uscc": uscc, "region": region, "public_key": signer.public_key}
    _checked(file)
    return sign_entry(file, signer)


def read_office(raw: bytes) -> FoundingOffice:
    """Return the office in an office file; raises ``InvalidInput`` ``OFFICE_FILE_INVALID`` unless its key signed the
    file."""
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
            "The file is not an office file that the institution signed with its own key.",
            where="office",
            hint="Ask the institution for the file again; `pingzheng key office` writes it.",
        ) from error
    return office


def office_custody(home: Path, number: int) -> Custody:
    """Return the keys of the office with this number; empty if this installation does not keep the office's keys."""
    return Custody(home / "offices" / str(number) / "accounts.json")


def keys_within_reach(home: Path) -> Custody:
    """Return all private keys kept here, of parties and of offices; new keys are written to the parties' file."""
    return Custody(home / "keys" / "accounts.json", [office_custody(home, FIRST + place) for place in range(COUNT)])


def local_offices(home: Path) -> list[FoundingOffice]:
    """Return the three authorities of a local chain; missing keys are made."""
    return [own_office(home, FIRST + place) for place in range(COUNT)]


def own_office(home: Path, number: int) -> FoundingOffice:
    """Return the authority with this number; if its key is missing, make the key in the authority's folder."""
    custody = office_custody(home, number)
    (account, *_) = custody.accounts or custody.create()
    return FoundingOffice(AUTHORITIES[number - FIRST], custody.public_key(account))


class Offices:
    """Finds the parties whose present key this installation keeps; this installation can confirm proposals for them."""

    def __init__(self, database: Database, reader: ChainReader, custody: Custody) -> None:
        self._database = database
        self._reader = reader
        self._custody = custody

    def within_reach(self, roles: Iterable[str]) -> list[str]:
        """Return the ids of active parties that have one of the roles and whose key is kept here, sorted by party
        number."""
        wanted = set(roles)
        having = PARTIES.c.roles.bitwise_and(Role.mask(Role(role) for role in wanted)) != 0
        query = select(*KNOWN).join(PARTIES, PARTIES.c.no == Party.no).where(having).order_by(Party.no)
        with self._database.read() as session:
            rows = session.execute(query).all()
        held = [row for row in rows if row.present_account in self._custody]
        asked = self._reader.batched("latest")
        answers = [(row.id, asked.party(row.no or 0)) for row in held]
        records = [(identifier, answer()) for identifier, answer in answers]
        return [
            identifier for identifier, record in records if record.status == "active" and wanted & set(record.roles)
        ]


def _checked(file: dict[str, Any]) -> FoundingOffice:
    """Check and return the office in the JSON of an office file.

    Raises ``InvalidInput``, ``TypeError``, ``ValueError``.
    """
    name, region = str(file["name"]), str(file["region"])
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidInput("PARTY_NAME_LENGTH", f"A name must have 1 to {MAX_NAME} characters.", where="name")
    institution = Institution(
        require_line(name, "name"),
        check_uscc(str(file["uscc"]), where="uscc"),
        check_region(region, where="region"),
    )
    return FoundingOffice(institution, check_public_key(str(file["public_key"]), where="public_key"))


def dump_office(file: dict[str, Any]) -> str:
    """Write an office's name and key as the text of an office file."""
    return json.dumps(file, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
