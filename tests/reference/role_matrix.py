"""The role matrix in tests/reference/role_matrix.yaml, for the tests of the API and of the contracts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from ledger.domain.parties import PartyKind, Role

_TABLE: Final = yaml.safe_load(Path(__file__).with_name("role_matrix.yaml").read_text("utf-8"))


def _table(text: str) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Return a table's columns, and its cells as ``cells[row][column]``."""
    head, _, *lines = ([cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines())
    return head[1:], {name: dict(zip(head[1:], cells, strict=True)) for name, *cells in lines}


COLUMNS, _CELLS = _table(_TABLE["matrix"])
ROLE_OF: Final = dict(
    zip("SPCIRADVTBX", Role, strict=True),
)
CELLS: Final[Mapping[str, Mapping[str, str]]] = _CELLS
PERMISSIONS: Final[Mapping[str, Mapping[str, str]]] = _table(_TABLE["permissions"])[1]
ROWS: Final[Mapping[str, Mapping[str, Any]]] = _TABLE["rows"]
CONTRACT_CALLS: Final[Mapping[str, frozenset[str]]] = {
    call: frozenset(columns.split()) for row in ROWS.values() for call, columns in row.get("contract", {}).items()
}


def name_of(column: str) -> str:
    """Return the name of a column's role."""
    return "public" if column == "U" else ROLE_OF[column].value


KINDS = {
    "S": PartyKind.ENTERPRISE,
    "P": PartyKind.UTILITY,
    "C": PartyKind.BANK,
    "R": PartyKind.REGISTRAR,
    "A": PartyKind.GOV_DEPT,
    "D": PartyKind.PUBLIC_INST,
    "V": PartyKind.SUPERVISOR,
    "T": PartyKind.ASSESSOR,
    "B": PartyKind.BROKER,
    "X": PartyKind.OPERATOR,
}
