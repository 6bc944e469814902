"""Tests that all parts of a node's address are used, and that errors do not show its secrets."""

from __future__ import annotations

from typing import Any, Final

import pytest

from ledger.chain.rpc.connection import Connection
from ledger.errors import Misconfigured
from tests.chain.rpc.healthy_node import refused
from tests.support.chain.faulty_node import FaultyNode
from tests.support.chain.node_faults import HTTP

SECRETS: Final = ("operator", "s3cret", "4f9d1c", "apikey", "k3y")


def secret_url(node: FaultyNode) -> str:
    return node.url.replace("http://", "http://operator:s3cret@") + "/v3/4f9d1c?apikey=k3y&token=1"


def test_user_and_path_and_query_of_a_node_address_are_sent(node: FaultyNode) -> None:
    asked: list[Any] = []
    node.fault = lambda turn: asked.append((turn.handler.path, turn.handler.headers)) or turn.give(turn.healthy)
    assert Connection(secret_url(node)).chain_id() == 1337
    ((path, headers),) = asked
    assert (path, headers["Authorization"]) == ("/v3/4f9d1c?apikey=k3y&token=1", "Basic b3BlcmF0b3I6czNjcmV0")


@pytest.mark.parametrize("fault", [*HTTP, "not there"])
def test_an_error_shows_no_secret_of_the_node_address(node: FaultyNode, fault: str) -> None:
    connection = Connection(secret_url(node))
    assert connection.where == f"{node.url}/…"
    node.fault = HTTP.get(fault)
    if fault == "not there":
        connection = Connection("http://operator:s3cret@127.0.0.1:1/v3/4f9d1c?apikey=k3y")
    error: BaseException | None = refused(connection.chain_id)
    while error is not None:
        assert not any(each in f"{error!s} {error.__dict__}" for each in SECRETS)
        error = error.__cause__


@pytest.mark.parametrize(
    "url",
    ["", "node", "ftp://node", "http://", "http://[::1", "http://node:99999", "http://no de", "http://é", "file:///x"],
)
def test_an_invalid_node_address_is_reported(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Connection(url).chain_id()
    assert (caught.value.code, caught.value.where) == ("RPC_URL_INVALID", "rpc_url")


def test_an_unknown_host_and_a_port_without_a_node_are_reported() -> None:
    for url, reason in ("http://127.0.0.1:1", "refused"), ("http://node.invalid", "unreachable"):
        error = refused(Connection(url).chain_id)
        assert (error.code, error.details["reason"], error.where) == ("CHAIN_UNREACHABLE", reason, url)
    with FaultyNode() as plain:
        error = refused(Connection(plain.url.replace("http", "https")).chain_id)
        assert error.details["reason"] == "tls"
