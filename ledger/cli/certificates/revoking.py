"""Revoke all certificates that a file lists: check the whole file, ask the user, then send several transactions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import typer

from ledger.cli.shell.files import read_text
from ledger.cli.shell.output import (
    EXIT_INTERRUPTED,
    EXIT_NOT_VALID,
    confirm,
    emit,
    emit_rows,
    progress,
    stderr,
)
from ledger.domain.codes import check_certificate_no
from ledger.errors import InvalidInput
from ledger.installation.wiring import Ledger
from ledger.usage.revocations import MAX_REVOCATIONS, Answer, Outcome

# The maximum size of a file of numbers, in bytes. A line has up to 64 bytes: a number, blanks and a line break.
_MAX_BYTES: Final = MAX_REVOCATIONS * 64
_SHOWN: Final = 20


def revoke_listed(ledger: Ledger, file: Path, reason: str, yes: bool, as_json: bool) -> None:
    """Revoke the certificates that the file lists. The exit code is 0 if all these certificates are then revoked or
    superseded, else 1.

    Raises ``InvalidInput`` ``NUMBERS_FILE_INVALID`` with every wrong line, before anything is sent.
    """
    numbers = numbers_in(ledger, file)
    confirm(f"永久撤销 {len(numbers)} 张凭证，无法恢复。Revoke {len(numbers)} certificates for good?", yes)
    answers, gas = list[Answer](), 0
    try:
        with progress() as bars:
            task = bars.add_task("撤销 revoke", total=len(numbers))
            for portion in ledger.usage.status_acts.revoke_many(ledger.actor(ledger.party), numbers, reason):
                answers += portion.answers
                gas += portion.gas
                bars.advance(task, len(portion.answers))
    except KeyboardInterrupt:
        ended = _counted(answers)
        stderr.print(
            f"\n已中断：已撤销 {ended['revoked']} 张，其余没有撤销。再次执行同一命令即可继续，已撤销的会跳过。"
            f"\nInterrupted: {ended['revoked']} are revoked. Run the same command again to revoke the others.",
            highlight=False,
            soft_wrap=True,
        )
        raise typer.Exit(EXIT_INTERRUPTED) from None
    _report(answers, gas, reason, as_json)
    if any(answer.outcome is Outcome.NOT_REVOKED for answer in answers):
        raise typer.Exit(EXIT_NOT_VALID)


def numbers_in(ledger: Ledger, file: Path) -> list[str]:
    """Return the certificate numbers in a file that has one number on each line. They are in the file's order, without
    repeats.
    """
    text = read_text(file, _MAX_BYTES).decode("utf-8", "replace")
    lines = [(place, line.strip()) for place, line in enumerate(text.splitlines(), start=1) if line.strip()]
    wrong = {place: code for place, line in lines if (code := _problem(line))}
    unknown = ledger.usage.revocations.unknown([line for place, line in lines if place not in wrong])
    wrong |= {place: "CERTIFICATE_UNKNOWN" for place, line in lines if line in unknown}
    if wrong:
        first = ", ".join(f"{place}: {wrong[place]}" for place in sorted(wrong)[:_SHOWN])
        raise InvalidInput(
            "NUMBERS_FILE_INVALID",
            f"{len(wrong)} lines of the file have no number of a certificate that was issued here. By line: {first}"
            f"{', …' if len(wrong) > _SHOWN else ''}.",
            where=str(file),
            hint="Nothing was revoked. Correct or remove these lines.",
            lines=[{"line": place, "code": wrong[place]} for place in sorted(wrong)],
        )
    numbers = list(dict.fromkeys(line for _, line in lines))
    if not 1 <= len(numbers) <= MAX_REVOCATIONS:
        raise InvalidInput(
            "NUMBERS_FILE_LENGTH",
            f"The file lists {len(numbers)} numbers; 1 to {MAX_REVOCATIONS:,} are allowed.",
            where=str(file),
            hint="Split the file, and revoke the numbers of each part separately.",
        )
    return numbers


def _problem(line: str) -> str | None:
    try:
        check_certificate_no(line)
    except InvalidInput as error:
        return error.code
    return None


def _report(answers: Sequence[Answer], gas: int, reason: str, as_json: bool) -> None:
    summary: dict[str, Any] = {
        "reason": reason,
        **_counted(answers),
        "transactions": len({answer.tx_hash for answer in answers if answer.tx_hash}),
        "gas": gas,
    }
    items = [
        {"certificate_no": answer.number, "outcome": answer.outcome.value, "code": answer.code} for answer in answers
    ]
    if as_json:
        hashes = [{"tx_hash": answer.tx_hash} for answer in answers]
        emit(summary | {"items": [item | sent for item, sent in zip(items, hashes, strict=True)]}, as_json)
        return
    emit(summary, as_json, "撤销 Revocations")
    if left := [item for item in items if item["outcome"] == Outcome.NOT_REVOKED.value]:
        emit_rows(left, as_json, "未撤销，可再次执行 Not revoked; run it again")


def _counted(answers: Sequence[Answer]) -> dict[str, int]:
    found = Counter(answer.outcome for answer in answers)
    return {outcome.value: found[outcome] for outcome in Outcome}
