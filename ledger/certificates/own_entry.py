"""Whether a certificate's row says what its signed entry says.

A row repeats members of its entry so that it can be found by them. What was changed there by other means would be
answered for the certificate, without one signature being wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ledger.certificates.tables import Certificate
from ledger.store.row_damage import differing, record_damaged

# Which column repeats which member of the entry.
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
    """The payload of a certificate whose row says what it says; raises ``Incoherent`` ``RECORD_DAMAGED``."""
    stated: dict[str, Any] = json.loads(body)
    if wrong := differing(row, stated, REPEATED):
        raise record_damaged("certificate", row.certificate_no, wrong).refusal()
    return stated
