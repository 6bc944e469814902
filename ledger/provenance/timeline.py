"""Draw an asset's history: one card for each event, in rows from left to right."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from ledger.domain.assets.events import EVENT_TITLES, NAME_TITLES, names_in, parties_in
from ledger.domain.days import shanghai_time
from ledger.proof.assets.history import view_at
from ledger.proof.assets.recorded_history import RecordedEvent, RecordedHistory
from ledger.provenance.svg import ACCENT, ALARM, FAINT, INK, LINE, svg, text

MAX_CARDS: Final = 200
_COLUMNS: Final = 4
_CARD: Final = (270, 104)
_GAP: Final = (18, 30)
_MARGIN: Final = 30
_HEAD: Final = 96
_TEXT_COLUMNS: Final = 38
_ALARMING: Final = frozenset({"Annulled", "Rejected", "Frozen", "Objected"})


def timeline_picture(history: RecordedHistory) -> str:
    """Return an SVG with at most ``MAX_CARDS`` events. If there are more events, the picture says how many events in
    the middle are left out.

    Times are in Shanghai time; only the beginning of a party's id is shown.
    """
    numbered = list(enumerate(history.events, start=1))
    left_out = max(len(numbered) - MAX_CARDS, 0)
    half = MAX_CARDS // 2
    shown = [*numbered[:half], *numbered[-half:]] if left_out else numbered
    cards = [_card(history, ordinal, event, _place(place)) for place, (ordinal, event) in enumerate(shown)]
    links = [_link(_place(place - 1), _place(place)) for place in range(1, len(shown))]
    if left_out:
        x, y = _place(half)
        links.append(text(x, y - 8, f"略去 {left_out} 项 {left_out} events left out", 11, ALARM))
    rows = -(-len(shown) // _COLUMNS)
    width = 2 * _MARGIN + _COLUMNS * _CARD[0] + (_COLUMNS - 1) * _GAP[0]
    height = _HEAD + rows * (_CARD[1] + _GAP[1]) + _MARGIN
    return svg(width, height, "Timeline of a data asset", [*_head(history), *links, *cards])


def _head(history: RecordedHistory) -> list[str]:
    view = view_at(history.facts, max((event.at for event in history.events), default=0))
    state = f"{NAME_TITLES.get(view.state, '')} {view.state}{' · 冻结 frozen' if view.frozen else ''}"
    return [
        text(_MARGIN, 34, f"溯源 Provenance · {state} · {len(history.events)} 项 events", 18),
        text(_MARGIN, 56, f"资产 asset {history.asset}", 12, FAINT),
        text(_MARGIN, 74, f"历史头 head {history.head} · 区块 block {history.block}", 12, FAINT),
    ]


def _card(history: RecordedHistory, ordinal: int, event: RecordedEvent, place: tuple[int, int]) -> str:
    x, y = place
    colour = ALARM if event.name in _ALARMING else ACCENT
    chinese, english = EVENT_TITLES[event.name]
    actor = history.parties[event.by]
    lines = (
        text(x + 12, y + 22, f"{ordinal} · {shanghai_time(event.at)}", 12, FAINT),
        text(x + 12, y + 45, f"{chinese} {english}", 15, colour, 34),
        text(x + 12, y + 66, _detail(history, event), 12, INK, _TEXT_COLUMNS),
        text(x + 12, y + 88, f"{actor.id[:8]}… {' '.join(actor.roles)}", 12, FAINT, _TEXT_COLUMNS),
    )
    box = f'<rect x="{x}" y="{y}" width="{_CARD[0]}" height="{_CARD[1]}" rx="6" fill="none" stroke="{colour}"/>'
    return box + "".join(lines)


def _detail(history: RecordedHistory, event: RecordedEvent) -> str:
    """Return the details under the title of an event: names, the other party (which did not act), a time."""
    args, names = event.args, names_in(event.name, event.args)
    parts = [f"{NAME_TITLES.get(name, '')} {name}".strip() for field, name in names.items() if field != "grade"]
    parts += [f"→ {history.parties[number].id[:8]}…" for field, number in _towards(event).items()]
    parts += [f"{sign} {args[field]}" for field, sign in (("no", "#"), ("lien", "#")) if field in args]
    ends = (args[field] for field in ("until", "validTo", "deadline") if args.get(field))
    parts += [f"至 until {shanghai_time(end)[:10]}" for end in ends]
    other = args.get("parent") if event.name == "Linked" else args.get("successor")
    return " · ".join([*parts, *([f"{str(other)[:8]}…"] if other else [])])


def _towards(event: RecordedEvent) -> dict[str, int]:
    named = parties_in(event.name, event.args)
    return {field: number for field, number in named.items() if field != "from" and number != event.by}


def _place(index: int) -> tuple[int, int]:
    row, column = divmod(index, _COLUMNS)
    return _MARGIN + column * (_CARD[0] + _GAP[0]), _HEAD + row * (_CARD[1] + _GAP[1])


def _link(start: tuple[int, int], end: tuple[int, int]) -> str:
    """Draw the line between two cards; a line to the next row runs between the rows."""
    (x1, y1), (x2, y2) = start, end
    width, height = _CARD
    if y1 == y2:
        middle = y1 + height // 2
        points = [(x1 + width, middle), (x2, middle)]
    else:
        between = y2 - _GAP[1] // 2
        points = [
            (x1 + width // 2, y1 + height),
            (x1 + width // 2, between),
            (x2 + width // 2, between),
            (x2 + width // 2, y2),
        ]
    return "".join(
        f'<line x1="{a}" y1="{b}" x2="{c}" y2="{d}" stroke="{LINE}"/>' for (a, b), (c, d) in pairwise(points)
    )
