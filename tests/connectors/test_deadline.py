"""Work with a time limit: its result and its errors reach the caller, and work that takes too long is abandoned."""

from __future__ import annotations

import threading
from time import monotonic

import pytest

from ledger.connectors.deadline import MAX_AT_ONCE, Deadline, TimeIsUp, Workers
from tests.connectors.places import left_behind


def test_the_result_of_a_worker_thread_is_returned_to_the_caller() -> None:
    assert Workers("test").run(20, lambda until: until.left() > 10) is True


def test_an_error_in_a_worker_thread_is_raised_for_the_caller() -> None:
    def fail(_until: Deadline) -> None:
        raise KeyError("column")

    with pytest.raises(KeyError):
        Workers("test").run(20, fail)


def test_work_that_ignores_its_deadline_is_abandoned() -> None:
    free = threading.Event()
    begun = monotonic()
    with pytest.raises(TimeIsUp):
        Workers("test").run(0.05, lambda _until: free.wait(30))
    assert monotonic() - begun < 10
    free.set()
    assert left_behind() == []


def test_a_deadline_counts_as_passed_as_soon_as_its_work_has_ended() -> None:
    kept: list[Deadline] = []
    Workers("test").run(20, kept.append)
    (deadline,) = kept
    assert deadline.passed()
    assert deadline.left() == 0
    with pytest.raises(TimeIsUp):
        deadline.check()


def test_hanging_work_leaves_a_limited_number_of_threads() -> None:
    free = threading.Event()
    workers = Workers("test")
    for _ in range(MAX_AT_ONCE + 3):
        with pytest.raises(TimeIsUp):
            workers.run(0.01, lambda _until: free.wait(30))
    hanging = [thread for thread in threading.enumerate() if thread.name == "source test"]
    assert len(hanging) == MAX_AT_ONCE
    free.set()
    assert left_behind() == []
    assert workers.run(20, lambda _until: "again") == "again"


def test_work_times_out_while_no_thread_can_start_and_succeeds_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    workers = Workers("test")
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_more)
        for _ in range(MAX_AT_ONCE + 1):
            with pytest.raises(TimeIsUp):
                workers.run(0.01, lambda _until: None)
    assert workers.run(20, lambda _until: "again") == "again"
