"""The acts of the pilot's consumers, subjects, providers and platform. Each party acts with its own key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ledger.certificates.issued import IssuedCertificate
from ledger.connectors.answers import Connector
from ledger.demo.stages import Tick
from ledger.errors import PingzhengError
from ledger.installation.wiring import Ledger
from ledger.proof.bundle import Bundle
from ledger.proof.jws import Signer, sign_entry
from ledger.provider.answer_store import AnswerStore
from ledger.provider.provider import Inquiry, Outcome, Provider
from ledger.provider.supply import Supply
from ledger.usage.authorizations import Choice
from ledger.usage.provisions import OwnPlatform
from ledger.usage.recorded import RecordedAuthorization, RecordedProvision
from ledger.usage.request_notes import Note
from ledger.usage.request_terms import Terms
from ledger.usage.requests import Asked

CHUNK = 50
NOTE = Note(contact="柜台（演示） Counter (demo)")


def silent(_done: int) -> None:
    """Show no progress."""


class Actors:
    """Runs one step for many parties at once. Each party signs its own act, and all acts are submitted together."""

    def __init__(self, ledger: Ledger, records_of: Callable[[str], Path] | None = None) -> None:
        """``records_of`` returns the folder of a provider's records. By default the folder is beside the ledger's home,
        not inside the home.
        """
        home = ledger.settings.home
        self.ledger = ledger
        self._records_of = records_of or home.with_name(f"{home.name}-providers").joinpath

    def signer_of(self, party: str) -> Signer:
        """Return the signer that has the party's own key."""
        return self.ledger.custody.signer(self.ledger.parties.register.get(party).account)

    def sign(self, party: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the entry, signed by the party."""
        return sign_entry(entry, self.signer_of(party))

    def ask(self, wanted: Sequence[Terms], tick: Tick = silent, note: Note = NOTE) -> list[str]:
        """Submit the consumers' requests, and return the ids of the requests."""
        signed = []
        for terms in wanted:
            drafted = self.ledger.usage.requests.draft(terms, note)
            signed.append(Asked(self.sign(terms.consumer, drafted.entry), drafted.note))
            tick(1)
        return [row.id for row in self.ledger.usage.requests.submit(signed)]

    def agree(
        self, requests: Iterable[str], choice: Choice | None = None, tick: Tick = silent
    ) -> list[RecordedAuthorization]:
        """Sign and submit the subjects' authorizations. Each request has one authorization for each source."""
        signed = []
        for identifier in requests:
            for draft in self.ledger.usage.authorizations.draft(identifier, choice):
                signed.append(self.sign(draft.entry["subject"], draft.entry))
            tick(1)
        return self.ledger.usage.authorizations.submit(signed)

    def inquire(self, sources: Mapping[str, Connector], tick: Tick = silent) -> list[RecordedProvision]:
        """Let the providers answer all authorizations from their own sources. All answers are recorded, or none."""
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
        for provider, places in _by_provider([supply.entry for supply in supplies]).items():
            self.answers(provider).received(supplies[place].digest for place in places)
        return rows

    def hand_in_again(self, provider: str) -> None:
        """Submit again those signed answers of the provider that the platform has not acknowledged, because an earlier
        run was interrupted.
        """
        answers = self.answers(provider)
        if waiting := answers.waiting():
            refusals = OwnPlatform(self.ledger.usage.provisions, provider).submit(waiting)
            sent = list(zip(waiting, refusals, strict=True))
            answers.received(supply.digest for supply, refusal in sent if refusal is None)
            answers.refused((supply.digest, refusal.code) for supply, refusal in sent if refusal is not None)

    def provider(self, party: str) -> Provider:
        """Return the provider's own program, with its own key and records."""
        return Provider(party, self.signer_of(party), self.answers(party), self.ledger.clock)

    def answers(self, party: str) -> AnswerStore:
        """Return the records of a provider's answers."""
        return AnswerStore(self._records_of(party))

    def _answered(self, asked: Sequence[Inquiry]) -> list[Supply]:
        """Return the signed answers in the order of the tasks. If tasks failed, raise the first error."""
        found: dict[int, Outcome] = {}
        for party, places in _by_provider([each.task.authorization for each in asked]).items():
            outcomes = self.provider(party).answer_many([asked[place] for place in places])
            found |= dict(zip(places, outcomes, strict=True))
        supplies = []
        for place in range(len(asked)):
            outcome = found[place]
            if isinstance(outcome, PingzhengError):
                raise outcome
            supplies.append(outcome)
        return supplies

    def certify(self, requests: Sequence[str]) -> list[IssuedCertificate]:
        """Issue the certificates of the requests, as the platform."""
        return self.ledger.usage.issuance.issue(self.ledger.actor(self.ledger.party), requests)

    def show(self, number: str, nonce: str, fields: Iterable[str] | None = None) -> Bundle:
        """Return a presentation of a certificate, which the subject makes for the certificate's consumer."""
        row = self.ledger.usage.holdings.get(number)
        signer, now = self.signer_of(row.subject), self.ledger.clock()
        return self.ledger.certificates.bundles.present(number, fields, str(row.consumer), nonce, signer, now)


def _same(source: Connector) -> Connector:
    return source


def _by_provider(entries: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    """Return, for each provider, the positions of its entries in the list."""
    found: dict[str, list[int]] = {}
    for place, entry in enumerate(entries):
        found.setdefault(entry["provider"], []).append(place)
    return found
