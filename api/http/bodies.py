"""Read request bodies, with limits for size, time, decompressed size and number of values.

A body may be refused because of its headers, before it is read. All limits are checked again while the body is read.
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
    """Raise ``BodyRefused`` if the headers name too large a size (413), or a wrong type or encoding (415)."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length[:20]) > most:
        raise too_large(most)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise BodyRefused(
            415,
            "CONTENT_ENCODING_UNSUPPORTED",
            "The compression of the body is not supported.",
            hint="Send the body uncompressed, or with `Content-Encoding: gzip`.",
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
    """Return the body as it was sent. Before each part is stored, ``take`` is called with the size of the part.

    Raises ``BodyRefused`` 413 if there are more than ``most`` bytes, 408 after ``seconds``; ``ClientDisconnect``.
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
            hint="Send the body again over a faster connection, in several calls, or compressed with gzip.",
            headers={"Connection": "close"},
        ) from error
    return bytes(parts)


def unpacked(body: bytes, encoding: str, most: int) -> bytes:
    """Return the decompressed body; raises ``BodyRefused`` 413 if the body has more than ``most`` bytes, 400 if it is
    not gzip.
    """
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
    """Parse the JSON value of a body, which may have at most ``values`` values and ``depth`` levels.

    Raises ``BodyRefused`` 413 ``BODY_TOO_MANY_VALUES`` and 400 ``BODY_NOT_JSON``; ``InvalidInput`` ``JSON_TOO_DEEP``.
    """
    # Count commas and opening brackets instead of values. Commas in texts are counted too; the limit allows for them.
    if text.count(b",") + text.count(b"[") + text.count(b"{") > values:
        raise BodyRefused(
            413,
            "BODY_TOO_MANY_VALUES",
            f"The body contains more than {values} values.",
            hint="Send fewer records in one call.",
        )
    require_shallow(text, depth)
    try:
        return json.loads(text.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _not_json(f"The body is not UTF-8 at byte {error.start}.") from error
    except json.JSONDecodeError as error:
        raise _not_json(f"Line {error.lineno}, column {error.colno}: {error.msg}.") from error
    except (ValueError, RecursionError) as error:
        raise _not_json("The body contains a number that is not finite or too long.") from error


def too_large(most: int) -> BodyRefused:
    """Return the error for a body that has more than ``most`` bytes."""
    return BodyRefused(413, "BODY_TOO_LARGE", f"The body may have at most {most} bytes.")


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
    return BodyRefused(400, "BODY_NOT_GZIP", "The body is not one complete gzip stream.", where="body")
