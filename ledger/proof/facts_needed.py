# SPDX-License-Identifier: Apache-2.0
"""Finds out which facts (chain data) a verifier must read for one bundle, which may be hostile (protocol §8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from ledger.domain.digests import is_hex_digest
from ledger.domain.entries import statement_digest
from ledger.errors import BadBundle
from ledger.proof.bundle import Bundle, Evidence, Position
from ledger.proof.checks.certificate_class import ClassFacts
from ledger.proof.checks.classes import class_of
from ledger.proof.jws import Jwk
from ledger.proof.sdjwt import Presented, parse_certificate


@dataclass(frozen=True, slots=True)
class FactsNeeded:
    """The facts to read from the chain for one bundle.

    ``batches`` are (issuer, batch), ``accreditation`` is (party id, scenario), ``uses`` is (consumer's party id,
    request), ``withdrawals`` are (party id, statement): each authorization with its subject, each provision with its
    provider. ``statements`` are the statements whose holds must be read. Statements and requests are 64 hex digits.
    ``accounts`` are the signers' accounts. ``presenter`` is the key in ``cnf``; if this key has an account on the
    chain, the account is read too.
    """

    batches: frozenset[tuple[int, int]]
    position: Position
    statements: frozenset[str]
    uses: tuple[str, str] | None
    withdrawals: frozenset[tuple[str, str]]
    accounts: frozenset[str]
    presenter: Jwk | None
    accreditation: tuple[str, str] | None
    asset: str | None


def facts_needed(bundle: Bundle) -> FactsNeeded:
    """Return what to read from the chain for the bundle; never raises, because unreadable parts are left out."""
    presented = _presented(bundle)
    claims = presented.claims if presented else {}
    scenario, issuer, asset = (claims.get(name) for name in ("scenario", "iss", "asset"))
    signers = {item.signer for item in bundle.evidence} | {presented.issued.kid if presented else None}
    places = {bundle.position.log_batch, *(item.position.log_batch for item in bundle.evidence)}
    cls = class_of(claims)
    own = ClassFacts() if cls is None else cls.facts_needed(claims)
    return FactsNeeded(
        batches=frozenset(places | {anchor.log_batch for anchor in bundle.anchors}),
        position=bundle.position,
        statements=own.statements,
        uses=own.uses,
        withdrawals=frozenset(_withdrawable(bundle.evidence)),
        accounts=frozenset(signer for signer in signers if signer is not None),
        presenter=own.presenter,
        accreditation=(issuer, scenario) if is_hex_digest(issuer) and _is_code(scenario) else None,
        asset=asset if is_hex_digest(asset) else None,
    )


def _withdrawable(evidence: Sequence[Evidence]) -> Iterator[tuple[str, str]]:
    """Return pairs (party id, statement) for the authorizations and provisions; other entries cannot be withdrawn."""
    parties = {"authorization": "subject", "provision": "provider"}
    for item in evidence:
        statement = item.statement
        kind = statement.get("type")
        party = statement.get(parties[kind]) if isinstance(kind, str) and kind in parties else None
        if is_hex_digest(party):
            yield party, statement_digest(statement)


def _presented(bundle: Bundle) -> Presented | None:
    try:
        return parse_certificate(bundle.certificate)
    except BadBundle:
        return None


def _is_code(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and value.isascii() and 1 <= len(value) <= 8
