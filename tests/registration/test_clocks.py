"""Time limits of a registration, which come from a ruleset file: working days around a holiday, renewal, and expiry."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from ledger.demo.data.cast import assemble
from ledger.domain.days import DAY, end_of_validity, shanghai_day
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.domain.working_days import end_of_working_days
from ledger.errors import Conflict
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger
from tests.support.actors.pilots import Pilot, resource
from tests.support.ruleset_files import write

# 10:00 in Shanghai on the Monday before the Spring Festival of 2026. 15 to 23 February are holidays; Saturday 14 and
# Saturday 28 February are working days.
MONDAY = end_of_validity(date(2026, 2, 8)) + 10 * 3600
OWN = (
    ("code: national", "code: own"),
    ("review_days: 20", "review_days: 3"),
    ("notice_days: 10", "notice_days: 12"),
    ("objection_days: 10", "objection_days: 4"),
    ("fix_days: 10", "fix_days: 2"),
    ("validity_years: 3", "validity_years: 1"),
    ("renew_before_days: 60", "renew_before_days: 30"),
    ("renewal_years: 3", "renewal_years: 2"),
    ("offer_days: 15", "offer_days: 5"),
)


@contextmanager
def begun(home: Path) -> Iterator[Pilot]:
    """Create a ledger whose chain starts on the Monday before the Spring Festival of 2026."""
    with create_ledger(Settings(home=home), ago=int(time.time()) - MONDAY) as ledger:
        pilot = Pilot(ledger, assemble(ledger, ["1"]))
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, (REGISTRATION_SCENARIO,), MONDAY - DAY, MONDAY + 10**9
        )
        yield pilot


@pytest.fixture
def holiday(tmp_path: Path) -> Iterator[Pilot]:
    """A ledger for one test, whose clock must be before the holiday. A shared ledger would not do, because another test
    may have moved its clock.
    """
    with begun(tmp_path / "holiday") as pilot:
        yield pilot


@pytest.fixture(scope="module")
def early(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilot]:
    with begun(tmp_path_factory.mktemp("early")) as pilot:
        yield pilot


@pytest.fixture(scope="module")
def own(early: Pilot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilot]:
    """The ledger of ``early``, opened with a ruleset from a file of the operator."""
    folder = tmp_path_factory.mktemp("rulesets")
    write(folder, *OWN)
    with early.under(ruleset="own", rulesets=Path(folder)) as opened:
        yield opened


def reapplied(pilot: Pilot, asset: str) -> None:
    """Accept, review and confirm an application that needs no public notice."""
    for step in (
        pilot.ledger.registration.review.accept,
        pilot.ledger.registration.review.review,
        pilot.ledger.registration.review.confirm,
    ):
        step(pilot.actor(pilot.cast.registrar), [asset])


def test_a_public_notice_counts_working_days_across_a_holiday_and_its_make_up_days(holiday: Pilot) -> None:
    (asset,) = holiday.applied("clocks/holiday")
    assert shanghai_day(holiday.ledger.clock()) == date(2026, 2, 9)
    holiday.noticed([asset])
    last = holiday.record(asset).until
    # The ten working days of the public notice are 10, 11, 12, 13, Saturday 14, 24, 25, 26, 27 and Saturday 28
    # February.
    assert last + 1 == end_of_validity(date(2026, 2, 28)) == end_of_working_days(holiday.ledger.clock(), 10)
    for day in (19, 23, 27):
        holiday.skip(end_of_validity(date(2026, 2, day)) - holiday.ledger.clock())
        with pytest.raises(Conflict, match="ASSET_NOTICE_RUNS"):
            holiday.ledger.registration.review.confirm(holiday.actor(holiday.cast.registrar), [asset])
    holiday.after_notice([asset])
    holiday.ledger.registration.review.confirm(holiday.actor(holiday.cast.registrar), [asset])
    assert holiday.record(asset).state == "confirmed"


def test_the_ruleset_sets_the_periods_of_review_and_public_notice_and_validity(early: Pilot, own: Pilot) -> None:
    lasting = {}
    for pilot, days in ((early, 10), (own, 12)):
        (asset,) = pilot.applied(f"clocks/{pilot.ledger.rules.code}")
        (queued,) = [item for item in pilot.ledger.registration.review.queue(200) if item["asset"] == asset]
        lasting[pilot.ledger.rules.code] = queued["due"]
        assert queued["due"] == end_of_working_days(queued["since"], {10: 20, 12: 3}[days])
        pilot.noticed([asset])
        assert pilot.record(asset).until + 1 == end_of_working_days(pilot.ledger.clock(), days)
        (applied,) = pilot.ledger.registration.registrations.get(asset)["applications"]
        assert applied["ruleset"].startswith(f"{pilot.ledger.rules.code}/{pilot.ledger.rules.version}/")
        pilot.after_notice([asset])
        pilot.ledger.registration.review.confirm(pilot.actor(pilot.cast.registrar), [asset])
        now, years = shanghai_day(pilot.ledger.clock()), {10: 3, 12: 1}[days]
        assert pilot.record(asset).valid_to == end_of_validity(now.replace(year=now.year + years))
        pilot.ledger.registration.transfers.offer(pilot.actor(pilot.cast.provider), asset, pilot.cast.bank)
        assert pilot.record(asset).until // 60 == (pilot.ledger.clock() + {10: 15, 12: 5}[days] * DAY) // 60
    assert lasting["own"] < lasting["national"]


def test_the_ruleset_sets_how_long_a_returned_application_can_be_corrected(own: Pilot) -> None:
    (asset,) = own.applied("clocks/fix")
    own.ledger.registration.review.give_back(own.actor(own.cast.registrar), asset, "One field is missing")
    (queued,) = [item for item in own.ledger.registration.review.queue(200) if item["asset"] == asset]
    assert queued["due"] == end_of_working_days(queued["since"], 2)


def test_the_ruleset_sets_when_an_objection_must_be_verified(own: Pilot) -> None:
    asset = own.confirmed()
    own.ledger.registration.objections.file(own.actor(own.cast.bank), asset, "It is ours")
    (objection,) = own.ledger.registration.objections.of(asset, own.ledger.clock())
    assert objection["due"] == end_of_working_days(objection["filed_at"], 4)


def test_a_renewal_that_is_too_early_is_refused_and_a_later_renewal_extends_the_registration(own: Pilot) -> None:
    asset, applications = own.confirmed(), own.ledger.registration.applications
    before = own.record(asset).valid_to
    first = str(own.ledger.registration.registrations.get(asset)["certificate_no"])
    with pytest.raises(Conflict, match="RENEWAL_TOO_EARLY"):
        applications.apply(own.actor(own.cast.provider), asset, "renew", reason="Still in use")
    own.skip(before - 30 * DAY - own.ledger.clock())
    applications.apply(own.actor(own.cast.provider), asset, "renew", reason="Still in use")
    reapplied(own, asset)
    last = shanghai_day(before - 1)
    assert own.record(asset).valid_to == end_of_validity(last.replace(year=last.year + 2))
    report = own.report(asset)
    assert report.valid
    assert report.claims["exp"] == own.record(asset).valid_to
    assert report.certificate_no != first
    assert own.verified(first).result == "revoked"


def test_an_expired_registration_can_only_be_cancelled(own: Pilot) -> None:
    asset, cast = own.confirmed(), own.cast
    number = str(own.ledger.registration.registrations.get(asset)["certificate_no"])
    own.skip(own.record(asset).valid_to - own.ledger.clock())
    assert own.verified(number).result == "expired"
    code = str(own.ledger.registration.registrations.get(asset)["resource"]["code"])
    for act in (
        lambda: own.ledger.registration.transfers.offer(own.actor(cast.provider), asset, cast.bank),
        lambda: own.ledger.registration.liens.pledge(own.actor(cast.provider), asset, cast.bank, {"amount": 1}),
        lambda: own.ledger.registration.applications.apply(
            own.actor(cast.provider), asset, "change", resource(code, content="late")
        ),
        lambda: own.ledger.registration.applications.apply(own.actor(cast.provider), asset, "renew", reason="Too late"),
    ):
        with pytest.raises(Conflict, match="ASSET_EXPIRED"):
            act()
    own.ledger.registration.applications.apply(own.actor(cast.provider), asset, "cancel", reason="It has expired")
    reapplied(own, asset)
    assert own.record(asset).state == "cancelled"
