"""One party id for each identifier. If a task names another id, a clerk must confirm it. Identifiers are stored as
digests.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import Conflict, NotFound
from ledger.provider.provider import Inquiry
from ledger.provider.supply import Supply
from tests.provider.stage import FALSE_ID, FIRM, SECOND, TRUE_ID, Source, Stage, Subject, provider_at, refused


@pytest.mark.parametrize(("first", "second"), [(TRUE_ID, FALSE_ID), (FALSE_ID, TRUE_ID)], ids=["true", "false"])
def test_attack_a_second_party_id_for_an_identifier_is_refused_until_the_clerk_confirms_it(
    tmp_path: Path, first: Subject, second: Subject
) -> None:
    """The platform may send the true or the false id first; only the clerk can find out which id is true."""
    provider = provider_at(tmp_path)
    provider.answer(Stage(first, number=1).task(), Source())
    error = refused(provider, second, 2)
    assert (error.code, error.where) == ("SUBJECT_CHANGED", f"party {second.id}")
    assert FIRM not in f"{error}{error.details}"
    (waiting,) = provider.answers.changed()
    assert (waiting.party, waiting.known, waiting.identifier) == (second.id, first.id, FIRM)
    assert FIRM not in repr(waiting)
    assert provider.answer(Stage(first, number=3).task(), Source()).entry["result"] == "supplied"
    provider.answers.confirm(second.id)
    assert provider.answers.changed() == []
    assert provider.answer(Stage(second, number=2).task(), Source()).entry["result"] == "supplied"
    assert refused(provider, first, 4).code == "SUBJECT_CHANGED"


def test_of_two_tasks_that_give_one_subject_different_ids_only_the_first_is_answered(tmp_path: Path) -> None:
    """The list has two tasks for one subject, with different party ids. The provider's records contain neither id yet,
    so the second task can only be refused because of the first task in the same list.
    """
    tasks = [Stage(subject, number=number).task() for number, subject in enumerate((TRUE_ID, FALSE_ID, SECOND), 1)]
    outcomes = provider_at(tmp_path).answer_many([Inquiry(task, Source) for task in tasks])
    assert [type(outcome) for outcome in outcomes] == [Supply, Conflict, Supply]
    assert len(provider_at(tmp_path).answers.waiting()) == 2


def test_only_a_party_id_that_waits_for_the_clerk_can_be_confirmed(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    provider.answer(Stage(TRUE_ID).task(), Source())
    for nobody in (FALSE_ID.id, TRUE_ID.id, FIRM):
        with pytest.raises(NotFound, match="PARTY_NOT_WAITING"):
            provider.answers.confirm(nobody)


def test_records_cannot_be_used_with_another_key_file(tmp_path: Path) -> None:
    """The records identify subjects by keyed digests. With another key no known subject would be recognised, so any
    party id would be accepted.
    """
    provider_at(tmp_path).answer(Stage(TRUE_ID).task(), Source())
    key = tmp_path / "records" / "records.key"
    kept = key.read_text()
    for text in ("00" * 32, "00", "no key"):
        key.write_text(text)
        assert refused(provider_at(tmp_path), FALSE_ID, 2).code == "RECORDS_KEY_WRONG"
    key.unlink()
    assert refused(provider_at(tmp_path), FALSE_ID, 2).code == "RECORDS_KEY_WRONG"
    assert not key.exists()
    key.write_text(kept)
    assert refused(provider_at(tmp_path), FALSE_ID, 2).code == "SUBJECT_CHANGED"
