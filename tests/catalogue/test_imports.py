"""Import of many rows: a dry run writes nothing, one bad row stops the whole import, and every file format gives the
same result.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

import pytest

from ledger.catalogue import imports as catalogue_import
from ledger.catalogue.imports import Sheets, sheets_of
from ledger.demo.data.catalogue import Library
from tests.catalogue.import_tables import DIGEST, row, stored
from tests.support.actors.department import Department, refusal, resource
from tests.support.workbooks import book


def test_a_dry_run_of_an_import_reports_on_every_row_and_writes_nothing(office: Department) -> None:
    office.put("dry/same", title="资源 dry/same", content_digest=DIGEST, package="", rows=0)
    office.put("dry/old", title="旧", content_digest=DIGEST, package="", rows=0)
    office.ledger.catalogue.data.put(office.stranger, resource("dry/theirs"))
    before = stored(office)
    table = Sheets(
        [
            row("dry/new", grade="general_2"),
            row("dry/same"),
            row("dry/old"),
            row("dry/theirs"),
            row("dry/low", fields="holder:text:sensitive:none:general_4", grade="general_1"),
            row("dry/new"),
            row("dry/form", fields="holder"),
            row("dry/type", fields="holder:"),
            row("dry/system", system="none such"),
            row("dry/count", rows="-1"),
        ]
    )
    report = office.ledger.catalogue.imports.dry_run(office.provider, table)
    assert stored(office) == before and not report.committed
    assert [(line.row, line.code, line.verdict, line.error, line.where) for line in report.rows] == [
        (1, "dry/new", "new", None, None),
        (2, "dry/same", "unchanged", None, None),
        (3, "dry/old", "new_version", None, None),
        (4, "dry/theirs", "refused", "NOT_THE_PROVIDER", "resource dry/theirs"),
        (5, "dry/low", "refused", "GRADE_TOO_LOW", "grade"),
        (6, "dry/new", "refused", "CODE_TWICE", "code"),
        (7, "dry/form", "refused", "FIELD_FORM", "fields[1]"),
        (8, "dry/type", "refused", "TEXT_LENGTH", "fields[1].type"),
        (9, "dry/system", "refused", "SYSTEM_UNKNOWN", "system"),
        (10, "dry/count", "refused", "COUNT_FORM", "rows"),
    ]
    assert report.counts == {"new": 1, "new_version": 1, "unchanged": 1, "refused": 7}
    assert report.rows[2].diff == ({"where": "title", "from": "旧", "to": "资源 dry/old"},)
    assert report.rows[4].hint == "Set the resource's grade to general_4 or higher."
    json.dumps([line.to_dict() for line in report.rows])


def test_no_row_is_imported_if_one_row_is_refused(office: Department) -> None:
    before = stored(office)
    table = Sheets([row("stop/1"), row("stop/2", grade="secret"), row("stop/3")])
    error = refusal(lambda: office.ledger.catalogue.imports.commit(office.provider, table))
    assert (error.code, error.where) == ("IMPORT_REFUSED", "row 2")
    assert [line["error"] for line in error.details["refused"]] == ["GRADE_UNKNOWN"]
    assert stored(office) == before


def test_a_commit_imports_all_rows_and_a_repeated_commit_changes_nothing(office: Department) -> None:
    table, ticks = Sheets([row(f"commit/{place}") for place in range(5)]), list[int]()
    report = office.ledger.catalogue.imports.commit(office.provider, table, ticks.append)
    assert report.committed and report.counts["new"] == len(ticks) == 5
    before = stored(office)
    assert office.ledger.catalogue.imports.commit(office.provider, table).counts["unchanged"] == 5
    assert stored(office) == before
    changed = Sheets([row("commit/0", title="新"), row("commit/1")])
    assert office.ledger.catalogue.imports.commit(office.provider, changed).counts["new_version"] == 1
    assert office.ledger.catalogue.data.document("commit/0", 1)["title"] == "资源 commit/0"
    assert office.ledger.catalogue.data.document("commit/0", 2)["title"] == "新"


def test_only_providers_can_import_tables(office: Department) -> None:
    table = Sheets([row("roles/1")])
    for actor in (office.consumer, office.authority):
        for act in (office.ledger.catalogue.imports.dry_run, office.ledger.catalogue.imports.commit):
            with pytest.raises(Exception, match="PARTY_LACKS_ROLE"):
                act(actor, table)


def test_every_attribute_of_a_resource_can_be_imported(office: Department) -> None:
    cells = {
        "package": "power",
        "rows": "12",
        "columns": "3",
        "fields": "holder:text:personal:none:general_3;kwh:decimal::business_secret",
        "source_kind": "public_service",
        "domain": "energy",
        "format": "csv",
        "update_freq": "monthly",
        "time_range": "2020/2025",
        "spatial_range": "440800",
        "storage_location": "node",
        "storage_mode": "database",
        "share_attr": "none",
        "share_basis": "条例",
        "open_attr": "conditional",
        "grade": "general_4",
    }
    office.ledger.catalogue.imports.commit(office.provider, Sheets([row("every", **cells)]))
    described = office.ledger.catalogue.data.get("every")["resource"]
    holder, kwh = described["fields"]
    assert (holder["pii"], holder["grade"], kwh["pii"], kwh["secrecy"]) == (
        "personal",
        "general_3",
        "none",
        "business_secret",
    )
    assert (described["rows"], described["columns"]) == (12, 3)
    assert {name: described[name] for name in cells if name not in ("fields", "rows", "columns")} == {
        name: value for name, value in cells.items() if name not in ("fields", "rows", "columns")
    }


TABLES: dict[str, tuple[Sheets, str]] = {
    "empty": (Sheets([]), "IMPORT_EMPTY"),
    "column missing": (Sheets([{"code": "a", "title": "b"}]), "IMPORT_COLUMN_MISSING"),
    "column unknown": (Sheets([row("a", colour="red")]), "IMPORT_COLUMN_UNKNOWN"),
    "column of fields missing": (Sheets([row("a")], [{"code": "a", "name": "b"}]), "IMPORT_COLUMN_MISSING"),
    "fields of nothing": (Sheets([row("a")], [{"code": "b", "name": "c", "type": "d"}]), "FIELDS_WITHOUT_RESOURCE"),
}


@pytest.mark.parametrize(("table", "code"), TABLES.values(), ids=TABLES.keys())
def test_a_table_without_required_columns_or_rows_is_refused(office: Department, table: Sheets, code: str) -> None:
    assert refusal(lambda: office.ledger.catalogue.imports.dry_run(office.provider, table)).code == code


def test_a_table_with_too_many_rows_is_refused(office: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_import, "MAX_ROWS", 1)
    table = Sheets([row("a"), row("b")])
    assert refusal(lambda: office.ledger.catalogue.imports.dry_run(office.provider, table)).code == "IMPORT_TOO_LARGE"


def test_fields_given_both_in_a_row_and_in_a_table_of_fields_are_refused(office: Department) -> None:
    table = Sheets([row("twice")], [{"code": "twice", "name": "a", "type": "text"}])
    (line,) = office.ledger.catalogue.imports.dry_run(office.provider, table).rows
    assert line.error == "FIELDS_TWICE"


def csv_bytes(*rows: Mapping[str, str]) -> bytes:
    lines = [",".join(rows[0]), *(",".join(item.values()) for item in rows)]
    return "\n".join(lines).encode("utf-8-sig")


def test_a_csv_file_can_be_imported_with_a_second_file_of_fields() -> None:
    resources = {"code": "a", "title": "b", "content_digest": DIGEST}
    fields = {"code": "a", "name": "kwh: net", "type": "decimal"}
    assert sheets_of(csv_bytes(resources), "r.csv", csv_bytes(fields)) == Sheets([resources], [fields])
    assert sheets_of(csv_bytes(resources), "r.csv") == Sheets([resources])
    assert refusal(lambda: sheets_of(b"a\n\xff\n", "r.csv")).code == "CSV_NOT_UTF8"


def test_importing_a_table_from_excel_or_csv_gives_the_same_result(office: Department) -> None:
    excel = book(
        数据清单=[
            ["code", "title", "content_digest", "rows", "time_range", None],
            ["x", "用电", DIGEST, 12.0, "2025"],
            [],
        ],
        fields=[["code", "name", "type", "grade"], ["x", "kwh", "decimal", "general_2"], ["x", "month", "date", None]],
    )
    sheets = sheets_of(excel, "list.XLSX")
    assert sheets == Sheets(
        [{"code": "x", "title": "用电", "content_digest": DIGEST, "rows": "12", "time_range": "2025"}],
        [
            {"code": "x", "name": "kwh", "type": "decimal", "grade": "general_2"},
            {"code": "x", "name": "month", "type": "date", "grade": ""},
        ],
    )
    report = office.ledger.catalogue.imports.commit(office.provider, sheets)
    assert report.counts["new"] == 1
    assert office.ledger.catalogue.data.get("x")["resource"]["grade"] == "general_2"


def test_real_data_sets_can_be_imported_from_csv_and_excel(office: Department) -> None:
    library = Library()
    wanted = [item for item in library.index() if item.package in ("ISLR", "plm")]
    described = [library.describe(item) for item in wanted]
    assert max(len(item.fields) for item in described) > 6_000
    names = ("code", "title", "package", "rows", "columns", "content_digest")
    resources = [[str(getattr(item, name)) for name in names] for item in described]
    fields = [[item.code, field.name, field.type] for item in described for field in item.fields]
    tables = {"resources": [[*names], *resources], "fields": [["code", "name", "type"], *fields]}

    def as_csv(title: str) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(tables[title])
        return text.getvalue().encode()

    sheets = sheets_of(as_csv("resources"), "list.csv", as_csv("fields"))
    assert sheets_of(book(**tables), "list.xlsx") == sheets
    report = office.ledger.catalogue.imports.commit(office.provider, sheets)
    assert report.counts["new"] == len(described) > 20
    for item in described:
        assert office.ledger.catalogue.data.get(item.code)["resource"] == item.to_dict()
