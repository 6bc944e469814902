"""The calls that a provider makes to the platform over HTTP: fetch tasks and erasures, and submit answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ledger.domain.canonical import canonical
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound, PingzhengError, Unauthenticated
from ledger.provider.service import FOREIGN_ANSWER, HttpService, unreachable
from ledger.provider.supply import Supply
from ledger.provider.task import Entry, Task, notice_of, task_of


@dataclass(frozen=True, slots=True)
class Page:
    """A page of waiting tasks in the order of their authorizations.

    ``after`` is the place where the next page starts, None on the last page.
    """

    tasks: tuple[Task, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Notices:
    """Erasures to carry out; ``after`` is the place where the next page starts, or None if there is nothing new."""

    entries: tuple[Entry, ...]
    after: str | None


class Platform(Protocol):
    """The platform's calls that a provider needs. A call that fails raises ``Misconfigured`` ``PLATFORM_…``."""

    def tasks(self, after: str | None) -> Page:
        """Return a page of the tasks that wait for this provider."""

    def task(self, authorization: str) -> Task:
        """Return the task of the authorization with this id.

        If the provider has already supplied data, the task asks for a correction.
        """

    def erasures(self, after: str | None) -> Notices:
        """Return erasures of this provider's answers, in the order of the log."""

    def submit(self, supplies: Sequence[Supply]) -> list[PingzhengError | None]:
        """Submit answers.

        Return the platform's refusal of each answer, or None if the platform has stored it, now or earlier.
        """


class HttpPlatform:
    """A platform's service at ``url``, with the token of a session or the provider's API key.

    The constructor makes no network call. ``authorities`` is a file of CA certificates that replace the system's CA
    certificates. ``renew`` signs in again when the session expires, because a provider's round may last longer than a
    session.
    """

    def __init__(
        self, url: str, token: str, authorities: Path | None = None, *, renew: Callable[[], str] | None = None
    ) -> None:
        self._service = HttpService(url, authorities)
        self._token = token
        self._renew = renew

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
        try:
            return self._service.call(method, path, body, query, self._token)
        except Unauthenticated as ended:
            if self._renew is None or ended.code != "SESSION_UNKNOWN":
                raise
        self._token = self._renew()
        return self._service.call(method, path, body, query, self._token)


def _items(answer: Any) -> list[Any]:
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise unreachable(FOREIGN_ANSWER)
    return items


def _cursor(answer: Mapping[str, Any]) -> str | None:
    cursor = answer.get("next_cursor")
    return cursor if isinstance(cursor, str) else None
