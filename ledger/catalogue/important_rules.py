"""Rules of the important-data catalogue (重要数据目录). If this catalogue grades a resource higher than the resource's
provider did, the higher grade applies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from ledger.domain.grades import LISTED_GRADES, highest
from ledger.domain.resource import DataResource
from ledger.errors import InvalidInput

MAX_PATTERN: Final = 200
MAX_LISTED_FIELDS: Final = 64


@dataclass(frozen=True, slots=True)
class ImportantData:
    """A listed kind of data. ``pattern`` is a glob pattern for the title. ``fields`` are field names; a resource must
    have all of them.

    A resource matches if its title or its fields match. Upper and lower case are treated as equal.
    """

    title: str
    grade: str
    pattern: str = ""
    fields: tuple[str, ...] = ()

    def matches(self, resource: DataResource) -> bool:
        """Return whether the resource matches this kind of data."""
        if self.pattern and fnmatchcase(resource.title.casefold(), self.pattern.casefold()):
            return True
        named = {field.name.casefold() for field in resource.fields}
        return bool(self.fields) and {name.casefold() for name in self.fields} <= named


def check_important(entry: ImportantData) -> None:
    """Raise ``InvalidInput`` ``IMPORTANT_ENTRY`` unless the entry can match a resource, its grade is in
    ``LISTED_GRADES``, and none of its values is too long.
    """
    listed = entry.grade in LISTED_GRADES and 1 <= len(entry.title) <= 200
    bounded = len(entry.pattern) <= MAX_PATTERN and len(entry.fields) <= MAX_LISTED_FIELDS
    if not (listed and bounded and (entry.pattern or entry.fields) and all(entry.fields)):
        raise InvalidInput(
            "IMPORTANT_ENTRY",
            "A listed kind of data needs a title, a grade, and a pattern or field names.",
            hint=f"Grades: {', '.join(LISTED_GRADES)}. A pattern looks like *地下管线*.",
        )


def matched_grade(resource: DataResource, entries: Iterable[ImportantData]) -> tuple[str, Sequence[str]]:
    """Return the highest of the resource's own grade and the grades of the matching entries, and the titles of the
    matching entries.
    """
    found = [entry for entry in entries if entry.matches(resource)]
    return highest([resource.grade, *(entry.grade for entry in found)]), sorted(entry.title for entry in found)
