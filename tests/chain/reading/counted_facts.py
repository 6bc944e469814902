"""Collects facts (chain data), and counts the requests, calls and bytes needed for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ledger.chain.reading.facts import collect_facts
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.client import ChainClient
from ledger.domain.canonical import canonical
from ledger.proof.bundle import Bundle
from ledger.proof.facts import Facts
from ledger.proof.jws import sign_compact
from ledger.proof.sdjwt import CERTIFICATE_TYP
from tests.chain.consented import ISSUER, claims_of, signer_of
from tests.support.chain.deployed import Chain


def with_claims(bundle: Bundle, **changes: Any) -> Bundle:
    """Return the bundle with some claims of its certificate changed."""
    claims = {**claims_of(bundle), **changes}
    return bundle.with_certificate(sign_compact(canonical(claims), signer_of(ISSUER), CERTIFICATE_TYP) + "~")


class CountingConnection(Connection):
    """A connection that records the calls in each request, and counts the bytes of the answers."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.turns: list[list[str]] = []
        self.bytes = 0

    def ask_many(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answers = super().ask_many(calls)
        self.turns.append([method for method, _ in calls])
        self.bytes += len(json.dumps(answers))
        return answers


def counted(chain: Chain, bundle: Bundle) -> tuple[Facts, CountingConnection]:
    connection = CountingConnection(chain.node.url)
    return collect_facts(ChainReader(ChainClient(connection, chain.deployment)), bundle), connection
