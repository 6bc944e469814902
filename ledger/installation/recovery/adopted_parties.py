"""Read from the chain the records of the parties and keys that a holder's bundle names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.chain.reading.contract_state import AccountRecord, PartyRecord
from ledger.chain.reading.reader import ChainReader
from ledger.domain.entries import statement_digest
from ledger.errors import PingzhengError
from ledger.proof.jws import entry_signature
from ledger.proof.sdjwt import Presented

Stated = Mapping[str, Any]
# The members of a log entry that hold a party id. The name of a member says in which role the party is named.
PARTIES: Final = ("subject", "consumer", "provider")


@dataclass(frozen=True, slots=True)
class OnChain:
    """Records on the chain about the parties in a bundle. They are read before the database is locked.

    ``parties`` holds the registered parties; the key is the party id. ``accounts`` are the signers' accounts.
    ``withdrawn`` are the digests of authorizations that their subjects withdrew. ``time`` is the time of the newest
    block.
    """

    parties: Mapping[str, PartyRecord]
    accounts: Mapping[str, AccountRecord]
    withdrawn: frozenset[str]
    time: int

    @classmethod
    def of(cls, reader: ChainReader, presented: Presented, entries: Sequence[Stated]) -> OnChain:
        """Read the records from the chain; raises ``ChainUnavailable``."""
        ids = {presented.claims["sub"], presented.claims["iss"]}
        ids |= {stated[name] for stated in entries for name in PARTIES if name in stated}
        numbers = {identifier: reader.party_no(identifier) for identifier in sorted(ids)}
        asked = reader.batched("latest")
        parties = {identifier: asked.party(number) for identifier, number in numbers.items() if number}
        signers = {presented.issued.kid} | {account for stated in entries if (account := _signer(stated))}
        accounts = {account: asked.account(account) for account in sorted(signers)}
        consents = [stated for stated in entries if stated["type"] == "authorization"]
        taken_back = {
            statement_digest(each): asked.withdrawn_at(numbers[each["subject"]], statement_digest(each))
            for each in consents
        }
        return cls(
            {identifier: answer() for identifier, answer in parties.items()},
            {account: record for account, answer in accounts.items() if (record := answer())},
            frozenset(digest for digest, answer in taken_back.items() if answer().first),
            reader.latest().time,
        )


def _signer(stated: Stated) -> str | None:
    if "signature" not in stated:
        return None
    try:
        return entry_signature(stated).kid
    except PingzhengError:
        return None
