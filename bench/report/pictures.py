"""Draws the pictures of a run as SVG: throughput and gas against the size of a set, and the growth of the ledger during
the long run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from bench.peers.nodes import ANVIL, EMBEDDED
from bench.report.results import Results
from bench.report.targets import number
from bench.stages import ISSUING, WHOLE

WIDTH, HEIGHT = 860, 440
LEFT, TOP, RIGHT, BOTTOM = 80, 56, 250, 56
INK, PAPER, GRID = "#1f2933", "#ffffff", "#e4e7eb"
# People with red-green colour blindness can tell these colours apart. Each line also has dashes of its own.
COLOURS: Final = ("#0b6e4f", "#0072b2", "#d55e00", "#cc79a7", "#6b4c9a", "#8a6d00", "#52606d")
DASHES: Final = ("", "7 3", "2 3", "9 3 2 3", "", "7 3", "2 3")
# The acts of compared products that the pictures show, in the order of the lines' styles.
PEERS: Final = ("EAS attest", "EAS multiAttest", "TradeTrust mint", "ERC-721 mint", "bare Merkle anchor")
Point = tuple[float, float]
Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a picture. If there is only one point, it is drawn as a level line over the whole width.

    ``style`` chooses colour and dashes. A compared product has the same style in every picture.
    """

    name: str
    points: tuple[Point, ...]
    style: int


def pictures(results: Results) -> dict[str, str]:
    """Return the pictures by file name."""
    return {"throughput.svg": _throughput(results), "gas.svg": _gas(results), "growth.svg": _growth(results)}


def save(results: Results, folder: Path) -> None:
    """Write the pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pictures(results).items():
        (folder / name).write_text(text, "utf-8")


def _throughput(results: Results) -> str:
    lines = [
        _by_set(results, "this project, whole share", WHOLE, EMBEDDED, "rate", 0),
        _by_set(results, "this project, issue and anchor", ISSUING, EMBEDDED, "rate", 1),
        *_peer_lines(results, "rate", ANVIL),
    ]
    return _chart("Items for each second, by the size of a set", "items in a set", lines, logarithmic=True)


def _gas(results: Results) -> str:
    lines = [
        _by_set(results, "this project, with statements", WHOLE, EMBEDDED, "gas_each", 0),
        *_peer_lines(results, "gas_each", EMBEDDED),
    ]
    return _chart("Gas for each item, by the size of a set", "items in a set", lines, logarithmic=True)


def _growth(results: Results) -> str:
    slices = results.data["growth"]
    lines = [
        Line("whole share, for each second", tuple((each["certificates"], each["rate"]) for each in slices), 0),
        Line("issuing, for each second", tuple((each["certificates"], each["issuing_rate"]) for each in slices), 1),
        Line("memory, MB", tuple((each["certificates"], each["memory_mb"]) for each in slices), 2),
    ]
    return _chart("Growth: rate and memory", "certificates on the ledger", lines, logarithmic=False)


def _peer_lines(results: Results, value: str, node: str) -> list[Line]:
    return [_by_set(results, f"{name}, {node}", name, node, value, style) for style, name in enumerate(PEERS, start=2)]


def _by_set(results: Results, title: str, name: str, node: str, value: str, style: int) -> Line:
    rows = [row for row in results.rows() if (row["name"], row["node"]) == (name, node)]
    return Line(title, tuple(sorted((float(row["set_size"]), float(row[value])) for row in rows if row[value])), style)


def _chart(title: str, below: str, lines: Sequence[Line], *, logarithmic: bool) -> str:
    drawn = [line for line in lines if line.points]
    points = [point for line in drawn for point in line.points] or [(1.0, 1.0)]
    xs, ys = _ticks([x for x, _ in points], logarithmic), _ticks([y for _, y in points], logarithmic)
    across = _scale(xs, LEFT, WIDTH - RIGHT, logarithmic)
    up = _scale(ys, HEIGHT - BOTTOM, TOP, logarithmic)
    right = WIDTH - RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        f'<text x="{LEFT}" y="28" font-size="17" fill="{INK}">{escape(title)}</text>',
        *(_level(y, up(y)) for y in ys),
        *(_mark(x, across(x)) for x in xs),
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 14}" text-anchor="middle" fill="{INK}">{escape(below)}</text>',
        *(_line(place, line, across, up) for place, line in enumerate(drawn)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _line(place: int, line: Line, across: Scale, up: Scale) -> str:
    colour, dashes = COLOURS[line.style], DASHES[line.style]
    points = [(across(x), up(y)) for x, y in line.points]
    if len(points) == 1:
        points = [(float(LEFT), points[0][1]), (float(WIDTH - RIGHT), points[0][1])]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colour}"/>' for x, y in line.points)
    key, row = WIDTH - RIGHT + 18, TOP + 14 + place * 34
    stroke = f'fill="none" stroke="{colour}" stroke-width="{3 if line.style == 0 else 2}"' + (
        f' stroke-dasharray="{dashes}"' if dashes else ""
    )
    last = number(line.points[-1][1])
    return (
        f'<polyline points="{path}" {stroke}/>{dots}'
        f'<polyline points="{key},{row} {key + 26},{row}" {stroke}/>'
        f'<text x="{key + 32}" y="{row + 4}" fill="{INK}">{escape(line.name)}</text>'
        f'<text x="{key + 32}" y="{row + 18}" fill="{INK}" font-size="11">last: {last}</text>'
    )


def _level(value: float, y: float) -> str:
    return (
        f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{GRID}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">{_short(value)}</text>'
    )


def _mark(value: float, x: float) -> str:
    return f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="{INK}">{_short(value)}</text>'


def _scale(ticks: Sequence[float], start: float, end: float, logarithmic: bool) -> Scale:
    """Return the function that converts a value to a coordinate. The outer ticks are at ``start`` and ``end``."""
    measure: Scale = (lambda value: math.log10(max(value, 1e-9))) if logarithmic else float
    low, high = measure(ticks[0]), measure(ticks[-1])
    return lambda value: start + (measure(value) - low) / (high - low) * (end - start)


def _ticks(values: Sequence[float], logarithmic: bool) -> list[float]:
    """Return round values that enclose all values: powers of ten, or up to six equal steps from zero."""
    if logarithmic:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return [10.0**power for power in range(low, max(high, low + 1) + 1)]
    rough = max(values) / 5
    step = next(
        size for size in (part * 10 ** math.floor(math.log10(rough)) for part in (1, 2, 5, 10)) if size >= rough
    )
    return [step * place for place in range(math.ceil(max(values) / step) + 1)]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
