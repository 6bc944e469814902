"""A provider's records: private, kept before sending, forgetting what nobody needs, and true to one id."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.connectors.answers import TimedOut
from ledger.domain.entries import erasure_entry
from ledger.errors import Conflict, InvalidInput, Misconfigured, NotFound, PingzhengError
from ledger.provider import records as module
from ledger.provider.answer_store import Records
from ledger.provider.manual import Given
from ledger.provider.provider import Inquiry, Provider
from ledger.provider.supply import Supply
from tests.provider.stage import (
    AT,
    BANK,
    CHAIN,
    FIRM,
    FIRST,
    GRID,
    OTHER_GRID,
    SECOND,
    Source,
    Stage,
    Subject,
    provider_at,
    signer_of,
    ulid,
)

TRUE_ID, FALSE_ID = Subject(FIRM, "07" * 32), Subject(FIRM, "09" * 32)


def everything_in(folder: Path) -> bytes:
    """Every byte of every file of the records."""
    return b"\n".join(path.read_bytes() for path in sorted((folder / "records").iterdir()))


def erased(subject: Subject, *targets: str) -> dict[str, Any]:
    told = [f"sha-256:{digest}" for digest in targets]
    return erasure_entry(
        ledger=CHAIN.ledger, id=ulid(7), subject=subject.id, by=BANK, targets=told, reason="court", iat=AT
    )


def refused(provider: Provider, subject: Subject, number: int) -> PingzhengError:
    source = Source()
    with pytest.raises(PingzhengError) as caught:
        provider.answer(Stage(subject, number=number).task(), source)
    assert source.asked == [], "no row was read"
    return caught.value


def test_folder_and_files_are_their_owners_alone(tmp_path: Path) -> None:
    provider_at(tmp_path).answer(Stage().task(), Source())
    folder = tmp_path / "records"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        "records.db": 0o600,
        "records.key": 0o600,
    }


def test_records_that_others_could_open_are_closed_to_them(tmp_path: Path) -> None:
    provider_at(tmp_path).answer(Stage().task(), Source())
    path = tmp_path / "records" / "records.db"
    path.chmod(0o644)
    assert len(Records(tmp_path / "records").waiting()) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_others_can_open_is_refused(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir(mode=0o750)
    with pytest.raises(Misconfigured, match="RECORDS_NOT_PRIVATE"):
        provider_at(tmp_path).answer(Stage().task(), Source())


def test_an_answer_waits_until_the_platform_has_it(tmp_path: Path) -> None:
    supply = provider_at(tmp_path).answer(Stage().task(), Source())
    records = Records(tmp_path / "records")
    assert records.waiting() == [supply]
    assert records.received([supply.digest]) == 1
    assert records.waiting() == []
    assert records.received([supply.digest]) == 0
    entry, salt = records.evidence(supply.digest)
    assert entry == supply.entry and salt


def test_the_same_answer_is_given_again_without_a_question(tmp_path: Path) -> None:
    first = provider_at(tmp_path).answer(Stage().task(), Source())
    source = Source(rows=())
    assert provider_at(tmp_path).answer(Stage().task(), source) == first
    assert source.asked == []


@pytest.mark.parametrize("end", ["received", "refused"])
def test_of_an_answer_that_is_settled_only_entry_and_salt_are_left(tmp_path: Path, end: str) -> None:
    """Also in the bytes of the file."""
    records = provider_at(tmp_path).records
    supply = provider_at(tmp_path).answer(Stage().task(), Source())
    assert all(item.encode() in everything_in(tmp_path) for item in supply.disclosures)
    if end == "received":
        records.received([supply.digest])
    else:
        records.refused([(supply.digest, "AUTHORIZATION_NOT_ACTIVE")])
    left = everything_in(tmp_path)
    assert not any(item.encode() in left for item in supply.disclosures)
    _, salt = records.evidence(supply.digest)
    assert str(salt).encode() in left


def test_records_are_of_one_ledger(tmp_path: Path) -> None:
    provider_at(tmp_path).answer(Stage().task(), Source())
    other = replace(CHAIN, origin="0b" * 32)
    changes = {name: {"ledger": other.ledger} for name in ("template", "request", "authorization")}
    with pytest.raises(InvalidInput, match="LEDGER_DIFFERS"):
        provider_at(tmp_path).answer(Stage(changes=changes).task(chain=other), Source())


def test_a_ledger_that_nothing_was_answered_for_is_forgotten(tmp_path: Path) -> None:
    """A lying platform that comes first does not lock the honest one out."""
    other = replace(CHAIN, origin="0b" * 32)
    changes = {name: {"ledger": other.ledger} for name in ("template", "request", "authorization")}
    with pytest.raises(InvalidInput, match="ROWS_MISSING"):
        provider_at(tmp_path).answer(Stage(changes=changes).task(chain=other), Source(rows=()))
    assert provider_at(tmp_path).answer(Stage().task(), Source())


def test_records_are_of_one_provider(tmp_path: Path) -> None:
    provider_at(tmp_path).answer(Stage().task(), Source())
    changes = {
        "request": {"sources": [{"source": "electricity", "provider": OTHER_GRID}]},
        "authorization": {"provider": OTHER_GRID},
    }
    other = provider_at(tmp_path, party=OTHER_GRID, signer=signer_of("other grid"))
    with pytest.raises(Misconfigured, match="RECORDS_OF_ANOTHER"):
        other.answer(Stage(changes=changes).task(), Source())


# --- attack C, second half: two party ids for one identifier


@pytest.mark.parametrize(("first", "second"), [(TRUE_ID, FALSE_ID), (FALSE_ID, TRUE_ID)], ids=["true", "false"])
def test_attack_c_a_second_id_for_an_identifier_is_refused_until_the_clerk_confirms(
    tmp_path: Path, first: Subject, second: Subject
) -> None:
    """Whichever came first, the true one or the false one: which of them is true, the clerk finds out."""
    provider = provider_at(tmp_path)
    provider.answer(Stage(first, number=1).task(), Source())
    error = refused(provider, second, 2)
    assert (error.code, error.where) == ("SUBJECT_CHANGED", f"party {second.id}")
    assert FIRM not in f"{error}{error.details}"
    (waiting,) = provider.records.changed()
    assert (waiting.party, waiting.known, waiting.identifier) == (second.id, first.id, FIRM)
    assert FIRM not in repr(waiting)
    assert provider.answer(Stage(first, number=3).task(), Source()).entry["result"] == "supplied"
    provider.records.confirm(second.id)
    assert provider.records.changed() == []
    assert provider.answer(Stage(second, number=2).task(), Source()).entry["result"] == "supplied"
    assert refused(provider, first, 4).code == "SUBJECT_CHANGED"


def test_of_two_ids_in_one_list_the_first_is_answered(tmp_path: Path) -> None:
    """Neither was known when the list was looked through."""
    tasks = [Stage(subject, number=number).task() for number, subject in enumerate((TRUE_ID, FALSE_ID, SECOND), 1)]
    outcomes = provider_at(tmp_path).answer_many([Inquiry(task, Source) for task in tasks])
    assert [type(outcome) for outcome in outcomes] == [Supply, Conflict, Supply]
    assert len(provider_at(tmp_path).records.waiting()) == 2


def test_only_an_id_that_waits_is_confirmed(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    provider.answer(Stage(TRUE_ID).task(), Source())
    for nobody in (FALSE_ID.id, TRUE_ID.id, FIRM):
        with pytest.raises(NotFound, match="PARTY_NOT_WAITING"):
            provider.records.confirm(nobody)


def test_with_another_key_file_nothing_goes_on(tmp_path: Path) -> None:
    """Else every subject would look new, and any id would be taken."""
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


# --- erasure


def test_an_erased_subject_leaves_a_keyed_digest_alone(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    known, waiting = (provider.answer(Stage(FIRST, number=number).task(), Source()) for number in (1, 2))
    neighbour = provider.answer(Stage(SECOND, number=3).task(), Source())
    provider.records.received([known.digest, neighbour.digest])
    salts = [provider.records.evidence(each.digest)[1] for each in (known, waiting)]
    secrets = [FIRM, FIRST.id_key, *salts, *waiting.disclosures]
    assert all(str(each).encode() in everything_in(tmp_path) for each in secrets)
    assert provider.records.erase([erased(FIRST)]) == 2
    left = everything_in(tmp_path)
    assert [each for each in secrets if str(each).encode() in left] == []
    assert provider.records.waiting() == [], "nothing of an erased subject is sent"
    assert provider.records.evidence(known.digest) == (known.entry, None)
    assert provider.records.evidence(neighbour.digest)[1] is not None
    with closing(sqlite3.connect(tmp_path / "records" / "records.db")) as database:
        subjects = database.execute("SELECT mark, party FROM subject ORDER BY party IS NULL").fetchall()
    assert [party for _, party in subjects] == [SECOND.id, None]
    assert all(len(mark) == 64 for mark, _ in subjects)


def test_who_comes_back_after_an_erasure_is_another_party_for_the_clerk(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    provider.answer(Stage(TRUE_ID).task(), Source())
    provider.records.erase([erased(TRUE_ID)])
    assert refused(provider, FALSE_ID, 2).code == "SUBJECT_CHANGED"
    (waiting,) = provider.records.changed()
    assert waiting.known is None
    provider.records.confirm(FALSE_ID.id)
    assert provider.answer(Stage(FALSE_ID, number=2).task(), Source())


def test_an_id_that_waits_for_the_clerk_is_erased_too(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    provider.answer(Stage(TRUE_ID).task(), Source())
    refused(provider, FALSE_ID, 2)
    provider.records.erase([erased(FALSE_ID), erased(TRUE_ID)])
    assert provider.records.changed() == []
    assert FIRM.encode() not in everything_in(tmp_path)


@pytest.mark.parametrize("by", ["provision", "authorization"])
def test_an_erased_statement_takes_its_salts_along_and_leaves_the_others(tmp_path: Path, by: str) -> None:
    provider = provider_at(tmp_path)
    tasks = [Stage(number=number).task() for number in (1, 2)]
    one, other = (provider.answer(task, Source()) for task in tasks)
    named = one.digest if by == "provision" else tasks[0].digest
    assert provider.records.erase([erased(FIRST, "ab" * 32, named)]) == 1
    assert provider.records.waiting() == [other]
    left = everything_in(tmp_path)
    assert not any(item.encode() in left for item in one.disclosures)
    assert FIRM.encode() in left, "the opening is needed for the other answer"
    provider.records.erase([erased(FIRST, other.digest)])
    assert FIRM.encode() not in everything_in(tmp_path)
    assert refused(provider, FALSE_ID, 3).code == "SUBJECT_CHANGED", "the id is still known"


def test_an_erasure_of_another_subject_touches_nothing(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    supply = provider.answer(Stage(FIRST).task(), Source())
    before = everything_in(tmp_path)
    assert provider.records.erase([erased(SECOND), erased(SECOND, supply.digest)]) == 0
    assert provider.records.waiting() == [supply]
    assert everything_in(tmp_path) == before


def test_an_erasure_of_another_ledger_is_refused(tmp_path: Path) -> None:
    """Along with those that came with it."""
    provider = provider_at(tmp_path)
    supply = provider.answer(Stage(FIRST).task(), Source())
    foreign = erased(FIRST) | {"ledger": "0b" * 32}
    with pytest.raises(InvalidInput, match="LEDGER_DIFFERS"):
        provider.records.erase([erased(FIRST), foreign])
    assert provider.records.waiting() == [supply]


# --- damage, and several at once


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    provider_at(tmp_path).answer(Stage().task(), Source())
    path = tmp_path / "records" / "records.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 9")
    with pytest.raises(Misconfigured, match="RECORDS_DAMAGED"):
        Records(tmp_path / "records").waiting()
    path.write_bytes(b"no database" * 1_000)
    with pytest.raises(Misconfigured, match="RECORDS_DAMAGED"):
        Records(tmp_path / "records").waiting()


def test_records_that_another_process_holds_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BUSY_SECONDS", 0.05)
    records = provider_at(tmp_path).records
    records.seen("erasures", "1")
    with closing(sqlite3.connect(tmp_path / "records" / "records.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Misconfigured, match="RECORDS_BUSY"):
            records.seen("erasures", "2")
    assert records.seen("erasures") == "1"


def test_what_is_not_here_is_said_to_be_not_here(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="PROVISION_UNKNOWN"):
        provider_at(tmp_path).records.evidence("ab" * 32)


def test_of_two_that_answer_at_once_one_answer_is_kept(tmp_path: Path) -> None:
    """Both ask the source; what is sent is the same for both."""
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
    assert provider_at(tmp_path).records.waiting() == found[:1]


def test_how_far_a_list_was_read_is_remembered(tmp_path: Path) -> None:
    records = Records(tmp_path / "records")
    assert records.seen("erasures") is None
    assert [records.seen("erasures", after) for after in ("3", "7")] == ["3", "7"]
    assert Records(tmp_path / "records").seen("erasures") == "7"


# --- Provider


class Broken:
    """Ctrl-C while this source is asked."""

    def ask(self, query: Any) -> Any:
        raise KeyboardInterrupt


def test_ctrl_c_loses_nothing_that_was_signed(tmp_path: Path) -> None:
    tasks = [Stage(number=number).task() for number in (1, 2, 3)]
    sources: Sequence[Any] = (Source(), Broken(), Source())
    inquiries = [Inquiry(task, lambda source=source: source) for task, source in zip(tasks, sources, strict=True)]
    with pytest.raises(KeyboardInterrupt):
        provider_at(tmp_path).answer_many(inquiries)
    (kept,) = provider_at(tmp_path).records.waiting()
    assert kept.entry["authorization"] == tasks[0].reference
    assert sources[2].asked == []


def test_what_one_source_cannot_do_stops_no_other(tmp_path: Path) -> None:
    tasks = [Stage(number=number).task() for number in (1, 2)]
    outcomes = provider_at(tmp_path).answer_many(
        [Inquiry(tasks[0], lambda: Source(rows=())), Inquiry(tasks[1], Source)]
    )
    assert isinstance(outcomes[0], InvalidInput) and outcomes[0].code == "ROWS_MISSING"
    assert isinstance(outcomes[1], Supply)


def test_a_provider_corrects_what_it_signed_itself_and_withdraws_it(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    old = provider.answer(Stage().task(), Source())
    provider.records.received([old.digest])
    new = provider.correct(Stage().task(corrects=f"sha-256:{old.digest}"), Source())
    assert new.entry["corrects"] == new.withdrawn["statement"] == f"sha-256:{old.digest}"  # type: ignore[index]
    assert (new.withdrawn or {})["party"] == GRID
    assert new.withdrawal is not None and len(new.withdrawal) == 64


@pytest.mark.parametrize(("suite", "size"), [("ES256", 128), ("SM2SM3", None)])
def test_a_withdrawal_is_signed_for_the_chain_where_the_chain_can_check_it(
    tmp_path: Path, suite: str, size: int | None
) -> None:
    provider = provider_at(tmp_path, signer=signer_of("grid", suite))
    old = provider.answer(Stage().task(), Source())
    provider.records.received([old.digest])
    new = provider.correct(Stage().task(corrects=f"sha-256:{old.digest}"), Source())
    assert new.withdrawn is not None
    assert (None if new.withdrawal is None else len(new.withdrawal)) == size


def test_a_provider_withdraws_nothing_that_the_platform_names(tmp_path: Path) -> None:
    """Neither what it never signed nor what it signed under another consent, nor what it corrected before."""
    provider = provider_at(tmp_path)
    other = provider.answer(Stage(number=1).task(), Source())
    for corrects in ("ab" * 32, other.digest):
        source = Source()
        with pytest.raises(Conflict, match="CORRECTION_UNKNOWN"):
            provider.correct(Stage(number=2).task(corrects=f"sha-256:{corrects}"), source)
        assert source.asked == []


@pytest.mark.parametrize("end", ["received", "refused"])
def test_a_platform_collects_no_second_answer_to_choose_from(tmp_path: Path, end: str) -> None:
    """It says that it has the first, or refuses it, and asks again: both answers would verify."""
    provider = provider_at(tmp_path)
    first = provider.answer(Stage().task(), Source())
    if end == "received":
        provider.records.received([first.digest])
    else:
        provider.records.refused([(first.digest, "NOTHING_TO_CORRECT")])
    source = Source(rows=({"month": "202610", "on_time": "yes"},))
    with pytest.raises(Conflict, match="ALREADY_SUPPLIED"):
        provider.answer(Stage().task(), source)
    second = provider.correct(Stage().task(corrects=f"sha-256:{first.digest}"), source)
    provider.records.received([second.digest])
    with pytest.raises(Conflict, match="CORRECTION_UNKNOWN"):
        provider.correct(Stage().task(corrects=f"sha-256:{first.digest}"), source)
    assert len(source.asked) == 1


def test_what_timed_out_is_no_answer_to_choose_from(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    late = provider.answer(Stage().task(), Given(TimedOut(AT)))
    provider.records.received([late.digest])
    assert provider.answer(Stage().task(), Source()).entry["result"] == "supplied"
