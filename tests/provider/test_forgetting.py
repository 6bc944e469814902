"""Which data a provider deletes when a subject or a statement is erased."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.entries import erasure_entry
from ledger.errors import InvalidInput
from tests.provider.stage import (
    AT,
    BANK,
    CHAIN,
    FALSE_ID,
    FIRM,
    FIRST,
    SECOND,
    TRUE_ID,
    Source,
    Stage,
    Subject,
    every_byte_in,
    provider_at,
    refused,
    ulid,
)


def erased(subject: Subject, *targets: str) -> dict[str, Any]:
    references = [f"sha-256:{digest}" for digest in targets]
    return erasure_entry(
        ledger=CHAIN.ledger, id=ulid(7), subject=subject.id, by=BANK, targets=references, reason="court", iat=AT
    )


def test_only_a_keyed_digest_remains_of_an_erased_subject(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    known, waiting = (provider.answer(Stage(FIRST, number=number).task(), Source()) for number in (1, 2))
    neighbour = provider.answer(Stage(SECOND, number=3).task(), Source())
    provider.answers.received([known.digest, neighbour.digest])
    salts = [provider.answers.evidence(each.digest)[1] for each in (known, waiting)]
    secrets = [FIRM, FIRST.id_key, *salts, *waiting.disclosures]
    assert all(str(each).encode() in every_byte_in(tmp_path) for each in secrets)
    assert provider.answers.erase([erased(FIRST)]) == 2
    left = every_byte_in(tmp_path)
    assert [each for each in secrets if str(each).encode() in left] == []
    assert provider.answers.waiting() == [], "nothing of an erased subject is sent"
    assert provider.answers.evidence(known.digest) == (known.entry, None)
    assert provider.answers.evidence(neighbour.digest)[1] is not None
    with closing(sqlite3.connect(tmp_path / "records" / "records.db")) as database:
        subjects = database.execute("SELECT mark, party FROM subject ORDER BY party IS NULL").fetchall()
    assert [party for _, party in subjects] == [SECOND.id, None]
    assert all(len(mark) == 64 for mark, _ in subjects)


def test_a_subject_that_returns_after_an_erasure_must_be_confirmed_by_the_clerk(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    provider.answer(Stage(TRUE_ID).task(), Source())
    provider.answers.erase([erased(TRUE_ID)])
    assert refused(provider, FALSE_ID, 2).code == "SUBJECT_CHANGED"
    (waiting,) = provider.answers.changed()
    assert waiting.known is None
    provider.answers.confirm(FALSE_ID.id)
    assert provider.answer(Stage(FALSE_ID, number=2).task(), Source())


def test_an_erasure_erases_a_party_id_that_waits_for_the_clerk(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    provider.answer(Stage(TRUE_ID).task(), Source())
    refused(provider, FALSE_ID, 2)
    provider.answers.erase([erased(FALSE_ID), erased(TRUE_ID)])
    assert provider.answers.changed() == []
    assert FIRM.encode() not in every_byte_in(tmp_path)


@pytest.mark.parametrize("by", ["provision", "authorization"])
def test_erasing_a_statement_destroys_only_its_own_salts(tmp_path: Path, by: str) -> None:
    provider = provider_at(tmp_path)
    tasks = [Stage(number=number).task() for number in (1, 2)]
    one, other = (provider.answer(task, Source()) for task in tasks)
    named = one.digest if by == "provision" else tasks[0].digest
    assert provider.answers.erase([erased(FIRST, "ab" * 32, named)]) == 1
    assert provider.answers.waiting() == [other]
    left = every_byte_in(tmp_path)
    assert not any(item.encode() in left for item in one.disclosures)
    assert FIRM.encode() in left, "the opening is needed for the other answer"
    provider.answers.erase([erased(FIRST, other.digest)])
    assert FIRM.encode() not in every_byte_in(tmp_path)
    assert refused(provider, FALSE_ID, 3).code == "SUBJECT_CHANGED", "the id is still known"


def test_an_erasure_of_a_subject_that_is_not_in_the_records_changes_nothing(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    supply = provider.answer(Stage(FIRST).task(), Source())
    before = every_byte_in(tmp_path)
    assert provider.answers.erase([erased(SECOND), erased(SECOND, supply.digest)]) == 0
    assert provider.answers.waiting() == [supply]
    assert every_byte_in(tmp_path) == before


def test_a_list_with_an_erasure_of_another_ledger_is_refused(tmp_path: Path) -> None:
    """If one erasure in a list belongs to another ledger, the provider refuses the whole list."""
    provider = provider_at(tmp_path)
    supply = provider.answer(Stage(FIRST).task(), Source())
    foreign = erased(FIRST) | {"ledger": "0b" * 32}
    with pytest.raises(InvalidInput, match="LEDGER_DIFFERS"):
        provider.answers.erase([erased(FIRST), foreign])
    assert provider.answers.waiting() == [supply]
