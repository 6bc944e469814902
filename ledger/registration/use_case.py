"""The base class of the use cases of registration, and the parts of a ledger that they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ledger.chain.contracts.deployment import ASSET_REGISTRY
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.gas import divided_set
from ledger.domain.days import Clock
from ledger.domain.definitions.ruleset import Ruleset
from ledger.index.follower import Follower
from ledger.parties.relayed_acts import RelayedActs
from ledger.registration.act_documents import ActDocuments
from ledger.registration.certificates import RegistrationCertificates
from ledger.registration.descriptions import Descriptions
from ledger.store.database import Database


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one ledger that the use cases of registration share."""

    database: Database
    reader: ChainReader
    follower: Follower
    acting: RelayedActs
    documents: ActDocuments
    descriptions: Descriptions
    certificates: RegistrationCertificates
    rules: Ruleset
    clock: Clock


class UseCase:
    """A use case of registration. A use case that needs more than the shared parts has a constructor of its own."""

    def __init__(self, parts: Parts) -> None:
        self._database = parts.database
        self._reader = parts.reader
        self._follower = parts.follower
        self._acting = parts.acting
        self._documents = parts.documents
        self._descriptions = parts.descriptions
        self._certificates = parts.certificates
        self._rules = parts.rules
        self._clock = parts.clock

    def _divided(self, function: str, asset_ids: Sequence[str], most: int) -> Iterator[Sequence[str]]:
        """Divide the assets into parts, each for one transaction that calls ``function`` of the contract."""
        return divided_set(ASSET_REGISTRY, function, asset_ids, most, lambda: self._reader.latest().gas_limit)
