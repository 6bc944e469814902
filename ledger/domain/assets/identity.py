# SPDX-License-Identifier: Apache-2.0
"""The id of an asset, and the data about the resource in the asset's registration certificate."""

from __future__ import annotations

import hashlib
from typing import Any

from ledger.domain.canonical import canonical, digest


def asset_id(applicant: str, code: str, attempt: int = 1) -> str:
    """Return the asset's id, 64 hex digits. The hash is SHA-256 and not keccak, so the id does not depend on the kind
    of chain.

    ``attempt`` counts the registrations of one resource, because a resource that is registered again gets a new id.
    """
    again = "" if attempt == 1 else f"|{attempt}"
    return hashlib.sha256(f"pingzheng/asset/v1|{applicant}|{code}{again}".encode()).hexdigest()


def document_digest(document: dict[str, Any]) -> str:
    """Return the digest of a resource's whole description. The chain stores this digest."""
    return digest(canonical(document))


def summary(document: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a resource for its registration certificate: a digest of the list of fields replaces
    the list.
    """
    shown = {name: value for name, value in document.items() if name != "fields"}
    return shown | {"document_digest": document_digest(document)}
