"""Checks the parties to onboard, and records them in the database.

Recording alone does not register them on the chain.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.chain.accounts import ANY_SUITE, account_of_public_key, check_public_key
from ledger.domain.codes import check_institution, check_region, check_resident_id
from ledger.domain.lines import require_line
from ledger.domain.parties import DEFAULT_ROLES, PartyKind, Role, party_id
from ledger.errors import Conflict, InvalidInput
from ledger.parties.keys.settlement import FIRST_KEYS
from ledger.parties.tables import Party, PartyKey
from ledger.store.sealing import Sealer

MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class NewParty:
    """A party to onboard. ``identifier`` is the USCC, or for a person the resident ID number.

    ``public_key`` is its first key as text (protocol §4), of secp256k1 or P-256; its account follows from the key.
    ``further_keys``, of any suite and each with its proof, are registered together with the first key; keys that are
    added later become valid only after a waiting period. A proof of possession is hex; if this installation keeps the
    key, it makes the proof. A party with P-256 keys only can sign, but cannot act on the chain itself. If
    ``public_key`` is empty, the party is only recorded here until it enrols (``enrolments``).
    """

    kind: PartyKind
    name: str
    identifier: str
    region: str
    public_key: str
    roles: frozenset[Role] | None = None
    proof: str = ""
    further_keys: tuple[tuple[str, str], ...] = ()


def kind_of(value: str, where: str) -> PartyKind:
    """Return the kind of party that ``value`` names; raises ``InvalidInput`` ``PARTY_KIND_UNKNOWN``."""
    try:
        return PartyKind(value)
    except ValueError:
        raise InvalidInput(
            "PARTY_KIND_UNKNOWN",
            "There is no such kind of party.",
            where=where,
            hint=f"Use one of: {', '.join(kind.value for kind in PartyKind)}.",
        ) from None


def checked_party(newcomer: NewParty, where: str, today: date | None = None) -> NewParty:
    """Check and normalise every value of the party, and return the party; raises ``InvalidInput`` for an invalid value.

    ``today`` is the day in Shanghai; a date of birth after it is refused.
    """
    if not 1 <= len(newcomer.name) <= MAX_NAME:
        raise InvalidInput("PARTY_NAME_LENGTH", f"A name must have 1 to {MAX_NAME} characters.", where=where)
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


def require_distinct(newcomers: Sequence[NewParty]) -> None:
    """Raise ``InvalidInput`` ``PARTY_REPEATED``, naming both rows, if two parties share an identifier or a key.

    Without this check, the contract would refuse the whole list, but only when the registration is carried out.
    """
    rows: dict[str, int] = {}
    for row, newcomer in enumerate(newcomers, start=1):
        for name in {newcomer.identifier, *(account_of_public_key(key) for key, _ in keys_of(newcomer))}:
            if (first := rows.setdefault(name, row)) != row:
                raise InvalidInput(
                    "PARTY_REPEATED",
                    "The list contains this party, or one of its keys, twice.",
                    where=f"party {row} and party {first}",
                    hint="Remove one of the two rows.",
                )


def _first_key(newcomer: NewParty, where: str) -> str:
    if newcomer.public_key or newcomer.further_keys:
        return check_public_key(newcomer.public_key, where=where, suites=FIRST_KEYS)
    return ""


def lookup_digest(key: bytes, identifier: str) -> str:
    """Return the keyed digest by which an identifier is looked up.

    Without the digest key, nobody can test guesses of the identifier.
    """
    return hmac.new(key, b"party|" + identifier.encode(), hashlib.sha256).hexdigest()


def find_or_add(session: Session, sealer: Sealer, lookup_key: bytes, newcomer: NewParty, now: int) -> Party:
    """Return the party's row; add the row if the party is new. Nothing is sent to the chain."""
    lookup = lookup_digest(lookup_key, newcomer.identifier)
    known = session.scalar(select(Party).where(Party.lookup == lookup))
    if known is not None and (known.present_account is not None or not newcomer.public_key):
        return known
    keys = {account_of_public_key(key): (key, proof) for key, proof in keys_of(newcomer)}
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


def let_go(session: Session, key: bytes, identifier: str) -> None:
    """Remove the identifier from the party's row, so that a new party can have this identifier; the row stays."""
    row = session.scalars(select(Party).where(Party.lookup == lookup_digest(key, identifier))).one()
    row.lookup = lookup_digest(key, f"{identifier}|{row.id}")
    session.flush()


def keys_of(newcomer: NewParty) -> list[tuple[str, str]]:
    """Return the keys of a new party, each with its proof; an empty result if the party has no key yet."""
    return [(newcomer.public_key, newcomer.proof), *newcomer.further_keys] if newcomer.public_key else []


def require_free(session: Session, account: str, party: str | None = None) -> None:
    """Raise ``Conflict`` ``ACCOUNT_IN_USE`` if another party has, had or proposed this account."""
    key = session.get(PartyKey, account)
    if key is not None and key.party_id != party:
        raise Conflict(
            "ACCOUNT_IN_USE",
            f"The account {account} belongs or belonged to another party.",
            hint="Use a different key for every party.",
        )
