"""``pingzheng consent``: what a subject allows of a request, notice by notice, and takes back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.chain.withdrawing import DirectWithdrawal, withdraw_by_itself
from ledger.cli.shell.files import key_in, parsed, private_key_of, signer_of
from ledger.cli.shell.naming import party_of
from ledger.cli.shell.opening import opened
from ledger.cli.shell.output import AsJson, Home, console, emit, emit_rows, errors_explained, local_time
from ledger.cli.shell.statements import Statement, read_statement, signed_entries, write_statement
from ledger.cli.usage import giving
from ledger.cli.usage.options import After, Limit, PartyArgument, RequestId
from ledger.domain.days import end_of_days, shanghai_day
from ledger.errors import InvalidInput
from ledger.proof.acts import sign_act
from ledger.proof.bundle import MAX_BUNDLE_BYTES, parse_bundle
from ledger.proof.jws import sign_entry

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.usage.authorizations import Choice
    from ledger.usage.recorded import RecordedAuthorization

app = typer.Typer(no_args_is_help=True)
Identifier = Annotated[str, typer.Argument(help="Authorization id.", show_default=False)]
Fields = Annotated[str | None, typer.Option(help="Allow only these, by comma; default: all asked for.")]
Days = Annotated[int | None, typer.Option(min=1, help="Allow only so many days; default: as asked.")]
Uses = Annotated[int | None, typer.Option(min=1, help="Allow only so many uses; default: as asked.")]
SeparateConsent = Annotated[bool, typer.Option("--separate-consent", help="A person's consent to this by itself.")]
SubjectKey = Annotated[Path, typer.Option(help="The subject's private key file.", show_default=False)]


@app.command()
def draft(
    request: RequestId,
    fields: Fields = None,
    days: Days = None,
    uses: Uses = None,
    separate_consent: SeparateConsent = False,
    out: Annotated[Path, typer.Option(help="Where the unsigned statements go.")] = Path("authorization.json"),
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """要阅读的告知书，每个来源一份，以及待签名的声明；不留记录。The notices to read, one a source, and the
    statements to sign; nothing is recorded.

    示例 Example:  pingzheng consent draft 01KA… --fields usage_band,on_time_95
    """
    with opened(home, as_json) as ledger:
        ledger.usage.requests.see(request)
        drafted = ledger.usage.authorizations.draft(request, _choice(ledger, fields, days, uses, separate_consent))
        document = {"drafts": [{"notice": each.notice, "entry": each.entry} for each in drafted]}
        write_statement(out, document)
        if as_json:
            emit(document | {"file": str(out)}, as_json)
            return
        for each in drafted:
            console.print(each.notice["text"] + "\n", markup=False, highlight=False)
        emit({"file": str(out), "next": f"pingzheng sign {out} --key …"}, as_json)


@app.command()
def submit(statement: Statement, home: Home = None, as_json: AsJson = False) -> None:
    """提交一个请求的已签名授权，全部或全不。Record the signed authorizations of a request, all or none.

    示例 Example:  pingzheng consent submit authorization.json
    """
    with errors_explained(as_json):
        entries = signed_entries(statement, read_statement(statement), "drafts")
    with opened(home, as_json) as ledger:
        rows = ledger.usage.authorizations.submit(entries)
        emit_rows([_row(row) for row in rows], as_json, "授权 Authorizations")


@app.command()
def give(
    request: Annotated[list[str] | None, typer.Argument(help="Request ids; or --all.", show_default=False)] = None,
    all_waiting: Annotated[
        bool, typer.Option("--all", help="Every request that waits and whose subject's key is kept here.")
    ] = False,
    fields: Fields = None,
    days: Days = None,
    uses: Uses = None,
    separate_consent: SeparateConsent = False,
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """演示用：以此处代管的主体密钥授权，一个或全部请求；可重复执行。Consent with the keys that this installation keeps
    for subjects, to one request or to all that wait. It can be repeated, and goes on where it was interrupted.

    For demonstrations, and for firms that have their keys kept here. In production a party signs with its own key:
    `pingzheng consent draft`, `pingzheng sign`, `pingzheng consent submit`.

    示例 Examples:  pingzheng consent give --all · pingzheng consent give <request> --days 7 --yes
    """
    with opened(home, as_json) as ledger:
        if all_waiting == bool(request):
            raise InvalidInput("REQUESTS_OR_ALL", "Name requests, or say --all, and not both.", where="request")
        giving.give(ledger, request or (), _choice(ledger, fields, days, uses, separate_consent), yes, as_json)


@app.command("list")
def listing(
    party: PartyArgument,
    after: After = None,
    limit: Limit = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """参与方给出、收到或据以提供的授权。Authorizations that a party gave, received, or supplies under.

    示例 Example:  pingzheng consent list 91440803MA9X0002X5
    """
    with opened(home, as_json) as ledger:
        rows = ledger.usage.authorizations.page(party_of(ledger, party), after, limit)
        emit_rows([_row(row) for row in rows], as_json, "授权 Authorizations")


@app.command()
def notice(authorization: Identifier, home: Home = None, as_json: AsJson = False) -> None:
    """主体当时看到的告知书，一字不差。The notice that the subject was shown, word for word.

    示例 Example:  pingzheng consent notice <authorization>
    """
    with opened(home, as_json) as ledger:
        told = ledger.usage.authorizations.notice(authorization)
        if as_json:
            emit(told, as_json)
        else:
            console.print(told["text"], markup=False, highlight=False)


@app.command()
def withdraw(
    authorization: Identifier,
    key: SubjectKey,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """撤回授权：以它为依据的凭证随之终止，下一次核验不再通过。Withdraw a consent: what rests on it ends, and its
    next verification fails. The key signs the withdrawal for the chain; the service only sends it.

    示例 Example:  pingzheng consent withdraw <authorization> --key firm.key
    """
    with opened(home, as_json) as ledger:
        signer = signer_of(key)
        drafted = ledger.usage.withdrawals.draft(authorization, signer.kid)
        act = None if drafted.message is None else sign_act(drafted.message, signer)
        emit(_row(ledger.usage.withdrawals.withdraw(sign_entry(drafted.entry, signer), act)), as_json)


@app.command("withdraw-direct")
def withdraw_direct(
    bundle: Annotated[Path, typer.Argument(help="Bundle of a certificate that rests on it.", show_default=False)],
    key: SubjectKey,
    rpc_url: Annotated[str, typer.Option(help="A node of the chain.", envvar="PINGZHENG_RPC_URL", show_default=False)],
    authorization: Annotated[str | None, typer.Option(help="Only the one with this id; default: all.")] = None,
    payer: Annotated[Path | None, typer.Option(help="Key file of another account, which relays and pays.")] = None,
    as_json: AsJson = False,
) -> None:
    """主体自行在链上撤回授权，不经服务；核验方从此遵从，不可恢复。Withdraw consents on the chain by oneself,
    without the service: verifiers honour it from then on, for good.

    Needs a bundle, a node and the subject's key; no ledger of one's own. A P-256 key needs a payer. Doing it again
    changes nothing.

    示例 Example:  pingzheng consent withdraw-direct bundle.json --key firm.key --rpc-url http://127.0.0.1:8545
    """
    with errors_explained(as_json):
        held = parsed(bundle, MAX_BUNDLE_BYTES, parse_bundle)
        paying = None if payer is None else private_key_of(payer)
        private_key, signer = key_in(key)
        made = withdraw_by_itself(
            held,
            rpc_url,
            private_key,
            alg=signer.algorithm["alg"],
            authorization=authorization,
            payer=paying,
        )
        emit_rows([_withdrawal(each, as_json) for each in made], as_json, "已撤回 Withdrawn")


@app.command()
def follow(home: Home = None, as_json: AsJson = False) -> None:
    """在此终止主体自行在链上撤回的授权及以其为依据的凭证；服务运行时会自行处理。End here what subjects withdrew on
    the chain by themselves, and what rests on it; a server does so by itself.

    示例 Example:  pingzheng consent follow
    """
    with opened(home, as_json) as ledger:
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
