"""Actors whose providers answer from memory, instead of from a file or a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from ledger.connectors.answers import Answer, Connector, Query, Supplied
from ledger.demo.actors import Actors, silent
from ledger.demo.stages import Tick
from ledger.provider.answering import made_of, query_of
from ledger.provider.provider import with_withdrawal
from ledger.provider.supply import Supply
from ledger.usage.recorded import RecordedProvision


class GivenAnswers(Actors):
    """Actors with additional steps, in which the test itself gives the data source's answer."""

    def answer(self, answers: Mapping[str, Answer], tick: Tick = silent) -> list[RecordedProvision]:
        """Sign and submit answers (authorization id → answer); a missing subject name is taken from the register."""
        return self.inquire(
            {identifier: self._given(identifier, answer) for identifier, answer in answers.items()}, tick
        )

    def draft(self, identifier: str, answer: Answer) -> Supply:
        """Return a provider's answer, not signed yet. If it corrects an earlier provision, it comes with the signed
        withdrawal of that provision.
        """
        task, now = self.ledger.usage.provisions.task(identifier), self.ledger.clock()
        made = made_of(task, self._given(identifier, answer).ask(query_of(task, now)), now)
        supply = Supply(made.entry, made.disclosures)
        return with_withdrawal(supply, task, self.signer_of(task.authorization["provider"]), now)

    def _given(self, identifier: str, answer: Answer) -> Connector:
        subject = self.ledger.usage.authorizations.get(identifier).subject
        return _Given(answer, partial(self._name, subject))

    def _name(self, subject: str) -> str:
        return self.ledger.parties.register.identity(subject)["name"]


@dataclass(frozen=True, slots=True)
class _Given:
    """A data source that always gives the same answer. ``name`` returns the subject's name as the provider's own
    records have it.
    """

    answer: Answer
    name: Callable[[], str]

    def ask(self, query: Query) -> Answer:
        if isinstance(self.answer, Supplied) and query.name and self.answer.name is None:
            return replace(self.answer, name=self.name())
        return self.answer
