"""What the checks look at: the parts of a bundle, each parsed once, beside the facts and the time judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ledger.domain.canonical import canonical, parse_json
from ledger.domain.digests import reference
from ledger.domain.entries import statement_digest
from ledger.errors import BadBundle
from ledger.proof.bundle import MAX_ENTRY_CHARACTERS, Anchor, Bundle, Evidence, Position
from ledger.proof.checks.outcome import Failed, failed
from ledger.proof.facts import AccountFact, Facts
from ledger.proof.sdjwt import Presented, parse_certificate

Entry = dict[str, Any]
Proven = tuple[Entry, Evidence]
"""An entry with its place in the log."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """Who verifies: its party id, the nonce it gave the holder, and how old (seconds) the facts may be.

    ``received`` is when the verifier first received the presentation, seconds UTC, by default the time judged: a retry
    is judged by its first receipt. Without consumer and nonce no usage certificate passes check 10: nobody relies on
    what was not presented to it. ``templates`` are the templates that the verifier accepts, each as a certificate
    refers to it (``sha-256:…``); None if it knows no scenario to compare with: then the issuer alone says which rules
    are the scenario's, and the report names the template.
    """

    consumer: str | None = None
    nonce: str | None = None
    max_facts_age: int | None = None
    received: int | None = None
    templates: frozenset[str] | None = None


@dataclass(frozen=True)
class Case:
    """The bundle, the facts, the time judged (seconds UTC), and what the verifier expects."""

    bundle: Bundle
    facts: Facts
    at: int
    expect: Expectation

    @cached_property
    def presented(self) -> Presented:
        """The certificate's parts; raises ``BadBundle``."""
        return parse_certificate(self.bundle.certificate)

    @property
    def claims(self) -> Entry:
        """The certificate's payload."""
        return self.presented.claims

    @cached_property
    def anchors(self) -> Mapping[tuple[int, int], Anchor]:
        """The bundle's anchors by issuer and batch."""
        return {anchor.log_batch: anchor for anchor in self.bundle.anchors}

    @cached_property
    def entries(self) -> Mapping[str, Proven]:
        """The evidence by reference, parsed; raises ``InvalidInput`` or ``BadBundle``."""
        parsed = [(_entry(item), item) for item in self.bundle.evidence]
        return {reference(statement_digest(entry)): (entry, item) for entry, item in parsed}

    @property
    def template(self) -> Entry | None:
        """What the scenario allows, if the evidence has it."""
        entry, _ = self.entries.get(self.claims.get("template", ""), (None, None))
        return entry if entry is not None and entry["type"] == "template" else None

    def anchored_at(self, position: Position) -> int | None:
        """When the entry at ``position`` was anchored, seconds UTC."""
        anchor = self.anchors.get(position.log_batch)
        return None if anchor is None else anchor.at

    def account(self, account: str, at: int | None) -> AccountFact | Failed:
        """The account's facts if its signatures count for a statement that was anchored ``at``."""
        fact = self.facts.accounts.get(account)
        stolen = None if fact is None or at is None else in_other_hands(fact, at)
        return stolen or self.bound(account, at)

    def bound(self, account: str, at: int | None) -> AccountFact | Failed:
        """The account's facts if it was bound and not retired ``at``, though its key be reported or compromised."""
        fact = self.facts.accounts.get(account)
        if at is None:
            return failed("ANCHOR_MISSING", "The bundle has no anchor of the batch of what was signed.")
        if fact is None:
            return failed("KEY_UNKNOWN", "The chain knows no such account, or nothing is known of it here.")
        if at < fact.valid_from or (fact.valid_to and at >= fact.valid_to):
            return failed("KEY_NOT_IN_FORCE", "The account was not in force when the entry was anchored.")
        return fact


def in_other_hands(fact: AccountFact, at: int) -> Failed | None:
    """Why the account's key counts no more ``at``: it is known, or reported, to be somebody else's too."""
    if fact.compromised_at and at >= fact.compromised_at:
        return failed("KEY_COMPROMISED", "The key was reported compromised before.", since=fact.compromised_at)
    if fact.reported_at and at >= fact.reported_at:
        return failed("KEY_REPORTED", "The key was reported lost or stolen before.", since=fact.reported_at)
    return None


def _entry(item: Evidence) -> Entry:
    parsed = parse_json(item.entry.encode(), max_bytes=4 * MAX_ENTRY_CHARACTERS)
    if not isinstance(parsed, dict):
        raise BadBundle("ENTRY_SHAPE", "An entry is an object.", where="evidence")
    if canonical(parsed) != item.entry.encode():
        raise BadBundle("ENTRY_SHAPE", "An entry is canonical JSON.", where="evidence")
    return parsed
