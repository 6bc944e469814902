"""What came of a call of the role matrix: it was done, or refused for lack of a right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.api.stage import Stage

# A right that is missing, by whichever check found it.
REFUSALS = {
    "SESSION_MISSING",
    "ASSET_SELF_REVIEW",
    "MANDATE_MISSING",
    "NOT_A_MEMBER",
    "NOT_PUBLISHED_TO_YOU",
    "NOT_THE_CDO",
    "NOT_THE_PARTY",
    "NOT_THE_PROVIDER",
    "NOT_THE_REQUESTER",
    # The hold is another office's.
    "LOG_NOT_HELD",
    "PARTY_NO_VETO",
    "PARTY_OFFICE_BY_AUTHORITY",
    "PARTY_OWN_PROPOSAL",
    "PARTY_SELF_GRANT",
    "PROVIDER_NOT_AUTHORIZED",
    "PARTY_LACKS_ROLE",
    # Made to another party.
    "PRESENTATION_UNKNOWN",
    # Not an error but a verdict: the party is shown nothing.
    "not_party",
}


@dataclass(frozen=True)
class Outcome:
    """Whether a call did what it is for, or the code of its refusal."""

    done: bool
    code: str = ""

    @classmethod
    def of(cls, answer: Any) -> Outcome:
        if answer.status_code < 300:
            return cls(True)
        assert answer.status_code in (401, 403, 404, 409), answer.text
        return cls(False, answer.json()["code"])


Act = Callable[[Stage, str, bool], list[Outcome]]
Word = Callable[[Stage, str], list[Outcome]]


@dataclass(frozen=True)
class Row:
    """``does`` is the row's call, on an own record or another's. ``open`` are words that are for everyone anyway.

    ``own``: what ✓ allows is one's own record too.
    """

    does: Act
    words: Mapping[str, Word] = field(default_factory=dict)
    open: frozenset[str] = frozenset()
    own: bool = False


def told(*answers: Any) -> list[Outcome]:
    return [Outcome.of(answer) for answer in answers]


def shown(answer: Any) -> list[Outcome]:
    """Whether the report is of a valid certificate, and so shows what it discloses."""
    if answer.status_code >= 300:
        return told(answer)
    report = answer.json()
    assert bool(report["disclosed"]) == report["valid"]
    return [Outcome(report["valid"], report["result"])]
