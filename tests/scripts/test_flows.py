"""Three flows go forward through the rooms; what climbs back has a reason, and each reason is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scripts.flows import HANDED_DOWN, Climb, Recorder, levels, recorded
from tests.support.actors.pilots import Pilot
from tests.support.places import PROJECT


def function(room: str, source: str) -> Callable[..., Any]:
    """A function of that room, as the recorder sees it."""
    names: dict[str, Any] = {}
    exec(compile(source, str(PROJECT / "ledger" / room / "made_up.py"), "exec"), names)
    made: Callable[..., Any] = names["made"]
    return made


def test_flows_go_forward(pilot: Pilot) -> None:
    flows = recorded(pilot)
    climbs = {climb for flow in flows.values() for climb in flow.climbs}
    assert [str(climb) for climb in climbs if climb.pattern is None] == []
    # What is handed down is called only where it is needed, which depends on what the ledger went through before.
    assert {climb.pattern for climb in climbs} <= set(HANDED_DOWN) and len(climbs) > 5
    for name, (first, *between, last) in {
        "a request to a verified use": ("usage", "log", "certificates"),
        "a registration to its certificate": ("registration", "log", "certificates"),
        "a withdrawal": ("usage", "log"),
    }.items():
        assert {first, *between, last} <= set(flows[name].rooms)
        assert flows[name].calls > 100


def test_a_call_climbs_if_it_goes_up_or_beside() -> None:
    calls = "def made(function):\n    return function()"
    ends = "def made():\n    return None"
    recorder = Recorder()
    with recorder.recording():
        function("usage", calls)(function("log", ends))
        function("log", calls)(function("usage", ends))
        function("usage", calls)(function("registration", ends))
        function("usage", calls)(function("usage", ends))
    assert recorder.climbs == {Climb("log", "usage.made_up:made"): 1, Climb("usage", "registration.made_up:made"): 1}
    assert (recorder.calls, recorder.rooms) == (3, ["usage", "log", "registration"])
    assert all(climb.pattern is None for climb in recorder.climbs)


def test_libraries_between_two_rooms_are_skipped() -> None:
    """Such as ``sorted``, which is given a key."""
    recorder = Recorder()
    lower = function("domain", "def made(key):\n    return sorted([2, 1], key=key)")
    with recorder.recording():
        lower(function("log", "def made(value):\n    return value"))
    assert recorder.climbs == {Climb("domain", "log.made_up:made"): 2}


def test_every_room_has_a_level() -> None:
    rooms = {path.name for path in (PROJECT / "ledger").iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= set(levels())
