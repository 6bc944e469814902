"""Prints a summary of a provider's answers: how many answers have each result, why tasks were refused, and why tasks
are still unanswered.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import typer

from ledger.cli.shell.output import EXIT_NOT_VALID, emit, emit_rows, print_json
from ledger.domain.reasons import REFUSALS
from ledger.errors import PingzhengError
from ledger.installation.explanations import explanation
from ledger.provider.run import Done
from ledger.provider.supply import Supply

_NOT_SUPPLIED: Final = ("refused", "timed_out")
_LATE: Final = (
    "数据源未在限定时间内答复，将再次查询。The source did not answer in time; the next run asks the source again."
)


def report(done: list[Done], as_json: bool, head: dict[str, Any]) -> None:
    """Print how many answers have each result, why tasks were refused, and why tasks are still unanswered.

    Exits with code 1 if a task is still unanswered.
    """
    results = dict(Counter(each.result for each in done if each.result is not None))
    refused = [_refused(each, each.supply) for each in done if each.supply is not None and each.result in _NOT_SUPPLIED]
    left = [_left(each.about, each.error) for each in done if each.error is not None]
    if as_json:
        print_json({**head, "answered": results, "not_supplied": refused, "left": left})
    else:
        emit({**head, **results}, as_json, "提供 Answered")
        if refused:
            emit_rows(refused, as_json, "未提供 Not supplied")
        if left:
            emit_rows(left, as_json, "未答复 Not answered")
    if left:
        raise typer.Exit(EXIT_NOT_VALID)


def _refused(done: Done, supply: Supply) -> dict[str, Any]:
    """Return a task that was refused, with the signed reason and the place in the source. Only the operator sees the
    place.
    """
    reason = supply.entry["reason"]
    return {
        "about": done.about if done.authorization is None else f"authorization {done.authorization}",
        "result": done.result,
        "reason": reason,
        "message": _LATE if reason is None else f"{REFUSALS[reason].zh}。{REFUSALS[reason].en}.",
        "where": supply.where,
    }


def _left(about: str, error: PingzhengError) -> dict[str, Any]:
    words = explanation(error.code, error.message, error.hint)
    return {"about": about, "code": error.code, "message": words.message, "where": error.where, "hint": words.hint}
