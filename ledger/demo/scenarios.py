"""Runs the twelve scenarios: request, authorise, supply, issue, verify and use. A step serves many subjects at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import InitVar, dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final

from ledger.certificates.verification.verification import MAX_TOGETHER
from ledger.demo.actors import NOTE, Actors
from ledger.demo.data.cast import Cast
from ledger.demo.data.mixture import EARLY, Fate
from ledger.demo.data.offices import Offices, note_of
from ledger.demo.data.people import Member, Members, count
from ledger.demo.data.sources import Shelves, Sources
from ledger.demo.earlier_runs import EarlierRuns
from ledger.demo.endings import Ending
from ledger.demo.forgeries import swapped_subjects
from ledger.demo.keepsakes import Keepsakes
from ledger.demo.refused_cases import FEWER, ShownCertificates, late, simply_used
from ledger.demo.stages import Progress, Run, Stage, Step, Tick
from ledger.demo.tally import Tally
from ledger.domain.canonical import digest
from ledger.domain.days import DAY, end_of_validity, shanghai_day
from ledger.domain.definitions.scenario import Scenario
from ledger.installation.wiring import Ledger
from ledger.parties.register import SHOWN_OF_ID
from ledger.store.sets import portions
from ledger.usage.authorizations import Choice
from ledger.usage.request_notes import Note
from ledger.usage.request_terms import Terms
from ledger.usage.tables import AccessRequest

# Two numbers of days: for how long a request can be answered, and for how long a certificate is valid that is issued
# while the chain's clock shows a time in the past.
ANSWER_DAYS = 2
SHORT_DAYS = 5
THREADS = 2
VERIFY: Final = "核验并使用 verify and use"
ANCHOR: Final = "核验记录上链 anchor the verifications"
# If a request ends in one of these ways, no source supplies data, so no certificate is issued.
WITHOUT_DATA: Final = (Fate.NO_DATA, Fate.REFUSED)

Act = Callable[[Tally, Sequence[Member], Tick], None]


@dataclass(eq=False, repr=False)
class Pilot:
    """Runs the scenarios. No subject authorises the second bank of ``cast``, so this bank's verifications fail.

    Every method takes a map from scenarios to members, and counts the results. Work of an earlier run is found on the
    ledger, counted, and not repeated.
    """

    _ledger: Ledger
    _offices: Offices
    cast: InitVar[Cast]
    _sources: Sources
    _run: Run
    _progress: Progress
    _keepsakes: Keepsakes

    def __post_init__(self, cast: Cast) -> None:
        self._earlier = EarlierRuns(self._ledger)
        self._actors = Actors(self._ledger, self._records_of)
        self.scenarios = {scenario.code: scenario for scenario in self._ledger.scenarios.all()}
        supervisors = cast.supervisor, self._offices.ids["oversight"]
        self._shown = ShownCertificates(self._actors, self.scenarios, cast.other_bank, supervisors, self._keepsakes)

    def _records_of(self, provider: str) -> Path:
        """Return the folder of a provider's records, beside the provider's files; each ledger has a separate folder."""
        ledger = self._ledger.reader.chain.ledger
        return self._sources.folder / self._offices.name(provider) / f"records-{ledger[:SHOWN_OF_ID]}"

    def steps(self, shelves: Shelves, members: Members, prefix: str = "", days: int | None = None) -> list[Step]:
        """Return the steps, with their names, that lead from requests to anchored certificates.

        Certificates are valid for ``days`` days; by default as long as the scenario allows.
        """
        acts: tuple[tuple[str, Act, Callable[[Members], int]], ...] = (
            (f"{prefix}请求 request", partial(self._request, days=days), count),
            (f"{prefix}授权 authorise", self._authorise, count),
            (f"{prefix}数据源答复 sources answer", partial(self._supply, shelves=shelves), _count_consents),
        )
        certify = f"{prefix}签发并上链 issue and anchor"
        return [
            *((name, partial(self._all, name, act, size, members)) for name, act, size in acts),
            (certify, partial(self._certify_all, certify, members)),
        ]

    def _all(self, name: str, act: Act, size: Callable[[Members], int], members: Members) -> None:
        with self._stage(name, size(members)) as tick:
            for tally, group in self._tallied(members):
                act(tally, group, tick)

    def _certify_all(self, name: str, members: Members) -> None:
        with self._stage(name, count(members)) as tick:
            for tally, group in self._tallied(members):
                self._certify(tally, group)
                tick(len(group))
            self._flush(members)
            self._stage_now.count = sum(bool(member.certificate) for group in members.values() for member in group)

    def sign_late(self, members: Members) -> None:
        """Try to sign authorizations after the deadline of their requests."""
        for tally, group in self._tallied(members):
            for member in group:
                if member.fate is Fate.UNANSWERED:
                    tally.caught.append(late(self._actors, member))
                    tally.counts["unanswered"] += 1

    def verify(self, members: Members, correct: Callable[[], Shelves]) -> None:
        """Present every certificate. Its consumer then verifies and uses it, or refuses it."""
        certified = {scenario: [each for each in group if each.certificate] for scenario, group in members.items()}
        self._keepsakes.choose(
            {scenario: [each for each in group if simply_used(each)] for scenario, group in certified.items()}
        )
        # If an earlier run was interrupted during verifications, their results are first read from the chain.
        self._ledger.verification.settle()
        used = self._earlier.used([member.certificate for group in certified.values() for member in group])
        with self._stage(VERIFY, count(certified)) as tick, _threads() as pool:
            for tally, group in self._tallied(certified):
                for some in portions(group, MAX_TOGETHER):
                    ends = self._shown.end_all(some, partial(self._correct, correct), used, pool.map)
                    for member, ending in zip(some, ends, strict=True):
                        self._note(tally, member, ending)
                    tick(len(some))

    def anchor(self, members: Members) -> None:
        """Anchor the log entries about the verifications."""
        number = sum(bool(member.certificate) for group in members.values() for member in group)
        with self._stage(ANCHOR, number) as tick:
            self._flush(members)
            tick(number)

    def keep_early(self, members: Members, early: bool) -> None:
        """If no time is left before the present, change the fates that would need time, so that these requests succeed.

        Members keep their fate if an earlier run already made a request for a certificate that is valid for only a few
        days. ``early`` is true if time is left.
        """
        for scenario, group in members.items():
            if early or not any(member.fate in EARLY for member in group):
                continue
            known = self._earlier.requests(scenario, self._offices.consumer(scenario))
            for member in group:
                made = known.get(member.party)
                short = made is not None and self._earlier.lasts(made) <= SHORT_DAYS * DAY
                if member.fate in EARLY and not short:
                    member.fate = Fate.ORDINARY

    def _request(self, tally: Tally, group: Sequence[Member], tick: Tick, *, days: int | None) -> None:
        note = Note(contact=NOTE.contact, purpose_note=note_of(tally.scenario))
        known = self._earlier.requests(tally.scenario, self._offices.consumer(tally.scenario))
        for member in group:
            made = known.get(member.party)
            member.request = made.id if made is not None and self._goes_on(made, member) else ""
        fresh = [member for member in group if not member.request]
        terms = [self._terms(self.scenarios[tally.scenario], member, days) for member in fresh]
        if fresh:
            for member, request in zip(fresh, self._actors.ask(terms, tick, note), strict=True):
                member.request = request
        self._found_before(len(group) - len(fresh), tick)
        tally.counts["requested"] += len(group)
        tally.entries += len(group)

    def _goes_on(self, made: AccessRequest, member: Member) -> bool:
        """Return whether ``made``, a request of an earlier run, is used again. Otherwise a new request is made."""
        ended = made.state in ("declined", "fulfilled") or member.fate in (Fate.UNANSWERED, *WITHOUT_DATA)
        return ended or self._ledger.clock() < made.expires_at

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
                if self._ledger.usage.requests.get(member.request).state != "declined":
                    self._ledger.usage.requests.decline(member.request)
                tally.counts["declined"] += 1
        willing = [member for member in group if member.fate not in (Fate.DECLINED, Fate.UNANSWERED)]
        given = self._earlier.consents([member.request for member in willing])
        for member in willing:
            by_source = {row.source: row.id for row in given.get(member.request, ())}
            sources = [source.name for source in self.scenarios[tally.scenario].sources]
            member.authorizations = {source: by_source[source] for source in sources if source in by_source}
        self._found_before(len(given), tick)
        tick(len(group) - len(willing))
        separate = self.scenarios[tally.scenario].legal_basis == "separate_consent"
        left = [member for member in willing if not member.authorizations]
        for fields, some in groupby(sorted(left, key=self._shown.granted), self._shown.granted):
            by_request = {member.request: member for member in some}
            choice = Choice(fields=fields, separate_consent=separate)
            for row in self._actors.agree(by_request, choice, tick):
                by_request[row.request_id].authorizations[row.source] = row.id
        tally.counts["authorised"] += len(willing)
        tally.counts["fewer_fields"] += sum(member.fate in FEWER for member in willing)
        tally.entries += sum(len(member.authorizations) for member in willing)

    def _supply(self, tally: Tally, group: Sequence[Member], tick: Tick, *, shelves: Shelves) -> None:
        for member in group:
            if member.fate is Fate.TIMED_OUT:
                self._time_out(tally, member)
        self._hand_in_again(tally.scenario)
        consents = [identifier for member in group for identifier in member.authorizations.values()]
        last = {identifier: rows[-1].result for identifier, rows in self._earlier.answers(consents).items()}
        results = {identifier: result for identifier, result in last.items() if result != "timed_out"}
        self._found_before(len(results), tick)
        sources = {
            identifier: shelves.connector(tally.scenario, source)
            for member in group
            for source, identifier in member.authorizations.items()
            if identifier not in results
        }
        results |= {row.authorization_id: row.result for row in self._actors.inquire(sources, tick)}
        tally.entries += len(results)
        for member in group:
            answers = [results[identifier] for identifier in member.authorizations.values()]
            if answers:
                # One source is enough for a certificate. So a member of the scenario counts as supplied if at least one
                # source supplied data.
                tally.counts["supplied" if "supplied" in answers else answers[0]] += 1
            if member.fate is Fate.SWAPPED:
                other = next(each for each in group if each.authorizations and each is not member)
                tally.caught += swapped_subjects(self._actors, member, other)

    def _hand_in_again(self, scenario: str) -> None:
        for source in self.scenarios[scenario].sources:
            self._actors.hand_in_again(self._offices.supplier(source.name))

    def _time_out(self, tally: Tally, member: Member) -> None:
        given = self._earlier.answers(list(member.authorizations.values()))
        for source, identifier in member.authorizations.items():
            key = tally.scenario, source
            if rows := given.get(identifier):
                first = rows[0].result
            else:
                slow = self._sources.slow(key).connector(*key)
                with self._sources.busy(key):
                    (row,) = self._actors.inquire({identifier: slow})
                first = row.result
            tally.counts["timed_out"] += first == "timed_out"
            tally.entries += 1

    def _certify(self, tally: Tally, group: Sequence[Member]) -> None:
        ready = [member for member in group if member.authorizations and member.fate not in WITHOUT_DATA]
        made = self._earlier.certificates([member.request for member in ready])
        fresh = [member for member in ready if member.request not in made]
        for member in ready:
            if member.request in made:
                member.certificate = made[member.request][0].certificate_no
        if fresh:
            for member, row in zip(fresh, self._actors.certify([member.request for member in fresh]), strict=True):
                member.certificate = row.certificate_no
        self._stage_now.found += len(ready) - len(fresh)
        tally.found["issued"] += len(ready) - len(fresh)
        tally.counts["issued"] += len(ready)
        tally.entries += len(ready)

    def _correct(self, mended: Callable[[], Shelves], member: Member) -> str:
        if len(self._earlier.certificates([member.request])[member.request]) == 1:
            self._hand_in_again(member.scenario)
            given = self._earlier.answers(list(member.authorizations.values()))
            shelves = mended()
            sources = {
                identifier: shelves.connector(member.scenario, source)
                for source, identifier in member.authorizations.items()
                if len(given[identifier]) == 1
            }
            self._actors.inquire(sources)
        platform = self._ledger.actor(self._ledger.party)
        return self._ledger.usage.corrections.correct(platform, member.certificate).certificate_no

    def _note(self, tally: Tally, member: Member, ending: Ending) -> None:
        tally.caught += ending.caught
        tally.entries += ending.entries
        tally.use_gas += ending.gas
        tally.counts["verified"] += ending.verified
        tally.counts["corrected"] += member.fate is Fate.CORRECTED
        tally.found["verified"] += ending.verified and ending.found
        tally.unexpected += [ending.unexpected] if ending.unexpected else []
        self._stage_now.gas += ending.gas
        self._stage_now.found += ending.found

    def _tallied(self, members: Members) -> Iterator[tuple[Tally, Sequence[Member]]]:
        """Yield each scenario's tally and members. The time that the caller then takes is added to the tally."""
        for scenario, group in members.items():
            tally = self._run.tally(scenario, self.scenarios[scenario].title)
            with tally.timed():
                yield tally, group

    @contextmanager
    def _stage(self, name: str, count: int) -> Iterator[Tick]:
        with self._run.stage(name) as stage:
            stage.count = count
            yield self._progress(name, max(count, 1))

    @property
    def _stage_now(self) -> Stage:
        return self._run.stages[-1]

    def _found_before(self, count: int, tick: Tick) -> None:
        self._stage_now.found += count
        tick(count)

    def _flush(self, members: Members) -> None:
        """Anchor the waiting entries, and divide the gas among the scenarios in proportion to their entries."""
        gas = self._ledger.anchoring.flush().gas
        self._stage_now.gas += gas
        tallies = [self._run.tallies[scenario] for scenario in members]
        fresh = [tally.entries - tally.anchored for tally in tallies]
        for tally, entries in zip(tallies, fresh, strict=True):
            tally.anchor_gas += gas * entries // max(1, sum(fresh))
            tally.anchored = tally.entries


def _count_consents(members: Members) -> int:
    return sum(len(member.authorizations) for group in members.values() for member in group)


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Open a pool of two threads: while one waits for the node, the other can work. After Ctrl-C, no work begins."""
    pool = ThreadPoolExecutor(THREADS)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
