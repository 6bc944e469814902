"""Runs the pilot, from an empty folder to verified certificates. If a run is interrupted, the next run continues it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from ledger.chain.reading.facts import collect_facts
from ledger.demo.asset_histories import AssetHistories
from ledger.demo.data.cast import Cast, assemble, onboard
from ledger.demo.data.catalogue import Library
from ledger.demo.data.mapping import mapping_table
from ledger.demo.data.mixture import EARLY
from ledger.demo.data.offices import open_offices
from ledger.demo.data.panels import FIRMS, Panel, read_panels
from ledger.demo.data.people import members_of, split, subjects_of
from ledger.demo.data.sources import Sources
from ledger.demo.keepsakes import Keepsakes, as_json, save
from ledger.demo.opening import four_years
from ledger.demo.picture import flow_picture
from ledger.demo.powers import SCENARIO, STAGE, Powers, name_certificate, two_firms
from ledger.demo.registration import Registering, catch_up, skip_to, transfer_one
from ledger.demo.scenarios import ANCHOR, SHORT_DAYS, VERIFY, Pilot
from ledger.demo.stages import Progress, Run, Step
from ledger.demo.tally import COUNTS
from ledger.domain.days import DAY, shanghai_day
from ledger.domain.resource import DataResource
from ledger.installation.local_chain import LocalClock
from ledger.installation.wiring import Ledger

REPORTS = ("quality", "appraise")
# How many institutions the pilot has: the registrar, the data provider, two banks, supervisor, assessor, platform and
# three authorities.
INSTITUTIONS = 10
EARLIER_DAYS = 10
# The key recovery needs one waiting period, and these seconds for its other acts: proposals, and acts that must be
# refused. So it begins that much earlier than the present.
AROUND_THE_DELAY = 3600
OFFICE_ACTS: Final = ("accredit", "set_roles")
EARLY_PREFIX: Final = "十日前 ten days before: "


@dataclass(frozen=True, slots=True)
class Size:
    """The size of the pilot: the number of subjects (firms first), of firms, and of data sets. None means all."""

    subjects: int
    firms: int | None = None
    data_sets: int | None = None


def run_pilot(
    ledger: Ledger,
    out: Path,
    progress: Progress,
    size: Size,
    reached: Callable[[str], None] = lambda _name: None,
    say: Callable[[str], None] = lambda _sentence: None,
) -> Run:
    """Run every step. If an earlier run did not finish, only the remaining acts are done. Before each step, ``reached``
    is called with the step's name. ``say`` is called with a sentence about the first certificate.

    Writes certificates, bundles, the providers' files, a summary and a picture to ``out``.
    """
    demonstration = Demonstration(ledger, out, progress, size, say)
    for name, act in demonstration.steps():
        reached(name)
        act()
    reached("")
    return demonstration.run


class Demonstration:
    """The pilot's steps and the state that they share. Each step finds on the ledger what was already done, does the
    rest, and counts everything.

    On a new local chain, part of the pilot runs before the present, so that requests and certificates can expire.
    """

    def __init__(self, ledger: Ledger, out: Path, progress: Progress, size: Size, say: Callable[[str], None]) -> None:
        self._say = say
        self.run = Run(mapping=mapping_table())
        self._ledger = ledger
        self._out = out
        self._progress = progress
        self._size = size
        self._clock = LocalClock(ledger.settings)
        self._library, self._panels = _real_data(size)
        self._keepsakes = Keepsakes(ledger, out)
        self._moved = ""

    def steps(self) -> Iterator[Step]:
        """Yield every step with its name. A step needs the results of the steps before it, so the caller must run each
        step before it asks for the next.
        """
        yield "institutions", self._open
        yield from self._registering.steps()
        singles = self._registering.rest(self._registering.single)
        self._histories = AssetHistories(self._ledger, self._cast, singles, self.run, self._progress)
        if self._clock.ahead < 0 or self._histories.begun:
            yield from self._histories.steps()
            yield "provenance", self._write_histories
        yield "subjects", self._gather
        shelves = self._sources.write(self._today)
        if any(self._before.values()):
            yield from self._pilot.steps(shelves, self._before, EARLY_PREFIX, SHORT_DAYS)
            yield from self._powers()
        yield "catch up", lambda: catch_up(self._ledger)
        yield "transfer", self._transfer
        yield from self._pilot.steps(shelves, self._present)
        yield "sign late", lambda: self._pilot.sign_late(self._before)
        corrected = cache(lambda: self._sources.write(self._today, corrected=True))
        yield VERIFY, lambda: self._pilot.verify(self._members, corrected)
        yield ANCHOR, lambda: self._pilot.anchor(self._members)
        yield "output", self._write_out

    def _open(self) -> None:
        ledger, run = self._ledger, self.run
        with run.stage("机构和企业上链 onboard institutions and firms") as stage:
            self._cast = assemble(ledger, list(self._panels[FIRMS]))
            self._offices = open_offices(ledger)
            _accredit(ledger, self._cast)
            _let_offices_begin(ledger)
            run.counts["institutions"] = INSTITUTIONS + len(self._offices.ids)
            stage.count = run.counts["institutions"] + len(self._cast.firms)
        self._registering = Registering(ledger, self._cast, self._library, run, self._progress, self._show_first)

    def _show_first(self, number: str, resource: DataResource) -> None:
        """Save the bundle of the first certificate, and say what it certifies and how to verify it."""
        path = self._out / "first-certificate.json"
        save(path, self._ledger.certificates.bundles.build(number).to_bytes())
        home = self._ledger.settings.home
        self._say(
            f"第一张凭证 {number}：证明数据资源 {resource.code} 已登记。"
            f" The first certificate {number} says that the data resource {resource.code} is registered:"
            f" {resource.title}, {resource.rows:,} rows."
            f"\n另开终端核验 To verify it, in another terminal: pingzheng verify {path} --home {home}"
        )

    def _write_histories(self) -> None:
        asset, provenances = self._histories.assets[0], self._ledger.provenances
        folder = self._out / "asset"
        save(folder / "provenance.json", as_json(provenances.asset(asset).to_dict()))
        save(folder / "provenance.jsonld", as_json(provenances.prov(asset)))
        save(folder / "timeline.svg", provenances.timeline(asset).encode())

    def _gather(self) -> None:
        """Move the local chain's clock to ten days before the present, and onboard the subjects."""
        catch_up(self._ledger, EARLIER_DAYS * DAY)
        early = self._clock.ahead <= -EARLIER_DAYS * DAY
        self._members = members_of(subjects_of(self._panels, self._size.subjects), early=True)
        self._onboard()
        self._sources = Sources(self._out / "providers", self._panels, self._members)
        self._today = shanghai_day(self._ledger.clock())
        self._pilot = Pilot(
            self._ledger, self._offices, self._cast, self._sources, self.run, self._progress, self._keepsakes
        )
        self._pilot.keep_early(self._members, early)
        self._before, self._present = split(self._members, EARLY)

    def _onboard(self) -> None:
        everyone = [member for group in self._members.values() for member in group]
        parts = {member.subject.part.identifier: member.subject.part for member in everyone}
        with self.run.stage("数据主体上链 onboard the subjects") as stage:
            ids = dict(zip(parts, onboard(self._ledger, list(parts.values())), strict=True))
            stage.count = self.run.counts["subjects"] = len(ids)
        for member in everyone:
            member.party = ids[member.subject.part.identifier]

    def _powers(self) -> Iterator[Step]:
        """If the chain has a waiting period, yield the steps of the key recovery. They run when the chain's clock is
        just before the present.
        """
        if delay := self._ledger.reader.chain.delay:
            powers = Powers(self._ledger, *two_firms(self._before, self._present))
            if self._clock.ahead < 0 or powers.begun:
                yield "last hours", lambda: catch_up(self._ledger, delay + AROUND_THE_DELAY)
                yield STAGE, lambda: self.run.tallies[SCENARIO].caught.extend(powers.play(self.run))

    def _transfer(self) -> None:
        kept = set(self._histories.assets)
        assets = [asset for asset in self._registering.rest(self._registering.assets) if asset not in kept]
        self._moved = transfer_one(self._ledger, self._cast, assets, self.run)

    def _write_out(self) -> None:
        run, out = self.run, self._out
        name_certificate(self._members, run)
        for name in COUNTS:
            run.counts[name] = sum(tally.counts[name] for tally in run.tallies.values())
        run.counts["caught"] = sum(len(tally.caught) for tally in run.tallies.values())
        registration = self._ledger.certificates.bundles.build(self._moved)
        save(out / "bundles" / "registration.json", registration.to_bytes())
        facts = collect_facts(self._ledger.reader, registration)
        save(out / "verify" / "registration-facts.json", facts.to_bytes())
        save(out / "summary.json", as_json(run.to_dict()))
        save(out / "flow.svg", flow_picture(run).encode())


@cache
def _real_data(size: Size) -> tuple[Library, Mapping[str, Panel]]:
    """Return the library and its panels. The panels never change, so they are read only once in a process."""
    library = Library(size.data_sets)
    return library, read_panels(library, size.firms)


def _accredit(ledger: Ledger, cast: Cast) -> None:
    """Propose to accredit the platform and the assessor. On a new ledger, the platform is already accredited."""
    period = four_years(ledger.clock())
    scenarios = [scenario.code for scenario in ledger.scenarios.all()]
    ledger.parties.role_changes.accredit(ledger.authority, ledger.installation.operator, scenarios, *period)
    ledger.parties.role_changes.accredit(ledger.authority, cast.assessor, REPORTS, *period)


def _let_offices_begin(ledger: Ledger) -> None:
    """Carry out the proposals about institutions and accreditations. All these proposals wait for one and the same
    waiting period.

    No other proposal is carried out: an earlier run may have left a forged recovery that the firm has not vetoed yet.
    """
    offices = [row for row in ledger.proposals.pending() if row.kind in OFFICE_ACTS]
    skip_to(ledger, max((row.ready_at for row in offices), default=0) + 1)
    for row in offices:
        if row.ready_at <= ledger.clock():
            ledger.proposals.carry_out(row.no)
    ledger.proposals.follow_up()
