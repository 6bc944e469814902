"""``pingzheng asset``: registered assets, transfers (offer and acceptance), freeze, annulment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.registration.acts import then_asset
from ledger.cli.registration.options import Asset, By, To
from ledger.cli.shell.group import Group
from ledger.cli.shell.naming import acting_on, actor_of, asset_of, party_of
from ledger.cli.shell.output import AsJson, Yes, ask, emit, emit_rows
from ledger.cli.shell.waiting import emit_done

if TYPE_CHECKING:
    from ledger.installation.wiring import Ledger

app = Group()


@app.command("list")
def listing(
    ledger: Ledger,
    after: Annotated[str | None, typer.Option(help="List only assets after this id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """列出已登记的资产，按编号排序。List registered assets, ordered by id.

    示例 Example:  pingzheng asset list --limit 3
    """
    rows = [
        {"asset": row.asset_id, "reg_no": row.reg_no, "resource": row.resource_code}
        for row in ledger.registration.registrations.page(after, limit)
    ]
    emit_rows(rows, as_json, "数据资产 Assets")


@app.command()
def show(ledger: Ledger, asset: Asset, as_json: AsJson = False) -> None:
    """查看资产的资源、登记、状态和持有人。Show an asset's resource, registration, state and holder.

    示例 Example:  pingzheng asset show <asset>
    """
    asset = asset_of(ledger, asset)
    emit(ledger.registration.registrations.get(asset), as_json, asset)


@app.command()
def offer(ledger: Ledger, asset: Asset, by: By, to: To, as_json: AsJson = False) -> None:
    """向另一方发出转让要约；要约在规则集的期限内有效。Offer to transfer an asset to another party. The ruleset sets how
    long the offer is open.

    示例 Example:  pingzheng asset offer <asset> --by <holder> --to <party>
    """
    with then_asset(ledger, as_json, by, asset) as (actor, asset):
        to = party_of(ledger, to)
        ledger.registration.transfers.offer(actor, asset, to)


@app.command()
def accept(ledger: Ledger, asset: Asset, by: By, as_json: AsJson = False) -> None:
    """接受转让要约；新登记凭证取代旧登记凭证。Accept the offer of an asset. A new registration certificate supersedes
    the old certificate.

    示例 Example:  pingzheng asset accept <asset> --by <party>
    """
    actor, asset = acting_on(ledger, by, asset)
    accepted = ledger.registration.transfers.accept(actor, asset)
    emit({"asset": asset, "certificate_no": accepted.certificate.certificate_no}, as_json)


@app.command()
def reject(ledger: Ledger, asset: Asset, by: By, as_json: AsJson = False) -> None:
    """受让方拒绝转让要约。Reject the offer of an asset, as the party that would receive it.

    示例 Example:  pingzheng asset reject <asset> --by <party>
    """
    with then_asset(ledger, as_json, by, asset) as (actor, asset):
        ledger.registration.transfers.reject(actor, asset)


@app.command()
def withdraw(ledger: Ledger, asset: Asset, by: By, as_json: AsJson = False) -> None:
    """持有人撤回转让要约。Withdraw the offer of an asset, as its holder.

    示例 Example:  pingzheng asset withdraw <asset> --by <holder>
    """
    with then_asset(ledger, as_json, by, asset) as (actor, asset):
        ledger.registration.transfers.withdraw(actor, asset)


@app.command()
def annul(
    ledger: Ledger,
    asset: Asset,
    by: By,
    reason: Annotated[str, typer.Option(help="Reason code: fraud, court, data_error, …", show_default=False)],
    grounds: Annotated[str, typer.Option(help="The reasons in words; they are stored encrypted.", show_default=False)],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """撤销登记，不可恢复；由该资产派生的资产会有标记。Annul a registration permanently. Assets derived from this asset
    are marked.

    示例 Example:  pingzheng asset annul <asset> --by authority --reason fraud --grounds 材料虚假
    """
    with then_asset(ledger, as_json, by, asset) as (actor, asset):
        ask(f"撤销登记后不可恢复，确认？ Annul the registration {asset} permanently?", yes, as_json)
        ledger.registration.transfers.annul(actor, asset, reason, grounds)


@app.command()
def freeze(
    ledger: Ledger,
    asset: Asset,
    by: By,
    reason: Annotated[str, typer.Option(help="Reason code: court, sanction, investigation, …", show_default=False)],
    lift: Annotated[bool, typer.Option("--lift", help="Lift the freeze instead of freezing the asset.")] = False,
    as_json: AsJson = False,
) -> None:
    """冻结资产，或解除冻结。Freeze an asset so that nothing about it can change, or lift the freeze.

    示例 Example:  pingzheng asset freeze <asset> --by authority --reason court
    """
    with then_asset(ledger, as_json, by, asset) as (actor, asset):
        act = ledger.registration.transfers.unfreeze if lift else ledger.registration.transfers.freeze
        act(actor, asset, reason)


@app.command()
def reassign(
    ledger: Ledger,
    asset: Asset,
    to: Annotated[str, typer.Option(help="New holder: party id, USCC or name.", show_default=False)],
    grounds: Annotated[str, typer.Option(help="The reasons in words; they are stored encrypted.", show_default=False)],
    by: Annotated[str, typer.Option(help="The authority that proposes the new holder of the asset.")] = "authority",
    as_json: AsJson = False,
) -> None:
    """持有人已永久关闭，或没有可用密钥的，由两个主管部门共同改定资产的持有人，等待期满后生效；质押和冻结保留。If an
    asset's holder has been closed permanently, or has no key with which it can act, give the asset to another party.
    Two authorities must agree, and the change takes effect after the waiting period. Liens and a freeze stay.

    示例 Example:  pingzheng asset reassign <asset> --to <party> --grounds 原持有人密钥全部丢失
    """
    asset = asset_of(ledger, asset)
    row = ledger.registration.transfers.reassign(actor_of(ledger, by), asset, party_of(ledger, to), grounds)
    emit_done(row, lambda: ledger.registration.registrations.get(asset), as_json, asset)
