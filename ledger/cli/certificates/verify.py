"""``pingzheng verify`` and ``pingzheng facts``: verify a bundle, with the chain or with facts (chain data) from a
file.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.certificates.printed_report import ACCEPTED, FIELDS_MISSING, NOT_ACCEPTED, print_report
from ledger.cli.shell.files import in_utf8, json_in, of_file
from ledger.cli.shell.naming import PARTY_ID, TIMES, party_form, party_of, seconds_of
from ledger.cli.shell.opening import participating
from ledger.cli.shell.output import (
    EXIT_NOT_VALID,
    AsJson,
    Home,
    emit,
    local_time,
    print_json,
)
from ledger.cli.shell.terminal import verdict_stands
from ledger.errors import InvalidInput
from ledger.installation.settings import Settings
from ledger.proof.bundle import MAX_BUNDLE_BYTES, parse_bundle
from ledger.proof.facts_file import MAX_FACTS_BYTES, parse_facts
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation, verify
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.rulebooks.templates import expecting

if TYPE_CHECKING:
    from ledger.installation.participant import Participant

MAX_REQUEST_BYTES = 4096
_OWN_REQUEST = (
    "核验请求的写法见 docs/guides/verifying.zh.md；也可改用 --consumer 和 --nonce。"
    "See docs/guides/verifying.md for the verifier's request, or give --consumer and --nonce instead."
)
_OTHER_REQUEST = (
    "这是 `pingzheng request draft` 写出的用数请求，不是核验请求：请改用 --consumer 和 --nonce。"
    "This file is the request for data that `pingzheng request draft` wrote: give --consumer and --nonce instead."
)

BundleFile = Annotated[Path, typer.Argument(help="Bundle file.", show_default=False)]


def verify_command(
    bundle: Annotated[str, typer.Argument(help="Bundle file; or a certificate number, to show its status.")],
    facts: Annotated[
        Path | None,
        typer.Option(help="File that `pingzheng facts` wrote. With it, the bundle is verified without a network."),
    ] = None,
    request: Annotated[
        Path | None,
        typer.Option(
            help="JSON file with the verifier's request. Members: consumer, nonce; optional: accept, templates."
        ),
    ] = None,
    consumer: Annotated[
        str | None, typer.Option(help="The verifying party: party id, USCC or name of an institution.")
    ] = None,
    nonce: Annotated[str | None, typer.Option(help="The nonce that the verifier gave the holder.")] = None,
    at: Annotated[str | None, typer.Option(help=f"Verify for this time: {TIMES}; default now.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """核验凭证包，共十一项检查。本机有场景文件的，凭证的规则须与文件一致；
    请求文件写有可接受的取值的，一并比较披露的字段。退出码：0 表示有效且符合要求，1 表示无效或不符合要求，2
    表示无法检查。Verify a bundle in eleven numbered checks. If the scenario's file is known here, the rules are
    compared with the file. If the request file lists accepted values, the disclosed fields are compared with them. Exit
    code 0: valid and accepted, 1: not valid or not accepted, 2: could not be checked.

    示例 Example:  pingzheng verify demo-out/verify/bundle.json --facts demo-out/verify/facts.json --request
    demo-out/verify/request.json
    """
    if bundle.startswith("DAC-"):
        with participating(home, as_json) as ledger:
            status = ledger.verification.status(bundle)
            with verdict_stands():
                emit(status, as_json, bundle)
        if status["state"] != "active":
            raise typer.Exit(EXIT_NOT_VALID)
        return
    expect, accept = _asked(request, None if consumer is None else _party_of(home, consumer, as_json), nonce)
    report = _report(bundle, facts, expect, None if at is None else seconds_of(at), home, as_json)
    accepted = _compared(accept, report)
    with verdict_stands():
        if as_json:
            print_json(report.to_dict() | ({} if accepted is None else {"accepted": accepted}))
        else:
            print_report(report, accepted, ScenarioBook.load(Settings.at(home).scenarios))
    if not report.valid or (accepted is not None and accepted["code"] != ACCEPTED):
        raise typer.Exit(EXIT_NOT_VALID)


def _report(
    bundle: str, facts: Path | None, expect: Expectation, at: int | None, home: Path | None, as_json: bool
) -> Report:
    """Verify a bundle with the facts in a file; without a file, with the chain of the installation in ``home``.

    ``at`` is seconds UTC; None means now.
    """
    raw = _read(Path(bundle), MAX_BUNDLE_BYTES)
    if facts is None:
        with participating(home, as_json) as ledger:
            return ledger.verification.verify(raw, expect, at).report
    known = of_file(facts, parse_facts, _read(facts, MAX_FACTS_BYTES))
    # The verifier ignores events that are later than the time of the verification. So if the machine's clock is behind
    # the block of the facts, the block's time is used.
    now = max(int(time.time()), known.block_time)
    scenarios = ScenarioBook.load(Settings.at(home).scenarios)
    return verify(raw, known, now if at is None else at, expecting(scenarios, raw, expect))


def facts_command(
    ledger: Participant,
    bundle: BundleFile,
    out: Annotated[Path, typer.Option(help="File to write the facts to.")] = Path("facts.json"),
    as_json: AsJson = False,
) -> None:
    """保存核验凭证包所需的链上记录，以便日后离线核验。Save the facts (chain data) that a bundle needs, so that the
    bundle can be verified later without a network.

    示例 Example:  pingzheng facts bundle.json --out facts.json
    """
    found = ledger.verification.facts(of_file(bundle, parse_bundle, _read(bundle, MAX_BUNDLE_BYTES)))
    out.write_bytes(found.to_bytes())
    emit({"file": str(out), "block": found.block, "time": local_time(found.block_time)}, as_json)


def _party_of(home: Path | None, name: str, as_json: bool) -> str:
    """Return the party id of the verifying party.

    A name can be looked up only with a ledger. Raises ``InvalidInput`` ``PARTY_FORM``, and the errors of ``party_of``.
    """
    if PARTY_ID.fullmatch(name):
        return name
    from ledger.installation.home import holds_ledger

    if not holds_ledger(Settings.at(home).home):
        raise party_form("Without a ledger in the folder, a party can only be named by its id.")
    with participating(home, as_json) as ledger:
        return party_of(ledger, name)


def _compared(accept: Mapping[str, list[Any]] | None, report: Report) -> dict[str, Any] | None:
    """Compare the disclosed fields with the values that the request accepts. ``docs/guides/verifying.md`` explains how.

    Returns a code and the fields that do not fit. Returns None if the request has no ``accept`` or the bundle is not
    valid.
    """
    if accept is None or not report.valid:
        return None
    missing = accept.keys() - report.disclosed.keys()
    wrong = {name for name, values in accept.items() if name not in missing and report.disclosed[name] not in values}
    code = FIELDS_MISSING if missing else NOT_ACCEPTED if wrong else ACCEPTED
    return {"code": code, "fields": sorted(missing or wrong)}


def _asked(
    request: Path | None, consumer: str | None, nonce: str | None
) -> tuple[Expectation, Mapping[str, list[Any]] | None]:
    """Return what the verifier expects, and the accepted values of each required field (None if the request has no
    ``accept``).

    The arguments ``consumer`` and ``nonce`` replace the consumer and the nonce of the request. Raises ``InvalidInput``
    ``REQUEST_SHAPE``.
    """
    if request is None:
        return Expectation(consumer=consumer, nonce=nonce), None
    content = json_in(request, MAX_REQUEST_BYTES)
    if not isinstance(content, dict) or not all(isinstance(content.get(name), str) for name in ("consumer", "nonce")):
        raise InvalidInput(
            "REQUEST_SHAPE",
            "The verifier's request must have the texts consumer and nonce.",
            where=str(request),
            hint=_OTHER_REQUEST if isinstance(content, dict) and "entry" in content else _OWN_REQUEST,
        )
    templates, accept = content.get("templates"), content.get("accept")
    if templates is not None and not (isinstance(templates, list) and all(isinstance(each, str) for each in templates)):
        raise InvalidInput("REQUEST_SHAPE", "The templates of a request must be a list of digests.", where=str(request))
    if accept is not None and not (
        isinstance(accept, dict) and all(isinstance(each, list) for each in accept.values())
    ):
        raise InvalidInput("REQUEST_SHAPE", "`accept` must give a list of values for each field.", where=str(request))
    known = None if templates is None else frozenset(templates)
    return Expectation(consumer or content["consumer"], nonce or content["nonce"], templates=known), accept


def _read(path: Path, limit: int) -> bytes:
    if not path.is_file():
        raise InvalidInput("FILE_MISSING", "The file does not exist.", where=str(path))
    # A UTF-16 file has twice as many bytes as its text in UTF-8, so up to twice the limit is read. The parser then
    # refuses a text above the limit.
    with path.open("rb") as file:
        return in_utf8(file.read(2 * limit + 2))
