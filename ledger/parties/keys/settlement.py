"""Bringing our record of parties' keys in line with the chain, whoever changed them there."""

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
    """Take over what the chain says of the party's keys: what a crash, an office or the party itself left behind.

    Keys that were bound without us are not known here. Raises ``NotFound`` ``PARTY_UNKNOWN``.
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
        # The key that acts stays while it speaks; after it, the one that was bound last.
        if acting and row.present_account not in {key.account for key in acting}:
            row.present_account, row.present_key = acting[-1].account, acting[-1].public_key
        return KnownParty.of(row)


def settle_changed(database: Database, reader: ChainReader) -> list[str]:
    """Settle every party of whose keys the index says something else than we do; returns their ids.

    The caller brings the index up to date first.
    """
    known = (PartyKey.bound_at, PartyKey.retired_at, PartyKey.reported_at, PartyKey.compromised_at)
    told = (ACCOUNTS.c.valid_from, ACCOUNTS.c.valid_to, ACCOUNTS.c.reported_at, ACCOUNTS.c.compromised_at)
    differs = or_(*(func.coalesce(ours, 0) != theirs for ours, theirs in zip(known, told, strict=True)))
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
    """Take over what the chain says of a key."""
    key.bound_at = record.valid_from
    key.retired_at = record.valid_to or None
    key.reported_at = record.reported_at or None
    key.compromised_at = record.compromised_at or None
