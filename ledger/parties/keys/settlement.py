"""Updates the keys of parties in the database from the chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, or_, select

from ledger.chain.reading.contract_state import AccountRecord
from ledger.chain.reading.reader import ChainReader
from ledger.index.tables import ACCOUNTS
from ledger.parties.known import KnownParty
from ledger.parties.lookups import parties
from ledger.parties.tables import Party, PartyKey
from ledger.proof.suites.suite import ES256, ES256K, suite_of_key
from ledger.store.database import Database
from ledger.store.sets import matching

FIRST_KEYS: Final = (ES256K, ES256)


def settle_keys(database: Database, reader: ChainReader, identifiers: Sequence[str]) -> list[KnownParty]:
    """Copy the state of the known keys of parties from the chain, and return the parties, in the same order.

    Chain and database differ after a crash, or if an authority or a party changed a key without this service. A key
    that was bound without this service is not added to the database. One call asks the node about all parties. Raises
    ``NotFound`` ``PARTY_UNKNOWN``.
    """
    columns = select(PartyKey.account, PartyKey.party_id)
    with database.read() as session:
        before = parties(session, identifiers)
        owners = {row.account: row.party_id for row in matching(session, columns, PartyKey.party_id, identifiers)}
    asked = reader.batched("latest")
    answers = {account: asked.account(account) for account in owners}
    found = {account: answer() for account, answer in answers.items()}
    with database.write() as session:
        keys: dict[str, list[PartyKey]] = {identifier: [] for identifier in before}
        ordered = select(PartyKey).order_by(PartyKey.bound_at.is_(None), PartyKey.bound_at, PartyKey.retired_at)
        for (key,) in matching(session, ordered, PartyKey.party_id, identifiers):
            record = found.get(key.account)
            if record and record.party_no == before[key.party_id].no:
                record_key(key, record)
            keys[key.party_id].append(key)
        rows = {row.id: row for (row,) in matching(session, select(Party), Party.id, identifiers)}
        for identifier, row in rows.items():
            _settle_present(row, keys[identifier])
        return [KnownParty.of(rows[identifier]) for identifier in identifiers]


def _settle_present(row: Party, keys: Sequence[PartyKey]) -> None:
    """If the present key of the party is no longer active, make the key that was bound last the present key."""
    speaking = [key for key in keys if key.bound_at is not None and key.retired_at is None and key.reported_at is None]
    by_suite = ([key for key in speaking if suite_of_key(key.public_key) is suite] for suite in FIRST_KEYS)
    acting = next((some for some in by_suite if some), [])
    if acting and row.present_account not in {key.account for key in acting}:
        newest = max(acting, key=lambda key: key.bound_at or 0)
        row.present_account, row.present_key = newest.account, newest.public_key


def settle_changed(database: Database, reader: ChainReader) -> list[str]:
    """Find parties whose keys differ between index and database, copy their keys from the chain, and return their ids.

    The caller must bring the index up to date first.
    """
    known = (PartyKey.bound_at, PartyKey.retired_at, PartyKey.reported_at, PartyKey.compromised_at)
    indexed = (ACCOUNTS.c.valid_from, ACCOUNTS.c.valid_to, ACCOUNTS.c.reported_at, ACCOUNTS.c.compromised_at)
    differs = or_(*(func.coalesce(ours, 0) != theirs for ours, theirs in zip(known, indexed, strict=True)))
    query = (
        select(Party.id)
        .join(PartyKey, PartyKey.party_id == Party.id)
        .join(ACCOUNTS, (ACCOUNTS.c.account == PartyKey.account) & (ACCOUNTS.c.party_no == Party.no))
        .where(differs)
        .distinct()
    )
    with database.read() as session:
        changed = list(session.scalars(query))
    if changed:
        settle_keys(database, reader, changed)
    return changed


def record_key(key: PartyKey, record: AccountRecord) -> None:
    """Copy the state of a key from the chain."""
    key.bound_at = record.valid_from
    key.retired_at = record.valid_to or None
    key.reported_at = record.reported_at or None
    key.compromised_at = record.compromised_at or None
