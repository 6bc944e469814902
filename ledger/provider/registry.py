"""What a provider asks the chain about a task: whose the keys are that signed, and whether the consent stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.chain.reading.batched_reads import Questions
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
    """Asks one node about many tasks at once, as of its newest block; with a memory, of the chain seen before."""

    def __init__(self, reader: ChainReader, remembered: Remembered | None = None) -> None:
        self._reader = reader
        self._remembered = remembered

    def check(self, tasks: Sequence[Task]) -> list[PingzhengError | None]:
        """What speaks against each of these tasks, which passed ``check_task``.

        Raises ``ChainUnavailable``, also ``CHAIN_DIFFERS_FROM_SEEN``, ``CHAIN_BEHIND_SEEN``, ``PARTY_NUMBER_DIFFERS``.
        ``InvalidInput`` ``LEDGER_DIFFERS``; ``Forbidden`` ``SIGNER_NOT_CONSUMER``, ``SIGNER_NOT_SUBJECT``; ``Conflict``
        ``AUTHORIZATION_NOT_ACTIVE``.
        """
        latest = self._reader.latest() if self._remembered is None else self._remembered.newest()
        asked = self._reader.questions(latest.number)
        # Every question is asked before the first answer is looked at: they go to the node together.
        consumers = [_Key.asked(asked, task.request, "consumer") for task in tasks]
        subjects = [_Key.asked(asked, task.authorization, "subject") for task in tasks]
        keys = [*consumers, *subjects]
        require_numbers({key.entry[key.part]: asked.party(number) for key in keys if (number := key.number())})
        consents = [_Consent.asked(asked, task, key) for task, key in zip(tasks, subjects, strict=True)]
        return [
            self._other_ledger(task)
            # A consumer may have replaced its key since it asked; what it asked for, the subject has agreed to.
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
            "The task is of another ledger than the node serves.",
            where="chain",
            hint="Ask a node of the ledger that the task names, or do not answer.",
            expected=self._reader.chain.ledger,
            found=task.chain.ledger,
        )


@dataclass(frozen=True, slots=True)
class _Key:
    """The account that signed an entry, and the number of the party that should have."""

    entry: Entry
    part: str
    account: Callable[[], AccountRecord | None]
    number: Callable[[], int]

    @classmethod
    def asked(cls, asked: Questions, entry: Entry, part: str) -> _Key:
        return cls(entry, part, asked.account(entry_signature(entry).kid), asked.party_no(entry[part]))

    def problem(self, code: str, at: int) -> Forbidden | None:
        account = self.account()
        if account is not None and account.party_no == self.number() and _in_force(account, at):
            return None
        return Forbidden(
            code,
            f"On the chain the account that signed is not the {self.part}'s, or it is retired or reported.",
            where=self.part,
            hint="Do not answer, and report it to the operator of the platform.",
        )


@dataclass(frozen=True, slots=True)
class _Consent:
    """When the subject withdrew its authorization, and the holds of it and of its request."""

    task: Task
    withdrawn_at: Callable[[], WithdrawalFact]
    holds: tuple[Callable[[], Hold], ...]

    @classmethod
    def asked(cls, asked: Questions, task: Task, subject: _Key) -> _Consent:
        held = tuple(asked.hold(digest) for digest in (task.digest, statement_digest(task.request)))
        return cls(task, asked.withdrawn_at(subject.number(), task.digest), held)

    def problem(self) -> Conflict | None:
        # By a reported key too: whoever has it may stop what the subject consented to, and nothing else.
        withdrawn = self.withdrawn_at().first
        if not withdrawn and not any(hold().offices for hold in self.holds):
            return None
        return Conflict(
            "AUTHORIZATION_NOT_ACTIVE",
            f"The authorization is {'withdrawn' if withdrawn else 'held by an office'}.",
            where=f"authorization {self.task.authorization['id']}",
            hint="Supply nothing; ask again later if it is held.",
        )


def _in_force(account: AccountRecord, at: int) -> bool:
    """Whether what the account signed counts at that time (protocol §9, times)."""
    ended = [time for time in (account.valid_to, account.reported_at, account.compromised_at) if time]
    return account.valid_from <= at and all(at < time for time in ended)
