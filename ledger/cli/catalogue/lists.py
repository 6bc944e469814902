"""``pingzheng catalogue system``, ``important`` and ``open``: the system list, the important-data list and the open
catalogue.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.catalogue.important_rules import ImportantData
from ledger.cli.catalogue.options import AfterCode, By, Code, Limit
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import actor_of
from ledger.cli.shell.output import AsJson, emit, emit_rows, local_time, print_json
from ledger.domain.grades import LISTED_GRADES
from ledger.domain.resource import OPEN_TYPES, SYSTEM_STATUSES

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger

systems = Group(help="系统清单 Information systems.")
important = Group(help="重要数据目录 Important-data list: matching resources are blocked.")
open_data = Group(help="开放目录 Open catalogue.")


@systems.command("list")
def list_systems(ledger: Ledger, after: AfterCode = None, limit: Limit = 20, as_json: AsJson = False) -> None:
    """列出信息系统，按代码排序，只列最新版本。List information systems, ordered by code, each in its newest version.

    示例 Example:  pingzheng catalogue system list
    """
    emit_rows([asdict(row) for row in ledger.catalogue.systems.page(after, limit)], as_json, "系统清单 Systems")


@systems.command("put")
def put(
    ledger: Ledger,
    code: Annotated[str, typer.Argument(help="System code.", show_default=False)],
    name: Annotated[str, typer.Option(show_default=False)],
    level: Annotated[int, typer.Option(min=1, max=5, help="Protection level (等保), 1 to 5.", show_default=False)],
    by: By,
    status: Annotated[str, typer.Option(help=", ".join(SYSTEM_STATUSES))] = "running",
    as_json: AsJson = False,
) -> None:
    """录入信息系统；已录入过的，录入为新版本。Record an information system. If the system is already recorded, the new
    data becomes its next version.

    示例 Example:  pingzheng catalogue system put SYS-01 --name 社保业务系统 --level 3 --by <department>
    """
    from ledger.catalogue.systems import SystemEntry

    row = ledger.catalogue.systems.put(actor_of(ledger, by), SystemEntry(code, name, level, status))
    emit(asdict(row), as_json, code)


@important.command("list")
def list_important(ledger: Ledger, as_json: AsJson = False) -> None:
    """列出重要数据目录的全部条目，包括已移出的条目。List all entries of the important-data list, including withdrawn
    entries.

    示例 Example:  pingzheng catalogue important list
    """
    emit_rows([asdict(row) for row in ledger.catalogue.important_data.all()], as_json, "重要数据目录 Important data")


@important.command("add")
def add_important(
    ledger: Ledger,
    title: Annotated[str, typer.Argument(show_default=False)],
    by: By,
    pattern: Annotated[
        str, typer.Option(help="Pattern for the title of a resource, where * stands for any text, e.g. '*地下管线*'.")
    ] = "",
    fields: Annotated[
        str, typer.Option(help="Names of fields, separated by commas. A resource matches if it has all of them.")
    ] = "",
    grade: Annotated[str, typer.Option(help=", ".join(LISTED_GRADES))] = "important",
    as_json: AsJson = False,
) -> None:
    """在重要数据目录中列入一种重要或核心数据；与之相符的资源立即锁定。Add a kind of important or core data to the
    important-data list. Resources that match it are blocked at once.

    示例 Example:  pingzheng catalogue important add 地下管线 --by authority --pattern '*地下管线*'
    """
    entry = ImportantData(title, grade, pattern, tuple(filter(None, fields.split(","))))
    listed = ledger.catalogue.important_data.add(actor_of(ledger, by), entry)
    emit(asdict(listed.entry) | {"blocked": list(listed.blocked)}, as_json)


@important.command("withdraw")
def withdraw_important(
    ledger: Ledger,
    identifier: Annotated[str, typer.Argument(help="Id of the entry.", show_default=False)],
    by: By,
    as_json: AsJson = False,
) -> None:
    """从重要数据目录移出条目；条目的记录保留。Withdraw an entry from the important-data list. Its record is kept.

    示例 Example:  pingzheng catalogue important withdraw <entry> --by authority
    """
    ledger.catalogue.important_data.withdraw(actor_of(ledger, by), identifier)
    emit({"id": identifier, "withdrawn": True}, as_json)


@open_data.command("list")
def list_open(ledger: Ledger, after: AfterCode = None, limit: Limit = 20, as_json: AsJson = False) -> None:
    """列出开放目录中现有的资源，及其使用条件和许可。List the resources in the open catalogue, with conditions and
    licence.

    示例 Example:  pingzheng catalogue open list
    """
    rows = ledger.catalogue.open_catalogue.page(after, limit)
    if not as_json:
        rows = [_open(row) | {"标题 title": row["resource"]["title"]} for row in rows]
    emit_rows(rows, as_json, "开放目录 Open catalogue")


@open_data.command("show")
def show_open(ledger: Ledger, code: Code, as_json: AsJson = False) -> None:
    """查看开放目录中的一个资源，以及它在开放目录中的历史。Show one resource of the open catalogue, and its history
    there.

    示例 Example:  pingzheng catalogue open show <code>
    """
    item = ledger.catalogue.open_catalogue.get(code)
    if as_json:
        print_json(item)
        return
    emit(_open(item) | {"标题 title": item["resource"]["title"]}, False, code)
    emit_rows([_open(item) for item in item["history"]], False, "历史 History")


@open_data.command("add")
def add_open(
    ledger: Ledger,
    code: Code,
    by: By,
    licence: Annotated[
        str, typer.Option(help="The licence under which the data may be used, e.g. CC-BY-4.0.", show_default=False)
    ],
    open_type: Annotated[str, typer.Option("--type", help=", ".join(OPEN_TYPES))] = "free",
    conditions: Annotated[str, typer.Option(help="Conditions of use; required unless --type is `free`.")] = "",
    as_json: AsJson = False,
) -> None:
    """将资源的已发布版本列入开放目录。Put the published version of a resource into the open catalogue.

    示例 Example:  pingzheng catalogue open add <code> --by <provider> --licence CC-BY-4.0
    """
    from ledger.catalogue.open_catalogue import Opening

    item = ledger.catalogue.open_catalogue.open(actor_of(ledger, by), code, Opening(open_type, conditions, licence))
    emit({"code": code, **{name: item[name] for name in ("number", "version", "open_type")}}, as_json)


@open_data.command("withdraw")
def withdraw_open(ledger: Ledger, code: Code, by: By, as_json: AsJson = False) -> None:
    """把资源移出开放目录。Remove a resource from the open catalogue.

    示例 Example:  pingzheng catalogue open withdraw <code> --by <provider>
    """
    ledger.catalogue.open_catalogue.close(actor_of(ledger, by), code)
    emit({"code": code, "open": False}, as_json)


def _open(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "code": item["code"],
        "version": item["version"],
        "类型 type": item["open_type"],
        "条件 conditions": item["conditions"],
        "许可 licence": item["licence"],
        "起 since": local_time(item["created_at"]),
        "止 until": None if item["withdrawn_at"] is None else local_time(item["withdrawn_at"]),
    }
