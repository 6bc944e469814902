"""Important and core data in a registration: important data needs a security review, core data is refused."""

from __future__ import annotations

import pytest

from ledger.chain.sending import asset_calls
from ledger.domain.resource import ResourceField
from ledger.errors import Conflict, Forbidden
from tests.support.actors.pilots import Pilot, resource

REASON = "字段说明与样本不符 The fields do not match the sample"


def test_important_data_is_confirmed_only_after_a_security_review(pilot: Pilot) -> None:
    guarded = (ResourceField("month", "date"), ResourceField("load", "decimal", grade="important"))
    (asset,) = pilot.handed_in(resource("review/important", fields=guarded))
    assert (pilot.record(asset).grade, pilot.record(asset).cleared) == ("important", False)
    pilot.noticed([asset])
    pilot.after_notice([asset])
    with pytest.raises(Conflict, match="ASSET_NOT_CLEARED"):
        pilot.ledger.registration.review.confirm(pilot.actor(pilot.cast.registrar), [asset])
    for part in (pilot.cast.registrar, pilot.cast.provider):
        with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
            pilot.ledger.registration.review.clear(pilot.actor(part), asset, "sha-256:" + "5e" * 32)
    pilot.ledger.registration.review.clear(pilot.actor(pilot.cast.supervisor), asset, "sha-256:" + "5e" * 32)
    assert pilot.record(asset).cleared
    pilot.ledger.registration.review.confirm(pilot.actor(pilot.cast.registrar), [asset])
    assert pilot.report(asset).claims["grade"] == "important"


def test_core_data_cannot_be_registered(pilot: Pilot) -> None:
    secret = (ResourceField("grid", "text", grade="core"),)
    intake = pilot.ledger.registration.registrations.submit(
        pilot.actor(pilot.cast.provider), [resource("review/core", fields=secret)]
    )
    assert [each.error.code for each in intake.refused] == ["GRADE_CORE"]
    entry = asset_calls.AssetRegistration("c0" * 32, "c1" * 32, "c2" * 32, "core")
    provider = pilot.ledger.parties.register.get(pilot.cast.provider).account
    client = pilot.ledger.client.with_account(pilot.ledger.custody.private_key(provider).hex())
    with pytest.raises(Forbidden, match="ASSET_GRADE"):
        client.send(asset_calls.register_assets([entry]))


def test_a_change_can_raise_the_grade_but_cannot_lower_it(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    code = str(pilot.ledger.registration.registrations.get(asset)["resource"]["code"])
    guarded = (ResourceField("load", "decimal", grade="important"),)
    pilot.ledger.registration.applications.apply(
        pilot.actor(pilot.cast.provider), asset, "change", resource(code, fields=guarded)
    )
    assert (pilot.record(asset).grade, pilot.record(asset).cleared) == ("important", False)
    pilot.ledger.registration.review.give_back(pilot.actor(pilot.cast.registrar), asset, REASON)
    with pytest.raises(Forbidden, match="ASSET_GRADE"):
        pilot.ledger.registration.applications.apply(
            pilot.actor(pilot.cast.provider), asset, "change", resource(code, title="Tamed")
        )
