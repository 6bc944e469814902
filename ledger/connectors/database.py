"""A SQL database as a source. The query is one SELECT with one parameter, in a read-only transaction with a
deadline.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, NullPool, TextClause, bindparam, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NotSupportedError, ProgrammingError, SQLAlchemyError

from ledger.connectors.deadline import Deadline, TimeIsUp
from ledger.connectors.keys import KEPT_DIGITS, KeyColumn, Whose, variants
from ledger.connectors.source import DatabasePlace
from ledger.connectors.table import FoundRow, FoundRows, Unusable, Wanted, empty_source, missing_file, places_of
from ledger.errors import Misconfigured

# SQLite's result codes that mean "too late": BUSY, LOCKED, and INTERRUPT, which SQLite returns at the deadline.
_SQLITE_LATE: Final = {5, 6, 9}
# SQLite's result codes for errors that the operator must correct: ERROR (wrong SQL), PERM, READONLY, CANTOPEN, AUTH and
# NOTADB.
_SQLITE_WRONG: Final = {1, 3, 8, 14, 23, 26}
# SQLite's result code TOOBIG: a value or a row is larger than the limit that ``_restrict`` sets.
_SQLITE_LARGE: Final = 18
# PostgreSQL's SQLSTATE codes that mean "too late": query_canceled and lock_not_available.
_STATE_LATE: Final = {"57014", "55P03"}
# Two sets of SQLSTATE classes: errors that the operator must correct (wrong SQL, missing rights, unknown names), and
# errors in the data.
_STATE_WRONG: Final = {"0A", "25", "28", "3D", "3F", "42"}
_STATE_DATA: Final = {"22"}
_LOGGING_NAME: Final = "pingzheng-source"
# The maximum size in bytes of one value, and of one row. Without a limit, a value could fill the memory, because a
# driver always returns a value as a whole. No usable cell is refused: a usable cell has at most 10,000 characters.
MAX_VALUE_BYTES: Final = 1024 * 1024
_ROWS_BUFFERED: Final = 20
# A regular expression for what may follow a condition in SQL.
_CONDITION_ENDS: Final = r"$|[);]|--|(AND|OR|GROUP|ORDER|HAVING|LIMIT|OFFSET|FETCH|UNION|EXCEPT|INTERSECT|WINDOW)\b"


class SqlTable:
    """The table that a query returns.

    The query has one parameter, whose name is ``attribute``. Errors name ``code``, never the database's URL.
    """

    def __init__(
        self, code: str, place: DatabasePlace, attribute: str, folder: Path, environ: Mapping[str, str]
    ) -> None:
        self._code = code
        self._place = place
        self._attribute = attribute
        self._folder = folder
        self._environ = environ
        self._query = text(place.query)
        self._engine: Engine | None = None

    def day(self) -> None:
        return None

    def rows(self, wanted: Wanted, until: Deadline) -> FoundRows:
        problem: Exception
        engine = self._connected(until)
        try:
            with engine.connect() as connection:
                _restrict(connection, until)
                key, some = KeyColumn(wanted, self._code), False
                for row in self._ask(connection, self._query, {self._attribute: wanted.value}, wanted, until, key):
                    some = True
                    yield row
                if not some and key.checked:
                    for row in self._probe(connection, wanted, until, key):
                        some = True
                        yield row
                key.conclude(found=some)
                if not some and self._finds_nobody(connection):
                    raise empty_source(self._code)
            return
        except SQLAlchemyError as error:
            problem = self._translated(error)
        # The error is raised outside the ``except`` block: inside, the driver's exception, whose message may contain a
        # value, would become its context.
        raise problem

    def _ask(
        self,
        connection: Connection,
        query: TextClause,
        parameters: Mapping[str, object],
        wanted: Wanted,
        until: Deadline,
        key: KeyColumn,
        *,
        probing: bool = False,
    ) -> FoundRows:
        _require_bounded(connection, query, parameters)
        result = connection.execution_options(stream_results=True, max_row_buffer=_ROWS_BUFFERED).execute(
            query, parameters
        )
        place, places = places_of(list(result.keys()), wanted, self._code)
        for number, row in enumerate(result, start=1):
            until.check()
            if key.whose(row[place]) is not Whose.SUBJECTS:
                if probing:
                    continue
                raise self._other_subject(wanted)
            yield FoundRow(f"{self._code}, row {number} of the result", [row[place] for place in places])

    def _probe(self, connection: Connection, wanted: Wanted, until: Deadline, key: KeyColumn) -> FoundRows:
        """Yield the subject's rows whose key is damaged or decorated. A query for the exact key does not find these
        rows.

        All forms of the key are sent in one query if the parameter follows an equals sign, as in a usual WHERE clause.
        A damaged form of one key can be the valid key of another subject (440899195001011000 is valid and ends in 000),
        so rows of other subjects are skipped.
        """
        name = self._attribute
        forms: list[object] = [*variants(wanted.value), *_as_numbers(connection, wanted.value)]
        many = re.sub(rf"=\s*:{name}\b", f" IN :{name}", self._place.query)
        query = text(many).bindparams(bindparam(name, expanding=True))
        together = len(re.findall(rf":{name}\b", many)) == len(re.findall(rf"IN :{name}\b", many))
        try:
            if together:
                yield from self._ask(connection, query, {name: forms}, wanted, until, key, probing=True)
                return
            for form in forms:
                yield from self._ask(connection, self._query, {name: form}, wanted, until, key, probing=True)
        except DataError:
            # The key column has another type, such as a number type. No row can contain these texts, so none is
            # yielded.
            return

    def _finds_nobody(self, connection: Connection) -> bool:
        """Return whether the query finds no row for any subject. For example, an import may have left the table empty.

        To find this out, "= parameter" in the query is replaced by IS NOT NULL. This is possible only if the parameter
        follows an equals sign at the end of a condition. For any other query, False is returned.
        """
        name = self._attribute
        theirs = re.compile(rf"(?<![<>!=~])=\s*:{name}\b(?=\s*({_CONDITION_ENDS}))", re.IGNORECASE)
        anybody, times = theirs.subn(" IS NOT NULL", self._place.query)
        if not times or re.search(rf":{name}\b", anybody):
            return False
        exists = f"SELECT CASE WHEN EXISTS (\n{anybody.rstrip().rstrip(';')}\n) THEN 1 ELSE 0 END"
        try:
            return not connection.execute(text(exists)).scalar()
        except SQLAlchemyError as error:
            problem = self._translated(error)
        if isinstance(problem, TimeIsUp):
            raise problem
        # The database does not accept this query inside EXISTS, so it is not known whether a row exists.
        return False

    def _other_subject(self, wanted: Wanted) -> Misconfigured:
        return Misconfigured(
            "SOURCE_OTHER_SUBJECT",
            "查询返回了其他主体的行，所有行均未采用。The query returned a row of another subject; no row was used.",
            where=self._code,
            hint=f"请在 WHERE 中按文本比较主键。Compare {wanted.key_column} with :{self._attribute} in WHERE, as text.",
        )

    def _connected(self, until: Deadline) -> Engine:
        url = self._url()
        if self._engine is None or self._engine.url != url:
            self._engine = self._new_engine(url, until)
        return self._engine

    def _new_engine(self, url: URL, until: Deadline) -> Engine:
        # At level DEBUG the engine would log every row that it fetches.
        logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGING_NAME}").setLevel(logging.WARNING)
        try:
            # Each query opens its own connection, so a connection that was abandoned at the deadline is never used
            # again.
            return create_engine(
                url,
                poolclass=NullPool,
                hide_parameters=True,
                logging_name=_LOGGING_NAME,
                connect_args=_patience(url, until.left()),
            )
        except (ImportError, ArgumentError):
            pass
        raise Misconfigured(
            "SOURCE_DRIVER_MISSING",
            f"没有安装数据库驱动。The database driver for {url.drivername} is not installed.",
            where=self._code,
            hint="请安装驱动，并在数据库地址中写明。"
            "Install the driver and name it in the URL: postgresql+psycopg:// needs psycopg.",
        )

    def _url(self) -> URL:
        name = self._place.url_env
        address = self._place.url if name is None else self._environ.get(name)
        if not address:
            raise Misconfigured(
                "SOURCE_URL_UNSET",
                f"没有设置环境变量 {name}。The environment variable {name} is not set.",
                where=self._code,
                hint="请把该变量设为数据库地址。Set the variable to the SQLAlchemy URL of the database.",
            )
        try:
            url = make_url(address)
        except (ArgumentError, ValueError):
            url = None
        if url is None:
            raise Misconfigured(
                "SOURCE_URL_INVALID",
                f"变量 {name} 的值不是数据库地址。The value of the variable {name} is not an SQLAlchemy URL.",
                where=self._code,
                hint="Write postgresql+psycopg://user:password@host/database; write an @ in the password as %40.",
            )
        return self._in_folder(url) if url.get_backend_name() == "sqlite" else url

    def _in_folder(self, url: URL) -> URL:
        # SQLite would create an empty database if the file name is wrong, so the file is looked up first.
        path = self._folder / (url.database or "")
        if not path.is_file():
            raise missing_file(path)
        return url.set(database=str(path))

    def _translated(self, error: SQLAlchemyError) -> Exception:
        """Return the error of ``ledger.errors`` for an error of the database. The returned error never contains the
        text of the database's error.
        """
        cause = error.orig if isinstance(error, DBAPIError) else None
        number = getattr(cause, "sqlite_errorcode", None)
        state = str(getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or "")
        if state in _STATE_LATE or (number is not None and number & 0xFF in _SQLITE_LATE):
            return TimeIsUp()
        if number == _SQLITE_LARGE:
            return Unusable("data_unusable", f"a value of more than {MAX_VALUE_BYTES} bytes")
        # An error without a number comes from the driver and not from SQLite; the driver raises it if a text is not
        # UTF-8.
        not_text = isinstance(cause, sqlite3.OperationalError) and number is None
        if not_text or isinstance(error, DataError) or state[:2] in _STATE_DATA:
            return Unusable("data_unusable", state or type(error).__name__)
        wrong = cause is None or isinstance(error, (ProgrammingError, NotSupportedError))
        if wrong or state[:2] in _STATE_WRONG or (number is not None and number & 0xFF in _SQLITE_WRONG):
            return Misconfigured(
                "SOURCE_QUERY_REJECTED",
                "数据库不接受该查询。The database does not accept the query.",
                where=self._code,
                hint="请以同一用户在数据库工具中执行该查询。Run the query in a database tool as the same user: a "
                "table or column is missing or not readable, or the SQL is wrong.",
                database_code=state or (number if number is not None else type(cause or error).__name__),
            )
        return Unusable("source_unavailable", state or type(cause or error).__name__)


def _patience(url: URL, seconds: float) -> dict[str, Any]:
    """Return the option that limits how long the driver waits for a connection or a lock; {} if no option of this
    driver is known.
    """
    backend, _, driver = url.drivername.partition("+")
    if backend == "sqlite":
        return {"timeout": seconds}
    if backend == "postgresql" and driver in ("", "psycopg", "psycopg2"):
        return {"connect_timeout": max(2, int(seconds))}
    return {}


def _restrict(connection: Connection, until: Deadline) -> None:
    """Make the database refuse writes and stop at the deadline. This works for SQLite and PostgreSQL. In other
    databases nothing is limited.
    """
    milliseconds = max(1, int(until.left() * 1000))
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.dbapi_connection
        driver.set_progress_handler(until.passed, 10_000)
        driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        connection.exec_driver_sql("PRAGMA query_only=ON")
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")


def _require_bounded(connection: Connection, query: TextClause, parameters: Mapping[str, object]) -> None:
    """Raise ``Unusable`` if PostgreSQL would return too large a row.

    PostgreSQL returns a value as a whole. So the size of the largest row is queried first, in the same snapshot as the
    rows.
    """
    if connection.dialect.name != "postgresql":
        return
    largest = text(f"SELECT max(octet_length(taken::text)) FROM ({query.text.rstrip().rstrip(';')}) AS taken")  # noqa: S608
    largest = largest.bindparams(*query._bindparams.values())
    size = connection.execute(largest, parameters).scalar()
    if size is not None and size > MAX_VALUE_BYTES:
        raise Unusable("data_unusable", f"a row of more than {MAX_VALUE_BYTES} bytes")


def _as_numbers(connection: Connection, value: str) -> list[object]:
    """Return the key as numbers, because an SQLite column may contain numbers and texts, and a number never equals a
    text.
    """
    if connection.dialect.name != "sqlite" or not value.isdigit():
        return []
    shortened = f"{value[:KEPT_DIGITS]}{'0' * (len(value) - KEPT_DIGITS)}"
    return [int(value), float(value), int(shortened), float(shortened)]
