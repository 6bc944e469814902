"""Makes transactions of the ledger as ``Call`` values. An account can send a call itself; or a party signs the call,
and the service sends it.

Digests and ids are 64 hex digits or 32 bytes. Parties are given by their numbers, reasons and statuses by their names
(protocol §3). Times are seconds UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.chain.contracts.deployment import CERTIFICATE_LOG, PARTY_REGISTRY
from ledger.chain.contracts.names import OFFICES, PARTY_STATUSES, code_of_reason, code_of_scenario, number_of

NO_ACCOUNT: Final = "0x" + "00" * 20


@dataclass(frozen=True, slots=True)
class Call:
    """A contract's name, the name of one of its functions, and the arguments as JSON values or bytes.

    An argument that is itself a call is replaced by two arguments: the address of its contract, and its call data.
    """

    contract: str
    function: str
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class PartyRegistration:
    """A party to register: its id, its keys (pairs of account and proof of possession), and its roles as a bit mask.

    A proof is hex. It is empty if the chain cannot check signatures by this kind of key (SM2). At least one key has a
    proof.
    """

    id: str
    keys: tuple[tuple[str, str], ...]
    roles: int


@dataclass(frozen=True, slots=True)
class Founding:
    """A party that the registry's constructor registers: id, accounts, roles as a bit mask, accreditations.

    An accreditation is a scenario, the first second of its period, and the first second after the period.
    """

    id: str
    accounts: tuple[str, ...]
    roles: int
    accreditations: tuple[tuple[str, int, int], ...] = ()

    def row(self) -> tuple[Any, ...]:
        """Return the party in the form that the constructor takes."""
        periods = [(code_of_scenario(scenario), start, end) for scenario, start, end in self.accreditations]
        return self.id, list(self.accounts), self.roles, periods


def propose(call: Call) -> Call:
    """Propose a call. Which role may propose, and whether the proposal must wait, depends on the call (protocol §3)."""
    return Call(PARTY_REGISTRY, "propose", (call,))


def propose_registration(act: str) -> Call:
    """Propose to register parties. Only the digest of the call ``register_parties`` is sent.

    Authorities and admins may call this.
    """
    return Call(PARTY_REGISTRY, "proposeRegistration", (act,))


def confirm(number: int, call: Call) -> Call:
    """Confirm a proposal of exactly this call. If the proposal need not wait, the call is carried out at once.

    Parties with the same role may call this, but not the proposer.
    """
    return Call(PARTY_REGISTRY, "confirm", (number, call))


def carry_out(number: int, call: Call) -> Call:
    """Carry out a proposal that is confirmed and whose waiting period is over. Every account may call this."""
    return Call(PARTY_REGISTRY, "carryOut", (number, call))


def cancel(number: int) -> Call:
    """Cancel a proposal. Every party with the role that the proposal needs may call this."""
    return Call(PARTY_REGISTRY, "cancel", (number,))


def veto(number: int) -> Call:
    """Veto a proposal to change the caller's keys.

    Every key that was live at the time of the proposal may call this.
    """
    return Call(PARTY_REGISTRY, "veto", (number,))


def veto_for(account: str, number: int, signature: bytes) -> Call:
    """Veto a proposal on behalf of ``account``, whose key signed ``ledger.proof.acts.veto_message``. Any account may
    send the call.
    """
    return Call(PARTY_REGISTRY, "vetoFor", (account, number, signature))


def report(number: int, account: str) -> Call:
    """Report a live key of a party as lost or stolen, with immediate effect.

    Every key that may act for the party may call this. Authorities may call this too, if the party is neither an
    authority nor a supervisor.
    """
    return Call(PARTY_REGISTRY, "report", (number, account))


def report_for(account: str, number: int, reported: str, signature: bytes) -> Call:
    """Report the key of ``reported`` on behalf of ``account``, whose own key signed
    ``ledger.proof.acts.report_message``. Any account may send the call.
    """
    return Call(PARTY_REGISTRY, "reportFor", (account, number, reported, signature))


def pause() -> Call:
    """Pause anchoring, registering and the binding of keys for 7 days. Authorities and supervisors may call this."""
    return Call(PARTY_REGISTRY, "pause", ())


def end_pause() -> Call:
    """End a pause.

    One authority must propose this call and a second authority confirms it; there is no waiting period.
    """
    return Call(PARTY_REGISTRY, "endPause", ())


def register_parties(parties: Sequence[PartyRegistration]) -> Call:
    """Register parties. If one party is refused, none is registered. The registration must be proposed with
    ``propose_registration``; then this call confirms the proposal.
    """
    return Call(PARTY_REGISTRY, "register", ([(each.id, list(each.keys), each.roles) for each in parties],))


def change_key(number: int, fresh: str = NO_ACCOUNT, old: str = NO_ACCOUNT, proof: str | bytes = b"") -> Call:
    """Bind the account ``fresh`` to a party, retire the account ``old``, or both. The party or an authority must
    propose this call.

    ``proof`` comes from ``ledger.proof.acts.prove_key``. It is empty if the chain cannot check signatures by this kind
    of key (SM2).
    """
    return Call(PARTY_REGISTRY, "changeKey", (number, fresh, old, proof))


def set_roles(number: int, roles: int) -> Call:
    """Replace a party's roles by those in a bit mask. A caller cannot change the roles of its own party.

    Authorities and admins may call this. If the change gives or takes any role except subject, provider, consumer and
    broker, this call must be proposed.
    """
    return Call(PARTY_REGISTRY, "setRoles", (number, roles))


def set_status(number: int, status: str, reason: str) -> Call:
    """Set a party's status. The status ``closed`` is final. Authorities and supervisors may call this, but not for
    their own party.

    This call must be proposed if the status is ``closed``, or if the party is an authority, a supervisor or an issuer.
    """
    return Call(
        PARTY_REGISTRY,
        "setStatus",
        (number, number_of(status, PARTY_STATUSES, "status", "PARTY_STATUS_UNKNOWN"), code_of_reason(reason)),
    )


def accredit(number: int, scenario: str, start: int, end: int) -> Call:
    """Let a party issue certificates of a scenario while ``start ≤ t < end``. An authority must propose this call."""
    return Call(PARTY_REGISTRY, "accredit", (number, code_of_scenario(scenario), start, end))


def date_compromise(number: int, account: str, compromised_at: int) -> Call:
    """Record that a key was compromised at ``compromised_at``: later signatures become invalid. The time can later be
    changed only to an earlier one.

    An authority must propose this call. If the key is live, it counts as reported from now on.
    """
    return Call(PARTY_REGISTRY, "dateCompromise", (number, account, compromised_at))


def anchor(first_seq: int, size: int, root: str | bytes) -> Call:
    """Anchor the next batch of the calling issuer's log."""
    return Call(CERTIFICATE_LOG, "anchor", (first_seq, size, root))


def suspend(batch: int, index: int, reason: str) -> Call:
    """Suspend the certificate that is at this position of the calling issuer's log."""
    return Call(CERTIFICATE_LOG, "suspend", (batch, index, code_of_reason(reason)))


def resume(batch: int, index: int, reason: str = "lifted") -> Call:
    """End the suspension of the certificate that is at this position of the calling issuer's log."""
    return Call(CERTIFICATE_LOG, "resume", (batch, index, code_of_reason(reason)))


def revoke(batch: int, index: int, reason: str) -> Call:
    """Permanently revoke the certificate that is at this position of the calling issuer's log."""
    return Call(CERTIFICATE_LOG, "revoke", (batch, index, code_of_reason(reason)))


def revoke_many(batch: int, indices: Sequence[int], reason: str) -> Call:
    """Revoke many certificates of a batch. If one certificate is refused, none is revoked. The indices are sorted, so
    that the contract writes each storage word only once.
    """
    return Call(CERTIFICATE_LOG, "revokeMany", (batch, sorted(indices), code_of_reason(reason)))


def supersede(batch: int, index: int, new_batch: int, new_index: int) -> Call:
    """Permanently revoke a certificate of the calling issuer's log, and record which certificate replaces it."""
    return Call(CERTIFICATE_LOG, "supersede", (batch, index, new_batch, new_index))


def hold(statements: Sequence[str | bytes], reason: str) -> Call:
    """Place holds on statements. If one hold is refused, none is placed. Authorities and supervisors may call this; the
    holds of the two roles are separate.
    """
    return Call(CERTIFICATE_LOG, "hold", (list(statements), code_of_reason(reason)))


def lift(office: str, statements: Sequence[str | bytes], reason: str = "lifted") -> Call:
    """Lift the holds that authorities or supervisors (``office``) placed on statements. If one hold cannot be lifted,
    none is lifted.

    A party with that role must propose this call.
    """
    return Call(
        CERTIFICATE_LOG, "lift", (1 << number_of(office, OFFICES, "office"), list(statements), code_of_reason(reason))
    )


def record_use(request: str | bytes, ordinal: int) -> Call:
    """Record one use, by the calling consumer, of the certificates of a request. ``ordinal`` (from 1) must be the
    number of the request's next use by this consumer.
    """
    return Call(CERTIFICATE_LOG, "recordUse", (request, ordinal))


def record_uses_for(account: str, uses: Sequence[tuple[str, int]], deadline: int, signature: bytes) -> Call:
    """Record the uses (request, ordinal) that a consumer signed with the key of ``account``; the sender pays.

    A use is skipped if its ordinal is not the next ordinal of its request. The signature is over
    ``ledger.proof.acts.uses_message`` and valid until ``deadline`` (seconds UTC, inclusive).
    """
    return Call(CERTIFICATE_LOG, "recordUsesFor", (account, list(uses), deadline, signature))


def withdraw(statement: str | bytes) -> Call:
    """Permanently withdraw a statement of the calling party.

    Every live account may call this, even if it is reported, and whatever the status of its party.
    """
    return Call(CERTIFICATE_LOG, "withdraw", (statement,))


def withdraw_for(account: str, statements: Sequence[str], signature: bytes) -> Call:
    """Withdraw statements of the party to which ``account`` belongs. The key of ``account`` signed the withdrawal; the
    sender pays.

    Statements withdrawn earlier are skipped. The signature is over ``ledger.proof.acts.withdrawals_message``.
    """
    return Call(CERTIFICATE_LOG, "withdrawFor", (account, list(statements), signature))
