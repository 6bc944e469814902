"""Every write the ledger makes, as a value: the same call can be sent directly or signed by a party and relayed.

Digests and ids are 64 hex digits or 32 bytes; a party is named by its number; reasons and statuses by name
(protocol §3); times are seconds UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.chain.deployment import CERTIFICATE_LOG, PARTY_REGISTRY
from ledger.chain.names import code_of_reason, code_of_scenario, code_of_status


@dataclass(frozen=True, slots=True)
class Call:
    """A contract by name, a function of it, and its arguments as JSON values or bytes."""

    contract: str
    function: str
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class PartyRegistration:
    """A party to register: its id, its first account, its roles as bits."""

    id: str
    account: str
    roles: int


def register_parties(parties: Sequence[PartyRegistration]) -> Call:
    """Register parties, all or none. For authorities and admins."""
    return Call(PARTY_REGISTRY, "registerMany", ([(each.id, each.account, each.roles) for each in parties],))


def set_roles(number: int, roles: int) -> Call:
    """Replace a party's roles by a mask. For authorities, and admins where no office changes; never their own."""
    return Call(PARTY_REGISTRY, "setRoles", (number, roles))


def set_status(number: int, status: str, reason: str) -> Call:
    """Set a party's status; closed is final. For authorities and supervisors, never on their own party."""
    return Call(PARTY_REGISTRY, "setStatus", (number, code_of_status(status), code_of_reason(reason)))


def accredit(number: int, scenario: str, start: int, end: int) -> Call:
    """Let a party issue under a scenario while ``start ≤ t < end``. For authorities, never on their own party."""
    return Call(PARTY_REGISTRY, "accredit", (number, code_of_scenario(scenario), start, end))


def bind_account(number: int, fresh: str) -> Call:
    """Bind a further account to a party. For authorities, never to their own."""
    return Call(PARTY_REGISTRY, "bindAccount", (number, fresh))


def retire_account(account: str) -> Call:
    """Retire another account of the calling party."""
    return Call(PARTY_REGISTRY, "retireAccount", (account,))


def rotate_account(fresh: str) -> Call:
    """Replace the calling account by another of the same party."""
    return Call(PARTY_REGISTRY, "rotateAccount", (fresh,))


def recover_account(number: int, lost: str, fresh: str, compromised_at: int = 0) -> Call:
    """Replace a party's lost account; from ``compromised_at`` its signatures count for nothing. For authorities."""
    return Call(PARTY_REGISTRY, "recoverAccount", (number, lost, fresh, compromised_at))


def report_compromise(number: int, account: str, compromised_at: int) -> Call:
    """A retired account's signatures count for nothing from ``compromised_at``, never later than reported before.

    For authorities, never on their own party.
    """
    return Call(PARTY_REGISTRY, "reportCompromise", (number, account, compromised_at))


def anchor(first_seq: int, size: int, root: str | bytes) -> Call:
    """Anchor the next batch of the calling issuer's own log."""
    return Call(CERTIFICATE_LOG, "anchor", (first_seq, size, root))


def suspend(batch: int, index: int, reason: str) -> Call:
    """Stop a leaf of the calling issuer's own log for a time."""
    return Call(CERTIFICATE_LOG, "suspend", (batch, index, code_of_reason(reason)))


def resume(batch: int, index: int, reason: str = "lifted") -> Call:
    """Let a suspended leaf of one's own log stand again."""
    return Call(CERTIFICATE_LOG, "resume", (batch, index, code_of_reason(reason)))


def revoke(batch: int, index: int, reason: str) -> Call:
    """End a leaf of one's own log for good."""
    return Call(CERTIFICATE_LOG, "revoke", (batch, index, code_of_reason(reason)))


def revoke_many(batch: int, indices: Sequence[int], reason: str) -> Call:
    """End many leaves of a batch, all or none; sorted, so that leaves of one storage word stand side by side."""
    return Call(CERTIFICATE_LOG, "revokeMany", (batch, sorted(indices), code_of_reason(reason)))


def supersede(batch: int, index: int, new_batch: int, new_index: int) -> Call:
    """End a leaf of one's own log for good in favour of another leaf there."""
    return Call(CERTIFICATE_LOG, "supersede", (batch, index, new_batch, new_index))


def hold(statements: Sequence[str | bytes], reason: str) -> Call:
    """Hold statements, all or none. For authorities and supervisors: each office has its own hold."""
    return Call(CERTIFICATE_LOG, "hold", (list(statements), code_of_reason(reason)))


def lift(statements: Sequence[str | bytes], reason: str = "lifted") -> Call:
    """Lift the holds of the calling office, all or none."""
    return Call(CERTIFICATE_LOG, "lift", (list(statements), code_of_reason(reason)))


def record_use(request: str | bytes, ordinal: int) -> Call:
    """Count a use of the calling consumer under a request, if ``ordinal`` (from 1) is its next one."""
    return Call(CERTIFICATE_LOG, "recordUse", (request, ordinal))


def record_uses_for(account: str, uses: Sequence[tuple[str, int]], deadline: int, signature: bytes) -> Call:
    """Count the uses (request, ordinal) that the consumer behind ``account`` signed; whoever sends them pays.

    A use that is not the next one is skipped. ``signature`` is that of ``ledger.proof.acts.uses_message``, good until
    ``deadline`` (seconds UTC, inclusive).
    """
    return Call(CERTIFICATE_LOG, "recordUsesFor", (account, list(uses), deadline, signature))


def withdraw(statement: str | bytes) -> Call:
    """Withdraw a statement for one's own part, for good. For every party whose account is live, whatever its status."""
    return Call(CERTIFICATE_LOG, "withdraw", (statement,))


def withdraw_for(account: str, statements: Sequence[str], signature: bytes) -> Call:
    """Withdraw statements for the party behind ``account``, which signed so; whoever sends them pays.

    Those withdrawn before are skipped. ``signature`` is that of ``ledger.proof.acts.withdrawals_message``.
    """
    return Call(CERTIFICATE_LOG, "withdrawFor", (account, list(statements), signature))
