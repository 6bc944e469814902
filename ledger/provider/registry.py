"""Checks that the provider makes on the chain: the right parties own the keys in a task, and the consent is active."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.chain.reading.batched_reads import BatchedReads
from ledger.chain.reading.contract_state import AccountRecord, Hold
from ledger.chain.reading.facts import require_numbers
from ledger.chain.reading.reader import ChainReader
from ledger.chain.reading.remembering import Remembered
from ledger.domain.entries import statement_digest
from ledger.errors import Conflict, Forbidden, InvalidInput, PingzhengError
from ledger.proof.facts import WithdrawalFact
from ledger.proof.jws import entry_signature
from ledger.provider.task import Entry, Task


class Registry:
    """Asks one node about many tasks at once, as of the newest block.

    ``remembered`` compares the chain with what this provider saw earlier.
    """

    def __init__(self, reader: ChainReader, remembered: Remembered | None = None) -> None:
        self._reader = reader
        self._remembered = remembered

    def check(self, tasks: Sequence[Task]) -> list[PingzhengError | None]:
        """Return an error or None for each task. The tasks must have passed ``check_task``.

        The errors are ``InvalidInput`` ``LEDGER_DIFFERS``; ``Forbidden`` ``SIGNER_NOT_CONSUMER``,
        ``SIGNER_NOT_SUBJECT``; ``Conflict`` ``AUTHORIZATION_NOT_ACTIVE``. Raises ``ChainUnavailable``, also with
        ``CHAIN_DIFFERS_FROM_SEEN``, ``CHAIN_BEHIND_SEEN``, ``PARTY_NUMBER_DIFFERS``.
        """
        latest = self._reader.latest() if self._remembered is None else self._remembered.newest()
        asked = self._reader.batched(latest.number)
        # All questions are collected before the first answer is read, so that the node gets all questions in one call.
        consumers = [_Key.asked(asked, task.request, "consumer") for task in tasks]
        subjects = [_Key.asked(asked, task.authorization, "subject") for task in tasks]
        keys = [*consumers, *subjects]
        require_numbers({key.entry[key.part]: asked.party(number) for key in keys if (number := key.number())})
        consents = [_Consent.asked(asked, task, key) for task, key in zip(tasks, subjects, strict=True)]
        return [
            self._other_ledger(task)
            # The consumer's key is checked for the time of the request, because the consumer may have replaced the key
            # since then.
            or consumer.problem("SIGNER_NOT_CONSUMER", min(task.request["iat"], latest.time))
            or subject.problem("SIGNER_NOT_SUBJECT", latest.time)
            or consent.problem()
            for task, consumer, subject, consent in zip(tasks, consumers, subjects, consents, strict=True)
        ]

    def _other_ledger(self, task: Task) -> InvalidInput | None:
        if task.chain == self._reader.chain:
            return None
        return InvalidInput(
            "LEDGER_DIFFERS",
            "The task belongs to another ledger than the node.",
            where="chain",
            hint="Use a node of the task's ledger, or do not answer.",
            expected=self._reader.chain.ledger,
            found=task.chain.ledger,
        )


@dataclass(frozen=True, slots=True)
class _Key:
    """The account that signed an entry, and the number of the party that must own the account."""

    entry: Entry
    part: str
    account: Callable[[], AccountRecord | None]
    number: Callable[[], int]

    @classmethod
    def asked(cls, asked: BatchedReads, entry: Entry, part: str) -> _Key:
        return cls(entry, part, asked.account(entry_signature(entry).kid), asked.party_no(entry[part]))

    def problem(self, code: str, at: int) -> Forbidden | None:
        account = self.account()
        if account is not None and account.party_no == self.number() and _in_force(account, at):
            return None
        return Forbidden(
            code,
            f"The account that signed does not belong to the {self.part} on the chain, or is retired or reported.",
            where=self.part,
            hint="Do not answer. Report the task to the operator of the platform.",
        )


@dataclass(frozen=True, slots=True)
class _Consent:
    """When the subject withdrew the authorization (if the subject did), and the holds on the authorization and on its
    request.
    """

    task: Task
    withdrawn_at: Callable[[], WithdrawalFact]
    holds: tuple[Callable[[], Hold], ...]

    @classmethod
    def asked(cls, asked: BatchedReads, task: Task, subject: _Key) -> _Consent:
        held = tuple(asked.hold(digest) for digest in (task.digest, statement_digest(task.request)))
        return cls(task, asked.withdrawn_at(subject.number(), task.digest), held)

    def problem(self) -> Conflict | None:
        # A subject's withdrawal counts even if a reported key signed it, because a thief could only end a consent.
        withdrawn = self.withdrawn_at().first
        if not withdrawn and not any(hold().offices for hold in self.holds):
            return None
        return Conflict(
            "AUTHORIZATION_NOT_ACTIVE",
            f"The authorization is {'withdrawn' if withdrawn else 'held by an authority or supervisor'}.",
            where=f"authorization {self.task.authorization['id']}",
            hint="Supply nothing. If the authorization is held, try again later.",
        )


def _in_force(account: AccountRecord, at: int) -> bool:
    """Return whether a signature that the account made at that time is valid (protocol §9, times)."""
    ended = [time for time in (account.valid_to, account.reported_at, account.compromised_at) if time]
    return account.valid_from <= at and all(at < time for time in ended)
