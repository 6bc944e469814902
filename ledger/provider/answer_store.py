"""What a provider keeps of its answers: those that it signed and has not handed in yet, the salts that an auditor
needs, and which party id it answered for which identifier.
"""

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
    """A signed answer with what the records keep of it: the subject's opening, the salt of the rows' digest."""

    supply: Supply
    authorization: str
    opening: Opening = field(repr=False)
    payload_salt: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Changed:
    """A party id that waits for the provider's clerk: it came for an identifier that another id, ``known``, had.

    ``known`` is ``None`` if that one was erased. ``identifier`` is for the clerk alone.
    """

    party: str
    known: str | None
    identifier: str = field(repr=False)
    since: int


class AnswerStore:
    """The answers that are kept in ``folder``; each call is one transaction. Safe for several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = AnswerFile(folder / "records.db")
        self._digests = SubjectDigests(folder / "records.key")

    def known(self, tasks: Sequence[Task], at: int) -> list[Supply | PingzhengError | None]:
        """What the records say of each task before its source is asked: nothing, or one of these.

        - the answer that waits for the same authorization already;
        - ``InvalidInput`` ``LEDGER_DIFFERS``, ``Misconfigured`` ``RECORDS_OF_ANOTHER``: the first answer that was kept
          decides whose records these are;
        - ``Conflict`` ``SUBJECT_CHANGED``: another party id was answered for this identifier. The new one waits for the
          clerk (``changed``);
        - ``Conflict`` ``ALREADY_SUPPLIED``, ``CORRECTION_UNKNOWN``: the answer would not correct exactly what was
          supplied here last.
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
        """Keep signed answers before they are sent: what is to be sent for each, or what ``known`` says against it.

        An answer that waits for the same authorization already is the one to send.
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
                "These records are another provider's.",
                where=str(self._folder),
                hint="Give each provider a folder of its own: --records.",
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
            "Another party id was answered for this identifier before.",
            where=f"party {opening.party}",
            hint="Ask the subject which id is its own, then: pingzheng provision confirm.",
            known=row[0],
        )

    def waiting(self, limit: int = -1) -> list[Supply]:
        """Answers that the platform has not acknowledged, the earliest first."""
        query = f"SELECT {_SENT} FROM answer WHERE state = 'waiting' ORDER BY at, rowid LIMIT ?"  # noqa: S608
        with self._read() as database:
            return [_supply(row) for row in database.execute(query, (limit,))]

    def received(self, digests: Iterable[str]) -> int:
        """The platform has these answers: their disclosures are destroyed; returns how many waited."""
        return self._settle("received", [(digest, None) for digest in digests])

    def refused(self, codes: Iterable[tuple[str, str]]) -> int:
        """The platform refuses these answers for good, by digest and code: as ``received``."""
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
        """A signed provision and the salt of its rows' digest, for an auditor; the salt is gone once it was erased.

        Raises ``NotFound`` ``PROVISION_UNKNOWN``.
        """
        with self._read() as database:
            row = database.execute("SELECT entry, salt FROM answer WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            raise NotFound(
                "PROVISION_UNKNOWN",
                "These records have no such provision.",
                where=f"provision {digest}",
                hint="Use the folder of records that it was signed with.",
            )
        return json.loads(row[0]), row[1]

    def changed(self) -> list[Changed]:
        """The party ids that wait for the clerk, the earliest first."""
        query = (
            "SELECT changed.party, subject.party, changed.identifier, changed.at"
            " FROM changed JOIN subject ON subject.mark = changed.mark ORDER BY changed.at"
        )
        with self._read() as database:
            return [Changed(*row) for row in database.execute(query)]

    def confirm(self, party: str) -> None:
        """The clerk has made sure that this id is the subject's: it takes the place of the one before.

        Raises ``NotFound`` ``PARTY_NOT_WAITING``.
        """
        with self._write() as database:
            row = database.execute("SELECT mark FROM changed WHERE party = ?", (party,)).fetchone()
            if row is None:
                raise NotFound(
                    "PARTY_NOT_WAITING",
                    "No such party id waits to be confirmed.",
                    where="party",
                    hint="pingzheng provision confirm lists those that do.",
                )
            database.execute("UPDATE subject SET party = ? WHERE mark = ?", (party, row[0]))
            database.execute("DELETE FROM changed WHERE mark = ?", row)

    def erase(self, notices: Iterable[Entry]) -> int:
        """Obey erasures (entries of the log): destroy disclosures and salts, and the opening of whom nothing is left.

        What stays of a subject is the keyed digest of its identifier. Returns how many answers were touched. Raises
        ``InvalidInput`` ``LEDGER_DIFFERS`` for an erasure of another ledger, and obeys none then.
        """
        with self._write() as database:
            return sum(_erase(database, self._own(database, notice)) for notice in notices)

    def _own(self, database: sqlite3.Connection, notice: Entry) -> Entry:
        row = database.execute("SELECT value FROM about WHERE name = 'ledger'").fetchone()
        if row is not None and row[0] != notice["ledger"]:
            raise _other_ledger("erasure", row[0], notice["ledger"])
        return notice

    def seen(self, name: str, after: str | None = None) -> str | None:
        """How far a list of the platform was read; with ``after`` it is noted anew."""
        with self._write() as database:
            if after is not None:
                database.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (name, after))
            row = database.execute("SELECT after FROM seen WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._file.open() as database:
            database.execute("BEGIN IMMEDIATE")
            # A transaction that breaks off is rolled back when its connection closes.
            self._digests.require(database)
            yield database
            database.execute("COMMIT")

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._file.open() as database:
            yield database


def _waiting(database: sqlite3.Connection, authorization: str) -> Supply | None:
    query = f"SELECT {_SENT} FROM answer WHERE authorization = ? AND state = 'waiting'"  # noqa: S608 - a constant
    row = database.execute(query, (authorization,)).fetchone()
    return None if row is None else _supply(row)


def _other_ledger(what: str, known: str, found: str) -> InvalidInput:
    return InvalidInput(
        "LEDGER_DIFFERS",
        f"The {what} is of another ledger than what was answered before.",
        where="ledger",
        hint="Use a folder of records for each ledger.",
        expected=known,
        found=found,
    )


def _out_of_turn(database: sqlite3.Connection, task: Task) -> Conflict | None:
    """Under one authorization a provider supplies once, and then corrects its own newest answer, nothing else.

    Else the platform could collect several answers that all verify, and use the one that it likes.
    """
    query = "SELECT digest FROM answer WHERE authorization = ? AND result = 'supplied' ORDER BY rowid DESC LIMIT 1"
    newest = database.execute(query, (task.digest,)).fetchone()
    if task.corrects == (None if newest is None else reference(newest[0])):
        return None
    where = f"authorization {task.authorization['id']}"
    if task.corrects is None:
        return Conflict(
            "ALREADY_SUPPLIED",
            "The provider has supplied under this authorization before.",
            where=where,
            hint="A task that corrects names what was supplied in `corrects`.",
        )
    return Conflict(
        "CORRECTION_UNKNOWN",
        "What is to be corrected is not the newest answer that these records have.",
        where=where,
        hint="Use the folder of records that it was signed with.",
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
        "UPDATE answer SET disclosures = '[]', withdrawal = NULL, salt = NULL,"  # noqa: S608 - marks alone
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
