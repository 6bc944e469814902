# SPDX-License-Identifier: Apache-2.0
"""Checks the state of a statement at a time: status, holds by authorities or supervisors, withdrawals (protocol §9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile

from ledger.domain.digests import reference
from ledger.errors import BadBundle
from ledger.proof.bundle import Position
from ledger.proof.checks.case import Case, Proven
from ledger.proof.checks.outcome import Failed, Passed, failed, passed
from ledger.proof.facts import AccountFact, Facts
from ledger.proof.jws import entry_signature

_Account = Callable[[str, int | None], AccountFact | Failed]


def status_at(facts: Facts, position: Position, at: int) -> Passed | Failed:
    """Return a passed check if the certificate at ``position`` was active; else a failure with reason and time."""
    history = facts.status.get(position)
    if history is None:
        return failed("STATUS_UNKNOWN", "The facts do not contain the status of the certificate.")
    changes = [change for change in history if change.at <= at]
    if not changes or changes[-1].status == "active":
        return passed("The certificate is active.", as_of_block=facts.block)
    last = changes[-1]
    message = f"The certificate is {last.status}. Reason: {last.reason}."
    return failed(last.status.upper(), message, since=last.at, reason=last.reason)


def held_at(facts: Facts, statement: str, at: int, what: str, code: str) -> Failed | None:
    """Return a failure with ``code`` if an authority or supervisor has a hold on the statement at a time, else None.

    The statement is given by its digest. ``what`` is the kind of statement, for the message and the details.
    """
    history = facts.holds.get(statement)
    if history is None:
        return failed("HOLDS_UNKNOWN", f"The facts do not say whether the {what} is held.", statement=what)
    changes = [change for change in history if change.at <= at]
    held = list(takewhile(lambda change: change.offices, reversed(changes)))
    if not held:
        return None
    last, first = held[0], held[-1]
    offices = " and ".join(last.offices)
    return failed(
        code,
        f"The {what} is held by: {offices}. Reason: {last.reason}.",
        statement=what,
        since=first.at,
        reason=last.reason,
        offices=list(last.offices),
    )


def withdrawn_at(case: Case, proven: Proven, party: str, code: str) -> Failed | None:
    """Return a failure with ``code`` if the party withdrew its authorization or provision, on the chain or by an entry.

    If a subject withdraws with a key that was reported stolen, the withdrawal counts, because a thief could only end a
    consent. If a provider withdraws with such a key, the withdrawal does not count, because a thief could end every
    certificate that uses the provider's provisions. Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED`` if a withdrawal
    cannot be verified here.
    """
    entry, statement = proven.entry, proven.statement
    by_subject = entry["type"] == "authorization"
    recorded = case.facts.withdrawals.get((party, statement))
    times = list(_signed_withdrawals(case, statement, party, case.bound if by_subject else case.account))
    if recorded is not None:
        times += [time for time in (recorded.at, recorded.reported_at if by_subject else 0) if time]
    since = min(times, default=None)
    if since is not None and since <= case.at:
        return failed(code, f"The {entry['type']} was withdrawn by the party that signed it.", since=since)
    if recorded is None:
        return failed("WITHDRAWALS_UNKNOWN", f"The facts do not say whether the {entry['type']} was withdrawn.")
    return None


def _signed_withdrawals(case: Case, statement: str, party: str, account: _Account) -> Iterator[int]:
    """Return the anchoring times of those withdrawals in the evidence that this party signed for this statement.

    ``account`` returns the signer's account if the account was valid at a given time.
    """
    wanted = {"statement": reference(statement), "party": party}
    for each in case.entries.values():
        if each.entry["type"] != "withdrawal" or not wanted.items() <= each.entry.items():
            continue
        at = case.anchored_at(each.evidence.position)
        if at is not None and _signed_by_party(each, at, account):
            yield at


def _signed_by_party(withdrawal: Proven, at: int, account: _Account) -> bool:
    try:
        signature = entry_signature(withdrawal.entry, withdrawal.unsigned)
    except BadBundle:
        return False
    signature.suite.require()
    fact = account(signature.kid, at)
    return not isinstance(fact, Failed) and fact.party == withdrawal.entry["party"] and signature.signed_by(fact.key)
