"""Each table with sealed text declares a party column; the text is erased together with this party's data."""

from __future__ import annotations

from typing import Final

import pytest
from sqlalchemy import Table

from ledger.installation.tables import METADATA

# Tables with sealed text that need no party column, each with the reason.
OTHERWISE: Final = {
    "access_request": "ledger/privacy/erasure.py erases the note, and an entry of the log names the request.",
    "authorization": "ledger/privacy/erasure.py erases the notice, and an entry of the log names the authorization.",
    "provision": "ledger/privacy/erasure.py erases the claims, and an entry of the log names the provision.",
    "certificate": "ledger/privacy/erasure.py erases the disclosures, and an entry of the log names the certificate.",
    "evidence": "A document of the register is evidence about an asset, not text about a person; it is kept.",
}


def sealed_columns(table: Table) -> list[str]:
    return [column.name for column in table.c for key in column.foreign_keys if key.target_fullname == "sealed.id"]


@pytest.mark.parametrize("name", sorted(name for name, table in METADATA.tables.items() if sealed_columns(table)))
def test_each_table_with_sealed_text_declares_with_which_party_it_is_erased(name: str) -> None:
    table = METADATA.tables[name]
    assert sealed_columns(table) == ["sealed_id"]
    assert (table.info["erased_with"] is None) == (name in OTHERWISE)


def test_each_declaration_names_the_column_of_a_party() -> None:
    declared = {name: table.info["erased_with"] for name, table in METADATA.tables.items()}
    for name, column in declared.items():
        if column is not None:
            found = METADATA.tables[name].c[column]
            targets = {key.target_fullname for key in found.foreign_keys}
            assert "party.id" in targets | {f"{name}.{column}"}, name
            assert sealed_columns(METADATA.tables[name]), name
    assert {name for name, column in declared.items() if column is not None} >= {"party"}
    assert declared.keys() >= OTHERWISE.keys()
