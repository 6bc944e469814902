"""A provider reaches its platform only over HTTP. The server that answers may not be a platform, or may be a platform
that lies.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests

from ledger.domain.parties import Role
from ledger.errors import PingzhengError
from ledger.parties.roles import Actor
from ledger.provider.platform import HttpPlatform
from ledger.provider.run import go_round
from tests.provider.stage import Stage
from tests.support.actors.providers import Files, Town
from tests.support.actors.signing_in import token_of


def platform(town: Town, service: str) -> HttpPlatform:
    return HttpPlatform(service, token_of(town.ledger, town.party))


def results(town: Town, service: str, files: Files | None = None) -> list[str]:
    done = go_round(town.provider(), platform(town, service), (files or Files()).connector)
    return [each.result or each.error.code for each in done if each.result or each.error]


def test_a_round_over_http_makes_a_certificate(town: Town, service: str) -> None:
    one, other = town.consents("46", "47")
    assert results(town, service) == ["supplied", "supplied"]
    assert town.verified(town.certified(one)).valid
    assert results(town, service) == []
    assert town.provisions(other)[0].result == "supplied"


def test_a_task_arrives_unchanged_over_http(town: Town, service: str) -> None:
    (consent,) = town.consents("48")
    (listed,) = platform(town, service).tasks(None).tasks
    assert listed == platform(town, service).task(consent) == town.platform.task(consent)


def test_a_correction_over_http_withdraws_the_old_provision(town: Town, service: str) -> None:
    (consent,) = town.consents("49")
    results(town, service)
    number = town.certified(consent)
    supply = town.provider().correct(platform(town, service).task(consent), Files())
    assert platform(town, service).submit([supply]) == [None]
    failed = town.verified(number).first_failure
    assert failed is not None and failed.code == "PROVISION_WITHDRAWN"


def test_erasures_over_http_are_carried_out(town: Town, service: str) -> None:
    (consent,) = town.consents("50")
    supply = town.provider().answer(town.platform.task(consent), Files())
    firm = town.pilot.cast.firms["50"]
    town.ledger.erasure.party(Actor(firm, frozenset({Role.SUBJECT})), firm, "subject_request")
    assert results(town, service) == []
    assert town.answers.evidence(supply.digest)[1] is None
    again = platform(town, service).erasures(town.answers.seen("erasures"))
    assert (again.entries, again.after) == ((), None)


def test_the_provider_gets_the_error_code_of_an_answer_refused_over_http(town: Town, service: str) -> None:
    (consent,) = town.consents("51")
    supply = town.provider().answer(town.platform.task(consent), Files())
    town.ledger.usage.requests.cancel(town.ledger.usage.authorizations.get(consent).request_id)
    (error,) = platform(town, service).submit([supply])
    assert error is not None and (error.code, type(error).__name__) == ("REQUEST_NOT_AUTHORIZED", "Conflict")


def test_the_platform_accepts_no_rows_of_a_providers_data(town: Town, service: str) -> None:
    (consent,) = town.consents("52")
    sent = town.provider().answer(town.platform.task(consent), Files()).to_dict()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token_of(town.ledger, town.party)}"
    tries: list[dict[str, Any]] = [{"rows": []}, {"rows": [{"wage": "9.0"}], "salt": "A" * 22}]
    for rows in tries:
        answer = session.post(f"{service}/v1/provisions", json=sent | rows, timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_SHAPE")
    assert session.post(f"{service}/v1/provisions/draft", json={}, timeout=10).status_code in (404, 405)
    assert town.provisions(consent) == []


def test_a_provider_gets_only_its_own_tasks(town: Town, service: str) -> None:
    """A task contains its subject's identifier, which other providers must not see."""
    (consent,) = town.consents("53")
    for party in (town.pilot.cast.provider, town.pilot.cast.bank, town.ledger.installation.operator):
        stranger = HttpPlatform(service, token_of(town.ledger, party))
        with pytest.raises(PingzhengError) as caught:
            stranger.task(consent)
        assert caught.value.code == "PARTY_LACKS_ROLE"


@pytest.mark.parametrize("key", ["", "pz_unknown", "pz_✓"])
def test_a_wrong_api_key_loses_no_answer(town: Town, service: str, key: str) -> None:
    (consent,) = town.consents("54")
    supply = town.provider().answer(town.platform.task(consent), Files())
    with pytest.raises(PingzhengError):
        list(go_round(town.provider(), HttpPlatform(service, key), Files().connector))
    assert town.answers.waiting() == [supply]


@pytest.mark.parametrize(
    "address",
    [
        "http://platform.example",
        "ftp://platform.example",
        "platform.example",
        "https://",
        "https://user:secret@platform.example",
        "https://platform.example?key=secret",
    ],
)
def test_an_address_that_would_reveal_the_api_key_is_refused(address: str) -> None:
    with pytest.raises(PingzhengError) as caught:
        HttpPlatform(address, "pz_secret")
    assert caught.value.code == "PLATFORM_ADDRESS"
    assert "secret" not in str(caught.value)


Answering = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def answering(answer: Answering) -> Iterator[str]:
    """Run a server that gives this answer to every request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def telling(status: int, body: bytes, **headers: str) -> Answering:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


STRANGE = {
    "no JSON": telling(200, b"<html>"),
    "no page": telling(200, b"[]"),
    "an item twice": telling(200, b'{"items":[],"items":[],"next_cursor":null}'),
    "a redirect": telling(302, b"", Location="http://127.0.0.1:9/elsewhere"),
    "an error of its own": telling(500, b'{"code":"INTERNAL","detail":"x"}'),
    "an error without a code": telling(404, b"not here"),
}


@pytest.mark.parametrize("answer", STRANGE.values(), ids=STRANGE)
def test_an_answer_from_a_server_that_is_no_platform_is_refused(answer: Answering) -> None:
    with answering(answer) as address, pytest.raises(PingzhengError, match="PLATFORM_UNREACHABLE"):
        HttpPlatform(address, "pz_key").tasks(None)


def test_the_api_key_is_not_sent_to_the_target_of_a_redirect() -> None:
    heard: list[str | None] = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        heard.append(handler.headers.get("Authorization"))
        telling(200, b"{}")(handler)

    with (
        answering(elsewhere) as other,
        answering(telling(307, b"", Location=f"{other}/x")) as address,
        pytest.raises(PingzhengError, match="PLATFORM_UNREACHABLE"),
    ):
        HttpPlatform(address, "pz_key").tasks(None)
    assert heard == []


def test_tasks_in_a_wrong_form_are_refused() -> None:
    page = b'{"items":[{"format":"pingzheng-task/1"}],"next_cursor":null}'
    with answering(telling(200, page)) as address, pytest.raises(PingzhengError, match="TASK_FORM"):
        HttpPlatform(address, "pz_key").tasks(None)


def test_an_unreachable_platform_loses_no_answer(town: Town) -> None:
    (consent,) = town.consents("55")
    supply = town.provider().answer(town.platform.task(consent), Files())
    with pytest.raises(PingzhengError, match="PLATFORM_UNREACHABLE"):
        list(go_round(town.provider(), HttpPlatform("http://127.0.0.1:9", "pz_key"), Files().connector))
    assert town.answers.waiting() == [supply]


def test_reading_an_endless_answer_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.provider.service.MAX_LIST_BYTES", 10_000)
    body = Stage().task().to_dict()
    with answering(telling(200, b" " * 20_000)) as address, pytest.raises(PingzhengError, match="too large"):
        HttpPlatform(address, "pz_key").task(str(body["authorization"]["id"]))
