"""Sends a request to every subject in a list, and prints for each line of the list which request was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from ledger.cli.shell.naming import party_of
from ledger.cli.shell.output import progress
from ledger.connectors.tables import Listed
from ledger.errors import InvalidInput, PingzhengError
from ledger.proof.jws import Signer, sign_entry

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.parties.roles import Actor
    from ledger.usage.request_notes import Note
    from ledger.usage.request_terms import Terms
    from ledger.usage.requests import Asked

# The number of requests in one write transaction. Between two transactions, other processes can write.
_PART: Final = 100
SUBJECT_COLUMNS: Final = ("party", "subject", "uscc", "identifier", "name")


def ask_all(
    ledger: Ledger, actor: Actor, terms: Terms, note: Note, file: str, listed: Listed, signer: Signer
) -> list[dict[str, Any]]:
    """Send a request with the same terms to every subject in the list. Return the request for each line.

    All lines are checked before the first request is recorded; the requests are then recorded in parts. If a subject
    can still answer an earlier request of the consumer, no new request is sent to that subject. So a second run
    continues an interrupted run. Raises the errors of ``ConsumerActs.draft`` and ``ask``, and ``InvalidInput``
    ``SUBJECT_MISSING``; errors name the line.
    """
    from ledger.usage.requests import Asked

    lines = listed.lines
    subjects = [_subject_in(ledger, row, f"{file}, line {line}") for line, row in zip(lines, listed.rows, strict=True)]
    before = ledger.usage.requests.open_of(terms.consumer, terms.scenario)
    signed: dict[str, Asked] = {}
    made: dict[str, str] = {}
    with progress() as bars:
        task = bars.add_task("签名 sign", total=len(lines))
        for line, subject in zip(lines, subjects, strict=True):
            if subject not in before and subject not in signed:
                with _in_line(f"{file}, line {line}"):
                    drafted = ledger.usage.consumer_acts.draft(actor, replace(terms, subject=subject), note)
                signed[subject] = Asked(sign_entry(drafted.entry, signer), drafted.note)
            bars.advance(task)
        task = bars.add_task("记录 record", total=len(signed))
        left = iter(signed.values())
        while part := list(islice(left, _PART)):
            made |= {row.subject: row.id for row in ledger.usage.consumer_acts.ask(actor, part)}
            bars.advance(task, len(part))
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


def _subject_in(ledger: Ledger, row: Mapping[str, str], where: str) -> str:
    """Return the party id of the subject in a row. The first column that has a value names the subject."""
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
    """If the block raises an error, set the line as the error's place."""
    try:
        yield
    except PingzhengError as error:
        error.where = where
        raise
