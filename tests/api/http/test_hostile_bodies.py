"""Hostile request bodies (large, many values, compressed, slow, many chunks) are refused or use limited memory."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.http import bodies
from api.http.limits import MAX_BATCH_BYTES, MAX_BODY_BYTES, MAX_PUBLIC_BODY_BYTES, Limits
from api.http.problems import BodyRefused
from api.http.routing import Lane
from api.http.server import MAX_CHUNKS
from tests.support.api.parts import Api
from tests.support.api.raw_http import DENSE, JSON, Service, serving, until

CASE = Path(__file__).parent / "cases" / "api-gzip" / "b.gz"
CHUNKED = JSON | {"transfer_encoding": "chunked"}
VERIFY, NONCE = "/v1/verify", "/v1/sessions/nonce"


@pytest.fixture(scope="module")
def service(api: Api) -> Iterator[Service]:
    with serving(api.pilot.ledger, Limits(body_seconds=20)) as running:
        yield running


@pytest.fixture
def token(api: Api) -> dict[str, str]:
    return JSON | {"authorization": api.header("bank")["Authorization"]}


@pytest.mark.parametrize("path", [VERIFY, NONCE, "/v1/sessions", "/v1/enrolments"])
def test_a_large_body_without_a_token_is_refused_before_it_is_read(service: Service, path: str) -> None:
    assert 2_000_000 < len(DENSE) < 2_100_000
    service.gate.budget.most_kept = service.gate.lanes[Lane.VERIFYING].most_at_work = 0
    for _ in range(10):
        answer = service.call("POST", path, DENSE, **JSON)
        assert answer.status in (401, 413), answer
    assert service.gate.budget.most_kept == 0
    assert service.gate.lanes[Lane.VERIFYING].most_at_work == 0


def test_a_body_without_length_and_token_is_read_only_up_to_the_public_limit(service: Service) -> None:
    service.gate.budget.most_kept = 0
    with service.wire() as wire:
        wire.head("POST", NONCE, **CHUNKED)
        for _ in range(64):
            wire.send(b"8000\r\n" + b"[],[" * 8192 + b"\r\n")
        assert (wire.answer().status) == 413
    assert service.gate.budget.most_kept <= MAX_PUBLIC_BODY_BYTES


def test_a_call_without_a_token_is_refused_before_its_body_is_read(service: Service) -> None:
    service.gate.budget.most_kept = 0
    with service.wire() as wire:
        answer = wire.head("POST", VERIFY, content_length=1_000_000, **JSON).answer()
    assert (answer.status, answer.code) == (401, "SESSION_MISSING")
    assert service.gate.budget.most_kept == 0


def test_a_body_with_too_many_values_is_refused_without_parsing(service: Service, token: dict[str, str]) -> None:
    answer = service.call("POST", VERIFY, DENSE[:MAX_BODY_BYTES], **token)
    assert (answer.status, answer.code) == (413, "BODY_TOO_MANY_VALUES")
    assert service.call("POST", VERIFY, DENSE + b" " * MAX_BODY_BYTES, **token).code == "BODY_TOO_LARGE"


def test_the_body_of_a_batch_may_be_larger_than_other_bodies_up_to_a_limit(
    service: Service, token: dict[str, str]
) -> None:
    batch, empty = "/v1/requests/batch", b'{"items": []}'
    service.gate.lanes[Lane.BATCHING].most_at_work = 0
    assert service.call("POST", batch, empty + b" " * MAX_BODY_BYTES, **token).code == "REQUEST_SHAPE"
    assert service.call("POST", batch, DENSE, **token).code == "BODY_TOO_MANY_VALUES"
    with service.wire() as wire:
        refused = wire.head("POST", batch, content_length=MAX_BATCH_BYTES + 1, **token).answer()
    assert (refused.status, refused.code) == (413, "BODY_TOO_LARGE")
    assert service.gate.lanes[Lane.BATCHING].most_at_work == 1
    assert Limits().buffered_bytes_of_source >= MAX_BATCH_BYTES


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"[" * 90, "JSON_TOO_DEEP"),
        (b'{"a":' * 90 + b"1" + b"}" * 90, "JSON_TOO_DEEP"),
        (b"[1," * 60_000, "BODY_TOO_MANY_VALUES"),
        (b'{"a":1},' * 60_000, "BODY_TOO_MANY_VALUES"),
        (b'{"a": NaN}', "BODY_NOT_JSON"),
        (b'{"a": ' + b"1" * 5000 + b"}", "BODY_NOT_JSON"),
        (b'{"a": "\xff"}', "BODY_NOT_JSON"),
        (b'{"a": 1', "BODY_NOT_JSON"),
        (b"\x00", "BODY_NOT_JSON"),
    ],
)
def test_a_body_that_is_not_a_small_json_value_is_refused(
    service: Service, token: dict[str, str], text: bytes, code: str
) -> None:
    answer = service.call("POST", VERIFY, text, **token)
    assert (answer.status in (400, 413, 422), answer.code) == (True, code)


def test_an_error_names_at_most_twenty_of_ten_thousand_unknown_members(service: Service, token: dict[str, str]) -> None:
    text = json.dumps({f"x{number}": 1 for number in range(10_000)}).encode()
    answer = service.call("POST", VERIFY, text, **token)
    assert (answer.status, answer.code) == (422, "REQUEST_SHAPE")
    assert len(json.loads(answer.body)["details"]["errors"]) == 20
    assert len(answer.body) < 8192


# Tests of compressed bodies, which are read or refused


def test_a_gzip_body_is_read(service: Service, token: dict[str, str]) -> None:
    answer = service.call("POST", VERIFY, CASE.read_bytes(), content_encoding="gzip", **token)
    assert (answer.status, answer.code) == (422, "REQUEST_SHAPE")
    number = b'{"certificate_no": "DAC-440802-2026-S01-00000123-V"}'
    answer = service.call("POST", VERIFY, gzip.compress(number), content_encoding="gzip", **token)
    assert (answer.status, answer.code) == (404, "CERTIFICATE_UNKNOWN")


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "gzip, gzip", "compress"])
def test_a_compression_other_than_gzip_is_refused_and_the_error_names_gzip(
    service: Service, token: dict[str, str], encoding: str
) -> None:
    answer = service.call("POST", VERIFY, zlib.compress(b"{}"), content_encoding=encoding, **token)
    assert (answer.status, answer.code) == (415, "CONTENT_ENCODING_UNSUPPORTED")
    assert answer.headers["accept-encoding"] == "gzip, identity"
    assert "gzip" in json.loads(answer.body)["hint"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data", "application/json; charset=gbk"]
)
def test_a_body_that_is_not_json_is_refused(service: Service, token: dict[str, str], kind: str) -> None:
    answer = service.call("POST", VERIFY, b"{}", **token | {"content_type": kind})
    assert (answer.status, answer.code) == (415, "CONTENT_TYPE_UNSUPPORTED")


@pytest.mark.parametrize(
    "body",
    [b"{}", gzip.compress(b"{}")[:-3], gzip.compress(b"{}") + b"x", gzip.compress(b"{") + gzip.compress(b"}")],
    ids=["not packed", "cut off", "more behind it", "two streams"],
)
def test_an_incomplete_gzip_stream_is_refused(service: Service, token: dict[str, str], body: bytes) -> None:
    answer = service.call("POST", VERIFY, body, content_encoding="gzip", **token)
    assert (answer.status, answer.code) == (400, "BODY_NOT_GZIP")


def test_a_gzip_bomb_uses_little_memory(service: Service, token: dict[str, str]) -> None:
    bomb = gzip.compress(b" " * 100_000_000)
    assert len(bomb) < MAX_PUBLIC_BODY_BYTES * 10
    answer = service.call("POST", VERIFY, bomb, content_encoding="gzip", **token)
    assert (answer.status, answer.code) == (413, "BODY_TOO_LARGE")
    tracemalloc.start()
    try:
        with pytest.raises(BodyRefused, match="2097152"):
            bodies.unpacked(bomb, "gzip", MAX_BODY_BYTES)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * MAX_BODY_BYTES


# Tests that bodies in many chunks and slow bodies are refused


def test_a_body_in_thousands_of_chunks_is_refused(service: Service, token: dict[str, str]) -> None:
    with service.wire() as wire:
        wire.head("POST", VERIFY, **token, transfer_encoding="chunked")
        wire.send(b"1\r\n[\r\n" * (MAX_CHUNKS + 1))
        assert wire.answer().status == 400
        assert wire.is_closed()


def test_a_body_in_an_allowed_number_of_chunks_is_read(service: Service, token: dict[str, str]) -> None:
    with service.wire() as wire:
        wire.head("POST", VERIFY, **token, transfer_encoding="chunked")
        answer = wire.send(b"1\r\n[\r\n" * 200 + b"0\r\n\r\n").answer()
    assert (answer.status, answer.code) == (422, "JSON_TOO_DEEP")


def test_a_slow_body_times_out_and_its_buffered_bytes_are_released(api: Api, token: dict[str, str]) -> None:
    with serving(api.pilot.ledger, Limits(body_seconds=0.2)) as service, service.wire() as wire:
        answer = wire.head("POST", VERIFY, content_length=1_000_000, **token).send(b"x" * 50_000).answer()
        assert (answer.status, answer.code) == (408, "BODY_TOO_SLOW")
        assert answer.headers["connection"] == "close"
        assert wire.is_closed()
        assert service.gate.budget.kept == 0 < service.gate.budget.most_kept


def test_slow_bodies_together_stay_within_the_limit_of_buffered_bytes(api: Api, token: dict[str, str]) -> None:
    """Before there was a common limit for the bytes of all bodies, 150 slow bodies used 440 MB of memory."""
    limits = Limits(buffered_bytes=1_000_000, buffered_bytes_of_source=1_000_000)
    with serving(api.pilot.ledger, limits) as service:
        wires = [service.wire() for _ in range(150)]
        for wire in wires:
            wire.head("POST", VERIFY, content_length=1_900_000, **token).send(b"x" * 100_000)
        until(lambda: service.gate.budget.kept > 900_000)
        answers = []
        for wire in wires[20:]:
            answers.append(wire.answer())
            wire.close()
        assert {(answer.status, answer.code) for answer in answers} == {(503, "BODIES_TOO_MANY")}
        assert all(answer.headers["retry-after"] == "2" for answer in answers)
        assert service.gate.budget.most_kept <= 1_000_000
        assert service.call("GET", "/health").status == 200
        for wire in wires:
            wire.close()
        until(lambda: service.gate.budget.kept == 0)


def test_one_address_cannot_fill_the_whole_body_buffer(api: Api) -> None:
    limits = Limits(buffered_bytes=1000, buffered_bytes_of_source=600)
    with serving(api.pilot.ledger, limits) as service:
        budget = service.gate.budget
        with budget.share("a") as first, budget.share("b") as second:
            first(600)
            with pytest.raises(Exception, match="BODIES_TOO_MANY"):
                first(1)
            second(400)
            with pytest.raises(Exception, match="BODIES_TOO_MANY"):
                second(1)
        assert budget.kept == 0


def test_the_rate_limit_applies_only_to_calls_without_a_token(api: Api, token: dict[str, str]) -> None:
    party = json.dumps({"party": api.parties["bank"]}).encode()
    with serving(api.pilot.ledger, Limits(public_reserve=3, public_per_second=0.001)) as service:
        answers = [service.call("POST", NONCE, party, **JSON) for _ in range(5)]
        assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
        assert answers[-1].code == "TOO_MANY_CALLS" and int(answers[-1].headers["retry-after"]) > 0
        assert service.call("POST", VERIFY, b"{}", **token).code == "VERIFY_WHAT"
        assert service.call("GET", "/v1/ledger").status == 200
