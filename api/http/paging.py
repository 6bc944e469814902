"""Return lists in pages: ``{"items": […], "next_cursor": …}``. A cursor is an opaque text, valid for one list only."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Depends, Query, Request
from pydantic import BaseModel

from ledger.errors import InvalidInput

MAX_PAGE: Final = 200
_CHECK_BYTES: Final = 6
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}")
Item = TypeVar("Item")
Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="The most items on a page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=400, description="`next_cursor` of the previous page; for the first page, leave it out."),
]


class Page(BaseModel, Generic[Item]):
    """One page of a list; ``next_cursor`` is null on the last page."""

    items: list[Item]
    next_cursor: str | None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return the name of a page's schema: a page of ``PartyOut`` is named ``PartyPage``."""
        return f"{params[0].__name__.removesuffix('Out')}Page"


@dataclass(frozen=True, slots=True)
class Place:
    """The place in a list where a page begins: after the item with the key ``after``, or at the beginning of the list
    if ``after`` is None.
    """

    list: str
    after: str | None

    @property
    def after_number(self) -> int:
        """Return ``after`` as a number; -1 if ``after`` is None. Raises ``InvalidInput`` ``CURSOR_INVALID``."""
        if self.after is None:
            return -1
        if not _NUMBER.fullmatch(self.after):
            raise _invalid()
        return int(self.after)

    def cursor(self, key: str) -> str:
        """Return the cursor for the page of this list that begins after the item with this key."""
        return _encoded(self.list, key)


@dataclass(frozen=True, slots=True)
class Paging:
    """The page that a call asks for."""

    place: Place
    limit: int

    @property
    def after(self) -> str | None:
        """Return the key of the item after which the page begins."""
        return self.place.after

    @property
    def one_more(self) -> int:
        """Return the number of rows to fetch: one more than the limit, to find out whether another page follows."""
        return self.limit + 1

    def page(self, rows: Sequence[Row], key: Callable[[Row], str], show: Callable[[Row], Item]) -> Page[Item]:
        """Return the page made of the fetched rows, of which there are at most ``one_more``."""
        shown = rows[: self.limit]
        following = self.place.cursor(key(shown[-1])) if len(rows) > self.limit else None
        return Page(items=[show(row) for row in shown], next_cursor=following)


async def place(request: Request, cursor: Cursor = None) -> Place:
    """Return the place that the cursor names; raises ``InvalidInput`` ``CURSOR_INVALID`` if the cursor is for another
    list.
    """
    path = request.scope["path"]
    return Place(path, None if cursor is None else _decoded(path, cursor))


At = Annotated[Place, Depends(place)]


async def paging(at: At, limit: Limit = 50) -> Paging:
    """Return the page that a call asks for."""
    return Paging(at, limit)


PageAsked = Annotated[Paging, Depends(paging)]


def _encoded(of: str, key: str) -> str:
    return base64.urlsafe_b64encode(_check(of, key.encode()) + key.encode()).decode().rstrip("=")


def _decoded(of: str, cursor: str) -> str:
    if not _BASE64URL.fullmatch(cursor):
        raise _invalid()
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        check, key = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        text = key.decode()
    except ValueError as error:
        raise _invalid() from error
    # Encode the key again, and refuse the cursor if the result differs: base64 has unused bits at the end, so several
    # cursors could mean one key.
    if check != _check(of, key) or _encoded(of, text) != cursor:
        raise _invalid()
    return text


def _check(of: str, key: bytes) -> bytes:
    """Return check bytes for a cursor: they detect a cursor of another list, and an invented or shortened cursor."""
    return hashlib.sha256(of.encode() + b"\0" + key).digest()[:_CHECK_BYTES]


def _invalid() -> InvalidInput:
    return InvalidInput("CURSOR_INVALID", "The cursor does not belong to this list.", where="cursor")
