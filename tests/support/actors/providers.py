"""A provider on its own machine, and firms. Through a real platform, a bank requests data about the firms from the
provider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ledger.connectors.answers import Answer, Connector, Query, Supplied
from ledger.domain.parties import PartyKind, Role
from ledger.proof.jws import Signer
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from ledger.provider.answer_store import AnswerStore
from ledger.provider.provider import Provider
from ledger.provider.registry import Registry
from ledger.provider.run import Done, go_round
from ledger.usage.lookups import provisions_of
from ledger.usage.provisions import OwnPlatform
from ledger.usage.tables import Provision
from tests.support.actors.credit_bureau import AS_OF, FIELDS, SOURCE
from tests.support.actors.pilots import ROWS, Pilot

SCENARIOS = ("S00", "S51")
NAME = "湛江某企业（自有记录）"


@dataclass
class Files:
    """The provider's data source; it records which queries it gets."""

    rows: Sequence[dict[str, str]] = ROWS
    asked: list[Query] = field(default_factory=list)

    def ask(self, query: Query) -> Answer:
        self.asked.append(query)
        return Supplied(tuple(self.rows), AS_OF, query.at, NAME if query.name else None)

    def connector(self, scenario: str, source: str) -> Connector:
        assert (scenario, source) == ("S51", SOURCE)
        return self


class Town:
    """A provider and its platform. ``party`` is the provider's id; ``folder`` contains the provider's records."""

    def __init__(self, pilot: Pilot, folder: Path) -> None:
        self.pilot, self.ledger, self.actors = pilot, pilot.ledger, pilot.actors
        self.folder = folder
        self.party = pilot.party(PartyKind.UTILITY, Role.PROVIDER)
        self.platform = OwnPlatform(self.ledger.usage.provisions, self.party)

    @property
    def signer(self) -> Signer:
        return self.actors.signer_of(self.party)

    @property
    def answers(self) -> AnswerStore:
        return AnswerStore(self.folder / "records")

    def provider(self, **changes: Any) -> Provider:
        """Return the provider's program, connected to a node of the chain."""
        members: dict[str, Any] = {
            "party": self.party,
            "signer": self.signer,
            "answers": self.answers,
            "clock": self.ledger.clock,
            "registry": Registry(self.ledger.reader),
        }
        return Provider(**members | changes)

    def consents(self, *firms: str, fields: Sequence[str] = FIELDS) -> list[str]:
        """Let the bank request data and each firm sign an authorization; return the ids of the authorizations."""
        terms = [replace(self.actors.request(firm, fields), sources={SOURCE: self.party}) for firm in firms]
        return [row.id for row in self.actors.agree(self.actors.ask(terms))]

    def go_round(self, files: Files | None = None, **changes: Any) -> list[Done]:
        """Let the provider answer all waiting tasks, and return the results."""
        files = files or Files()
        return list(go_round(self.provider(**changes), self.platform, files.connector))

    def provisions(self, consent: str) -> list[Provision]:
        """Return the provisions that the platform received for an authorization."""
        with self.ledger.database.read() as session:
            return provisions_of(session, consent)

    def certified(self, consent: str) -> str:
        """Issue and anchor a certificate based on the authorization, and return its number."""
        (row,) = self.actors.certify([self.ledger.usage.authorizations.get(consent).request_id])
        self.ledger.anchoring.flush()
        return row.certificate_no

    def verified(self, number: str) -> Report:
        """Return the report of the bank's verifier, without using the certificate."""
        nonce = self.ledger.verification.new_nonce()
        raw = self.actors.show(number, nonce).to_bytes()
        expect = Expectation(consumer=self.pilot.cast.bank, nonce=nonce)
        return self.ledger.verification.verify(raw, expect).report
