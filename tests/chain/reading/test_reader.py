"""Tests the reader of the chain: parties, accounts, assets, events and blocks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.chain.contracts.deployment import ASSET_REGISTRY
from ledger.chain.reading.contract_state import AssetRecord
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending import asset_calls, calls
from ledger.errors import ChainUnavailable, NotFound
from tests.support.chain.deployed import ACCREDITED_UNTIL, NOTICE, SCENARIO, Chain, test_key
from tests.support.chain.reads import asset_by_fingerprint
from tests.support.chain.scripted_ledger import (
    ASSETS,
    FAR,
    account,
    confirm,
    digest,
    live,
    register,
)

ASSET = "a5" * 32


def test_the_reader_reads_parties_and_accounts(chain: Chain) -> None:
    issuer = chain.parties["issuer"]
    party = chain.reader.party(issuer.no)
    assert (party.id, party.status, party.roles) == (issuer.id, "active", ("issuer",))
    assert (chain.reader.party_no(issuer.id), chain.reader.party_id(issuer.no)) == (issuer.no, issuer.id)
    assert chain.reader.party_no("ee" * 32) == 0
    for ask in (chain.reader.party, chain.reader.party_id):
        with pytest.raises(NotFound) as caught:
            ask(99)
        assert caught.value.code == "PARTY_UNKNOWN"
    record = chain.reader.account(issuer.account.upper().replace("0X", "0x"))
    assert record is not None
    assert (record.account, record.party_no, record.valid_to, record.proposal) == (issuer.account, issuer.no, 0, 0)
    assert record.speaks
    assert chain.reader.account("0x" + "ee" * 20) is None
    assert chain.reader.accreditation(issuer.no, SCENARIO) == (0, ACCREDITED_UNTIL)
    assert chain.reader.accreditation(issuer.no, "S99") == (0, 0)


def test_a_recovered_account_has_the_time_of_its_compromise(chain: Chain) -> None:
    bank, lost_at = chain.parties["bank"], chain.reader.latest().time
    key = test_key("the bank's new key")
    recovery = calls.change_key(bank.no, account("the bank's new key"), bank.account, chain.proof(key, bank.no))
    receipt = chain.decide(recovery)
    chain.decide(calls.date_compromise(bank.no, bank.account, lost_at))
    old, fresh = chain.reader.account(bank.account), chain.reader.account(account("the bank's new key"))
    assert old is not None and fresh is not None
    assert (old.valid_to, old.reported_at, old.compromised_at) == (receipt.time, 0, lost_at)
    assert (fresh.party_no, fresh.valid_from, fresh.valid_to) == (bank.no, receipt.time, 0)
    assert (fresh.proven, fresh.proposal, fresh.speaks, old.live) == (True, 1, True, False)


def test_the_reader_follows_an_asset_through_an_offer(chain: Chain) -> None:
    provider, bank = chain.parties["provider"], chain.parties["bank"]
    assert chain.reader.asset(ASSET) is None
    at = chain.acting("provider").send(register(ASSET)).time
    applied = AssetRecord(
        id=ASSET,
        state="applied",
        kind="first",
        stage="submitted",
        grade="general",
        cleared=False,
        frozen=False,
        objections=0,
        liens=(),
        holder=provider.id,
        offered_to=None,
        until=0,
        valid_to=0,
        since=at,
    )
    assert chain.reader.asset(ASSET) == applied
    confirm(chain, ASSET, valid_to=FAR)
    confirmed = replace(applied, state="confirmed", kind=None, stage=None, valid_to=FAR)
    chain.acting("provider").send(asset_calls.offer_transfer(ASSET, bank.no, FAR - 1))
    offered = replace(confirmed, offered_to=bank.id, until=FAR - 1)
    assert chain.reader.assets([ASSET, "ee" * 32]) == [offered, None]
    since = chain.acting("bank").send(asset_calls.accept_transfer(ASSET)).time
    assert chain.reader.asset(ASSET) == replace(confirmed, holder=bank.id, since=since)


def test_the_reader_reads_rights_and_liens_and_objections_and_fingerprints(chain: Chain) -> None:
    live(chain)
    reader, parties = chain.reader, chain.parties
    first, second, third = ASSETS
    granted, licence = reader.rights(first)
    assert (granted.kind, granted.grantee, granted.parent) == ("operate", parties["assessor"].id, None)
    assert (licence.grantee, licence.parent, licence.start) == (parties["enterprise"].id, 1, licence.end)
    asset = reader.asset(first)
    assert asset is not None
    (lien,) = reader.liens(asset)
    assert (lien.lien, lien.creditor, lien.rank, lien.sole) == (0, parties["enterprise"].id, 1, False)
    assert lien.consent_to == parties["bank"].id
    against = chain.objection(first, 1)
    assert against is not None and against[:3] == (parties["enterprise"].no, "upheld", False)
    assert chain.objection(first, 2) is None
    assert asset_by_fingerprint(reader, digest("changed print")) == first
    assert asset_by_fingerprint(reader, digest("no print")) is None
    assert (reader.annulled_ancestor(second), reader.annulled_ancestor(third)) == (None, None)
    assert chain.client.read(ASSET_REGISTRY, "minimumNotice", []) == [NOTICE]


def test_events_are_in_order_for_every_size_of_block_range(chain: Chain) -> None:
    live(chain)
    first, last = chain.reader.deploy_block, chain.reader.block_number()
    whole = chain.reader.events(first, last)
    places = [(event.block_number, event.log_index) for event in whole]
    assert places == sorted(set(places))
    chain.reader.connection.log_range.shrink(4)
    assert chain.reader.events(first, last) == whole
    assert chain.reader.events(last + 1, last) == []


def test_a_missing_block_is_reported(chain: Chain) -> None:
    assert chain.reader.block(10**6) is None
    with pytest.raises(ChainUnavailable) as caught:
        chain.reader.blocks([10**6])
    assert caught.value.code == "BLOCK_MISSING"
    assert isinstance(chain.reader, ChainReader)
