"""Every write the ledger makes, as a value: the same call can be sent directly or signed by a party and relayed.

Digests and ids are 64 hex digits or 32 bytes; a party is named by its number; reasons and statuses by name
(protocol §3); times are seconds UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.chain.contracts.deployment import CERTIFICATE_LOG, PARTY_REGISTRY
from ledger.chain.contracts.names import bits_of_office, code_of_reason, code_of_scenario, code_of_status

NO_ACCOUNT: Final = "0x" + "00" * 20


@dataclass(frozen=True, slots=True)
class Call:
    """A contract by name, a function of it, and its arguments as JSON values or bytes.

    An argument that is a call itself stands for two: the address of its contract, and its call data.
    """

    contract: str
    function: str
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class PartyRegistration:
    """A party to register: its id, its keys as pairs of account and proof, its roles as bits.

    A proof is hex, empty for a key whose possession the chain cannot check; at least one key has a proof.
    """

    id: str
    keys: tuple[tuple[str, str], ...]
    roles: int


@dataclass(frozen=True, slots=True)
class Founding:
    """A party that the constructor registers: id, accounts, roles as bits, accreditations.

    An accreditation is a scenario with the first second of its period and the first second after it.
    """

    id: str
    accounts: tuple[str, ...]
    roles: int
    accreditations: tuple[tuple[str, int, int], ...] = ()

    def row(self) -> tuple[Any, ...]:
        """As the constructor takes it."""
        periods = [(code_of_scenario(scenario), start, end) for scenario, start, end in self.accreditations]
        return self.id, list(self.accounts), self.roles, periods


def propose(call: Call) -> Call:
    """Propose a call. The role that it takes, and whether it waits, follow from the call (protocol §3)."""
    return Call(PARTY_REGISTRY, "propose", (call,))


def propose_registration(act: str) -> Call:
    """Propose a list of parties by the digest of the ``register_parties`` call. For authorities and admins."""
    return Call(PARTY_REGISTRY, "proposeRegistration", (act,))


def confirm(number: int, call: Call) -> Call:
    """Confirm a proposal, which must be of exactly this call; it is carried out at once if it does not wait.

    For another party than the proposer, with the same role.
    """
    return Call(PARTY_REGISTRY, "confirm", (number, call))


def carry_out(number: int, call: Call) -> Call:
    """Carry out a confirmed proposal that is ready. For anybody."""
    return Call(PARTY_REGISTRY, "carryOut", (number, call))


def cancel(number: int) -> Call:
    """Cancel a proposal. For every party with the role that it takes."""
    return Call(PARTY_REGISTRY, "cancel", (number,))


def veto(number: int) -> Call:
    """Stop a proposal to change the keys of the calling party. For every key that was live when it was proposed."""
    return Call(PARTY_REGISTRY, "veto", (number,))


def veto_for(account: str, number: int, signature: bytes) -> Call:
    """As ``veto``, signed by the key of ``account``; ``signature`` is that of ``ledger.proof.acts.veto_message``."""
    return Call(PARTY_REGISTRY, "vetoFor", (account, number, signature))


def report(number: int, account: str) -> Call:
    """Report a live key of a party as lost or stolen, at once.

    For every key of the party that speaks, and for authorities if the party is neither authority nor supervisor.
    """
    return Call(PARTY_REGISTRY, "report", (number, account))


def report_for(account: str, number: int, reported: str, signature: bytes) -> Call:
    """As ``report``, signed by a key of the party; ``signature`` is that of ``ledger.proof.acts.report_message``."""
    return Call(PARTY_REGISTRY, "reportFor", (account, number, reported, signature))


def pause() -> Call:
    """Stop anchoring, registering and binding for seven days. For authorities and supervisors."""
    return Call(PARTY_REGISTRY, "pause", ())


def end_pause() -> Call:
    """End a pause. To be proposed; two authorities decide it at once."""
    return Call(PARTY_REGISTRY, "endPause", ())


def register_parties(parties: Sequence[PartyRegistration]) -> Call:
    """Register parties, all or none. To be proposed by ``propose_registration`` and confirmed with this call."""
    return Call(PARTY_REGISTRY, "register", ([(each.id, list(each.keys), each.roles) for each in parties],))


def change_key(number: int, fresh: str = NO_ACCOUNT, old: str = NO_ACCOUNT, proof: str | bytes = b"") -> Call:
    """Bind ``fresh`` to a party and retire ``old``, one of them or both. To be proposed, by the party or an authority.

    ``proof`` is that of ``ledger.proof.acts.prove_key``, empty for a key whose possession the chain cannot check.
    """
    return Call(PARTY_REGISTRY, "changeKey", (number, fresh, old, proof))


def set_roles(number: int, roles: int) -> Call:
    """Replace a party's roles by a mask. For authorities and admins where no office changes, else to be proposed.

    Never for one's own party.
    """
    return Call(PARTY_REGISTRY, "setRoles", (number, roles))


def set_status(number: int, status: str, reason: str) -> Call:
    """Set a party's status; closed is final. For authorities and supervisors, never on their own party.

    To be proposed if the status is closed, and if the party is an authority or a supervisor.
    """
    return Call(PARTY_REGISTRY, "setStatus", (number, code_of_status(status), code_of_reason(reason)))


def accredit(number: int, scenario: str, start: int, end: int) -> Call:
    """Let a party issue under a scenario while ``start ≤ t < end``. To be proposed by an authority."""
    return Call(PARTY_REGISTRY, "accredit", (number, code_of_scenario(scenario), start, end))


def date_compromise(number: int, account: str, compromised_at: int) -> Call:
    """An account's signatures count for nothing from ``compromised_at``, never later than reported before.

    To be proposed by an authority. A key that is live is reported too.
    """
    return Call(PARTY_REGISTRY, "dateCompromise", (number, account, compromised_at))


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


def lift(office: str, statements: Sequence[str | bytes], reason: str = "lifted") -> Call:
    """Lift the holds of an office, all or none. To be proposed by the office, ``authority`` or ``supervisor``."""
    return Call(CERTIFICATE_LOG, "lift", (bits_of_office(office), list(statements), code_of_reason(reason)))


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
    """Withdraw a statement for one's own part, for good. For every live account, reported or not, whatever the status
    of its party."""
    return Call(CERTIFICATE_LOG, "withdraw", (statement,))


def withdraw_for(account: str, statements: Sequence[str], signature: bytes) -> Call:
    """Withdraw statements for the party behind ``account``, which signed so; whoever sends them pays.

    Those withdrawn before are skipped. ``signature`` is that of ``ledger.proof.acts.withdrawals_message``.
    """
    return Call(CERTIFICATE_LOG, "withdrawFor", (account, list(statements), signature))
