"""The cost of issuing and anchoring: which work is done once for each certificate, and which once for a whole set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger.chain.rpc.transport import Transport
from ledger.errors import NotFound
from ledger.log.anchoring import BatchRule
from ledger.privacy.key_providers import LocalKeys
from ledger.store import log as log_store
from ledger.usage.issuing import answered_requests, issuance
from tests.support.actors.pilots import Pilot
from tests.support.ledgers.small_ledger import counting

MANY = 6


def supplied(pilot: Pilot, count: int) -> list[str]:
    """Request data about ``count`` firms, authorize and answer the requests, and return the ids of the requests."""
    requests = []
    for firm in [pilot.firm() for _ in range(count)]:
        authorization = pilot.authorise(firm)
        pilot.supply(firm, authorization)
        requests.append(pilot.ledger.usage.authorizations.get(authorization).request_id)
    return requests


def counted(patch: pytest.MonkeyPatch, owner: Any, name: str) -> list[None]:
    """Return a list that gets one more item at each call of the function or method ``name`` of ``owner``."""
    original: Callable[..., Any] = getattr(owner, name)
    calls: list[None] = []

    def counting_calls(*arguments: Any, **named: Any) -> Any:
        calls.append(None)
        return original(*arguments, **named)

    patch.setattr(owner, name, counting_calls)
    return calls


def test_issuing_decrypts_no_text_and_makes_each_payload_once(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = supplied(pilot, MANY)
    keys = [counted(monkeypatch, LocalKeys, name) for name in ("wrap", "unwrap")]
    read = counted(monkeypatch, answered_requests, "read_stored")
    once = [counted(monkeypatch, *each) for each in ((log_store, "canonical"), (issuance, "validate_entry"))]
    issued = pilot.ledger.usage.issuance.issue(pilot.actor(pilot.ledger.party), requests)
    assert keys == [[], []]
    assert [len(calls) for calls in (read, *once)] == [3 * MANY, MANY, MANY]
    pilot.ledger.anchoring.flush()
    assert pilot.ledger.certificates.bundles.build(issued[0].certificate_no)
    assert len(keys[1]) == 1


def test_anchoring_many_certificates_takes_as_many_calls_and_queries_as_anchoring_one_certificate(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = pilot.ledger
    monkeypatch.setattr(ledger.anchoring, "_rule", BatchRule(4096, 0))
    ledger.anchoring.flush()
    costs = []
    for count in (1, MANY):
        requests = supplied(pilot, count)
        ledger.usage.issuance.issue(pilot.actor(ledger.party), requests)
        ledger.coherence.require()
        monkeypatch.setattr(ledger.anchoring, "_compared_at", float("inf"))
        with monkeypatch.context() as patch, counting(ledger.database.engine) as statements:
            calls = counted(patch, Transport, "post")
            assert ledger.anchoring.flush().batches == 1
        writes = [statement for statement in statements if statement == "BEGIN IMMEDIATE"]
        costs.append((len(calls), len(statements), len(writes)))
    assert costs[0] == costs[1] and costs[0][2] == 2


def test_issuing_from_an_erased_provision_is_refused_without_decrypting_a_text(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    (request,) = supplied(pilot, 1)
    with pilot.ledger.database.write() as session:
        answered = answered_requests.AnsweredRequests(session, pilot.ledger.sealer, [request], {})
        (source,) = answered.sources(answered.request(request), pilot.ledger.clock())
        pilot.ledger.sealer.erase(session, source.sealed_id)
    opened = counted(monkeypatch, LocalKeys, "unwrap")
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        pilot.ledger.usage.issuance.issue(pilot.actor(pilot.ledger.party), [request])
    assert opened == []
    pilot.ledger.usage.requests.cancel(request)
