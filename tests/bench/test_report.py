"""The tables, ratios, targets and pictures of a benchmark are computed from its results, and the page shows them."""

from __future__ import annotations

import json
import re
import tomllib
from xml.etree import ElementTree

import pytest

from bench import page
from bench.measuring.measure import Measured, together
from bench.own.assets import ASSET, ONBOARD
from bench.own.outside import REPLAY
from bench.peers.nodes import ANVIL, EMBEDDED, GANACHE
from bench.report import pictures
from bench.report.grids import grids
from bench.report.results import Results
from bench.report.targets import NOT_HERE, Target, number, targets
from bench.stages import ISSUE, STAGES, WHOLE

RESULTS = Results(json.loads(page.RESULTS.read_text("utf-8")))


def made(**changes: object) -> Results:
    """Return results that contain: two acts of a compared product; every stage of the project, in sets of a hundred;
    and one act on ganache, together with the replay of its transactions.
    """
    stages = [Measured(name, EMBEDDED, 100, 200, 0.02) for name in STAGES]
    measured = [
        Measured("EAS attest", EMBEDDED, 1, 50, 1.0, 0.2, 50 * 200_000),
        Measured("EAS attest", ANVIL, 1, 100, 1.0),
        Measured("EAS multiAttest", EMBEDDED, 100, 1_000, 1.0),
        *stages,
        together(WHOLE, stages),
        Measured(ASSET, GANACHE, 10, 10, 2.0),
        Measured(f"{ASSET}: {REPLAY}", GANACHE, 10, 10, 1.0),
    ]
    rows = [each.to_dict() for each in measured]
    return Results({**RESULTS.data, "measured": rows, "size": 100, "beginning_us": 100.0, **changes})


def test_a_measurement_gives_its_rate_and_the_time_and_gas_of_one_item() -> None:
    measured = Measured("act", ANVIL, 10, 20, 0.5, 0.1, 400)
    assert (measured.rate, measured.each, measured.gas_each) == (40.0, 25_000.0, 20.0)
    assert measured.to_dict()["cpu_us"] == 5_000.0
    assert Measured("act", ANVIL, 1).to_dict()["rate"] == 0.0


def test_the_time_of_several_stages_is_the_sum_of_their_times() -> None:
    parts = [Measured("a", EMBEDDED, 5, 10, 1.0, 0.5, 7), Measured("b", EMBEDDED, 5, 10, 3.0, 0.5, 3)]
    assert together("both", parts) == Measured("both", EMBEDDED, 5, 10, 4.0, 1.0, 10)


def test_a_ratio_compares_only_measurements_on_the_same_node_in_the_same_run() -> None:
    results = made()
    assert results.ratio("EAS attest", EMBEDDED, 1) == pytest.approx(2_000 / 50)
    # In these results the project did not run on anvil, so there is no ratio for anvil.
    assert results.ratio("EAS attest", ANVIL, 1) is None
    assert results.ratio("EAS multiAttest", ANVIL, 100) is None
    assert results.replayed(ASSET) == pytest.approx(0.5)
    assert results.replayed(ONBOARD) is None


def test_the_growth_is_the_time_of_the_last_certificates_divided_by_the_time_of_the_first_certificates() -> None:
    slices = [{**RESULTS.data["growth"][0], "each_us": each} for each in (90.0, 130.0)]
    assert made(growth=slices).growth() == pytest.approx(1.3)


def test_a_target_is_met_if_the_measured_value_is_at_the_bound_or_better() -> None:
    assert Target("k", "rate", 10, 10).met and Target("k", "time", 10, 10, most=True).met
    assert Target("k", "rate", 10, 9.9).met is False and Target("k", "time", 10, 10.1, most=True).met is False
    assert Target("k", "rate", 10, None).measured == NOT_HERE and Target("k", "rate", 10, None).met is None
    assert Target("k", "rate", None, 5).wanted == "reported"


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0123, "0.0123"), (1.5, "1.50"), (15.0, "15.0"), (1234.6, "1,235")]
)
def test_numbers_are_shown_with_about_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_the_profile_compares_each_stage_with_the_least_time_that_it_can_take() -> None:
    profile = {each["stage"]: each for each in made(floor=dict.fromkeys(RESULTS.data["floor"], 1.0)).profile()}
    assert profile[ISSUE]["floor_us"] == 5.0
    assert profile[ISSUE]["times"] == pytest.approx(100.0 / 5.0)
    assert profile[WHOLE]["floor_us"] == pytest.approx(sum(profile[name]["floor_us"] for name in STAGES))


def test_every_row_of_a_table_has_a_cell_for_each_column() -> None:
    for results in (RESULTS, made()):
        for grid in grids(results):
            assert {len(row) for row in grid.rows} == {len(grid.heads)}, grid.title


def test_a_run_without_the_compared_products_still_has_the_projects_own_tables() -> None:
    own = [row for row in RESULTS.rows() if row["node"] == EMBEDDED and not row["name"].startswith("EAS")]
    titles = [grid.title for grid in grids(Results({**RESULTS.data, "measured": own}))]
    assert "Targets" in titles and not any("does not run" in title for title in titles)


def test_the_pictures_are_svg_with_a_line_for_each_compared_product() -> None:
    for name, text in pictures.pictures(RESULTS).items():
        root = ElementTree.fromstring(text)
        lines = root.findall("{http://www.w3.org/2000/svg}polyline")
        # Each line is drawn once in the picture and once beside its name.
        assert len(lines) >= (12 if name != "growth.svg" else 6), name
        assert "NaN" not in text and "nan" not in text


def test_the_page_shows_the_numbers_in_the_stored_results_file() -> None:
    data = json.loads(page.RESULTS.read_text("utf-8"))
    assert page.PAGE.read_text("utf-8") == page.page(data), "python -m bench.page"
    for name, text in pictures.pictures(Results(data)).items():
        assert (page.PICTURES / name).read_text("utf-8") == text, "python -m bench.page"


def test_the_page_shows_every_target_and_says_why_a_target_is_missed() -> None:
    text = page.PAGE.read_text("utf-8")
    reasons = tomllib.loads(page.MISSED.read_text("utf-8"))
    for target in targets(RESULTS):
        assert f"| {target.what} | {target.wanted} | {target.measured} | {target.verdict} |" in text
        if target.met is False:
            assert reasons[target.key]["reason"] in text and reasons[target.key]["next"] in text


def test_the_results_name_no_host_and_no_path() -> None:
    assert not re.search(r"https?:|/(home|root|work|tmp)/", page.RESULTS.read_text("utf-8"))
