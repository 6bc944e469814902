"""Commands that list the events and the verifications of a certificate, and who read a subject's data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ledger.cli.certificates.options import Number
from ledger.cli.parties.login import kept_session
from ledger.cli.shell.output import AsJson, Home, emit, emit_rows, local_time
from ledger.domain.codes import check_certificate_no

if TYPE_CHECKING:
    from ledger.installation.participant import Participant

# The Chinese title of each event in the provenance of a certificate.
EVENT_TITLES: Final = {
    "Issued": "签发",
    "Anchored": "存证",
    "StatusChanged": "状态变更",
    "Superseded": "被取代",
    "Used": "使用",
    "Withdrawn": "撤回",
    "Held": "冻结或解除冻结",
    "Verified": "核验",
    "Disclosed": "因案件公开",
    "Erased": "删除",
}


def provenance(ledger: Participant, number: Number, as_json: AsJson = False) -> None:
    """溯源：列出凭证的全部经过，并证明没有遗漏。List every event of a certificate, with a proof that no event is
    missing.

    示例 Example:  pingzheng certificate provenance DAC-440802-2026-S51-00000001-K
    """
    found = ledger.provenances.certificate(check_certificate_no(number)).to_dict()
    if as_json:
        emit(found, as_json)
        return
    emit_rows([_event(event) for event in found["events"]], as_json, f"溯源 Provenance of {number}")
    emit(found["completeness"], as_json, "完整性证明 Completeness")


def presentations(
    ledger: Participant,
    number: Number,
    after: Annotated[str | None, typer.Option(help="List only verifications after this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    as_json: AsJson = False,
) -> None:
    """核验记录：列出凭证在本账本的每次核验，以及链上已登记、但未在本账本核验的使用。List the verifications of a
    certificate at this ledger, and the uses that the chain counted without a verification here.

    示例 Example:  pingzheng certificate presentations DAC-440802-2026-S51-00000001-K
    """
    number = check_certificate_no(number)
    known = [row.to_dict() for row in ledger.presentations.page(number, after, limit)]
    elsewhere = [asdict(use) for use in ledger.presentations.elsewhere(number)]
    if as_json:
        emit({"presentations": known, "elsewhere": elsewhere}, as_json)
        return
    emit_rows([row | {"at": local_time(row["at"])} for row in known], as_json, f"核验记录 Verifications of {number}")
    uses = [{**use, "at": local_time(use["at"])} for use in elsewhere]
    emit_rows(uses, as_json, "未在本账本核验的使用 Used without a verification here")


def readings(
    after: Annotated[
        str | None, typer.Option(help="The `next_cursor` of the previous page; list only what follows that page.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """谁用过我的数据：列出每次读取、出示、使用，以及监管方为办案所作的查看；须先登录。List who used your data: who
    read, presented or used your data, and what a supervisor opened for a case. Sign in first.

    示例 Example:  pingzheng certificate readings
    """
    query = {"limit": str(limit)} | ({} if after is None else {"cursor": after})
    page = kept_session(home).call("GET", "/v1/readings", query=query)
    if as_json:
        emit(page, as_json)
        return
    emit_rows([row | {"at": local_time(row["at"])} for row in page["items"]], as_json, "谁用过我的数据 Readings")
    if page["next_cursor"] is not None:
        emit({"next_cursor": page["next_cursor"]}, as_json)


def _event(event: dict[str, Any]) -> dict[str, object]:
    return {
        "事件 event": f"{EVENT_TITLES[event['name']]} {event['name']}",
        "时间 at": local_time(int(str(event["at"]))),
        "操作方 by": str(event["by"])[:12] + "…",
        "详情 details": event["args"] | event.get("names", {}),
    }
