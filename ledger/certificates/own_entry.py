"""Compare a certificate's database row with its log entry.

The row repeats members of the entry so that the database can search for them. If somebody changed the row in the
database, answers about the certificate would be wrong although every signature is valid.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ledger.certificates.tables import Certificate
from ledger.store.row_damage import differing, record_damaged

# Maps each column that repeats a member of the log entry to the name of this member.
REPEATED: Final[Mapping[str, str]] = {
    "certificate_no": "certificate_no",
    "cls": "class",
    "seq": "seq",
    "scenario": "scenario",
    "issuer": "iss",
    "subject": "sub",
    "consumer": "consumer",
    "exp": "exp",
    "max_uses": "max_uses",
}


def require_own_entry(row: Certificate, body: bytes) -> dict[str, Any]:
    """Return the payload in ``body``; raises ``Incoherent`` ``RECORD_DAMAGED`` if the row differs from the payload."""
    stated: dict[str, Any] = json.loads(body)
    if wrong := differing(row, stated, REPEATED):
        raise record_damaged("certificate", row.certificate_no, wrong).refusal()
    return stated
