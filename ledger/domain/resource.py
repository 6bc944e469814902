# SPDX-License-Identifier: Apache-2.0
"""Data resources of the data list (数据清单): their fields, grades and tags, with the rules of GB/T 43697-2024."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from ledger.domain.canonical import canonical, digest
from ledger.domain.digests import hex_of
from ledger.domain.grades import GRADES, grade_rank, highest
from ledger.errors import Conflict, InvalidInput

PII: Final = ("none", "personal", "sensitive")
SECRECY: Final = ("none", "business_secret", "confidential_business")
SOURCE_KINDS: Final = ("statutory", "public_service", "authorised_operation", "social")
UPDATE_FREQUENCIES: Final = (
    "realtime",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "yearly",
    "irregular",
    "once",
)
SHARE_ATTRIBUTES: Final = ("unconditional", "conditional", "none")
OPEN_ATTRIBUTES: Final = ("open", "conditional", "none")
OPEN_TYPES: Final = ("free", "targeted", "authorised")
SYSTEM_STATUSES: Final = ("planned", "running", "stopped")

MAX_FIELDS: Final = 8_192
MAX_COUNT: Final = 2**53 - 1
RESOURCE_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_DIGEST: Final = re.compile(r"sha-256:[0-9a-f]{64}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
# Matches a resident ID number or a mobile phone number, but not inside a longer number or word.
_PERSONAL: Final = re.compile(r"(?<![0-9A-Za-z])(?:[1-9]\d{16}[\dXx]|1[3-9]\d{9})(?![0-9A-Za-z])", re.ASCII)


@dataclass(frozen=True, slots=True)
class ResourceField:
    """A field of a resource, with its tags and its grade."""

    name: str
    type: str
    unit: str = ""
    pii: str = "none"
    secrecy: str = "none"
    grade: str = GRADES[0]


@dataclass(frozen=True, slots=True)
class DataResource:
    """A data resource. ``content_digest`` is the digest of the data itself: ``sha-256:`` and 64 hex digits.

    If ``grade`` is empty, it becomes the highest grade of the fields.
    """

    code: str
    title: str
    package: str
    rows: int
    columns: int
    fields: tuple[ResourceField, ...]
    content_digest: str
    source_kind: str = "social"
    domain: str = ""
    format: str = ""
    update_freq: str = "irregular"
    time_range: str = ""
    spatial_range: str = ""
    storage_location: str = ""
    storage_mode: str = ""
    share_attr: str = "conditional"
    share_basis: str = ""
    open_attr: str = "none"
    system: str = ""
    grade: str = ""

    def __post_init__(self) -> None:
        if not self.grade:
            # Unknown grades are ignored here, because `check_resource` will report them with the name of the field.
            known = (field.grade for field in self.fields if field.grade in GRADES)
            object.__setattr__(self, "grade", highest(known))

    @property
    def fingerprint(self) -> str:
        """The 64 hex digits of the content digest. No two registrations may have the same fingerprint."""
        return hex_of(self.content_digest)

    @property
    def near_fingerprint(self) -> str:
        """A digest of the fields' names and types, 64 hex digits.

        The digest does not depend on the order of the fields or on the data itself.
        """
        pairs = sorted([field.name, field.type] for field in self.fields)
        return hex_of(digest(canonical(pairs)))

    def to_dict(self) -> dict[str, Any]:
        """Return the resource as a JSON object."""
        members = {name: getattr(self, name) for name in _RESOURCE_TYPES}
        return members | {"fields": [{name: getattr(each, name) for name in _FIELD_TYPES} for each in self.fields]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> DataResource:
        """Return the resource that a JSON object describes. Only the members in ``_REQUIRED`` are required.

        Raises ``InvalidInput`` ``RESOURCE_SHAPE`` if a member is missing or unknown, or if a value has the wrong type.
        """
        _require_members(document, _RESOURCE_TYPES, _REQUIRED, "resource")
        columns = document["fields"]
        for place, column in enumerate(columns, start=1):
            if not isinstance(column, Mapping):
                raise _misshapen(f"fields[{place}]", "A field is an object.")
            _require_members(column, _FIELD_TYPES, {"name", "type"}, f"fields[{place}]")
        return cls(**{**document, "fields": tuple(ResourceField(**column) for column in columns)})


_FIELD_TYPES: Final[Mapping[str, type]] = {field.name: str for field in fields(ResourceField)}
_RESOURCE_TYPES: Final[Mapping[str, type]] = {field.name: str for field in fields(DataResource)} | {
    "rows": int,
    "columns": int,
    "fields": list,
}
_REQUIRED: Final = {"code", "title", "package", "rows", "columns", "fields", "content_digest"}

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "source_kind": SOURCE_KINDS,
    "update_freq": UPDATE_FREQUENCIES,
    "share_attr": SHARE_ATTRIBUTES,
    "open_attr": OPEN_ATTRIBUTES,
}
_FIELD_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {"pii": PII, "secrecy": SECRECY}
# The minimum and the maximum length of each text, in characters.
_LENGTHS: Final[Mapping[str, tuple[int, int]]] = {
    "title": (1, 400),
    "package": (0, 200),
    "domain": (0, 64),
    "format": (0, 64),
    "time_range": (0, 200),
    "spatial_range": (0, 200),
    "storage_location": (0, 200),
    "storage_mode": (0, 64),
    "share_basis": (0, 400),
    "system": (0, 64),
}
_FIELD_LENGTHS: Final[Mapping[str, tuple[int, int]]] = {"name": (1, 200), "type": (1, 64), "unit": (0, 32)}


def check_resource(resource: DataResource) -> None:
    """Raise ``InvalidInput`` if the resource breaks a rule of the data model; the error names the member or field."""
    if not RESOURCE_CODE.fullmatch(resource.code):
        raise InvalidInput(
            "RESOURCE_CODE",
            "This is not a valid resource code.",
            where="code",
            hint="Use 1 to 64 of these characters: A-Z a-z 0-9 . _ / -",
        )
    check_digest(resource.content_digest, "content_digest")
    for name in ("rows", "columns"):
        if not 0 <= getattr(resource, name) <= MAX_COUNT:
            raise InvalidInput("COUNT_RANGE", f"A count must be from 0 to {MAX_COUNT}.", where=name)
    _check_texts(resource, _LENGTHS, "")
    _check_choices(resource, _CHOICES, "")
    if resource.share_attr == "none" and not resource.share_basis:
        raise InvalidInput(
            "SHARE_BASIS_MISSING",
            "A legal basis is required for data that is not shared.",
            where="share_basis",
            hint="Name the law or rule that forbids sharing, or allow sharing.",
        )
    _check_fields(resource.fields)
    _check_grade(resource)


def check_digest(value: str, where: str) -> None:
    """Raise ``InvalidInput`` ``DIGEST_FORM`` unless the value is ``sha-256:`` and 64 hex digits."""
    if not _DIGEST.fullmatch(value):
        raise InvalidInput(
            "DIGEST_FORM", "This is not a digest.", where=where, hint="Write sha-256: and 64 lower-case hex digits."
        )


def check_registrable(resource: DataResource, *, reviewed: bool) -> None:
    """Raise ``Conflict`` ``GRADE_CORE`` for core data, and ``REVIEW_REQUIRED`` for important data that was not
    reviewed.
    """
    where = f"resource {resource.code}"
    if resource.grade == "core":
        raise Conflict(
            "GRADE_CORE",
            "Core data cannot be registered, listed or shared.",
            where=where,
            hint="Keep the resource as a draft. If the grade is wrong, correct it in a new version.",
        )
    if resource.grade == "important" and not reviewed:
        raise Conflict(
            "REVIEW_REQUIRED",
            "Important data must be reviewed before registration, and no review is recorded.",
            where=where,
            hint="Ask the authority or the chief data officer to review the data and to record the report's digest.",
        )


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the changes between two descriptions as ``{"where", "from", "to"}`` in a fixed order, or an empty list.

    ``where`` is the name of an attribute; ``fields.<name>`` for a field that was added (``from`` is null) or removed
    (``to`` is null); ``fields.<name>.<tag>`` for a changed tag; or ``fields`` if only the order of fields changed.
    """
    changes = [
        _change(name, old.get(name), new.get(name))
        for name in sorted((old.keys() | new.keys()) - {"fields"})
        if old.get(name) != new.get(name)
    ]
    before = {column["name"]: column for column in old["fields"]}
    after = {column["name"]: column for column in new["fields"]}
    for name in sorted(before.keys() | after.keys()):
        changes += _field_changes(f"fields.{name}", before.get(name), after.get(name))
    if before.keys() == after.keys() and list(before) != list(after):
        changes.append(_change("fields", list(before), list(after)))
    return changes


def _field_changes(
    where: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    if before is None or after is None:
        return [_change(where, before, after)]
    return [
        _change(f"{where}.{tag}", before.get(tag), after.get(tag))
        for tag in sorted(before.keys() | after.keys())
        if before.get(tag) != after.get(tag)
    ]


def _change(where: str, before: Any, after: Any) -> dict[str, Any]:
    return {"where": where, "from": before, "to": after}


def _check_fields(columns: tuple[ResourceField, ...]) -> None:
    if len(columns) > MAX_FIELDS:
        raise InvalidInput("FIELDS_TOO_MANY", f"A resource can have at most {MAX_FIELDS} fields.", where="fields")
    seen: set[str] = set()
    for place, column in enumerate(columns, start=1):
        where = f"fields[{place}]"
        _check_texts(column, _FIELD_LENGTHS, f"{where}.")
        _check_choices(column, _FIELD_CHOICES, f"{where}.")
        if column.grade not in GRADES:
            raise InvalidInput(
                "GRADE_UNKNOWN",
                "This grade is not known.",
                where=f"{where}.grade",
                hint=f"Use one of: {', '.join(GRADES)}.",
            )
        if column.name in seen:
            message, hint = "Two fields have the same name.", "Give every field a different name."
            raise InvalidInput("FIELD_TWICE", message, where=where, hint=hint)
        seen.add(column.name)


def _check_grade(resource: DataResource) -> None:
    own = grade_rank(resource.grade)
    for column in resource.fields:
        if grade_rank(column.grade) > own:
            raise InvalidInput(
                "GRADE_TOO_LOW",
                f"The field {column.name} has grade {column.grade}, above the resource's {resource.grade} (就高从严).",
                where="grade",
                hint=f"Set the resource's grade to {highest(item.grade for item in resource.fields)} or higher.",
                field=column.name,
            )


def _check_texts(item: object, lengths: Mapping[str, tuple[int, int]], prefix: str) -> None:
    for name, (least, most) in lengths.items():
        text = getattr(item, name)
        if not least <= len(text) <= most or (least and not text.strip()):
            message = f"The text must have {least} to {most} characters."
            raise InvalidInput("TEXT_LENGTH", message, where=f"{prefix}{name}")
        if _CONTROL.search(text):
            raise InvalidInput("TEXT_CONTROL", "The text contains a control character.", where=f"{prefix}{name}")
        if _PERSONAL.search(text):
            raise InvalidInput(
                "TEXT_PERSONAL",
                "The text contains a number that looks like an ID number or a mobile phone number.",
                where=f"{prefix}{name}",
                hint="Describe the kind of data, without data about a person.",
            )


def _check_choices(item: object, choices: Mapping[str, tuple[str, ...]], prefix: str) -> None:
    for name, allowed in choices.items():
        if getattr(item, name) not in allowed:
            raise InvalidInput(
                "CHOICE_UNKNOWN",
                "This value is not allowed.",
                where=f"{prefix}{name}",
                hint=f"Use one of: {', '.join(allowed)}.",
            )


def _require_members(given: Mapping[str, Any], types: Mapping[str, type], required: set[str], where: str) -> None:
    if odd := sorted(given.keys() - types.keys(), key=str) or sorted(required - given.keys()):
        raise _misshapen(f"{where}.{str(odd[0])[:64]}", "This member is missing or not known.")
    for name, value in given.items():
        if type(value) is not types[name]:
            raise _misshapen(f"{where}.{name}", "The value has the wrong type.")


def _misshapen(where: str, message: str) -> InvalidInput:
    return InvalidInput("RESOURCE_SHAPE", message, where=where, hint="See the schema of a resource in /docs.")
