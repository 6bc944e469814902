"""A follower gets the same rows from the same chain, however many steps it needs and however often it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select

from ledger.chain.contracts.names import names_of_offices
from ledger.domain.powers import MAX_PAUSE, ProposalState
from ledger.domain.reasons import REASONS
from ledger.index import tables
from ledger.index.follower import Follower
from ledger.index.proposals import RunningTime, running_time
from ledger.proof.bundle import Position
from ledger.proof.facts import HoldFact, UseFact, WithdrawalFact
from ledger.proof.head import EVENTS
from tests.index.conftest import NewEngine, Rows
from tests.support.chain.deployed import Chain
from tests.support.chain.reads import asset_by_fingerprint, state_of, use_history
from tests.support.chain.scripted_ledger import (
    ALL_ASSETS,
    ASSETS,
    CONSENT,
    OTHER_CONSENT,
    OTHER_REQUEST,
    REQUEST,
    digest,
)


def test_a_rebuild_of_the_index_gives_the_same_rows(lived: Chain, new_engine: NewEngine, lived_rows: Rows) -> None:
    assert {f"{row[3]}.{row[5]}" for row in lived_rows["idx_events"]} == set(EVENTS)
    assert all(lived_rows.values())
    follower = Follower(new_engine(), lived.reader)
    report = follower.sync()
    assert report.events == len(lived_rows["idx_events"])
    assert follower.snapshot_rows() == lived_rows
    assert follower.rebuild() == report
    assert follower.snapshot_rows() == lived_rows


@pytest.mark.parametrize("step", [1, 7])
def test_the_rows_of_the_index_do_not_depend_on_the_size_of_a_step(
    lived: Chain, new_engine: NewEngine, lived_rows: Rows, step: int
) -> None:
    follower = Follower(new_engine(), lived.reader, step=step)
    follower.sync()
    assert follower.snapshot_rows() == lived_rows


def test_a_small_window_reduces_only_the_number_of_stored_block_headers(
    lived: Chain, new_engine: NewEngine, lived_rows: Rows
) -> None:
    found = []
    for step in (3, 500):
        follower = Follower(new_engine(), lived.reader, step=step, window=2)
        follower.sync()
        found.append(follower.snapshot_rows())
    assert found[0] == found[1]
    assert {**found[0], "idx_blocks": []} == {**lived_rows, "idx_blocks": []}
    assert set(found[0]["idx_blocks"]) < set(lived_rows["idx_blocks"])


def test_the_rows_of_the_index_match_the_results_of_the_contracts_view_functions(
    lived: Chain, new_engine: NewEngine
) -> None:
    """The rows of each table of the index are compared with what the contracts' view functions return."""
    chain = lived
    engine = new_engine()
    Follower(engine, chain.reader).sync()
    with engine.connect() as connection:
        rows = {table.name: connection.execute(select(table)).all() for table in tables.PROJECTIONS}
    for row in rows["idx_parties"]:
        party = chain.reader.party(row.no)
        assert (party.id, chain.reader.party_no(row.id)) == (row.id, row.no)
    for row in rows["idx_accounts"]:
        account = chain.reader.account(row.account)
        assert account is not None
        # The contract also says whether possession of the key was proven. This last field is left out, because no event
        # contains it.
        assert astuple(account)[:-1] == tuple(row)
    for row in rows["idx_accreditations"]:
        assert chain.reader.accreditation(row.party_no, row.scenario) == (row.valid_from, row.valid_to)
    compare_log(chain, rows)
    compare_powers(chain, engine, rows)
    assert {row.id for row in rows["idx_assets"]} == set(ALL_ASSETS)
    for row in rows["idx_assets"]:
        asset = chain.reader.asset(row.id)
        assert asset is not None
        for name in ("state", "grade", "cleared", "frozen", "objections", "since", "until", "valid_to"):
            assert getattr(asset, name) == getattr(row, name), name
        assert (asset.kind or "", asset.stage or "") == (row.kind, row.stage)
        assert asset.holder == chain.reader.party_id(row.holder_no)
        assert asset_by_fingerprint(chain.reader, row.fingerprint) == row.id
        liens = {(lien.lien, lien.rank, lien.sole, lien.since) for lien in chain.reader.liens(asset)}
        assert liens == {
            (lien.lien, lien.rank, lien.sole, lien.since) for lien in rows["idx_liens"] if lien.asset == row.id
        }
    rights = [(row.id, right) for row in rows["idx_assets"] for right in chain.reader.rights(row.id)]
    assert [(asset, right.no, right.kind, right.start, right.end, right.parent or 0) for asset, right in rights] == (
        [(row.asset, row.no, row.kind, row.start, row.end, row.parent) for row in rows["idx_rights"]]
    )
    for row in rows["idx_objections"]:
        kept = (row.objector_no, row.state, row.to_application, row.filed_at)
        assert chain.objection(row.asset, row.no) == kept
    assert {row.relation for row in rows["idx_lineage"]} == {"derived_from", "replaced_by"}
    contents = {row.id: row.content for row in rows["idx_assets"]}
    first, second, third = ASSETS
    assert contents[first] == digest("changed content")
    assert contents[second] == digest("corrected content")
    # The application to change the third asset's content was rejected, so the asset kept its content.
    assert contents[third] == digest(f"content {third}")


def compare_powers(chain: Chain, engine: Engine, rows: dict[str, Sequence[Row[Any]]]) -> None:
    """Compare proposals and the pause with the contract's view functions."""
    reader = chain.reader
    found = reader.proposals()
    assert {proposal.state for proposal in found} == set(ProposalState)
    assert [
        (row.no, row.act, row.state, row.role, row.concerned, row.by, row.confirmed_by, row.at, row.ready)
        for row in rows["idx_proposals"]
    ] == [
        (each.no, each.act, each.state, each.role, each.concerned, each.by, each.confirmed_by, each.at, each.ready)
        for each in found
    ]
    (pause,) = rows["idx_pauses"]
    assert (pause.by, pause.until - pause.at) == (chain.parties["supervisor"].no, MAX_PAUSE)
    block = reader.latest()
    with engine.connect() as connection:
        assert running_time(connection, block.time) == RunningTime(block.time, reader.running(), 0)


def compare_log(chain: Chain, rows: dict[str, Sequence[Row[Any]]]) -> None:
    """Compare the tables of the certificate log with the contract's view functions."""
    reader, no = chain.reader, {name: party.no for name, party in chain.parties.items()}
    for row in rows["idx_anchors"]:
        anchored = reader.anchored(row.issuer, row.batch)
        assert anchored is not None
        assert (anchored.first_seq, anchored.size, anchored.root, anchored.at, anchored.tx_hash) == (
            (row.first_seq, row.size, row.root, row.at, row.tx_hash)
        )
    batches = Counter(row.issuer for row in rows["idx_anchors"])
    assert batches == {no[name]: reader.batch_count(no[name]) for name in ("issuer", "other_issuer")}
    last = {
        Position(row.issuer, row.batch, row._mapping["index"]): row.status
        for row in sorted(rows["idx_statuses"], key=lambda row: tuple(row))
    }
    assert set(last.values()) == {0, 1, 2, 3}
    for place, status in last.items():
        assert state_of(reader, place) == ("active", "suspended", "revoked", "revoked")[status]
    assert [tuple(row)[:5] for row in rows["idx_supersessions"]] == [(no["issuer"], 0, 5, 1, 0)]
    latest = reader.block_number()
    for request, count in ((REQUEST, 3), (OTHER_REQUEST, 1)):
        found = [(row.consumer, UseFact(row.ordinal, row.at)) for row in rows["idx_uses"] if row.request == request]
        assert found == [(no["bank"], use) for use in use_history(reader, no["bank"], request, block=latest)]
        assert len(found) == count
    withdrawn = {(row.party, row.statement): WithdrawalFact(row.at, row.reported_at) for row in rows["idx_withdrawals"]}
    assert {(*key, bool(times.at), bool(times.reported_at)) for key, times in withdrawn.items()} == {
        (no["enterprise"], CONSENT, True, False),
        (no["enterprise"], OTHER_CONSENT, True, False),
        (no["provider"], CONSENT, True, False),
        (no["other_supervisor"], CONSENT, True, True),
        (no["other_supervisor"], OTHER_CONSENT, False, True),
    }
    for (party, statement), times in withdrawn.items():
        assert reader.withdrawn_at(party, statement) == times
    for statement, changes in ((CONSENT, 3), (REQUEST, 1)):
        holds = [row for row in rows["idx_holds"] if row.statement == statement]
        assert [
            HoldFact(names_of_offices(row.offices), REASONS[row.reason], row.at, row.by) for row in holds
        ] == reader.hold_history(statement, block=latest)
        assert [row.change for row in holds] == list(range(1, changes + 1))


def test_each_event_of_the_certificate_log_has_the_party_that_acted(lived: Chain, lived_rows: Rows) -> None:
    events = [row for row in lived_rows["idx_events"] if row[3] == "CertificateLog"]
    names = {party.no: name for name, party in lived.parties.items()}
    assert {(row[5], names[row[8]]) for row in events} == {
        ("Anchored", "issuer"),
        ("Anchored", "other_issuer"),
        ("StatusChanged", "issuer"),
        ("StatusChanged", "other_issuer"),
        ("Superseded", "issuer"),
        ("Used", "bank"),
        ("Withdrawn", "enterprise"),
        ("Withdrawn", "provider"),
        ("Withdrawn", "other_supervisor"),
        ("Held", "founder"),
        ("Held", "supervisor"),
    }


def test_the_heads_in_the_index_match_the_heads_in_the_contracts(lived: Chain, lived_rows: Rows) -> None:
    heads = {(row[3], row[4] or None): row[9] for row in lived_rows["idx_events"]}
    assert len(heads) == 2 + len(ALL_ASSETS)
    assert lived.reader.heads(list(heads)) == list(heads.values())
