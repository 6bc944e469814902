"""Reads new parties from the options of a command or from the lines of a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ledger.cli.shell.output import stderr
from ledger.connectors.tables import Listed
from ledger.domain.codes import organisation_agrees
from ledger.domain.parties import PartyKind
from ledger.errors import InvalidInput, NotFound, PingzhengError

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.parties.known import KnownParty
    from ledger.parties.newcomers import NewParty

COLUMNS = ("kind", "name", "identifier", "region", "public_key")
# A new party proves with ``proof`` that it has its key. The column may be empty if this installation keeps the key,
# because the installation then makes the proof.
MORE_COLUMNS = ("proof", "further_keys")
# For each column that may be missing: a hint to fill it in, or to use an option instead.
_FILL_IN = {
    "kind": "填写该列，或用 --kind 指定所有行的类别。Fill in the column, or give --kind for all rows.",
    "region": "填写该列，或用 --region 指定所有行的区划。Fill in the column, or give --region for all rows.",
    "public_key": "填写各方的公钥；演示时可用 --make-keys 生成。Fill in each party's public key, or make the keys with "
    "--make-keys for a demonstration.",
}


def warn_of_codes(newcomers: Iterable[tuple[str, NewParty]]) -> None:
    """Print a warning for each institution whose USCC contains an invalid organisation code. The warning names the
    line.
    """
    for place, newcomer in newcomers:
        if newcomer.kind is not PartyKind.PERSON and not organisation_agrees(newcomer.identifier):
            stderr.print(
                f"注意 caution ORGANISATION_CODE  {place}: 统一社会信用代码第 9 至 17 位不是有效的组织机构代码"
                "（GB 11714），请与执照核对；已登记。Characters 9 to 17 of the USCC are not a valid organisation code: "
                "compare it with the licence. The party was onboarded.",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )


@contextmanager
def lines_named(file: str, listed: Listed) -> Iterator[None]:
    """If the block of code raises an error that names a party by its number in the list, replace this number by the
    line in the file.
    """
    try:
        yield
    except PingzhengError as error:
        if re.fullmatch(r"party [0-9]{1,6}( and party [0-9]{1,6})?", error.where or ""):
            lines = [str(listed.lines[int(row) - 1]) for row in re.findall(r"[0-9]+", error.where or "")]
            error.where = f"{file}, line {' and line '.join(lines)}"
        raise


def newcomer_of(row: Mapping[str, str], where: str, make_keys: bool) -> NewParty:
    """Return the new party in a line of a table. Raises ``InvalidInput`` ``CSV_COLUMN_MISSING`` if a required cell is
    missing.
    """
    from ledger.parties.newcomers import NewParty, kind_of

    needed = [name for name in COLUMNS if name != "public_key" or not make_keys]
    if missing := [name for name in needed if name not in row]:
        raise InvalidInput(
            "CSV_COLUMN_MISSING",
            f"缺少 {missing[0]} 列，或本行该列为空。The column {missing[0]} is missing, or empty in this line.",
            where=where,
            hint=_FILL_IN.get(missing[0], f"请填写 {missing[0]} 列。Fill in the column {missing[0]}."),
        )
    given = kind_of(row["kind"], where), row["name"], row["identifier"], row["region"], row.get("public_key", "")
    further = tuple(further_key_of(text, where) for text in row.get("further_keys", "").split(";") if text)
    return NewParty(*given, proof=row.get("proof", ""), further_keys=further)


def with_keys(ledger: Ledger, newcomers: Sequence[NewParty]) -> list[NewParty]:
    """Return the parties, each with a key. If no key is given for a party, it gets its present key if it is already
    known here, else a new key.
    """
    without = [each for each in newcomers if not each.public_key and _known(ledger, each.identifier) is None]
    keys = iter(ledger.custody.create(len(without)) if without else ())
    return [each if each.public_key else replace(each, public_key=_key_of(ledger, each, keys)) for each in newcomers]


def _key_of(ledger: Ledger, newcomer: NewParty, fresh: Iterator[str]) -> str:
    known = _known(ledger, newcomer.identifier)
    return ledger.custody.public_key(next(fresh)) if known is None else known.public_key


def _known(ledger: Ledger, identifier: str) -> KnownParty | None:
    try:
        return ledger.parties.register.find(identifier)
    except NotFound:
        return None


def further_key_of(text: str, where: str) -> tuple[str, str]:
    """Split ``KEY=PROOF`` into the key and its proof. Raises ``InvalidInput`` ``FURTHER_KEY_FORM`` if the text has
    another form.
    """
    key, separator, proof = text.partition("=")
    if not separator:
        raise InvalidInput("FURTHER_KEY_FORM", "A further key has the form KEY=PROOF.", where=where)
    return key, proof
