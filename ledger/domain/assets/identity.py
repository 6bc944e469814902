"""Assets: the id of a registered resource, and what its certificate says of it."""

from __future__ import annotations

import hashlib
from typing import Any

from ledger.domain.canonical import canonical, digest


def asset_id(applicant: str, code: str, attempt: int = 1) -> str:
    """The asset's id, 64 hex digits; SHA-256 and not keccak, whose meaning depends on the chain.

    ``attempt`` counts the registrations of one resource: an ended one is not taken up again, a new one begins.
    """
    again = "" if attempt == 1 else f"|{attempt}"
    return hashlib.sha256(f"pingzheng/asset/v1|{applicant}|{code}{again}".encode()).hexdigest()


def document_digest(document: dict[str, Any]) -> str:
    """What the chain commits to: the digest of the whole description."""
    return digest(canonical(document))


def summary(document: dict[str, Any]) -> dict[str, Any]:
    """What a registration certificate says of the resource: all but the field list, and the digest that covers it."""
    told = {name: value for name, value in document.items() if name != "fields"}
    return told | {"document_digest": document_digest(document)}
