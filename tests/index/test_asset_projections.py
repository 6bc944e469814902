"""The index rows of an asset match the state computed from its events. It does not matter in how many steps they were
written, and few SQL statements are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, select

from ledger.index import tables
from ledger.index.asset_projections import project_assets
from ledger.index.events import IndexedEvent
from ledger.proof.assets.history import view_at
from tests.support.bundles.asset_histories import whole_life

TABLES = (tables.ASSETS, tables.OBJECTIONS, tables.RIGHTS, tables.LIENS, tables.LINEAGE)


def indexed() -> list[IndexedEvent]:
    """Return a history of assets that contains every event of the asset register, one event in each block."""
    return [
        IndexedEvent(number, 0, "ab" * 32, each.event.split(".")[0], each.event.split(".")[1], each.args)
        for number, each in enumerate(whole_life(), start=1)
    ]


def project_in_steps(steps: Sequence[Sequence[IndexedEvent]]) -> tuple[dict[str, list[Any]], int]:
    """Write the events into the index, step by step. Return the rows at the end, and the number of SQL statements of
    the last step.
    """
    engine = create_engine("sqlite://")
    tables.METADATA.create_all(engine)
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *answer: statements.append(answer[2]))
    for events in steps:
        statements.clear()
        with engine.begin() as connection:
            project_assets(connection, events)
    taken = len(statements)
    rows = rows_of(engine)
    engine.dispose()
    return rows, taken


def rows_of(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {table.name: list(connection.execute(select(table).order_by(*table.primary_key))) for table in TABLES}


@pytest.mark.parametrize("size", [1, 2, 5])
def test_an_assets_rows_are_the_same_for_any_division_of_its_events_into_steps(size: int) -> None:
    events = indexed()
    at_once, _ = project_in_steps([events])
    assert all(at_once[table.name] for table in TABLES if table is not tables.LIENS)
    in_steps, _ = project_in_steps([events[start : start + size] for start in range(0, len(events), size)])
    assert in_steps == at_once


def test_an_assets_rows_match_the_state_computed_from_its_events() -> None:
    events = indexed()
    for count in range(1, len(events) + 1):
        rows, _ = project_in_steps([events[:count]])
        view = view_at(whole_life()[:count], events[count - 1].at)
        (asset,) = rows["idx_assets"]
        assert (asset.state, asset.stage, asset.holder_no) == (view.state, view.stage or "", view.holder)
        assert asset.objections == len(view.open_objections)
        assert [row.end for row in rows["idx_rights"]] == [right.end for right in view.rights]
        assert {(row.lien, row.consent_to) for row in rows["idx_liens"]} == {
            (lien.lien, lien.consent_to or 0) for lien in view.liens
        }
        assert [row.grounds for row in rows["idx_objections"]] == [each.grounds for each in view.objections]
        assert len(rows["idx_lineage"]) == len(view.parents) + len(view.successors)


def test_the_number_of_sql_statements_of_a_step_does_not_grow_with_its_events() -> None:
    """Four SQL statements read rows. At most two statements write to each of four tables, and one statement writes to
    the table of lineage, whose rows never change.
    """
    events = indexed()
    _, taken = project_in_steps([events[:1], events[1:]])
    assert taken <= 4 + 2 * 4 + 1
