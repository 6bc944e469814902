"""With a node, a provider also checks who owns the keys, and whether the consent was withdrawn or is on hold."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.reading.memory import load_seen, save_seen
from ledger.chain.reading.remembering import Remembered
from ledger.chain.sending.calls import withdraw_for
from ledger.domain.digests import reference
from ledger.domain.entries import statement_digest
from ledger.domain.parties import PartyKind, Role
from ledger.errors import ChainUnavailable, PingzhengError
from ledger.proof.acts import sign_act, withdrawals_message
from ledger.proof.jws import LocalSigner, Signer, public_jwk, sign_entry
from ledger.provider.registry import Registry
from ledger.provider.task import Task
from tests.support.actors.credit_bureau import SOURCE
from tests.support.actors.providers import Files, Town


def resigned(entry: Mapping[str, Any], signer: Signer, **members: Any) -> dict[str, Any]:
    return sign_entry({name: value for name, value in entry.items() if name != "signature"} | members, signer)


def made_up() -> Signer:
    key = new_private_key()
    return LocalSigner(key, account_of(key))


def refused(town: Town, task: Task, code: str) -> None:
    files = Files()
    with pytest.raises(PingzhengError) as caught:
        town.provider().answer(task, files)
    assert caught.value.code == code, caught.value
    assert files.asked == []


def with_keys(task: Task, *signers: Signer) -> Task:
    return replace(task, keys=dict(task.keys) | {each.kid: public_jwk(each.public_key) for each in signers})


def test_an_honest_task_passes_the_checks_against_the_registry(town: Town) -> None:
    tasks = [town.platform.task(consent) for consent in town.consents("31", "32")]
    assert Registry(town.ledger.reader).check(tasks) == [None, None]
    assert Registry(town.ledger.reader).check([]) == []


def test_a_consent_signed_by_the_platform_is_refused(town: Town) -> None:
    (consent,) = town.consents("33")
    task, forger = town.platform.task(consent), made_up()
    forged = with_keys(replace(task, authorization=resigned(task.authorization, forger), keys={}), forger)
    consumer = town.actors.signer_of(task.request["consumer"])
    refused(town, with_keys(forged, consumer), "SIGNER_NOT_SUBJECT")


def test_a_request_signed_by_the_platform_is_refused(town: Town) -> None:
    (consent,) = town.consents("34")
    task, forger = town.platform.task(consent), made_up()
    request = resigned(task.request, forger)
    subject = town.actors.signer_of(task.subject)
    refused(town, with_keys(replace(task, request=request, keys={}), forger, subject), "SIGNER_NOT_CONSUMER")


def test_a_party_invented_by_the_platform_is_refused(town: Town) -> None:
    """The invented party has a real identifier, but another party id and invented keys. The chain does not know the
    keys, so the task is refused before a clerk is asked about the id.
    """
    (consent,) = town.consents("35")
    task, consumer, subject = town.platform.task(consent), made_up(), made_up()
    assert town.provider().answer(task, Files())
    opening = replace(task.opening, key=secrets.token_hex(32))
    request = resigned(task.request, consumer, subject=opening.party)
    members = {"subject": opening.party, "request": reference(statement_digest(request))}
    authorization = resigned(task.authorization, subject, **members)
    forged = replace(task, request=request, authorization=authorization, opening=opening, keys={})
    refused(town, with_keys(forged, consumer, subject), "SIGNER_NOT_CONSUMER")
    assert town.answers.changed() == []


def test_a_subjects_account_that_belongs_to_another_party_is_refused(town: Town) -> None:
    (consent,) = town.consents("36")
    task, other = town.platform.task(consent), town.actors.signer_of(town.pilot.cast.firms["37"])
    consumer = town.actors.signer_of(task.request["consumer"])
    forged = replace(task, authorization=resigned(task.authorization, other), keys={})
    refused(town, with_keys(forged, other, consumer), "SIGNER_NOT_SUBJECT")


def test_a_task_whose_consent_was_withdrawn_without_the_platform_is_not_answered(town: Town) -> None:
    (consent,) = town.consents("38")
    task = town.platform.task(consent)
    signer = town.actors.signer_of(task.subject)
    act = sign_act(withdrawals_message(task.chain, signer.kid, [task.digest]), signer)
    town.ledger.client.send(withdraw_for(signer.kid, [task.digest], act))
    refused(town, task, "AUTHORIZATION_NOT_ACTIVE")


def test_a_task_whose_consent_was_signed_with_a_reported_key_is_not_answered(town: Town) -> None:
    """The key was valid when the subject signed. It was reported later, so a thief may have signed with it."""
    (consent,) = town.consents("143")
    task, ledger = town.platform.task(consent), town.ledger
    account = town.actors.signer_of(task.subject).kid
    assert Registry(ledger.reader).check([task]) == [None]
    ledger.parties.keys.report(ledger.authority, task.subject, account)
    refused(town, task, "SIGNER_NOT_SUBJECT")


def test_a_request_signed_before_the_consumers_key_was_reported_is_answered(town: Town) -> None:
    """The consumer's key was valid when the request was signed, and the subject consented to this request. A request
    that is signed after the report is refused.
    """
    ledger, bank = town.ledger, town.pilot.party(PartyKind.BANK, Role.CONSUMER)
    terms = [replace(town.actors.request(firm), consumer=bank, sources={SOURCE: town.party}) for firm in ("43", "44")]
    first, second = (town.platform.task(row.id) for row in town.actors.agree(town.actors.ask(terms)))
    signer = town.actors.signer_of(bank)
    town.pilot.skip(5)
    ledger.parties.keys.report(ledger.authority, bank, signer.kid)
    assert Registry(ledger.reader).check([first]) == [None]
    town.pilot.skip(5)
    late = resigned(second.request, signer, iat=ledger.clock())
    (error,) = Registry(ledger.reader).check([replace(second, request=late)])
    assert error is not None and error.code == "SIGNER_NOT_CONSUMER"


def test_a_task_whose_consent_was_withdrawn_with_a_reported_key_is_not_answered(town: Town) -> None:
    (consent,) = town.consents("45")
    task, ledger = town.platform.task(consent), town.ledger
    signer = town.actors.signer_of(task.subject)
    ledger.parties.keys.report(ledger.authority, task.subject, signer.kid)
    act = sign_act(withdrawals_message(task.chain, signer.kid, [task.digest]), signer)
    ledger.client.send(withdraw_for(signer.kid, [task.digest], act))
    number = ledger.reader.party_no(task.subject)
    assert ledger.reader.withdrawn_at(number, task.digest).at == 0
    # The signing key is checked before the withdrawal, so this error comes first. Once a valid key has signed the
    # consent again, the error is that the consent is withdrawn.
    refused(town, task, "SIGNER_NOT_SUBJECT")
    ledger.parties.keys.bind(ledger.authority, task.subject, ledger.custody.public_key(*ledger.custody.create()))
    (fresh,) = (
        key
        for key in ledger.parties.keys.history(task.subject)
        if key.account != signer.kid and key.bound_at is not None
    )
    again = replace(task, authorization=resigned(task.authorization, ledger.custody.signer(fresh.account)))
    assert again.digest == task.digest
    refused(town, with_keys(again, ledger.custody.signer(fresh.account)), "AUTHORIZATION_NOT_ACTIVE")


@pytest.mark.parametrize("held", ["request", "authorization"])
def test_a_task_whose_consent_or_request_has_a_hold_is_not_answered(town: Town, held: str) -> None:
    (consent,) = town.consents("39")
    task = town.platform.task(consent)
    digest = statement_digest(task.request if held == "request" else task.authorization)
    town.ledger.certificates.holds.hold_statements([digest], "investigation", town.pilot.cast.supervisor)
    refused(town, task, "AUTHORIZATION_NOT_ACTIVE")


def test_a_task_of_a_ledger_that_is_not_on_the_providers_node_is_refused(town: Town) -> None:
    (consent,) = town.consents("40")
    task = town.platform.task(consent)
    elsewhere = replace(task, chain=replace(task.chain, origin="0b" * 32))
    (error,) = Registry(town.ledger.reader).check([elsewhere])
    assert error is not None and error.code == "LEDGER_DIFFERS"


def test_a_chain_that_differs_from_the_remembered_chain_is_refused(town: Town, tmp_path: Path) -> None:
    (consent,) = town.consents("41")
    task, memory = town.platform.task(consent), tmp_path / "seen.json"
    registry = Registry(town.ledger.reader, Remembered(town.ledger.reader, memory))
    assert registry.check([task]) == [None]
    seen = load_seen(memory)
    assert seen is not None
    save_seen(memory, replace(seen, block_hash="0" * 64))
    with pytest.raises(ChainUnavailable, match="CHAIN_DIFFERS_FROM_SEEN"):
        Registry(town.ledger.reader, Remembered(town.ledger.reader, memory)).check([task])
