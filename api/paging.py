"""Keyset paging: ``{"items": […], "next_cursor": …}`` with an opaque cursor."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from ledger.errors import InvalidInput

MAX_PAGE = 200
Item = TypeVar("Item")
Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Items on a page.")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next_cursor` of the page before.")]


class Page(BaseModel, Generic[Item]):
    """One page; ``next_cursor`` is null on the last."""

    items: list[Item]
    next_cursor: str | None


def decode(cursor: str | None) -> str | None:
    """The key after which the page starts; raises ``InvalidInput`` ``CURSOR_INVALID``."""
    if cursor is None:
        return None
    try:
        return base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, UnicodeError) as error:
        raise InvalidInput("CURSOR_INVALID", "This is no cursor of ours.", where="cursor") from error


def encode(key: str) -> str:
    """The cursor after a key."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def page(rows: Sequence[Row], limit: int, key: Callable[[Row], str], show: Callable[[Row], Item]) -> Page[Item]:
    """A page from up to ``limit + 1`` rows."""
    shown = rows[:limit]
    following = encode(key(shown[-1])) if len(rows) > limit else None
    return Page(items=[show(row) for row in shown], next_cursor=following)
