"""The twelve scenarios, each step for many at once: request, authorise, supply, issue; then verify and use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import groupby
from pathlib import Path

from ledger.demo.bureau import NOTE, Bureau
from ledger.demo.cast import Cast
from ledger.demo.mixture import Fate
from ledger.demo.offices import Offices, note_of
from ledger.demo.people import Member
from ledger.demo.sources import Shelves, Sources
from ledger.demo.stages import Run
from ledger.demo.tally import Tally
from ledger.demo.unhappy import FEWER, Desk, Ending, Kept, late, swapped_subjects
from ledger.domain.canonical import digest
from ledger.domain.days import end_of_validity, shanghai_day
from ledger.domain.scenario import Scenario
from ledger.service.authorizations import Choice
from ledger.service.parties import SHOWN_OF_ID
from ledger.service.requests import Note, Terms
from ledger.service.wiring import Ledger

DAY = 86_400
# Requests can be answered for so many days; certificates made before the present are valid for so few.
ANSWER_DAYS = 2
SHORT_DAYS = 5
THREADS = 2

Tick = Callable[[int], None]
Progress = Callable[[str, int], Tick]
Members = Mapping[str, Sequence[Member]]


class Pilot:
    """The scenarios with their parties; nobody authorises the second bank of ``cast``, whose supervisor steps in.

    Whatever is called takes members by scenario and tallies what came of them.
    """

    def __init__(
        self, ledger: Ledger, offices: Offices, cast: Cast, sources: Sources, run: Run, progress: Progress
    ) -> None:
        self._ledger = ledger
        self._offices = offices
        self._sources = sources
        self._run = run
        self._progress = progress
        self._bureau = Bureau(ledger, self._records_of)
        self.scenarios = {scenario.code: scenario for scenario in ledger.scenarios.all()}
        self._desk = Desk(self._bureau, self.scenarios, cast.other_bank, (cast.supervisor, offices.ids["oversight"]))

    def _records_of(self, provider: str) -> Path:
        """Beside the provider's files; those of a ledger that was set up anew are others."""
        ledger = self._ledger.reader.chain.ledger
        return self._sources.folder / self._offices.name(provider) / f"records-{ledger[:SHOWN_OF_ID]}"

    def issue(self, shelves: Shelves, members: Members, prefix: str = "", days: int | None = None) -> None:
        """From the requests to anchored certificates; certificates are valid for ``days``, or as long as may be."""
        everyone = [member for group in members.values() for member in group]
        with self._stage(f"{prefix}请求 request", len(everyone)) as tick:
            for tally, group in self._tallied(members):
                self._request(tally, group, days, tick)
        with self._stage(f"{prefix}授权 authorise", len(everyone)) as tick:
            for tally, group in self._tallied(members):
                self._authorise(tally, group, tick)
        asked = sum(len(member.authorizations) for member in everyone)
        with self._stage(f"{prefix}数据源答复 sources answer", asked) as tick:
            for tally, group in self._tallied(members):
                self._supply(tally, group, shelves, tick)
        with self._stage(f"{prefix}签发并上链 issue and anchor", len(everyone)) as tick:
            for tally, group in self._tallied(members):
                self._certify(tally, group)
                tick(len(group))
            self._flush(members)
            self._run.stages[-1].count = sum(bool(member.certificate) for member in everyone)

    def sign_late(self, members: Members) -> None:
        """The subjects of requests that were not answered want to sign now."""
        for tally, group in self._tallied(members):
            for member in group:
                if member.fate is Fate.UNANSWERED:
                    tally.caught.append(late(self._bureau, member))
                    tally.counts["unanswered"] += 1

    def verify(self, members: Members, correct: Callable[[], Shelves]) -> dict[str, list[Kept]]:
        """Every certificate is shown, verified and used, or caught; what the consumers held, by scenario."""
        kept: dict[str, list[Kept]] = {}
        number = sum(bool(member.certificate) for group in members.values() for member in group)
        with self._stage("核验并使用 verify and use", number) as tick, _threads() as pool:
            for tally, group in self._tallied(members):
                certified = [member for member in group if member.certificate]
                ends = pool.map(partial(self._desk.end, correct=partial(self._correct, correct)), certified)
                for member, ending in zip(certified, ends, strict=True):
                    self._note(tally, member, ending)
                    if ending.kept is not None:
                        kept.setdefault(tally.scenario, []).append(ending.kept)
                    tick(1)
        with self._stage("核验记录上链 anchor what came of it", number) as tick:
            self._flush(members)
            tick(number)
        return kept

    def _request(self, tally: Tally, group: Sequence[Member], days: int | None, tick: Tick) -> None:
        note = Note(contact=NOTE.contact, purpose_note=note_of(tally.scenario))
        terms = [self._terms(self.scenarios[tally.scenario], member, days) for member in group]
        for member, request in zip(group, self._bureau.ask(terms, tick, note), strict=True):
            member.request = request
        tally.counts["requested"] += len(group)
        tally.entries += len(group)

    def _terms(self, scenario: Scenario, member: Member, days: int | None) -> Terms:
        now = self._ledger.clock()
        last = shanghai_day(now) + timedelta(
            days=min(days or scenario.max_validity_days, scenario.max_validity_days) - 1
        )
        return Terms(
            scenario=scenario.code,
            subject=member.party,
            consumer=self._offices.consumer(scenario.code),
            sources={source.name: self._offices.supplier(source.name) for source in scenario.sources},
            fields=tuple(field.name for field in scenario.fields),
            valid_from=now,
            valid_to=end_of_validity(last),
            max_uses=1,
            channel="government_platform",
            expires_at=now + ANSWER_DAYS * DAY,
            pia_digest=digest(b"impact assessment") if scenario.requires_pia else None,
        )

    def _authorise(self, tally: Tally, group: Sequence[Member], tick: Tick) -> None:
        for member in group:
            if member.fate is Fate.DECLINED:
                self._ledger.requests.decline(member.request)
                tally.counts["declined"] += 1
        willing = [member for member in group if member.fate not in (Fate.DECLINED, Fate.UNANSWERED)]
        tick(len(group) - len(willing))
        separate = self.scenarios[tally.scenario].legal_basis == "separate_consent"
        for fields, some in groupby(sorted(willing, key=self._desk.granted), self._desk.granted):
            by_request = {member.request: member for member in some}
            choice = Choice(fields=fields, separate_consent=separate)
            for row in self._bureau.agree(by_request, choice, tick):
                by_request[row.request_id].authorizations[row.source] = row.id
        tally.counts["authorised"] += len(willing)
        tally.counts["fewer_fields"] += sum(member.fate in FEWER for member in willing)
        tally.entries += sum(len(member.authorizations) for member in willing)

    def _supply(self, tally: Tally, group: Sequence[Member], shelves: Shelves, tick: Tick) -> None:
        for member in group:
            if member.fate is Fate.TIMED_OUT:
                self._time_out(tally, member)
        sources = {
            identifier: shelves.connector(tally.scenario, source)
            for member in group
            for source, identifier in member.authorizations.items()
        }
        results = {row.authorization_id: row.result for row in self._bureau.inquire(sources, tick)}
        tally.entries += len(results)
        for member in group:
            answers = [results[identifier] for identifier in member.authorizations.values()]
            if answers:
                # Supplied by any source is supplied: the certificate rests on those.
                tally.counts["supplied" if "supplied" in answers else answers[0]] += 1
            if member.fate is Fate.SWAPPED:
                other = next(each for each in group if each.authorizations and each is not member)
                tally.caught += swapped_subjects(self._bureau, member, other)

    def _time_out(self, tally: Tally, member: Member) -> None:
        for source, identifier in member.authorizations.items():
            key = tally.scenario, source
            slow = self._sources.slow(key).connector(*key)
            with self._sources.busy(key):
                (row,) = self._bureau.inquire({identifier: slow})
            tally.counts["timed_out"] += row.result == "timed_out"
            tally.entries += 1

    def _certify(self, tally: Tally, group: Sequence[Member]) -> None:
        ready = [
            member for member in group if member.authorizations and member.fate not in (Fate.NO_DATA, Fate.REFUSED)
        ]
        for member, row in zip(ready, self._bureau.certify([member.request for member in ready]), strict=True):
            member.certificate = row.certificate_no
        tally.counts["issued"] += len(ready)
        tally.entries += len(ready)

    def _correct(self, mended: Callable[[], Shelves], member: Member) -> str:
        shelves = mended()
        sources = {
            identifier: shelves.connector(member.scenario, source)
            for source, identifier in member.authorizations.items()
        }
        self._bureau.inquire(sources)
        return self._ledger.corrections.correct(member.certificate).certificate_no

    def _note(self, tally: Tally, member: Member, ending: Ending) -> None:
        tally.caught += ending.caught
        tally.entries += ending.entries
        tally.use_gas += ending.gas
        tally.counts["verified"] += ending.verified
        tally.counts["corrected"] += member.fate is Fate.CORRECTED
        tally.unexpected += [ending.unexpected] if ending.unexpected else []
        self._run.stages[-1].gas += ending.gas

    def _tallied(self, members: Members) -> Iterator[tuple[Tally, Sequence[Member]]]:
        """Each scenario's tally and members; what the caller does with them is its time."""
        for scenario, group in members.items():
            tally = self._run.tally(scenario, self.scenarios[scenario].title)
            with tally.timed():
                yield tally, group

    @contextmanager
    def _stage(self, name: str, count: int) -> Iterator[Tick]:
        with self._run.stage(name) as stage:
            stage.count = count
            yield self._progress(name, max(count, 1))

    def _flush(self, members: Members) -> None:
        """Anchor what waits; each scenario bears the gas of its entries."""
        gas = self._ledger.anchoring.flush().gas
        self._run.stages[-1].gas += gas
        tallies = [self._run.tallies[scenario] for scenario in members]
        fresh = [tally.entries - tally.anchored for tally in tallies]
        for tally, entries in zip(tallies, fresh, strict=True):
            tally.anchor_gas += gas * entries // max(1, sum(fresh))
            tally.anchored = tally.entries


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """The ledger waits for the node, and the node for the ledger: two at a time keep both at work."""
    pool = ThreadPoolExecutor(THREADS)
    try:
        yield pool
    finally:
        # After Ctrl-C nothing new is begun.
        pool.shutdown(cancel_futures=True)


def split(members: Members, fates: Iterable[Fate]) -> tuple[Members, Members]:
    """Those with one of the fates, and the others."""
    chosen = frozenset(fates)
    return (
        {scenario: [member for member in group if member.fate in chosen] for scenario, group in members.items()},
        {scenario: [member for member in group if member.fate not in chosen] for scenario, group in members.items()},
    )
