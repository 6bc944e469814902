"""``pingzheng demo``: create a ledger in an empty folder and run the pilot on real data, until certificates are
verified.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.shell.output import (
    EXIT_INTERRUPTED,
    AsJson,
    Home,
    console,
    print_json,
    progress,
    stderr,
)


def demo(
    out: Annotated[
        Path, typer.Option(help="Folder to which certificates, bundles, summary and picture are written.")
    ] = Path("demo-out"),
    subjects: Annotated[int, typer.Option(min=140, help="Number of subjects; the first 140 are firms.")] = 1_000,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """用真实数据运行试点：登记、十二个场景、核验，以及应当失败的情形；中断后再次执行本命令即可继续。Run the pilot on
    real data: registrations, twelve scenarios, verifications, and cases that must fail. After an interruption, run the
    command again to continue.

    示例 Example:  pingzheng demo --subjects 140
    """
    from ledger.demo.alone import alone_in
    from ledger.demo.opening import open_pilot
    from ledger.demo.pilot import Size, run_pilot
    from ledger.demo.report import print_summary
    from ledger.installation.settings import Settings

    settings = Settings.at(home)
    settings.make_home()
    with (
        alone_in(settings.home),
        _interrupted(settings.home, out, subjects) as reached,
        open_pilot(settings, _say) as ledger,
        alone_in(out),
        progress() as bars,
    ):

        def bar(name: str, total: int) -> Callable[[int], None]:
            task = bars.add_task(name, total=total)
            return lambda count: bars.advance(task, count)

        run = run_pilot(ledger, out, bar, Size(subjects), reached, _say)
    if as_json:
        print_json(run.to_dict())
    else:
        print_summary(console, run)
        console.print(f"输出目录 Output folder: [bold]{out}[/]")
    if not run.as_expected or not run.transfer["completeness"]["complete"]:
        raise typer.Exit(1)


def _say(sentence: str) -> None:
    stderr.print(sentence, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def _interrupted(home: Path, out: Path, subjects: int) -> Iterator[Callable[[str], None]]:
    """After Ctrl-C, print which results are kept and how to continue. Yields a function that is called after each step,
    to count the steps.
    """
    steps = [""]
    try:
        yield steps.append
    except KeyboardInterrupt:
        command = shlex.join(["pingzheng", "demo", "--home", str(home), "--out", str(out), "--subjects", str(subjects)])
        done = max(0, len(steps) - 2)
        _say(
            f"\n已中断。已完成的 {done} 个步骤以及已上链、已入库的内容保留在 {home}；再次执行即从中断处继续，不会重做。"
            f"\nInterrupted. {done} completed steps and all data on the chain and in the database are kept in {home}. "
            f"To continue without repeating them, run:\n  {command}"
        )
        raise typer.Exit(EXIT_INTERRUPTED) from None
