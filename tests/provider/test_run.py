"""A provider's rounds with a real platform: answers, corrections, refused answers, and erased subjects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ledger.connectors.answers import Answer, NoData, Query, Refused, TimedOut
from ledger.domain.parties import Role
from ledger.errors import PingzhengError
from ledger.parties.roles import Actor
from ledger.proof.jws import sign_entry
from ledger.proof.sdjwt import Disclosed, disclosure_digest
from ledger.provider.platform import Page
from ledger.provider.run import carry_out_erasures, go_round
from ledger.provider.supply import Supply
from ledger.usage.provisions import OwnPlatform
from tests.support.actors.pilots import ROWS
from tests.support.actors.providers import NAME, Files, Town


def outcomes(town: Town, files: Files | None = None) -> Counter[str]:
    return Counter(done.result or done.error.code for done in town.go_round(files) if done.result or done.error)


def test_a_round_answers_every_task_once(town: Town) -> None:
    consents = town.consents("1", "2", "3")
    files = Files()
    assert outcomes(town, files) == {"supplied": 3}
    assert len(files.asked) == 3
    assert outcomes(town, files) == {}
    assert town.answers.waiting() == []
    assert [[row.result for row in town.provisions(consent)] for consent in consents] == [["supplied"]] * 3


def test_the_certificate_has_the_claims_that_the_provider_computed(town: Town) -> None:
    (consent,) = town.consents("4")
    town.go_round()
    report = town.verified(town.certified(consent))
    assert report.valid, report.first_failure
    assert (report.disclosed["subject_name"], report.disclosed["wage_band"]) == (NAME, "15–20")


def test_a_round_reads_tasks_page_by_page(town: Town) -> None:
    town.consents("5", "6", "7")
    platform = OwnPlatform(town.ledger.usage.provisions, town.party, page=2)
    assert len(list(go_round(town.provider(), platform, Files().connector))) == 3


class Mixed(Files):
    """A source that gives each subject a different answer."""

    def ask(self, query: Query) -> Answer:
        self.asked.append(query)
        answers: Sequence[Answer] = (
            NoData(query.at),
            Refused("under_correction", query.at),
            TimedOut(query.at),
        )
        return answers[len(self.asked) - 1]


def test_the_source_is_asked_again_only_for_a_timed_out_task(town: Town) -> None:
    town.consents("8", "9", "10")
    assert outcomes(town, Mixed()) == {"no_data": 1, "refused": 1, "timed_out": 1}
    files = Files()
    assert outcomes(town, files) == {"supplied": 1}
    assert len(files.asked) == 1


def test_wrong_rows_of_one_subject_do_not_stop_the_answers_about_other_subjects(town: Town) -> None:
    class Spoilt(Files):
        def ask(self, query: Query) -> Answer:
            self.rows = ROWS if self.asked else ({**ROWS[0], "wage": "much"},)
            return super().ask(query)

    town.consents("11", "12")
    assert outcomes(town, Spoilt()) == {"supplied": 1, "ROW_VALUE_INVALID": 1}
    assert outcomes(town) == {"supplied": 1}, "the source is asked again after its correction"


def test_a_correction_withdraws_the_old_provision(town: Town) -> None:
    """The correction withdraws the old provision on the chain. The old certificate is then invalid, whatever its issuer
    does.
    """
    (consent,) = town.consents("13")
    town.go_round(Files(rows=({**ROWS[0], "wage": "9.0"},)))
    number = town.certified(consent)
    assert town.verified(number).disclosed["wage_band"] == "<15"
    supply = town.provider().correct(town.platform.task(consent), Files())
    assert town.platform.submit([supply]) == [None]
    failed = town.verified(number).first_failure
    assert failed is not None and (failed.number, failed.code) == (11, "PROVISION_WITHDRAWN")
    corrected = town.ledger.usage.corrections.correct(town.ledger.actor(town.ledger.party), number).certificate_no
    assert town.verified(corrected).disclosed["wage_band"] == "15–20"


def test_the_platform_alone_cannot_cause_a_correction(town: Town) -> None:
    """If the platform could cause a correction, the provider would sign a withdrawal, and the platform could end any
    certificate in this way.
    """
    (consent,) = town.consents("27")
    town.go_round()
    number = town.certified(consent)
    task = town.platform.task(consent)
    assert task.corrects is not None

    class Asking(OwnPlatform):
        def tasks(self, after: str | None) -> Page:
            return Page((task,), None)

    files = Files()
    platform = Asking(town.ledger.usage.provisions, town.party)
    (done,) = go_round(town.provider(), platform, files.connector)
    assert done.error is not None and done.error.code == "CORRECTION_NOT_MEANT"
    assert files.asked == [] and town.verified(number).valid


def test_submitting_a_correction_again_changes_nothing(town: Town) -> None:
    (consent,) = town.consents("14")
    town.go_round()
    supply = town.provider().correct(town.platform.task(consent), Files())
    first, second = (town.ledger.usage.provisions.submit([supply])[0] for _ in range(2))
    assert (first.id, first.number) == (second.id, 2)
    assert [row.number for row in town.provisions(consent)] == [1, 2]


def test_a_finally_refused_answer_is_not_sent_again(town: Town) -> None:
    """The request was cancelled after the provider signed its answer and before it sent the answer. Therefore the
    platform refuses the answer for good.
    """
    (consent,) = town.consents("15")
    supply = town.provider().answer(town.platform.task(consent), Files())
    town.ledger.usage.requests.cancel(town.ledger.usage.authorizations.get(consent).request_id)
    assert outcomes(town) == {"REQUEST_NOT_AUTHORIZED": 1}
    assert town.answers.waiting() == []
    assert town.answers.evidence(supply.digest)[0] == supply.entry


def test_an_answer_that_is_not_finally_refused_is_sent_again(town: Town) -> None:
    """The platform refuses the answer because it does not know the provider's key yet. This can change, so the provider
    sends the answer again.
    """
    (consent,) = town.consents("16")
    (account,) = town.ledger.custody.create()
    fresh = town.ledger.custody.signer(account)
    town.provider(signer=fresh).answer(town.platform.task(consent), Files())
    assert outcomes(town) == {"SIGNER_NOT_PROVIDER": 1}, "once in a round"
    assert len(town.answers.waiting()) == 1


def test_the_platform_accepts_valid_answers_that_are_sent_with_invalid_answers(town: Town) -> None:
    good, bad = (town.provider().answer(town.platform.task(consent), Files()) for consent in town.consents("17", "18"))
    error, taken = town.platform.submit([resigned(town, bad, engine=3), good])
    assert error is not None and error.code == "PROVISION_OUTSIDE_REQUEST"
    assert taken is None


def test_a_round_sends_nothing_of_an_erased_subject(town: Town) -> None:
    pilot = town.pilot
    firm = pilot.cast.firms["19"]
    settled, waiting = town.consents("19", "19")
    for consent in (settled, waiting):
        town.provider().answer(town.platform.task(consent), Files())
    done, kept = town.answers.waiting()
    town.platform.submit([done])
    town.answers.received([done.digest])
    town.ledger.erasure.party(Actor(firm, frozenset({Role.SUBJECT})), firm, "subject_request")
    assert outcomes(town) == {}
    assert town.answers.waiting() == []
    assert [town.answers.evidence(each.digest)[1] for each in (done, kept)] == [None, None]
    assert carry_out_erasures(town.provider(), town.platform) == 0, "each erasure is carried out once"
    with pytest.raises(PingzhengError, match="SEALED_ERASED"):
        town.platform.task(waiting)


# --- Answers that the platform refuses


def refused(town: Town, supply: Supply, code: str) -> None:
    with pytest.raises(PingzhengError) as caught:
        town.ledger.usage.provisions.submit([supply])
    assert caught.value.code == code, caught.value


def test_the_platform_accepts_only_claims_that_their_rules_can_give(town: Town) -> None:
    """A provider cannot sign an ID number as the value of a band."""
    (consent,) = town.consents("20")
    supply = town.provider().answer(town.platform.task(consent), Files())
    hidden = {item.name: item for item in map(Disclosed.decode, supply.disclosures)}
    for name, value in (("wage_band", "11010519491231002X"), ("years_covered", 10_001), ("employment_trend", "up")):
        item = Disclosed(hidden[name].salt, name, value)
        changed = hidden | {name: item}
        entry = supply.entry | {"claims": {each: disclosure_digest(that.encoded) for each, that in changed.items()}}
        signed = sign_entry({each: entry[each] for each in entry if each != "signature"}, town.signer)
        refused(town, Supply(signed, tuple(that.encoded for that in changed.values())), "CLAIM_OUTSIDE_RULE")


def resigned(town: Town, supply: Supply, **members: object) -> Supply:
    entry = {name: value for name, value in supply.entry.items() if name != "signature"} | members
    return replace(supply, entry=sign_entry(entry, town.signer))


def test_the_platform_accepts_only_signed_and_requested_answers(town: Town) -> None:
    (consent,) = town.consents("21")
    task = town.platform.task(consent)
    supply = town.provider().answer(task, Files())
    first, *others = supply.disclosures
    claims = supply.entry["claims"]
    ledger = {"ledger": "0b" * 32}
    refused(town, resigned(town, supply, **ledger), "LEDGER_DIFFERS")
    refused(town, resigned(town, supply, template="sha-256:" + "ab" * 32), "PROVISION_OUTSIDE_REQUEST")
    refused(town, resigned(town, supply, engine=9), "PROVISION_OUTSIDE_REQUEST")
    refused(town, resigned(town, supply, sd_alg="sm3"), "CLAIM_DIFFERS")
    refused(town, replace(supply, disclosures=tuple(others)), "CLAIM_DIFFERS")
    refused(town, replace(supply, disclosures=(first, first, *others)), "CLAIM_DIFFERS")
    refused(town, replace(supply, disclosures=()), "CLAIMS_AND_RESULT")
    refused(town, resigned(town, replace(supply, disclosures=()), claims={}), "CLAIMS_AND_RESULT")
    refused(town, resigned(town, supply, payload_digest=None), "CLAIMS_AND_RESULT")
    refused(town, resigned(town, supply, as_of="2099-01-01"), "AS_OF_AFTER_QUERY")
    refused(town, resigned(town, supply, reason="disputed"), "REASON_AND_RESULT")
    refused(town, resigned(town, supply, authorization="sha-256:" + "ab" * 32), "AUTHORIZATION_UNKNOWN")
    refused(
        town,
        replace(supply, entry=supply.entry | {"claims": dict(reversed(claims.items())), "iat": 7}),
        "SIGNER_NOT_PROVIDER",
    )
    assert town.platform.submit([supply]) == [None]


def test_a_claim_outside_the_authorization_is_refused(town: Town) -> None:
    (consent,) = town.consents("22", fields=("wage_band",))
    (wider,) = town.consents("22")
    supply = town.provider().answer(town.platform.task(wider), Files())
    narrow = town.platform.task(consent)
    moved = resigned(town, supply, authorization=narrow.reference, id="01K" + "0" * 23)
    refused(town, moved, "FIELD_OUTSIDE_AUTHORIZATION")


def test_a_repeated_digest_is_accepted_only_in_a_correction(town: Town) -> None:
    """If digests could be repeated, everybody could see that two certificates contain the same value."""
    one, other = town.consents("23", "24")
    supply = town.provider().answer(town.platform.task(one), Files())
    assert town.platform.submit([supply]) == [None]
    moved = resigned(town, supply, authorization=town.platform.task(other).reference, id="01K" + "1" * 23)
    refused(town, moved, "CLAIM_DIGEST_SEEN")
    town.answers.received([supply.digest])
    corrected = town.provider().correct(town.platform.task(one), Files())
    same = resigned(town, replace(corrected, disclosures=supply.disclosures), claims=supply.entry["claims"])
    assert town.platform.submit([same]) == [None]


def test_a_correction_must_contain_the_withdrawal_of_the_corrected_provision(town: Town) -> None:
    (consent,) = town.consents("25")
    town.go_round()
    supply = town.provider().correct(town.platform.task(consent), Files())
    withdrawn = supply.withdrawn
    assert withdrawn is not None and supply.withdrawal is not None
    unsigned = {name: value for name, value in withdrawn.items() if name != "signature"}
    other = town.actors.signer_of(town.pilot.cast.provider)
    refused(town, replace(supply, withdrawn=None), "WITHDRAWAL_AND_CORRECTION")
    refused(town, replace(supply, withdrawn=None, withdrawal=None), "WITHDRAWAL_AND_CORRECTION")
    elsewhere = sign_entry(unsigned | {"statement": "sha-256:" + "ab" * 32}, town.signer)
    refused(town, replace(supply, withdrawn=elsewhere), "WITHDRAWAL_AND_CORRECTION")
    refused(town, replace(supply, withdrawn=sign_entry(unsigned, other)), "SIGNER_NOT_PROVIDER")
    refused(town, replace(supply, withdrawal=None), "ACT_SIGNATURE_REQUIRED")
    refused(town, replace(supply, withdrawal=bytes(64)), "LOG_SIGNATURE_INVALID")
    refused(town, replace(supply, withdrawal=supply.withdrawal + bytes(64)), "LOG_SIGNATURE_INVALID")
    assert len(town.provisions(consent)) == 1, "the refused answers are not recorded"
    assert town.platform.submit([supply]) == [None]


def test_only_a_correction_may_contain_a_withdrawal(town: Town) -> None:
    (consent,) = town.consents("26")
    supply = town.provider().answer(town.platform.task(consent), Files())
    refused(town, replace(supply, withdrawal=bytes(64)), "WITHDRAWAL_AND_CORRECTION")
    refused(town, resigned(town, supply, corrects="sha-256:" + "ab" * 32), "NOTHING_TO_CORRECT")
