"""Facts for one bundle, read as of one block: all that a verifier needs to know of the chain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ledger.chain.accounts import account_of_public_key
from ledger.chain.questions import Questions
from ledger.chain.reader import ChainReader
from ledger.chain.records import AccountRecord, StatusChange, Use, Withdrawal
from ledger.errors import ChainUnavailable, Misconfigured
from ledger.proof.bundle import Bundle, ChainId
from ledger.proof.facts import (
    AccountFact,
    AssetFact,
    Facts,
    FactsNeeded,
    HolderFact,
    LienFact,
    PartyFact,
    StatusFact,
    UseFact,
    WithdrawalFact,
    facts_needed,
)
from ledger.proof.jws import Jwk

MAX_LEAVES: Final = 2**32


def collect_facts(reader: ChainReader, bundle: Bundle) -> Facts:
    """What the chain says about a bundle; what it does not know is left out, so the check that needs it fails.

    Three turns to the node: the block, what the bundle names, and whom its accounts belong to; a fourth for a
    certificate that was used before or a consent that its subject withdrew. Raises ``ChainUnavailable``, also where
    events and state of the node do not agree.
    """
    needed = facts_needed(bundle)
    deployment, latest = reader.deployment, reader.latest()
    block = latest.number
    asked, span = reader.questions(block), (reader.deploy_block, block)
    bound = {account: asked.account(account) for account in sorted(needed.accounts)}
    commitments = {batch: asked.commitment(batch) for batch in sorted(needed.batches)}
    places = [position for position in sorted(needed.positions) if position.index < MAX_LEAVES]
    status = {place: asked.status_history(place.batch, place.index, *span) for place in places}
    uses = {place: asked.use_history(place.batch, place.index, *span) for place in places if place == needed.used}
    subjects = frozenset[str]().union(*needed.subjects.values())
    numbers = {subject: asked.party_no(subject) for subject in sorted(subjects)}
    anchors = {batch: word for batch, told in commitments.items() if (word := told())}
    named = {
        place: [no for subject in needed.subjects[place] if (no := numbers[subject]())]
        for place in places
        if place in needed.subjects and place.batch in anchors
    }
    withdrawn = {
        place: asked.withdrawal_history(place.batch, place.index, *span, parties) for place, parties in named.items()
    }
    owners = _owners(asked, bound, needed)
    accounts = _accounts(bundle, bound, owners)
    signers = {fact.party for fact in accounts.values()}
    facts = Facts(
        chain=ChainId(
            deployment.chain_id, deployment.certificate_log, deployment.party_registry, deployment.asset_registry
        ),
        block=block,
        block_hash=latest.hash,
        block_time=latest.time,
        anchors=anchors,
        status={place: _status(told()) for place, told in status.items() if place.batch in anchors},
        uses={place: _uses(told()) for place, told in uses.items() if place.batch in anchors},
        withdrawals={place: _withdrawals(reader, told()) for place, told in withdrawn.items()},
        accounts=accounts,
        parties={party: fact for party, fact in owners.values() if party in signers},
        assets=_assets(reader, needed, block),
    )
    _require_past(facts)
    return facts


def _require_past(facts: Facts) -> None:
    """What a node dates after its own newest block would count for nothing yet: a withdrawal told, and hidden so."""
    times = [change.at for history in facts.status.values() for change in history]
    times += [use.at for history in facts.uses.values() for use in history]
    times += [withdrawal.at for history in facts.withdrawals.values() for withdrawal in history]
    times += [holder.since for asset in facts.assets.values() for holder in asset.holders]
    if any(time > facts.block_time for time in times):
        raise ChainUnavailable(
            "EVENT_AFTER_BLOCK",
            "The node tells of an event that is later than its newest block.",
            where=f"block {facts.block}",
            hint="The node does not tell what the chain holds: ask another node.",
        )


def _owners(
    asked: Questions, bound: Mapping[str, Callable[[], AccountRecord | None]], needed: FactsNeeded
) -> dict[int, tuple[str, PartyFact]]:
    """The parties behind the accounts by number, each with its id."""
    records = [told() for told in bound.values()]
    numbers = sorted({record.party_no for record in records if record is not None})
    issuer, scenario = needed.accreditation or ("", "")
    parties = [asked.party(number) for number in numbers]
    periods = {number: asked.accreditation(number, scenario) for number in numbers} if scenario else {}
    found: dict[int, tuple[str, PartyFact]] = {}
    for party in (told() for told in parties):
        accreditations = {scenario: periods[party.no]()} if scenario and party.id == issuer else {}
        found[party.no] = party.id, PartyFact(party.no, party.status, party.roles, accreditations)
    return found


def _accounts(
    bundle: Bundle,
    bound: Mapping[str, Callable[[], AccountRecord | None]],
    owners: Mapping[int, tuple[str, PartyFact]],
) -> dict[str, AccountFact]:
    found: dict[str, AccountFact] = {}
    for account, told in bound.items():
        record, key = told(), bundle.keys.get(account)
        if record is None or key is None or not _is_of(key, account):
            continue
        found[account] = AccountFact(
            party=owners[record.party_no][0],
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


def _status(history: Sequence[StatusChange]) -> tuple[StatusFact, ...]:
    return tuple(StatusFact(change.status, change.reason, change.at, change.by) for change in history)


def _uses(history: Sequence[Use]) -> tuple[UseFact, ...]:
    return tuple(UseFact(use.ordinal, use.at) for use in history)


def _withdrawals(reader: ChainReader, history: Sequence[Withdrawal]) -> tuple[WithdrawalFact, ...]:
    """By the subjects that the evidence names: theirs alone count."""
    return tuple(WithdrawalFact(reader.party_id(each.party_no), each.at) for each in history)


def _assets(reader: ChainReader, needed: FactsNeeded, block: int) -> dict[str, AssetFact]:
    if needed.asset is None:
        return {}
    record = reader.asset(needed.asset, block=block)
    if record is None:
        return {}
    return {
        needed.asset: AssetFact(
            state=record.state,
            holders=tuple(HolderFact(each.holder, each.since) for each in reader.holders(record, block=block)),
            frozen=record.frozen,
            valid_to=record.valid_to,
            head=reader.head("AssetRegistry", needed.asset, block=block),
            objections=record.objections,
            liens=tuple(LienFact(lien.creditor, lien.rank) for lien in reader.liens(record, block=block)),
            annulled_ancestor=reader.annulled_ancestor(needed.asset, block=block) or "",
        )
    }
