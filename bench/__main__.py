"""Measure this project and the products with which it is compared, and write bench-out/bench.json.

Example:
    python -m bench --size 3000
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Final

import structlog
import typer
from rich.console import Console

from bench.report import pictures
from bench.report.results import Results
from bench.report.screen import Screen, show
from bench.run import Plan, Run

SIZE: Final = 3_000
WIDE: Final = 160


def main(
    size: Annotated[int, typer.Option(min=10, help="How many certificates the long run makes.")] = SIZE,
    out: Annotated[Path, typer.Option(help="The folder for bench.json and the pictures.")] = Path("bench-out"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON, without tables.")] = False,
) -> None:
    """Measure everything, one part after the other, and report the progress on standard error."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    screen = Screen(size)
    try:
        data = Run(Plan.of(size), screen.say, screen.tell).run()
    finally:
        screen.close()
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(data, ensure_ascii=False, indent=1)
    (out / "bench.json").write_text(text + "\n", "utf-8")
    pictures.save(Results(data), out)
    if as_json:
        typer.echo(text)
        return
    console = Console()
    show(Results(data), console if console.is_terminal else Console(width=WIDE))
    typer.echo(f"wrote {out / 'bench.json'} and three pictures; `python -m bench.page {out}` writes the page from it")


if __name__ == "__main__":
    typer.run(main)
