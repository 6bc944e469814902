"""``pingzheng certificate``: issue certificates, list and show them, and write their bundles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.certificates import history, status
from ledger.cli.certificates import holdings_options as by
from ledger.cli.certificates.issuing import issue_all_ready
from ledger.cli.certificates.options import BundleOut, Fields, Nonce, Number, OwnKey, asking_party
from ledger.cli.shell.files import signer_of
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import party_of
from ledger.cli.shell.output import AsJson, emit, emit_rows, local_time
from ledger.cli.usage.submitting import ReportFile, submit_file
from ledger.domain.codes import check_certificate_no
from ledger.errors import InvalidInput

if TYPE_CHECKING:
    from ledger.certificates.issued import IssuedCertificate
    from ledger.installation.wiring import Ledger

app = Group()


@app.command("list")
def listing(
    ledger: Ledger,
    selected: by.Selected,
    after: Annotated[str | None, typer.Option(help="List only certificates after this number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """归集：列出一个参与方的凭证（作为主体、使用方、签发方或提供方）及其当前状态。List the certificates
    of which a party is subject, consumer, issuer or provider, with their present states.

    示例 Examples:  pingzheng certificate list --scenario S51 --state active --limit 3 · pingzheng certificate list
    --party all --class registration
    """
    rows = ledger.usage.holdings.page(selected.filter(ledger), after, limit)
    emit_rows([_row(row.certificate) | {"state": row.state} for row in rows], as_json, "凭证 Certificates")


@app.command()
def show(ledger: Ledger, number: Number, key: OwnKey = None, as_json: AsJson = False) -> None:
    """查看一张凭证及其当前状态。Show one certificate and its present status.

    示例 Example:  pingzheng certificate show DAC-440802-2026-S51-00000001-K
    """
    actor = asking_party(ledger, key)
    row = ledger.own_certificates.get(actor, check_certificate_no(number))
    emit(_row(row) | ledger.certificate_views.status(actor, number), as_json, number)


@app.command()
def bundle(
    ledger: Ledger,
    number: Number,
    out: Annotated[Path, typer.Option(help="File to write the bundle to.")] = Path("bundle.json"),
    fields: Fields = None,
    key: OwnKey = None,
    as_json: AsJson = False,
) -> None:
    """凭证主体用自己的密钥取得凭证包；这次读取会留下记录。Write a certificate's bundle to a file. Only the
    certificate's subject can do this, with its own key. The ledger records that the bundle was read.

    示例 Example:  pingzheng certificate bundle DAC-440802-2026-S51-00000001-K --key firm.key --out bundle.json
    """
    chosen = None if fields is None else [name for name in fields.split(",") if name]
    made = ledger.own_certificates.bundle(asking_party(ledger, key), check_certificate_no(number), chosen)
    out.write_bytes(made.to_bytes())
    emit({"file": str(out), "certificate_no": number, **made.position.to_dict()}, as_json)


@app.command()
def issue(
    ledger: Ledger,
    request: Annotated[
        str,
        typer.Argument(
            help="Id of a request that the subject has authorised and the providers have answered.", show_default=False
        ),
    ] = "",
    all_ready: Annotated[
        bool, typer.Option("--all-ready", help="Issue the certificates of all requests that are ready.")
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option(
            help="Issue a certificate for each request in a file (CSV, Excel, Parquet, JSON Lines) with the column "
            "`request`.",
        ),
    ] = None,
    report: ReportFile = None,
    as_json: AsJson = False,
) -> None:
    """签发凭证并存证：可指定一个请求或一个文件，也可处理所有已获授权且提供方已答复的请求。Issue and anchor the
    certificate of one request, those of the requests in a file, or those of all requests that the subjects have
    authorised and the providers have answered.

    示例 Examples:  pingzheng certificate issue <request> · pingzheng certificate issue --all-ready · pingzheng
    certificate issue --file requests.csv --report report.csv
    """
    if [all_ready, bool(request), file is not None].count(True) != 1:
        raise InvalidInput("REQUEST_OR_ALL", "Give either one request id, --all-ready or --file.", where="request")
    if file is not None:
        submit_file(ledger, "certificates", file, report, as_json)
        return
    if all_ready:
        issue_all_ready(ledger, as_json)
        return
    (row,) = ledger.usage.issuance.issue(ledger.actor(ledger.party), [request])
    ledger.anchoring.flush()
    emit(ledger.verification.status(row.certificate_no), as_json, row.certificate_no)


@app.command()
def present(
    ledger: Ledger,
    number: Number,
    consumer: Annotated[str, typer.Option(help="The consumer: party id, USCC or name.", show_default=False)],
    nonce: Nonce,
    key: Annotated[Path, typer.Option(help="The subject's private key file.", show_default=False)],
    fields: Fields = None,
    out: BundleOut = Path("bundle.json"),
    as_json: AsJson = False,
) -> None:
    """向一个使用方出示凭证：用主体的密钥对该使用方给出的随机串签名，并写出凭证包。Present a certificate to one
    consumer: sign the consumer's nonce with the subject's key, and write the bundle to a file.

    示例 Example:  pingzheng certificate present DAC-440802-2026-S51-00000001-K --consumer <party> --nonce <nonce>
    --key firm.key
    """
    chosen = None if fields is None else fields.split(",")
    to = party_of(ledger, consumer)
    made = ledger.certificates.bundles.present(number, chosen, to, nonce, signer_of(key), ledger.clock())
    out.write_bytes(made.to_bytes())
    emit({"file": str(out), "certificate_no": number}, as_json)


@app.command()
def correct(ledger: Ledger, number: Number, as_json: AsJson = False) -> None:
    """提供方更正数据后，签发凭证的新版本，取代原凭证。After a provider has corrected its data, issue a new version of a
    certificate. The new version supersedes the old one.

    示例 Example:  pingzheng certificate correct DAC-440802-2026-S51-00000001-K
    """
    new = ledger.usage.corrections.correct(ledger.actor(ledger.party), check_certificate_no(number))
    emit(_row(new) | {"supersedes": number}, as_json, new.certificate_no)


for command in (
    status.supersede,
    status.revoke,
    status.suspend,
    status.resume,
    status.hold,
    status.lift,
    history.provenance,
    history.presentations,
    history.readings,
):
    app.command()(command)


def _row(row: IssuedCertificate) -> dict[str, object]:
    return {
        "certificate_no": row.certificate_no,
        "class": row.cls,
        "scenario": row.scenario,
        "subject": row.subject,
        "consumer": row.consumer,
        "expires": local_time(row.exp),
    }
