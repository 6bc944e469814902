"""Updates the keys of parties in the database from the chain."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, or_, select

from ledger.chain.reading.contract_state import AccountRecord
from ledger.chain.reading.reader import ChainReader
from ledger.index.tables import ACCOUNTS
from ledger.parties.known import KnownParty
from ledger.parties.lookups import party, party_keys, speaking_keys
from ledger.parties.tables import Party, PartyKey
from ledger.proof.suites.suite import ES256, ES256K, suite_of_key
from ledger.store.database import Database

FIRST_KEYS: Final = (ES256K, ES256)


def settle_keys(database: Database, reader: ChainReader, identifier: str) -> KnownParty:
    """Copy the state of the party's known keys from the chain, and return the party.

    Chain and database differ after a crash, or if an authority or the party changed a key without this service. Keys
    that were bound without this service stay unknown here. Raises ``NotFound`` ``PARTY_UNKNOWN``.
    """
    with database.read() as session:
        number, accounts = party(session, identifier).no, [key.account for key in party_keys(session, identifier)]
    asked = reader.batched("latest")
    answers = {account: asked.account(account) for account in accounts}
    found = {account: answer() for account, answer in answers.items()}
    with database.write() as session:
        row = party(session, identifier)
        for account, record in found.items():
            if record and record.party_no == number:
                record_key(session.get_one(PartyKey, account), record)
        speaking = speaking_keys(session, identifier)
        by_suite = ([key for key in speaking if suite_of_key(key.public_key) is suite] for suite in FIRST_KEYS)
        acting = next((keys for keys in by_suite if keys), [])
        # The present key stays the present key as long as it is active. After that, the key that was bound last takes
        # its place.
        if acting and row.present_account not in {key.account for key in acting}:
            row.present_account, row.present_key = acting[-1].account, acting[-1].public_key
        return KnownParty.of(row)


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
    for identifier in changed:
        settle_keys(database, reader, identifier)
    return changed


def record_key(key: PartyKey, record: AccountRecord) -> None:
    """Copy the state of a key from the chain."""
    key.bound_at = record.valid_from
    key.retired_at = record.valid_to or None
    key.reported_at = record.reported_at or None
    key.compromised_at = record.compromised_at or None
