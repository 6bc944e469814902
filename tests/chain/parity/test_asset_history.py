"""Computes an asset from its events, and compares it with the contract's record at every block of a
scripted history.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, select

from ledger.chain.contracts.abi import json_safe
from ledger.chain.contracts.deployment import ASSET_REGISTRY, Deployment
from ledger.chain.local.node import LocalNode
from ledger.chain.reading.contract_state import AssetRecord, LienRecord, RightRecord
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.client import ChainClient
from ledger.index import tables
from ledger.index.follower import Follower
from ledger.proof.assets.history import view_at
from ledger.proof.assets.view import AssetView
from ledger.proof.head import EVENTS, genesis
from ledger.proof.history import HistoryEvent, verify_history
from tests.chain.parity.scripted_assets import live_assets_through
from tests.support.chain.deployed import PARTIES, Chain
from tests.support.chain.reads import asset_by_fingerprint

Histories = dict[str, list[HistoryEvent]]


@pytest.fixture(scope="module")
def lived(node: LocalNode, deployment: Deployment) -> Iterator[Chain]:
    token = node.snapshot()
    client = ChainClient(Connection(node.url), deployment, PARTIES["issuer"].key)
    chain = Chain(node, deployment, client, ChainReader(client), dict(PARTIES))
    live_assets_through(chain)
    yield chain
    node.revert(token)


@pytest.fixture(scope="module")
def histories(lived: Chain) -> Histories:
    found: Histories = defaultdict(list)
    for event in lived.reader.events(lived.reader.deploy_block, lived.reader.block_number()):
        if event.contract == ASSET_REGISTRY:
            args = json_safe(dict(event.args))
            found[str(event.args["id"])].append(HistoryEvent(f"{event.contract}.{event.name}", args))
    return found


def record_of(view: AssetView, reader: ChainReader) -> AssetRecord | None:
    """Convert an asset that was computed from its events to the form in which the chain's reader returns assets."""
    if view.asset is None or view.holder is None:
        return None
    return AssetRecord(
        id=view.asset,
        state=view.state,
        kind=view.kind,
        stage=view.stage,
        grade=view.grade,
        cleared=view.cleared,
        frozen=view.frozen,
        objections=len(view.open_objections),
        liens=tuple(sorted(each.lien for each in view.liens)),
        holder=reader.party_id(view.holder),
        offered_to=reader.party_id(view.offered_to) if view.offered_to else None,
        until=view.until,
        valid_to=view.valid_to,
        since=view.since,
    )


def compare_with_contract(view: AssetView, asset: str, chain: Chain, block: int) -> None:
    """Compare every field that the contract keeps."""
    reader = chain.reader
    record = reader.asset(asset, block=block)
    assert record_of(view, reader) == record
    if record is None:
        return
    assert [
        LienRecord(
            each.lien,
            reader.party_id(each.creditor),
            each.rank,
            each.sole,
            reader.party_id(each.consent_to) if each.consent_to else None,
            each.since,
        )
        for each in view.liens
    ] == reader.liens(record, block=block)
    assert [
        RightRecord(
            each.no,
            each.kind,
            each.exclusive,
            each.sublicensable,
            each.transferable,
            reader.party_id(each.grantee),
            each.start,
            each.end,
            each.parent,
        )
        for each in view.rights
    ] == reader.rights(asset, block=block)
    assert [(each.objector, each.state, each.to_application, each.filed_at) for each in view.objections] == [
        chain.objection(asset, number, block) for number in range(1, len(view.objections) + 1)
    ]
    assert chain.objection(asset, len(view.objections) + 1, block) is None
    (parents,) = chain.client.read(ASSET_REGISTRY, "parentsOf", [asset], block=block)
    assert [parent for _, parent in view.parents] == parents
    if view.fingerprint is not None and view.state in ("applied", "confirmed"):
        assert asset_by_fingerprint(reader, view.fingerprint, block=block) == asset


def test_the_scripted_history_of_assets_has_every_kind_of_event(histories: Histories) -> None:
    kinds = {event.event for history in histories.values() for event in history}
    assert kinds == {name for name in EVENTS if name.startswith("AssetRegistry.")}


def test_the_asset_computed_from_events_matches_the_contract_at_every_block(lived: Chain, histories: Histories) -> None:
    acts = [(event.args["at"], asset) for asset, history in histories.items() for event in history]
    blocks = lived.reader.blocks(range(lived.reader.deploy_block, lived.reader.block_number() + 1))
    last_at = {block.time: block.number for block in blocks}
    assert len({at for at, _ in acts}) > 80
    for at, asset in sorted(set(acts)):
        history = histories[asset]
        compare_with_contract(view_at(history, at), asset, lived, last_at[at])
        earlier = [number for time, number in last_at.items() if time < at]
        if at == history[0].args["at"]:
            compare_with_contract(view_at(history, at - 1), asset, lived, max(earlier))
    for asset, history in histories.items():
        compare_with_contract(view_at(history, blocks[-1].time), asset, lived, blocks[-1].number)


def test_the_history_of_each_asset_is_complete(lived: Chain, histories: Histories) -> None:
    deployment = lived.deployment
    for asset, history in histories.items():
        head = bytes.fromhex(lived.reader.head(ASSET_REGISTRY, asset))
        start = genesis(deployment.origin, deployment.chain_id, deployment.asset_registry, asset)
        assert verify_history(history, head, start).complete


def test_the_asset_computed_from_events_matches_the_index(lived: Chain, histories: Histories) -> None:
    engine = create_engine("sqlite://")
    Follower(engine, lived.reader).sync()
    now = lived.reader.latest().time
    with engine.connect() as connection:
        rows = {row.id: row for row in connection.execute(select(tables.ASSETS))}
        rights = connection.execute(select(tables.RIGHTS).order_by(tables.RIGHTS.c.no)).all()
        liens = connection.execute(select(tables.LIENS).order_by(tables.LIENS.c.rank)).all()
        objections = connection.execute(select(tables.OBJECTIONS).order_by(tables.OBJECTIONS.c.no)).all()
        lineage = connection.execute(select(tables.LINEAGE).order_by(*tables.LINEAGE.primary_key)).all()
    engine.dispose()
    assert set(rows) == set(histories)
    for asset, history in histories.items():
        row, view = rows[asset], view_at(history, now)
        assert (view.state, view.kind or "", view.stage or "", view.grade, view.cleared) == (
            (row.state, row.kind, row.stage, row.grade, row.cleared)
        )
        assert (view.holder, view.content, view.filed, view.fingerprint, view.frozen) == (
            (row.holder_no, row.content, row.filed, row.fingerprint, row.frozen)
        )
        assert (view.until, view.valid_to, view.offered_to or 0, view.since) == (
            (row.until, row.valid_to, row.offered_to, row.since)
        )
        assert [
            (each.no, each.kind, each.grantee, each.start, each.end, each.parent or 0, each.scope)
            for each in view.rights
        ] == [
            (each.no, each.kind, each.grantee_no, each.start, each.end, each.parent, each.scope)
            for each in rights
            if each.asset == asset
        ]
        assert [(each.lien, each.creditor, each.rank, each.consent_to or 0) for each in view.liens] == [
            (each.lien, each.creditor_no, each.rank, each.consent_to) for each in liens if each.asset == asset
        ]
        assert [(each.no, each.objector, each.state, each.decided_at or 0) for each in view.objections] == [
            (each.no, each.objector_no, each.state, each.decided_at) for each in objections if each.asset == asset
        ]
        links = [*view.parents, *(("replaced_by", successor) for successor in view.successors)]
        assert links == [(each.relation, each.other) for each in lineage if each.asset == asset]
