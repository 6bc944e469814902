"""Finds resources that match a data demand (供需对接). A score is at most 1,000 points: points for fields, for the
domain and for words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ledger.domain.resource import DataResource

# The maximum points for fields, for the domain and for words; together they are 1,000. Fields get most points, because
# they show best whether a resource matches.
FIELD_POINTS: Final = 600
DOMAIN_POINTS: Final = 200
WORD_POINTS: Final = 200

_LATIN: Final = re.compile(r"[a-z0-9]{2,}")
_HAN: Final = re.compile(r"[\u3400-\u9fff]+")
_SEPARATORS: Final = re.compile(r"[\s_.-]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a demand asks for: title, purpose, domain and field names."""

    title: str
    purpose: str
    domain: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A resource that may match a demand. ``score`` is ``field_points + domain_points + word_points``."""

    code: str
    score: int
    field_points: int
    domain_points: int
    word_points: int
    fields: tuple[str, ...]
    words: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "score": self.score,
            "points": {"fields": self.field_points, "domain": self.domain_points, "words": self.word_points},
            "fields": list(self.fields),
            "words": list(self.words),
        }


def rank(wanted: Wanted, resources: Iterable[DataResource], limit: int) -> list[Candidate]:
    """Return the best ``limit`` candidates with a score above 0, best first; equal scores are ordered by code."""
    scored = (score(wanted, resource) for resource in resources)
    return sorted((item for item in scored if item.score), key=lambda item: (-item.score, item.code))[:limit]


def score(wanted: Wanted, resource: DataResource) -> Candidate:
    """Return the score of a resource. Points are given for the share of the wanted fields that the resource has, for an
    equal domain, and for the share of the demand's words that occur in the resource's title or domain.

    Upper and lower case, spaces and separators in field names make no difference. Words are Latin words and pairs of
    Chinese characters.
    """
    asked = {_plain(name): name for name in wanted.fields}
    common = sorted(asked.keys() & {_plain(field.name) for field in resource.fields})
    asked_words = words(f"{wanted.title} {wanted.purpose}")
    shared = sorted(asked_words & words(f"{resource.title} {resource.domain}"))
    field_points = _share(len(common), len(asked), FIELD_POINTS)
    domain_points = DOMAIN_POINTS if wanted.domain and wanted.domain == resource.domain else 0
    word_points = _share(len(shared), len(asked_words), WORD_POINTS)
    return Candidate(
        code=resource.code,
        score=field_points + domain_points + word_points,
        field_points=field_points,
        domain_points=domain_points,
        word_points=word_points,
        fields=tuple(asked[name] for name in common),
        words=tuple(shared),
    )


def words(text: str) -> frozenset[str]:
    """Return the words of a text: its Latin words of two or more letters, and every pair of adjacent Chinese
    characters.
    """
    lower = text.casefold()
    pairs = {run[i : i + 2] for run in _HAN.findall(lower) for i in range(len(run) - 1)}
    return frozenset(_LATIN.findall(lower)) | pairs


def _share(part: int, whole: int, points: int) -> int:
    return points * part // whole if whole else 0


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name.casefold())
