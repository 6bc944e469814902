"""Three flows call rooms (packages) only in the allowed order; HANDED_DOWN gives the reason for each exception."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from scripts.flows import HANDED_DOWN, Climb, Recorder, levels, recorded
from tests.support.actors.pilots import Pilot
from tests.support.places import DOCS, PROJECT

ARCHITECTURE = DOCS / "architecture.md"


def function(room: str, source: str) -> Callable[..., Any]:
    """Return an invented function. To the recorder of calls it looks as if it were in the room ``room``."""
    names: dict[str, Any] = {}
    exec(compile(source, str(PROJECT / "ledger" / room / "made_up.py"), "exec"), names)
    made: Callable[..., Any] = names["made"]
    return made


def test_three_flows_follow_the_order_of_the_packages(pilot: Pilot) -> None:
    flows = recorded(pilot)
    climbs = {climb for flow in flows.values() for climb in flow.climbs}
    assert [str(climb) for climb in climbs if climb.pattern is None] == []
    # One run does not call every function in HANDED_DOWN, because the calls depend on what the ledger did before.
    assert {climb.pattern for climb in climbs} <= set(HANDED_DOWN) and len(climbs) > 5
    for name, (first, *between, last) in {
        "a request to a verified use": ("usage", "log", "certificates"),
        "a registration to its certificate": ("registration", "log", "certificates"),
        "a withdrawal": ("usage", "log"),
    }.items():
        assert {first, *between, last} <= set(flows[name].rooms)
        assert flows[name].calls > 100
    drawn = set(re.findall(r"^\| \d \| [^|]* \| `ledger/(\w+)` \|", ARCHITECTURE.read_text("utf-8"), re.MULTILINE))
    assert {"usage", "provider", "log", "certificates"} <= drawn <= set(flows["a request to a verified use"].rooms)


def test_a_call_to_a_package_that_is_not_below_the_caller_is_recorded_as_an_exception() -> None:
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


def test_a_call_through_a_library_is_recorded_as_a_call_from_our_code() -> None:
    """A library may call a function of ours, as ``sorted`` calls its key function. The recorder then records a call
    from that code of ours which called the library.
    """
    recorder = Recorder()
    lower = function("domain", "def made(key):\n    return sorted([2, 1], key=key)")
    with recorder.recording():
        lower(function("log", "def made(value):\n    return value"))
    assert recorder.climbs == {Climb("domain", "log.made_up:made"): 2}


def test_every_package_has_a_place_in_the_order_of_packages() -> None:
    rooms = {path.name for path in (PROJECT / "ledger").iterdir() if (path / "__init__.py").is_file()}
    assert rooms <= set(levels())
