"""What a consumer may ask of a subject: within the scenario, of parties that are there and may take part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
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
    """What is asked: party ids, the provider of each source, times in seconds UTC, ``valid_to`` exclusive.

    ``valid_to`` is a midnight in Shanghai. ``expires_at``: until when the subject may answer. ``pia_digest`` names the
    consumer's own impact assessment, where the scenario wants one.
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
        """What a request entry asks."""
        asked = {field.name: entry[field.name] for field in fields(cls)}
        sources = {item["source"]: item["provider"] for item in entry["sources"]}
        return cls(**asked | {"sources": sources, "fields": tuple(entry["fields"])})


def require_terms(scenario: Scenario, terms: Terms, now: int) -> None:
    """Raise ``InvalidInput`` or ``Forbidden`` unless the terms are within the scenario at ``now`` (seconds UTC)."""
    scenario.require_pilot(now)
    scenario.require_fields(terms.fields)
    scenario.require_period(terms.valid_from, terms.valid_to)
    scenario.require_uses(terms.max_uses)
    scenario.require_channel(terms.channel)
    if not is_shanghai_midnight(terms.valid_to):
        raise InvalidInput(
            "PERIOD_NOT_IN_DAYS",
            "The period ends at a midnight in Shanghai: a certificate is valid for whole days.",
            where="valid_to",
            hint="Give the midnight after the last valid day.",
        )
    if not now < terms.expires_at <= terms.valid_to:
        raise InvalidInput(
            "REQUEST_EXPIRY",
            "A request can be answered for some time, and not longer than it asks for.",
            where="expires_at",
        )
    if scenario.requires_pia and terms.pia_digest is None:
        raise Forbidden(
            "PIA_MISSING",
            f"Scenario {scenario.code} wants an impact assessment of the consumer.",
            where="pia_digest",
            hint="Assess the impact on the subject and give the digest of your report.",
        )


class Participants:
    """Who takes part in a request: subject, consumer and providers, as the register has them."""

    def __init__(self, database: Database, parties: Parties) -> None:
        self._database = database
        self._parties = parties

    def require(self, scenario: Scenario, terms: Terms, active: Callable[[str], KnownParty]) -> None:
        """Raise unless the scenario admits them all and the subject was not erased; ``active`` as ``Parties.active``.

        ``InvalidInput`` ``SOURCES_DO_NOT_MATCH`` and as the scenario's rules; ``Conflict`` ``SUBJECT_ERASED``.
        """
        scenario.require_subject_kind(PartyKind(self._parties.get(terms.subject).kind))
        self._require_not_erased(terms.subject)
        scenario.require_consumer_kind(PartyKind(active(terms.consumer).kind))
        needed = {field.source for field in scenario.fields if field.name in terms.fields}
        if needed != set(terms.sources):
            raise InvalidInput(
                "SOURCES_DO_NOT_MATCH",
                "Name a provider for each source of the fields, and for no other.",
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
                    "The subject was erased: nothing is asked about it any more.",
                    where="subject",
                    hint="Who comes back is another party: ask it by its new id.",
                )
