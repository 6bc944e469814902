"""The terms of a request: what a consumer may ask for in a scenario, and which parties can take part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ledger.domain.days import is_shanghai_midnight
from ledger.domain.definitions.scenario import Scenario
from ledger.domain.parties import PartyKind
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.known import KnownParty
from ledger.parties.register import Parties
from ledger.store.database import Database
from ledger.store.erasure_tables import ErasureRecord


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a request: party ids, the provider of each source, and times in seconds UTC; ``valid_to`` is
    exclusive.

    ``valid_to`` is a midnight in Shanghai. The subject may answer until ``expires_at``. ``pia_digest`` is the digest of
    the consumer's own impact assessment, if the scenario requires one.
    """

    scenario: str
    subject: str
    consumer: str
    sources: Mapping[str, str]
    fields: tuple[str, ...]
    valid_from: int
    valid_to: int
    max_uses: int
    channel: str
    expires_at: int
    pia_digest: str | None = None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Terms:
        """Read the terms from a request entry."""
        asked = {field.name: entry[field.name] for field in fields(cls)}
        sources = {item["source"]: item["provider"] for item in entry["sources"]}
        return cls(**asked | {"sources": sources, "fields": tuple(entry["fields"])})

    def members(self) -> dict[str, Any]:
        """Return the terms as the members that a request entry contains."""
        sources = [{"source": source, "provider": provider} for source, provider in self.sources.items()]
        return asdict(self) | {"sources": sources, "fields": list(self.fields)}


def require_terms(scenario: Scenario, terms: Terms, now: int) -> None:
    """Raise ``InvalidInput`` or ``Forbidden`` unless the scenario allows the terms at ``now`` (seconds UTC)."""
    scenario.require_pilot(now)
    scenario.require_fields(terms.fields)
    scenario.require_period(terms.valid_from, terms.valid_to)
    scenario.require_uses(terms.max_uses)
    scenario.require_channel(terms.channel)
    if not is_shanghai_midnight(terms.valid_to):
        raise InvalidInput(
            "PERIOD_NOT_IN_DAYS",
            "The period must end at a midnight in Shanghai: a certificate is valid for whole days.",
            where="valid_to",
            hint="Give the midnight after the last valid day.",
        )
    if not now < terms.expires_at <= terms.valid_to:
        raise InvalidInput(
            "REQUEST_EXPIRY",
            "The deadline of the answer must be in the future, and not after the end of the requested period.",
            where="expires_at",
        )
    if scenario.requires_pia and terms.pia_digest is None:
        raise Forbidden(
            "PIA_MISSING",
            f"Scenario {scenario.code} requires an impact assessment by the consumer.",
            where="pia_digest",
            hint="Assess the impact on the subject, and give your report's digest (--pia sha-256:…, from `sha256sum`).",
        )


class Participants:
    """The parties of a request (subject, consumer, providers), as the register of parties describes them."""

    def __init__(self, database: Database, parties: Parties) -> None:
        self._database = database
        self._parties = parties

    def require(self, scenario: Scenario, terms: Terms, active: Callable[[str], KnownParty]) -> None:
        """Raise unless the scenario admits all parties and the subject was not erased.

        ``active`` is ``Parties.active``, or a cache of it. Raises ``InvalidInput`` ``SOURCES_DO_NOT_MATCH``,
        ``Conflict`` ``SUBJECT_ERASED``, and the errors of the scenario's rules.
        """
        scenario.require_subject_kind(PartyKind(self._parties.get(terms.subject).kind))
        self._require_not_erased(terms.subject)
        scenario.require_consumer_kind(PartyKind(active(terms.consumer).kind))
        needed = {field.source for field in scenario.fields if field.name in terms.fields}
        if needed != set(terms.sources):
            raise InvalidInput(
                "SOURCES_DO_NOT_MATCH",
                "Name a provider for each source of the fields, and for no other source.",
                where="sources",
                hint=f"The fields come from: {', '.join(sorted(needed))}.",
            )
        for source, provider in terms.sources.items():
            scenario.require_provider_kind(source, PartyKind(active(provider).kind))

    def _require_not_erased(self, subject: str) -> None:
        with self._database.read() as session:
            if session.get(ErasureRecord, subject) is not None:
                raise Conflict(
                    "SUBJECT_ERASED",
                    "The subject's personal data was erased, so nobody can request data about this subject any more.",
                    where="subject",
                    hint="If the subject registered again, use its new party id.",
                )
