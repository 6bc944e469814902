"""Data resources, as they are described for registration."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from ledger.domain.canonical import canonical, digest


@dataclass(frozen=True, slots=True)
class ResourceField:
    """A field of a resource."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class DataResource:
    """A data resource; ``content_digest`` is the digest of its real bytes, ``sha-256:`` and 64 hex digits."""

    code: str
    title: str
    package: str
    rows: int
    columns: int
    fields: tuple[ResourceField, ...]
    content_digest: str

    @property
    def fingerprint(self) -> str:
        """What no two registrations may share: the content digest, 64 hex digits."""
        return self.content_digest.removeprefix("sha-256:")

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "fields": [asdict(field) for field in self.fields]}


def asset_id(applicant: str, code: str) -> str:
    """The asset's id, 64 hex digits; SHA-256 and not keccak, whose meaning depends on the chain."""
    return hashlib.sha256(f"pingzheng/asset/v1|{applicant}|{code}".encode()).hexdigest()


def document_digest(document: dict[str, Any]) -> str:
    """What the chain commits to: the digest of the whole description."""
    return digest(canonical(document))


def summary(document: dict[str, Any]) -> dict[str, Any]:
    """What a registration certificate says of the resource: all but the field list, and the digest that covers it."""
    told = {name: value for name, value in document.items() if name != "fields"}
    return told | {"document_digest": document_digest(document)}
