"""The filter for holdings (归集) selects certificates."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from ledger.errors import InvalidInput
from ledger.proof.checks.classes import CERTIFICATE_CLASSES

PARTS: Final = ("subject", "consumer", "provider", "issuer")
CLASSES: Final = tuple(CERTIFICATE_CLASSES)
# The possible states of a certificate, in order: the first state that applies is the certificate's state. ``annulled``
# and ``cancelled`` mean that the registration was annulled or cancelled. ``building`` means not anchored yet.
STATES: Final = (
    "building",
    "revoked",
    "superseded",
    "annulled",
    "cancelled",
    "suspended",
    "expired",
    "used_up",
    "active",
)
_ID: Final = re.compile(r"[0-9a-f]{64}")
_SCENARIO: Final = re.compile(r"S\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class HoldingsFilter:
    """Selects certificates; a member that is None selects all. Times are in seconds UTC.

    ``party`` takes part in the certificate in the role ``part``, or in any role if ``part`` is None. ``provider``
    supplied data that the certificate rests on. The certificate was issued at ``issued_from`` or later but before
    ``issued_to``, and expires at ``expires_before`` or earlier. Raises ``InvalidInput`` ``FILTER_INVALID``, which names
    the member.
    """

    party: str | None = None
    part: str | None = None
    scenario: str | None = None
    cls: str | None = None
    state: str | None = None
    provider: str | None = None
    issued_from: int | None = None
    issued_to: int | None = None
    expires_before: int | None = None

    def __post_init__(self) -> None:
        for where, value in (("party", self.party), ("provider", self.provider)):
            if value is not None and not _ID.fullmatch(value):
                raise _unfit(where, "A party id must have 64 hex digits.")
        if self.scenario is not None and not _SCENARIO.fullmatch(self.scenario):
            raise _unfit("scenario", "A scenario code looks like S51.")
        _require_one("part", self.part, PARTS)
        _require_one("class", self.cls, CLASSES)
        _require_one("state", self.state, STATES)
        if self.part is not None and self.party is None:
            raise _unfit("part", "A part can be given only with a party.")


def _require_one(where: str, value: str | None, choices: Collection[str]) -> None:
    if value is not None and value not in choices:
        raise _unfit(where, f"The value must be one of: {', '.join(choices)}.")


def _unfit(where: str, message: str) -> InvalidInput:
    return InvalidInput("FILTER_INVALID", message, where=where, hint="Correct the value, or leave it out.")
