"""Reasons by name: why a status was changed (numbers on the chain, protocol §3), why a provider does not supply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ledger.domain.definitions.reader import Bilingual

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

# Why a provider does not supply what was authorised: a closed table, signed into a provision.
REFUSALS: Final[Mapping[str, Bilingual]] = {
    "out_of_scope": Bilingual("超出提供范围", "Outside what the provider supplies"),
    "under_correction": Bilingual("数据更正中", "The record is being corrected"),
    "disputed": Bilingual("数据有争议", "The record is disputed"),
    "restricted": Bilingual("依法限制提供", "Restricted by law or by order"),
    "basis_missing": Bilingual("缺少提供依据", "No legal basis for supplying"),
    "data_unusable": Bilingual("数据有误，无法提供", "The record cannot be used as it stands"),
    "source_unavailable": Bilingual("数据源暂不可用", "The source cannot be reached at present"),
}


def reason_name(number: int) -> str:
    """The reason's name; a number of a later version is told as it is."""
    return REASONS[number] if number < len(REASONS) else f"reason_{number}"
