"""The pilot from an empty folder to verified certificates, and again on what a run before left."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from ledger.chain.facts import collect_facts
from ledger.demo.cast import Cast, assemble, onboard
from ledger.demo.catalogue import Library
from ledger.demo.life import live_on
from ledger.demo.mapping import mapping_table
from ledger.demo.mixture import EARLY
from ledger.demo.offices import open_offices
from ledger.demo.opening import four_years
from ledger.demo.panels import FIRMS, read_panels
from ledger.demo.people import Member, members_of, subjects_of
from ledger.demo.picture import flow_picture
from ledger.demo.powers import SCENARIO, name_certificate, recover_and_veto, two_firms
from ledger.demo.registration import catch_up, register_catalogue, skip_to, transfer_one
from ledger.demo.scenarios import DAY, SHORT_DAYS, Members, Pilot, split
from ledger.demo.sources import Sources
from ledger.demo.stages import Run
from ledger.demo.tally import COUNTS
from ledger.demo.unhappy import Kept
from ledger.domain.days import shanghai_day
from ledger.proof.bundle import parse_bundle
from ledger.service.local_chain import LocalClock
from ledger.service.wiring import Ledger

Tick = Callable[[int], None]
Progress = Callable[[str, int], Tick]
REPORTS = ("quality", "appraise")
# Registrar, data provider, two banks, supervisor, assessor, platform and three authorities.
INSTITUTIONS = 10
EARLIER_DAYS = 10
# Seconds beside the delay that it takes to propose, and to try what is refused.
AROUND_THE_DELAY = 3600
KEPT = 2


def run_pilot(ledger: Ledger, out: Path, progress: Progress, limit: int) -> Run:
    """Run both halves; leaves certificates, bundles, the providers' files, summary and picture in ``out``.

    ``limit``: how many subjects take part, firms first. On a new local chain a part of the pilot runs before the
    present, so that requests and certificates can expire.
    """
    run, library = Run(mapping=mapping_table()), Library()
    panels = read_panels(library)
    clock = LocalClock(ledger.settings)
    with run.stage("机构和企业上链 onboard institutions and firms") as stage:
        cast = assemble(ledger, list(panels[FIRMS].subjects))
        offices = open_offices(ledger)
        _accredit(ledger, cast)
        _let_offices_begin(ledger)
        run.counts["institutions"] = INSTITUTIONS + len(offices.ids)
        stage.count = run.counts["institutions"] + len(cast.firms)
    assets = register_catalogue(ledger, cast, library, run, progress)
    if clock.ahead < 0:
        live_on(ledger, cast, assets, run, progress)
        _write_life(out / "asset", ledger, assets[0])
    early = _ten_days_before(ledger, clock)
    members = members_of(subjects_of(panels, limit), early)
    _onboard(ledger, members, run)
    sources = Sources(out / "providers", panels, members)
    today = shanghai_day(ledger.clock())
    shelves = sources.write(today)
    pilot = Pilot(ledger, offices, cast, sources, run, progress)
    before, present = split(members, EARLY)
    if early:
        pilot.issue(shelves, before, "十日前 ten days before: ", SHORT_DAYS)
        _show_powers(ledger, before, present, run)
    catch_up(ledger)
    moved = transfer_one(ledger, cast, run)
    pilot.issue(shelves, present)
    pilot.sign_late(before)
    kept = pilot.verify(members, cache(lambda: sources.write(today, corrected=True)))
    name_certificate(members, run)
    _count(run)
    _write_out(out, ledger, run, kept, moved)
    return run


def _accredit(ledger: Ledger, cast: Cast) -> None:
    """The platform is accredited from the beginning where the pilot founded the ledger; else it is proposed."""
    period = four_years(ledger.clock())
    scenarios = [scenario.code for scenario in ledger.scenarios.all()]
    ledger.parties.accredit(ledger.installation.operator, scenarios, *period)
    ledger.parties.accredit(cast.assessor, REPORTS, *period)


def _let_offices_begin(ledger: Ledger) -> None:
    """Offices and accreditations were proposed and confirmed: one delay for all, then they are carried out."""
    skip_to(ledger, max((row.ready_at for row in ledger.proposals.pending()), default=0) + 1)
    ledger.proposals.tick()


def _show_powers(ledger: Ledger, before: Members, present: Members, run: Run) -> None:
    """Just before the present, so that the delay passes by the clock; a ledger without a delay has nothing to show."""
    if delay := ledger.reader.chain.delay:
        catch_up(ledger, delay + AROUND_THE_DELAY)
        loser, victim = two_firms(before, present)
        run.tallies[SCENARIO].caught += recover_and_veto(ledger, loser, victim, run)


def _ten_days_before(ledger: Ledger, clock: LocalClock) -> bool:
    """Whether there is time before the present; the local chain is moved to its last ten days."""
    if (left := -clock.ahead - EARLIER_DAYS * DAY) > 0:
        clock.skip(ledger.reader.connection, left)
    return clock.ahead <= -EARLIER_DAYS * DAY


def _onboard(ledger: Ledger, members: Mapping[str, Sequence[Member]], run: Run) -> None:
    everyone = [member for group in members.values() for member in group]
    parts = {member.subject.part.identifier: member.subject.part for member in everyone}
    with run.stage("数据主体上链 onboard the subjects") as stage:
        ids = dict(zip(parts, onboard(ledger, list(parts.values())), strict=True))
        stage.count = run.counts["subjects"] = len(ids)
    for member in everyone:
        member.party = ids[member.subject.part.identifier]


def _count(run: Run) -> None:
    """What all scenarios have together."""
    for name in COUNTS:
        run.counts[name] = sum(tally.counts[name] for tally in run.tallies.values())
    run.counts["caught"] = sum(len(tally.caught) for tally in run.tallies.values())


def _write_out(out: Path, ledger: Ledger, run: Run, kept: Mapping[str, Sequence[Kept]], moved: str) -> None:
    for scenario, some in kept.items():
        for number, held in enumerate(some[:KEPT], start=1):
            _save(out / "bundles" / f"{scenario}-{number}.json", held.bundle)
            certificate = parse_bundle(held.bundle).certificate
            _save(out / "certificates" / f"{scenario}-{number}.sd-jwt", certificate.encode())
    first = next(iter(kept[min(kept)]))
    if first.facts is not None:
        _save(out / "verify" / "bundle.json", first.bundle)
        _save(out / "verify" / "facts.json", first.facts.to_bytes())
        _save(out / "verify" / "request.json", _json({"consumer": first.consumer, "nonce": first.nonce}))
    registration = ledger.bundles.build(moved)
    _save(out / "bundles" / "registration.json", registration.to_bytes())
    _save(out / "verify" / "registration-facts.json", collect_facts(ledger.reader, registration).to_bytes())
    _save(out / "summary.json", _json(run.to_dict()))
    _save(out / "flow.svg", flow_picture(run).encode())


def _write_life(folder: Path, ledger: Ledger, asset: str) -> None:
    _save(folder / "provenance.json", _json(ledger.provenances.asset(asset).to_dict()))
    _save(folder / "provenance.jsonld", _json(ledger.provenances.prov(asset)))
    _save(folder / "timeline.svg", ledger.provenances.timeline(asset).encode())


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def _save(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(data)
    draft.replace(path)
