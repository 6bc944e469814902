"""The service stays available under many calls, slow connections and a node that does not answer."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI

from api.http.limits import MAX_SOURCES, Limits, Rate
from api.http.readiness import Readiness
from api.http.routing import Lane
from api.http.server import Connections
from api.http.turns import Turns
from ledger.errors import Busy, TooManyAttempts
from tests.support.api.parts import Api
from tests.support.api.raw_http import JSON, Answer, Service, Wire, serving, until

OK = {"ok": True}


@asynccontextmanager
async def held(turns: Turns, source: str = "a") -> AsyncIterator[None]:
    async with turns.turn(source):
        yield


# Tests of waiting calls: each address gets its turn


def test_clients_at_different_addresses_take_turns_even_if_one_client_sends_many_calls() -> None:
    order: list[str] = []

    async def call(turns: Turns, source: str) -> None:
        async with turns.turn(source):
            order.append(source)

    async def run() -> None:
        turns = Turns(1, Limits())
        async with held(turns):
            calls = [asyncio.ensure_future(call(turns, source)) for source in "aaaab"]
            await asyncio.sleep(0)
            assert turns.waiting == 5
        await asyncio.gather(*calls)

    asyncio.run(run())
    assert order == ["a", "b", "a", "a", "a"]


def test_a_full_queue_refuses_calls_and_one_address_cannot_fill_the_queue() -> None:
    async def run() -> None:
        turns = Turns(1, Limits(waiting=4, waiting_of_source=3))
        async with held(turns):
            calls = [asyncio.ensure_future(held(turns, source).__aenter__()) for source in ("a", "a", "a", "b")]
            await asyncio.sleep(0)
            for source in ("a", "c"):
                with pytest.raises(Busy) as refused:
                    await held(turns, source).__aenter__()
                assert (refused.value.code, refused.value.details["retry_after"]) == ("QUEUE_FULL", 3)
            for waiting in calls:
                waiting.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            assert turns.waiting == 0
        async with held(turns):
            assert turns.at_work == 1

    asyncio.run(run())


def test_a_call_that_waits_too_long_is_refused_and_frees_its_place_in_the_queue() -> None:
    async def run() -> None:
        turns = Turns(1, Limits(waiting_seconds=0.01))
        async with held(turns):
            with pytest.raises(Busy) as refused:
                await held(turns).__aenter__()
            assert refused.value.code == "QUEUE_SLOW"
        for _ in range(3):
            async with held(turns):
                assert (turns.at_work, turns.waiting) == (1, 0)

    asyncio.run(run())


def test_a_rate_limit_is_refilled_and_remembers_a_bounded_number_of_addresses() -> None:
    now = [0.0]
    rate = Rate(2, 0.5, lambda: now[0])
    rate.count("a")
    rate.count("a")
    with pytest.raises(TooManyAttempts) as refused:
        rate.count("a")
    assert refused.value.details["retry_after"] == 3
    rate.count("b")
    now[0] = 2.0
    rate.count("a")
    for number in range(MAX_SOURCES + 10):
        rate.count(f"source {number}")
    assert len(rate._left) == MAX_SOURCES


# Tests with many calls to the service at the same time


@pytest.fixture(scope="module")
def small(api: Api) -> Iterator[Service]:
    """Yield a running service with small limits."""
    limits = Limits(looking=2, acting=2, verifying=2, waiting=20, waiting_of_source=20, waiting_seconds=60)
    with serving(api.pilot.ledger, limits) as running:
        yield running


def at_once(calls: int, call: object) -> list[Answer]:
    with ThreadPoolExecutor(calls) as pool:
        return list(pool.map(call, range(calls)))  # type: ignore[arg-type]


def test_many_verifications_at_once_are_answered_or_refused_with_503(api: Api, small: Service) -> None:
    body = json.dumps({"certificate_no": "DAC-440802-2026-S01-00000123-V"}).encode()
    token = JSON | {"authorization": api.header("bank")["Authorization"]}
    answers = at_once(200, lambda _: small.call("POST", "/v1/verify", body, **token))
    result = {(answer.status, answer.code) for answer in answers}
    assert result == {(404, "CERTIFICATE_UNKNOWN"), (503, "QUEUE_FULL")}
    assert all("retry-after" in answer.headers for answer in answers if answer.status == 503)
    assert small.gate.lanes[Lane.VERIFYING].most_at_work == 2
    assert small.gate.lanes[Lane.VERIFYING].waiting == small.gate.budget.kept == 0


def test_blocked_expensive_calls_do_not_block_the_health_route_or_cheap_calls(api: Api) -> None:
    """The test occupies all places for expensive calls, as if calls that wait for a silent node had taken the
    places.
    """
    limits = Limits(verifying=1, waiting_seconds=0.05)
    token = JSON | {"authorization": api.header("bank")["Authorization"]}
    with serving(api.pilot.ledger, limits) as service:
        service.gate.lanes[Lane.VERIFYING]._free = 0
        answer = service.call("POST", "/v1/verify", b"{}", **token)
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "QUEUE_SLOW", "3")
        assert service.call("GET", "/health").status == 200
        assert service.call("GET", "/v1/ledger").status == 200
        assert service.call("GET", "/ready").status in (200, 503)


def test_the_health_route_answers_while_every_worker_thread_is_taken(api: Api) -> None:
    with serving(api.pilot.ledger) as service:
        for lane in (*service.gate.lanes.values(), service.gate.entering):
            lane._free = 0
        assert service.call("GET", "/health").body == b'{"status":"ok"}'
        assert service.call("HEAD", "/health").status == 200


# Tests of the limits for slow, idle and many connections


def test_slow_headers_time_out(api: Api) -> None:
    with serving(api.pilot.ledger, connections=Connections(header_seconds=0.1)) as service:
        with service.wire() as wire:
            assert wire.send(b"GET /health HTTP/1.1\r\nHost: here\r\nX: ").answer().status == 408
            assert wire.is_closed()
        with service.wire() as wire:
            assert wire.is_closed()


def test_a_client_that_keeps_sending_after_the_answer_is_disconnected(api: Api) -> None:
    with serving(api.pilot.ledger, connections=Connections(drain_seconds=0.1)) as service, service.wire() as wire:
        wire.head("POST", "/v1/verify", content_length=1_000_000, **JSON).send(b"x" * 1000)
        assert wire.answer().status == 401
        assert wire.is_closed()


def test_a_new_connection_takes_the_place_of_the_oldest_idle_connection(api: Api) -> None:
    with serving(api.pilot.ledger, connections=Connections(most=4, reserve=2, header_seconds=600)) as service:
        idle = [service.wire().send(b"GET /") for _ in range(4)]
        until(lambda: service.gate.budget.kept == 0)
        for oldest in idle:
            assert service.call("GET", "/v1/ledger").status == 200
            assert oldest.is_closed()
            # The connection that ``service.call`` opened is closed again, so there is room for a new idle connection.
            idle.append(service.wire().send(b"GET /"))
            if len(idle) == 8:
                break
        for wire in idle:
            wire.close()


def test_connections_above_the_limit_get_503_from_every_route_except_the_health_route(api: Api) -> None:
    header = api.header("bank")
    with serving(api.pilot.ledger, connections=Connections(most=3, reserve=1)) as service:
        busy = [half_sent(service, header) for _ in range(3)]
        until(lambda: service.gate.budget.kept == 3 * 10)
        assert service.call("GET", "/health").status == 200
        answer = service.call("GET", "/v1/ledger")
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "CONNECTIONS_TOO_MANY", "3")
        busy[0].close()
        until(lambda: service.gate.budget.kept == 2 * 10)
        assert service.call("GET", "/v1/ledger").status == 200
        for wire in busy:
            wire.close()


def test_the_bytes_of_unread_answers_are_limited(api: Api) -> None:
    """Anybody can request the schema without a token, so its answer of more than half a megabyte is used for
    this test.
    """
    bounds = Connections(unread_bytes=2_000_000)
    with serving(api.pilot.ledger, connections=bounds) as service:
        length = int(service.call("HEAD", "/openapi.json").headers["content-length"])
        assert length > 500_000
        wires = [service.wire(receive=4096).head("GET", "/openapi.json") for _ in range(40)]
        until(lambda: sum(wire.is_reset() for wire in wires) >= 30)
        assert service.call("GET", "/health").status == 200
        for wire in wires:
            wire.close()


def test_the_schema_is_built_once_for_all_calls(api: Api) -> None:
    first = api.get(None, "/openapi.json")
    assert api.get(None, "/openapi.json").content == first.content
    assert isinstance(api.client.app, FastAPI)
    assert first.json() == api.client.app.openapi()


def half_sent(service: Service, header: dict[str, str]) -> Wire:
    named = JSON | {"authorization": header["Authorization"]}
    return service.wire().head("POST", "/v1/verify", content_length=100, **named).send(b"x" * 10)


# Tests of readiness checks


def test_many_readiness_calls_share_one_check() -> None:
    asked = []

    def check() -> dict[str, dict[str, bool]]:
        asked.append(threading.current_thread().name)
        return {"chain": OK}

    async def run() -> None:
        readiness = Readiness(check, fresh=60)
        for _ in range(3):
            assert await asyncio.gather(*(readiness.checks() for _ in range(500))) == [{"chain": OK}] * 500
        readiness.close()

    asyncio.run(run())
    assert len(asked) == 1 and asked[0].startswith("readiness")


def test_a_node_that_does_not_answer_blocks_few_threads_and_is_reported() -> None:
    asked, over = [], threading.Event()

    def check() -> dict[str, dict[str, bool]]:
        asked.append(1)
        over.wait()
        return {"chain": OK}

    async def run() -> None:
        readiness = Readiness(check, fresh=0, timeout=0.01)
        slow = {"readiness": {"ok": False, "code": "READINESS_SLOW", "seconds": 0}}
        assert await asyncio.gather(*(readiness.checks() for _ in range(50))) == [slow] * 50
        over.set()
        while (await readiness.checks()) == slow:
            await asyncio.sleep(0.01)
        readiness.close()

    asyncio.run(run())
    assert len(asked) <= 3


def test_an_unexpected_error_in_the_readiness_check_is_reported() -> None:
    async def run() -> dict[str, dict[str, object]]:
        readiness = Readiness(lambda: json.loads("{"))
        found = await readiness.checks()
        readiness.close()
        return found

    assert asyncio.run(run()) == {"readiness": {"ok": False, "code": "INTERNAL"}}
