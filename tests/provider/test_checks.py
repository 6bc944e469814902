"""False tasks of a lying platform: the provider refuses each of them before it asks a source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.digests import reference
from ledger.domain.entries import statement_digest
from ledger.domain.parties import PartyKind
from ledger.errors import PingzhengError
from ledger.proof.jws import public_jwk, sign_entry
from ledger.provider.checks import check_task
from ledger.provider.task import Task
from tests.provider.stage import (
    AT,
    FIRST,
    GRID,
    OTHER_GRID,
    RULES,
    SECOND,
    Source,
    Stage,
    Subject,
    provider_at,
    signer_of,
)

STRANGER = signer_of("stranger")


def changed(kind: str, **members: Any) -> Task:
    return Stage(changes={kind: members}).task()


def resigned(kind: str, **members: Any) -> Task:
    """Return the task with one changed entry. The party that signed the entry has signed the changed entry again."""
    stage = Stage()
    entry = {name: value for name, value in getattr(stage, kind).items() if name != "signature"} | members
    signer = stage.consumer if kind == "request" else FIRST.signer
    return stage.task(**{kind: entry if kind == "template" else sign_entry(entry, signer)})


def under_rule(rule: dict[str, Any], **template: Any) -> Task:
    return Stage(rules={"claim": rule}, changes={"template": template}).task()


def test_a_provider_accepts_an_honest_task(tmp_path: Path) -> None:
    check_task(Stage().task(), GRID, AT)
    source = Source()
    assert provider_at(tmp_path).answer(Stage().task(), source).entry["result"] == "supplied"
    assert len(source.asked) == 1


def test_attack_the_platform_cannot_name_a_second_firm_for_the_consent_of_the_first_firm(tmp_path: Path) -> None:
    """In protocol 1, the platform chose the subject, so the provider signed the data of firm B as data of firm A."""
    source = Source()
    for opening in (
        SECOND.opening,
        replace(FIRST.opening, identifier=SECOND.identifier),
        replace(FIRST.opening, key=SECOND.id_key),
        replace(FIRST.opening, kind=PartyKind.SOLE_TRADER),
    ):
        with pytest.raises(PingzhengError, match="SUBJECT_OPENING_DIFFERS"):
            provider_at(tmp_path).answer(Stage().task(opening=opening), source)
    assert source.asked == []


def stranger_for(kind: str) -> Task:
    """Return a task in which a stranger signed one entry; the task lists the stranger's key among its keys."""
    stage = Stage()
    entry = {name: value for name, value in getattr(stage, kind).items() if name != "signature"}
    keys = {STRANGER.kid: public_jwk(STRANGER.public_key)} | dict(stage.task().keys)
    return stage.task(**{kind: sign_entry(entry, STRANGER), "keys": keys})


def under_anothers_account() -> Task:
    """Return a task that lists a stranger's key as the key of the subject's account."""
    stage = Stage()
    keys = dict(stage.task().keys) | {FIRST.signer.kid: public_jwk(STRANGER.public_key)}
    entry = {name: value for name, value in stage.authorization.items() if name != "signature"}
    header, _, signature = sign_entry(entry, STRANGER)["signature"].split(".")
    own_header = stage.authorization["signature"].split(".")[0]
    assert header != own_header
    return stage.task(authorization=entry | {"signature": f"{own_header}..{signature}"}, keys=keys)


LIES: dict[str, tuple[Task, str]] = {
    "a template of another ledger": (changed("template", ledger="0b" * 32), "LEDGER_DIFFERS"),
    "a request of another ledger": (changed("request", ledger="0b" * 32), "LEDGER_DIFFERS"),
    "a consent of another ledger": (changed("authorization", ledger="0b" * 32), "LEDGER_DIFFERS"),
    "a task of another ledger": (
        Stage().task(chain=replace(Stage().task().chain, origin="0b" * 32)),
        "LEDGER_DIFFERS",
    ),
    "another template": (resigned("template", max_uses=3), "TASK_DIFFERS"),
    "rules of another engine": (changed("template", engine=3), "ENGINE_UNSUPPORTED"),
    "a request of another scenario": (changed("request", scenario="S02"), "TASK_DIFFERS"),
    "more uses than the scenario allows": (changed("request", max_uses=3), "TASK_DIFFERS"),
    "another channel than the scenario's": (changed("request", channel="subject_carried"), "TASK_DIFFERS"),
    "another request": (resigned("request", iat=AT - 7), "TASK_DIFFERS"),
    "a request that nobody signed": (
        Stage().task(request=Stage().request | {"signature": "e30..e30"}),
        "SIGNER_NOT_CONSUMER",
    ),
    "a request without its key": (
        Stage().task(keys={FIRST.signer.kid: public_jwk(FIRST.signer.public_key)}),
        "SIGNER_NOT_CONSUMER",
    ),
    "a consent without its key": (
        Stage().task(keys={signer_of("bank").kid: public_jwk(signer_of("bank").public_key)}),
        "SIGNER_NOT_SUBJECT",
    ),
    "a consent by another's key under the subject's account": (under_anothers_account(), "SIGNER_NOT_SUBJECT"),
    "a consent changed after it was signed": (
        Stage().task(authorization=Stage().authorization | {"purpose": "贷款"}),
        "SIGNER_NOT_SUBJECT",
    ),
    "a consent of another subject": (
        Stage(changes={"authorization": {"subject": SECOND.id}}).task(opening=SECOND.opening),
        "AUTHORIZATION_BEYOND_REQUEST",
    ),
    "a consent for another consumer": (changed("authorization", consumer=OTHER_GRID), "AUTHORIZATION_BEYOND_REQUEST"),
    "a consent for more uses": (changed("authorization", max_uses=2), "AUTHORIZATION_BEYOND_REQUEST"),
    "a consent that begins earlier": (changed("authorization", valid_from=AT - 90_000), "AUTHORIZATION_BEYOND_REQUEST"),
    "a consent for longer": (
        changed("authorization", valid_to=Stage().request["valid_to"] + 1),
        "AUTHORIZATION_BEYOND_REQUEST",
    ),
    "a consent for longer than the scenario allows": (
        changed("template", max_validity_days=30),
        "AUTHORIZATION_BEYOND_REQUEST",
    ),
    "a consent given too late": (changed("authorization", iat=AT + 86_400), "AUTHORIZATION_BEYOND_REQUEST"),
    "a provider that was not asked": (changed("authorization", provider=OTHER_GRID), "AUTHORIZATION_BEYOND_REQUEST"),
    "another provider": (
        Stage(
            changes={
                "request": {"sources": [{"source": "electricity", "provider": OTHER_GRID}]},
                "authorization": {"provider": OTHER_GRID},
            }
        ).task(),
        "PROVIDER_NOT_AUTHORIZED",
    ),
    "a consent that was not separate": (
        changed("template", legal_basis="separate_consent"),
        "SEPARATE_CONSENT_MISSING",
    ),
    "a claim of another source": (
        changed("template", fields=[{"name": name, "source": "water", "rule": rule} for name, rule in RULES.items()]),
        "TASK_DIFFERS",
    ),
    "an unknown rule": (under_rule({"op": "rows"}), "RULE_INVALID"),
    "raw rows where a predicate is allowed": (
        under_rule(
            {"op": "series", "column": "kwh", "order": "month", "unit": "month", "last": 36}, payload_mode="predicate"
        ),
        "RULE_OUTSIDE_MODE",
    ),
    "a person's number as a claim": (
        Stage(subject=Subject("440802199001010007", kind=PartyKind.PERSON)).task(),
        "RULE_OUTSIDE_MODE",
    ),
}


@pytest.mark.parametrize(("task", "code"), LIES.values(), ids=LIES)
def test_a_false_task_is_refused_before_a_row_is_read(tmp_path: Path, task: Task, code: str) -> None:
    source = Source()
    with pytest.raises(PingzhengError) as caught:
        provider_at(tmp_path).answer(task, source)
    assert caught.value.code == code, caught.value
    assert source.asked == []
    assert provider_at(tmp_path).answers.waiting() == []


def test_a_field_outside_the_request_is_refused() -> None:
    """The authorization names all requested fields, and one more field of the same source."""
    stage = Stage(changes={"request": {"fields": ["months_covered"]}, "authorization": {"fields": [*RULES]}})
    with pytest.raises(PingzhengError, match="FIELD_OUTSIDE_REQUEST"):
        check_task(stage.task(), GRID, AT)


@pytest.mark.parametrize("kind", ["request", "authorization"])
def test_only_the_chain_shows_that_the_platform_invented_a_key(kind: str) -> None:
    """Without a chain node, the provider cannot find out who owns the key in the task. But no verifier accepts a
    certificate that comes from such a task.
    """
    check_task(stranger_for(kind), GRID, AT)


def test_a_task_is_answered_until_its_consent_expires() -> None:
    task = Stage().task()
    check_task(task, GRID, task.authorization["valid_to"] - 1)
    with pytest.raises(PingzhengError, match="AUTHORIZATION_NOT_ACTIVE"):
        check_task(task, GRID, task.authorization["valid_to"])


@pytest.mark.parametrize("suite", ["ES256", "SM2SM3"])
def test_consumers_may_sign_with_every_suite(suite: str) -> None:
    check_task(Stage(consumer=signer_of("bank", suite)).task(), GRID, AT)


def test_references_to_statements_are_the_digests_of_the_statements() -> None:
    task = Stage().task()
    assert task.reference == reference(statement_digest(task.authorization)) == f"sha-256:{task.digest}"
