"""The note that a consumer gives with a request: sealed here, and held to by the salted digest in the request."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from ledger.domain.canonical import canonical
from ledger.domain.digests import reference
from ledger.domain.lines import require_line
from ledger.errors import InvalidInput
from ledger.store.sealing import Sealer
from ledger.usage.tables import AccessRequest

MAX_NOTE_BYTES: Final = 4 * 1024


@dataclass(frozen=True, slots=True)
class Note:
    """What the consumer tells beside the terms: whom to contact about it, its own words and reference. Sealed here."""

    contact: str
    purpose_note: str = ""
    business_ref: str = ""


def note_digest(note: Mapping[str, Any]) -> str:
    """Digest of the note with its salt: without the salt no guess can be confirmed."""
    return reference(hashlib.sha256(canonical(dict(note))).hexdigest())


def require_note(entry: Mapping[str, Any], note: Mapping[str, Any], where: str) -> None:
    """Raise ``InvalidInput`` unless the note is the one that the request commits to, and of lines that stay lines."""
    members = {"contact", "purpose_note", "business_ref", "salt"}
    texts = all(isinstance(value, str) for value in note.values())
    if note.keys() != members or not texts or not note["contact"] or len(canonical(dict(note))) > MAX_NOTE_BYTES:
        raise InvalidInput(
            "NOTE_INVALID",
            f"A note holds contact, purpose_note, business_ref and salt: texts of {MAX_NOTE_BYTES} bytes together.",
            where=where,
            hint="Send the note as it was drafted; a contact is needed.",
        )
    for name in ("contact", "purpose_note"):
        require_line(note[name], f"{where}: {name}")
    if note_digest(note) != entry["note_digest"]:
        raise InvalidInput("NOTE_DIFFERS", "The signed digest is not that of the note.", where=where)


def note_of(session: Session, sealer: Sealer, row: AccessRequest) -> dict[str, str]:
    """The note of a request, unsealed."""
    return sealer.open_object(session, row.sealed_id)
