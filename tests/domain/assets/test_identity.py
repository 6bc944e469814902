"""The id of an asset, and the description of its resource in a certificate."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from ledger.domain.assets.identity import asset_id, document_digest, summary
from ledger.domain.canonical import canonical
from ledger.domain.resource import DataResource, ResourceField
from ledger.errors import InvalidInput

CONTENT = hashlib.sha256(b"year,kwh\n2026,1\n").hexdigest()
RESOURCE = DataResource(
    code="D001",
    title="用电量 Electricity use",
    package="power",
    rows=1,
    columns=2,
    fields=(ResourceField("year", "integer"), ResourceField("kwh", "decimal")),
    content_digest=f"sha-256:{CONTENT}",
)
DOCUMENT: dict[str, Any] = RESOURCE.to_dict()


def test_asset_id_is_the_digest_of_tag_and_applicant_and_resource_code() -> None:
    applicant = "a" * 64
    text = f"pingzheng/asset/v1|{applicant}|D001"
    assert asset_id(applicant, "D001") == hashlib.sha256(text.encode()).hexdigest()
    assert len({asset_id(applicant, "D001"), asset_id(applicant, "D002"), asset_id("b" * 64, "D001")}) == 3


def test_document_digest_is_the_digest_of_the_canonical_form() -> None:
    assert document_digest(DOCUMENT) == f"sha-256:{hashlib.sha256(canonical(DOCUMENT)).hexdigest()}"
    assert document_digest(dict(reversed(DOCUMENT.items()))) == document_digest(DOCUMENT)


def test_the_summary_omits_the_fields_but_the_digest_in_the_summary_covers_them() -> None:
    shown = summary(DOCUMENT)
    assert shown.keys() == DOCUMENT.keys() - {"fields"} | {"document_digest"}
    assert shown["document_digest"] == document_digest(DOCUMENT)
    assert {name: shown[name] for name in DOCUMENT if name != "fields"} == {
        name: value for name, value in DOCUMENT.items() if name != "fields"
    }


def test_making_the_summary_does_not_change_the_document() -> None:
    before = canonical(DOCUMENT)
    summary(DOCUMENT)
    assert canonical(DOCUMENT) == before


@pytest.mark.parametrize(
    "change",
    [{"rows": 2}, {"title": "X"}, {"fields": DOCUMENT["fields"][::-1]}, {"fields": []}, {"extra": None}],
    ids=["rows", "title", "order of fields", "no fields", "one more member"],
)
def test_any_change_of_the_document_changes_the_digest(change: dict[str, Any]) -> None:
    assert summary(DOCUMENT | change)["document_digest"] != summary(DOCUMENT)["document_digest"]


def test_description_with_a_float_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        summary(DOCUMENT | {"rows": 1.0})
    assert caught.value.code == "JSON_FLOAT"
