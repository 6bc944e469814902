"""``pingzheng provision`` on the provider's own machine. The provider's rows, key and records never leave this
machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from ledger.chain.contracts.deployment import Deployment
from ledger.chain.reading.reader import ChainReader
from ledger.chain.reading.remembering import Remembered
from ledger.chain.sending.client import ChainClient
from ledger.cli.shell.files import line_in, parsed, signer_of
from ledger.cli.shell.naming import PARTY_ID, actor_of
from ledger.cli.shell.opening import opened
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows, progress
from ledger.cli.usage.answer_report import report
from ledger.connectors.answers import Connector, NoData, Refused
from ledger.domain.days import day_of, shanghai_day
from ledger.errors import InvalidInput, Misconfigured, Unauthenticated
from ledger.provider.answer_store import AnswerStore
from ledger.provider.manual import Given, RowsFile
from ledger.provider.platform import HttpPlatform, Platform
from ledger.provider.provider import Provider
from ledger.provider.registry import Registry
from ledger.provider.run import CHUNK, Done, Sources, answered, go_round, settle, sign, unanswered
from ledger.provider.run import answer as answer_tasks
from ledger.provider.service import HttpService
from ledger.provider.supply import Supply, answers_to_bytes, parse_receipt
from ledger.provider.task import MAX_LIST_BYTES, MAX_TASKS, Task, parse_tasks
from ledger.wallet.private_file import write_private

API_KEY: Final = "PINGZHENG_API_KEY"
MAX_KEY_BYTES: Final = 256

Key = Annotated[Path, typer.Option(help="The provider's private key file.", show_default=False)]
Folder = Annotated[
    Path, typer.Option("--records", help="Private folder for the provider's own records.", envvar="PINGZHENG_RECORDS")
]
Node = Annotated[
    str | None, typer.Option("--rpc-url", help="Address of a node of the chain, which shows to whom keys belong.")
]
DeploymentFile = Annotated[
    Path | None, typer.Option("--deployment", help="The ledger's deployment.json; required if --rpc-url is given.")
]
RECORDS: Final = Path("provider-records")

ApiKeyFile = Annotated[
    Path | None,
    typer.Option(help=f"File with an API key (scopes payload, act, read). Without it, ${API_KEY} contains the key."),
]


def run(
    party: Annotated[
        str, typer.Argument(metavar="PROVIDER", help="Provider's party id; with --home also USCC.", show_default=False)
    ],
    sources: Annotated[Path, typer.Option(help="Folder of source definitions.", envvar="PINGZHENG_SOURCES")],
    key: Annotated[
        Path | None,
        typer.Option(
            help="Provider's key file; default without --service: the key kept here (demo).", show_default=False
        ),
    ] = None,
    records: Folder = RECORDS,
    service: Annotated[
        str | None, typer.Option(help="Address of the platform; default: the installation in --home.")
    ] = None,
    api_key: ApiKeyFile = None,
    authorization: Annotated[
        list[str] | None,
        typer.Option(help="Answer only the authorizations with these ids; a new answer corrects an earlier one."),
    ] = None,
    rpc_url: Node = None,
    deployment: DeploymentFile = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """答复全部待答复的授权：查询提供方自己的数据源，在本机计算并签名；数据行不离开本机。Answer all unanswered
    authorizations: query the provider's own sources, then compute and sign on this machine. No row leaves the machine.
    After Ctrl-C, run the command again to continue.

    Sign in with the provider's key (--service and --deployment), or give an API key.

    示例 Example:  pingzheng provision run 9144… --sources sources --key grid.key
    """
    from ledger.rulebooks.sources import SourceBook

    if service is None:
        with opened(home, as_json) as ledger:
            actor = actor_of(ledger, party)
            registry = Registry(ledger.reader, Remembered(ledger.reader, _seen(records)))
            account = ledger.parties.register.get(actor.party).account
            signer = ledger.custody.signer(account) if key is None else signer_of(key)
            provider = Provider(actor.party, signer, AnswerStore(records), ledger.clock, registry)
            platform = ledger.usage.provider_acts.platform(actor)
            _round(provider, platform, SourceBook.load(sources).connector, authorization, as_json)
        return
    own = _party_id(party)
    if key is None:
        raise InvalidInput(
            "PROVIDER_KEY_MISSING",
            "With --service the provider must sign with its own key.",
            where="--key",
            hint="Give the provider's key file with --key.",
        )
    reached, signed_in = _platform(service, own, key, api_key, deployment)
    node = None if signed_in and rpc_url is None else deployment
    provider = _provider(own, key, records, rpc_url, node)
    _round(provider, reached, SourceBook.load(sources).connector, authorization, as_json)


def answer(
    tasks: Annotated[Path, typer.Argument(help="File with tasks, from the platform.", show_default=False)],
    key: Key,
    sources: Annotated[
        Path | None, typer.Option(help="Folder of source definitions.", envvar="PINGZHENG_SOURCES")
    ] = None,
    rows: Annotated[
        Path | None, typer.Option(help="CSV file with the rows of one subject; give it instead of --sources.")
    ] = None,
    as_of: Annotated[str, typer.Option(help="The day that the rows describe, YYYY-MM-DD; default: today.")] = "",
    name_column: Annotated[str | None, typer.Option(help="The column that contains the subject's name.")] = None,
    refuse: Annotated[
        str | None,
        typer.Option(help="Refuse the task and supply no data, for this reason: out_of_scope, under_correction …"),
    ] = None,
    no_data: Annotated[bool, typer.Option("--no-data", help="Answer that there is no data about the subject.")] = False,
    authorization: Annotated[
        list[str] | None, typer.Option(help="Answer only the tasks about the authorizations with these ids.")
    ] = None,
    out: Annotated[Path, typer.Option(help="File to which the answers are written.")] = Path("answers.json"),
    records: Folder = RECORDS,
    rpc_url: Node = None,
    deployment: DeploymentFile = None,
    as_json: AsJson = False,
) -> None:
    """离线答复任务文件：用数据源计算全部答复，或手工答复一个任务。Answer a file of tasks offline. Compute all answers
    from sources; or answer one task by hand with rows, with a refusal, or with "no data". The answers are signed and
    contain no rows.

    示例 Example:  pingzheng provision answer tasks.json --sources sources --key grid.key --out answers.json
    """
    found = parsed(tasks, MAX_LIST_BYTES, parse_tasks)
    chosen = [task for task in found.tasks if not authorization or task.authorization["id"] in authorization]
    asked = _sources_for(chosen, sources, rows, as_of, name_column, refuse, no_data)
    provider = _provider(_named_in(chosen), key, records, rpc_url, deployment)
    provider.answers.erase(found.erasures)
    done = list(_signed(provider, asked, chosen, bool(authorization)))
    waiting = provider.answers.waiting(MAX_TASKS)
    write_private(out, answers_to_bytes(waiting).decode())
    report(done, as_json, {"file": str(out), "answers": len(waiting)})


def received(
    receipt: Annotated[Path, typer.Argument(help="File with the platform's receipt.", show_default=False)],
    records: Folder = RECORDS,
    as_json: AsJson = False,
) -> None:
    """读入平台的回执；对平台已收到的答复，删除其中的披露内容。Read the platform's receipt. If the platform has received
    an answer, delete its disclosures here, and keep only the signed entry and the salt of the rows.

    示例 Example:  pingzheng provision received receipt.json
    """
    outcome = parsed(receipt, MAX_LIST_BYTES, parse_receipt)
    kept = AnswerStore(records)
    settled = settle(kept, outcome.received, outcome.refused)
    emit({"settled": settled, "waiting": len(kept.waiting())}, as_json, "回执 Receipt")


def confirm(
    party: Annotated[
        str | None,
        typer.Argument(help="The new party id to confirm; without it, list the party ids that wait for confirmation."),
    ] = None,
    records: Folder = RECORDS,
    as_json: AsJson = False,
) -> None:
    """经办人先向主体核实，再确认主体改用了新的参与方编号。Confirm, as the clerk, that a subject has a new party id.
    First ask the subject whether the new party id is right.

    示例 Example:  pingzheng provision confirm
    """
    kept = AnswerStore(records)
    if party is None:
        rows = [
            {"party": each.party, "before": each.known, "identifier": each.identifier, "since": each.since}
            for each in kept.changed()
        ]
        emit_rows(rows, as_json, "待确认 To confirm")
        return
    kept.confirm(party)
    emit({"party": party, "confirmed": True}, as_json, "已确认 Confirmed")


def _round(
    provider: Provider, platform: Platform, sources: Sources, authorizations: list[str] | None, as_json: bool
) -> None:
    if authorizations:
        tasks = [platform.task(identifier) for identifier in authorizations]
        done = answer_tasks(provider, platform, sources, tasks, correcting=True)
    else:
        done = go_round(provider, platform, sources)
    report(list(_watched(done)), as_json, {})


def _signed(provider: Provider, sources: Sources, tasks: list[Task], correcting: bool) -> Iterator[Done]:
    with progress() as bar:
        shown = bar.add_task("提供 answer", total=len(tasks))
        for start in range(0, len(tasks), CHUNK):
            some = tasks[start : start + CHUNK]
            for task, outcome in zip(some, sign(provider, sources, some, correcting), strict=True):
                if isinstance(outcome, Supply):
                    yield answered(outcome, None, some)
                else:
                    yield unanswered(task, outcome)
            bar.advance(shown, len(some))


def _watched(done: Iterable[Done]) -> Iterator[Done]:
    with progress() as bar:
        shown = bar.add_task("提供 answer", total=None)
        for each in done:
            bar.advance(shown)
            yield each


def _provider(party: str, key: Path, records: Path, rpc_url: str | None, deployment: Path | None) -> Provider:
    return Provider(
        party, signer_of(key), AnswerStore(records), lambda: int(time.time()), _registry(records, rpc_url, deployment)
    )


def _seen(records: Path) -> Path:
    """Return the file, beside the folder of the records, that stores which block of the chain was seen last."""
    return records.with_name(f"{records.name}-seen.json")


def _registry(records: Path, rpc_url: str | None, deployment: Path | None) -> Registry | None:
    if rpc_url is None and deployment is None:
        return None
    if rpc_url is None or deployment is None:
        raise Misconfigured(
            "NODE_INCOMPLETE",
            "To ask a node, the command needs both the node's address and the ledger's deployment file.",
            where="--rpc-url, --deployment",
            hint="Give --rpc-url and --deployment, or neither. Ask the operator for the deployment file.",
        )
    reader = ChainReader(ChainClient.at(rpc_url, Deployment.load(deployment)).check())
    return Registry(reader, Remembered(reader, _seen(records)))


def _sources_for(
    tasks: list[Task],
    folder: Path | None,
    rows: Path | None,
    as_of: str,
    name_column: str | None,
    refuse: str | None,
    no_data: bool,
) -> Sources:
    """Return the sources in the folder. If an option gives an answer by hand, return a source that returns this
    answer.
    """
    from ledger.rulebooks.sources import SourceBook

    now = int(time.time())
    by_hand: list[Connector] = []
    if rows is not None:
        by_hand.append(RowsFile(rows, day_of(as_of, "--as-of") if as_of else shanghai_day(now), name_column))
    by_hand += [Given(Refused(refuse, now))] if refuse is not None else []
    by_hand += [Given(NoData(now))] if no_data else []
    if len(by_hand) > 1 or (by_hand and len(tasks) != 1) or (not by_hand and folder is None):
        raise InvalidInput(
            "ANSWER_AMBIGUOUS",
            "Give sources for all tasks, or one answer by hand for one task.",
            where="--sources, --rows, --refuse, --no-data",
            hint="Choose the task with --authorization.",
        )
    return (lambda *_: by_hand[0]) if by_hand else SourceBook.load(folder).connector


def _named_in(tasks: list[Task]) -> str:
    """Return the party id of the provider that the tasks name. The answers must be signed with a key of this
    provider.
    """
    if not tasks:
        raise InvalidInput(
            "TASKS_NONE",
            "The file contains none of the chosen tasks.",
            where="tasks",
            hint="Get new tasks from the platform.",
        )
    return str(tasks[0].authorization["provider"])


def _party_id(name: str) -> str:
    if not PARTY_ID.fullmatch(name):
        raise InvalidInput(
            "PROVIDER_ID_FORM",
            "With --service, give the provider's party id, 64 hex digits.",
            where="PROVIDER",
            hint="Ask the operator for the id: `pingzheng party list` shows it.",
        )
    return name


def _platform(
    service: str, party: str, key: Path, api_key: Path | None, deployment: Path | None
) -> tuple[HttpPlatform, bool]:
    """Return the connection to the platform, and whether it uses a session (true) or an API key (false)."""
    if (given := _api_key(api_key)) is not None:
        return HttpPlatform(service, given), False
    if deployment is None:
        raise Unauthenticated(
            "SESSION_MISSING",
            "This call needs a session or an API key.",
            where="--deployment",
            hint=f"Give --deployment to sign in with --key; or give --api-key, or set ${API_KEY}.",
        )
    chain, signer = Deployment.load(deployment).chain, signer_of(key)

    def token() -> str:
        return HttpService(service).sign_in(chain, party, signer, int(time.time())).token

    return HttpPlatform(service, token(), renew=token), True


def _api_key(path: Path | None) -> str | None:
    """Read the API key from a file or from the environment. The key is not an argument, because other users of the
    machine can see arguments.
    """
    if path is None:
        return os.environ.get(API_KEY, "").strip() or None
    text = line_in(path, MAX_KEY_BYTES)
    if not text:
        raise Unauthenticated(
            "SESSION_MISSING",
            "The file holds no API key.",
            where=str(path),
            hint="Create one: `pingzheng api-key new --out FILE`.",
        )
    return text
