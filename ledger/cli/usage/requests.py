"""``pingzheng request``: a consumer requests data about a subject."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.shell.files import signer_of
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import actor_of, party_of
from ledger.cli.shell.opening import opened
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows, local_time, stderr
from ledger.cli.shell.personal import members_of
from ledger.cli.shell.statements import Statement, read_statement, signed_entries, signing_line, write_statement
from ledger.cli.usage.asking import SUBJECT_COLUMNS, ask_all
from ledger.cli.usage.options import After, By, Limit, PartyArgument, RequestId
from ledger.cli.usage.submitting import ReportFile, StatementsFile, submit_file
from ledger.connectors.tables import read_listing
from ledger.domain.days import end_of_days, shanghai_day
from ledger.errors import InvalidInput

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.parties.roles import Actor
    from ledger.usage.recorded import RecordedRequest
    from ledger.usage.request_notes import Note
    from ledger.usage.request_terms import Terms

app = Group()
Scenario = Annotated[str, typer.Option(help="Scenario code, such as S01.", show_default=False)]
PartyOption = Annotated[str, typer.Option(help="Party id, USCC or name.", show_default=False)]
Sources = Annotated[
    list[str],
    typer.Option(
        help="SOURCE=PROVIDER (party id, USCC or name); give this option once for each source.", show_default=False
    ),
]
Days = Annotated[int, typer.Option(min=1, help="For how many days the certificate is valid; today is the first day.")]
AnswerDays = Annotated[int, typer.Option(min=1, help="For how many days the subject can answer.")]
NoteFile = Annotated[
    Path | None,
    typer.Option(
        help=('JSON file with "contact" and, if wanted, "purpose_note" and "business_ref"; `-` reads standard input.')
    ),
]
Pia = Annotated[str | None, typer.Option(help="Digest of your impact assessment, sha-256:…")]
CHANNEL = "government_platform"
DEFAULT_ANSWER_DAYS = 7
NOTED = ("purpose_note", "business_ref")


@app.command()
def draft(
    scenario: Scenario,
    subject: PartyOption,
    consumer: PartyOption,
    source: Sources,
    fields: Annotated[str, typer.Option(help="Fields, separated by commas; default: all fields of the sources.")] = "",
    days: Days = 7,
    uses: Annotated[int, typer.Option(min=1)] = 1,
    channel: Annotated[str, typer.Option()] = CHANNEL,
    answer_days: AnswerDays = DEFAULT_ANSWER_DAYS,
    note: NoteFile = None,
    pia: Pia = None,
    out: Annotated[Path, typer.Option(help="File to which the unsigned request is written.")] = Path("request.json"),
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """起草用数请求；使用方签名并提交之后，请求才有记录。Draft a request. Nothing is recorded until the consumer has
    signed and submitted it. The contact, the purpose in your own words and your reference are read from a file or from
    the terminal, and are stored encrypted.

    示例 Example:  pingzheng request draft --scenario S01 --subject 9144… --consumer 9144… --source
    electricity=9144… --note note.json
    """
    written = _note(note)
    with opened(home, as_json) as ledger:
        asking = actor_of(ledger, consumer)
        terms = _terms(ledger, scenario, asking, source, days, answer_days, pia)
        terms = replace(terms, subject=party_of(ledger, subject), max_uses=uses, channel=channel)
        if fields:
            terms = replace(terms, fields=tuple(fields.split(",")))
        asked = ledger.usage.consumer_acts.draft(asking, terms, written)
        write_statement(out, {"entry": asked.entry, "note": asked.note})
        emit({"file": str(out), "request": asked.entry["id"], "next": signing_line(out, home)}, as_json)


@app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            help=f"CSV or Excel with one of the columns {', '.join(SUBJECT_COLUMNS)}, 名称 or 统一社会信用代码."
        ),
    ],
    scenario: Scenario,
    consumer: PartyOption,
    source: Sources,
    key: Annotated[
        Path | None, typer.Option(help="The consumer's key file; default: the key kept here (demo).")
    ] = None,
    days: Days = 7,
    answer_days: AnswerDays = DEFAULT_ANSWER_DAYS,
    note: NoteFile = None,
    pia: Pia = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of a CSV file, if it is not UTF-8: gb18030.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """以使用方的签名，向名单上的每个主体发出用数请求；主体已有待答复请求的，不再发出。Request data about every subject
    in a list, signed by the consumer. All lines are checked before the first request is recorded. A subject that has an
    unanswered request gets no second request, so you can run the command again after an interruption.

    示例 Example:  pingzheng request import firms.xlsx --scenario S01 --consumer 湛江第一银行 --source electricity=9144…
    --note note.json
    """
    written = _note(note)
    listed = read_listing(file, SUBJECT_COLUMNS, encoding)
    with opened(home, as_json) as ledger:
        asking = actor_of(ledger, consumer)
        terms = _terms(ledger, scenario, asking, source, days, answer_days, pia)
        account = ledger.parties.register.get(asking.party).account
        signer = ledger.custody.signer(account) if key is None else signer_of(key)
        rows = ask_all(ledger, asking, terms, written, file.name, listed, signer)
        for remark in listed.notes:
            stderr.print(remark, highlight=False, markup=False)
        emit_rows(rows, as_json, "用数请求 Requests")


def _note(file: Path | None) -> Note:
    """Read the consumer's note from a file, or ask for the note on the terminal."""
    from ledger.usage.request_notes import Note

    written = members_of(file, {"contact": "联系方式 Contact for the subject"}, dict.fromkeys(NOTED, ""))
    return Note(written["contact"], *(written.get(name, "") for name in NOTED))


def _terms(
    ledger: Ledger, scenario: str, consumer: Actor, source: list[str], days: int, answer_days: int, pia: str | None
) -> Terms:
    """Return the terms of a request without its subject: all fields of the sources, one use, and the government
    platform as the channel.
    """
    from ledger.usage.request_terms import Terms

    sources = {name: party_of(ledger, provider) for name, provider in map(_pair, source)}
    today = shanghai_day(ledger.clock())
    until = end_of_days(today, days, "--days")
    return Terms(
        scenario=scenario,
        subject="",
        consumer=consumer.party,
        sources=sources,
        fields=tuple(field.name for field in ledger.scenarios.get(scenario).fields if field.source in sources),
        valid_from=ledger.clock(),
        valid_to=until,
        max_uses=1,
        channel=CHANNEL,
        expires_at=min(end_of_days(today, answer_days, "--answer-days"), until),
        pia_digest=pia,
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, provider = text.partition("=")
    if not equals:
        raise InvalidInput(
            "SOURCE_FORM", "Write the source in the form SOURCE=PROVIDER.", where="--source", hint="electricity=9144…"
        )
    return name, provider


@app.command()
def submit(statement: Statement, home: Home = None, as_json: AsJson = False) -> None:
    """提交已签名的请求。Submit a signed request.

    示例 Example:  pingzheng request submit request.json
    """
    from ledger.usage.requests import Asked

    document = read_statement(statement)
    (entry,) = signed_entries(statement, document, "entry")
    with opened(home, as_json) as ledger:
        actor = ledger.actor(str(entry.get("consumer")))
        (row,) = ledger.usage.consumer_acts.ask(actor, [Asked(entry, document.get("note", {}))])
        emit(_row(row), as_json)


@app.command("submit-file")
def submit_many(ledger: Ledger, file: StatementsFile, report: ReportFile = None, as_json: AsJson = False) -> None:
    """提交文件中已签名的多个请求；中断后再次执行即可继续，已记录的会跳过。Submit the signed requests in a file, each
    with its statement and note. A request that is refused does not stop the others. After an interruption, run the
    command again to continue.

    示例 Example:  pingzheng request submit-file requests.jsonl --report report.csv
    """
    submit_file(ledger, "requests", file, report, as_json)


@app.command("list")
def listing(
    ledger: Ledger,
    party: PartyArgument,
    state: Annotated[
        str | None, typer.Option(help="Only requests in this state: sent, seen, authorised, declined, …")
    ] = None,
    after: After = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """列出一个参与方提出或收到的请求。List the requests that a party made or received.

    示例 Example:  pingzheng request list 91440803MA9X0002X5 --state sent
    """
    rows = ledger.usage.requests.page(party_of(ledger, party), after, limit, state)
    emit_rows([_row(row) for row in rows], as_json, "用数请求 Requests")


@app.command()
def show(ledger: Ledger, request: RequestId, as_json: AsJson = False) -> None:
    """查看一个请求及其授权。Show one request and its authorizations.

    示例 Example:  pingzheng request show <request>
    """
    found = ledger.usage.own_statements.request(ledger.actor(ledger.party), request)
    asked = found.entry
    given = [{"authorization": each.id, "source": each.source, "state": each.state} for each in found.authorizations]
    terms = {name: asked[name] for name in ("fields", "sources", "channel", "max_uses")}
    period = f"{local_time(asked['valid_from'])} – {local_time(asked['valid_to'])}"
    emit(_row(found.request) | terms | {"period": period, "authorizations": given}, as_json, "用数请求 Request")


@app.command()
def decline(ledger: Ledger, request: RequestId, by: By = "self", as_json: AsJson = False) -> None:
    """主体拒绝请求。As the subject, decline a request.

    示例 Example:  pingzheng request decline <request> --by 9144…
    """
    emit(_row(ledger.usage.subject_acts.decline(actor_of(ledger, by), request)), as_json)


@app.command()
def cancel(ledger: Ledger, request: RequestId, by: By = "self", as_json: AsJson = False) -> None:
    """使用方取消请求。As the consumer, cancel a request.

    示例 Example:  pingzheng request cancel <request> --by 9144…
    """
    emit(_row(ledger.usage.consumer_acts.cancel(actor_of(ledger, by), request)), as_json)


def _row(row: RecordedRequest) -> dict[str, object]:
    return {
        "request": row.id,
        "scenario": row.scenario,
        "subject": row.subject,
        "consumer": row.consumer,
        "state": row.state,
        "answer_until": local_time(row.expires_at),
    }
