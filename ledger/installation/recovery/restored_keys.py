"""Record keys that are newer than the backup: they are in the key files, but not in the restored database."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.chain.reading.reader import ChainReader
from ledger.parties.custody import Custody
from ledger.parties.keys.settlement import record_key
from ledger.parties.tables import Party, PartyKey


def settle_custody(session: Session, reader: ChainReader, custody: Custody, accounts: list[str]) -> int:
    """Record the keys of these accounts if the chain has bound the accounts to a party of the database. Return how many
    keys were recorded.

    The function runs within the caller's transaction. It is needed if the operator changed its key after the backup:
    otherwise the operator could not send transactions with the new key.
    """
    known = set(session.scalars(select(PartyKey.account)))
    asked = reader.batched("latest")
    answers = {account: asked.account(account) for account in accounts if account not in known}
    added = 0
    for account, answer in answers.items():
        record = answer()
        party = None if record is None else session.scalar(select(Party).where(Party.no == record.party_no))
        if record is None or party is None:
            continue
        key = PartyKey(account=account, party_id=party.id, public_key=custody.public_key(account))
        record_key(key, record)
        session.add(key)
        added += 1
    session.flush()
    return added
