# SPDX-License-Identifier: Apache-2.0
"""The input of the checks: the parsed parts of a bundle, the facts (chain data), and the time for which the certificate
is judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ledger.domain.canonical import canonical, parse_json
from ledger.domain.digests import reference
from ledger.domain.entries import statement_digest, unsigned_body
from ledger.errors import BadBundle
from ledger.proof.bundle import MAX_ENTRY_CHARACTERS, Anchor, Bundle, Evidence, Position
from ledger.proof.checks.outcome import Failed, failed
from ledger.proof.facts import AccountFact, Facts
from ledger.proof.sdjwt import Presented, parse_certificate

Entry = dict[str, Any]


class Proven(NamedTuple):
    """An entry, the evidence that proves the entry's position in the log, and the bytes of the entry that were signed.

    ``statement`` is the statement digest, 64 hex digits.
    """

    entry: Entry
    evidence: Evidence
    unsigned: bytes
    statement: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """The verifier's party id, the nonce that it gave the holder, and the maximum age of the facts in seconds.

    ``received`` is when the verifier first received the presentation (seconds UTC). The default is the time for which
    the certificate is judged; if the verification is repeated, give the first time again. Without consumer and nonce, a
    usage certificate fails check 10, because a verifier may rely only on certificates that were presented to this
    verifier. ``templates`` are the templates that the verifier accepts, each as a certificate refers to it
    (``sha-256:…``). If ``templates`` is None, only the issuer vouches for the scenario's rules, and the report names
    the template.
    """

    consumer: str | None = None
    nonce: str | None = None
    max_facts_age: int | None = None
    received: int | None = None
    templates: frozenset[str] | None = None


@dataclass(frozen=True)
class Case:
    """The bundle, the facts, the time for which the certificate is judged (seconds UTC), and the verifier's
    expectation."""

    bundle: Bundle
    facts: Facts
    at: int
    expect: Expectation

    @cached_property
    def presented(self) -> Presented:
        """The parts of the certificate; raises ``BadBundle`` if its form is wrong."""
        return parse_certificate(self.bundle.certificate)

    @property
    def claims(self) -> Entry:
        """The payload of the certificate."""
        return self.presented.claims

    @cached_property
    def statement(self) -> str:
        """The statement digest of the certificate, 64 hex digits."""
        return statement_digest(self.claims)

    @cached_property
    def anchors(self) -> Mapping[tuple[int, int], Anchor]:
        """The bundle's anchors, as a map from (issuer, batch) to anchor."""
        return {anchor.log_batch: anchor for anchor in self.bundle.anchors}

    @cached_property
    def entries(self) -> Mapping[str, Proven]:
        """The parsed entries of the evidence, as a map from reference to entry.

        Raises ``InvalidInput`` or ``BadBundle``.
        """
        proven = map(_proven, self.bundle.evidence)
        return {reference(each.statement): each for each in proven}

    @property
    def template(self) -> Entry | None:
        """The certificate's template, or None if the evidence does not contain it."""
        proven = self.entries.get(self.claims.get("template", ""))
        return proven.entry if proven is not None and proven.entry["type"] == "template" else None

    def anchored_at(self, position: Position) -> int | None:
        """Return when the entry at ``position`` was anchored (seconds UTC); None if the bundle has no anchor for that
        entry's batch.
        """
        anchor = self.anchors.get(position.log_batch)
        return None if anchor is None else anchor.at

    def account(self, account: str, at: int | None) -> AccountFact | Failed:
        """Return the account's facts if the account could validly sign a statement that was anchored at the time
        ``at``.

        At that time the account must be bound, and its key must not be reported or compromised.
        """
        fact = self.facts.accounts.get(account)
        stolen = None if fact is None or at is None else reported_or_compromised(fact, at)
        return stolen or self.bound(account, at)

    def bound(self, account: str, at: int | None) -> AccountFact | Failed:
        """Return the account's facts if the account was bound at the time ``at``; its key may be reported or
        compromised.
        """
        fact = self.facts.accounts.get(account)
        if at is None:
            return failed("ANCHOR_MISSING", "The bundle has no anchor for the batch of the signed entry.")
        if fact is None:
            return failed("KEY_UNKNOWN", "The account is not on the chain, or not in the facts.")
        if at < fact.valid_from or (fact.valid_to and at >= fact.valid_to):
            return failed("KEY_NOT_IN_FORCE", "The account was not valid when the entry was anchored.")
        return fact


def reported_or_compromised(fact: AccountFact, at: int) -> Failed | None:
    """Return a failure if the account's key was compromised or reported at ``at`` or earlier; otherwise None."""
    if fact.compromised_at and at >= fact.compromised_at:
        message = "The key was compromised before the signature was anchored or presented."
        return failed("KEY_COMPROMISED", message, since=fact.compromised_at)
    if fact.reported_at and at >= fact.reported_at:
        message = "The key was reported lost or stolen before the signature was anchored or presented."
        return failed("KEY_REPORTED", message, since=fact.reported_at)
    return None


def _proven(item: Evidence) -> Proven:
    parsed = parse_json(item.entry.encode(), max_bytes=4 * MAX_ENTRY_CHARACTERS)
    if not isinstance(parsed, dict):
        raise BadBundle("ENTRY_SHAPE", "An entry must be an object.", where="evidence")
    if canonical(parsed) != item.entry.encode():
        raise BadBundle("ENTRY_SHAPE", "An entry must be canonical JSON.", where="evidence")
    unsigned = unsigned_body(parsed)
    return Proven(parsed, item, unsigned, hashlib.sha256(unsigned).hexdigest())
