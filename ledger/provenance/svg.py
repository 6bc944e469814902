"""Parts of SVG pictures: colours that print well, and text that is escaped and shortened to fit."""

from __future__ import annotations

from html import escape
from typing import Final
from unicodedata import east_asian_width

INK: Final = "#1f2933"
PAPER: Final = "#ffffff"
LINE: Final = "#9aa5b1"
ACCENT: Final = "#0b6e4f"
ALARM: Final = "#b42318"
FAINT: Final = "#52606d"


def svg(width: int, height: int, label: str, parts: list[str]) -> str:
    """Return a complete SVG with a white background; ``label`` is the text for screen readers."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" font-family="sans-serif" role="img" aria-label="{escape(label)}">',
            f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def text(x: int, y: int, content: str, size: int = 12, fill: str = INK, columns: int | None = None) -> str:
    """Return one line of text, shortened to ``columns`` half-width characters."""
    shown = content if columns is None else fit(content, columns)
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{fill}">{escape(shown)}</text>'


def fit(content: str, columns: int) -> str:
    """Return the text, or its beginning with an ellipsis; a Chinese character has a width of two columns."""
    if sum(map(_columns, content)) <= columns:
        return content
    kept, used = "", 1
    for character in content:
        used += _columns(character)
        if used > columns:
            break
        kept += character
    return f"{kept}…"


def _columns(character: str) -> int:
    return 2 if east_asian_width(character) in "WF" else 1
