"""Reads the facts: everything that a verifier needs from the chain to judge bundles, as of one block."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.chain.accounts import account_of_public_key
from ledger.chain.contracts.deployment import ASSET_REGISTRY, CERTIFICATE_LOG, PARTY_REGISTRY
from ledger.chain.reading.batched_reads import BatchedReads
from ledger.chain.reading.contract_state import AccountRecord, Hold, PartyRecord, ProposalRecord
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.answers import Block
from ledger.errors import ChainUnavailable, Misconfigured, NotFound
from ledger.proof.bundle import Bundle, Position
from ledger.proof.facts import (
    AccountFact,
    AssetFact,
    Facts,
    Heads,
    LienFact,
    LogFact,
    PartyFact,
    ProposedKey,
    StatusFact,
)
from ledger.proof.facts_needed import FactsNeeded, facts_needed
from ledger.proof.jws import Jwk

# The contracts cannot store numbers above these limits. If a bundle names a higher number, the chain cannot contain it,
# so the node is not asked.
MAX_ISSUERS: Final = 2**32
MAX_LEAVES: Final = 2**32
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Named:
    """Collects the reads of everything that the bundle names.

    No read depends on the answer to another, so one request is enough for all reads.
    """

    accounts: Mapping[str, Callable[[], AccountRecord | None]]
    anchors: Mapping[tuple[int, int], Callable[[], str | None]]
    status: Mapping[Position, Callable[[], list[StatusFact]]]
    holds: Mapping[str, Callable[[], Hold]]
    heads: Mapping[str, Callable[[], str]]
    batches: Mapping[int, Callable[[], int]]
    numbers: Mapping[str, Callable[[], int]]


def collect_facts(reader: ChainReader, bundle: Bundle) -> Facts:
    """Return the facts of one bundle, as ``collect_all_facts`` does."""
    (facts,) = collect_all_facts(reader, [bundle])
    return facts


def collect_all_facts(reader: ChainReader, bundles: Sequence[Bundle]) -> list[Facts]:
    """Return the facts of each bundle: what the chain shows about it at the newest block.

    A fact that does not exist on the chain is left out, and the check that needs it then fails. Three requests to the
    node are enough for any number of bundles, if no use was recorded: the block; everything that the bundles name;
    everything that depends on the numbers of parties. If there are uses, a fourth request reads their histories. Events
    of uses and holds are read only if the contract's counter is above zero. Raises ``ChainUnavailable``, also if the
    node's events and state disagree.
    """
    latest = reader.latest()
    reads = reader.batched(latest.number)
    facts: list[Facts] = []
    # All bundles go through each stage together, so that the reads of a stage are sent together before the next stage
    # needs the answers.
    for stage in zip(*(_stages(reader, reads, latest, bundle) for bundle in bundles), strict=True):
        facts = [each for each in stage if each is not None]
    return facts


def _stages(reader: ChainReader, reads: BatchedReads, latest: Block, bundle: Bundle) -> Iterator[Facts | None]:
    """Yield None after each stage of reads, and the facts of the bundle after the last stage."""
    needed, span = facts_needed(bundle), (reader.deploy_block, latest.number)
    named = _read_named(reads, needed, span)
    yield None
    known = {party: number for party, answer in named.numbers.items() if (number := answer())}
    registered = {party: reads.party(number) for party, number in known.items()}
    newest = {issuer: reads.commitment(issuer, count() - 1) for issuer, count in named.batches.items() if count()}
    held = {statement: reads.hold_history(statement, hold(), *span) for statement, hold in named.holds.items()}
    withdrawn = {
        (party, statement): reads.withdrawn_at(known[party], statement)
        for party, statement in sorted(needed.withdrawals)
        if party in known
    }
    counted = {
        (consumer, request): reads.uses(known[consumer], request)
        for consumer, request in _uses_of(needed)
        if consumer in known
    }
    records = {account: record for account, answer in named.accounts.items() if (record := answer())}
    proposed = {record.proposal: reads.proposal(record.proposal) for record in records.values() if record.proposal}
    owned = _read_owners(reads, records.values(), needed)
    yield None
    used = {
        (consumer, request): reads.use_history(known[consumer], request, count(), *span)
        for (consumer, request), count in counted.items()
    }
    yield None
    require_numbers(registered)
    owners = _owners(owned, needed)
    accounts = _accounts(_keys(bundle, needed), records, proposed, owners)
    signers = {fact.party for fact in accounts.values()}
    anchors = {batch: word for batch, answer in named.anchors.items() if (word := answer())}
    facts = Facts(
        chain=reader.chain,
        block=latest.number,
        block_hash=latest.hash,
        block_time=latest.time,
        heads=Heads(named.heads[PARTY_REGISTRY](), named.heads[CERTIFICATE_LOG]()),
        logs={
            issuer: LogFact(named.batches[issuer](), word) for issuer, answer in newest.items() if (word := answer())
        },
        anchors=anchors,
        status={place: tuple(answer()) for place, answer in named.status.items() if place.log_batch in anchors},
        holds={statement: tuple(answer()) for statement, answer in held.items()},
        uses={counter: tuple(answer()) for counter, answer in used.items()},
        withdrawals={each: answer() for each, answer in withdrawn.items()},
        accounts=accounts,
        parties={party: fact for party, fact in owners.values() if party in signers},
        assets=_assets(reader, needed, latest.number),
    )
    _require_past(facts)
    yield facts


def _read_named(reads: BatchedReads, needed: FactsNeeded, span: Span) -> _Named:
    batches = sorted(each for each in needed.batches if each[0] < MAX_ISSUERS)
    place = needed.position
    there = place.issuer < MAX_ISSUERS and place.index < MAX_LEAVES
    return _Named(
        accounts={account: reads.account(account) for account in sorted(needed.accounts | _presenting(needed).keys())},
        anchors={batch: reads.commitment(*batch) for batch in batches},
        status={place: reads.status_history(place, *span)} if there else {},
        holds={statement: reads.hold(statement) for statement in sorted(needed.statements)},
        heads={contract: reads.head(contract) for contract in (PARTY_REGISTRY, CERTIFICATE_LOG)},
        batches={issuer: reads.batch_count(issuer) for issuer in sorted({issuer for issuer, _ in batches})},
        numbers={party: reads.party_no(party) for party in sorted(_parties(needed))},
    )


def _uses_of(needed: FactsNeeded) -> list[tuple[str, str]]:
    return [] if needed.uses is None else [needed.uses]


def _parties(needed: FactsNeeded) -> set[str]:
    """Return the ids of the parties whose uses or withdrawals are needed."""
    return {party for party, _ in (*needed.withdrawals, *_uses_of(needed))}


def require_numbers(registered: Mapping[str, Callable[[], PartyRecord]]) -> None:
    """Check the numbers that the node gave for party ids. Raise ``ChainUnavailable`` ``PARTY_NUMBER_DIFFERS`` if a
    number belongs to a party with another id.

    A node that gave another party's number would hide uses and withdrawals. ``registered`` maps a party id to the
    record that the node returned for the party's number.
    """
    for party, answer in registered.items():
        try:
            same = answer().id == party
        except NotFound:
            same = False
        if not same:
            raise ChainUnavailable(
                "PARTY_NUMBER_DIFFERS",
                "The node gave a wrong number for a party.",
                where=f"party {party}",
                hint="The node does not show the data of the chain: ask another node.",
            )


def _require_past(facts: Facts) -> None:
    """Raise if an event has a later time than the newest block. With such a time, a dishonest node could make the
    verifier ignore an event.
    """
    if any(time > facts.block_time for time in _times(facts)):
        raise ChainUnavailable(
            "EVENT_AFTER_BLOCK",
            "The node gave an event that is later than its newest block.",
            where=f"block {facts.block}",
            hint="The node does not show the data of the chain: ask another node.",
        )


def _times(facts: Facts) -> Iterator[int]:
    for status in facts.status.values():
        yield from (change.at for change in status)
    for holds in facts.holds.values():
        yield from (change.at for change in holds)
    for uses in facts.uses.values():
        yield from (use.at for use in uses)
    for asset in facts.assets.values():
        yield from (holder.since for holder in asset.holders)
    for withdrawal in facts.withdrawals.values():
        yield from (withdrawal.at, withdrawal.reported_at)
    for account in facts.accounts.values():
        yield from (account.valid_from, account.valid_to, account.reported_at, account.compromised_at)


def _read_owners(
    reads: BatchedReads, records: Collection[AccountRecord], needed: FactsNeeded
) -> dict[int, tuple[Callable[[], PartyRecord], Callable[[], Span] | None]]:
    """Read the parties to which the accounts belong, by party number, and the accreditation of each of these
    parties.
    """
    scenario = needed.accreditation[1] if needed.accreditation else ""
    numbers = sorted({record.party_no for record in records})
    return {no: (reads.party(no), reads.accreditation(no, scenario) if scenario else None) for no in numbers}


def _owners(
    owned: Mapping[int, tuple[Callable[[], PartyRecord], Callable[[], Span] | None]], needed: FactsNeeded
) -> dict[int, tuple[str, PartyFact]]:
    """Return the parties to which the accounts belong, as a map from a party's number to its id."""
    issuer, scenario = needed.accreditation or ("", "")
    found: dict[int, tuple[str, PartyFact]] = {}
    for read, period in owned.values():
        party = read()
        accreditations = {scenario: period()} if period is not None and party.id == issuer else {}
        found[party.no] = party.id, PartyFact(party.no, party.status, party.roles, accreditations)
    return found


def _keys(bundle: Bundle, needed: FactsNeeded) -> Mapping[str, Jwk]:
    """Return the keys that the bundle needs, as a map from account to key.

    The key that signed the presentation may be missing from the bundle's list of keys, so it is taken from the
    certificate.
    """
    return {**bundle.keys, **_presenting(needed)}


def _presenting(needed: FactsNeeded) -> dict[str, Jwk]:
    """Return a map from the account that signed the presentation to its key. Both come from the certificate's ``cnf``.

    The map is empty if the key's suite is not installed; check 10 reports the missing suite.
    """
    if needed.presenter is None:
        return {}
    try:
        return {account_of_public_key(needed.presenter.compressed): needed.presenter}
    except Misconfigured:
        return {}


def _accounts(
    keys: Mapping[str, Jwk],
    records: Mapping[str, AccountRecord],
    proposed: Mapping[int, Callable[[], ProposalRecord]],
    owners: Mapping[int, tuple[str, PartyFact]],
) -> dict[str, AccountFact]:
    found: dict[str, AccountFact] = {}
    for account, record in records.items():
        key = keys.get(account)
        if key is None or not _is_of(key, account):
            continue
        found[account] = AccountFact(
            party=owners[record.party_no][0],
            valid_from=record.valid_from,
            valid_to=record.valid_to,
            reported_at=record.reported_at,
            compromised_at=record.compromised_at,
            proposal=_proposed(proposed[record.proposal]()) if record.proposal else None,
            key=key.compressed,
        )
    return found


def _proposed(proposal: ProposalRecord) -> ProposedKey:
    return ProposedKey(proposal.by, proposal.confirmed_by, proposal.at)


def _is_of(key: Jwk, account: str) -> bool:
    """Return whether the key belongs to the account.

    If the key's suite is not installed, the answer is False; the verifier reports the missing suite.
    """
    try:
        return account_of_public_key(key.compressed) == account
    except Misconfigured:
        return False


def _assets(reader: ChainReader, needed: FactsNeeded, block: int) -> dict[str, AssetFact]:
    if needed.asset is None:
        return {}
    record = reader.asset(needed.asset, block=block)
    if record is None:
        return {}
    return {
        needed.asset: AssetFact(
            state=record.state,
            holders=tuple(reader.holders(record, block=block)),
            frozen=record.frozen,
            valid_to=record.valid_to,
            head=reader.head(ASSET_REGISTRY, needed.asset, block=block),
            objections=record.objections,
            liens=tuple(LienFact(lien.creditor, lien.rank) for lien in reader.liens(record, block=block)),
            annulled_ancestor=reader.annulled_ancestor(needed.asset, block=block) or "",
        )
    }
