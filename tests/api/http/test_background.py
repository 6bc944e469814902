"""Background work continues after errors, with pauses that become longer. It logs each error once, and reports its
state.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from api.app import create_app
from ledger.errors import ChainUnavailable, StorageFull
from ledger.installation.background import (
    LONGEST_REST,
    MAX_FAILING_SECONDS,
    MAX_TICK_SECONDS,
    TickingThread,
    work_check,
)
from ledger.installation.participant import Participant
from tests.support.api.parts import Api

UNREACHABLE = ChainUnavailable("CHAIN_UNREACHABLE", "No node answers.")
ERRORS = [UNREACHABLE, StorageFull("DISK_FULL", "Full."), KeyError("110105194912310038"), SystemExit(1), MemoryError()]


class Work:
    """Work that raises one of the given errors in each call, in their order, and afterwards succeeds."""

    def __init__(self, *errors: BaseException | None) -> None:
        self._errors = list(errors)
        self.over = threading.Event()

    def __call__(self) -> None:
        if not self._errors:
            self.over.set()
        elif (error := self._errors.pop(0)) is not None:
            raise error


@contextmanager
def running(
    work: Callable[[], object], now: list[float] | None = None, name: str = "anchoring"
) -> Iterator[TickingThread]:
    moment = now or [0.0]
    thread = TickingThread(name, work, 0.001, clock=lambda: moment[0])
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_background_work_continues_after_every_error(error: BaseException) -> None:
    work = Work(error, error)
    with running(work) as thread:
        assert work.over.wait(60)
        assert thread.state().code is None


def test_the_log_shows_when_an_error_began_and_ended_without_the_text_of_the_error() -> None:
    work = Work(*[ERRORS[2]] * 5, *[UNREACHABLE] * 3, None)
    with capture_logs() as logged, running(work, name="of this test"):
        assert work.over.wait(60)
    # Only the lines of this test's work are compared, because the service of other tests may write log lines at the
    # same time.
    lines = [line for line in logged if line.get("work") == "of this test"]
    result = [(line["log_level"], line.get("cause"), line.get("failed")) for line in lines]
    assert result == [("warning", "KeyError", None), ("warning", "CHAIN_UNREACHABLE", None), ("info", None, 8)]
    assert "110105194912310038" not in str(lines)


def test_the_pause_after_each_error_grows_up_to_a_maximum() -> None:
    thread = TickingThread("anchoring", lambda: None, 0.25)
    rests = [thread._rest_after(UNREACHABLE) for _ in range(8)]
    assert rests == [0.5, 1.0, 2.0, 4.0, LONGEST_REST, LONGEST_REST, LONGEST_REST, LONGEST_REST]
    assert thread._rest_after(None) == 0.25


def test_the_state_of_background_work_shows_that_the_work_keeps_failing_or_hangs() -> None:
    now, stuck = [0.0], threading.Event()
    failed = threading.Event()

    def fails() -> None:
        failed.set()
        raise UNREACHABLE

    with running(fails, now) as thread:
        assert failed.wait(60)
        until_failed(thread)
        assert thread.state().code is None
        now[0] = MAX_FAILING_SECONDS + 1
        assert (thread.state().code, thread.state().cause) == ("WORK_FAILING", "CHAIN_UNREACHABLE")
    now[0] = 0.0
    with running(stuck.wait, now) as thread:
        while thread._began is None:
            pass
        now[0] = MAX_TICK_SECONDS + 1
        assert thread.state().code == "WORK_STUCK"
        stuck.set()


def until_failed(thread: TickingThread) -> None:
    while thread._cause is None:
        pass


def test_the_state_of_background_work_shows_that_the_thread_has_ended() -> None:
    ended, alive = TickingThread("following", lambda: None), TickingThread("records", lambda: None)
    for thread in (ended, alive):
        thread.start()
    ended.stop()
    found = work_check([ended, alive])
    assert (found["ok"], found["code"], list(found["failing"])) == (False, "WORK_STOPPED", ["following"])
    alive.stop()


def test_the_service_is_not_ready_if_background_work_has_ended(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[TickingThread] = []

    class Remembered(TickingThread):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            made.append(self)

    monkeypatch.setattr("api.app.TickingThread", Remembered)

    @contextmanager
    def already_open() -> Iterator[Participant]:
        yield api.pilot.ledger

    with TestClient(create_app(already_open)) as client:
        api.pilot.ledger.anchoring.flush()
        assert client.get("/ready").json()["checks"]["work"]["ok"]
        next(thread for thread in made if thread.name == "following").stop()
        client.app.state.readiness._fresh = 0.0  # type: ignore[attr-defined]
        answer = client.get("/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "NOT_READY")
    assert answer.json()["details"]["checks"]["work"]["failing"]["following"]["code"] == "WORK_STOPPED"
