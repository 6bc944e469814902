"""The note that a consumer adds to a request. The note is stored encrypted; the request contains the note's salted
digest.
"""

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
    """The consumer's contact for the subject, its purpose in its own words, and its own reference."""

    contact: str
    purpose_note: str = ""
    business_ref: str = ""


def note_digest(note: Mapping[str, Any]) -> str:
    """Return the digest of the note, which contains a salt. Without the salt, nobody can test guesses of the note's
    text against the digest.
    """
    return _digest(canonical(dict(note)))


def _digest(text: bytes) -> str:
    return reference(hashlib.sha256(text).hexdigest())


def require_note(entry: Mapping[str, Any], note: Mapping[str, Any], where: str) -> bytes:
    """Return the note as canonical JSON. Raises ``InvalidInput`` unless the request contains the digest of the note,
    and each text of the note is a single line.
    """
    members = {"contact", "purpose_note", "business_ref", "salt"}
    texts = all(isinstance(value, str) for value in note.values())
    whole = note.keys() == members and texts and note["contact"]
    if not whole or len(text := canonical(dict(note))) > MAX_NOTE_BYTES:
        raise InvalidInput(
            "NOTE_INVALID",
            "A note must have the members contact, purpose_note, business_ref and salt, all of them texts. As JSON, "
            f"the note may have at most {MAX_NOTE_BYTES} bytes.",
            where=where,
            hint="Send the note as it was drafted. A contact is required.",
        )
    for name in ("contact", "purpose_note"):
        require_line(note[name], f"{where}: {name}")
    if _digest(text) != entry["note_digest"]:
        raise InvalidInput("NOTE_DIFFERS", "The signed digest is not the digest of this note.", where=where)
    return text


def note_of(session: Session, sealer: Sealer, row: AccessRequest) -> dict[str, str]:
    """Return the decrypted note of a request."""
    return sealer.open_object(session, row.sealed_id)
