"""``pingzheng demo``: the pilot on real data, from an empty folder to verified certificates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.output import AsJson, Home, console, errors_explained, print_json, progress


def demo(
    out: Annotated[Path, typer.Option(help="Where certificates, bundles, summary and picture go.")] = Path("demo-out"),
    subjects: Annotated[int, typer.Option(min=140, help="How many subjects take part, the 140 firms first.")] = 1_000,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """以真实数据运行试点：登记、十二个场景、核验，以及应当失败的情形。Run the pilot on real data: registrations,
    twelve scenarios, verifications, and what must fail.

    示例 Example:  pingzheng demo --subjects 140
    """
    with errors_explained(as_json):
        from ledger.demo.opening import open_pilot
        from ledger.demo.pilot import run_pilot
        from ledger.demo.report import print_summary
        from ledger.service.settings import Settings

        with open_pilot(Settings.at(home)) as ledger, progress() as bars:

            def bar(name: str, total: int) -> Callable[[int], None]:
                task = bars.add_task(name, total=total)
                return lambda count: bars.advance(task, count)

            run = run_pilot(ledger, out, bar, subjects)
        if as_json:
            print_json(run.to_dict())
        else:
            print_summary(console, run)
            console.print(f"输出 written to: [bold]{out}[/]")
        if not run.as_expected or not run.transfer["completeness"]["complete"]:
            raise typer.Exit(1)
