"""Holdings (归集): the certificates of a party, as subject, consumer, issuer or provider."""

from __future__ import annotations

from sqlalchemy import or_, select

from ledger.store.database import Database
from ledger.store.records import certificate
from ledger.store.tables import Authorization, Certificate


class Holdings:
    """Queries over certificates; records only, no disclosures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, number: str) -> Certificate:
        """One record; raises ``NotFound`` ``CERTIFICATE_UNKNOWN``."""
        with self._database.read() as session:
            return certificate(session, number)

    def providers(self, row: Certificate) -> set[str]:
        """Who supplied what the certificate rests on."""
        query = select(Authorization.provider).where(Authorization.request_id == row.request_id)
        with self._database.read() as session:
            return set(session.scalars(query))

    def members(self, row: Certificate) -> set[str]:
        """Everyone with a part in the certificate."""
        return self.providers(row) | {row.subject, row.issuer} | ({row.consumer} if row.consumer else set())

    def page(self, member: str, after: str | None, limit: int) -> list[Certificate]:
        """Certificates in which the party has a part, by number."""
        supplied = select(Authorization.request_id).where(Authorization.provider == member)
        query = (
            select(Certificate)
            .where(
                or_(
                    Certificate.subject == member,
                    Certificate.consumer == member,
                    Certificate.issuer == member,
                    Certificate.request_id.in_(supplied),
                )
            )
            .order_by(Certificate.certificate_no)
            .limit(limit)
        )
        if after:
            query = query.where(Certificate.certificate_no > after)
        with self._database.read() as session:
            return list(session.scalars(query))
