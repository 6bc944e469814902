"""Issue the certificates of all requests that are ready, and print the certificates and the refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer

from ledger.cli.shell.output import EXIT_NOT_VALID, emit_rows, progress
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger

# The number of requests in one database transaction. It is small so that other processes need not wait long to write.
_PORTION: Final = 250
_REFUSALS: Final = (Conflict, Forbidden, InvalidInput, NotFound)


def issue_all_ready(ledger: Ledger, as_json: bool) -> None:
    """Issue a certificate for each request that is ready.

    If some requests are refused, the certificates of the others are issued, and the exit code is 1.
    """
    requests = ledger.usage.issuance.ready()
    rows: list[dict[str, Any]] = []
    with progress() as bars:
        task = bars.add_task("签发 issue", total=len(requests))
        for start in range(0, len(requests), _PORTION):
            portion = requests[start : start + _PORTION]
            rows += _issued(ledger, portion)
            bars.advance(task, len(portion))
    if rows:
        ledger.anchoring.flush()
    institutions = ledger.parties.directory.of(row["subject"] for row in rows)
    shown = [
        {
            "request": row["request"],
            "certificate_no": row["certificate_no"],
            "name": institutions[row["subject"]].name if row["subject"] in institutions else None,
            "uscc": institutions[row["subject"]].uscc if row["subject"] in institutions else None,
            "subject": row["subject"],
            "code": row["code"],
        }
        for row in rows
    ]
    emit_rows(shown, as_json, "凭证 Certificates")
    if any(row["code"] for row in rows):
        raise typer.Exit(EXIT_NOT_VALID)


def _issued(ledger: Ledger, requests: list[str]) -> list[dict[str, Any]]:
    """Issue the certificates of all requests together. If a request is refused, issue the certificates one after the
    other, to find out which requests are refused.
    """
    try:
        made = ledger.usage.issuance.issue(ledger.actor(ledger.party), requests)
    except _REFUSALS as refusal:
        if len(requests) > 1:
            return [row for request in requests for row in _issued(ledger, [request])]
        subject = ledger.usage.requests.get(requests[0]).subject
        return [{"request": requests[0], "certificate_no": None, "subject": subject, "code": refusal.code}]
    return [
        {"request": request, "certificate_no": row.certificate_no, "subject": row.subject, "code": None}
        for request, row in zip(requests, made, strict=True)
    ]
