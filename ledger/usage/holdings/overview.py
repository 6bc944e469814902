"""Holdings (归集): the certificates of a party, a provider or a scenario, with their present states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select
from sqlalchemy.orm import Session

from ledger.certificates.issued import IssuedCertificate
from ledger.certificates.lookups import certificate
from ledger.certificates.tables import Certificate
from ledger.domain.days import Clock
from ledger.index.follower import Follower
from ledger.parties.permissions import Action
from ledger.parties.principals import Principals
from ledger.parties.roles import Actor, require
from ledger.store.database import Database
from ledger.usage.holdings import search
from ledger.usage.holdings.filter import HoldingsFilter

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Holding:
    """A certificate with its present state, the number of its uses on the chain, and its providers."""

    certificate: IssuedCertificate
    state: str
    uses: int
    providers: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the holding as JSON: numbers, codes, times (seconds UTC), states and party ids, but no claims."""
        row = self.certificate
        return {
            "certificate_no": row.certificate_no,
            "class": row.cls,
            "seq": row.seq,
            "digest": row.digest,
            "scenario": row.scenario,
            "state": self.state,
            "issuer": row.issuer,
            "subject": row.subject,
            "consumer": row.consumer,
            "providers": list(self.providers),
            "asset": row.asset_id,
            "created_at": row.created_at,
            "exp": row.exp,
            "max_uses": row.max_uses,
            "uses": self.uses,
        }


class Holdings:
    """Queries certificates, without their claims. Each query first updates the index and then reads the states from the
    index.
    """

    def __init__(self, database: Database, follower: Follower, principals: Principals, clock: Clock) -> None:
        self._database = database
        self._follower = follower
        self._principals = principals
        self._clock = clock

    def get(self, number: str) -> IssuedCertificate:
        """Return the certificate with this number. Raises ``NotFound`` ``CERTIFICATE_UNKNOWN``."""
        with self._database.read() as session:
            return IssuedCertificate.of(certificate(session, number))

    def providers(self, row: IssuedCertificate) -> set[str]:
        """Return the parties that supplied the data of the certificate."""
        with self._database.read() as session:
            return set(_providers(session, [row.certificate_no]).get(row.certificate_no, ()))

    def members(self, row: IssuedCertificate) -> set[str]:
        """Return every party that takes part in the certificate."""
        return self.providers(row) | {row.subject, row.issuer} | ({row.consumer} if row.consumer else set())

    def page(self, wanted: HoldingsFilter, after: str | None, limit: int, reader: Actor | None = None) -> list[Holding]:
        """Return a page of the selected holdings, ordered by certificate number; the page starts after the number
        ``after``.

        ``reader`` is None for the operator's own command line, which may see all. Raises ``Forbidden``
        ``PARTY_LACKS_ROLE``, ``ChainUnavailable``.
        """
        self._require_sight(reader, wanted)
        self._follower.sync()
        query = search.certificates(wanted, self._clock()).order_by(Certificate.certificate_no).limit(limit)
        if after:
            query = query.where(Certificate.certificate_no > after)
        with self._database.read() as session:
            found = session.execute(query).all()
            supplied = _providers(session, [row.certificate_no for row, _, _ in found])
        return [
            Holding(IssuedCertificate.of(row), state, uses, supplied.get(row.certificate_no, ()))
            for row, state, uses in found
        ]

    def each(self, wanted: HoldingsFilter) -> Iterator[Holding]:
        """Yield all selected holdings, ordered by certificate number; they are read page by page."""
        page = self.page(wanted, None, _PAGE)
        while page:
            yield from page
            last = page[-1].certificate.certificate_no
            page = self.page(wanted, last, _PAGE) if len(page) == _PAGE else []

    def summary(self, wanted: HoldingsFilter, reader: Actor | None = None) -> dict[str, Any]:
        """Return how many certificates each scenario and each provider has in each state; ``reader`` has the same
        meaning as in ``page``.

        A certificate that rests on data of several providers is counted for each of these providers, and once in
        ``total``.
        """
        self._require_sight(reader, wanted)
        block, now = self._follower.sync(), self._clock()
        with self._database.read() as session:
            by_scenario = _counted(session, search.counts_by_scenario(wanted, now), "scenario")
            by_provider = _counted(session, search.counts_by_provider(wanted, now), "provider")
        return {
            "at": now,
            "block": block.block_number,
            "total": sum(row["certificates"] for row in by_scenario),
            "by_scenario": by_scenario,
            "by_provider": by_provider,
        }

    def _require_sight(self, reader: Actor | None, wanted: HoldingsFilter) -> None:
        if reader is not None and wanted.party != reader.party:
            require(reader, Action.READ_LOG, owns=wanted.party in self._principals.of(reader))


def _providers(session: Session, numbers: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for number, provider in session.execute(search.providers(numbers)):
        found[number] = (*found.get(number, ()), provider)
    return found


def _counted(session: Session, query: Select[str, str, int], name: str) -> list[dict[str, Any]]:
    states: dict[str, dict[str, int]] = {}
    for key, state, count in session.execute(query):
        states.setdefault(key, {})[state] = count
    return [{name: key, "certificates": sum(counts.values()), "states": counts} for key, counts in states.items()]
