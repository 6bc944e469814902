"""Reports on quality and value: which reports are valid, and how a score is computed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ledger.errors import InvalidInput
from ledger.registration.reports import (
    DIMENSIONS,
    MAX_FEN,
    QualityReport,
    Valuation,
    check_quality,
    check_valuation,
)

SAID = "1f" * 32
TODAY = date(2026, 3, 2)
FULL = dict.fromkeys(DIMENSIONS, 100)
WEIGHTS = dict(zip(DIMENSIONS, (25, 15, 20, 10, 20, 10), strict=True))


def quality(scores: dict[str, Any] = FULL, weights: dict[str, Any] = WEIGHTS) -> QualityReport:
    return QualityReport(scores, weights, SAID)


def valuation(method: str = "income", amount: Any = 12_000_000, base_date: str = "2026-03-01") -> Valuation:
    return Valuation(method, amount, base_date, SAID)


SCORES: dict[str, tuple[QualityReport, int]] = {
    "full": (quality(), 100),
    "none": (quality(dict.fromkeys(DIMENSIONS, 0)), 0),
    "by weight": (quality(FULL | {"standardisation": 0}), 75),
    "rounded down": (quality(FULL | {"accessibility": 99}), 99),
    "one dimension alone": (
        quality(
            {name: place for place, name in enumerate(DIMENSIONS)}, dict.fromkeys(DIMENSIONS, 0) | {"timeliness": 100}
        ),
        4,
    ),
}


@pytest.mark.parametrize(("report", "score"), SCORES.values(), ids=SCORES)
def test_a_valid_quality_report_has_the_expected_score(report: QualityReport, score: int) -> None:
    assert check_quality(report) is report
    assert report.score == score
    assert report.to_dict() == {
        "scores": report.scores,
        "weights": report.weights,
        "report_digest": SAID,
        "score": score,
    }


UNSOUND: dict[str, tuple[QualityReport, str]] = {
    "a dimension is missing": (quality(dict.fromkeys(DIMENSIONS[1:], 90)), "scores"),
    "a dimension is unknown": (quality(FULL | {"beauty": 90}), "scores"),
    "a weight is missing": (quality(weights={"accuracy": 100}), "weights"),
    "a score is above 100": (quality(FULL | {"accuracy": 101}), "scores.accuracy"),
    "a score is below 0": (quality(FULL | {"accuracy": -1}), "scores.accuracy"),
    "a score is not an integer": (quality(FULL | {"accuracy": 99.5}), "scores.accuracy"),
    "a score is a truth value": (quality(FULL | {"accuracy": True}), "scores.accuracy"),
    "a weight is text": (quality(weights=WEIGHTS | {"accuracy": "20"}), "weights.accuracy"),
    "the weights add up to less": (quality(weights=WEIGHTS | {"accuracy": 19}), "weights"),
    "the weights add up to more": (quality(weights=WEIGHTS | {"accuracy": 21}), "weights"),
}


@pytest.mark.parametrize(("report", "where"), UNSOUND.values(), ids=UNSOUND)
def test_an_invalid_quality_report_is_refused(report: QualityReport, where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_quality(report)
    assert (caught.value.code, caught.value.where) == ("QUALITY_REPORT", where)


@pytest.mark.parametrize("method", ["cost", "income", "market"])
@pytest.mark.parametrize(("amount", "base_date"), [(1, "2026-03-02"), (MAX_FEN, "1999-12-31")])
def test_a_valid_valuation_is_accepted(method: str, amount: int, base_date: str) -> None:
    sound = valuation(method, amount, base_date)
    assert check_valuation(sound, TODAY) is sound
    assert sound.to_dict() == {"method": method, "amount": amount, "base_date": base_date, "report_digest": SAID}


BAD: dict[str, tuple[Valuation, str]] = {
    "an unknown method": (valuation("guess"), "method"),
    "worth nothing": (valuation(amount=0), "amount"),
    "beyond the most": (valuation(amount=MAX_FEN + 1), "amount"),
    "no whole fen": (valuation(amount=1.5), "amount"),
    "a truth value": (valuation(amount=True), "amount"),
    "no such day": (valuation(base_date="2026-02-30"), "base_date"),
    "no day": (valuation(base_date="yesterday"), "base_date"),
    "tomorrow": (valuation(base_date="2026-03-03"), "base_date"),
}


@pytest.mark.parametrize(("unsound", "where"), BAD.values(), ids=BAD)
def test_an_invalid_valuation_is_refused(unsound: Valuation, where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_valuation(unsound, TODAY)
    assert (caught.value.code, caught.value.where) == ("VALUATION", where)
