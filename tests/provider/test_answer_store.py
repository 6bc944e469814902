"""A provider's records belong to one ledger and one provider. Each answer is stored in them once, before it is sent."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import InvalidInput, Misconfigured, NotFound
from ledger.provider.answer_store import AnswerStore
from ledger.provider.provider import Inquiry
from ledger.provider.supply import Supply
from tests.provider.stage import CHAIN, OTHER_GRID, Source, Stage, every_byte_in, provider_at, signer_of


def test_an_answer_waits_until_the_platform_has_received_it(tmp_path: Path) -> None:
    supply = provider_at(tmp_path).answer(Stage().task(), Source())
    records = AnswerStore(tmp_path / "records")
    assert records.waiting() == [supply]
    assert records.received([supply.digest]) == 1
    assert records.waiting() == []
    assert records.received([supply.digest]) == 0
    entry, salt = records.evidence(supply.digest)
    assert entry == supply.entry and salt


def test_a_waiting_answer_is_returned_without_asking_the_source(tmp_path: Path) -> None:
    first = provider_at(tmp_path).answer(Stage().task(), Source())
    source = Source(rows=())
    assert provider_at(tmp_path).answer(Stage().task(), source) == first
    assert source.asked == []


@pytest.mark.parametrize("end", ["received", "refused"])
def test_only_the_entry_and_the_salt_of_an_accepted_or_refused_answer_are_kept(tmp_path: Path, end: str) -> None:
    """All other parts of an accepted or refused answer are deleted, and their bytes are no longer in the file."""
    records = provider_at(tmp_path).answers
    supply = provider_at(tmp_path).answer(Stage().task(), Source())
    assert all(item.encode() in every_byte_in(tmp_path) for item in supply.disclosures)
    if end == "received":
        records.received([supply.digest])
    else:
        records.refused([(supply.digest, "AUTHORIZATION_NOT_ACTIVE")])
    left = every_byte_in(tmp_path)
    assert not any(item.encode() in left for item in supply.disclosures)
    _, salt = records.evidence(supply.digest)
    assert str(salt).encode() in left


def test_a_providers_records_can_be_used_for_only_one_ledger(tmp_path: Path) -> None:
    provider_at(tmp_path).answer(Stage().task(), Source())
    other = replace(CHAIN, origin="0b" * 32)
    changes = {name: {"ledger": other.ledger} for name in ("template", "request", "authorization")}
    with pytest.raises(InvalidInput, match="LEDGER_DIFFERS"):
        provider_at(tmp_path).answer(Stage(changes=changes).task(chain=other), Source())


def test_an_unanswered_task_does_not_bind_the_records_to_the_ledger_of_the_task(tmp_path: Path) -> None:
    """If an unanswered task bound the records to its ledger, a lying platform could send its own task first, and the
    honest platform's tasks would then be refused.
    """
    other = replace(CHAIN, origin="0b" * 32)
    changes = {name: {"ledger": other.ledger} for name in ("template", "request", "authorization")}
    with pytest.raises(InvalidInput, match="ROWS_MISSING"):
        provider_at(tmp_path).answer(Stage(changes=changes).task(chain=other), Source(rows=()))
    assert provider_at(tmp_path).answer(Stage().task(), Source())


def test_a_providers_records_can_be_used_by_only_one_provider(tmp_path: Path) -> None:
    provider_at(tmp_path).answer(Stage().task(), Source())
    changes: dict[str, dict[str, Any]] = {
        "request": {"sources": [{"source": "electricity", "provider": OTHER_GRID}]},
        "authorization": {"provider": OTHER_GRID},
    }
    other = provider_at(tmp_path, party=OTHER_GRID, signer=signer_of("other grid"))
    with pytest.raises(Misconfigured, match="RECORDS_OF_ANOTHER"):
        other.answer(Stage(changes=changes).task(), Source())


def test_an_unknown_provision_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="PROVISION_UNKNOWN"):
        provider_at(tmp_path).answers.evidence("ab" * 32)


def test_two_concurrent_answers_are_stored_once(tmp_path: Path) -> None:
    """Both processes query the data source, but only one answer is stored, and both processes send this answer."""
    meet = threading.Barrier(2)

    class Slow(Source):
        def ask(self, query: Any) -> Any:
            meet.wait(20)
            return super().ask(query)

    found: list[Supply] = []
    threads = [
        threading.Thread(target=lambda: found.append(provider_at(tmp_path).answer(Stage().task(), Slow())))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 2 and found[0] == found[1]
    assert provider_at(tmp_path).answers.waiting() == found[:1]


def test_the_position_up_to_which_the_platforms_list_was_read_is_stored(tmp_path: Path) -> None:
    records = AnswerStore(tmp_path / "records")
    assert records.seen("erasures") is None
    assert [records.seen("erasures", after) for after in ("3", "7")] == ["3", "7"]
    assert AnswerStore(tmp_path / "records").seen("erasures") == "7"


class Broken:
    """A source that is interrupted by Ctrl-C."""

    def ask(self, query: Any) -> Any:
        raise KeyboardInterrupt


def test_ctrl_c_loses_no_signed_answer(tmp_path: Path) -> None:
    tasks = [Stage(number=number).task() for number in (1, 2, 3)]
    sources: Sequence[Any] = (Source(), Broken(), Source())
    inquiries = [Inquiry(task, lambda source=source: source) for task, source in zip(tasks, sources, strict=True)]
    with pytest.raises(KeyboardInterrupt):
        provider_at(tmp_path).answer_many(inquiries)
    (kept,) = provider_at(tmp_path).answers.waiting()
    assert kept.entry["authorization"] == tasks[0].reference
    assert sources[2].asked == []


def test_an_error_of_one_source_does_not_stop_the_other_sources(tmp_path: Path) -> None:
    tasks = [Stage(number=number).task() for number in (1, 2)]
    outcomes = provider_at(tmp_path).answer_many(
        [Inquiry(tasks[0], lambda: Source(rows=())), Inquiry(tasks[1], Source)]
    )
    assert isinstance(outcomes[0], InvalidInput) and outcomes[0].code == "ROWS_MISSING"
    assert isinstance(outcomes[1], Supply)
