"""Queries to a provider's source, and the source's answers. "No data" and "refused" are answers and not errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Protocol

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Query:
    """A question about one subject, asked at the time ``at`` (seconds UTC).

    ``subject`` maps the names of attributes to the subject's values; the values are left out of ``repr()``, because
    they identify a person. ``columns`` are those columns of the scenario that the rules read. ``name`` is true if one
    of the claims is the subject's name.
    """

    subject: Mapping[str, str] = field(repr=False)
    scenario: str
    source: str
    columns: tuple[str, ...]
    at: int
    name: bool = False


@dataclass(frozen=True, slots=True)
class Supplied:
    """The answer that contains the subject's rows. Each row has exactly the requested columns.

    The rows are sorted by their cells, so that every kind of source returns the same data in the same order. ``name``
    is the subject's name, if the query asks for it. Rows and name are left out of ``repr()``. ``places`` says, for
    error messages, where in the source each row is, such as ``bills.csv, line 5``.
    """

    result: ClassVar = "supplied"

    rows: tuple[Row, ...] = field(repr=False)
    as_of: date
    queried_at: int
    name: str | None = field(default=None, repr=False)
    places: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def of(cls, query: Query, rows: Iterable[tuple[Sequence[str], str]], as_of: date, name: str | None) -> Supplied:
        """Return the answer that contains these rows.

        Each row is given as a pair: its cells, in the order of the query's columns, and its place in the source.
        """
        ordered = sorted(rows)
        return cls(
            tuple(dict(zip(query.columns, cells, strict=True)) for cells, _ in ordered),
            as_of,
            query.at,
            name,
            tuple(place for _, place in ordered),
        )


@dataclass(frozen=True, slots=True)
class NoData:
    """This answer says that the source was read and has no row of this subject."""

    result: ClassVar = "no_data"

    queried_at: int


@dataclass(frozen=True, slots=True)
class Refused:
    """This answer says that the source refuses to supply data; ``reason`` is one of ``ledger.domain.reasons.REFUSALS``.

    ``where`` is for the provider's operator: a file, line, column or error type, never a value. ``where`` is not part
    of the signed answer.
    """

    result: ClassVar = "refused"

    reason: str
    queried_at: int
    where: str = ""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """This outcome says that the source did not answer within its time limit."""

    result: ClassVar = "timed_out"

    queried_at: int


Answer = Supplied | NoData | Refused | TimedOut


class Connector(Protocol):
    """The interface to one source of one provider."""

    def ask(self, query: Query) -> Answer:
        """Return the source's answer.

        Raises ``Misconfigured`` ``SOURCE_…`` or ``CSV_…`` if the operator must first correct the source or its
        definition. Raises no other error.
        """
