"""If a node hides events, a hash over the events differs from the contract's, and the follower writes nothing."""

from __future__ import annotations

import pytest

from ledger.chain.contracts.abi import Event
from ledger.errors import ChainUnavailable
from ledger.index.follower import Follower
from tests.index.conftest import NewEngine, Rows
from tests.support.chain.deployed import Chain
from tests.support.chain.hiding_nodes import reader_without
from tests.support.chain.scripted_ledger import ASSETS


def nth(chain: Chain, contract: str, name: str, place: int) -> Event:
    events = chain.reader.events(chain.reader.deploy_block, chain.reader.block_number())
    return [event for event in events if (event.contract, event.name) == (contract, name)][place]


@pytest.mark.parametrize(
    ("contract", "name", "place", "step"),
    [
        ("CertificateLog", "StatusChanged", -1, 500),
        ("CertificateLog", "Superseded", 0, 5),
        ("CertificateLog", "Used", -1, 1),
        ("CertificateLog", "Withdrawn", 0, 500),
        ("CertificateLog", "Held", 1, 500),
        ("CertificateLog", "Anchored", -1, 5),
        ("PartyRegistry", "PartyRegistered", 0, 500),
        ("PartyRegistry", "RolesChanged", -1, 5),
        ("PartyRegistry", "AccountReported", 0, 500),
        ("PartyRegistry", "Proposed", 1, 5),
        ("PartyRegistry", "ProposalEnded", -1, 500),
        ("PartyRegistry", "Paused", 0, 500),
        ("AssetRegistry", "TransferRejected", 0, 500),
    ],
)
def test_an_event_that_the_node_hides_is_detected(
    lived: Chain, lived_rows: Rows, new_engine: NewEngine, contract: str, name: str, place: int, step: int
) -> None:
    engine, hidden = new_engine(), nth(lived, contract, name, place)
    follower = Follower(engine, reader_without(lived, hidden), step=step)
    with pytest.raises(ChainUnavailable) as caught:
        follower.sync()
    assert (caught.value.code, caught.value.details["contract"]) == ("INDEX_HEAD_MISMATCH", contract)
    rows = follower.snapshot_rows()
    assert rows["idx_cursor"][0][1] < hidden.block_number
    assert rows["idx_events"] == lived_rows["idx_events"][: len(rows["idx_events"])]
    honest = Follower(engine, lived.reader)
    honest.sync()
    assert honest.snapshot_rows() == lived_rows


def test_a_hidden_event_of_an_asset_is_detected_at_the_assets_next_event(
    lived: Chain, lived_rows: Rows, new_engine: NewEngine
) -> None:
    """The hash over the events of an asset is compared only when a step has an event of this asset. Rebuilding repairs
    the index.
    """
    engine, hidden = new_engine(), nth(lived, "AssetRegistry", "TransferRejected", 0)
    follower = Follower(engine, reader_without(lived, hidden), step=1)
    with pytest.raises(ChainUnavailable) as caught:
        follower.sync()
    assert (caught.value.code, caught.value.details["scope"]) == ("INDEX_HEAD_MISMATCH", ASSETS[0])
    assert caught.value.details["block"] == hidden.block_number + 1
    honest = Follower(engine, lived.reader)
    honest.rebuild()
    assert honest.snapshot_rows() == lived_rows
