"""``pingzheng consent``: a subject reads notices, authorises a request, and withdraws authorizations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ledger.chain.withdrawing import DirectWithdrawal, withdraw_by_itself
from ledger.cli.shell.files import key_in, parsed, private_key_of, signer_of
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import actor_of, party_of
from ledger.cli.shell.opening import opened
from ledger.cli.shell.output import AsJson, Home, Yes, ask, console, emit, emit_rows, local_time
from ledger.cli.shell.statements import Statement, read_statement, signed_entries, signing_line, write_statement
from ledger.cli.usage import giving
from ledger.cli.usage.options import After, By, Limit, PartyArgument, RequestId
from ledger.cli.usage.submitting import ReportFile, StatementsFile, submit_file
from ledger.domain.days import end_of_days, shanghai_day
from ledger.errors import InvalidInput
from ledger.proof.acts import sign_act
from ledger.proof.bundle import MAX_BUNDLE_BYTES, parse_bundle
from ledger.proof.jws import sign_entry

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.usage.authorizations import Choice
    from ledger.usage.recorded import RecordedAuthorization

app = Group()
WITHDRAW: Final = (
    "撤回后不可恢复，以该授权为依据的凭证失效，确认？ "
    "Withdraw permanently? Certificates that rest on the authorization become invalid."
)
SEPARATELY: Final = (
    "该场景须由本人单独同意：本人同意后，请加上 --separate-consent 再次执行本命令。 "
    "The scenario requires a separate consent: when the person has given it, run this command again with "
    "--separate-consent."
)
Identifier = Annotated[str, typer.Argument(help="Id of the authorization.", show_default=False)]
Fields = Annotated[
    str | None, typer.Option(help="Allow only these fields, separated by commas; default: all requested fields.")
]
Days = Annotated[int | None, typer.Option(min=1, help="Allow only this number of days; default: as requested.")]
Uses = Annotated[int | None, typer.Option(min=1, help="Allow only this number of uses; default: as requested.")]
SeparateConsent = Annotated[
    bool, typer.Option("--separate-consent", help="The person gave the required separate consent (PIPL art. 23).")
]
SubjectKey = Annotated[Path, typer.Option(help="The subject's private key file.", show_default=False)]


@app.command()
def draft(
    request: RequestId,
    by: By = "self",
    fields: Fields = None,
    days: Days = None,
    uses: Uses = None,
    separate_consent: SeparateConsent = False,
    out: Annotated[Path, typer.Option(help="File to which the unsigned authorizations are written.")] = Path(
        "authorization.json"
    ),
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """显示每个来源的告知书，并写出待签名的授权；同时记录主体已阅读请求。Show the notice of each source, and write the
    authorizations that the subject must sign. This also records that the subject has seen the request.

    示例 Example:  pingzheng consent draft 01KA… --by 9144… --fields usage_band,on_time_95
    """
    with opened(home, as_json) as ledger:
        choice = _choice(ledger, fields, days, uses, separate_consent)
        drafted = ledger.usage.subject_acts.draft(actor_of(ledger, by), request, choice)
        document = {"drafts": [{"notice": each.notice, "entry": each.entry} for each in drafted]}
        write_statement(out, document)
        if as_json:
            emit(document | {"file": str(out)}, as_json)
            return
        for each in drafted:
            console.print(each.notice["text"] + "\n", markup=False, highlight=False)
        missing = any(
            each.notice["legal_basis"] == "separate_consent" and not each.entry["separate_consent"] for each in drafted
        )
        emit({"file": str(out), "next": SEPARATELY if missing else signing_line(out, home)}, as_json)


@app.command()
def submit(statement: Statement, home: Home = None, as_json: AsJson = False) -> None:
    """提交一个请求的全部授权，授权须已签名。Submit the signed authorizations of one request. All are recorded, or none.

    示例 Example:  pingzheng consent submit authorization.json
    """
    entries = signed_entries(statement, read_statement(statement), "drafts")
    with opened(home, as_json) as ledger:
        rows = ledger.usage.subject_acts.authorise(ledger.actor(str(entries[0].get("subject"))), entries)
        emit_rows([_row(row) for row in rows], as_json, "授权 Authorizations")


@app.command("submit-file")
def submit_many(ledger: Ledger, file: StatementsFile, report: ReportFile = None, as_json: AsJson = False) -> None:
    """提交文件中已签名的多个授权，每行为一个请求的全部授权；中断后再次执行即可继续。Submit the signed authorizations in
    a file: each line has all authorizations of one request. After an interruption, run the command again to continue.

    示例 Example:  pingzheng consent submit-file authorizations.jsonl --report report.csv
    """
    submit_file(ledger, "authorizations", file, report, as_json)


@app.command()
def give(
    ledger: Ledger,
    request: Annotated[
        list[str] | None, typer.Argument(help="Ids of requests; or give --all instead.", show_default=False)
    ] = None,
    all_waiting: Annotated[
        bool, typer.Option("--all", help="Authorise every unanswered request whose subject's key is kept here.")
    ] = False,
    fields: Fields = None,
    days: Days = None,
    uses: Uses = None,
    separate_consent: SeparateConsent = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Sign without asking for confirmation."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """演示用：以本机代管的主体密钥，授权指定的请求或全部待答复的请求；中断后再次执行即可继续。Authorise some requests
    or all unanswered requests, with the subjects' keys that are kept here. After an interruption, run the command
    again.

    This is for demonstrations, and for firms that have their keys kept here. In production a party signs with its own
    key: `pingzheng consent draft`, `pingzheng sign`, `pingzheng consent submit`.

    示例 Examples:  pingzheng consent give --all · pingzheng consent give <request> --days 7 --yes
    """
    if all_waiting == bool(request):
        raise InvalidInput("REQUESTS_OR_ALL", "Give either request ids or --all.", where="request")
    giving.give(ledger, request or (), _choice(ledger, fields, days, uses, separate_consent), yes, as_json)


@app.command("list")
def listing(
    ledger: Ledger, party: PartyArgument, after: After = None, limit: Limit = 20, as_json: AsJson = False
) -> None:
    """列出某一参与方（作为主体、使用方或提供方）的授权。List the authorizations in which a party is subject, consumer
    or provider.

    示例 Example:  pingzheng consent list 91440803MA9X0002X5
    """
    rows = ledger.usage.authorizations.page(party_of(ledger, party), after, limit)
    emit_rows([_row(row) for row in rows], as_json, "授权 Authorizations")


@app.command()
def notice(ledger: Ledger, authorization: Identifier, by: By = "self", as_json: AsJson = False) -> None:
    """显示主体授权时看到的告知书原文。Show the notice that the subject saw when it authorised the request, word for
    word.

    示例 Example:  pingzheng consent notice <authorization> --by 9144…
    """
    shown = ledger.usage.own_statements.notice(actor_of(ledger, by), authorization)
    if as_json:
        emit(shown, as_json)
    else:
        console.print(shown["text"], markup=False, highlight=False)


@app.command()
def withdraw(
    ledger: Ledger, authorization: Identifier, key: SubjectKey, yes: Yes = False, as_json: AsJson = False
) -> None:
    """撤回授权：以该授权为依据的凭证被撤销，不再通过核验。Withdraw an authorization: certificates that rest on the
    authorization are revoked and fail verification. The subject's key signs the withdrawal; the service only sends it
    to the chain.

    示例 Example:  pingzheng consent withdraw <authorization> --key firm.key
    """
    signer = signer_of(key)
    acts, subject = ledger.usage.subject_acts, ledger.actor(ledger.usage.authorizations.get(authorization).subject)
    # This call raises an error unless the key belongs to the subject.
    drafted = acts.draft_withdrawal(subject, authorization, signer.kid)
    ask(WITHDRAW, yes, as_json)
    act = None if drafted.message is None else sign_act(drafted.message, signer)
    emit(_row(acts.withdraw(subject, authorization, sign_entry(drafted.entry, signer), act)), as_json)


@app.command("withdraw-direct")
def withdraw_direct(
    bundle: Annotated[
        Path,
        typer.Argument(
            help="File with the bundle of a certificate that rests on the authorization.", show_default=False
        ),
    ],
    key: SubjectKey,
    rpc_url: Annotated[
        str,
        typer.Option(help="Address of a node of the chain.", envvar="PINGZHENG_RPC_URL", show_default=False),
    ],
    authorization: Annotated[
        str | None, typer.Option(help="Withdraw only the authorization with this id; default: all that the bundle has.")
    ] = None,
    payer: Annotated[
        Path | None, typer.Option(help="Key file of another account, which sends the transaction and pays for it.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """主体不经平台，直接在链上撤回授权；撤回立即生效，不可恢复。Withdraw authorizations directly on the chain, without
    the platform. Verifiers see the withdrawal at once, and it cannot be undone.

    The command needs a bundle, a node of the chain and the subject's key, but no installation. With a P-256 key,
    another account must pay. A second run changes nothing.

    示例 Example:  pingzheng consent withdraw-direct bundle.json --key firm.key --rpc-url http://127.0.0.1:8545
    """
    held = parsed(bundle, MAX_BUNDLE_BYTES, parse_bundle)
    paying = None if payer is None else private_key_of(payer)
    private_key, signer = key_in(key)
    ask(WITHDRAW, yes, as_json)
    made = withdraw_by_itself(
        held, rpc_url, private_key, alg=signer.algorithm["alg"], authorization=authorization, payer=paying
    )
    emit_rows([_withdrawal(each, as_json) for each in made], as_json, "已撤回 Withdrawn")


@app.command()
def follow(ledger: Ledger, as_json: AsJson = False) -> None:
    """处理主体直接在链上撤回的授权，撤销有关凭证；服务运行时自动处理。Find the authorizations that subjects withdrew
    directly on the chain, and revoke the certificates that rest on them. A running service does this automatically.

    示例 Example:  pingzheng consent follow
    """
    emit_rows([_row(row) for row in ledger.usage.direct_withdrawals.follow()], as_json, "已撤回 Withdrawn")


def _choice(ledger: Ledger, fields: str | None, days: int | None, uses: int | None, separate_consent: bool) -> Choice:
    from ledger.usage.authorizations import Choice

    until = None if days is None else end_of_days(shanghai_day(ledger.clock()), days, "--days")
    return Choice(None if fields is None else tuple(fields.split(",")), until, uses, separate_consent)


def _withdrawal(made: DirectWithdrawal, as_json: bool) -> dict[str, Any]:
    return {
        "authorization": made.authorization,
        "statement": made.statement,
        "at": made.at if as_json else local_time(made.at),
        "tx": made.receipt.tx_hash if made.receipt else None,
        "gas": made.receipt.gas_used if made.receipt else None,
        "before": made.receipt is None,
    }


def _row(row: RecordedAuthorization) -> dict[str, object]:
    return {
        "authorization": row.id,
        "request": row.request_id,
        "source": row.source,
        "provider": row.provider,
        "state": row.state,
    }
