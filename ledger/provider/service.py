"""Signs in to a platform's service with a key, and calls the service over HTTP, with limits on time and size. No other
process sees the session's token.

The sign-in statement names the address from the caller's settings and the ledger from the caller's own deployment file.
Only the nonce comes from the service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from ledger.domain.canonical import canonical, parse_json
from ledger.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    Misconfigured,
    NotFound,
    PingzhengError,
    TooManyAttempts,
    Unauthenticated,
)
from ledger.proof.bundle import ChainId
from ledger.proof.jws import Signer
from ledger.proof.sign_in import Place, origin_of, sign_in
from ledger.provider.task import MAX_DEPTH, MAX_LIST_BYTES

STATEMENT_SECONDS: Final = 300
FOREIGN_ANSWER: Final = "The answer does not have the form of a platform's answer."
_TIMEOUT_SECONDS: Final = 60
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_FAMILIES: Final[Mapping[int, type[PingzhengError]]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: InvalidInput,
    429: TooManyAttempts,
}


@dataclass(frozen=True, slots=True)
class Session:
    """A session at a service, valid until ``expires_at`` (seconds UTC, by the service's clock)."""

    token: str
    id: str
    party: str
    account: str
    expires_at: int


class HttpService:
    """The service at ``url``. The constructor makes no network call; it raises ``Misconfigured`` ``PLATFORM_ADDRESS``.

    ``authorities`` is a file of CA certificates that replace the CA certificates of the system.
    """

    def __init__(self, url: str, authorities: Path | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise _misnamed("An address like https://platform.example is expected.")
        if parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise _misnamed("The token and the claims would be sent without encryption.")
        self.url = url.rstrip("/")
        self._session = requests.Session()
        # Only the configured address is used: proxies and .netrc from the environment are ignored.
        self._session.trust_env = False
        self._session.verify = True if authorities is None else str(authorities)

    def sign_in(self, chain: ChainId, party: str, signer: Signer, now: int) -> Session:
        """Sign in with the party's key for the ledger of ``chain``, and return the session. ``now`` is seconds UTC.

        Raises the errors of ``call``, with the service's codes ``SESSION_…``, and ``BadBundle`` ``SESSION_NONCE_FORM``.
        """
        place = Place.of(origin_of(self.url), chain)
        nonce = self.call("POST", "/v1/sessions/nonce", canonical({"party": party}))
        statement = sign_in(place, party, _text(nonce, "nonce"), signer, now + STATEMENT_SECONDS)
        made = self.call("POST", "/v1/sessions", canonical({"statement": statement}))
        token, identifier, account = (_text(made, name) for name in ("token", "id", "account"))
        return Session(token, identifier, party, account, int(made["expires_at"]))

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Any:
        """Call the service, and return its answer as JSON, or None for status 204.

        If the service answers with a problem, raises an error with the same code. Raises ``Misconfigured``
        ``PLATFORM_UNREACHABLE`` if the service does not answer.
        """
        headers = {} if body is None else {"Content-Type": "application/json"}
        if token is not None:
            # HTTP headers are Latin-1. A token with other letters is sent as UTF-8 all the same, so that the service
            # refuses it; otherwise this program would fail before it sends anything.
            headers["Authorization"] = f"Bearer {token}".encode().decode("latin-1")
        try:
            with self._session.request(
                method,
                self.url + path,
                params=query,
                data=body,
                headers=headers,
                timeout=_TIMEOUT_SECONDS,
                # A redirect would send the token to another address.
                allow_redirects=False,
                stream=True,
            ) as answer:
                raw, status = _bounded(answer), answer.status_code
        except (requests.RequestException, OSError) as error:
            raise unreachable(f"It does not answer ({type(error).__name__}).") from None
        if status == 204:
            return None
        if status in (200, 201, 202):
            return _parsed(raw)
        raise _error(status, raw)


def unreachable(message: str) -> Misconfigured:
    """Return the error for a service that does not answer, or does not answer as a platform does."""
    return Misconfigured(
        "PLATFORM_UNREACHABLE",
        f"The platform's service cannot be used. {message}",
        where="--service",
        hint="Check the address, and run this command again later. Signed answers are kept.",
    )


def _text(answer: Any, name: str) -> str:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, str):
        raise unreachable(FOREIGN_ANSWER)
    return value


def _bounded(answer: requests.Response) -> bytes:
    raw = b""
    for chunk in answer.iter_content(64 * 1024):
        raw += chunk
        if len(raw) > MAX_LIST_BYTES:
            raise unreachable("The answer is too large.")
    return raw


def _parsed(raw: bytes) -> Any:
    try:
        return parse_json(raw, max_bytes=MAX_LIST_BYTES, max_depth=MAX_DEPTH + 2)
    except InvalidInput as error:
        raise unreachable(FOREIGN_ANSWER) from error


def _error(status: int, raw: bytes) -> PingzhengError:
    """Return the platform's problem (RFC 9457) as an error with the same code.

    If the body is not a problem in this format, the error names the HTTP status.
    """
    try:
        problem = json.loads(raw)
        code, message = str(problem["code"]), str(problem["detail"])
        where, hint = problem.get("where"), problem.get("hint")
    except (ValueError, KeyError, TypeError, AttributeError):
        return unreachable(f"It answers with the status {status}.")
    if status not in _FAMILIES:
        return unreachable(f"It answers with the status {status}: {code}.")
    return _FAMILIES[status](code, message, where=where, hint=hint)


def _misnamed(message: str) -> Misconfigured:
    return Misconfigured(
        "PLATFORM_ADDRESS", f"Answers cannot be sent to this address. {message}", where="--service", hint="Use https."
    )
