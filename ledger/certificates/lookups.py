"""Look up certificates by number, and their payloads in the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.domain.digests import hex_of
from ledger.errors import NotFound
from ledger.store import log as log_store


@dataclass(frozen=True, slots=True)
class NamedStatement:
    """A certificate's own statement, or a statement on which the certificate rests.

    ``digest`` is hex, ``type`` is the entry's type. ``party`` is the id of the party that can withdraw the statement,
    None if nobody can.
    """

    digest: str
    type: str
    party: str | None


def certificate(session: Session, number: str) -> Certificate:
    """Return the certificate; raises ``NotFound`` ``CERTIFICATE_UNKNOWN``."""
    row = session.get(Certificate, number)
    if row is None:
        raise NotFound(
            "CERTIFICATE_UNKNOWN",
            "No certificate with this number was issued here.",
            hint="Check every digit of the number.",
        )
    return row


def payload_of(session: Session, number: str) -> dict[str, Any]:
    """Return the certificate's payload: the JSON of its log entry."""
    return log_store.statement(session, session.get_one(Certificate, number).digest)


def named_provisions(session: Session, rows: Sequence[Certificate]) -> set[str]:
    """Return the statement digests (hex) of the provisions that these usage certificates name."""
    stated = log_store.statements(session, [row.digest for row in rows])
    return {hex_of(named) for payload in stated.values() for named in payload["provisions"]}


def request_of(session: Session, row: Certificate) -> str | None:
    """Return the statement digest (hex) of a usage certificate's request; None for a registration certificate."""
    named: str | None = log_store.statement(session, row.digest).get("request")
    return None if named is None else hex_of(named)


def statements_of(digest: str, payload: Mapping[str, Any]) -> list[NamedStatement]:
    """Return the certificate's own statement, its request, its authorizations and its provisions.

    ``payload`` must belong to a certificate issued here. The provider of each provision is read from the entry at the
    same place in ``components``, and only such a payload has both lists in the same order.
    """
    request = [NamedStatement(hex_of(payload["request"]), "request", None)] if "request" in payload else []
    supplies = zip(payload.get("provisions", ()), payload.get("components", ()), strict=True)
    return [
        NamedStatement(digest, "certificate", None),
        *request,
        *(NamedStatement(hex_of(each), "authorization", payload["sub"]) for each in payload.get("authorizations", ())),
        *(NamedStatement(hex_of(each), "provision", component["provider"]) for each, component in supplies),
    ]
