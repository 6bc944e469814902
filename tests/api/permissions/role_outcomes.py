"""Classifies the response to a call of the role matrix: done, or refused because a permission is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.api.stage import Stage

# A call with one of these error codes was refused because the caller lacks a permission.
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
    # No party with the caller's role has placed a hold, so the caller has nothing to lift.
    "LOG_NOT_HELD",
    "PARTY_NO_VETO",
    "PARTY_OFFICE_BY_AUTHORITY",
    "PARTY_OWN_PROPOSAL",
    "PARTY_SELF_GRANT",
    "PROVIDER_NOT_AUTHORIZED",
    "PARTY_LACKS_ROLE",
    # The presentation was made to a party other than the caller.
    "PRESENTATION_UNKNOWN",
    # Not an error code: the verification succeeds, but its report discloses nothing.
    "not_party",
}


@dataclass(frozen=True)
class Outcome:
    """Says whether a call succeeded; if not, ``code`` is the error code of the refusal."""

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
    """A row of the role matrix. ``does`` makes the row's call, on a record of the caller or of another party.

    ``words`` maps special words of a cell to the call that each word allows. Every caller may make the calls of the
    words in ``open``. If ``own`` is true, a ✓ allows the call only on the caller's own records.
    """

    does: Act
    words: Mapping[str, Word] = field(default_factory=dict)
    open: frozenset[str] = frozenset()
    own: bool = False


def outcomes_of(*answers: Any) -> list[Outcome]:
    return [Outcome.of(answer) for answer in answers]


def shown(answer: Any) -> list[Outcome]:
    """Return the outcome of a verification: done if the report says valid. Fail if the report of an invalid certificate
    discloses claims.
    """
    if answer.status_code >= 300:
        return outcomes_of(answer)
    report = answer.json()
    assert bool(report["disclosed"]) == report["valid"]
    return [Outcome(report["valid"], report["result"])]
