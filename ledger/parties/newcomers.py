"""Checks the parties to onboard, and records them in the database.

Recording alone does not register them on the chain.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from ledger.chain.accounts import ANY_SUITE, account_of_public_key, check_public_key
from ledger.domain.codes import check_institution, check_region, check_resident_id
from ledger.domain.lines import require_line
from ledger.domain.parties import DEFAULT_ROLES, PartyKind, Role, party_id
from ledger.errors import Conflict, InvalidInput
from ledger.parties.keys.settlement import FIRST_KEYS
from ledger.parties.tables import Party, PartyKey
from ledger.store.sealing import Sealer
from ledger.store.sets import add_rows, matching

MAX_NAME = 200
_PARTY: Final = cast(Table, Party.__table__)
_CHANGE: Final = update(_PARTY).where(_PARTY.c.id == bindparam("party"))
_FIRST_KEY: Final = _CHANGE.values(account=bindparam("present"), public_key=bindparam("key"))
_LET_GO: Final = _CHANGE.values(lookup=bindparam("digest"))


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


def find_or_add(
    session: Session, sealer: Sealer, lookup_key: bytes, newcomers: Sequence[NewParty], now: int
) -> list[str]:
    """Return the ids of the parties, in the order of the newcomers. Rows of new parties are added, and so are the first
    keys of recorded parties that have no key. Nothing is sent to the chain.

    Raises ``Conflict`` ``ACCOUNT_IN_USE`` if another party has, had or proposed one of the accounts.
    """
    lookups = [lookup_digest(lookup_key, each.identifier) for each in newcomers]
    query = select(Party.lookup, Party.id, Party.present_account)
    known = {row.lookup: row for row in matching(session, query, Party.lookup, lookups)}
    ids, fresh, keyed = list[str](), list[_Fresh](), dict[str, NewParty]()
    for lookup, newcomer in zip(lookups, newcomers, strict=True):
        row = known.get(lookup)
        if row is None:
            key = secrets.token_bytes(32)
            fresh.append(_Fresh(party_id(key, newcomer.kind, newcomer.identifier), lookup, key, newcomer))
        ids.append(fresh[-1].id if row is None else row.id)
        if newcomer.public_key and (row is None or row.present_account is None):
            keyed[ids[-1]] = newcomer
    keys = [
        {"account": account_of_public_key(key), "party_id": party, "public_key": key, "proof": proof or None}
        for party, newcomer in keyed.items()
        for key, proof in keys_of(newcomer)
    ]
    require_free(session, [str(key["account"]) for key in keys])
    _add(session, sealer, fresh, now)
    added = {each.id for each in fresh}
    first = [
        {"party": party, "present": account_of_public_key(newcomer.public_key), "key": newcomer.public_key}
        for party, newcomer in keyed.items()
        if party not in added
    ]
    if first:
        session.connection().execute(_FIRST_KEY, first)
    add_rows(session, PartyKey, keys)
    return ids


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A party that is not recorded yet, with a new party id and the random key from which this id is computed."""

    id: str
    lookup: str
    key: bytes
    newcomer: NewParty


def _add(session: Session, sealer: Sealer, fresh: Sequence[_Fresh], now: int) -> None:
    identities = [
        {"name": each.newcomer.name, "identifier": each.newcomer.identifier, "id_key": each.key.hex()} for each in fresh
    ]
    rows = [
        {
            "id": each.id,
            "kind": each.newcomer.kind.value,
            "roles": sorted(role.value for role in each.newcomer.roles or ()),
            "region": each.newcomer.region,
            "lookup": each.lookup,
            "sealed_id": sealed,
            "created_at": now,
            "account": account_of_public_key(each.newcomer.public_key) if each.newcomer.public_key else None,
            "public_key": each.newcomer.public_key or None,
        }
        for each, sealed in zip(fresh, sealer.seal_all(session, identities) if fresh else (), strict=True)
    ]
    add_rows(session, Party, rows)


def let_go(session: Session, key: bytes, identifiers: Mapping[str, str]) -> None:
    """Remove the identifiers of these parties (a map from party id to identifier) from their rows, so that new parties
    can have the same identifiers. The rows themselves stay.
    """
    changed = [
        {"party": party, "digest": lookup_digest(key, f"{identifier}|{party}")}
        for party, identifier in identifiers.items()
    ]
    if changed:
        session.connection().execute(_LET_GO, changed)


def keys_of(newcomer: NewParty) -> list[tuple[str, str]]:
    """Return the keys of a new party, each with its proof; an empty result if the party has no key yet."""
    return [(newcomer.public_key, newcomer.proof), *newcomer.further_keys] if newcomer.public_key else []


def require_free(session: Session, accounts: Iterable[str], party: str | None = None) -> None:
    """Raise ``Conflict`` ``ACCOUNT_IN_USE`` if another party has, had or proposed one of these accounts."""
    wanted = list(accounts)
    rows = matching(session, select(PartyKey.account, PartyKey.party_id), PartyKey.account, wanted)
    taken = {row.account for row in rows if row.party_id != party}
    for account in wanted:
        if account in taken:
            raise Conflict(
                "ACCOUNT_IN_USE",
                f"The account {account} belongs or belonged to another party.",
                hint="Use a different key for every party.",
            )
