"""The platform as a provider sees it: tasks and erasures to fetch, answers to hand in; here over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import requests

from ledger.domain.canonical import canonical, parse_json
from ledger.errors import Conflict, Forbidden, InvalidInput, Misconfigured, NotFound, PingzhengError, Unauthenticated
from ledger.provider.supply import Supply
from ledger.provider.task import MAX_DEPTH, MAX_LIST_BYTES, Entry, Task, notice_of, task_of

_TIMEOUT_SECONDS: Final = 60
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_FAMILIES: Final[Mapping[int, type[PingzhengError]]] = {
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: InvalidInput,
}


@dataclass(frozen=True, slots=True)
class Page:
    """Tasks that wait, by authorization, and where the next page begins; ``None``: this was the last."""

    tasks: tuple[Task, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Notices:
    """Erasures to obey, and where the next ones begin; nothing new: ``after`` is ``None``."""

    entries: tuple[Entry, ...]
    after: str | None


class Platform(Protocol):
    """What a provider needs of a platform. Every call raises ``Misconfigured`` ``PLATFORM_…`` if it cannot be made."""

    def tasks(self, after: str | None) -> Page:
        """A page of tasks that wait for this provider."""

    def task(self, authorization: str) -> Task:
        """The task under one authorization, by id: of a correction, if something was supplied before."""

    def erasures(self, after: str | None) -> Notices:
        """Erasures of what this provider answered, in the order of the log."""

    def submit(self, supplies: Sequence[Supply]) -> list[PingzhengError | None]:
        """Hand in answers: for each why it was refused, or ``None``; those that the platform has already pass."""


class HttpPlatform:
    """The service of a platform at ``url``, with the provider's API key. The constructor does no network.

    ``authorities`` is a file of certificates, where those of the system do not do.
    """

    def __init__(self, url: str, api_key: str, authorities: Path | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise _misnamed("An address like https://platform.example is expected.")
        if parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise _misnamed("The API key and the claims would cross the network in the clear.")
        self._url = url.rstrip("/")
        self._session = requests.Session()
        # The platform is named by configuration: no proxy and no .netrc of the environment takes its place.
        self._session.trust_env = False
        self._session.verify = True if authorities is None else str(authorities)
        # Headers are sent as Latin-1: a key in other letters gets through as UTF-8, and the platform refuses it.
        self._session.headers["Authorization"] = f"Bearer {api_key}".encode().decode("latin-1")

    def tasks(self, after: str | None) -> Page:
        answer = self._get("/v1/provisions/tasks", after)
        tasks = tuple(task_of(item, f"tasks[{place}]") for place, item in enumerate(_items(answer)))
        return Page(tasks, _cursor(answer))

    def task(self, authorization: str) -> Task:
        return task_of(self._call("GET", f"/v1/provisions/tasks/{authorization}"))

    def erasures(self, after: str | None) -> Notices:
        answer = self._get("/v1/provisions/erasures", after)
        entries = tuple(notice_of(item, f"erasures[{place}]") for place, item in enumerate(_items(answer)))
        return Notices(entries, _cursor(answer))

    def submit(self, supplies: Sequence[Supply]) -> list[PingzhengError | None]:
        return [self._refusal(supply) for supply in supplies]

    def _refusal(self, supply: Supply) -> PingzhengError | None:
        try:
            self._call("POST", "/v1/provisions", canonical(supply.to_dict()))
        except (Conflict, Forbidden, InvalidInput, NotFound) as refusal:
            return refusal
        return None

    def _get(self, path: str, after: str | None) -> Any:
        return self._call("GET", path, None, {} if after is None else {"cursor": after})

    def _call(self, method: str, path: str, body: bytes | None = None, query: Mapping[str, str] | None = None) -> Any:
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            with self._session.request(
                method,
                self._url + path,
                params=query,
                data=body,
                headers=headers,
                timeout=_TIMEOUT_SECONDS,
                # Else the key would follow to wherever an answer points.
                allow_redirects=False,
                stream=True,
            ) as answer:
                raw, status = _bounded(answer), answer.status_code
        except (requests.RequestException, OSError) as error:
            raise _unreachable(f"No answer comes ({type(error).__name__}).") from None
        if status in (200, 201):
            return _parsed(raw)
        raise _error(status, raw)


def _bounded(answer: requests.Response) -> bytes:
    raw = b""
    for chunk in answer.iter_content(64 * 1024):
        raw += chunk
        if len(raw) > MAX_LIST_BYTES:
            raise _unreachable("The answer is too large.")
    return raw


def _parsed(raw: bytes) -> Any:
    try:
        return parse_json(raw, max_bytes=MAX_LIST_BYTES, max_depth=MAX_DEPTH + 2)
    except InvalidInput as error:
        raise _unreachable("The answer is not of a platform like this one.") from error


def _error(status: int, raw: bytes) -> PingzhengError:
    """The platform's problem (RFC 9457) as an error of the same code; of what is none, the status alone."""
    try:
        problem = json.loads(raw)
        code, message = str(problem["code"]), str(problem["detail"])
        where, hint = problem.get("where"), problem.get("hint")
    except (ValueError, KeyError, TypeError, AttributeError):
        return _unreachable(f"It answers with the status {status}.")
    if status not in _FAMILIES:
        return _unreachable(f"It answers with the status {status}: {code}.")
    return _FAMILIES[status](code, message, where=where, hint=hint)


def _items(answer: Any) -> list[Any]:
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise _unreachable("The answer is not of a platform like this one.")
    return items


def _cursor(answer: Mapping[str, Any]) -> str | None:
    cursor = answer.get("next_cursor")
    return cursor if isinstance(cursor, str) else None


def _unreachable(message: str) -> Misconfigured:
    return Misconfigured(
        "PLATFORM_UNREACHABLE",
        f"The platform's service cannot be used. {message}",
        where="--service",
        hint="Check the address; run it again later: what was signed is kept.",
    )


def _misnamed(message: str) -> Misconfigured:
    return Misconfigured(
        "PLATFORM_ADDRESS", f"This is no address to send answers to. {message}", where="--service", hint="Use https."
    )
