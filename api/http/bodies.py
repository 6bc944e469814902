"""Request bodies: read within bounds of size and time, unpacked within a bound, counted before they are parsed.

Nothing here trusts a header: what it claims may refuse a body early, and never admits one.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
from email.message import Message
from typing import Any, Final, NoReturn

from starlette.requests import Request

from api.http.problems import BodyRefused
from ledger.domain.canonical import require_shallow

GZIP: Final = 16 + zlib.MAX_WBITS


def require_readable(request: Request, most: int) -> None:
    """Raise ``BodyRefused`` for what the headers alone rule out: 413 by size, 415 by type or encoding."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length[:20]) > most:
        raise too_large(most)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise BodyRefused(
            415,
            "CONTENT_ENCODING_UNSUPPORTED",
            "The body is packed in a way that is not read here.",
            hint="Send it as it is, or with `Content-Encoding: gzip`.",
            headers={"Accept-Encoding": "gzip, identity"},
        )
    if _has_body(request) and not _is_json(request.headers.get("content-type")):
        raise BodyRefused(
            415,
            "CONTENT_TYPE_UNSUPPORTED",
            "The body is not declared as JSON in UTF-8.",
            hint="Send `Content-Type: application/json`.",
        )


async def read(request: Request, most: int, seconds: float, take: Callable[[int], None]) -> bytes:
    """The body as sent. ``take`` accounts for every part before it is kept.

    Raises ``BodyRefused`` 413 beyond ``most`` bytes and 408 after ``seconds``; ``ClientDisconnect``.
    """
    parts = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                if len(parts) + len(part) > most:
                    raise too_large(most)
                take(len(part))
                parts += part
    except TimeoutError as error:
        raise BodyRefused(
            408,
            "BODY_TOO_SLOW",
            f"The body did not arrive within {seconds:g} seconds.",
            hint="Send it again over a faster connection, in smaller parts, or packed with gzip.",
            headers={"Connection": "close"},
        ) from error
    return bytes(parts)


def unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """The body without its packing, never more than ``most`` bytes of it; raises ``BodyRefused`` 413 and 400."""
    if not body or encoding.strip().lower() not in ("gzip", "x-gzip"):
        return body
    unpacking = zlib.decompressobj(GZIP)
    try:
        text = unpacking.decompress(body, most + 1)
    except zlib.error as error:
        raise _not_gzip() from error
    if len(text) > most:
        raise too_large(most)
    if not unpacking.eof or unpacking.unused_data:
        raise _not_gzip()
    return text


def parsed(text: bytes, values: int, depth: int) -> Any:
    """The JSON value of a body that holds at most so many values, nested so deep.

    Raises ``BodyRefused`` 413 ``BODY_TOO_MANY_VALUES`` and 400 ``BODY_NOT_JSON``; ``InvalidInput`` ``JSON_TOO_DEEP``.
    """
    # A value follows a comma or opens a list or an object. Commas within texts count too: the bound leaves room.
    if text.count(b",") + text.count(b"[") + text.count(b"{") > values:
        raise BodyRefused(
            413,
            "BODY_TOO_MANY_VALUES",
            f"The body holds more than {values} values.",
            hint="Send fewer records in one call.",
        )
    require_shallow(text, depth)
    try:
        return json.loads(text.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _not_json(f"It is not UTF-8 at byte {error.start}.") from error
    except json.JSONDecodeError as error:
        raise _not_json(f"Line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except (ValueError, RecursionError) as error:
        raise _not_json("A number in it is none, or too long.") from error


def too_large(most: int) -> BodyRefused:
    """The refusal of a body beyond its bound."""
    return BodyRefused(413, "BODY_TOO_LARGE", f"At most {most} bytes.")


def _has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


def _is_json(content_type: str | None) -> bool:
    if content_type is None:
        return False
    header = Message()
    header["content-type"] = content_type
    subtype = header.get_content_subtype()
    return (
        header.get_content_maintype() == "application"
        and (subtype == "json" or subtype.endswith("+json"))
        and (header.get_content_charset() or "utf-8") in ("utf-8", "utf8", "us-ascii")
    )


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


def _not_json(why: str) -> BodyRefused:
    return BodyRefused(400, "BODY_NOT_JSON", why, where="body")


def _not_gzip() -> BodyRefused:
    return BodyRefused(400, "BODY_NOT_GZIP", "The body is not one whole gzip stream.", where="body")
