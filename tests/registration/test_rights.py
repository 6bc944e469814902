"""The three rights in an asset on a real chain: granting, sublicensing, transferring and ending them; and the
certificates that list them.
"""

from __future__ import annotations

from typing import Any

import pytest

from ledger.chain.sending.asset_calls import confirm_assets
from ledger.chain.sending.relay import Relay
from ledger.domain.days import DAY
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.relayed_acts import RelayedActs
from tests.support.actors.grants import granted
from tests.support.actors.pilots import Pilot

OWN = [("hold", 0), ("operate", 0), ("process", 0)]


def in_force(pilot: Pilot, asset: str) -> dict[int, bool]:
    pilot.skip(120)
    return {each["no"]: each["in_force"] for each in pilot.ledger.registration.rights.of(asset)}


def certified(pilot: Pilot, asset: str) -> list[tuple[str, int, str]]:
    """Return kind, number and holder of each right that the asset's newest certificate lists."""
    report = pilot.report(asset)
    assert report.valid
    return sorted((each["kind"], each["grant"], each["holder"]) for each in report.claims["rights"])


def test_each_granted_right_is_listed_in_a_new_certificate(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    first = str(pilot.ledger.registration.registrations.get(asset)["certificate_no"])
    assert certified(pilot, asset) == [(kind, none, cast.provider) for kind, none in OWN]
    for kind, grantee in (("hold", cast.bank), ("process", cast.other_bank), ("operate", cast.bank)):
        granted(pilot, asset, kind, grantee)
    listed_rights = [(each["kind"], each["grantee"]) for each in pilot.ledger.registration.rights.of(asset)]
    assert listed_rights == [("hold", cast.bank), ("process", cast.other_bank), ("operate", cast.bank)]
    own = [(kind, none, cast.provider) for kind, none in OWN]
    added = [("hold", 1, cast.bank), ("process", 2, cast.other_bank), ("operate", 3, cast.bank)]
    assert certified(pilot, asset) == sorted(own + added)
    assert pilot.verified(first).result == "revoked"


def test_exclusive_rights_of_one_kind_never_overlap_in_time(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    granted(pilot, asset, "operate", cast.bank, days=(0, 100), exclusive=True)
    for days, exclusive in (((50, 150), True), ((99, 120), False), ((0, 1), False), ((10, 20), True)):
        with pytest.raises(Conflict, match="ASSET_RIGHT_OVERLAPS"):
            granted(pilot, asset, "operate", cast.other_bank, days=days, exclusive=exclusive)
    granted(pilot, asset, "process", cast.other_bank, days=(50, 150), exclusive=True)
    granted(pilot, asset, "operate", cast.other_bank, days=(101, 200), exclusive=True)
    assert [each["no"] for each in pilot.ledger.registration.rights.of(asset)] == [1, 2, 3]


def test_an_exclusive_right_cannot_overlap_a_non_exclusive_right(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    granted(pilot, asset, "process", cast.bank)
    granted(pilot, asset, "process", cast.other_bank)
    with pytest.raises(Conflict, match="ASSET_RIGHT_OVERLAPS"):
        granted(pilot, asset, "process", cast.firms[pilot.firm()], exclusive=True)


def test_the_scope_of_a_refused_grant_is_not_stored(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    granted(pilot, asset, "operate", pilot.cast.bank, exclusive=True)
    before = pilot.act_documents_of(asset)
    with pytest.raises(Conflict, match="ASSET_RIGHT_OVERLAPS"):
        granted(pilot, asset, "operate", pilot.cast.other_bank, scope="Refused scope")
    assert pilot.act_documents_of(asset) == before
    scope = pilot.history(asset)[-1]["args"]["scope"]
    assert "信贷风控" in pilot.ledger.registration.act_documents.read(scope)["text"]


def test_a_sublicence_is_in_force_only_while_its_parent_right_is_in_force(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    bank, other, firm = cast.bank, cast.other_bank, cast.firms[pilot.firm()]
    granted(pilot, asset, "operate", bank, exclusive=True, sublicensable=True)
    licence = granted(pilot, asset, "operate", other, by=bank, days=(1, 50), parent=1, sublicensable=True)
    sub = granted(pilot, asset, "operate", firm, by=other, days=(2, 40), parent=licence)
    pilot.skip(3 * DAY)
    assert in_force(pilot, asset) == {1: True, licence: True, sub: True}
    pilot.ledger.registration.rights.end(pilot.actor(bank), asset, 1)
    assert in_force(pilot, asset) == {1: False, licence: False, sub: False}
    with pytest.raises(Forbidden, match="ASSET_RIGHT_FORBIDS"):
        granted(pilot, asset, "operate", firm, by=other, days=(1, 2), parent=licence)


def test_a_sublicence_is_refused_if_its_parent_right_forbids_it_or_ends_earlier(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    granted(pilot, asset, "operate", cast.bank)
    granted(pilot, asset, "process", cast.bank, sublicensable=True)
    refused: tuple[tuple[str, str, dict[str, Any], type[Exception]], ...] = (
        ("operate", cast.bank, {"parent": 1}, Forbidden),
        ("operate", cast.bank, {"parent": 2}, Forbidden),
        ("process", cast.provider, {"parent": 2}, Forbidden),
        ("process", cast.bank, {"parent": 2, "exclusive": True}, Forbidden),
        ("process", cast.bank, {"parent": 2, "days": (1, 101)}, InvalidInput),
        ("process", cast.bank, {"parent": 3}, Forbidden),
    )
    for kind, by, members, error in refused:
        with pytest.raises(error, match="ASSET_RIGHT_"):
            granted(pilot, asset, kind, cast.other_bank, by=by, **members)
    assert granted(pilot, asset, "process", cast.other_bank, by=cast.bank, parent=2, days=(1, 99)) == 3


def test_only_a_transferable_right_can_be_transferred(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    granted(pilot, asset, "operate", cast.bank, transferable=True)
    granted(pilot, asset, "process", cast.bank)
    pilot.skip(120)
    with pytest.raises(Forbidden, match="ASSET_RIGHT_FORBIDS"):
        pilot.ledger.registration.rights.transfer(pilot.actor(cast.bank), asset, 2, cast.other_bank)
    with pytest.raises(Forbidden, match="ASSET_RIGHT_FORBIDS"):
        pilot.ledger.registration.rights.transfer(pilot.actor(cast.provider), asset, 1, cast.other_bank)
    pilot.ledger.registration.rights.transfer(pilot.actor(cast.bank), asset, 1, cast.other_bank)
    assert ("operate", 1, cast.other_bank) in certified(pilot, asset)
    assert ("operate", 1, cast.bank) not in certified(pilot, asset)


def test_only_the_grantee_or_a_registrar_with_a_reason_can_end_a_right(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    granted(pilot, asset, "operate", cast.bank)
    granted(pilot, asset, "process", cast.bank)
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        pilot.ledger.registration.rights.end(pilot.actor(cast.provider), asset, 1, "The holder would like it back")
    pilot.ledger.registration.rights.end(pilot.actor(cast.bank), asset, 1)
    pilot.ledger.registration.rights.end(pilot.actor(cast.registrar), asset, 2, "违反用途 Used for another purpose")
    assert in_force(pilot, asset) == {1: False, 2: False}
    grounds = pilot.history(asset)[-1]["args"]["grounds"]
    assert "违反用途" in pilot.ledger.registration.act_documents.read(grounds)["text"]
    assert certified(pilot, asset) == [(kind, none, cast.provider) for kind, none in OWN]


def test_granted_rights_stay_in_force_after_a_transfer_of_the_asset(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    firm = cast.firms[pilot.firm()]
    granted(pilot, asset, "operate", firm, exclusive=True)
    pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, cast.bank)
    pilot.ledger.registration.transfers.accept(pilot.actor(cast.bank), asset)
    own = [(kind, none, cast.bank) for kind, none in OWN]
    assert certified(pilot, asset) == sorted([*own, ("operate", 1, firm)])
    assert in_force(pilot, asset) == {1: True}
    with pytest.raises(Conflict, match="ASSET_RIGHT_OVERLAPS"):
        granted(pilot, asset, "operate", cast.other_bank, by=cast.bank)
    with pytest.raises(Forbidden, match="ASSET_NOT_HOLDER"):
        granted(pilot, asset, "process", cast.other_bank)


def test_the_first_certificate_lists_a_right_that_was_granted_before_the_certificate_was_issued(pilot: Pilot) -> None:
    """A right can be granted before the first certificate is issued, if a process crashed after the confirmation on the
    chain and before it issued the certificate.
    """
    (asset,) = pilot.applied("rights/before-certificate")
    pilot.noticed([asset])
    pilot.after_notice([asset])
    valid_to = pilot.ledger.clock() + 1000 * DAY
    RelayedActs(Relay(pilot.ledger.client), pilot.ledger.custody, pilot.ledger.database, pilot.ledger.clock).act_as(
        pilot.cast.registrar, confirm_assets([asset], valid_to)
    )
    granted(pilot, asset, "operate", pilot.cast.bank)
    own = [(kind, none, pilot.cast.provider) for kind, none in OWN]
    assert certified(pilot, asset) == sorted([*own, ("operate", 1, pilot.cast.bank)])


def test_no_right_can_be_granted_in_a_frozen_or_offered_asset(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    pilot.ledger.registration.transfers.freeze(pilot.actor(cast.supervisor), asset, "court")
    with pytest.raises(Conflict, match="ASSET_FROZEN"):
        granted(pilot, asset, "operate", cast.bank)
    pilot.ledger.registration.transfers.unfreeze(pilot.actor(cast.supervisor), asset, "lifted")
    pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, cast.bank)
    with pytest.raises(Conflict, match="ASSET_OFFER_OPEN"):
        granted(pilot, asset, "operate", cast.other_bank)


def test_a_right_is_refused_if_its_period_is_empty_or_past_or_too_long(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    for days in ((5, 5), (-10, 5), (0, 4 * 366)):
        with pytest.raises(InvalidInput, match="ASSET_RIGHT_PERIOD"):
            granted(pilot, asset, "hold", pilot.cast.bank, days=days)
