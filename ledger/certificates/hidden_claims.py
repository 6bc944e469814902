"""Read the hidden claims of a certificate.

A usage certificate usually has no copy of its claims: its disclosures are stored with the provisions that its payload
names. Only a certificate whose row has a ``sealed_id`` has an encrypted copy: an earlier version of this program issued
the certificate, or a holder brought its claims back after a loss of data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.domain.digests import hex_of
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.sealing import Sealer, text_erased


def hides_claims(row: Certificate) -> bool:
    """Return whether the certificate has hidden claims. Registration certificates have none."""
    return row.sealed_id is not None or row.request_id is not None


@dataclass(frozen=True, slots=True)
class HiddenClaims:
    """Decrypts the disclosures of certificates.

    ``texts_of`` takes the statement digests (hex) of provisions, and returns the ids of their sealed disclosures.
    """

    _sealer: Sealer
    _texts_of: Callable[[Session, Sequence[str]], Sequence[str]]

    def opened(self, session: Session, row: Certificate, stated: Mapping[str, Any]) -> list[str]:
        """Return the encoded disclosures of the certificate ``row``, whose payload is ``stated``.

        Raises the errors of ``Sealer.open``. The error is ``SEALED_ERASED`` if the certificate or one of its provisions
        was erased.
        """
        if row.sealed_id is not None:
            return self._sealer.open_list(session, row.sealed_id)
        if not hides_claims(row):
            return []
        # A later version of the certificate may use the same provisions. Then the provisions' texts stay when this
        # version is erased, so the erasure of this version must be looked up.
        if session.get(ErasureRecord, row.digest) is not None:
            raise text_erased(f"certificate {row.certificate_no}")
        texts = self._texts_of(session, [hex_of(named) for named in stated["provisions"]])
        opened = self._sealer.open_all(session, texts)
        return [item for text in texts for item in opened[text]["disclosures"]]
