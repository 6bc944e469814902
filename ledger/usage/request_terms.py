"""The terms of a request: what a consumer may ask for in a scenario, and which parties can take part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.domain.days import is_shanghai_midnight
from ledger.domain.definitions.scenario import Scenario
from ledger.domain.parties import PartyKind
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.index.tables import PARTIES as INDEXED
from ledger.parties.lookups import unknown_party
from ledger.parties.roles import active_actor, not_on_chain
from ledger.parties.tables import Party
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.sets import matching


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
        asked = {name: entry[name] for name in _MEMBERS}
        sources = {item["source"]: item["provider"] for item in entry["sources"]}
        return cls(**asked | {"sources": sources, "fields": tuple(entry["fields"])})

    @property
    def common(self) -> tuple[Any, ...]:
        """All terms except the subject, as a tuple that can be compared and hashed."""
        common = (getattr(self, name) for name in _MEMBERS if name not in ("subject", "sources"))
        return tuple(self.sources.items()), *common

    def members(self) -> dict[str, Any]:
        """Return the terms as the members that a request entry contains."""
        sources = [{"source": source, "provider": provider} for source, provider in self.sources.items()]
        return asdict(self) | {"sources": sources, "fields": list(self.fields)}


_MEMBERS: Final = tuple(field.name for field in fields(Terms))


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
            "The deadline for the answer must be in the future, and not after the end of the period that is requested.",
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
    """The parties of a set of requests (subjects, consumers, providers) as the database and the index have them."""

    def __init__(self, session: Session, requests: Iterable[Terms]) -> None:
        """Read all parties of the requests with three queries."""
        requests = list(requests)
        subjects = {terms.subject for terms in requests}
        acting = {party for terms in requests for party in (terms.consumer, *terms.sources.values())}
        kinds = matching(session, select(Party.id, Party.kind), Party.id, subjects | acting)
        self._kinds = {row.id: PartyKind(row.kind) for row in kinds}
        columns = INDEXED.c.id, INDEXED.c.status, INDEXED.c.roles
        self._indexed = {row.id: row for row in matching(session, select(*columns), INDEXED.c.id, acting)}
        erased = matching(session, select(ErasureRecord.target), ErasureRecord.target, subjects)
        self._erased = {row.target for row in erased}
        self._accepted: set[tuple[Any, ...]] = set()

    def require_terms(self, scenario: Scenario, terms: Terms, now: int) -> None:
        """Raise an error unless the scenario allows the terms at ``now`` (seconds UTC) and admits all parties, and the
        subject was not erased.

        Raises ``InvalidInput`` ``SOURCES_DO_NOT_MATCH``, ``Conflict`` ``SUBJECT_ERASED``, ``PARTY_NOT_ON_CHAIN``,
        ``Forbidden`` ``PARTY_NOT_ACTIVE``, ``NotFound`` ``PARTY_UNKNOWN`` and the errors of the scenario's rules.
        """
        # Most requests of a set differ only in the subject, so the common terms are checked only once.
        common = scenario.digest, now, *terms.common
        if common not in self._accepted:
            require_terms(scenario, terms, now)
        self._require_subject(scenario, terms)
        if common not in self._accepted:
            self._require_others(scenario, terms)
            self._accepted.add(common)

    def _require_subject(self, scenario: Scenario, terms: Terms) -> None:
        scenario.require_subject_kind(self._kind(terms.subject))
        if terms.subject in self._erased:
            raise Conflict(
                "SUBJECT_ERASED",
                "The subject's personal data was erased, so nobody can request data about this subject any more.",
                where="subject",
                hint="If the subject registered again, use its new party id.",
            )

    def _require_others(self, scenario: Scenario, terms: Terms) -> None:
        scenario.require_consumer_kind(self._active_kind(terms.consumer))
        needed = {field.source for field in scenario.fields if field.name in terms.fields}
        if needed != set(terms.sources):
            raise InvalidInput(
                "SOURCES_DO_NOT_MATCH",
                "Name a provider for each source of the fields, and for no other source.",
                where="sources",
                hint=f"The fields come from: {', '.join(sorted(needed))}.",
            )
        for source, provider in terms.sources.items():
            scenario.require_provider_kind(source, self._active_kind(provider))

    def _kind(self, party: str) -> PartyKind:
        if party not in self._kinds:
            raise unknown_party()
        return self._kinds[party]

    def _active_kind(self, party: str) -> PartyKind:
        kind, indexed = self._kind(party), self._indexed.get(party)
        if indexed is None:
            raise not_on_chain()
        active_actor(party, indexed.status, indexed.roles)
        return kind
