"""Facts for one bundle, read as of one block: all that a verifier needs to know of the chain."""

from __future__ import annotations

from ledger.chain.accounts import account_of_public_key
from ledger.chain.reader import ChainReader
from ledger.errors import Misconfigured
from ledger.proof.bundle import Bundle, ChainId, Position
from ledger.proof.facts import (
    AccountFact,
    AssetFact,
    Facts,
    FactsNeeded,
    LienFact,
    PartyFact,
    StatusFact,
    UseFact,
    facts_needed,
)
from ledger.proof.jws import Jwk


def collect_facts(reader: ChainReader, bundle: Bundle) -> Facts:
    """What the chain says about a bundle; what it does not know is left out, so the check that needs it fails.

    Raises ``ChainUnavailable``, also where events and state of the node do not agree.
    """
    needed = facts_needed(bundle)
    deployment, latest = reader.deployment, reader.latest()
    block = latest.number
    accounts = _accounts(reader, bundle, needed, block)
    parties = {fact.party for fact in accounts.values()}
    commitments = {batch: reader.commitment(batch, block=block) for batch in sorted(needed.batches)}
    known = {position for position in needed.positions if commitments.get(position.batch)}
    return Facts(
        chain=ChainId(
            deployment.chain_id, deployment.certificate_log, deployment.party_registry, deployment.asset_registry
        ),
        block=block,
        block_hash=latest.hash,
        block_time=latest.time,
        anchors={batch: word for batch, word in commitments.items() if word},
        status={position: _status(reader, position, block) for position in sorted(known)},
        uses={needed.used: _uses(reader, needed.used, block)} if needed.used in known else {},
        accounts=accounts,
        parties={party: _party(reader, party, needed, block) for party in sorted(parties)},
        assets=_assets(reader, needed, block),
    )


def _accounts(reader: ChainReader, bundle: Bundle, needed: FactsNeeded, block: int) -> dict[str, AccountFact]:
    found: dict[str, AccountFact] = {}
    for account in sorted(needed.accounts):
        record, key = reader.account(account, block=block), bundle.keys.get(account)
        if record is None or key is None or not _is_of(key, account):
            continue
        found[account] = AccountFact(
            party=reader.party_id(record.party_no),
            valid_from=record.valid_from,
            valid_to=record.valid_to,
            compromised_at=record.compromised_at,
            key=key.compressed,
        )
    return found


def _is_of(key: Jwk, account: str) -> bool:
    """Whether the key is the account's; one that cannot be hashed here is nobody's, and the verifier says why."""
    try:
        return account_of_public_key(key.compressed) == account
    except Misconfigured:
        return False


def _party(reader: ChainReader, identifier: str, needed: FactsNeeded, block: int) -> PartyFact:
    record = reader.party(reader.party_no(identifier, block=block), block=block)
    accreditations = {}
    if needed.accreditation is not None and needed.accreditation[0] == identifier:
        scenario = needed.accreditation[1]
        accreditations[scenario] = reader.accreditation(record.no, scenario, block=block)
    return PartyFact(record.no, record.status, record.roles, accreditations)


def _status(reader: ChainReader, position: Position, block: int) -> tuple[StatusFact, ...]:
    history = reader.status_history(position.batch, position.index, block=block)
    return tuple(StatusFact(change.status, change.reason, change.at, change.by) for change in history)


def _uses(reader: ChainReader, position: Position, block: int) -> tuple[UseFact, ...]:
    history = reader.use_history(position.batch, position.index, block=block)
    return tuple(UseFact(use.ordinal, use.at) for use in history)


def _assets(reader: ChainReader, needed: FactsNeeded, block: int) -> dict[str, AssetFact]:
    if needed.asset is None:
        return {}
    record = reader.asset(needed.asset, block=block)
    if record is None:
        return {}
    return {
        needed.asset: AssetFact(
            state=record.state,
            holder=record.holder,
            frozen=record.frozen,
            valid_to=record.valid_to,
            since=record.since,
            head=reader.head("AssetRegistry", needed.asset, block=block),
            objections=record.objections,
            liens=tuple(LienFact(lien.creditor, lien.rank) for lien in reader.liens(record, block=block)),
            annulled_ancestor=reader.annulled_ancestor(needed.asset, block=block) or "",
        )
    }
