"""A provider corrects only its own newest answer, so that a platform never has two answers to choose from."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.connectors.answers import TimedOut
from ledger.errors import Conflict
from ledger.provider.manual import Given
from tests.provider.stage import AT, GRID, Source, Stage, provider_at, signer_of


def test_a_correction_withdraws_the_providers_earlier_answer(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    old = provider.answer(Stage().task(), Source())
    provider.answers.received([old.digest])
    new = provider.correct(Stage().task(corrects=f"sha-256:{old.digest}"), Source())
    assert new.entry["corrects"] == new.withdrawn["statement"] == f"sha-256:{old.digest}"  # type: ignore[index]
    assert (new.withdrawn or {})["party"] == GRID
    assert new.withdrawal is not None and len(new.withdrawal) == 64


@pytest.mark.parametrize(("suite", "size"), [("ES256", 128), ("SM2SM3", None)])
def test_a_withdrawal_is_signed_for_the_chain_unless_the_key_is_sm2(
    tmp_path: Path, suite: str, size: int | None
) -> None:
    provider = provider_at(tmp_path, signer=signer_of("grid", suite))
    old = provider.answer(Stage().task(), Source())
    provider.answers.received([old.digest])
    new = provider.correct(Stage().task(corrects=f"sha-256:{old.digest}"), Source())
    assert new.withdrawn is not None
    assert (None if new.withdrawal is None else len(new.withdrawal)) == size


def test_a_provider_withdraws_only_its_own_newest_answer(tmp_path: Path) -> None:
    """Three other answers are not withdrawn: one of another provider, one for another consent, and one that was
    corrected already.
    """
    provider = provider_at(tmp_path)
    other = provider.answer(Stage(number=1).task(), Source())
    for corrects in ("ab" * 32, other.digest):
        source = Source()
        with pytest.raises(Conflict, match="CORRECTION_UNKNOWN"):
            provider.correct(Stage(number=2).task(corrects=f"sha-256:{corrects}"), source)
        assert source.asked == []


@pytest.mark.parametrize("end", ["received", "refused"])
def test_a_platform_gets_no_second_answer_to_choose_from(tmp_path: Path, end: str) -> None:
    """The platform has the provider's first answer, accepted or refused, and asks again. The provider gives no second
    answer, because the platform could choose between the two answers.
    """
    provider = provider_at(tmp_path)
    first = provider.answer(Stage().task(), Source())
    if end == "received":
        provider.answers.received([first.digest])
    else:
        provider.answers.refused([(first.digest, "NOTHING_TO_CORRECT")])
    source = Source(rows=({"month": "202610", "on_time": "yes"},))
    with pytest.raises(Conflict, match="ALREADY_SUPPLIED"):
        provider.answer(Stage().task(), source)
    second = provider.correct(Stage().task(corrects=f"sha-256:{first.digest}"), source)
    provider.answers.received([second.digest])
    with pytest.raises(Conflict, match="CORRECTION_UNKNOWN"):
        provider.correct(Stage().task(corrects=f"sha-256:{first.digest}"), source)
    assert len(source.asked) == 1


def test_a_task_whose_source_timed_out_can_be_answered_again(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    late = provider.answer(Stage().task(), Given(TimedOut(AT)))
    provider.answers.received([late.digest])
    assert provider.answer(Stage().task(), Source()).entry["result"] == "supplied"
