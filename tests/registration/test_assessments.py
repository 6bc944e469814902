"""Quality reports and valuations on a real chain: accredited third parties report integers, and the chain stores
digests.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from ledger.domain.days import end_of_validity, shanghai_day
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Forbidden, InvalidInput
from ledger.registration.reports import DIMENSIONS, QualityReport, Valuation
from tests.support.actors.pilots import REPORTS, Pilot

DIGEST = "sha-256:" + "da" * 32
SCORES = dict(zip(DIMENSIONS, (92, 88, 95, 90, 71, 84), strict=True))
WEIGHTS = dict(zip(DIMENSIONS, (15, 20, 20, 15, 20, 10), strict=True))
QUALITY = QualityReport(SCORES, WEIGHTS, DIGEST)
VALUE = Valuation("income", 300_000_000, "2026-01-31", DIGEST)


def report(pilot: Pilot, asset: str, by: str, shown: QualityReport = QUALITY) -> None:
    pilot.ledger.registration.assessments.quality(
        pilot.actor(by), asset, shown, shanghai_day(pilot.ledger.clock()) + timedelta(days=365)
    )


def value(pilot: Pilot, asset: str, by: str, shown: Valuation = VALUE) -> None:
    pilot.ledger.registration.assessments.valuation(
        pilot.actor(by), asset, shown, shanghai_day(pilot.ledger.clock()) + timedelta(days=365)
    )


def accredited(pilot: Pilot, *roles: Role) -> str:
    party = pilot.party(PartyKind.ASSESSOR, *roles)
    now = pilot.ledger.clock()
    pilot.ledger.parties.role_changes.accredit(pilot.ledger.authority, party, REPORTS, now - 60, now + 10**8)
    return party


def test_the_chain_has_the_digests_of_reports_and_the_reports_are_returned_unchanged(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    report(pilot, asset, pilot.cast.assessor)
    value(pilot, asset, pilot.cast.assessor)
    quality, valuation = pilot.ledger.registration.assessments.of(asset)
    assert (quality["kind"], quality["report"]) == ("quality", QUALITY.to_dict())
    assert (valuation["kind"], valuation["report"]) == ("valuation", VALUE.to_dict())
    last = shanghai_day(pilot.ledger.clock()) + timedelta(days=365)
    for shown, event in zip((quality, valuation), pilot.history(asset)[-2:], strict=True):
        assert shown["assessor"] == event["by"] == pilot.cast.assessor
        assert shown["digest"] == event["args"]["report"]
        assert shown["valid_to"] == event["args"]["validTo"] == end_of_validity(last)
        assert pilot.ledger.registration.act_documents.read(shown["digest"])["kind"] == shown["kind"]


def test_the_score_is_the_weighted_mean_rounded_down(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    report(pilot, asset, pilot.cast.assessor)
    (shown,) = pilot.ledger.registration.assessments.of(asset)
    assert shown["report"]["score"] == (92 * 15 + 88 * 20 + 95 * 20 + 90 * 15 + 71 * 20 + 84 * 10) // 100 == 86


def test_only_an_accredited_assessor_can_report(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    unaccredited = pilot.party(PartyKind.ASSESSOR, Role.ASSESSOR)
    for act in (report, value):
        with pytest.raises(Forbidden, match="ASSET_NOT_ACCREDITED"):
            act(pilot, asset, unaccredited)
        for part in (pilot.cast.bank, pilot.cast.registrar):
            with pytest.raises(Forbidden, match="PARTY_LACKS_ROLE"):
                act(pilot, asset, part)
    assert pilot.ledger.registration.assessments.of(asset) == []
    assert pilot.act_documents_of(asset) == []


def test_an_assessor_whose_accreditation_expired_cannot_report(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    party, now = pilot.party(PartyKind.ASSESSOR, Role.ASSESSOR), pilot.ledger.clock()
    pilot.ledger.parties.role_changes.accredit(pilot.ledger.authority, party, REPORTS, now - 60, now + 3600)
    report(pilot, asset, party)
    pilot.skip(3600)
    with pytest.raises(Forbidden, match="ASSET_NOT_ACCREDITED"):
        report(pilot, asset, party)


def test_an_assessor_cannot_assess_its_own_asset(pilot: Pilot) -> None:
    asset, both = pilot.confirmed(), accredited(pilot, Role.ASSESSOR, Role.CONSUMER)
    report(pilot, asset, both)
    pilot.ledger.registration.transfers.offer(pilot.actor(pilot.cast.provider), asset, both)
    pilot.ledger.registration.transfers.accept(pilot.actor(both), asset)
    for act in (report, value):
        with pytest.raises(Forbidden, match="ASSET_SELF_REVIEW"):
            act(pilot, asset, both)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(QUALITY, weights=WEIGHTS | {"accuracy": 21}),
        replace(QUALITY, weights=dict.fromkeys(DIMENSIONS[:5], 20)),
        replace(QUALITY, scores=SCORES | {"accuracy": 101}),
        replace(QUALITY, scores=SCORES | {"accuracy": cast(Any, 90.5)}),
    ],
    ids=["weights above a hundred", "a dimension missing", "score above a hundred", "score with a fraction"],
)
def test_an_invalid_quality_report_is_refused_and_not_recorded(pilot: Pilot, wrong: QualityReport) -> None:
    (asset,) = pilot.applied("assessments/quality")
    with pytest.raises(InvalidInput, match="QUALITY_REPORT"):
        report(pilot, asset, pilot.cast.assessor, wrong)
    assert pilot.ledger.registration.assessments.of(asset) == []


@pytest.mark.parametrize("amount", [300_000_000.0, 0, -1, 10**15 + 1, True], ids=repr)
def test_a_valuation_that_is_no_positive_integer_in_fen_is_refused(pilot: Pilot, amount: Any) -> None:
    (asset,) = pilot.applied("assessments/value")
    with pytest.raises(InvalidInput, match="VALUATION"):
        value(pilot, asset, pilot.cast.assessor, replace(VALUE, amount=amount))
    assert pilot.ledger.registration.assessments.of(asset) == []


def test_the_largest_value_is_stored_exactly(pilot: Pilot) -> None:
    asset = pilot.confirmed()
    value(pilot, asset, pilot.cast.assessor, replace(VALUE, amount=10**15 - 1))
    (shown,) = pilot.ledger.registration.assessments.of(asset)
    assert shown["report"]["amount"] == 999_999_999_999_999
    assert type(shown["report"]["amount"]) is int


def test_a_valuation_with_a_base_date_in_the_future_is_refused(pilot: Pilot) -> None:
    (asset,) = pilot.applied("assessments/future")
    tomorrow = (shanghai_day(pilot.ledger.clock()) + timedelta(days=1)).isoformat()
    with pytest.raises(InvalidInput, match="VALUATION"):
        value(pilot, asset, pilot.cast.assessor, replace(VALUE, base_date=tomorrow))
