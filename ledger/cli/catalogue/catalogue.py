"""``pingzheng catalogue``: the data list, from import to publication."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.catalogue.sheets import FIELD_COLUMNS, OPTIONAL, REQUIRED, sheets_of
from ledger.cli.catalogue import demands
from ledger.cli.catalogue import lists as catalogue_lists
from ledger.cli.catalogue.options import AfterCode, By, Code, Limit, Reason
from ledger.cli.shell.files import read_bounded, signer_of
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import actor_of, party_of
from ledger.cli.shell.output import AsJson, console, emit, emit_rows, labels, local_time, print_json, progress
from ledger.connectors.tabular import MAX_CSV_BYTES
from ledger.domain.digests import reference
from ledger.proof.jws import sign_entry

if TYPE_CHECKING:
    from ledger.catalogue.imports import ImportReport
    from ledger.installation.wiring import Ledger

app = Group()
app.add_typer(catalogue_lists.systems, name="system")
app.add_typer(catalogue_lists.important, name="important")
app.add_typer(catalogue_lists.open_data, name="open")
app.add_typer(demands.app, name="demand")
app.add_typer(demands.duties, name="duty")

MAX_REPORT_BYTES = 256 * 1024 * 1024


@app.command("import")
def import_file(
    ledger: Ledger,
    file: Annotated[
        Path,
        typer.Argument(
            help=f"CSV or Excel. Required columns: {', '.join(REQUIRED)}. Optional columns: {', '.join(OPTIONAL)}."
        ),
    ],
    by: By,
    fields: Annotated[
        Path | None,
        typer.Option(
            help=f"CSV of fields with the columns {', '.join(FIELD_COLUMNS)}. In Excel use a sheet `fields` instead."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report on every row, but write nothing.")] = False,
    encoding: Annotated[
        str | None,
        typer.Option(help="Encoding of a CSV file, if it is not UTF-8: gb18030 or utf-16.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """把表格导入提供方的数据清单：全部行导入，有一行不合格则一行也不导入。Import a table into the provider's data list.
    All rows are imported, or none if one is refused.

    In the column `fields`, write each field as name:type[:pii[:secrecy[:grade]]], separated by semicolons.

    If a CSV file is in GB18030, this is usually detected; if not, give --encoding gb18030.

    示例 Example:  pingzheng catalogue import list.xlsx --by <party> --dry-run
    """
    beside = None if fields is None else read_bounded(fields, MAX_CSV_BYTES)
    sheets = sheets_of(read_bounded(file, MAX_CSV_BYTES), file.name, beside, encoding)
    take = ledger.catalogue.imports.dry_run if dry_run else ledger.catalogue.imports.commit
    actor = actor_of(ledger, by)
    with progress() as bar:
        task = bar.add_task("导入 import", total=len(sheets.resources))
        report = take(actor, sheets, lambda rows: bar.advance(task, rows))
    _show(report, as_json)
    if report.counts["refused"]:
        raise typer.Exit(1)


def _show(report: ImportReport, as_json: bool) -> None:
    if as_json:
        rows = [row.to_dict() for row in report.rows]
        head = {"committed": report.committed, "counts": report.counts, "notes": list(report.notes)}
        print_json(head | {"rows": rows})
        return
    table = [
        {
            "行 row": row.row,
            "资源 resource": row.code,
            "结果 result": labels("verdict")[row.verdict],
            "说明 details": row.message or ", ".join(change["where"] for change in row.diff),
            "位置 where": row.where or "",
            "下一步 next": row.hint or "",
        }
        for row in report.rows
    ]
    emit_rows(table, False, "导入 Import")
    for note in report.notes:
        console.print(note, markup=False)
    counts = ", ".join(f"{labels('verdict')[name]} {count}" for name, count in report.counts.items())
    console.print(f"{counts}  {'已写入 written' if report.committed else '未写入 nothing written'}")


@app.command("list")
def listing(
    ledger: Ledger,
    state: Annotated[
        str | None, typer.Option(help="Only resources in this state: draft, submitted, cdo_signed, published, …")
    ] = None,
    after: AfterCode = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """列出数据清单中的资源，按代码排序。List the resources in the data list, ordered by code.

    示例 Example:  pingzheng catalogue list --state published
    """
    rows = [asdict(row) for row in ledger.catalogue.data.page(after, limit, state)]
    emit_rows(rows, as_json, "数据清单 Data list")


@app.command()
def show(
    ledger: Ledger,
    code: Code,
    version: Annotated[
        int | None, typer.Option(min=1, help="Number of the version; default: the newest version.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """查看资源及其字段、级别和标签。Show one resource with its fields, grades and tags.

    示例 Example:  pingzheng catalogue show <code>
    """
    entry = ledger.catalogue.data.get(code)
    document = entry.pop("resource") if version is None else ledger.catalogue.data.document(code, version)
    if as_json:
        print_json(entry | {"shown_version": version or entry["version"], "resource": document})
        return
    emit({name: value for name, value in document.items() if name != "fields"} | _standing(entry), False, code)
    emit_rows(document["fields"], False, "字段 Fields")


@app.command()
def history(ledger: Ledger, code: Code, as_json: AsJson = False) -> None:
    """列出资源的每个步骤，从早到晚。List every step of a resource (submit, sign, publish and so on), oldest first.

    示例 Example:  pingzheng catalogue history <code>
    """
    rows = ledger.catalogue.data.history(code)
    if not as_json:
        rows = [row | {"at": local_time(row["at"]), "by": row["by"][:12] + "…"} for row in rows]
    emit_rows(rows, as_json, f"历史 History of {code}")


@app.command()
def diff(
    ledger: Ledger,
    code: Code,
    old: Annotated[int, typer.Argument(min=1, show_default=False)],
    new: Annotated[int, typer.Argument(min=1, show_default=False)],
    as_json: AsJson = False,
) -> None:
    """比较资源的两个版本，列出改动。Show what changed between two versions of a resource.

    示例 Example:  pingzheng catalogue diff <code> 1 2
    """
    emit_rows(ledger.catalogue.data.diff(code, old, new), as_json, f"变化 Changes of {code}, {old} → {new}")


@app.command()
def submit(ledger: Ledger, code: Code, by: By, as_json: AsJson = False) -> None:
    """提供方提交资源的最新版本，等待签署；与重要数据目录相符的资源将被锁定。As the provider, submit the newest version
    of a resource for signature. A resource that matches the important-data list is blocked instead.

    示例 Example:  pingzheng catalogue submit <code> --by <provider>
    """
    emit(asdict(ledger.catalogue.data.submit(actor_of(ledger, by), code)), as_json, code)


@app.command()
def review(
    ledger: Ledger,
    code: Code,
    by: By,
    report: Annotated[
        Path, typer.Option(help="The report file; only the digest of the report is recorded.", show_default=False)
    ],
    as_json: AsJson = False,
) -> None:
    """记录重要数据已经审查；资源被锁定的，随即解除锁定。Record that important data was reviewed. If the resource is
    blocked, the block ends.

    示例 Example:  pingzheng catalogue review <code> --by <authority> --report report.pdf
    """
    digest = reference(hashlib.sha256(read_bounded(report, MAX_REPORT_BYTES)).hexdigest())
    row = ledger.catalogue.data.record_review(actor_of(ledger, by), code, digest)
    emit(asdict(row) | {"report_digest": digest}, as_json, code)


@app.command()
def appoint(
    ledger: Ledger,
    department: Annotated[str, typer.Argument(help="Department: party id, USCC or name.", show_default=False)],
    by: By,
    cdo: Annotated[
        str | None,
        typer.Option(
            help="The chief data officer: party id, USCC or name. Without this option, the present appointment ends."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """主管部门任命部门的首席数据官，或终止任命。As the authority, appoint a department's chief data officer, or end the
    appointment.

    示例 Example:  pingzheng catalogue appoint <department> --by authority --cdo <officer>
    """
    actor, department = actor_of(ledger, by), party_of(ledger, department)
    cdo = None if cdo is None else party_of(ledger, cdo)
    ledger.catalogue.publications.appoint(actor, department, cdo)
    emit({"department": department, "cdo": cdo}, as_json)


@app.command()
def sign(
    ledger: Ledger,
    code: Code,
    by: By,
    key: Annotated[Path, typer.Option(help="Private key file of the chief data officer.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """部门的首席数据官签署资源的最新版本。As the department's chief data officer, sign the newest version of a
    resource.

    示例 Example:  pingzheng catalogue sign <code> --by <officer> --key officer.key
    """
    actor = actor_of(ledger, by)
    statement = sign_entry(ledger.catalogue.publications.draft(actor, code), signer_of(key))
    emit(asdict(ledger.catalogue.publications.sign(actor, statement)), as_json, code)


@app.command()
def publish(ledger: Ledger, code: Code, by: By, as_json: AsJson = False) -> None:
    """在数据清单中发布资源已签署的版本。Publish the signed version of a resource in the data list.

    示例 Example:  pingzheng catalogue publish <code> --by <department>
    """
    emit(asdict(ledger.catalogue.publications.publish(actor_of(ledger, by), code)), as_json, code)


@app.command()
def block(ledger: Ledger, code: Code, by: By, reason: Reason, as_json: AsJson = False) -> None:
    """锁定资源：资源从所有清单撤下，直到审查后解除锁定。Block a resource: it disappears from every list until a review
    ends the block.

    示例 Example:  pingzheng catalogue block <code> --by authority --reason 疑似重要数据
    """
    emit(asdict(ledger.catalogue.data.block(actor_of(ledger, by), code, reason)), as_json, code)


@app.command()
def retire(ledger: Ledger, code: Code, by: By, reason: Reason, as_json: AsJson = False) -> None:
    """永久停用资源，其各个版本保留。Retire a resource permanently. Its versions are kept.

    示例 Example:  pingzheng catalogue retire <code> --by <provider> --reason 停止采集
    """
    emit(asdict(ledger.catalogue.data.retire(actor_of(ledger, by), code, reason)), as_json, code)


def _standing(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("provider", "state", "version", "published_version")}
