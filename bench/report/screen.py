"""Shows a run on the screen: the progress while the run measures, then the run's tables. Without a terminal, the
progress is printed line by line.
"""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from bench.report.grids import grids
from bench.report.results import Results

_EVERY_SECONDS = 10.0


class Screen:
    """Shows progress on standard error, so that standard output has only the result."""

    def __init__(self, size: int) -> None:
        self._console = Console(stderr=True)
        self._begun = time.monotonic()
        self._shown = 0.0
        self._size = size
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def say(self, what: str) -> None:
        """Show what is measured now."""
        self._end_bar()
        self._console.print(f"[dim]{time.monotonic() - self._begun:5.0f} s[/]  {what}", highlight=False)

    def tell(self, done: int, rate: float) -> None:
        """Show how many certificates of the long run are made, and how many a second."""
        if not self._console.is_terminal:
            if time.monotonic() - self._shown >= _EVERY_SECONDS or done >= self._size:
                self._shown = time.monotonic()
                self.say(f"{done:,} of {self._size:,} certificates, {rate:,.0f} each second")
            return
        if self._bar is None:
            columns = (TextColumn("certificates"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, TextColumn("{task.fields[rate]:,.0f} each second"), console=self._console)
            self._bar.start()
            self._task = self._bar.add_task("certificates", total=self._size, rate=rate)
        if self._task is not None:
            self._bar.update(self._task, completed=done, rate=rate)

    def close(self) -> None:
        """End the progress bar, if there is one."""
        self._end_bar()

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def show(results: Results, console: Console) -> None:
    """Print every table of a run."""
    for grid in grids(results):
        table = Table(title=grid.title, title_justify="left", title_style="bold")
        for place, head in enumerate(grid.heads):
            table.add_column(head, justify="right" if place else "left")
        for row in grid.rows:
            table.add_row(*row)
        console.print(table)
