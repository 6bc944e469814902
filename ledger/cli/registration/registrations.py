"""``pingzheng registration``: applications, their review, public notice and objections."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.registration.acts import then_asset, then_rows
from ledger.cli.registration.options import Asset, By
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import actor_of, asset_of
from ledger.cli.shell.output import AsJson, emit, emit_rows, local_time, progress
from ledger.connectors.tabular import read_csv
from ledger.domain.resource import DataResource, ResourceField
from ledger.errors import InvalidInput

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.parties.roles import Actor
    from ledger.registration.review import Review

app = Group()

Assets = Annotated[
    list[str] | None,
    typer.Argument(help="Asset ids; default: all assets whose application waits for this step.", show_default=False),
]
Reason = Annotated[
    str, typer.Option(help="The reasons in words; they are stored encrypted, and only their digest goes to the chain.")
]
REQUIRED = ("code", "title", "rows", "columns", "fields", "content_digest")
OBJECTIONS = (lambda ledger, asset: ledger.registration.objections.of(asset, ledger.clock()), "异议 Objections")
OPTIONAL = ("package", "source_kind", "domain", "format", "update_freq", "share_attr", "share_basis", "grade")


@app.command()
def submit(
    ledger: Ledger,
    by: By,
    file: Annotated[
        Path | None,
        typer.Argument(
            help=f"CSV with the columns {', '.join(REQUIRED)}. Write fields as name:type[:pii[:secrecy[:grade]]];…"
        ),
    ] = None,
    code: Annotated[list[str] | None, typer.Option(help="Code of a published resource in the catalogue.")] = None,
    as_json: AsJson = False,
) -> None:
    """为 CSV 文件中的资源或目录中已发布的资源申请首次登记。Apply for first registration of the resources in a CSV
    file, or of published resources of the catalogue.

    If a row cannot be read, nothing is submitted.

    示例 Example:  pingzheng registration submit resources.csv --by <party>
    """
    actor = actor_of(ledger, by)
    resources, codes = _resources(file) if file else [], code or []
    with progress() as bars:
        task = bars.add_task("登记 register", total=len(resources) + len(codes))
        intake = ledger.registration.registrations.apply(
            actor, resources, codes, progress=lambda count: bars.advance(task, count)
        )
    rows: list[dict[str, Any]] = [{"asset": asset, "result": "submitted"} for asset in intake.accepted]
    rows += [{"asset": item.resource.code, "result": str(item.error)} for item in intake.refused]
    emit_rows(rows, as_json, "登记申请 Applications")


@app.command()
def queue(ledger: Ledger, as_json: AsJson = False) -> None:
    """列出等待办理的申请、各自的期限（按工作日计算）和近似重复的资源。List applications that wait for their next step,
    with their deadlines (in working days) and with near duplicates among the applicant's other resources.

    示例 Example:  pingzheng registration queue
    """
    rows = ledger.registration.review.queue(1000)
    if not as_json:
        rows = [row | {name: local_time(row[name]) for name in ("since", "due")} for row in rows]
    emit_rows(rows, as_json, "待审 Waiting")


@app.command()
def accept(ledger: Ledger, by: By, assets: Assets = None, as_json: AsJson = False) -> None:
    """受理申请。Accept applications for review.

    示例 Example:  pingzheng registration accept --by <registrar>
    """
    _step(ledger, as_json, by, assets, "submitted", "accepted", lambda review: review.accept)


@app.command()
def review(ledger: Ledger, by: By, assets: Assets = None, as_json: AsJson = False) -> None:
    """记录申请已通过审核。Record that applications have passed the review.

    示例 Example:  pingzheng registration review --by <registrar>
    """
    _step(ledger, as_json, by, assets, "accepted", "reviewed", lambda review: review.review)


@app.command()
def notice(ledger: Ledger, by: By, assets: Assets = None, as_json: AsJson = False) -> None:
    """公示申请，公示的工作日数由规则集规定。Put applications on public notice, for the number of working days that the
    ruleset sets.

    示例 Example:  pingzheng registration notice --by <registrar>
    """
    _step(ledger, as_json, by, assets, "reviewed", "noticed", lambda review: review.notice)


@app.command()
def confirm(ledger: Ledger, by: By, assets: Assets = None, as_json: AsJson = False) -> None:
    """公示期满后确认申请，并签发登记凭证。Confirm applications after their public notice, and issue the registration
    certificates.

    示例 Example:  pingzheng registration confirm --by <registrar>
    """
    _step(ledger, as_json, by, assets, "noticed", "confirmed", lambda review: review.confirm)


@app.command("return")
def give_back(ledger: Ledger, asset: Asset, by: By, reason: Reason, as_json: AsJson = False) -> None:
    """退回申请，要求申请方补正。Return an application, so that the applicant corrects it.

    示例 Example:  pingzheng registration return <asset> --by <registrar> --reason 材料不全
    """
    with then_asset(ledger, as_json, by, asset) as (actor, asset):
        ledger.registration.review.give_back(actor, asset, reason)


@app.command()
def reject(ledger: Ledger, asset: Asset, by: By, reason: Reason, as_json: AsJson = False) -> None:
    """不予登记。Reject an application.

    示例 Example:  pingzheng registration reject <asset> --by <registrar> --reason 来源不明
    """
    with then_asset(ledger, as_json, by, asset) as (actor, asset):
        ledger.registration.review.reject(actor, asset, reason)


@app.command()
def clear(
    ledger: Ledger,
    asset: Asset,
    by: By,
    report: Annotated[str, typer.Option(help="Digest of the security review, sha-256:…", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """记录重要数据已通过安全审查。Record that important data has passed the security review.

    示例 Example:  pingzheng registration clear <asset> --by authority --report sha-256:<digest>
    """
    with then_asset(ledger, as_json, by, asset) as (actor, asset):
        ledger.registration.review.clear(actor, asset, report)


@app.command()
def change(
    ledger: Ledger,
    asset: Asset,
    file: Annotated[Path, typer.Argument(help="CSV file with one row: the new description of the resource.")],
    by: By,
    kind: Annotated[
        str,
        typer.Option(
            help="Kind of application: `change` or `correct`; `first` files a returned first application again."
        ),
    ] = "change",
    as_json: AsJson = False,
) -> None:
    """提交新的资源说明，申请变更或更正；原来的说明保留。Apply for a change or a correction, with a new description of
    the resource. The old description is kept.

    示例 Example:  pingzheng registration change <asset> resource.csv --by <party>
    """
    asset = asset_of(ledger, asset)
    resources = _resources(file)
    if len(resources) != 1:
        raise InvalidInput("RESOURCE_ROWS", "The file must describe exactly one resource.", where=file.name)
    ledger.registration.applications.apply(actor_of(ledger, by), asset, kind, resources[0])
    emit(ledger.registration.registrations.get(asset), as_json, asset)


@app.command()
def renew(ledger: Ledger, asset: Asset, by: By, reason: Reason, as_json: AsJson = False) -> None:
    """申请续展；规则集规定期满前多少天起可以申请。Apply to renew a registration. The ruleset sets how many days before
    the end of the registration you can first apply.

    示例 Example:  pingzheng registration renew <asset> --by <party> --reason 继续使用
    """
    with then_asset(ledger, as_json, by, asset) as (actor, asset):
        ledger.registration.applications.apply(actor, asset, "renew", reason=reason)


@app.command()
def cancel(ledger: Ledger, asset: Asset, by: By, reason: Reason, as_json: AsJson = False) -> None:
    """申请注销登记。Apply to cancel a registration.

    示例 Example:  pingzheng registration cancel <asset> --by <party> --reason 不再更新
    """
    with then_asset(ledger, as_json, by, asset) as (actor, asset):
        ledger.registration.applications.apply(actor, asset, "cancel", reason=reason)


@app.command("object")
def object_to(
    ledger: Ledger,
    asset: Asset,
    by: By,
    grounds: Annotated[
        str, typer.Option(help="The grounds of the objection; they are stored encrypted.", show_default=False)
    ],
    evidence: Annotated[str | None, typer.Option(help="Digest of the evidence, sha-256:…")] = None,
    as_json: AsJson = False,
) -> None:
    """对公示中的申请或已有登记提出异议。Object to an application that is on public notice, or to a registration.

    示例 Example:  pingzheng registration object <asset> --by <party> --grounds 内容有误
    """
    with then_rows(ledger, as_json, by, asset, *OBJECTIONS) as (actor, asset):
        ledger.registration.objections.file(actor, asset, grounds, evidence)


@app.command()
def objections(ledger: Ledger, asset: Asset, as_json: AsJson = False) -> None:
    """列出对一项资产提出的异议。List the objections to an asset.

    示例 Example:  pingzheng registration objections <asset>
    """
    asset = asset_of(ledger, asset)
    emit_rows(ledger.registration.objections.of(asset, ledger.clock()), as_json, "异议 Objections")


@app.command()
def decide(
    ledger: Ledger,
    asset: Asset,
    number: Annotated[int, typer.Argument(help="Number of the objection.", show_default=False)],
    state: Annotated[
        str,
        typer.Argument(
            help="The objection's next state: admitted, verified, upheld, dismissed or refused.", show_default=False
        ),
    ],
    by: By,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """受理、核实或裁定异议。Admit, verify or decide an objection, that is, set its next state.

    示例 Example:  pingzheng registration decide <asset> 1 admitted --by <registrar> --reason 予以受理
    """
    with then_rows(ledger, as_json, by, asset, *OBJECTIONS) as (actor, asset):
        ledger.registration.objections.decide(actor, asset, number, state, reason)


def _step(
    ledger: Ledger,
    as_json: bool,
    by: str,
    assets: list[str] | None,
    before: str,
    after: str,
    step: Callable[[Review], Callable[[Actor, list[str], Callable[[int], None]], int]],
) -> None:
    """Run a review step on the named assets, or on all assets at the stage ``before``. Then print how many reached the
    stage ``after``, and how much gas was used.
    """
    actor, review = actor_of(ledger, by), ledger.registration.review
    ids = [asset_of(ledger, asset) for asset in assets or ()] or review.waiting(before)
    with progress() as bars:
        task = bars.add_task(f"{before} → {after}", total=len(ids))
        gas = step(review)(actor, ids, lambda count: bars.advance(task, count))
    emit({"applications": len(ids), "step": after, "gas": gas}, as_json)


def _resources(file: Path) -> list[DataResource]:
    return [_resource(row, f"{file.name}, row {place}") for place, row in enumerate(read_csv(file), start=1)]


def _resource(row: dict[str, str], where: str) -> DataResource:
    if missing := [name for name in REQUIRED if name not in row]:
        raise InvalidInput("CSV_COLUMN_MISSING", f"The column {missing[0]} is missing.", where=where)
    try:
        return DataResource(
            code=row["code"],
            title=row["title"],
            rows=int(row["rows"]),
            columns=int(row["columns"]),
            fields=tuple(_field(item) for item in row["fields"].split(";") if item),
            content_digest=row["content_digest"],
            **{"package": ""} | {name: row[name] for name in OPTIONAL if row.get(name)},
        )
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            "RESOURCE_ROW",
            "A number or a field list cannot be read.",
            where=where,
            hint="Write the fields as name:type;name:type.",
        ) from error


def _field(text: str) -> ResourceField:
    name, kind, *tags = text.split(":")
    names = ("pii", "secrecy", "grade")[: len(tags)]
    return ResourceField(name, kind, **dict(zip(names, tags, strict=True)))
