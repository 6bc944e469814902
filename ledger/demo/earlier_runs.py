"""Finds the acts that earlier runs of the demonstration did on the ledger. A new run then does only the remaining acts.

Only the ledger and its chain are read, and no files of the demonstration. So no act is done twice, at whatever point an
earlier run stopped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from ledger.certificates.tables import Certificate, Presentation
from ledger.certificates.verification.presentation_ends import PENDING, VALID
from ledger.chain.contracts.deployment import ASSET_REGISTRY
from ledger.chain.reading.contract_state import AssetRecord
from ledger.demo.data.people import Member
from ledger.index.tables import EVENTS, PROPOSALS
from ledger.installation.wiring import Ledger
from ledger.proof.checks.usage_certificate import USAGE
from ledger.registration.tables import Registration
from ledger.store import log as log_store
from ledger.usage.tables import AccessRequest, Authorization, Provision

Row = TypeVar("Row")
# The maximum number of values in one query. SQLite's own limit is higher.
_CHUNK: Final = 5_000


class EarlierRuns:
    """Answers questions about earlier runs, for many assets, requests or certificates at once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def registrations(self, applicant: str) -> dict[str, str]:
        """Return, for each resource code, the applicant's first asset, even if the asset's registration has ended
        since.
        """
        query = select(Registration).where(Registration.applicant == applicant)
        rows = self._all(query.order_by(Registration.created_at.desc(), Registration.reg_no.desc()))
        return {row.resource_code: row.asset_id for row in rows}

    def assets(self, identifiers: Sequence[str]) -> list[AssetRecord]:
        """Return the chain's records of the assets, in the given order. Assets that are not on the chain are left
        out.
        """
        return [asset for asset in self._ledger.reader.assets(identifiers) if asset is not None]

    def certified(self, assets: Sequence[str]) -> set[str]:
        """Return those of the assets that have a registration certificate, whatever the certificate's state is."""
        return {str(row.asset_id) for row in self._rows(Certificate, Certificate.asset_id, assets)}

    def events(self, assets: Sequence[str]) -> dict[str, list[str]]:
        """Return, for each asset, the names of its events, earliest first."""
        self._ledger.follower.sync()
        query = (
            select(EVENTS.c.scope, EVENTS.c.name)
            .where(EVENTS.c.contract == ASSET_REGISTRY, EVENTS.c.scope.in_(assets))
            .order_by(EVENTS.c.block_number, EVENTS.c.log_index)
        )
        found: dict[str, list[str]] = {asset: [] for asset in assets}
        with self._ledger.database.read() as session:
            for scope, name in session.execute(query):
                found[scope].append(name)
        return found

    def requests(self, scenario: str, consumer: str) -> dict[str, AccessRequest]:
        """Return, for each subject, the consumer's newest request in a scenario."""
        query = select(AccessRequest).where(AccessRequest.scenario == scenario, AccessRequest.consumer == consumer)
        return {row.subject: row for row in self._all(query.order_by(AccessRequest.id))}

    def lasts(self, request: AccessRequest) -> int:
        """Return for how many seconds the certificate is to be valid according to the request."""
        with self._ledger.database.read() as session:
            entry = log_store.statement(session, request.digest)
        return int(entry["valid_to"]) - int(entry["valid_from"])

    def consents(self, requests: Sequence[str]) -> dict[str, list[Authorization]]:
        """Return the authorizations of each request."""
        return _grouped(self._rows(Authorization, Authorization.request_id, requests), "request_id")

    def answers(self, consents: Sequence[str]) -> dict[str, list[Provision]]:
        """Return, for each authorization, the providers' answers, earliest first."""
        rows = self._rows(Provision, Provision.authorization_id, consents)
        return _grouped(sorted(rows, key=lambda row: row.number), "authorization_id")

    def certificates(self, requests: Sequence[str]) -> dict[str, list[Certificate]]:
        """Return, for each request, the versions of its certificate, earliest first."""
        rows = self._rows(Certificate, Certificate.request_id, requests)
        return _grouped(sorted(rows, key=lambda row: row.version), "request_id")

    def forged(self, member: Member) -> str | None:
        """Return the number of the certificate that the lying platform issued about the member without a request, or
        None if there is no such certificate.
        """
        query = select(Certificate.certificate_no).where(
            Certificate.subject == member.party,
            Certificate.scenario == member.scenario,
            Certificate.cls == USAGE.name,
            Certificate.request_id.is_(None),
        )
        return next(iter(self._all(query)), None)

    def withdrawn(self, consent: str) -> bool:
        """Return whether the subject's signed entry that withdraws the consent is recorded."""
        row = self._ledger.usage.authorizations.get(consent)
        with self._ledger.database.read() as session:
            return row.state == "withdrawn" and bool(log_store.withdrawals_of(session, [row.digest]))

    def looks(self, number: str) -> dict[str, set[str]]:
        """Return, for each verifying party, the results of its finished presentations of a certificate."""
        query = select(Presentation).where(Presentation.certificate_no == number, Presentation.result != PENDING)
        found: dict[str, set[str]] = defaultdict(set)
        for row in self._all(query):
            found[row.consumer].add(row.result)
        return found

    def used(self, numbers: Sequence[str]) -> set[str]:
        """Return those of the certificates that have a counted use."""
        counted = Presentation.result == VALID, Presentation.ordinal.is_not(None)
        rows = self._rows(Presentation, Presentation.certificate_no, numbers, *counted)
        return {row.certificate_no for row in rows}

    def proposal(self, concerned: str, by: str) -> int | None:
        """Return the number of the newest proposal that ``by`` made about a party, or None if there is none."""
        self._ledger.follower.sync()
        about, proposer = (self._ledger.reader.party_no(party) for party in (concerned, by))
        query = select(func.max(PROPOSALS.c.no)).where(
            PROPOSALS.c.concerned == about, PROPOSALS.c.by == proposer, PROPOSALS.c.role != 0
        )
        with self._ledger.database.read() as session:
            number: int | None = session.scalar(query)
        return number

    def proposed_itself(self, party: str) -> bool:
        """Return whether the party has ever made a proposal with its own key."""
        self._ledger.follower.sync()
        query = select(PROPOSALS.c.no).where(PROPOSALS.c.by == self._ledger.reader.party_no(party)).limit(1)
        return bool(self._all(query))

    def _all(self, query: Select[Row]) -> Sequence[Row]:
        with self._ledger.database.read() as session:
            return session.scalars(query).all()

    def _rows(
        self,
        table: type[Row],
        column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
        values: Collection[str],
        *conditions: ColumnElement[bool],
    ) -> list[Row]:
        wanted, found = list(values), list[Row]()
        for start in range(0, len(wanted), _CHUNK):
            found += self._all(select(table).where(column.in_(wanted[start : start + _CHUNK]), *conditions))
        return found


def _grouped(rows: Sequence[Row], name: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return dict(found)
