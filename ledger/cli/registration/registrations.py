"""``pingzheng registration``: applications, their review, public notice, objections."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.registration.options import Asset, By
from ledger.cli.shell.naming import acting_on, actor_of, asset_of
from ledger.cli.shell.opening import opened
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows, local_time, progress
from ledger.connectors.tabular import read_csv
from ledger.domain.resource import DataResource, ResourceField
from ledger.errors import InvalidInput

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger

app = typer.Typer(no_args_is_help=True)

Assets = Annotated[
    list[str] | None, typer.Argument(help="Assets; none: all that wait for this step.", show_default=False)
]
Reason = Annotated[str, typer.Option(help="The reasons; kept sealed, their digest goes to the chain.")]
REQUIRED = ("code", "title", "rows", "columns", "fields", "content_digest")
OPTIONAL = ("package", "source_kind", "domain", "format", "update_freq", "share_attr", "share_basis", "grade")


@app.command()
def submit(
    by: By,
    file: Annotated[
        Path | None, typer.Argument(help=f"CSV: {', '.join(REQUIRED)}; fields as name:type[:pii[:secrecy[:grade]]];…")
    ] = None,
    code: Annotated[list[str] | None, typer.Option(help="A published resource of the catalogue, by its code.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """为 CSV 文件的每个资源，或目录中已发布的资源申请首次登记。Apply for first registration of every resource of a
    CSV file, or of published resources of the catalogue.

    A row that does not parse stops all.

    示例 Example:  pingzheng registration submit resources.csv --by <party>
    """
    with opened(home, as_json) as ledger:
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
def queue(home: Home = None, as_json: AsJson = False) -> None:
    """待审的申请、以工作日计的期限和近似重复。Open applications with their clocks in working days, and
    near-duplicates.

    示例 Example:  pingzheng registration queue
    """
    with opened(home, as_json) as ledger:
        rows = ledger.registration.review.queue(1000)
        if not as_json:
            rows = [row | {name: local_time(row[name]) for name in ("since", "due")} for row in rows]
        emit_rows(rows, as_json, "待审 Waiting")


@app.command()
def accept(by: By, assets: Assets = None, home: Home = None, as_json: AsJson = False) -> None:
    """受理申请。Take applications on.

    示例 Example:  pingzheng registration accept --by <registrar>
    """
    with opened(home, as_json) as ledger:
        actor = actor_of(ledger, by)
        _step(
            ledger,
            "submitted",
            "accepted",
            assets,
            as_json,
            lambda ids, tick: ledger.registration.review.accept(actor, ids, tick),
        )


@app.command()
def review(by: By, assets: Assets = None, home: Home = None, as_json: AsJson = False) -> None:
    """审核申请。Find applications in order.

    示例 Example:  pingzheng registration review --by <registrar>
    """
    with opened(home, as_json) as ledger:
        actor = actor_of(ledger, by)
        _step(
            ledger,
            "accepted",
            "reviewed",
            assets,
            as_json,
            lambda ids, tick: ledger.registration.review.review(actor, ids, tick),
        )


@app.command()
def notice(by: By, assets: Assets = None, home: Home = None, as_json: AsJson = False) -> None:
    """按规则集的工作日公示申请。Put applications on public notice for the working days of the ruleset.

    示例 Example:  pingzheng registration notice --by <registrar>
    """
    with opened(home, as_json) as ledger:
        actor = actor_of(ledger, by)
        _step(
            ledger,
            "reviewed",
            "noticed",
            assets,
            as_json,
            lambda ids, tick: ledger.registration.review.notice(actor, ids, tick),
        )


@app.command()
def confirm(by: By, assets: Assets = None, home: Home = None, as_json: AsJson = False) -> None:
    """公示后确认申请并签发登记凭证。Confirm applications after their notice; the registration certificates are
    issued.

    示例 Example:  pingzheng registration confirm --by <registrar>
    """
    with opened(home, as_json) as ledger:
        actor = actor_of(ledger, by)
        _step(
            ledger,
            "noticed",
            "confirmed",
            assets,
            as_json,
            lambda ids, tick: ledger.registration.review.confirm(actor, ids, tick),
        )


@app.command("return")
def give_back(asset: Asset, by: By, reason: Reason, home: Home = None, as_json: AsJson = False) -> None:
    """退回申请，要求补正。Return an application for correction.

    示例 Example:  pingzheng registration return <asset> --by <registrar> --reason 材料不全
    """
    with opened(home, as_json) as ledger:
        actor, asset = acting_on(ledger, by, asset)
        ledger.registration.review.give_back(actor, asset, reason)
        emit(ledger.registration.registrations.get(asset), as_json, asset)


@app.command()
def reject(asset: Asset, by: By, reason: Reason, home: Home = None, as_json: AsJson = False) -> None:
    """不予登记。Reject an application.

    示例 Example:  pingzheng registration reject <asset> --by <registrar> --reason 来源不明
    """
    with opened(home, as_json) as ledger:
        actor, asset = acting_on(ledger, by, asset)
        ledger.registration.review.reject(actor, asset, reason)
        emit(ledger.registration.registrations.get(asset), as_json, asset)


@app.command()
def clear(
    asset: Asset,
    by: By,
    report: Annotated[str, typer.Option(help="Digest of the security review, sha-256:…", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """记录重要数据的安全审查。Record the security review of important data.

    示例 Example:  pingzheng registration clear <asset> --by authority --report sha-256:<digest>
    """
    with opened(home, as_json) as ledger:
        actor, asset = acting_on(ledger, by, asset)
        ledger.registration.review.clear(actor, asset, report)
        emit(ledger.registration.registrations.get(asset), as_json, asset)


@app.command()
def change(
    asset: Asset,
    file: Annotated[Path, typer.Argument(help="CSV with one row: the new description.")],
    by: By,
    kind: Annotated[str, typer.Option(help="change, correct; first: hand in a returned application.")] = "change",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """以新的说明申请变更或更正；旧说明保留。Apply for change or correction with a new description; the old one is
    kept.

    示例 Example:  pingzheng registration change <asset> resource.csv --by <party>
    """
    with opened(home, as_json) as ledger:
        asset = asset_of(ledger, asset)
        resources = _resources(file)
        if len(resources) != 1:
            raise InvalidInput("RESOURCE_ROWS", "The file describes one resource.", where=file.name)
        ledger.registration.applications.apply(actor_of(ledger, by), asset, kind, resources[0])
        emit(ledger.registration.registrations.get(asset), as_json, asset)


@app.command()
def renew(asset: Asset, by: By, reason: Reason, home: Home = None, as_json: AsJson = False) -> None:
    """在规则集规定的期满前天数内申请续展。Apply for renewal, in the days before expiry that the ruleset names.

    示例 Example:  pingzheng registration renew <asset> --by <party> --reason 继续使用
    """
    with opened(home, as_json) as ledger:
        actor, asset = acting_on(ledger, by, asset)
        ledger.registration.applications.apply(actor, asset, "renew", reason=reason)
        emit(ledger.registration.registrations.get(asset), as_json, asset)


@app.command()
def cancel(asset: Asset, by: By, reason: Reason, home: Home = None, as_json: AsJson = False) -> None:
    """申请注销。Apply for cancellation.

    示例 Example:  pingzheng registration cancel <asset> --by <party> --reason 不再更新
    """
    with opened(home, as_json) as ledger:
        actor, asset = acting_on(ledger, by, asset)
        ledger.registration.applications.apply(actor, asset, "cancel", reason=reason)
        emit(ledger.registration.registrations.get(asset), as_json, asset)


@app.command("object")
def object_to(
    asset: Asset,
    by: By,
    grounds: Annotated[str, typer.Option(help="The grounds; kept sealed.", show_default=False)],
    evidence: Annotated[str | None, typer.Option(help="Digest of the evidence, sha-256:…")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """对公示中的申请或已有的登记提出异议。Object to an application under notice, or to a registration.

    示例 Example:  pingzheng registration object <asset> --by <party> --grounds 内容有误
    """
    with opened(home, as_json) as ledger:
        actor, asset = acting_on(ledger, by, asset)
        ledger.registration.objections.file(actor, asset, grounds, evidence)
        emit_rows(ledger.registration.objections.of(asset, ledger.clock()), as_json, "异议 Objections")


@app.command()
def objections(asset: Asset, home: Home = None, as_json: AsJson = False) -> None:
    """对资产的异议。The objections to an asset.

    示例 Example:  pingzheng registration objections <asset>
    """
    with opened(home, as_json) as ledger:
        asset = asset_of(ledger, asset)
        emit_rows(ledger.registration.objections.of(asset, ledger.clock()), as_json, "异议 Objections")


@app.command()
def decide(
    asset: Asset,
    number: Annotated[int, typer.Argument(help="The objection's number.", show_default=False)],
    state: Annotated[str, typer.Argument(help="admitted, verified, upheld, dismissed or refused.", show_default=False)],
    by: By,
    reason: Reason,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """推进异议。Move an objection on.

    示例 Example:  pingzheng registration decide <asset> 1 admitted --by <registrar> --reason 予以受理
    """
    with opened(home, as_json) as ledger:
        actor, asset = acting_on(ledger, by, asset)
        ledger.registration.objections.decide(actor, asset, number, state, reason)
        emit_rows(ledger.registration.objections.of(asset, ledger.clock()), as_json, "异议 Objections")


def _step(
    ledger: Ledger,
    source: str,
    result: str,
    assets: list[str] | None,
    as_json: bool,
    act: Callable[[list[str], Callable[[int], None]], int],
) -> None:
    named = [asset_of(ledger, asset) for asset in assets or ()]
    ids = named or [row["asset"] for row in ledger.registration.review.queue(100_000) if row["stage"] == source]
    with progress() as bars:
        task = bars.add_task(f"{source} → {result}", total=len(ids))
        gas = act(ids, lambda count: bars.advance(task, count))
    emit({"applications": len(ids), "step": result, "gas": gas}, as_json)


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
            "RESOURCE_ROW", "A number or a field list does not parse.", where=where, hint="fields: name:type;name:type"
        ) from error


def _field(text: str) -> ResourceField:
    name, kind, *tags = text.split(":")
    names = ("pii", "secrecy", "grade")[: len(tags)]
    return ResourceField(name, kind, **dict(zip(names, tags, strict=True)))
