"""A provider corrects its own newest answer and nothing else, and no platform collects two to choose from."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.connectors.answers import TimedOut
from ledger.errors import Conflict
from ledger.provider.manual import Given
from tests.provider.stage import AT, GRID, Source, Stage, provider_at, signer_of


def test_a_provider_corrects_what_it_signed_itself_and_withdraws_it(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    old = provider.answer(Stage().task(), Source())
    provider.answers.received([old.digest])
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
    provider.answers.received([old.digest])
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


def test_what_timed_out_is_no_answer_to_choose_from(tmp_path: Path) -> None:
    provider = provider_at(tmp_path)
    late = provider.answer(Stage().task(), Given(TimedOut(AT)))
    provider.answers.received([late.digest])
    assert provider.answer(Stage().task(), Source()).entry["result"] == "supplied"
