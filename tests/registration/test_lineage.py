"""Lineage on a real chain: the origin of assets, replacement, and the effect of an annulled parent."""

from __future__ import annotations

import pytest

from ledger.errors import Conflict, Forbidden
from tests.support.actors.pilots import Pilot

GROUNDS = "来源不合法 Unlawful source"


def test_assets_that_were_derived_or_split_or_merged_name_their_parents(pilot: Pilot) -> None:
    first, second, cast = pilot.confirmed(), pilot.confirmed(), pilot.cast
    derived, left, right, merged = pilot.applied(*(f"lineage/{name}" for name in ("derived", "left", "right", "both")))
    links = (
        (derived, "derived_from", first),
        (left, "split_from", first),
        (right, "split_from", first),
        (merged, "merged_from", first),
        (merged, "merged_from", second),
    )
    for asset, relation, parent in links:
        pilot.ledger.registration.lineage.link(pilot.actor(cast.provider), asset, relation, parent)
    for asset, relation, parent in links:
        edges = pilot.ledger.provenances.lineage(asset).edges
        assert (asset, relation, parent) in [(edge.asset, edge.relation, edge.other) for edge in edges]
    pilot.take_through([derived, left, right, merged])
    assert all(pilot.report(asset).checks[7].details["annulled_ancestor"] is None for asset in (derived, merged))


def test_lineage_and_verification_mark_every_descendant_of_an_annulled_asset(pilot: Pilot) -> None:
    parent, cast = pilot.confirmed(), pilot.cast
    (child,) = pilot.applied("lineage/child")
    pilot.ledger.registration.lineage.link(pilot.actor(cast.provider), child, "derived_from", parent)
    pilot.take_through([child])
    (grandchild,) = pilot.applied("lineage/grandchild")
    pilot.ledger.registration.lineage.link(pilot.actor(cast.provider), grandchild, "split_from", child)
    pilot.take_through([grandchild])
    number = str(pilot.ledger.registration.registrations.get(parent)["certificate_no"])
    pilot.ledger.registration.transfers.annul(pilot.actor(cast.registrar), parent, "fraud", GROUNDS)
    assert pilot.record(parent).state == "annulled"
    assert pilot.verified(number).result == "refused"
    for asset in (child, grandchild):
        assert pilot.ledger.registration.registrations.get(asset)["annulled_ancestor"] == parent
        report = pilot.report(asset)
        assert report.valid
        assert report.checks[7].details["annulled_ancestor"] == parent
    assert pilot.ledger.registration.registrations.get(parent)["annulled_ancestor"] is None
    assert GROUNDS in pilot.ledger.registration.act_documents.read(pilot.history(parent)[-1]["args"]["grounds"])["text"]


def test_the_replacement_of_an_annulled_asset_is_not_marked_as_a_descendant(pilot: Pilot) -> None:
    old, new, cast = pilot.confirmed(), pilot.confirmed(), pilot.cast
    pilot.ledger.registration.lineage.replace(pilot.actor(cast.provider), old, new)
    edges = pilot.ledger.provenances.lineage(old).edges
    assert [(edge.asset, edge.relation, edge.other) for edge in edges] == [(old, "replaced_by", new)]
    pilot.ledger.registration.transfers.annul(pilot.actor(cast.registrar), old, "fraud", GROUNDS)
    assert pilot.report(new).checks[7].details["annulled_ancestor"] is None


def test_a_circle_of_parents_is_impossible(pilot: Pilot) -> None:
    """A parent's registration must be confirmed, and a child's application must not be accepted yet. So no asset can be
    parent and child in a circle.
    """
    cast = pilot.cast
    first, second = pilot.applied("lineage/first", "lineage/second")
    for parent in (first, second):
        with pytest.raises(Conflict, match="ASSET_WRONG_STATE"):
            pilot.ledger.registration.lineage.link(pilot.actor(cast.provider), first, "derived_from", parent)
    pilot.take_through([first])
    pilot.ledger.registration.lineage.link(pilot.actor(cast.provider), second, "derived_from", first)
    with pytest.raises(Conflict, match="ASSET_WRONG_STAGE"):
        pilot.ledger.registration.lineage.link(pilot.actor(cast.provider), first, "derived_from", second)
    pilot.take_through([second])
    with pytest.raises(Conflict, match="ASSET_WRONG_STAGE"):
        pilot.ledger.registration.lineage.link(pilot.actor(cast.provider), first, "derived_from", second)
    with pytest.raises(Conflict, match="ASSET_WRONG_STATE"):
        pilot.ledger.registration.lineage.replace(pilot.actor(cast.provider), first, first)


def test_only_the_holder_can_link_an_asset_to_a_parent_and_only_before_the_application_is_accepted(
    pilot: Pilot,
) -> None:
    parent, cast = pilot.confirmed(), pilot.cast
    (asset,) = pilot.applied("lineage/linked-late")
    with pytest.raises(Forbidden, match="ASSET_NOT_HOLDER"):
        pilot.ledger.registration.lineage.link(pilot.actor(cast.bank), asset, "derived_from", parent)
    pilot.ledger.registration.review.accept(pilot.actor(cast.registrar), [asset])
    with pytest.raises(Conflict, match="ASSET_WRONG_STAGE"):
        pilot.ledger.registration.lineage.link(pilot.actor(cast.provider), asset, "derived_from", parent)
    pilot.ledger.registration.review.give_back(pilot.actor(cast.registrar), asset, "The origin is missing")
    pilot.ledger.registration.lineage.link(pilot.actor(cast.provider), asset, "derived_from", parent)


def test_a_holder_cannot_annul_and_an_annulled_registration_allows_no_further_act(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
        pilot.ledger.registration.transfers.annul(pilot.actor(cast.provider), asset, "fraud", GROUNDS)
    pilot.ledger.registration.transfers.annul(pilot.actor(cast.supervisor), asset, "court", GROUNDS)
    for act in (
        lambda: pilot.ledger.registration.transfers.annul(pilot.actor(cast.supervisor), asset, "court", GROUNDS),
        lambda: pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, cast.bank),
        lambda: pilot.ledger.registration.applications.apply(
            pilot.actor(cast.provider), asset, "cancel", reason="No longer needed"
        ),
        lambda: pilot.ledger.registration.transfers.accept(pilot.actor(cast.provider), asset),
    ):
        with pytest.raises(Conflict, match="ASSET_WRONG_STATE"):
            act()
