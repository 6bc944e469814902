"""Plays consumer, subject, provider and platform, each with its own key: what the parties of a pilot do in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ledger.certificates.issued import IssuedCertificate
from ledger.connectors.answers import Answer, Connector, Query, Supplied
from ledger.errors import PingzhengError
from ledger.installation.wiring import Ledger
from ledger.proof.bundle import Bundle
from ledger.proof.jws import Signer, sign_entry
from ledger.provider.answer_store import AnswerStore
from ledger.provider.answering import made_of, query_of
from ledger.provider.provider import Inquiry, Outcome, Provider, with_withdrawal
from ledger.provider.supply import Supply
from ledger.usage.authorizations import Choice
from ledger.usage.provisions import OwnPlatform
from ledger.usage.recorded import RecordedAuthorization, RecordedProvision
from ledger.usage.request_notes import Note
from ledger.usage.request_terms import Terms
from ledger.usage.requests import Asked

Tick = Callable[[int], None]
CHUNK = 50
NOTE = Note(contact="柜台（演示） Counter (demo)")


def _silent(_done: int) -> None:
    """Nobody watches the progress."""


class Actors:
    """Each step for many at once: signed one by one, handed in together."""

    def __init__(self, ledger: Ledger, records_of: Callable[[str], Path] | None = None) -> None:
        """``records_of``: the folder of a provider's records, by default beside the ledger's home and never in it."""
        home = ledger.settings.home
        self.ledger = ledger
        self._records_of = records_of or home.with_name(f"{home.name}-providers").joinpath

    def signer_of(self, party: str) -> Signer:
        """The party's own signer."""
        return self.ledger.custody.signer(self.ledger.parties.register.get(party).account)

    def sign(self, party: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The entry, signed by the party."""
        return sign_entry(entry, self.signer_of(party))

    def ask(self, wanted: Sequence[Terms], tick: Tick = _silent, note: Note = NOTE) -> list[str]:
        """The consumers ask; returns the requests' ids."""
        signed = []
        for terms in wanted:
            drafted = self.ledger.usage.requests.draft(terms, note)
            signed.append(Asked(self.sign(terms.consumer, drafted.entry), drafted.note))
            tick(1)
        return [row.id for row in self.ledger.usage.requests.submit(signed)]

    def agree(
        self, requests: Iterable[str], choice: Choice | None = None, tick: Tick = _silent
    ) -> list[RecordedAuthorization]:
        """The subjects read their notices and sign, for every source."""
        signed = []
        for identifier in requests:
            for draft in self.ledger.usage.authorizations.draft(identifier, choice):
                signed.append(self.sign(draft.entry["subject"], draft.entry))
            tick(1)
        return self.ledger.usage.authorizations.submit(signed)

    def answer(self, answers: Mapping[str, Answer], tick: Tick = _silent) -> list[RecordedProvision]:
        """The providers answer under authorizations, by id; names of subjects are those of the register."""
        return self.inquire(
            {identifier: self._given(identifier, answer) for identifier, answer in answers.items()}, tick
        )

    def inquire(self, sources: Mapping[str, Connector], tick: Tick = _silent) -> list[RecordedProvision]:
        """The providers' own sources answer under authorizations, by id: all or none."""
        if not sources:
            return []
        tasks = [self.ledger.usage.provisions.task(identifier) for identifier in sources]
        asked = [
            Inquiry(task, partial(_same, source), correcting=True)
            for task, source in zip(tasks, sources.values(), strict=True)
        ]
        supplies: list[Supply] = []
        try:
            for start in range(0, len(asked), CHUNK):
                supplies += self._answered(asked[start : start + CHUNK])
                tick(len(asked[start : start + CHUNK]))
            rows = self.ledger.usage.provisions.submit(supplies)
        except PingzhengError as error:
            for supply in supplies:
                self.answers(supply.entry["provider"]).refused([(supply.digest, error.code)])
            raise
        for provider, some in _by_provider(supplies).items():
            self.answers(provider).received(supply.digest for supply in some)
        return rows

    def hand_in_again(self, provider: str) -> None:
        """A provider hands in what it signed and the platform did not acknowledge: an interruption came between."""
        answers = self.answers(provider)
        if waiting := answers.waiting():
            outcomes = OwnPlatform(self.ledger.usage.provisions, provider).submit(waiting)
            told = list(zip(waiting, outcomes, strict=True))
            answers.received(supply.digest for supply, refusal in told if refusal is None)
            answers.refused((supply.digest, refusal.code) for supply, refusal in told if refusal is not None)

    def draft(self, identifier: str, answer: Answer) -> Supply:
        """A provider's answer before it signs and keeps it, with the signed withdrawal of what it corrects."""
        task, now = self.ledger.usage.provisions.task(identifier), self.ledger.clock()
        made = made_of(task, self._given(identifier, answer).ask(query_of(task, now)), now)
        supply = Supply(made.entry, made.disclosures)
        return with_withdrawal(supply, task, self.signer_of(task.authorization["provider"]), now)

    def provider(self, party: str) -> Provider:
        """The provider at work on its own machine: with its own key and records."""
        return Provider(party, self.signer_of(party), self.answers(party), self.ledger.clock)

    def answers(self, party: str) -> AnswerStore:
        """What a provider keeps."""
        return AnswerStore(self._records_of(party))

    def _answered(self, asked: Sequence[Inquiry]) -> list[Supply]:
        """The signed answers in the order of the tasks; raises the first error."""
        found: dict[int, Outcome] = {}
        places = _by_provider_of_tasks(asked)
        for party, own in places.items():
            found |= dict(zip(own, self.provider(party).answer_many([asked[place] for place in own]), strict=True))
        signed = [found[place] for place in range(len(asked))]
        for outcome in signed:
            if isinstance(outcome, PingzhengError):
                raise outcome
        return [outcome for outcome in signed if isinstance(outcome, Supply)]

    def _given(self, identifier: str, answer: Answer) -> Connector:
        subject = self.ledger.usage.authorizations.get(identifier).subject
        return _Given(answer, partial(self._name, subject))

    def _name(self, subject: str) -> str:
        return self.ledger.parties.register.identity(subject)["name"]

    def certify(self, requests: Sequence[str]) -> list[IssuedCertificate]:
        """The platform issues."""
        return self.ledger.usage.issuance.issue(self.ledger.actor(self.ledger.party), requests)

    def show(self, number: str, nonce: str, fields: Iterable[str] | None = None) -> Bundle:
        """The subject presents a certificate to its consumer."""
        row = self.ledger.usage.holdings.get(number)
        signer, now = self.signer_of(row.subject), self.ledger.clock()
        return self.ledger.certificates.bundles.present(number, fields, str(row.consumer), nonce, signer, now)


@dataclass(frozen=True, slots=True)
class _Given:
    """A source whose answer is known beforehand; the name of its subject stands in the provider's own records."""

    answer: Answer
    name: Callable[[], str]

    def ask(self, query: Query) -> Answer:
        if isinstance(self.answer, Supplied) and query.name and self.answer.name is None:
            return replace(self.answer, name=self.name())
        return self.answer


def _same(source: Connector) -> Connector:
    return source


def _by_provider(supplies: Iterable[Supply]) -> dict[str, list[Supply]]:
    found: dict[str, list[Supply]] = {}
    for supply in supplies:
        found.setdefault(supply.entry["provider"], []).append(supply)
    return found


def _by_provider_of_tasks(asked: Sequence[Inquiry]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, each in enumerate(asked):
        found.setdefault(each.task.authorization["provider"], []).append(place)
    return found
