"""``pingzheng request``: what a consumer asks of a subject."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.shell.files import signer_of
from ledger.cli.shell.naming import party_of
from ledger.cli.shell.opening import opened
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows, errors_explained, local_time, stderr
from ledger.cli.shell.personal import members_of
from ledger.cli.shell.statements import Statement, read_statement, signed_entries, write_statement
from ledger.cli.usage.asking import SUBJECT_COLUMNS, Question, ask_all
from ledger.cli.usage.options import After, Limit, PartyArgument, RequestId
from ledger.connectors.tables import read_listing
from ledger.domain.days import end_of_days, shanghai_day
from ledger.errors import InvalidInput

if TYPE_CHECKING:
    from ledger.usage.recorded import RecordedRequest

app = typer.Typer(no_args_is_help=True)
Scenario = Annotated[str, typer.Option(help="Such as S01.", show_default=False)]
PartyOption = Annotated[str, typer.Option(help="Party id, USCC or name.", show_default=False)]
Sources = Annotated[
    list[str],
    typer.Option(help="SOURCE=PROVIDER (party id, USCC or name); once for each source.", show_default=False),
]
Days = Annotated[int, typer.Option(min=1, help="Days of validity, today the first.")]
AnswerDays = Annotated[int, typer.Option(min=1, help="Days in which the subject may answer.")]
NoteFile = Annotated[
    Path | None,
    typer.Option(help='JSON with "contact", and perhaps "purpose_note" and "business_ref"; `-`: standard input.'),
]
Pia = Annotated[str | None, typer.Option(help="Digest of your impact assessment, sha-256:…")]
DEFAULT_ANSWER_DAYS = 7
NOTED = ("purpose_note", "business_ref")


@app.command()
def draft(
    scenario: Scenario,
    subject: PartyOption,
    consumer: PartyOption,
    source: Sources,
    fields: Annotated[str, typer.Option(help="By comma; default: all that the sources give.")] = "",
    days: Days = 7,
    uses: Annotated[int, typer.Option(min=1)] = 1,
    channel: Annotated[str, typer.Option()] = "government_platform",
    answer_days: AnswerDays = DEFAULT_ANSWER_DAYS,
    note: NoteFile = None,
    pia: Pia = None,
    out: Annotated[Path, typer.Option(help="Where the unsigned request goes.")] = Path("request.json"),
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """起草用数请求；使用方签名提交之前不留记录。Draft a request; nothing is recorded until the consumer has signed
    and submitted it. Whom the subject can ask, your own words and your reference are read from a file, or asked for;
    they are kept sealed.

    示例 Example:  pingzheng request draft --scenario S01 --subject 9144… --consumer 9144… --source
    electricity=9144… --note note.json
    """
    from ledger.usage.request_notes import Note
    from ledger.usage.request_terms import Terms

    with errors_explained(as_json):
        told = members_of(note, {"contact": "联系方式 Whom the subject can ask"}, dict.fromkeys(NOTED, ""))
    with opened(home, as_json) as ledger:
        now = ledger.clock()
        today = shanghai_day(now)
        sources = {name: party_of(ledger, provider) for name, provider in map(_pair, source)}
        chosen = [field.name for field in ledger.scenarios.get(scenario).fields if field.source in sources]
        until = end_of_days(today, days, "--days")
        terms = Terms(
            scenario=scenario,
            subject=party_of(ledger, subject),
            consumer=party_of(ledger, consumer),
            sources=sources,
            fields=tuple(fields.split(",") if fields else chosen),
            valid_from=now,
            valid_to=until,
            max_uses=uses,
            channel=channel,
            expires_at=min(end_of_days(today, answer_days, "--answer-days"), until),
            pia_digest=pia,
        )
        asked = ledger.usage.requests.draft(terms, Note(told["contact"], *(told.get(name, "") for name in NOTED)))
        write_statement(out, {"entry": asked.entry, "note": asked.note})
        emit({"file": str(out), "request": asked.entry["id"], "next": f"pingzheng sign {out} --key …"}, as_json)


@app.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(help=f"CSV or Excel; a column of: {', '.join(SUBJECT_COLUMNS)}; or 名称, 统一社会信用代码."),
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
    encoding: Annotated[str | None, typer.Option(help="Of a CSV file, if it is not UTF-8: gb18030.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """向名单上的每个主体请求用数，全部或全不；已有未了请求的不重复。Ask every subject of a list, all or none, signed by
    the consumer; whom it has asked already and who can still answer is not asked again.

    示例 Example:  pingzheng request import firms.xlsx --scenario S01 --consumer 湛江第一银行 --source electricity=9144…
    --note note.json
    """
    from ledger.usage.request_notes import Note

    with errors_explained(as_json):
        told = members_of(note, {"contact": "联系方式 Whom the subject can ask"}, dict.fromkeys(NOTED, ""))
        listed = read_listing(file, SUBJECT_COLUMNS, encoding)
    with opened(home, as_json) as ledger:
        asking = party_of(ledger, consumer)
        sources = {name: party_of(ledger, provider) for name, provider in map(_pair, source)}
        today = shanghai_day(ledger.clock())
        until = end_of_days(today, days, "--days")
        question = Question(
            scenario=scenario,
            consumer=asking,
            sources=sources,
            until=until,
            answer_until=min(end_of_days(today, answer_days, "--answer-days"), until),
            note=Note(told["contact"], *(told.get(name, "") for name in NOTED)),
            pia=pia,
        )
        signer = ledger.custody.signer(ledger.parties.register.get(asking).account) if key is None else signer_of(key)
        rows = ask_all(ledger, question, file.name, listed, signer)
        for remark in listed.notes:
            stderr.print(remark, highlight=False, markup=False)
        emit_rows(rows, as_json, "用数请求 Requests")


def _pair(text: str) -> tuple[str, str]:
    name, equals, provider = text.partition("=")
    if not equals:
        raise InvalidInput("SOURCE_FORM", "A source reads SOURCE=PROVIDER.", where="--source", hint="electricity=9144…")
    return name, provider


@app.command()
def submit(statement: Statement, home: Home = None, as_json: AsJson = False) -> None:
    """提交已签名的请求。Record a signed request.

    示例 Example:  pingzheng request submit request.json
    """
    from ledger.usage.requests import Asked

    with errors_explained(as_json):
        document = read_statement(statement)
        (entry,) = signed_entries(statement, document, "entry")
    with opened(home, as_json) as ledger:
        (row,) = ledger.usage.requests.submit([Asked(entry, document.get("note", {}))])
        emit(_row(row), as_json)


@app.command("list")
def listing(
    party: PartyArgument,
    state: Annotated[str | None, typer.Option(help="sent, seen, authorised, declined, …")] = None,
    after: After = None,
    limit: Limit = 20,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """参与方提出或收到的请求。Requests that a party made or received.

    示例 Example:  pingzheng request list 91440803MA9X0002X5 --state sent
    """
    with opened(home, as_json) as ledger:
        rows = ledger.usage.requests.page(party_of(ledger, party), after, limit, state)
        emit_rows([_row(row) for row in rows], as_json, "用数请求 Requests")


@app.command()
def show(request: RequestId, home: Home = None, as_json: AsJson = False) -> None:
    """一个请求：谁要什么，授权了什么。One request: what is asked, by whom, and what was authorised.

    示例 Example:  pingzheng request show <request>
    """
    with opened(home, as_json) as ledger:
        row = ledger.usage.requests.get(request)
        asked = ledger.usage.requests.statement(request)
        given = [
            {"authorization": each.id, "source": each.source, "state": each.state}
            for each in ledger.usage.authorizations.of_request(request)
        ]
        told = {name: asked[name] for name in ("fields", "sources", "channel", "max_uses")}
        period = f"{local_time(asked['valid_from'])} – {local_time(asked['valid_to'])}"
        emit(_row(row) | told | {"period": period, "authorizations": given}, as_json, "用数请求 Request")


@app.command()
def decline(request: RequestId, home: Home = None, as_json: AsJson = False) -> None:
    """代主体拒绝请求。Say no, for the subject.

    示例 Example:  pingzheng request decline <request>
    """
    with opened(home, as_json) as ledger:
        emit(_row(ledger.usage.requests.decline(request)), as_json)


@app.command()
def cancel(request: RequestId, home: Home = None, as_json: AsJson = False) -> None:
    """代使用方撤回请求。Take a request back, for the consumer.

    示例 Example:  pingzheng request cancel <request>
    """
    with opened(home, as_json) as ledger:
        emit(_row(ledger.usage.requests.cancel(request)), as_json)


def _row(row: RecordedRequest) -> dict[str, object]:
    return {
        "request": row.id,
        "scenario": row.scenario,
        "subject": row.subject,
        "consumer": row.consumer,
        "state": row.state,
        "answer_until": local_time(row.expires_at),
    }
