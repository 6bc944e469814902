"""Maps columns of real panels to the columns that the scenarios' sources have.

The panels only stand in for providers' records. They contain wages, weeks and employees, but no contributions, taxes or
use of power. So a wage stands for the contribution base, and the number of a firm's employees stands for its use of
power. Each number comes from the panel, or is computed from it by the expression in ``Cell.formula``; no number is
invented. If a scenario's rows are months, the panel's last year stands for the last complete month, the year before for
the month before, and so on.

The panels contain no permits, contracts or awards. Digests and numbers of such documents are made from the subject's
number.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from ledger.demo.data.panels import FIRMS, WORKERS, YOUNG_MEN, PanelRow
from ledger.domain.digests import reference


@dataclass(frozen=True, slots=True)
class Context:
    """A row of the panel, the row before it, and the subject's number in the panel. For the first row, the row before
    it is the row itself.
    """

    row: PanelRow
    before: PanelRow
    number: str
    first_month: str


@dataclass(frozen=True, slots=True)
class Cell:
    """How one column of the scenario is made: the formula in words, and a function that returns the column's text for a
    row.
    """

    formula: str
    of: Callable[[Context], str]


@dataclass(frozen=True, slots=True)
class Mapped:
    """How the rows of one source are made. ``period`` is the name of the column with the period of each row. If
    ``newest`` is true, only the newest row is used.
    """

    panel: str
    period: str
    cells: Mapping[str, Cell]
    newest: bool = False


def _current(panel: str, cells: Mapping[str, Cell]) -> Mapped:
    """Describe a register that has only one row for each subject: the present row, whose period is a day."""
    return Mapped(panel, "day", cells, newest=True)


def _whole(formula: str, value: Callable[[PanelRow], float]) -> Cell:
    return Cell(formula, lambda context: _rounded(value(context.row), "1"))


def _money(formula: str, value: Callable[[PanelRow], float]) -> Cell:
    return Cell(formula, lambda context: _rounded(value(context.row), "0.01"))


def _yes(formula: str, holds: Callable[[PanelRow], bool], yes: str = "yes", no: str = "no") -> Cell:
    return Cell(f"{formula}: {yes}, else {no}", lambda context: yes if holds(context.row) else no)


def _fall(column: str) -> Cell:
    """Describe a cell with a record status, which is computed from the panel's column: the more the number fell since
    the year before, the worse the status.
    """

    def of(context: Context) -> str:
        left = context.row[column] / context.before[column]
        return "none" if left > 0.9 else "repaired" if left > 0.8 else "open"

    return Cell(f"{column} fell by ≥ 20 %: open, ≥ 10 %: repaired, else none", of)


def _digest(of_what: str) -> Cell:
    """Describe a cell with a digest of the firm's number, which stands for the digest of a document that the panel does
    not have.
    """

    def of(context: Context) -> str:
        return reference(hashlib.sha256(f"demo|{of_what}|{context.number}".encode()).hexdigest())

    return Cell(f"SHA-256 of '{of_what}' and the firm's number", of)


def _rounded(value: Any, places: str) -> str:
    return str(Decimal(repr(float(value))).quantize(Decimal(places), ROUND_HALF_UP))


def _level(context: Context) -> str:
    wage = context.row["wage"]
    return next((level for level, least in (("A", 30), ("B", 24), ("M", 20), ("C", 15)) if wage >= least), "D")


def _owing(formula: str, holds: Callable[[PanelRow], bool]) -> Cell:
    return _yes(formula, holds, "clear", "owing")


def _licence(formula: str, holds: Callable[[PanelRow], bool]) -> Cell:
    return _yes(formula, holds, "valid", "expired")


def _has_arrears(context: Context) -> str:
    return "yes" if context.row["emp"] < 0.9 * context.before["emp"] else "no"


def _score(column: str, most: int) -> Mapped:
    cell = _whole(f"{column} of {most}, in %", lambda row: row[column] * 100 / most)
    return Mapped(WORKERS, "month", {"score": cell})


def _permit(document: str, formula: str, holds: Callable[[PanelRow], bool]) -> Mapped:
    return _current(FIRMS, {"status": _licence(formula, holds), "number_digest": _digest(document)})


MAPPING: Final[Mapping[tuple[str, str], Mapped]] = {
    ("S01", "electricity"): Mapped(
        FIRMS,
        "month",
        {
            "kwh": _money("emp × 10,000", lambda row: row["emp"] * 10_000),
            "on_time": _yes("output ≥ 95", lambda row: row["output"] >= 95),
            "arrears": Cell("emp fell by > 10 %: yes, else no", _has_arrears),
            "opened": Cell("month of the firm's first year", lambda context: context.first_month),
            "meter_digest": _digest("meter"),
        },
    ),
    ("S02", "social_insurance"): Mapped(
        YOUNG_MEN,
        "month",
        {"base": _money("exp(lwage) × hours", lambda row: math.exp(row["lwage"]) * row["hours"])},
    ),
    ("S03", "social_insurance"): _score("wks", 52),
    ("S03", "vehicle"): _score("ed", 17),
    ("S03", "housing_fund"): _score("lwage", 9),
    ("S04", "housing_fund"): Mapped(
        WORKERS,
        "month",
        {"status": _yes("wks ≥ 40 in the year", lambda row: row["wks"] >= 40, "active", "suspended")},
    ),
    ("S05", "tax"): Mapped(
        FIRMS,
        "month",
        {
            "level": Cell("wage ≥ 30: A, ≥ 24: B, ≥ 20: M, ≥ 15: C, else D", _level),
            "sales": _money("emp × output × 1,000", lambda row: row["emp"] * row["output"] * 1_000),
            "owes": _yes("output < 95", lambda row: row["output"] < 95),
        },
    ),
    ("S06", "credit"): Mapped(
        FIRMS,
        "year",
        {
            "market": _fall("emp"),
            "tax": _fall("output"),
            "social_insurance": _fall("wage"),
            "environment": _fall("capital"),
            "work_safety": _fall("emp"),
        },
    ),
    ("S07", "market"): _current(FIRMS, {"licence": _licence("emp ≥ 0.5", lambda row: row["emp"] >= 0.5)}),
    ("S07", "tax"): _current(FIRMS, {"standing": _owing("output ≥ 95", lambda row: row["output"] >= 95)}),
    ("S07", "social_insurance"): _current(FIRMS, {"standing": _owing("wage ≥ 18", lambda row: row["wage"] >= 18)}),
    ("S07", "credit"): _current(
        FIRMS, {"listing": _yes("capital ≥ 0.1", lambda row: row["capital"] >= 0.1, "not_listed", "listed")}
    ),
    ("S08", "trading"): _current(
        FIRMS,
        {
            "award_no": Cell("the firm's number", lambda context: f"ZB-{int(context.number):04d}"),
            "amount": _money("capital × 1,000,000", lambda row: row["capital"] * 1_000_000),
            "buyer": Cell("a buyer for each sector", lambda context: f"示例采购单位{context.row['sector']:.0f}"),
            "contract_digest": _digest("contract"),
            "pledge": _yes("capital ≥ 0.2", lambda row: row["capital"] >= 0.2, "free", "pledged"),
        },
    ),
    ("S09", "natural_resources"): _permit("land permit", "capital ≥ 0.2", lambda row: row["capital"] >= 0.2),
    ("S09", "construction"): _permit("building permit", "output ≥ 95", lambda row: row["output"] >= 95),
    ("S09", "e_certificates"): _permit("business licence", "emp ≥ 0.5", lambda row: row["emp"] >= 0.5),
    ("S10", "registry"): _current(
        YOUNG_MEN, {"standing": _yes("hours ≥ 1,000", lambda row: row["hours"] >= 1_000, "clear", "restricted")}
    ),
    ("S10", "police"): _current(
        YOUNG_MEN, {"document": _yes("exper ≤ 12", lambda row: row["exper"] <= 12, "valid", "invalid")}
    ),
    ("S10", "tax"): _current(YOUNG_MEN, {"standing": _owing("lwage ≥ 1", lambda row: row["lwage"] >= 1)}),
    ("S11", "water"): Mapped(FIRMS, "month", {"used": _money("emp × 100", lambda row: row["emp"] * 100)}),
    ("S11", "gas"): Mapped(FIRMS, "month", {"used": _money("capital × 1,000", lambda row: row["capital"] * 1_000)}),
    ("S12", "social_insurance"): Mapped(
        FIRMS, "year", {"insured": _whole("emp × 1,000", lambda row: row["emp"] * 1_000)}
    ),
    ("S12", "tax"): Mapped(FIRMS, "year", {"standing": _owing("output ≥ 95", lambda row: row["output"] >= 95)}),
    ("S12", "statistics"): Mapped(
        FIRMS, "year", {"output": _money("emp × output × 10", lambda row: row["emp"] * row["output"] * 10)}
    ),
}


def rows_of(mapped: Mapped, number: str, panel_rows: list[PanelRow], months: list[str]) -> list[dict[str, str]]:
    """Return the rows that the provider has about one subject, oldest first. ``months`` has a month for each year of
    the panel.
    """
    made = []
    for place, row in enumerate(panel_rows):
        context = Context(row, panel_rows[max(0, place - 1)], number, months[0])
        year = f"{row['year']:.0f}" if "year" in row else ""
        period = {"month": months[place], "year": year, "day": f"{year}1231"}[mapped.period]
        made.append({mapped.period: period} | {name: cell.of(context) for name, cell in mapped.cells.items()})
    return made[-1:] if mapped.newest else made


def mapping_table() -> list[dict[str, str]]:
    """Return the whole mapping as a table. Each row has scenario, source, column, panel, and the cell's formula."""
    return [
        {"scenario": scenario, "source": source, "column": column, "panel": mapped.panel, "of": cell.formula}
        for (scenario, source), mapped in MAPPING.items()
        for column, cell in mapped.cells.items()
    ]
