"""The provider's program: takes a task and a source, stores a signed answer in the provider's records, and returns the
answer.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ledger.connectors.answers import Answer, Connector, Refused
from ledger.domain.days import Clock
from ledger.domain.digests import hex_of
from ledger.errors import Conflict, PingzhengError
from ledger.proof.acts import sign_act, withdrawals_message
from ledger.proof.jws import Signer, sign_entry
from ledger.proof.suites.suite import SM2SM3
from ledger.provider.answer_store import AnswerStore, Kept
from ledger.provider.answering import Fresh, made_of, query_of, withdrawal_of
from ledger.provider.checks import check_task
from ledger.provider.registry import Registry
from ledger.provider.supply import Supply
from ledger.provider.task import Task

Outcome = Supply | PingzhengError


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A task, and a function that returns the task's source. The function may raise the errors of ``Connector.ask``.

    ``correcting`` is true if the provider itself decided to correct its earlier answer.
    """

    task: Task
    source: Callable[[], Connector]
    correcting: bool = False


@dataclass(eq=False, repr=False)
class Provider:
    """Signs answers for the party with the id ``party``. ``registry`` checks tasks on the chain; None if there is no
    node.

    ``fresh`` returns the random bytes of salts.
    """

    party: str
    signer: Signer
    answers: AnswerStore
    clock: Clock
    registry: Registry | None = None
    fresh: Fresh = secrets.token_bytes

    def answer(self, task: Task, source: Connector) -> Supply:
        """Return the signed answer to a task. Until ``answers.received`` is called for the answer, every further call
        with the task returns the same answer.

        Raises the errors of ``check_task``, ``Registry.check``, ``AnswerStore.known``, the source and ``made_of``, and
        ``Conflict`` ``CORRECTION_NOT_MEANT`` if the task asks for a correction.
        """
        return self._one(Inquiry(task, lambda: source))

    def correct(self, task: Task, source: Connector) -> Supply:
        """Return the signed answer to a task that asks for a correction.

        The new answer withdraws the old answer, and so ends the certificates that rest on the old answer.
        """
        return self._one(Inquiry(task, lambda: source, correcting=True))

    def _one(self, inquiry: Inquiry) -> Supply:
        (outcome,) = self.answer_many([inquiry])
        if isinstance(outcome, PingzhengError):
            raise outcome
        return outcome

    def answer_many(self, asked: Sequence[Inquiry]) -> list[Outcome]:
        """Return for each task the answer or an error. All signed answers are stored in one transaction.

        Raises ``ChainUnavailable`` if the node does not answer.
        """
        outcomes = self._before(asked)
        made: dict[int, Kept] = {}
        try:
            for place, each in enumerate(asked):
                if place not in outcomes:
                    try:
                        made[place] = self._made(each.task, each.source().ask(query_of(each.task, self.clock())))
                    except PingzhengError as error:
                        outcomes[place] = error
        finally:
            # After Ctrl-C, the answers that were already signed are stored.
            outcomes |= dict(zip(made, self.answers.keep(list(made.values()), self.clock()), strict=True))
        return [outcomes[place] for place in range(len(asked))]

    def _before(self, asked: Sequence[Inquiry]) -> dict[int, Outcome]:
        """Return a map from position to error or waiting answer, for the tasks whose source need not be asked."""
        found: dict[int, Outcome] = {}
        # The provider's own records are checked last. So the clerk is asked to confirm only party ids that are on the
        # chain.
        for judge in (self._checked, self._registered, self._recorded):
            left = [place for place in range(len(asked)) if place not in found]
            verdicts = judge([asked[place] for place in left]) if left else []
            found |= {place: verdict for place, verdict in zip(left, verdicts, strict=True) if verdict is not None}
        return found

    def _checked(self, asked: Sequence[Inquiry]) -> list[PingzhengError | None]:
        return [self._problem(each) for each in asked]

    def _problem(self, asked: Inquiry) -> PingzhengError | None:
        try:
            check_task(asked.task, self.party, self.clock())
        except PingzhengError as error:
            return error
        if asked.task.corrects is None or asked.correcting:
            return None
        # A correction withdraws an earlier answer. The platform alone must not be able to cause a withdrawal.
        return Conflict(
            "CORRECTION_NOT_MEANT",
            "The task asks for a correction, which only the provider may decide.",
            where=f"authorization {asked.task.authorization['id']}",
            hint="To correct the answer, give its authorization with --authorization, or call Provider.correct.",
        )

    def _recorded(self, asked: Sequence[Inquiry]) -> Sequence[Outcome | None]:
        return self.answers.known([each.task for each in asked], self.clock())

    def _registered(self, asked: Sequence[Inquiry]) -> Sequence[PingzhengError | None]:
        return [None] * len(asked) if self.registry is None else self.registry.check([each.task for each in asked])

    def _made(self, task: Task, answer: Answer) -> Kept:
        made = made_of(task, answer, self.clock(), self.fresh)
        where = answer.where if isinstance(answer, Refused) else ""
        supply = Supply(sign_entry(made.entry, self.signer), made.disclosures, where=where)
        return Kept(
            with_withdrawal(supply, task, self.signer, self.clock()), task.digest, task.opening, made.payload_salt
        )


def with_withdrawal(supply: Supply, task: Task, signer: Signer, at: int) -> Supply:
    """Return the answer. If this answer corrects an earlier answer, add the signed withdrawal of the earlier answer.

    The signature with which the chain accepts the withdrawal is also added, except if the key is an SM2 key, whose
    signatures the contracts cannot check.
    """
    if supply.entry["corrects"] is None:
        return supply
    act = None
    if signer.algorithm["alg"] != SM2SM3.alg:
        digest = hex_of(supply.entry["corrects"])
        act = sign_act(withdrawals_message(task.chain, signer.kid, [digest]), signer)
    return replace(supply, withdrawal=act, withdrawn=sign_entry(withdrawal_of(task, at), signer))
