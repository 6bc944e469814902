"""Plays consumer, subject, provider and platform, each with its own key: what the parties of a pilot do in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ledger.connectors.answers import Answer, Connector
from ledger.proof.bundle import Bundle
from ledger.proof.jws import Signer, sign_entry
from ledger.service.authorizations import Choice
from ledger.service.provisions import Supply
from ledger.service.requests import Asked, Note, Terms
from ledger.service.wiring import Ledger
from ledger.store.tables import Authorization, Certificate, Provision

Tick = Callable[[int], None]
NOTE = Note(contact="柜台（演示） Counter (demo)")


def _silent(_done: int) -> None:
    """Nobody watches the progress."""


class Bureau:
    """Each step for many at once: signed one by one, handed in together."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def signer_of(self, party: str) -> Signer:
        """The party's own signer."""
        return self.ledger.custody.signer(self.ledger.parties.get(party).account)

    def sign(self, party: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The entry, signed by the party."""
        return sign_entry(entry, self.signer_of(party))

    def ask(self, wanted: Sequence[Terms], tick: Tick = _silent, note: Note = NOTE) -> list[str]:
        """The consumers ask; returns the requests' ids."""
        signed = []
        for terms in wanted:
            drafted = self.ledger.requests.draft(terms, note)
            signed.append(Asked(self.sign(terms.consumer, drafted.entry), drafted.note))
            tick(1)
        return [row.id for row in self.ledger.requests.submit(signed)]

    def agree(self, requests: Iterable[str], choice: Choice | None = None, tick: Tick = _silent) -> list[Authorization]:
        """The subjects read their notices and sign, for every source."""
        signed = []
        for identifier in requests:
            for draft in self.ledger.authorizations.draft(identifier, choice):
                signed.append(self.sign(draft.entry["subject"], draft.entry))
            tick(1)
        return self.ledger.authorizations.submit(signed)

    def answer(self, answers: Mapping[str, Answer], tick: Tick = _silent) -> list[Provision]:
        """The providers answer under authorizations, by id."""
        drafts = (self.ledger.provisions.draft(identifier, answer) for identifier, answer in answers.items())
        return self._hand_in(drafts, tick)

    def inquire(self, sources: Mapping[str, Connector], tick: Tick = _silent) -> list[Provision]:
        """The providers' own sources answer under authorizations, by id."""
        drafts = (self.ledger.provisions.ask(identifier, connector) for identifier, connector in sources.items())
        return self._hand_in(drafts, tick)

    def _hand_in(self, drafts: Iterable[Supply], tick: Tick) -> list[Provision]:
        supplies = []
        for drafted in drafts:
            supplies.append(replace(drafted, entry=self.sign(drafted.entry["provider"], drafted.entry)))
            tick(1)
        return self.ledger.provisions.submit(supplies)

    def certify(self, requests: Sequence[str]) -> list[Certificate]:
        """The platform issues."""
        return self.ledger.issuance.issue(requests)

    def show(self, number: str, nonce: str, fields: Iterable[str] | None = None) -> Bundle:
        """The subject presents a certificate to its consumer."""
        row = self.ledger.holdings.get(number)
        signer, now = self.signer_of(row.subject), self.ledger.clock()
        return self.ledger.bundles.present(number, fields, str(row.consumer), nonce, signer, now)
