"""``ETag`` on what is looked at: whoever has it already is told so, and is not sent it again."""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response


def with_tag(request: Request, response: Response) -> Response:
    """The answer with its tag, or 304 without a body where the caller names that tag in ``If-None-Match``.

    Answers that nobody may keep have none. Whoever may be shown this one has been decided before.
    """
    if response.status_code != 200 or response.headers.get("cache-control") == "no-store":
        return response
    tag = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if _names(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


def _names(header: str, tag: str) -> bool:
    """Weak and strong tags compare alike here (RFC 9110, 13.1.2)."""
    named = {each.strip().removeprefix("W/") for each in header.split(",")}
    return tag in named or "*" in named
