"""Reports of third parties on the quality and the value of an asset, in integers (scores 0–100, money in fen)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from ledger.domain.days import day_of
from ledger.errors import InvalidInput

# The six quality dimensions of GB/T 36344-2018: 规范性、完整性、准确性、一致性、时效性、可访问性.
DIMENSIONS: Final = ("standardisation", "completeness", "accuracy", "consistency", "timeliness", "accessibility")
# The three methods of 数据资产评估指导意见 (中评协, 2023-09-08): 成本法、收益法、市场法.
METHODS: Final = ("cost", "income", "market")
MAX_FEN: Final = 10**15
_FULL: Final = 100


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The score and the weight of each dimension, 0–100; the weights add up to 100. ``report_digest`` is the digest of
    the assessor's full report.
    """

    scores: Mapping[str, int]
    weights: Mapping[str, int]
    report_digest: str

    @property
    def score(self) -> int:
        """The weighted mean, rounded down, so that rounding never raises a score."""
        return sum(self.scores[name] * self.weights[name] for name in DIMENSIONS) // _FULL

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON, with the score."""
        return asdict(self) | {"score": self.score}


@dataclass(frozen=True, slots=True)
class Valuation:
    """An amount in fen and the method behind it, as of ``base_date`` (``YYYY-MM-DD``)."""

    method: str
    amount: int
    base_date: str
    report_digest: str

    def to_dict(self) -> dict[str, Any]:
        """Return the valuation as JSON."""
        return asdict(self)


def check_quality(report: QualityReport) -> QualityReport:
    """Parse a quality report. Raises ``InvalidInput`` ``QUALITY_REPORT`` if a value is missing or out of range."""
    for what, values in (("scores", report.scores), ("weights", report.weights)):
        if set(values) != set(DIMENSIONS):
            raise _unsound(
                "QUALITY_REPORT", what, f"Give {what} for exactly these six dimensions: {', '.join(DIMENSIONS)}."
            )
        for name, value in values.items():
            if type(value) is not int or not 0 <= value <= _FULL:
                raise _unsound(
                    "QUALITY_REPORT", f"{what}.{name}", "A score or weight must be an integer from 0 to 100."
                )
    if sum(report.weights.values()) != _FULL:
        raise _unsound("QUALITY_REPORT", "weights", "The weights must add up to 100.")
    return report


def check_valuation(valuation: Valuation, today: date) -> Valuation:
    """Parse a valuation. Raises ``InvalidInput`` ``VALUATION`` if a value is missing or out of range."""
    if valuation.method not in METHODS:
        raise _unsound("VALUATION", "method", f"The method is one of: {', '.join(METHODS)}.")
    if type(valuation.amount) is not int or not 0 < valuation.amount <= MAX_FEN:
        raise _unsound("VALUATION", "amount", "The amount is a positive integer, in fen.")
    try:
        base = day_of(valuation.base_date)
    except InvalidInput:
        raise _unsound("VALUATION", "base_date", "Write the base date as YYYY-MM-DD.") from None
    if base > today:
        raise _unsound("VALUATION", "base_date", "The base date must not be in the future.")
    return valuation


def _unsound(code: str, where: str, message: str) -> InvalidInput:
    return InvalidInput(code, message, where=where, hint="Correct the report and submit it again.")
