"""The public notice of an application: when it ends, its dates, and to which application it belongs."""

from __future__ import annotations

import time

import pytest

from ledger.domain.working_days import end_of_working_days
from ledger.errors import Conflict
from tests.support.actors.pilots import Pilot, resource

REASON = "字段说明与样本不符 The fields do not match the sample"


def test_the_contract_refuses_confirmation_in_the_last_second_of_the_public_notice(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/last-second")
    began = pilot.ledger.clock()
    pilot.noticed([asset])
    last = pilot.record(asset).until
    assert last + 1 == end_of_working_days(began, pilot.ledger.rules.notice_days)
    if time.time() % 1 > 0.4:
        time.sleep(1 - time.time() % 1)
    pilot.skip(last - pilot.ledger.clock())
    with pytest.raises(Conflict, match="ASSET_NOTICE_RUNS"):
        pilot.ledger.registration.review.confirm(pilot.actor(pilot.cast.registrar), [asset])
    pilot.after_notice([asset])
    pilot.ledger.registration.review.confirm(pilot.actor(pilot.cast.registrar), [asset])
    assert pilot.history(asset)[-1]["at"] > last


def test_putting_an_application_under_public_notice_again_does_not_change_the_dates(pilot: Pilot) -> None:
    (asset,) = pilot.applied("review/repeated-notice")
    pilot.noticed([asset])
    (before,) = pilot.ledger.registration.registrations.get(asset)["applications"]
    pilot.skip(3 * 86_400)
    pilot.ledger.registration.review.notice(pilot.actor(pilot.cast.registrar), [asset])
    (after,) = pilot.ledger.registration.registrations.get(asset)["applications"]
    assert after == before
    assert after["notice_to"] == pilot.record(asset).until
    pilot.after_notice([asset])
    pilot.ledger.registration.review.confirm(pilot.actor(pilot.cast.registrar), [asset])
    assert pilot.report(asset).claims["notice"]["to"] == before["notice_to"]


def test_the_dates_of_a_public_notice_are_stored_with_the_application(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    review, cast = pilot.ledger.registration.review, pilot.cast
    described = pilot.ledger.registration.registrations.get(asset)["resource"]
    changed = resource(described["code"], content="applied for twice")
    pilot.ledger.registration.applications.apply(pilot.actor(cast.provider), asset, "change", changed)
    review.accept(pilot.actor(cast.registrar), [asset])
    review.reject(pilot.actor(cast.registrar), asset, REASON)
    pilot.ledger.registration.applications.apply(
        pilot.actor(cast.provider), asset, "cancel", reason="No longer collected"
    )
    review.accept(pilot.actor(cast.registrar), [asset])
    review.reject(pilot.actor(cast.registrar), asset, REASON)
    pilot.ledger.registration.applications.apply(pilot.actor(cast.provider), asset, "change", changed)
    pilot.noticed([asset])
    last = pilot.record(asset).until
    pilot.after_notice([asset])
    review.confirm(pilot.actor(cast.registrar), [asset])
    claims = pilot.report(asset).claims
    assert (claims["notice"]["to"], claims["application"]) == (last, {"kind": "change", "number": 4})
