"""A provider's records: signed answers, salts for an auditor, and the party id of each identifier."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.domain.digests import hex_of, reference
from ledger.errors import Conflict, InvalidInput, Misconfigured, NotFound, PingzhengError
from ledger.provider.answer_file import AnswerFile
from ledger.provider.subject_digests import SubjectDigests
from ledger.provider.supply import Supply
from ledger.provider.task import Entry, Opening, Task

_SENT: Final = "entry, disclosures, withdrawal, withdrawn"


@dataclass(frozen=True, slots=True)
class Kept:
    """A signed answer to store, with the values from which the subject's party id is computed (``opening``), and the
    salt of the rows' digest."""

    supply: Supply
    authorization: str
    opening: Opening = field(repr=False)
    payload_salt: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Changed:
    """A new party id that the clerk must confirm, because the identifier already had the party id ``known``.

    ``known`` is ``None`` if the earlier id was erased. Only the clerk may see ``identifier``.
    """

    party: str
    known: str | None
    identifier: str = field(repr=False)
    since: int


class AnswerStore:
    """The records in ``folder``; each call is one transaction. Safe for several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = AnswerFile(folder / "records.db")
        self._digests = SubjectDigests(folder / "records.key")

    def known(self, tasks: Sequence[Task], at: int) -> list[Supply | PingzhengError | None]:
        """Return for each task None if its source must be asked, else one of these outcomes.

        - an answer to the same authorization that was signed earlier and that the platform has not acknowledged yet;
        - ``InvalidInput`` ``LEDGER_DIFFERS``, ``Misconfigured`` ``RECORDS_OF_ANOTHER``: the records belong to another
          ledger or provider (to that of the first stored answer);
        - ``Conflict`` ``SUBJECT_CHANGED``: earlier answers for this identifier had another party id.
          The clerk must confirm the new id (``changed``);
        - ``Conflict`` ``ALREADY_SUPPLIED``, ``CORRECTION_UNKNOWN``: the authorization is answered already, and the task
          does not correct the newest supplied answer in these records.
        """
        with self._write() as database:
            return [
                self._foreign(database, task.chain.ledger, task.authorization["provider"])
                or _waiting(database, task.digest)
                or self._changed(database, task.opening, at)
                or _out_of_turn(database, task)
                for task in tasks
            ]

    def keep(self, answers: Sequence[Kept], at: int) -> list[Supply | PingzhengError]:
        """Store signed answers before they are sent. Return for each answer what must be sent, or an error that
        ``known`` can return.

        If an earlier answer to the same authorization waits to be sent, the earlier answer is returned.
        """
        with self._write() as database:
            return [self._keep(database, answer, at) for answer in answers]

    def _keep(self, database: sqlite3.Connection, answer: Kept, at: int) -> Supply | PingzhengError:
        opening, supply = answer.opening, answer.supply
        ledger, provider = supply.entry["ledger"], supply.entry["provider"]
        before = (
            self._foreign(database, ledger, provider)
            or _waiting(database, answer.authorization)
            or self._changed(database, opening, at)
        )
        if before:
            return before
        database.executemany("INSERT OR IGNORE INTO about VALUES (?, ?)", (("ledger", ledger), ("provider", provider)))
        mark = self._digests.of(opening.identifier)
        database.execute("INSERT OR IGNORE INTO subject VALUES (?, ?)", (mark, opening.party))
        database.execute(
            "INSERT OR IGNORE INTO opening VALUES (?, ?, ?, ?)",
            (opening.party, opening.kind.value, opening.identifier, opening.key),
        )
        written = supply.to_dict()
        database.execute(
            "INSERT INTO answer VALUES (?, ?, ?, ?, 'waiting', NULL, ?, ?, ?, ?, ?, ?)",
            (
                supply.digest,
                answer.authorization,
                opening.party,
                supply.entry["result"],
                json.dumps(supply.entry, ensure_ascii=False),
                json.dumps(written["disclosures"]),
                written["withdrawal"],
                None if supply.withdrawn is None else json.dumps(supply.withdrawn),
                answer.payload_salt,
                at,
            ),
        )
        return supply

    def _foreign(self, database: sqlite3.Connection, ledger: str, provider: str) -> PingzhengError | None:
        known = dict(database.execute("SELECT name, value FROM about").fetchall())
        if known.get("ledger", ledger) != ledger:
            return _other_ledger("task", known["ledger"], ledger)
        if known.get("provider", provider) != provider:
            return Misconfigured(
                "RECORDS_OF_ANOTHER",
                "These records belong to another provider.",
                where=str(self._folder),
                hint="Give each provider a records folder of its own with --records.",
            )
        return None

    def _changed(self, database: sqlite3.Connection, opening: Opening, at: int) -> Conflict | None:
        mark = self._digests.of(opening.identifier)
        row = database.execute("SELECT party FROM subject WHERE mark = ?", (mark,)).fetchone()
        if row is None or row[0] == opening.party:
            return None
        database.execute(
            "INSERT OR IGNORE INTO changed VALUES (?, ?, ?, ?)", (opening.party, mark, opening.identifier, at)
        )
        return Conflict(
            "SUBJECT_CHANGED",
            "Earlier answers for this identifier were given for another party id.",
            where=f"party {opening.party}",
            hint="Ask the subject which party id is right, then run: pingzheng provision confirm.",
            known=row[0],
        )

    def waiting(self, limit: int = -1) -> list[Supply]:
        """Return the answers that the platform has not acknowledged, oldest first."""
        query = f"SELECT {_SENT} FROM answer WHERE state = 'waiting' ORDER BY at, rowid LIMIT ?"  # noqa: S608
        with self._file.open() as database:
            return [_supply(row) for row in database.execute(query, (limit,))]

    def received(self, digests: Iterable[str]) -> int:
        """Record that the platform has received these answers, and delete their disclosures. Return how many of these
        answers were waiting.
        """
        return self._settle("received", [(digest, None) for digest in digests])

    def refused(self, codes: Iterable[tuple[str, str]]) -> int:
        """Record that the platform has finally refused these answers (digest and code), and delete their disclosures.

        Return how many of these answers were waiting.
        """
        return self._settle("refused", list(codes))

    def _settle(self, state: str, answers: Sequence[tuple[str, str | None]]) -> int:
        with self._write() as database:
            return sum(
                database.execute(
                    "UPDATE answer SET state = ?, code = ?, disclosures = '[]', withdrawal = NULL, withdrawn = NULL"
                    " WHERE digest = ? AND state = 'waiting'",
                    (state, code, digest),
                ).rowcount
                for digest, code in answers
            )

    def evidence(self, digest: str) -> tuple[Entry, str | None]:
        """Return a signed provision and, for an auditor, the salt of its rows' digest; the salt is None after an
        erasure.

        Raises ``NotFound`` ``PROVISION_UNKNOWN``.
        """
        with self._file.open() as database:
            row = database.execute("SELECT entry, salt FROM answer WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            raise NotFound(
                "PROVISION_UNKNOWN",
                "These records do not contain this provision.",
                where=f"provision {digest}",
                hint="Use the records folder that was used when the provision was signed.",
            )
        return json.loads(row[0]), row[1]

    def changed(self) -> list[Changed]:
        """Return the party ids that the clerk must confirm, oldest first."""
        query = (
            "SELECT changed.party, subject.party, changed.identifier, changed.at"
            " FROM changed JOIN subject ON subject.mark = changed.mark ORDER BY changed.at"
        )
        with self._file.open() as database:
            return [Changed(*row) for row in database.execute(query)]

    def confirm(self, party: str) -> None:
        """Replace the subject's earlier party id by this party id, which the clerk has checked.

        Raises ``NotFound`` ``PARTY_NOT_WAITING``.
        """
        with self._write() as database:
            row = database.execute("SELECT mark FROM changed WHERE party = ?", (party,)).fetchone()
            if row is None:
                raise NotFound(
                    "PARTY_NOT_WAITING",
                    "This party id does not wait for confirmation.",
                    where="party",
                    hint="List the waiting ids with `pingzheng provision confirm`.",
                )
            database.execute("UPDATE subject SET party = ? WHERE mark = ?", (party, row[0]))
            database.execute("DELETE FROM changed WHERE mark = ?", row)

    def erase(self, notices: Iterable[Entry]) -> int:
        """Carry out erasures (log entries): destroy the disclosures and salts, and the identifiers of subjects that no
        answer needs any more.

        Of a subject's identifier only the keyed digest remains. Returns how many answers changed. If an erasure belongs
        to another ledger, raises ``InvalidInput`` ``LEDGER_DIFFERS`` and erases nothing.
        """
        with self._write() as database:
            return sum(_erase(database, self._own(database, notice)) for notice in notices)

    def _own(self, database: sqlite3.Connection, notice: Entry) -> Entry:
        row = database.execute("SELECT value FROM about WHERE name = 'ledger'").fetchone()
        if row is not None and row[0] != notice["ledger"]:
            raise _other_ledger("erasure", row[0], notice["ledger"])
        return notice

    def seen(self, name: str, after: str | None = None) -> str | None:
        """Return the position up to which a list of the platform was read; if ``after`` is given, first store ``after``
        as this position.
        """
        with self._write() as database:
            if after is not None:
                database.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (name, after))
            row = database.execute("SELECT after FROM seen WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._file.open() as database:
            database.execute("BEGIN IMMEDIATE")
            # If an exception interrupts the transaction, closing the connection undoes the transaction.
            self._digests.require(database)
            yield database
            database.execute("COMMIT")


def _waiting(database: sqlite3.Connection, authorization: str) -> Supply | None:
    query = f"SELECT {_SENT} FROM answer WHERE authorization = ? AND state = 'waiting'"  # noqa: S608 - a constant
    row = database.execute(query, (authorization,)).fetchone()
    return None if row is None else _supply(row)


def _other_ledger(what: str, known: str, found: str) -> InvalidInput:
    return InvalidInput(
        "LEDGER_DIFFERS",
        f"The {what} belongs to another ledger than the earlier answers.",
        where="ledger",
        hint="Use a separate records folder for each ledger.",
        expected=known,
        found=found,
    )


def _out_of_turn(database: sqlite3.Connection, task: Task) -> Conflict | None:
    """Return an error unless the answer is the first answer to its authorization, or corrects the newest answer to this
    authorization.

    Without this rule, the platform could collect several valid answers and choose the one that it likes.
    """
    query = "SELECT digest FROM answer WHERE authorization = ? AND result = 'supplied' ORDER BY rowid DESC LIMIT 1"
    newest = database.execute(query, (task.digest,)).fetchone()
    if task.corrects == (None if newest is None else reference(newest[0])):
        return None
    where = f"authorization {task.authorization['id']}"
    if task.corrects is None:
        return Conflict(
            "ALREADY_SUPPLIED",
            "The provider has already supplied data for this authorization.",
            where=where,
            hint="To correct that answer, name it in the task's `corrects`.",
        )
    return Conflict(
        "CORRECTION_UNKNOWN",
        "The answer that the task corrects is not the newest answer in these records.",
        where=where,
        hint="Use the records folder that was used when the answer was signed.",
    )


def _supply(row: tuple[Any, ...]) -> Supply:
    entry, disclosures, withdrawal, withdrawn = row
    return Supply(
        json.loads(entry),
        tuple(json.loads(disclosures)),
        None if withdrawal is None else bytes.fromhex(withdrawal),
        None if withdrawn is None else json.loads(withdrawn),
    )


def _erase(database: sqlite3.Connection, notice: Entry) -> int:
    subject, targets = notice["subject"], [hex_of(each) for each in notice["targets"]]
    named = f" AND ({_in('digest', targets)} OR {_in('authorization', targets)})" if targets else ""
    touched = database.execute(
        "UPDATE answer SET disclosures = '[]', withdrawal = NULL, salt = NULL,"  # noqa: S608 - placeholders only
        f" state = CASE state WHEN 'waiting' THEN 'erased' ELSE state END WHERE party = ?{named}",
        (subject, *targets, *targets),
    ).rowcount
    left = database.execute("SELECT 1 FROM answer WHERE party = ? AND salt IS NOT NULL", (subject,)).fetchone()
    if not targets or left is None:
        database.execute("DELETE FROM opening WHERE party = ?", (subject,))
    if not targets:
        database.execute("UPDATE subject SET party = NULL WHERE party = ?", (subject,))
        database.execute("DELETE FROM changed WHERE party = ?", (subject,))
    return touched


def _in(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join('?' * len(values))})"
