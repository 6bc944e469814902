"""The pilot's subjects. Each has real rows of a panel, and an invented name and identifier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from ledger.demo.data.cast import REGIONS, Part, firm
from ledger.demo.data.mixture import Fate, fate_of
from ledger.demo.data.panels import FIRMS, WORKERS, YOUNG_MEN, Panel
from ledger.domain.codes import synthetic_resident_id
from ledger.domain.parties import PartyKind

_SURNAMES: Final = "陈李林黄吴梁郑庞杨许"
# Says for each scenario which firms take part: a firm takes part if its place in the list, modulo 4, is one of the
# scenario's numbers. (A person takes part in only one scenario.)
_FIRMS_IN: Final[Mapping[str, tuple[int, ...]]] = {
    "S01": (0, 1),
    "S05": (2,),
    "S06": (3,),
    "S07": (2,),
    "S08": (3,),
    "S09": (0,),
    "S11": (1,),
    "S12": (2,),
}
_SIXTH: Final = 6


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject. ``number`` is its number in the panel, ``part`` is the party to onboard, and ``phone`` is an invented
    phone number.
    """

    panel: str
    number: str
    part: Part
    phone: str


@dataclass(slots=True)
class Member:
    """A subject in a scenario, with what exists so far: party, request, authorizations by source, certificate."""

    scenario: str
    subject: Subject
    fate: Fate
    party: str = ""
    request: str = ""
    authorizations: dict[str, str] = field(default_factory=dict)
    certificate: str = ""

    @property
    def first_consent(self) -> str:
        """The id of the authorization for the scenario's first source."""
        return next(iter(self.authorizations.values()))


Members = Mapping[str, Sequence[Member]]


def subjects_of(panels: Mapping[str, Panel], limit: int) -> list[Subject]:
    """Return up to ``limit`` subjects: first the firms, then persons. Half of the persons come from one of the two
    other panels, and half from the other.
    """
    firms = [
        Subject(FIRMS, number, firm(place, number), f"{10_000_009_000 + int(number)}")
        for place, number in enumerate(panels[FIRMS])
    ]
    numbers = chain(*([(code, number) for number in panels[code]] for code in (YOUNG_MEN, WORKERS)))
    persons = [_person(place, panel, number) for place, (panel, number) in enumerate(numbers, start=1)]
    young = [person for person in persons if person.panel == YOUNG_MEN]
    workers = [person for person in persons if person.panel == WORKERS]
    left = max(0, limit - len(firms))
    half = min(len(young), left // 2)
    return [*firms[:limit], *young[:half], *workers[: left - half]]


def _person(place: int, panel: str, number: str) -> Subject:
    region = REGIONS[place % len(REGIONS)]
    name = f"湛江{_SURNAMES[place % len(_SURNAMES)]}某某{place:04d}号"
    part = Part(PartyKind.PERSON, name, region, synthetic_resident_id(place))
    return Subject(panel, number, part, f"{10_000_000_000 + place}")


def members_of(subjects: Sequence[Subject], early: bool) -> dict[str, list[Member]]:
    """Return the members of each scenario: the scenario's subjects, each with the way in which its request will end
    (its fate).
    """
    chosen = _persons_by_scenario(subjects) | _firms_by_scenario(subjects)
    return {
        scenario: [
            Member(scenario, subject, fate_of(scenario, place, early)) for place, subject in enumerate(chosen[scenario])
        ]
        for scenario in sorted(chosen)
    }


def _persons_by_scenario(subjects: Sequence[Subject]) -> dict[str, list[Subject]]:
    """Assign the persons of each panel to two scenarios. One person in six gets the scenario with three sources."""
    found: dict[str, list[Subject]] = {"S02": [], "S03": [], "S04": [], "S10": []}
    for panel, one, three in ((YOUNG_MEN, "S02", "S10"), (WORKERS, "S04", "S03")):
        for place, subject in enumerate(subject for subject in subjects if subject.panel == panel):
            found[three if place % _SIXTH == _SIXTH - 1 else one].append(subject)
    return found


def _firms_by_scenario(subjects: Sequence[Subject]) -> dict[str, list[Subject]]:
    firms = [subject for subject in subjects if subject.panel == FIRMS]
    return {
        scenario: [firm for place, firm in enumerate(firms) if place % 4 in parts]
        for scenario, parts in _FIRMS_IN.items()
    }


def split(members: Members, fates: Iterable[Fate]) -> tuple[Members, Members]:
    """Return first the members whose fate is one of ``fates``, and then all other members."""
    chosen = frozenset(fates)
    return (
        {scenario: [member for member in group if member.fate in chosen] for scenario, group in members.items()},
        {scenario: [member for member in group if member.fate not in chosen] for scenario, group in members.items()},
    )


def count(members: Members) -> int:
    """Return how many members all scenarios have together."""
    return sum(len(group) for group in members.values())
