"""The summary of the demonstration fits a terminal of 80 columns."""

from __future__ import annotations

import io

from rich.console import Console

from ledger.demo.report import print_summary
from ledger.demo.stages import Run
from ledger.demo.tally import Caught
from ledger.domain.definitions.reader import Bilingual

COUNTS = ("requested", "declined", "unanswered", "authorised", "supplied", "no_data", "refused", "issued", "verified")
CASE = "要求授权外字段（签发端）field outside the authorization, asked of the platform"


def test_the_summary_fits_a_terminal_of_80_columns() -> None:
    run = Run()
    for number in range(1, 13):
        tally = run.tally(f"S{number:02}", Bilingual("场景", "Scenario"))
        tally.counts.update(dict.fromkeys(COUNTS, 1_175))
        tally.caught += [Caught(CASE, "11 authorization", "FIELD_OUTSIDE_AUTHORIZATION", "11 authorization")] * 12
        tally.entries, tally.anchor_gas = 1, 1_010_000
    with run.stage("未经同意的转让被拒 transfer without consent: refused") as stage:
        stage.count, stage.found, stage.gas = 2_258, 1_258, 175_754_951
    run.refused = [{"resource": "wooldridge/wagepan", "message": "Identical content is registered already: R-1."}] * 3
    proof = {"complete": True, "events": 9, "block": 44_512, "head": "ab" * 32}
    event = {"name": "TransferAccepted", "block": 44_512, "tx": "cd" * 32}
    run.transfer = {"asset": "ef" * 32, "events": [event], "completeness": proof}
    shown = io.StringIO()
    print_summary(Console(file=shown, width=80), run)
    # The report shortens digests itself, and puts an ellipsis after each. There are no other ellipses, so no cell was
    # cut off.
    for text in (f"{'ef' * 6}…", f"{'cd' * 8}…", f"{'ab' * 8}…"):
        assert text in shown.getvalue()
    assert shown.getvalue().count("…") == 3
    assert "S12×12" in shown.getvalue() and "authorised" in shown.getvalue()
    # The gas of earlier runs is unknown. So the gas for each act is computed from the acts of this run only.
    assert "1,258 of these acts were already done" in shown.getvalue()
    assert f"{175_754_951 // 1_000:,}" in shown.getvalue()
