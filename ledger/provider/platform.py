"""The platform as a provider sees it: tasks and erasures to fetch, answers to hand in; here over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ledger.domain.canonical import canonical
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound, PingzhengError, Unauthenticated
from ledger.provider.service import HttpService, unreachable
from ledger.provider.supply import Supply
from ledger.provider.task import Entry, Task, notice_of, task_of


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
    """The service of a platform at ``url``, with the token of a session or the provider's API key.

    The constructor does no network. ``authorities`` is a file of certificates, where those of the system do not do.
    ``renew`` signs in anew where a session ended on the way: rounds may last longer than sessions do.
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
        raise unreachable("The answer is not of a platform like this one.")
    return items


def _cursor(answer: Mapping[str, Any]) -> str | None:
    cursor = answer.get("next_cursor")
    return cursor if isinstance(cursor, str) else None
