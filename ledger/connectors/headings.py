"""Maps headings that people write in lists of parties to the column names that the commands expect."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from ledger.errors import InvalidInput

_HEADINGS: Final = {
    "kind": ("类别", "主体类别", "参与方类别", "种类", "类型"),
    "name": ("名称", "企业名称", "单位名称", "机构名称", "主体名称", "姓名"),
    "identifier": (
        "统一社会信用代码",
        "社会信用代码",
        "信用代码",
        "身份证号",
        "身份证号码",
        "证件号码",
        "uscc",
        "id number",
    ),
    "region": ("区划", "行政区划", "区划代码", "行政区划代码"),
    "public_key": ("公钥", "public key"),
    "proof": ("持有证明", "密钥证明"),
    "further_keys": ("其他密钥", "further keys"),
    "party": ("参与方", "参与方编号", "party id"),
    "subject": ("主体", "主体编号"),
}


def columns_by_heading(headings: Iterable[str], columns: Sequence[str], where: str) -> dict[str, str]:
    """Return, for each heading, the name in ``columns`` that has the same meaning. If no name in ``columns`` has that
    meaning, return the heading itself.

    Upper and lower case, blanks and full-width forms make no difference. Raises ``InvalidInput`` ``HEADING_TWICE`` if
    two headings mean the same column.
    """
    known = {_plain(heading): column for column in columns for heading in _HEADINGS.get(column, ())}
    known |= {_plain(column): column for column in columns}
    names: dict[str, str] = {}
    for heading in headings:
        column = known.get(_plain(heading), heading)
        if column in names.values():
            first = next(each for each, name in names.items() if name == column)
            raise InvalidInput(
                "HEADING_TWICE",
                f"The headings {first} and {heading} both mean the column {column}.",
                where=f"{where}, line 1",
                hint="Keep one of them, and rename or delete the other.",
            )
        names[heading] = column
    return names


def _plain(heading: str) -> str:
    kept = (each for each in unicodedata.normalize("NFKC", heading).casefold() if not each.isspace())
    return "".join(each for each in kept if unicodedata.category(each) != "Cf")
