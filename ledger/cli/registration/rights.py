"""``pingzheng right``, ``lien`` and ``assess``: the rights, liens and reports of an asset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.registration.acts import then_rows
from ledger.cli.registration.options import Asset, By, To
from ledger.cli.shell.files import json_in
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import asset_of, party_of
from ledger.cli.shell.output import AsJson, emit_rows
from ledger.domain.days import day_of, end_of_validity
from ledger.errors import InvalidInput
from ledger.registration.reports import QualityReport, Valuation

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger

app = Group()
liens = Group()
assess = Group()

Number = Annotated[int, typer.Argument(help="Number of the right or lien.", show_default=False)]
Day = Annotated[str, typer.Option(help="Last day, YYYY-MM-DD, Asia/Shanghai.", show_default=False)]
Report = Annotated[str, typer.Option(help="Digest of the assessor's full report, sha-256:…", show_default=False)]
MAX_REPORT_BYTES = 64 * 1024
RIGHTS = (lambda ledger, asset: ledger.registration.rights.of(asset), "权利 Rights")
LIENS = (lambda ledger, asset: ledger.registration.liens.of(asset), "质押 Liens")
ASSESSMENTS = (lambda ledger, asset: ledger.registration.assessments.of(asset), "评估 Assessments")


@app.command("list")
def listing(ledger: Ledger, asset: Asset, as_json: AsJson = False) -> None:
    """列出资产上已授予的权利；未授予的权利归持有人。List the rights that were granted in an asset. All other rights
    belong to the holder.

    示例 Example:  pingzheng right list <asset>
    """
    asset = asset_of(ledger, asset)
    emit_rows(ledger.registration.rights.of(asset), as_json, "权利 Rights")


@app.command()
def grant(
    ledger: Ledger,
    asset: Asset,
    by: By,
    to: To,
    kind: Annotated[str, typer.Option(help="Kind of right: hold, process or operate.", show_default=False)],
    last_day: Day,
    scope: Annotated[
        str, typer.Option(help="What the right permits, in words; the text is stored encrypted.", show_default=False)
    ],
    exclusive: Annotated[
        bool, typer.Option("--exclusive", help="The right is exclusive: nobody else can have it at the same time.")
    ] = False,
    sublicensable: Annotated[
        bool, typer.Option("--sublicensable", help="The party that receives the right may grant sublicences.")
    ] = False,
    transferable: Annotated[
        bool, typer.Option("--transferable", help="The party that receives the right may transfer it.")
    ] = False,
    parent: Annotated[
        int | None, typer.Option(help="If this is a sublicence: the number of the right under which it is granted.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """授予资产上的一项权利：自现在起，到最后一日结束时止。Grant a right in an asset, from now until the end of the last
    day.

    示例 Example:  pingzheng right grant <asset> --by <holder> --to <party> --kind operate --last-day 2027-06-30
    --scope 广东省内 --exclusive
    """
    from ledger.registration.rights import NewRight

    with then_rows(ledger, as_json, by, asset, *RIGHTS) as (actor, asset):
        to = party_of(ledger, to)
        start = max(ledger.clock(), ledger.reader.latest().time) + 60
        right = NewRight(
            kind,
            to,
            start,
            end_of_validity(day_of(last_day, "--last-day")),
            scope,
            exclusive,
            sublicensable,
            transferable,
            parent,
        )
        ledger.registration.rights.grant(actor, asset, right)


@app.command()
def transfer(ledger: Ledger, asset: Asset, number: Number, by: By, to: To, as_json: AsJson = False) -> None:
    """把可转让的权利转让给另一方。Transfer a right to another party, if the right is transferable.

    示例 Example:  pingzheng right transfer <asset> 1 --by <grantee> --to <party>
    """
    with then_rows(ledger, as_json, by, asset, *RIGHTS) as (actor, asset):
        to = party_of(ledger, to)
        ledger.registration.rights.transfer(actor, asset, number, to)


@app.command()
def end(
    ledger: Ledger,
    asset: Asset,
    number: Number,
    by: By,
    reason: Annotated[
        str | None, typer.Option(help="The reason; it is required if a registrar ends the right.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """终止权利：被授予方放弃权利，或登记机构说明理由后终止。End a right. The party that has it gives it up, or a
    registrar ends it and gives a reason.

    示例 Example:  pingzheng right end <asset> 1 --by <grantee>
    """
    with then_rows(ledger, as_json, by, asset, *RIGHTS) as (actor, asset):
        ledger.registration.rights.end(actor, asset, number, reason)


@liens.command("list")
def listed_liens(ledger: Ledger, asset: Asset, as_json: AsJson = False) -> None:
    """按顺位列出未解除的质押。List the liens that are not released, ordered by rank.

    示例 Example:  pingzheng lien list <asset>
    """
    asset = asset_of(ledger, asset)
    emit_rows(ledger.registration.liens.of(asset), as_json, "质押 Liens")


@liens.command()
def pledge(
    ledger: Ledger,
    asset: Asset,
    by: By,
    creditor: Annotated[str, typer.Option(help="Creditor: party id, USCC or name.", show_default=False)],
    amount: Annotated[int, typer.Option(min=1, help="Secured amount in fen.", show_default=False)],
    due: Day,
    contract: Annotated[str, typer.Option(help="Digest of the contract, sha-256:…", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """把资产质押给质权人。Pledge an asset to a creditor.

    示例 Example:  pingzheng lien pledge <asset> --by <holder> --creditor <bank> --amount 300000000 --due 2027-06-30
    --contract sha-256:<digest>
    """
    with then_rows(ledger, as_json, by, asset, *LIENS) as (actor, asset):
        creditor = party_of(ledger, creditor)
        terms = {"amount": amount, "due": day_of(due, "--due").isoformat(), "contract": contract}
        ledger.registration.liens.pledge(actor, asset, creditor, terms)


@liens.command()
def consent(ledger: Ledger, asset: Asset, number: Number, by: By, to: To, as_json: AsJson = False) -> None:
    """质权人同意把质押的资产转让给某一方。As the creditor, consent to the transfer of a pledged asset to one party.

    示例 Example:  pingzheng lien consent <asset> 1 --by <creditor> --to <party>
    """
    with then_rows(ledger, as_json, by, asset, *LIENS) as (actor, asset):
        to = party_of(ledger, to)
        ledger.registration.liens.consent(actor, asset, number, to)


@liens.command()
def release(ledger: Ledger, asset: Asset, number: Number, by: By, as_json: AsJson = False) -> None:
    """质权人解除质押。As the creditor, release a lien.

    示例 Example:  pingzheng lien release <asset> 1 --by <creditor>
    """
    with then_rows(ledger, as_json, by, asset, *LIENS) as (actor, asset):
        ledger.registration.liens.release(actor, asset, number)


@assess.command()
def quality(
    ledger: Ledger,
    asset: Asset,
    file: Annotated[
        Path, typer.Argument(help='JSON file of the form {"scores": {…six…}, "weights": {…six, sum 100…}}')
    ],
    by: By,
    report: Report,
    last_day: Day,
    as_json: AsJson = False,
) -> None:
    """提交资产的质量评估报告。Record a quality report on an asset.

    示例 Example:  pingzheng assess quality <asset> scores.json --by <assessor> --report sha-256:<digest> --last-day
    2027-06-30
    """
    with then_rows(ledger, as_json, by, asset, *ASSESSMENTS) as (actor, asset):
        read = json_in(file, MAX_REPORT_BYTES)
        if not isinstance(read, dict) or not all(isinstance(read.get(name), dict) for name in ("scores", "weights")):
            raise InvalidInput("QUALITY_REPORT", "The file has no scores and weights.", where=file.name)
        quality_report = QualityReport(read["scores"], read["weights"], report)
        ledger.registration.assessments.quality(actor, asset, quality_report, day_of(last_day, "--last-day"))


@assess.command()
def valuation(
    ledger: Ledger,
    asset: Asset,
    by: By,
    method: Annotated[str, typer.Option(help="Method of valuation: cost, income or market.", show_default=False)],
    amount: Annotated[int, typer.Option(min=1, help="Value in fen.", show_default=False)],
    base_date: Day,
    report: Report,
    last_day: Day,
    as_json: AsJson = False,
) -> None:
    """提交资产的价值评估报告。Record a valuation of an asset.

    示例 Example:  pingzheng assess valuation <asset> --by <assessor> --method cost --amount 500000000 --base-date
    2026-06-30 --report sha-256:<digest> --last-day 2027-06-30
    """
    with then_rows(ledger, as_json, by, asset, *ASSESSMENTS) as (actor, asset):
        value = Valuation(method, amount, base_date, report)
        ledger.registration.assessments.valuation(actor, asset, value, day_of(last_day, "--last-day"))


@assess.command("list")
def listed_assessments(ledger: Ledger, asset: Asset, as_json: AsJson = False) -> None:
    """列出资产的质量评估和价值评估，从早到晚。List the quality reports and valuations of an asset, oldest first.

    示例 Example:  pingzheng assess list <asset>
    """
    asset = asset_of(ledger, asset)
    emit_rows(ledger.registration.assessments.of(asset), as_json, "评估 Assessments")
