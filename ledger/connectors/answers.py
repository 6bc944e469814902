"""What a provider's source is asked, and what it answers: an answer is a value, also when there is nothing to give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Protocol

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Query:
    """A question about one subject, asked ``at`` (seconds UTC).

    ``subject`` holds its attributes by name, ``columns`` are the scenario's columns that the rules need, ``name`` says
    whether a claim is the subject's name. The attributes stay out of the representation: they identify a person.
    """

    subject: Mapping[str, str] = field(repr=False)
    scenario: str
    source: str
    columns: tuple[str, ...]
    at: int
    name: bool = False


@dataclass(frozen=True, slots=True)
class Supplied:
    """The subject's rows, each with exactly the columns asked for, sorted by their cells: two queries of one state of a
    source give the same rows, wherever it keeps them. ``name`` is the subject's, if the question wants it. Both stay
    out of the representation. ``places`` says where each row stands in the source, for errors: ``bills.csv, line 5``.
    """

    result: ClassVar = "supplied"

    rows: tuple[Row, ...] = field(repr=False)
    as_of: date
    queried_at: int
    name: str | None = field(default=None, repr=False)
    places: tuple[str, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class NoData:
    """The source was read and has no row of this subject."""

    result: ClassVar = "no_data"

    queried_at: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The source does not supply; ``reason`` is one of ``ledger.domain.reasons.REFUSALS``.

    ``where`` is for the provider's operator: a file, a line, a column, an error's type; never a value, and not signed.
    """

    result: ClassVar = "refused"

    reason: str
    queried_at: int
    where: str = ""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The source gave no answer in its time."""

    result: ClassVar = "timed_out"

    queried_at: int


Answer = Supplied | NoData | Refused | TimedOut


class Connector(Protocol):
    """One source of one provider."""

    def ask(self, query: Query) -> Answer:
        """The source's answer.

        Raises ``Misconfigured`` ``SOURCE_…`` or ``CSV_…`` when somebody has to mend the source or its definition first;
        for nothing else.
        """
