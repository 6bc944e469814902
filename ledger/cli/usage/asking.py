"""Asking every subject of a list: whom each row names, and which requests came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger.cli.shell.naming import party_of
from ledger.connectors.tables import Listed
from ledger.errors import InvalidInput, PingzhengError
from ledger.proof.jws import Signer, sign_entry

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.usage.request_notes import Note
    from ledger.usage.request_terms import Terms
    from ledger.usage.requests import Asked

SUBJECT_COLUMNS: Final = ("party", "subject", "uscc", "identifier", "name")


@dataclass(frozen=True, slots=True)
class Question:
    """What every subject is asked; ``sources`` are provider ids by source, times seconds UTC."""

    scenario: str
    consumer: str
    sources: Mapping[str, str]
    until: int
    answer_until: int
    note: Note
    pia: str | None


def ask_all(ledger: Ledger, question: Question, file: str, listed: Listed, signer: Signer) -> list[dict[str, Any]]:
    """Ask them, all or none; whom the consumer has asked already, and who can still answer, is not asked again.

    Returns each line's request. Raises as ``Requests.draft`` and ``submit``, and ``InvalidInput`` ``SUBJECT_MISSING``;
    errors name the line.
    """
    from ledger.usage.requests import Asked

    lines = listed.lines
    subjects = [_subject_in(ledger, row, f"{file}, line {line}") for line, row in zip(lines, listed.rows, strict=True)]
    before = ledger.usage.requests.open_of(question.consumer, question.scenario)
    signed: dict[str, Asked] = {}
    for line, subject in zip(lines, subjects, strict=True):
        if subject not in before and subject not in signed:
            with _in_line(f"{file}, line {line}"):
                drafted = ledger.usage.requests.draft(_terms(ledger, question, subject), question.note)
            signed[subject] = Asked(sign_entry(drafted.entry, signer), drafted.note)
    made = {row.subject: row.id for row in ledger.usage.requests.submit(list(signed.values()))}
    institutions = ledger.parties.directory.of(subjects)
    return [
        {
            "line": line,
            "request": made.get(subject) or before[subject],
            "name": institutions[subject].name if subject in institutions else None,
            "uscc": institutions[subject].uscc if subject in institutions else None,
            "subject": subject,
            "asked_before": subject in before,
        }
        for line, subject in zip(lines, subjects, strict=True)
    ]


def _terms(ledger: Ledger, question: Question, subject: str) -> Terms:
    from ledger.usage.request_terms import Terms

    fields = ledger.scenarios.get(question.scenario).fields
    return Terms(
        scenario=question.scenario,
        subject=subject,
        consumer=question.consumer,
        sources=question.sources,
        fields=tuple(field.name for field in fields if field.source in question.sources),
        valid_from=ledger.clock(),
        valid_to=question.until,
        max_uses=1,
        channel="government_platform",
        expires_at=question.answer_until,
        pia_digest=question.pia,
    )


def _subject_in(ledger: Ledger, row: Mapping[str, str], where: str) -> str:
    """Whom a row names, by the first of the columns that it fills in."""
    with _in_line(where):
        for column in SUBJECT_COLUMNS:
            if text := row.get(column, "").strip():
                return ledger.parties.register.get(party_of(ledger, text)).id
        raise InvalidInput(
            "SUBJECT_MISSING",
            "The row names no subject.",
            hint=f"Fill in one of the columns: {', '.join(SUBJECT_COLUMNS)}.",
        )


@contextmanager
def _in_line(where: str) -> Iterator[None]:
    """Errors name the line."""
    try:
        yield
    except PingzhengError as error:
        error.where = where
        raise
