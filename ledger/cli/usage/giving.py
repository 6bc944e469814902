"""Authorises requests with keys that are kept here. Shows the notices, asks for confirmation, then signs one request
after the other.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import typer

from ledger.cli.shell.output import EXIT_INTERRUPTED, EXIT_NOT_VALID, console, emit_rows, local_time, progress, stderr
from ledger.errors import Conflict, Forbidden, InvalidInput, Misconfigured, NotFound, PingzhengError
from ledger.proof.jws import sign_entry

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger
    from ledger.usage.authorizations import AuthorizationDraft, Choice
    from ledger.usage.recorded import RecordedRequest

GIVEN: Final = "given"
GIVEN_BEFORE: Final = "given_before"
NO_KEY: Final = "no_key"
EXPIRED: Final = "expired"
REFUSED: Final = "refused"
NOT_REACHED: Final = "not_reached"
_REFUSALS: Final = (Conflict, Forbidden, InvalidInput, Misconfigured, NotFound)
_WHOLE_ID: Final = 12


@dataclass(slots=True)
class _Pending:
    """One request, its outcome so far, and the authorizations that must be signed."""

    row: RecordedRequest
    outcome: str = NOT_REACHED
    code: str | None = None
    drafts: Sequence[AuthorizationDraft] = field(default=())


def give(ledger: Ledger, requests: Sequence[str], choice: Choice, yes: bool, as_json: bool) -> None:
    """Authorise the given requests. If no requests are given, authorise all unanswered requests whose subject's key is
    kept here.

    Each request is recorded separately. Exits with code 1 if a request was refused, and with 130 after Ctrl-C; requests
    that were recorded before Ctrl-C stay recorded. Raises ``NotFound`` ``REQUEST_UNKNOWN`` before anything is signed,
    ``InvalidInput`` ``CONSENT_NOT_CONFIRMED``.
    """
    named = bool(requests)
    rows = (
        [ledger.usage.requests.get(each) for each in dict.fromkeys(requests)]
        if named
        else ledger.usage.requests.unanswered()
    )
    cases = [_prepared(ledger, row, choice) for row in rows]
    names = _names_of(ledger, cases)
    to_give = [case for case in cases if case.drafts]
    if to_give:
        if not (as_json and yes):
            _show(to_give, names, as_json)
        _require_confirmed(len(to_give), yes)
    interrupted = _give_each(ledger, to_give)
    emit_rows([_reported(case, names) for case in cases], as_json, "授权 Consents")
    if interrupted:
        _say_interrupted(cases)
        raise typer.Exit(EXIT_INTERRUPTED)
    # With --all, requests about firms that keep their own keys are skipped, and a skipped request is not an error.
    fine = {GIVEN, GIVEN_BEFORE} if named else {GIVEN, GIVEN_BEFORE, NO_KEY}
    if any(case.outcome not in fine for case in cases):
        raise typer.Exit(EXIT_NOT_VALID)


def _prepared(ledger: Ledger, row: RecordedRequest, choice: Choice) -> _Pending:
    """Return the request with its drafted authorizations. If they cannot be drafted, return the reason instead."""
    if row.state in ("authorised", "fulfilled"):
        return _Pending(row, GIVEN_BEFORE)
    if row.state == "expired":
        return _Pending(row, EXPIRED, "REQUEST_EXPIRED")
    if row.state not in ("sent", "seen"):
        return _Pending(row, REFUSED, "REQUEST_ANSWERED")
    account = ledger.parties.register.get(row.subject).present_account
    if account is None or account not in ledger.custody:
        return _Pending(row, NO_KEY, "KEY_NOT_HELD")
    case = _Pending(row)
    with _refusals_noted(case):
        case.drafts = ledger.usage.subject_acts.preview(ledger.actor(row.subject), row.id, choice)
    return case


def _give_each(ledger: Ledger, cases: Sequence[_Pending]) -> bool:
    """Sign and record the authorizations of one request after the other. Return whether Ctrl-C interrupted the work."""
    try:
        with progress() as bars:
            task = bars.add_task("授权 consent", total=len(cases))
            for case in cases:
                with _refusals_noted(case):
                    signer = ledger.custody.signer(ledger.parties.register.get(case.row.subject).account)
                    signed = [sign_entry(draft.entry, signer) for draft in case.drafts]
                    ledger.usage.subject_acts.authorise(ledger.actor(case.row.subject), signed)
                    case.outcome = GIVEN
                bars.advance(task)
    except KeyboardInterrupt:
        return True
    return False


@contextmanager
def _refusals_noted(case: _Pending) -> Iterator[None]:
    """If the block of code raises a refusal, record it as the request's outcome. The caller then continues with the
    next request.
    """
    try:
        yield
    except _REFUSALS as refusal:
        case.outcome, case.code = _outcome_of(refusal), refusal.code


def _outcome_of(refusal: PingzhengError) -> str:
    return {"REQUEST_EXPIRED": EXPIRED, "KEY_NOT_HELD": NO_KEY}.get(refusal.code, REFUSED)


def _show(cases: Sequence[_Pending], names: Mapping[str, str], as_json: bool) -> None:
    """Print the full notices if there is only one request, else one line for each request. With --json they go to
    standard error, because standard output is for the JSON.
    """
    out = stderr if as_json else console
    if len(cases) == 1:
        lines = [f"{draft.notice['text']}\n" for draft in cases[0].drafts]
    else:
        lines = [_line(case, draft, names) for case in cases for draft in case.drafts]
    for line in lines:
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def _line(case: _Pending, draft: AuthorizationDraft, names: Mapping[str, str]) -> str:
    notice = draft.notice
    subject = names.get(case.row.subject) or f"{case.row.subject[:_WHOLE_ID]}…"
    kinds = "、".join(kind["zh"] for kind in notice["kinds"])
    return (
        f"{subject} → {notice['recipient']}：{notice['scenario']} {notice['purpose']['zh']}；{notice['provider']}："
        f"{kinds}；至 until {local_time(notice['valid_to'])}；{notice['max_uses']} 次 uses"
    )


def _require_confirmed(count: int, yes: bool) -> None:
    question = f"以各主体的密钥签署以上 {count} 个请求的授权？Sign the consents to these {count} requests?"
    if yes or (sys.stdin.isatty() and typer.confirm(question, err=True)):
        return
    raise InvalidInput(
        "CONSENT_NOT_CONFIRMED",
        "The consents were not confirmed, so nothing was signed.",
        where="--yes",
        hint="To confirm the consents, add --yes.",
    )


def _names_of(ledger: Ledger, cases: Sequence[_Pending]) -> dict[str, str]:
    """Return the names of the institutions in the requests, as a map from party id to name. Persons are not in the
    map.
    """
    found = ledger.parties.directory.of(case.row.subject for case in cases)
    return {party: institution.name for party, institution in found.items()}


def _reported(case: _Pending, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "request": case.row.id,
        "name": names.get(case.row.subject),
        "subject": case.row.subject,
        "scenario": case.row.scenario,
        "outcome": case.outcome,
        "code": case.code,
    }


def _say_interrupted(cases: Sequence[_Pending]) -> None:
    given = Counter(case.outcome for case in cases)[GIVEN]
    stderr.print(
        f"\n已中断：已授权 {given} 个请求，均已记录；请再次执行同一命令，授权其余请求。"
        f"\nInterrupted: {given} consents are given and recorded. Run the same command again to give the rest.",
        highlight=False,
        soft_wrap=True,
    )
