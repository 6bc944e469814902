"""Draws a run as an SVG picture, which shows which party did what, and how often."""

from __future__ import annotations

from html import escape

from ledger.demo.stages import Run

WIDTH, HEIGHT = 980, 470
BOX = (190, 64)
INK, PAPER, LINE, ACCENT = "#1f2933", "#ffffff", "#9aa5b1", "#0b6e4f"

# The boxes of the picture. Each has x, y, a Chinese and an English text, and the name of the count that it shows.
_BOXES = {
    "subject": (40, 60, "数据主体", "persons and enterprises", "authorised"),
    "provider": (40, 220, "数据提供方", "grid, agencies, departments", "supplied"),
    "registrar": (40, 370, "登记机构", "registrar", "registrations"),
    "platform": (395, 220, "凭证平台", "Pingzheng: issue, batch", "issued"),
    "chain": (395, 370, "许可链", "anchors, status, uses, heads", None),
    "consumer": (750, 220, "数据使用方", "banks, departments …", "verified"),
    "offline": (750, 370, "离线核验", "bundle + facts, without us", None),
}
_ARROWS = (
    ("subject", "platform", "授权 authorise"),
    ("provider", "platform", "提供 supply"),
    ("registrar", "chain", "登记 register"),
    ("platform", "chain", "存证 anchor"),
    ("platform", "consumer", "出示 present"),
    ("consumer", "offline", "核验 verify"),
    ("chain", "offline", "链上数据 facts"),
)


def flow_picture(run: Run) -> str:
    """Return the picture with the numbers of this run. It can be understood without colours."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'role="img" aria-label="Flow of a data asset certificate">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>',
        f'<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="{LINE}"/></marker></defs>',
        f'<text x="40" y="32" font-size="18" fill="{INK}">数据资产凭证 Data asset certificate: the pilot</text>',
        *(_arrow(*arrow) for arrow in _ARROWS),
        *(_box(run, *box) for box in _BOXES.values()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _box(run: Run, x: int, y: int, chinese: str, english: str, count: str | None) -> str:
    width, height = BOX
    number = f" · {run.counts[count]:,}" if count is not None and count in run.counts else ""
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{PAPER}" stroke="{ACCENT}"/>'
        f'<text x="{x + 12}" y="{y + 27}" font-size="16" fill="{INK}">{escape(chinese + number)}</text>'
        f'<text x="{x + 12}" y="{y + 48}" font-size="12" fill="{INK}">{escape(english)}</text>'
    )


def _arrow(start: str, end: str, label: str) -> str:
    (x1, y1), (x2, y2) = _edge(start, end), _edge(end, start)
    middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2 - 6
    return (
        f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{LINE}" marker-end="url(#a)"/>'
        f'<text x="{middle_x}" y="{middle_y}" font-size="12" text-anchor="middle" fill="{INK}" paint-order="stroke" '
        f'stroke="{PAPER}" stroke-width="5">{escape(label)}</text>'
    )


def _edge(box: str, towards: str) -> tuple[float, float]:
    """Return the middle of that side of ``box`` that faces the box ``towards``."""
    (x, y, *_), (other_x, other_y, *_) = _BOXES[box], _BOXES[towards]
    width, height = BOX
    if x == other_x:
        return x + width / 2, y + (height if other_y > y else 0)
    return (x + width if other_x > x else x), y + height / 2
