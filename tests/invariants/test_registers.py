"""Invariants of registration, roles, prices and clocks; docstrings name tests that check more cases."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.catalogue.important_rules import ImportantData
from ledger.chain.sending.calls import anchor
from ledger.domain.definitions.scenario_reader import scenario_of
from ledger.domain.parties import PartyKind, Role
from ledger.domain.resource import ResourceField
from ledger.domain.working_days import add_working_days, end_of_working_days
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.rulebooks.scenarios import ScenarioBook
from tests.support.actors.department import department
from tests.support.actors.grants import granted
from tests.support.actors.pilots import Pilot, resource
from tests.support.scenario_definitions import DEFINITION


def test_invariant_06_core_data_is_not_registered_and_important_data_waits_or_is_blocked(pilot: Pilot) -> None:
    """For the security review, see
    tests/registration/test_grades.py::test_important_data_is_confirmed_only_after_a_security_review.
    """
    ledger = pilot.ledger
    core, important = (
        resource(f"six/{grade}", fields=(ResourceField("grid", "text", grade=grade),))
        for grade in ("core", "important")
    )
    assert [
        item.error.code
        for item in ledger.registration.registrations.submit(pilot.actor(pilot.cast.provider), [core]).refused
    ] == ["GRADE_CORE"]
    (asset,) = pilot.handed_in(important)
    pilot.noticed([asset])
    pilot.after_notice([asset])
    with pytest.raises(Conflict, match="ASSET_NOT_CLEARED"):
        ledger.registration.review.confirm(ledger.actor(pilot.cast.registrar), [asset])
    office = department(ledger, pilot.cast)
    ledger.catalogue.important_data.add(office.authority, ImportantData("地下管线", "important", pattern="*管线*"))
    office.put("pipes", title="城区地下管线")
    assert ledger.catalogue.data.submit(office.provider, "pipes").state == "blocked"


def test_invariant_07_an_objection_stops_confirmation_and_a_freeze_stops_transfer_and_licence(pilot: Pilot) -> None:
    """For a freeze and a transfer at the same time, see
    tests/threats/test_races.py::test_a_freeze_succeeds_during_a_transfer.
    """
    ledger, cast = pilot.ledger, pilot.cast
    (asset,) = pilot.applied("seven/objected")
    pilot.noticed([asset])
    ledger.registration.objections.file(ledger.actor(cast.bank), asset, "Ours", "sha-256:" + "e7" * 32)
    pilot.after_notice([asset])
    with pytest.raises(Conflict, match="ASSET_OBJECTED"):
        ledger.registration.review.confirm(ledger.actor(cast.registrar), [asset])
    frozen = pilot.confirmed()
    ledger.registration.transfers.freeze(ledger.actor(cast.supervisor), frozen, "court")
    with pytest.raises(Conflict, match="ASSET_FROZEN"):
        ledger.registration.transfers.offer(ledger.actor(cast.provider), frozen, cast.bank)
    with pytest.raises(Conflict, match="ASSET_FROZEN"):
        granted(pilot, frozen, "operate", cast.bank)


def test_invariant_08_exclusive_rights_of_a_kind_never_overlap(pilot: Pilot) -> None:
    """Random grants are compared with a simple model in tests/contracts/assets/rights/AssetRights.t.sol."""
    asset, cast = pilot.confirmed(), pilot.cast
    granted(pilot, asset, "operate", cast.bank, days=(0, 100), exclusive=True)
    for days in ((99, 120), (0, 1), (10, 20)):
        with pytest.raises(Conflict, match="ASSET_RIGHT_OVERLAPS"):
            granted(pilot, asset, "operate", cast.other_bank, days=days, exclusive=True)
    assert granted(pilot, asset, "operate", cast.other_bank, days=(101, 200), exclusive=True) == 2


def test_invariant_09_no_party_reviews_its_own_application_or_gives_itself_a_role(pilot: Pilot) -> None:
    """For each role and call, see tests/chain/contracts/test_role_matrix.py::test_a_party_cannot_give_itself_a_role."""
    ledger = pilot.ledger
    both = pilot.party(PartyKind.PUBLIC_INST, Role.REGISTRAR, Role.PROVIDER)
    (asset,) = pilot.handed_in(resource("nine/own"), by=both)
    with pytest.raises(Forbidden, match="ASSET_SELF_REVIEW"):
        ledger.registration.review.accept(ledger.actor(both), [asset])
    admin = pilot.party(PartyKind.GOV_DEPT, Role.ADMIN)
    client = ledger.client.with_account(ledger.custody.private_key(ledger.parties.register.get(admin).account).hex())
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        client.send(anchor(0, 1, "11" * 32))
    authority = ledger.installation.authority_party
    for party, role, code in (
        (admin, Role.PROVIDER, "PARTY_SELF_GRANT"),
        # Only an authority may propose an official role (issuer, authority, …), and not for itself.
        (admin, Role.ISSUER, "PARTY_LACKS_ROLE"),
        (authority, Role.ISSUER, "PARTY_SELF_GRANT"),
    ):
        with pytest.raises(Forbidden, match=code):
            kept = {Role(each) for each in ledger.reader.party(ledger.reader.party_no(party)).roles}
            ledger.parties.role_changes.set_roles(ledger.actor(party), party, kept | {role})


def test_invariant_13_public_use_is_free_and_no_price_is_above_its_cap() -> None:
    """For every combination of a scenario's members, see
    tests/domain/definitions/test_scenario.py::test_the_price_must_follow_the_pricing_policy.
    """
    for scenario in ScenarioBook.load().all():
        assert scenario.price.amount <= scenario.price.cap
        assert scenario.price.use == "industry" or scenario.price.cap == 0
    price = {"unit": "call"}
    with pytest.raises(InvalidInput, match="PRICE_PUBLIC_NOT_FREE"):
        scenario_of(DEFINITION | {"price": price | {"use": "public", "cap": 0, "amount": 1}}, "S01.yaml")
    with pytest.raises(InvalidInput, match="PRICE_OVER_CAP"):
        scenario_of(DEFINITION | {"price": price | {"use": "industry", "cap": 5, "amount": 6}}, "S01.yaml")


def test_invariant_18_periods_of_working_days_skip_holidays_and_count_make_up_days(pilot: Pilot) -> None:
    """For every holiday notice of the State Council, see tests/domain/test_working_days.py."""
    assert add_working_days(date(2026, 9, 30), 3) == date(2026, 10, 10)
    assert add_working_days(date(2026, 9, 18), 1) == date(2026, 9, 20)
    (asset,) = pilot.applied("eighteen/notice")
    pilot.noticed([asset])
    until = pilot.record(asset).until
    assert until + 1 == end_of_working_days(pilot.history(asset)[-1]["at"], pilot.ledger.rules.notice_days)
