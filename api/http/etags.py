"""Add an ``ETag`` to answers of GET; answer 304 if the caller already has the current version."""

from __future__ import annotations

import hashlib

from starlette.requests import Request
from starlette.responses import Response


def with_tag(request: Request, response: Response) -> Response:
    """Return the answer with an ``ETag``. If the header ``If-None-Match`` of the call has this tag, return 304 without
    a body.

    Answers with ``Cache-Control: no-store`` get no tag. The caller's permissions are checked before this function is
    called.
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
    """Return whether the header names the tag; weak and strong tags compare as equal (RFC 9110, 13.1.2)."""
    named = {each.strip().removeprefix("W/") for each in header.split(",")}
    return tag in named or "*" in named
