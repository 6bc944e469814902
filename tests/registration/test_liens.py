"""Liens on a real chain: a pledged asset can be transferred only with its creditors' consent, and keeps its liens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.errors import Conflict, Forbidden, InvalidInput
from tests.support.actors.pilots import Pilot

TERMS = {"amount": 200_000_000, "due": "2028-12-31", "contract": "sha-256:" + "1e" * 32}


@pytest.fixture(scope="module")
def refusing(pilot: Pilot) -> Iterator[Pilot]:
    """The same ledger with a ruleset that refuses a second pledge."""
    with pilot.under(ruleset="shenzhen") as opened:
        yield opened


def pledged(pilot: Pilot) -> str:
    """Return an asset of the provider that is pledged to the bank."""
    asset = pilot.confirmed()
    pilot.ledger.registration.liens.pledge(pilot.actor(pilot.cast.provider), asset, pilot.cast.bank, TERMS)
    return asset


def ranks(pilot: Pilot, asset: str) -> list[tuple[str, int]]:
    return [(each["creditor"], each["rank"]) for each in pilot.ledger.registration.liens.of(asset)]


def test_a_pledged_asset_cannot_be_transferred_without_the_creditors_consent(pilot: Pilot) -> None:
    asset, cast = pledged(pilot), pilot.cast
    with pytest.raises(Conflict, match="ASSET_PLEDGED"):
        pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, cast.other_bank)
    pilot.ledger.registration.liens.consent(pilot.actor(cast.bank), asset, 0, cast.firms[pilot.firm()])
    with pytest.raises(Conflict, match="ASSET_PLEDGED"):
        pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, cast.other_bank)


def test_an_offer_cannot_be_accepted_after_a_creditor_withdrew_its_consent(pilot: Pilot) -> None:
    asset, cast = pledged(pilot), pilot.cast
    pilot.ledger.registration.liens.consent(pilot.actor(cast.bank), asset, 0, cast.other_bank)
    pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, cast.other_bank)
    pilot.ledger.registration.liens.consent(pilot.actor(cast.bank), asset, 0, None)
    with pytest.raises(Conflict, match="ASSET_PLEDGED"):
        pilot.ledger.registration.transfers.accept(pilot.actor(cast.other_bank), asset)
    assert pilot.record(asset).holder == cast.provider


def test_a_lien_stays_after_a_transfer_and_verification_reports_the_lien(pilot: Pilot) -> None:
    asset, cast = pledged(pilot), pilot.cast
    pilot.ledger.registration.liens.consent(pilot.actor(cast.bank), asset, 0, cast.other_bank)
    pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, cast.other_bank)
    pilot.ledger.registration.transfers.accept(pilot.actor(cast.other_bank), asset)
    assert ranks(pilot, asset) == [(cast.bank, 1)]
    report = pilot.report(asset)
    assert report.valid
    assert report.claims["sub"] == cast.other_bank
    assert (report.checks[7].number, report.checks[7].name) == (8, "status")
    assert report.checks[7].details["liens"] == [{"creditor": cast.bank, "rank": 1}]
    with pytest.raises(Conflict, match="ASSET_PLEDGED"):
        pilot.ledger.registration.transfers.offer(pilot.actor(cast.other_bank), asset, cast.provider)


def test_only_the_creditor_can_release_a_lien(pilot: Pilot) -> None:
    asset, cast = pledged(pilot), pilot.cast
    for part in (cast.provider, cast.other_bank, cast.registrar, cast.supervisor):
        with pytest.raises(Forbidden, match="ASSET_WRONG_LIEN"):
            pilot.ledger.registration.liens.release(pilot.actor(part), asset, 0)
        with pytest.raises(Forbidden, match="ASSET_WRONG_LIEN"):
            pilot.ledger.registration.liens.consent(pilot.actor(part), asset, 0, cast.other_bank)
    pilot.ledger.registration.liens.release(pilot.actor(cast.bank), asset, 0)
    assert ranks(pilot, asset) == []
    assert pilot.report(asset).checks[7].details["liens"] == []
    pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, cast.other_bank)
    pilot.ledger.registration.transfers.accept(pilot.actor(cast.other_bank), asset)


def test_a_second_pledge_is_ranked_after_the_first_if_the_ruleset_says_rank(pilot: Pilot) -> None:
    assert pilot.ledger.rules.second_pledge == "rank"
    asset, cast = pledged(pilot), pilot.cast
    firm = cast.firms[pilot.firm()]
    pilot.ledger.registration.liens.pledge(pilot.actor(cast.provider), asset, cast.other_bank, TERMS | {"amount": 1})
    assert ranks(pilot, asset) == [(cast.bank, 1), (cast.other_bank, 2)]
    pilot.ledger.registration.liens.consent(pilot.actor(cast.bank), asset, 0, firm)
    with pytest.raises(Conflict, match="ASSET_PLEDGED"):
        pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, firm)
    pilot.ledger.registration.liens.consent(pilot.actor(cast.other_bank), asset, 1, firm)
    pilot.ledger.registration.transfers.offer(pilot.actor(cast.provider), asset, firm)


def test_a_second_pledge_is_refused_if_the_ruleset_says_refuse(refusing: Pilot) -> None:
    assert refusing.ledger.rules.second_pledge == "refuse"
    asset, cast = pledged(refusing), refusing.cast
    before = refusing.act_documents_of(asset)
    with pytest.raises(Conflict, match="ASSET_PLEDGED"):
        refusing.ledger.registration.liens.pledge(
            refusing.ledger.actor(cast.provider), asset, cast.other_bank, TERMS | {"amount": 1}
        )
    assert ranks(refusing, asset) == [(cast.bank, 1)]
    assert refusing.act_documents_of(asset) == before


def test_an_exclusive_lien_still_excludes_other_liens_after_the_ruleset_changes(pilot: Pilot, refusing: Pilot) -> None:
    asset, cast = pledged(refusing), pilot.cast
    with pytest.raises(Conflict, match="ASSET_PLEDGED"):
        pilot.ledger.registration.liens.pledge(pilot.actor(cast.provider), asset, cast.other_bank, TERMS)


def test_the_terms_of_a_lien_are_encrypted_and_only_their_digest_is_on_the_chain(pilot: Pilot) -> None:
    asset = pledged(pilot)
    args = pilot.history(asset)[-1]["args"]
    assert "200000000" in pilot.ledger.registration.act_documents.read(args["terms"])["text"]
    assert 200_000_000 not in args.values()


def test_the_registration_of_a_pledged_asset_cannot_be_cancelled(pilot: Pilot) -> None:
    asset, cast, review = pledged(pilot), pilot.cast, pilot.ledger.registration.review
    pilot.ledger.registration.applications.apply(
        pilot.actor(cast.provider), asset, "cancel", reason="To be rid of the lien"
    )
    review.accept(pilot.actor(cast.registrar), [asset])
    review.review(pilot.actor(cast.registrar), [asset])
    with pytest.raises(Conflict, match="ASSET_PLEDGED"):
        review.confirm(pilot.actor(cast.registrar), [asset])
    pilot.ledger.registration.liens.release(pilot.actor(cast.bank), asset, 0)
    review.confirm(pilot.actor(cast.registrar), [asset])
    assert pilot.record(asset).state == "cancelled"


def test_only_the_holder_can_pledge_an_asset_and_not_to_itself(pilot: Pilot) -> None:
    asset, cast = pilot.confirmed(), pilot.cast
    with pytest.raises(Forbidden, match="ASSET_NOT_HOLDER"):
        pilot.ledger.registration.liens.pledge(pilot.actor(cast.bank), asset, cast.other_bank, TERMS)
    with pytest.raises(InvalidInput, match="ASSET_BAD_RECIPIENT"):
        pilot.ledger.registration.liens.pledge(pilot.actor(cast.provider), asset, cast.provider, TERMS)
