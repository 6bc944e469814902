"""``pingzheng asset provenance`` and ``pingzheng asset lineage``: show an asset's history, past states and lineage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.registration.assets import app
from ledger.cli.registration.options import Asset
from ledger.cli.shell.naming import TIMES, asset_of, seconds_of
from ledger.cli.shell.output import AsJson, emit, emit_rows
from ledger.domain.assets.events import EVENT_TITLES, NAME_TITLES
from ledger.domain.days import shanghai_time

if TYPE_CHECKING:
    from ledger.installation.participant import Participant

At = Annotated[str | None, typer.Option(help=f"Show the asset at this time: {TIMES}.")]
JsonLd = Annotated[Path | None, typer.Option(help="Write the history as W3C PROV to this file.", show_default=False)]
Svg = Annotated[Path | None, typer.Option(help="Write a picture (SVG) to this file.", show_default=False)]


@app.command()
def provenance(
    ledger: Participant, asset: Asset, at: At = None, jsonld: JsonLd = None, svg: Svg = None, as_json: AsJson = False
) -> None:
    """溯源：列出资产的全部事件，并证明没有遗漏；加 --at 的，显示当时谁拥有什么权利。List every event of an asset, with
    a proof that no event is missing. With --at, also list who had which right at that time.

    示例 Example:  pingzheng asset provenance <asset> --at 2026-03-01 --svg history.svg
    """
    asset = asset_of(ledger, asset)
    _write(jsonld, lambda: json.dumps(ledger.provenances.prov(asset), ensure_ascii=False, indent=2) + "\n")
    _write(svg, lambda: ledger.provenances.timeline(asset))
    found = ledger.provenances.asset(asset).to_dict()
    view = None
    if at is not None:
        view = ledger.provenances.at(asset, seconds_of(at)).to_dict(ledger.reader.party_id)
    if as_json:
        emit(found | {"view": view}, as_json)
        return
    emit_rows([_event(event) for event in found["events"]], as_json, f"溯源 Provenance of {asset[:12]}…")
    if view is not None:
        _show_view(view)
    emit(found["completeness"], as_json, "完整性证明 Completeness")


@app.command()
def lineage(ledger: Participant, asset: Asset, svg: Svg = None, as_json: AsJson = False) -> None:
    """血缘：列出资产由哪些资产派生，又派生出哪些资产；上游登记已被撤销的，有标记。List the assets from which an asset
    was derived (ancestors) and those derived from it (descendants). Assets with an annulled ancestor are marked.

    示例 Example:  pingzheng asset lineage <asset> --svg lineage.svg
    """
    asset = asset_of(ledger, asset)
    _write(svg, lambda: ledger.provenances.lineage_svg(asset))
    graph = ledger.provenances.lineage(asset).to_dict()
    if as_json:
        emit(graph, as_json)
        return
    nodes = [
        {
            "登记号 reg_no": node["label"],
            "资产 asset": f"{node['asset'][:12]}…",
            "状态 state": _titled(node["state"]),
            "祖先已撤销 annulled ancestor": node["annulled_ancestor"] or "",
        }
        for node in graph["nodes"]
    ]
    edges = [
        {
            "资产 asset": f"{edge['asset'][:12]}…",
            "关系 relation": _titled(edge["relation"]),
            "资产 other": f"{edge['other'][:12]}…",
            "时间 at": shanghai_time(edge["at"]),
        }
        for edge in graph["edges"]
    ]
    emit_rows(nodes, as_json, "血缘 Lineage")
    emit_rows(edges, as_json, "关系 Relations")


def _event(event: dict[str, Any]) -> dict[str, str]:
    chinese, english = EVENT_TITLES[event["name"]]
    names = (f"{name[:12]}…" if len(name) == 64 else _titled(name) for name in event["names"].values())
    return {
        "事件 event": f"{chinese} {english}",
        "时间 at": shanghai_time(event["at"]),
        "详情 details": ", ".join(names),
        "操作方 by": event["by"][:12] + "…",
        "交易 tx": event["tx"][:16] + "…",
    }


def _show_view(view: dict[str, Any]) -> None:
    shown = {name: view[name] for name in ("state", "kind", "stage", "holder", "frozen", "in_force", "valid_to")}
    emit(shown, False, f"当时 At {shanghai_time(view['at'])}")
    held = [
        {
            "权利 right": _titled(kind),
            "参与方 party": each["party"],
            "名义 title": each["title"],
            "起 since": shanghai_time(each["since"]),
            "止 until": shanghai_time(each["until"]),
        }
        for kind, holdings in view["held"].items()
        for each in holdings
    ]
    emit_rows(held, False, "权利人 Who held which right")


def _titled(name: str) -> str:
    return f"{NAME_TITLES.get(name, '')} {name}".strip()


def _write(file: Path | None, content: Callable[[], str]) -> None:
    if file is not None:
        file.write_text(content(), "utf-8")
