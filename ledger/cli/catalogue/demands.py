"""``pingzheng catalogue demand`` and ``duty``: demands for data, and departments' duties to share data."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.catalogue.options import By, Code, Limit, Reason
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import actor_of, party_of
from ledger.cli.shell.output import AsJson, emit, emit_rows, local_time, print_json
from ledger.domain.days import day_of

if TYPE_CHECKING:
    from ledger.catalogue.demands import DemandEntry
    from ledger.installation.wiring import Ledger

app = Group(help="需求清单 Demands for data: file, match, accept, connect, refuse, appeal.")
duties = Group(help="责任清单 Duties to share data.")

Identifier = Annotated[str, typer.Argument(metavar="DEMAND", help="Demand id.", show_default=False)]


@app.command("list")
def listing(
    ledger: Ledger,
    state: Annotated[
        str | None, typer.Option(help="Only demands in this state: filed, matched, duty_accepted, connected, …")
    ] = None,
    after: Annotated[str | None, typer.Option(help="List only demands after this id.")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """列出需求，按编号排序，并标出逾期的需求。List demands, ordered by id, and mark those that are overdue.

    示例 Example:  pingzheng catalogue demand list
    """
    rows = [asdict(row) for row in ledger.catalogue.demands.page(after, limit, state)]
    if not as_json:
        rows = [{name: row[name] for name in ("id", "title", "state", "resource", "overdue")} for row in rows]
    emit_rows(rows, as_json, "需求清单 Demands")


@app.command()
def show(ledger: Ledger, demand: Identifier, as_json: AsJson = False) -> None:
    """查看一项需求及其各个步骤。Show one demand and its steps.

    示例 Example:  pingzheng catalogue demand show <demand>
    """
    shown = ledger.catalogue.demands.get(demand)
    if as_json:
        print_json(shown)
        return
    moves = shown.pop("history")
    due = None if shown["due_at"] is None else local_time(shown["due_at"])
    emit(shown | {"due_at": due, "created_at": local_time(shown["created_at"])}, False, demand)
    emit_rows([move | {"at": local_time(move["at"]), "by": move["by"][:12] + "…"} for move in moves], False, "历史")


@app.command()
def file(
    ledger: Ledger,
    title: Annotated[str, typer.Argument(show_default=False)],
    purpose: Annotated[str, typer.Option(show_default=False)],
    basis: Annotated[str, typer.Option(help="The law or rule on which the demand is based.", show_default=False)],
    fields: Annotated[str, typer.Option(help="Names of the wanted fields, separated by commas.", show_default=False)],
    by: By,
    domain: Annotated[str, typer.Option(help="Domain of the wanted data, as in the data list.")] = "",
    wanted_by: Annotated[str, typer.Option(help="The day by which the data is wanted, YYYY-MM-DD.")] = "",
    as_json: AsJson = False,
) -> None:
    """向数据提供部门提出需求。File a demand for data.

    示例 Example:  pingzheng catalogue demand file 参保人数 --purpose 园区统计 --basis 统计法 --fields month,insured
    --by <requester>
    """
    from ledger.catalogue.demands import NewDemand

    names = tuple(name.strip() for name in fields.split(","))
    demand = NewDemand(title, purpose, basis, names, domain, _day(wanted_by))
    _emit(ledger.catalogue.demands.file(actor_of(ledger, by), demand), as_json)


@app.command()
def candidates(
    ledger: Ledger,
    demand: Identifier,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    as_json: AsJson = False,
) -> None:
    """列出可能满足需求的资源，最合适的在前，并列出各项得分（满分一千）。List resources that may match a demand, best
    first. Each score (at most 1,000) is shown with its parts.

    示例 Example:  pingzheng catalogue demand candidates <demand>
    """
    emit_rows(
        [item.to_dict() for item in ledger.catalogue.demands.candidates(demand, limit)], as_json, "候选 Candidates"
    )


@app.command()
def match(ledger: Ledger, demand: Identifier, resource: Code, by: By, as_json: AsJson = False) -> None:
    """主管部门为需求指定已发布的资源。As the authority, match a published resource with a demand.

    示例 Example:  pingzheng catalogue demand match <demand> <code> --by authority
    """
    _emit(ledger.catalogue.demands.match(actor_of(ledger, by), demand, resource), as_json)


@app.command()
def accept(ledger: Ledger, demand: Identifier, by: By, as_json: AsJson = False) -> None:
    """承担共享责任；办理期限从现在起，按工作日计算。Accept the duty to share. The department's time limit, in working
    days, begins now.

    示例 Example:  pingzheng catalogue demand accept <demand> --by <department>
    """
    _emit(ledger.catalogue.demands.accept(actor_of(ledger, by), demand), as_json)


@app.command()
def connect(ledger: Ledger, demand: Identifier, by: By, as_json: AsJson = False) -> None:
    """记录需求方已挂接到数据。Record that the requester is now connected to the data.

    示例 Example:  pingzheng catalogue demand connect <demand> --by <department>
    """
    _emit(ledger.catalogue.demands.connect(actor_of(ledger, by), demand), as_json)


@app.command()
def close(ledger: Ledger, demand: Identifier, by: By, as_json: AsJson = False) -> None:
    """关闭需求：需求方已取得数据，或主管部门驳回申诉。Close a demand: the requester has received the data, or the
    authority dismisses the appeal.

    示例 Example:  pingzheng catalogue demand close <demand> --by <requester>
    """
    _emit(ledger.catalogue.demands.close(actor_of(ledger, by), demand), as_json)


@app.command()
def refuse(ledger: Ledger, demand: Identifier, by: By, reason: Reason, as_json: AsJson = False) -> None:
    """拒绝需求，并说明理由。Refuse a demand and give a reason.

    示例 Example:  pingzheng catalogue demand refuse <demand> --by <department> --reason 不属共享范围
    """
    _emit(ledger.catalogue.demands.refuse(actor_of(ledger, by), demand, reason), as_json)


@app.command()
def appeal(ledger: Ledger, demand: Identifier, by: By, reason: Reason, as_json: AsJson = False) -> None:
    """需求方对拒绝提出申诉。As the requester, appeal against the refusal of a demand.

    示例 Example:  pingzheng catalogue demand appeal <demand> --by <requester> --reason 属法定共享
    """
    _emit(ledger.catalogue.demands.appeal(actor_of(ledger, by), demand, reason), as_json)


@duties.command("add")
def add_duty(
    ledger: Ledger,
    resource: Code,
    department: Annotated[
        str,
        typer.Option(help="The department that must share the resource: party id, USCC or name.", show_default=False),
    ],
    days: Annotated[
        int,
        typer.Option(
            min=1, help="Within how many working days the department must share the resource.", show_default=False
        ),
    ],
    by: By,
    as_json: AsJson = False,
) -> None:
    """主管部门规定：哪个部门须在多少个工作日内共享资源。As the authority, set which department must share a resource,
    and within how many working days.

    示例 Example:  pingzheng catalogue duty add <code> --department <department> --days 10 --by authority
    """
    actor, department = actor_of(ledger, by), party_of(ledger, department)
    duty = ledger.catalogue.demands.list_duty(actor, resource, department, days)
    emit({"resource": duty.code, "department": duty.department, "sla_days": duty.sla_days}, as_json)


@duties.command("list")
def list_duties(ledger: Ledger, resource: Code, as_json: AsJson = False) -> None:
    """列出资源的共享责任；只有列在最前的一项有效。List the sharing duties of a resource. Only the first in the list is
    valid.

    示例 Example:  pingzheng catalogue duty list <code>
    """
    rows = [
        {"number": duty.number, "department": duty.department, "sla_days": duty.sla_days}
        for duty in ledger.catalogue.demands.duties(resource)
    ]
    emit_rows(rows, as_json, f"责任清单 Duties of {resource}")


def _emit(demand: DemandEntry, as_json: bool) -> None:
    shown: dict[str, Any] = asdict(demand)
    if not as_json:
        shown = {name: shown[name] for name in ("id", "title", "state", "resource", "due_at", "overdue")}
        shown["due_at"] = None if demand.due_at is None else local_time(demand.due_at)
    emit(shown, as_json, demand.id)


def _day(text: str) -> date | None:
    return day_of(text, "wanted_by") if text else None
