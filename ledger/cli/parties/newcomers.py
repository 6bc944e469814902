"""Newcomers as people give them: by options, or as the lines of a table."""

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
# Of keys that are kept here the proofs are made here.
MORE_COLUMNS = ("proof", "further_keys")
# What may stand in place of a column of a table.
_FILL_IN = {
    "kind": "填写该列，或用 --kind 指明全部各行的种类。Fill it in, or say it for all rows by --kind.",
    "region": "填写该列，或用 --region 指明全部各行的区划。Fill it in, or say it for all rows by --region.",
    "public_key": "填写各方的公钥；演示时可用 --make-keys 代为生成。Fill in each party's public key; for a "
    "demonstration --make-keys makes the keys.",
}


def warn_of_codes(newcomers: Iterable[tuple[str, NewParty]]) -> None:
    """Name the institutions whose USCC holds no valid organisation code, by their place; they were taken."""
    for place, newcomer in newcomers:
        if newcomer.kind is not PartyKind.PERSON and not organisation_agrees(newcomer.identifier):
            stderr.print(
                f"注意 caution ORGANISATION_CODE  {place}: 统一社会信用代码第 9 至 17 位不是有效的组织机构代码"
                "（GB 11714），请与执照核对；已登记。Characters 9 to 17 of the USCC are no valid organisation code: "
                "compare it with the licence. The party was taken.",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )


@contextmanager
def lines_named(file: str, listed: Listed) -> Iterator[None]:
    """An error about one of the parties names its line in the file."""
    try:
        yield
    except PingzhengError as error:
        if re.fullmatch(r"party [0-9]{1,6}( and party [0-9]{1,6})?", error.where or ""):
            lines = [str(listed.lines[int(row) - 1]) for row in re.findall(r"[0-9]+", error.where or "")]
            error.where = f"{file}, line {' and line '.join(lines)}"
        raise


def newcomer_of(row: Mapping[str, str], where: str, make_keys: bool) -> NewParty:
    """The party of a line, whose cells are by column; raises ``InvalidInput`` ``CSV_COLUMN_MISSING``."""
    from ledger.parties.newcomers import NewParty

    needed = [name for name in COLUMNS if name != "public_key" or not make_keys]
    if missing := [name for name in needed if name not in row]:
        raise InvalidInput(
            "CSV_COLUMN_MISSING",
            f"缺少 {missing[0]} 列，或此处为空。The column {missing[0]} is missing, or empty here.",
            where=where,
            hint=_FILL_IN.get(missing[0], f"请填写 {missing[0]} 列。Fill in the column {missing[0]}."),
        )
    told = kind_of(row["kind"], where), row["name"], row["identifier"], row["region"], row.get("public_key", "")
    further = tuple(further_key_of(text, where) for text in row.get("further_keys", "").split(";") if text)
    return NewParty(*told, proof=row.get("proof", ""), further_keys=further)


def with_keys(ledger: Ledger, newcomers: Sequence[NewParty]) -> list[NewParty]:
    """Each with a key; who is known here already has one."""
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
    """A key and its proof from ``KEY=PROOF``; raises ``InvalidInput`` ``FURTHER_KEY_FORM``."""
    key, separator, proof = text.partition("=")
    if not separator:
        raise InvalidInput("FURTHER_KEY_FORM", "A further key reads KEY=PROOF.", where=where)
    return key, proof


def kind_of(value: str, where: str) -> PartyKind:
    """The kind of that name; raises ``InvalidInput`` ``PARTY_KIND_UNKNOWN``."""
    try:
        return PartyKind(value)
    except ValueError:
        raise InvalidInput(
            "PARTY_KIND_UNKNOWN",
            "There is no such kind of party.",
            where=where,
            hint=f"One of: {', '.join(kind.value for kind in PartyKind)}.",
        ) from None
