"""The tables of a run as plain rows, which both the screen and the page show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.measuring.floor import TITLES
from bench.own.assets import ASSET, ONBOARD, STEPS
from bench.own.outside import REPLAY
from bench.peers.nodes import ANVIL, EMBEDDED, GANACHE
from bench.report.results import Results, Row
from bench.report.targets import number, targets
from bench.stages import ISSUING, STAGES, WHOLE

NOTHING = "–"
_NODES = (ANVIL, EMBEDDED, GANACHE)
_OWN = {*STAGES, ISSUING, WHOLE, *STEPS, ASSET, ONBOARD}


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: the first column is text, the other columns are numbers or short words."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def grids(results: Results) -> Iterator[Grid]:
    """Yield every table in order; a table without rows is left out."""
    made = (_targets, _beside, _peers, _sets, _profile, _floor, _assets, _outside, _growth, _proven)
    for grid in (make(results) for make in made):
        if grid.rows:
            yield grid


def _targets(results: Results) -> Grid:
    rows = tuple((each.what, each.wanted, each.measured, each.verdict) for each in targets(results))
    return Grid("Targets", ("what", "target", "measured", ""), rows)


def _beside(results: Results) -> Grid:
    """Return a table with the project's rate divided by the rate of each compared product, both on the same node."""
    kinds = _kinds(results)
    rows = tuple(
        (_titled(name, size), *(_times(results.ratio(name, node, size)) for node in _NODES)) for name, size in kinds
    )
    return Grid("This project (the platform's whole share) beside each peer", ("peer", *_NODES), rows)


def _peers(results: Results) -> Grid:
    rows = []
    for name, size in _kinds(results):
        found = [results.find(name, node, size) for node in _NODES]
        gas = next((row["gas_each"] for row in found if row is not None), None)
        rows.append((_titled(name, size), *map(_rate, found), _cpu(found), NOTHING if gas is None else number(gas)))
    return Grid("Peers, items for each second", ("act", *_NODES, "client CPU, µs each", "gas each"), tuple(rows))


def _sets(results: Results) -> Grid:
    sizes = sorted({row["set_size"] for row in results.rows() if row["name"] == WHOLE and row["node"] == EMBEDDED})
    rows = tuple(
        (name, *(_rate(results.find(name, EMBEDDED, size)) for size in sizes)) for name in (*STAGES, ISSUING, WHOLE)
    )
    gas = (
        "gas each",
        *(number(row["gas_each"]) if (row := results.find(WHOLE, EMBEDDED, size)) else NOTHING for size in sizes),
    )
    heads = ("stage", *(f"sets of {size:,}" for size in sizes))
    return Grid("This project, certificates for each second", heads, (*rows, gas) if sizes else ())


def _profile(results: Results) -> Grid:
    rows = tuple(
        (
            each["stage"],
            number(each["row"]["each_us"]),
            number(each["row"]["cpu_us"]),
            number(each["floor_us"]),
            number(each["times"]),
            f"{each['queries']:,}",
            f"{each['transactions']:,}",
            f"{each['node_calls']:,}",
        )
        for each in results.profile()
    )
    heads = (
        "stage",
        "µs each",
        "of it CPU",
        "floor, µs",
        "times the floor",
        "queries per 1,000",
        "write transactions per 1,000",
        "node calls per 1,000",
    )
    return Grid("Profile of the stages, in sets of a thousand", heads, rows)


def _floor(results: Results) -> Grid:
    rows = tuple((title, number(results.data["floor"][name])) for name, title in TITLES.items())
    return Grid("The floor", ("operation", "µs"), rows)


def _assets(results: Results) -> Grid:
    rows = [
        (name, f"{row['set_size']:,}", number(row["rate"]), number(row["cpu_us"]), _gas(row["gas_each"]))
        for name in (*STEPS, ASSET, ONBOARD)
        if (row := results.find(name, EMBEDDED))
    ]
    heads = ("step", "set", "items for each second", "CPU, µs each", "gas each")
    return Grid("Assets and parties on the embedded chain", heads, tuple(rows))


def _outside(results: Results) -> Grid:
    rows = []
    for node in (ANVIL, GANACHE):
        for name in (ONBOARD, ASSET, WHOLE):
            if row := results.find(name, node):
                part = results.replayed(name, node)
                alone = _rate(results.find(f"{name}: {REPLAY}", node))
                share = f"{part:.0%}" if part else NOTHING
                rows.append((f"{name}, {node}", f"{row['set_size']:,}", _rate(row), alone, share))
    heads = ("act and node", "set", "this project", "only the node", "part")
    return Grid("This project on nodes that it does not run, items for each second", heads, tuple(rows))


def _growth(results: Results) -> Grid:
    rows = tuple(
        (
            f"{each['certificates']:,}",
            number(each["rate"]),
            number(each["issuing_rate"]),
            f"{each['memory_mb']:,}",
            number(each["bytes"]["database"] / 1e6),
            number(each["bytes"]["chain"] / 1e6),
        )
        for each in results.data["growth"]
    )
    heads = ("certificates", "for each second", "issuing", "memory, MB", "database, MB", "chain, MB")
    return Grid("Growth", heads, rows)


def _proven(results: Results) -> Grid:
    data = results.data
    verified, index, erased = data["verified"], data["index"], data["erased"]
    rows = (
        ("certificates chosen at random, verified", f"{verified['verified']:,}"),
        ("of them valid", f"{verified['valid']:,}"),
        ("µs to verify one", number(verified["each_us"])),
        ("rows of the index, rebuilt from the chain", f"{index['rows']:,}"),
        ("the rebuilt index is equal", "yes" if index["equal"] else "no"),
        ("seconds to rebuild", number(index["seconds"])),
        ("ms to erase one certificate", number(erased["erase_ms"])),
        ("seconds until its remains are gone from the files", number(erased["seconds"])),
    )
    return Grid("After the long run", ("what", "measured"), rows)


def _kinds(results: Results) -> list[tuple[str, int]]:
    """Return each act of the compared products with its set size, in the order of the run."""
    peers = [
        (row["name"], row["set_size"])
        for row in results.rows()
        if row["name"] not in _OWN and "," not in row["name"] and REPLAY not in row["name"]
    ]
    return list(dict.fromkeys(peers))


def _titled(name: str, size: int) -> str:
    return name if size == 1 else f"{name} × {size:,}"


def _rate(row: Row | None) -> str:
    return NOTHING if row is None else number(row["rate"])


def _gas(each: float) -> str:
    return number(each) if each else NOTHING


def _cpu(found: list[Row | None]) -> str:
    """Return the client's least processor time on any of the nodes. On a slow node the client's time is longer, because
    waiting for the node also takes processor time.
    """
    least = min((float(row["cpu_us"]) for row in found if row is not None), default=None)
    return NOTHING if least is None else number(least)


def _times(ratio: float | None) -> str:
    return NOTHING if ratio is None else f"{number(ratio)}×"
