"""Show progress as plain lines, if the output is not a terminal but a log file, a pipe or CI."""

from __future__ import annotations

import time
from typing import Final

from rich.console import Console
from rich.progress import Progress, Task, TaskID

SECONDS: Final = 5


class ProgressLines(Progress):
    """Prints a line when a task is complete. Before that, prints at most one line every ``SECONDS`` seconds. Draws no
    bars.
    """

    def __init__(self, console: Console) -> None:
        super().__init__(console=console, disable=True)
        self._printed = time.monotonic()

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """Count finished steps of a task, like the method ``advance`` of Rich."""
        super().advance(task_id, advance)
        task = self._tasks[task_id]
        if task.finished or time.monotonic() - self._printed >= SECONDS:
            self._print(task)

    def _print(self, task: Task) -> None:
        self._printed = time.monotonic()
        total = "" if task.total is None else f"/{task.total:.0f}"
        left = "" if task.finished or task.time_remaining is None else f" · 剩余 left {task.time_remaining:.0f} s"
        text = f"{task.description} {task.completed:.0f}{total}{rate_of(task, before=' · ')}{left}"
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


def rate_of(task: Task, before: str = "") -> str:
    """Return how many steps of the task are finished in a second; an empty text if no rate is known yet."""
    speed = task.finished_speed or task.speed
    if speed is None or (task.elapsed or 0) < 1:
        return ""
    return f"{before}{speed:,.0f}/s" if speed >= 10 else f"{before}{speed:.1f}/s"
