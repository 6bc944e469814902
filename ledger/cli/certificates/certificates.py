"""``pingzheng certificate``: the certificates of a party, their bundles, status and provenance."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.certificates.issued import IssuedCertificate
from ledger.certificates.presentations import VALID
from ledger.certificates.tables import Presentation
from ledger.cli.certificates import holdings_options as by
from ledger.cli.certificates.issuing import issue_all_ready
from ledger.cli.certificates.revoking import revoke_listed
from ledger.cli.parties.login import kept_session
from ledger.cli.shell.files import signer_of
from ledger.cli.shell.naming import party_of
from ledger.cli.shell.opening import opened, participating
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows, errors_explained, local_time
from ledger.cli.shell.waiting import emit_done
from ledger.domain.codes import check_certificate_no
from ledger.errors import InvalidInput

app = typer.Typer(no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="Certificate number, DAC-…", show_default=False)]
Reason = Annotated[str, typer.Option(help="data_error, fraud, court, sanction, investigation, …", show_default=False)]
Office = Annotated[str, typer.Option(help="The authority or supervisor that acts: party id, USCC or `authority`.")]


@app.command("list")
def listing(
    party: by.Party = "",
    part: by.Part = None,
    scenario: by.Scenario = None,
    cls: by.Class = None,
    state: by.State = None,
    provider: by.Provider = None,
    issued_from: by.IssuedFrom = None,
    issued_to: by.IssuedTo = None,
    expires_before: by.ExpiresBefore = None,
    after: Annotated[str | None, typer.Option(help="Begin after this number.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """归集：参与方有关的凭证及其当前状态。Certificates in which a party has a part, with their states now.

    示例 Examples:  pingzheng certificate list --scenario S51 --state active --limit 3 · pingzheng certificate list
    --party all --class registration
    """
    with opened(home, as_json) as ledger:
        wanted = by.filter_of(
            ledger, party, part, scenario, cls, state, provider, issued_from, issued_to, expires_before
        )
        rows = ledger.holdings.page(wanted, after, limit)
        emit_rows([_row(row.certificate) | {"state": row.state} for row in rows], as_json, "凭证 Certificates")


@app.command()
def show(number: Number, home: Home = None, as_json: AsJson = False) -> None:
    """一张凭证及其链上状态。One certificate with its status on the chain.

    示例 Example:  pingzheng certificate show DAC-440802-2026-S51-00000001-K
    """
    with opened(home, as_json) as ledger:
        row = ledger.holdings.get(check_certificate_no(number))
        emit(_row(row) | ledger.verification.status(number), as_json, number)


@app.command()
def bundle(
    number: Number,
    out: Annotated[Path, typer.Option(help="Where to write it.")] = Path("bundle.json"),
    fields: Annotated[str | None, typer.Option(help="Fields to disclose, by comma; default all.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """为持有人写出凭证包。Write a certificate's bundle for its holder.

    示例 Example:  pingzheng certificate bundle DAC-440802-2026-S51-00000001-K --out bundle.json
    """
    with opened(home, as_json) as ledger:
        chosen = None if fields is None else [name for name in fields.split(",") if name]
        made = ledger.bundles.build(check_certificate_no(number), chosen)
        out.write_bytes(made.to_bytes())
        emit({"file": str(out), "certificate_no": number, **made.position.to_dict()}, as_json)


@app.command()
def issue(
    request: Annotated[str, typer.Argument(help="Request id, authorised and answered.", show_default=False)] = "",
    all_ready: Annotated[bool, typer.Option("--all-ready", help="Of every request that is ready.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """为一个请求，或所有已授权并答复的请求签发凭证并上链。Issue the certificate of a request, or of all that are
    authorised and answered, and anchor it.

    示例 Examples:  pingzheng certificate issue <request> · pingzheng certificate issue --all-ready
    """
    with opened(home, as_json) as ledger:
        if all_ready == bool(request):
            raise InvalidInput("REQUEST_OR_ALL", "Name one request, or say --all-ready, and not both.", where="request")
        if all_ready:
            issue_all_ready(ledger, as_json)
            return
        (row,) = ledger.issuance.issue([request])
        ledger.anchoring.flush()
        emit(ledger.verification.status(row.certificate_no), as_json, row.certificate_no)


@app.command()
def present(
    number: Number,
    consumer: Annotated[str, typer.Option(help="Party id, USCC or name.", show_default=False)],
    nonce: Annotated[str, typer.Option(help="The nonce that the consumer gave.", show_default=False)],
    key: Annotated[Path, typer.Option(help="The subject's private key file.", show_default=False)],
    fields: Annotated[str | None, typer.Option(help="Fields to disclose, by comma; default all.")] = None,
    out: Annotated[Path, typer.Option(help="Where the bundle goes.")] = Path("bundle.json"),
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """用主体的密钥把凭证绑定到一个使用方和一个随机串，写出凭证包。Bind a certificate to one consumer and one nonce
    with the subject's key, and write the bundle.

    示例 Example:  pingzheng certificate present DAC-440802-2026-S51-00000001-K --consumer <party> --nonce <nonce>
    --key firm.key
    """
    with opened(home, as_json) as ledger:
        chosen = None if fields is None else fields.split(",")
        to = party_of(ledger, consumer)
        made = ledger.bundles.present(number, chosen, to, nonce, signer_of(key), ledger.clock())
        out.write_bytes(made.to_bytes())
        emit({"file": str(out), "certificate_no": number}, as_json)


@app.command()
def correct(number: Number, home: Home = None, as_json: AsJson = False) -> None:
    """按提供方的更正签发新版本，取代原来的。Issue the version that rests on what a provider has corrected; it
    supersedes this one.

    示例 Example:  pingzheng certificate correct DAC-440802-2026-S51-00000001-K
    """
    with opened(home, as_json) as ledger:
        new = ledger.corrections.correct(check_certificate_no(number))
        emit(_row(new) | {"supersedes": number}, as_json, new.certificate_no)


@app.command()
def supersede(
    number: Number,
    successor: Annotated[str, typer.Argument(help="The number of the one in its place.", show_default=False)],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """以同一主体的另一张凭证取代，永久终止原来的。End a certificate for good in favour of another one of the same
    subject.

    示例 Example:  pingzheng certificate supersede DAC-440802-2026-S51-00000001-K DAC-440802-2026-S51-00000002-I
    """
    with opened(home, as_json) as ledger:
        ledger.status.supersede(check_certificate_no(number), check_certificate_no(successor))
        emit(ledger.verification.status(number), as_json, number)


@app.command()
def revoke(
    reason: Reason,
    number: Annotated[str, typer.Argument(help="Certificate number, DAC-…; or give --file.", show_default=False)] = "",
    file: Annotated[
        Path | None, typer.Option(help="A text file with a number on each line: revoke them all.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Revoke all of the file without asking.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """签发方永久撤销自己的凭证：一张，或文件列出的全部；中断后再次执行即接续。End a certificate for good, or all that
    a file lists. For their issuer. Interrupted, it goes on when it is run again.

    示例 Examples:  pingzheng certificate revoke DAC-440802-2026-S51-00000001-K --reason data_error · pingzheng
    certificate revoke --file numbers.txt --reason data_error --yes
    """
    with opened(home, as_json) as ledger:
        if (file is None) == (not number):
            raise InvalidInput(
                "NUMBER_OR_FILE",
                "Name one certificate, or a file that lists them, and not both.",
                where="--file",
                hint="Give the number, or --file with a number on each line.",
            )
        if file is not None:
            revoke_listed(ledger, file, reason, yes, as_json)
            return
        ledger.status.revoke(check_certificate_no(number), reason)
        emit(ledger.verification.status(number), as_json, number)


@app.command()
def suspend(number: Number, reason: Reason, home: Home = None, as_json: AsJson = False) -> None:
    """签发方暂停自己的凭证。Stop a certificate for a time. For its issuer.

    示例 Example:  pingzheng certificate suspend DAC-440802-2026-S51-00000001-K --reason investigation
    """
    with opened(home, as_json) as ledger:
        ledger.status.suspend(check_certificate_no(number), reason)
        emit(ledger.verification.status(number), as_json, number)


@app.command()
def resume(number: Number, reason: Reason = "lifted", home: Home = None, as_json: AsJson = False) -> None:
    """签发方恢复自己暂停的凭证。Let a suspended certificate stand again. For its issuer.

    示例 Example:  pingzheng certificate resume DAC-440802-2026-S51-00000001-K
    """
    with opened(home, as_json) as ledger:
        ledger.status.resume(check_certificate_no(number), reason)
        emit(ledger.verification.status(number), as_json, number)


@app.command()
def hold(number: Number, reason: Reason, by: Office = "authority", home: Home = None, as_json: AsJson = False) -> None:
    """主管部门或监管方冻结用数凭证及其请求，直到解除。An authority or a supervisor holds a usage certificate and its
    request until it lifts the hold.

    示例 Example:  pingzheng certificate hold DAC-440802-2026-S51-00000001-K --reason court
    """
    with opened(home, as_json) as ledger:
        ledger.holds.hold(check_certificate_no(number), reason, party_of(ledger, by))
        emit(ledger.verification.status(number), as_json, number)


@app.command()
def lift(
    number: Number, reason: Reason = "lifted", by: Office = "authority", home: Home = None, as_json: AsJson = False
) -> None:
    """两个同类机构解除本类机构的冻结；其他机构的冻结不受影响。Lift the hold of one's own office, as two parties of that
    office; another office's hold stays.

    示例 Example:  pingzheng certificate lift DAC-440802-2026-S51-00000001-K --by authority
    """
    with opened(home, as_json) as ledger:
        row = ledger.holds.lift(check_certificate_no(number), reason, party_of(ledger, by))
        emit_done(row, lambda: ledger.verification.status(number), as_json, number)


@app.command()
def provenance(number: Number, home: Home = None, as_json: AsJson = False) -> None:
    """溯源：凭证经过的一切，以及没有遗漏的证明。What happened to a certificate, with the proof that nothing is
    missing.

    示例 Example:  pingzheng certificate provenance DAC-440802-2026-S51-00000001-K
    """
    with participating(home, as_json) as ledger:
        told = ledger.provenances.certificate(check_certificate_no(number)).to_dict()
        if as_json:
            emit(told, as_json)
            return
        emit_rows([_event(event) for event in told["events"]], as_json, f"溯源 Provenance of {number}")
        emit(told["completeness"], as_json, "完整性证明 Completeness")


@app.command()
def presentations(
    number: Number,
    after: Annotated[str | None, typer.Option(help="Begin after this verification's id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """核验记录：在此要求过的每次核验，以及别处登记的使用。Every verification of a certificate that was asked for
    here, and uses recorded by others.

    示例 Example:  pingzheng certificate presentations DAC-440802-2026-S51-00000001-K
    """
    with participating(home, as_json) as ledger:
        number = check_certificate_no(number)
        known = [_presentation(row) for row in ledger.presentations.page(number, after, limit)]
        elsewhere = [asdict(use) for use in ledger.presentations.elsewhere(number)]
    if as_json:
        emit({"presentations": known, "elsewhere": elsewhere}, as_json)
        return
    emit_rows([row | {"at": local_time(row["at"])} for row in known], as_json, f"核验记录 Verifications of {number}")
    told = [{**use, "at": local_time(use["at"])} for use in elsewhere]
    emit_rows(told, as_json, "别处使用 Used elsewhere")


@app.command()
def readings(
    after: Annotated[str | None, typer.Option(help="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """谁用过我的数据：须先登录；列出每次读取、出示、使用和因案件公开。Who used my data, signed in: every reading,
    presentation and use of what is said of you, and what was opened for a case.

    示例 Example:  pingzheng certificate readings
    """
    with errors_explained(as_json):
        query = {"limit": str(limit)} | ({} if after is None else {"cursor": after})
        page = kept_session(home).call("GET", "/v1/readings", query=query)
        if as_json:
            emit(page, as_json)
            return
        emit_rows([row | {"at": local_time(row["at"])} for row in page["items"]], as_json, "谁用过我的数据 Readings")
        if page["next_cursor"] is not None:
            emit({"next_cursor": page["next_cursor"]}, as_json)


def _presentation(row: Presentation) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.created_at,
        "consumer": row.consumer,
        "presented": row.nonce_digest is not None,
        "result": row.result,
        "ordinal": row.ordinal if row.result == VALID else None,
        "fields": row.fields,
    }


def _event(event: dict[str, Any]) -> dict[str, object]:
    return {
        "事件 event": event["name"],
        "时间 at": local_time(int(str(event["at"]))),
        "主体 by": str(event["by"])[:12] + "…",
        "详情 details": event["args"] | event.get("names", {}),
    }


def _row(row: IssuedCertificate) -> dict[str, object]:
    return {
        "certificate_no": row.certificate_no,
        "class": row.cls,
        "scenario": row.scenario,
        "subject": row.subject,
        "consumer": row.consumer,
        "expires": local_time(row.exp),
    }
