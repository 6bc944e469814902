"""How rows become signed digests: claims follow the template's rules, salts are new, and the subject's name is compared
with the provider's records.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ledger.connectors.answers import Answer, NoData, Refused, TimedOut
from ledger.domain.entries import validate_entry
from ledger.errors import InvalidInput, Misconfigured
from ledger.proof.jws import entry_signed_by
from ledger.proof.sdjwt import Disclosed, disclosure_digest
from ledger.provider.answering import made_of, payload_digest, query_of
from ledger.provider.manual import RowsFile
from tests.provider.stage import (
    AS_OF,
    AT,
    CLAIMS,
    FIRM,
    GRID,
    NAME,
    ROWS,
    Source,
    Stage,
    provider_at,
    signer_of,
    supplied,
)


def disclosed(disclosures: tuple[str, ...]) -> dict[str, Any]:
    return {item.name: item.value for item in map(Disclosed.decode, disclosures)}


def test_the_query_to_the_source_names_one_subject_and_the_columns_that_the_rules_use() -> None:
    query = query_of(Stage().task(), AT)
    assert (query.subject, query.scenario, query.source) == ({"identifier": FIRM}, "S01", "electricity")
    assert (query.columns, query.at, query.name) == (("month", "on_time"), AT, True)
    covered = Stage(changes={"authorization": {"fields": ["months_covered"]}}).task()
    assert (query_of(covered, AT).columns, query_of(covered, AT).name) == (("month",), False)


def test_every_claim_of_the_rules_has_a_digest(tmp_path: Path) -> None:
    supply = provider_at(tmp_path).answer(Stage().task(), Source())
    assert disclosed(supply.disclosures) == CLAIMS
    entry = supply.entry
    validate_entry(entry)
    assert entry["claims"] == {Disclosed.decode(item).name: disclosure_digest(item) for item in supply.disclosures}
    assert (entry["provider"], entry["result"], entry["as_of"]) == (GRID, "supplied", AS_OF.isoformat())
    grid = signer_of("grid")
    assert entry_signed_by(entry, grid.kid, grid.public_key)


def test_a_consent_to_fewer_fields_gives_fewer_claims() -> None:
    task = Stage(changes={"authorization": {"fields": ["months_covered"]}}).task()
    made = made_of(task, supplied(), AT)
    assert disclosed(made.disclosures) == {"months_covered": 2}
    assert list(made.entry["claims"]) == ["months_covered"]


def test_every_salt_is_16_new_random_bytes() -> None:
    """Even two answers with the same rows have no digest in common, because their salts differ."""
    numbers = count(1)
    first, second = (
        made_of(Stage().task(), supplied(), AT, lambda size: next(numbers).to_bytes(size, "big")) for _ in range(2)
    )
    salts = [Disclosed.decode(item).salt for made in (first, second) for item in made.disclosures]
    salts += [str(made.payload_salt) for made in (first, second)]
    assert len(set(salts)) == 2 * (len(CLAIMS) + 1)
    assert {len(salt) for salt in salts} == {22}
    assert set(first.entry["claims"].values()).isdisjoint(second.entry["claims"].values())
    assert first.entry["payload_digest"] != second.entry["payload_digest"]


def test_an_auditor_can_check_the_rows_with_their_salt(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    supply = provider.answer(Stage().task(), Source())
    entry, salt = provider.answers.evidence(supply.digest)
    assert salt is not None
    assert payload_digest(salt, ROWS) == entry["payload_digest"]
    paid = [row | {"on_time": "yes"} for row in ROWS]
    assert payload_digest(salt, paid) != entry["payload_digest"]


def test_the_subjects_name_comes_from_the_providers_own_records() -> None:
    made = made_of(Stage().task(), supplied(name="另一名称有限公司"), AT)
    assert disclosed(made.disclosures)["subject_name"] == "另一名称有限公司"


def test_a_rule_that_needs_the_name_is_refused_without_a_name() -> None:
    with pytest.raises(Misconfigured) as caught:
        made_of(Stage().task(), supplied(name=None), AT)
    assert caught.value.code == "SOURCE_NAME_MISSING"
    assert "name_column" in str(caught.value.hint)
    nameless = Stage(changes={"authorization": {"fields": ["months_covered"]}}).task()
    assert made_of(nameless, supplied(name=None), AT).disclosures


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(NoData(AT), None), (Refused("disputed", AT), "disputed"), (TimedOut(AT), None)],
    ids=["no data", "refused", "timed out"],
)
def test_an_answer_without_rows_has_no_claims_and_no_salt(answer: Answer, reason: str | None) -> None:
    """An answer without rows also does not name an earlier provision to correct."""
    made = made_of(Stage().task(corrects="sha-256:" + "ab" * 32), answer, AT)
    validate_entry(made.entry | {"signature": "x"})
    assert (made.disclosures, made.payload_salt) == ((), None)
    members = [made.entry[name] for name in ("result", "reason", "claims", "as_of", "payload_digest", "corrects")]
    assert members == [answer.result, reason, {}, None, None, None]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (supplied(rows=()), "ROWS_MISSING"),
        (supplied(rows=[{"month": "202610", "on_time": "maybe"}]), "ROW_VALUE_INVALID"),
        (supplied(rows=[{"month": "202610"}]), "ROW_COLUMN_MISSING"),
        (supplied(name=""), "ATTRIBUTE_INVALID"),
        (supplied(name="电话13800000000"), "ATTRIBUTE_INVALID"),
        (replace(supplied(), as_of=date(2026, 11, 21)), "AS_OF_AFTER_QUERY"),
        (Refused("because", AT), "REASON_UNKNOWN"),
    ],
)
def test_an_error_about_a_bad_value_does_not_repeat_the_value(answer: Answer, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        made_of(Stage().task(), answer, AT)
    assert caught.value.code == code
    assert not any(text in str(caught.value) for text in ("maybe", "13800000000", NAME))


def test_a_value_with_a_reserved_sd_jwt_name_is_refused() -> None:
    rule = {"op": "text", "column": "remark", "order": "month"}
    with pytest.raises(InvalidInput, match="SD_NAME_NESTED"):
        made_of(Stage(rules={"claim": rule}).task(), supplied([{"month": "202610", "remark": "..."}]), AT)


def test_the_digests_use_the_requested_algorithm() -> None:
    made = made_of(Stage(changes={"request": {"sd_alg": "sm3"}}).task(), supplied(), AT)
    assert made.entry["sd_alg"] == "sm3"
    assert list(made.entry["claims"].values()) == [disclosure_digest(item, "sm3") for item in made.disclosures]


def test_a_correction_names_the_provision_that_it_corrects() -> None:
    old = "sha-256:" + "ab" * 32
    assert made_of(Stage().task(corrects=old), supplied(), AT).entry["corrects"] == old


PLACED = {
    "a value": ([{"month": "202609", "on_time": "no"}, {"month": "202610", "on_time": "是"}], "ROW_VALUE_INVALID", ""),
    "a blank": ([{"month": "202609", "on_time": "no"}, {"month": "202610", "on_time": ""}], "ROW_VALUE_INVALID", ""),
    "a month said twice": ([{"month": "202610", "on_time": "no"}] * 2, "ROW_ORDER_TWICE", "as bills.csv, line 9."),
}


@pytest.mark.parametrize(("rows", "code", "said"), PLACED.values(), ids=PLACED.keys())
def test_an_error_names_the_line_of_the_wrong_row(rows: list[dict[str, str]], code: str, said: str) -> None:
    """The rows are sorted before they are checked; the error still names the row's line in the file."""
    answer = replace(supplied(rows=rows), places=("bills.csv, line 9", "bills.csv, line 5"))
    with pytest.raises(InvalidInput) as caught:
        made_of(Stage().task(), answer, AT)
    assert (caught.value.code, caught.value.where) == (code, "bills.csv, line 5")
    assert said in caught.value.message
    with pytest.raises(InvalidInput) as caught:
        made_of(Stage().task(), replace(answer, places=()), AT)
    assert caught.value.where == "row 2", "of an answer that does not say where its rows stand"


@pytest.fixture
def bills(tmp_path: Path) -> Path:
    return tmp_path / "bills.csv"


def by_hand(bills: Path, text: str) -> InvalidInput | Misconfigured:
    bills.write_text(text, "utf-8")
    task = Stage().task()
    with pytest.raises((InvalidInput, Misconfigured)) as caught:
        made_of(task, RowsFile(bills, AS_OF, "name").ask(query_of(task, AT)), AT)
    assert isinstance(caught.value, (InvalidInput, Misconfigured))
    return caught.value


def test_an_error_about_a_file_given_by_hand_names_the_line(bills: Path) -> None:
    error = by_hand(bills, f"month,on_time,name\n202610,maybe,{NAME}\n,,\n202609,no,{NAME}\n")
    assert (error.code, error.where) == ("ROW_VALUE_INVALID", "bills.csv, line 2")


def test_a_file_given_by_hand_without_rows_is_refused(bills: Path) -> None:
    error = by_hand(bills, "month,on_time,name\n")
    assert (error.code, error.where) == ("ROWS_MISSING", "bills.csv")
    assert "--no-data" in str(error.hint)


def test_a_wrong_separator_in_a_file_given_by_hand_is_reported_with_its_line(bills: Path) -> None:
    error = by_hand(bills, f"month;on_time;name\n202610;no;{NAME}\n")
    assert (error.code, error.where) == ("SOURCE_SEPARATOR", "bills.csv, line 1")
