# SPDX-License-Identifier: Apache-2.0
"""Codes of reasons (protocol §3), the reasons for which a provider may refuse, and checks of reasons that people
write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ledger.domain.definitions.reader import Bilingual
from ledger.errors import InvalidInput

# The names of reasons. A reason's number on the chain is its place in this list, from 0.
REASONS: Final = (
    "none",
    "consent_withdrawn",
    "data_error",
    "expired_basis",
    "court",
    "sanction",
    "key_compromise",
    "fraud",
    "superseded",
    "investigation",
    "lifted",
)

# The reasons for which a provider may refuse to supply data although the subject has authorised this. The provider
# signs the reason's code in its provision.
REFUSALS: Final[Mapping[str, Bilingual]] = {
    "out_of_scope": Bilingual("超出提供范围", "Outside what the provider supplies"),
    "under_correction": Bilingual("数据更正中", "The record is being corrected"),
    "disputed": Bilingual("数据有争议", "The record is disputed"),
    "restricted": Bilingual("依法限制提供", "Restricted by law or by order"),
    "basis_missing": Bilingual("缺少提供依据", "No legal basis for supplying"),
    "data_unusable": Bilingual("数据有误，无法提供", "The record contains errors and cannot be supplied"),
    "source_unavailable": Bilingual("数据源暂不可用", "The source cannot be reached at present"),
}

# The maximum lengths of a reason and of grounds, in characters. A reason is stored as plain text. Grounds may be
# longer, because their text is stored encrypted and only their digest is on the chain.
MAX_REASON: Final = 400
MAX_GROUNDS: Final = 4_000


def reason_name(number: int) -> str:
    """Return the reason's name. A number that only a later version knows is named ``reason_<number>``."""
    return REASONS[number] if number < len(REASONS) else f"reason_{number}"


def checked_reason(reason: str) -> str:
    """Return the reason. Raises ``InvalidInput`` ``REASON_MISSING`` if the reason is blank or too long."""
    if not reason.strip() or len(reason) > MAX_REASON:
        raise InvalidInput("REASON_MISSING", f"Give a reason of 1 to {MAX_REASON} characters.", where="reason")
    return reason


def checked_grounds(grounds: str) -> str:
    """Return the grounds. Raises ``InvalidInput`` ``REASON_LENGTH`` if they are blank or too long."""
    if not 1 <= len(grounds.strip()) <= MAX_GROUNDS:
        raise InvalidInput("REASON_LENGTH", f"Give reasons of 1 to {MAX_GROUNDS:,} characters.", where="reason")
    return grounds
