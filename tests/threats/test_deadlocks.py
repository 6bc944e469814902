"""Deadlocks caused on purpose with lost or stolen keys: which acts become impossible, and which acts still work.

A lost key is never used again. The table "Deadlocks" in ``docs/threat-model.md`` has a row for each test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ledger.chain.sending import calls
from ledger.errors import PingzhengError
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger
from tests.support.actors.officers import Powers, founded
from tests.support.actors.withdrawals import withdraw
from tests.support.chain.reads import is_silent


@pytest.fixture(scope="module")
def powers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Powers]:
    with founded(tmp_path_factory.mktemp("deadlocks"), firms=20) as made:
        yield made


def refused(act: Callable[[], object], code: str) -> None:
    with pytest.raises(PingzhengError) as caught:
        act()
    assert caught.value.code == code, caught.value


def goes_on(powers: Powers) -> None:
    """Do every act for which no officer is needed: consent, supply, issue, anchor, verify, use, change a key, veto,
    withdraw.
    """
    pilot, firm = powers.pilot, powers.pilot.firm()
    party = powers.cast.firms[firm]
    owner, number = powers.actors.signer_of(party), pilot.certificate(firm)
    assert powers.judged(number, owner).valid
    assert pilot.accept(firm, number).valid
    own = powers.further_key(party)
    call = powers.change_of_key(party, powers.key(), own.kid)
    proposal = powers.propose(owner.kid, call)
    powers.send(own.kid, calls.veto(proposal))
    (consent, *_) = powers.ledger.usage.authorizations.page(party, None, 1)
    assert withdraw(powers.actors, consent.id).state == "withdrawn"
    assert powers.judged(number, owner).result == "revoked"


def test_two_officers_give_a_key_to_a_party_that_lost_all_its_keys(powers: Powers) -> None:
    """Certificates based on the party's consents stay valid, but the reported key can no longer present them."""
    firm = powers.pilot.firm()
    party = powers.cast.firms[firm]
    lost, number = powers.actors.signer_of(party), powers.pilot.certificate(firm)
    powers.later()
    powers.act(powers.officers.first, calls.report(powers.no(party), lost.kid))
    refused_by = [(check.number, check.code) for check in powers.judged(number, lost).checks if check.code != "OK"]
    assert refused_by == [(10, "KEY_REPORTED")]
    fresh = powers.key()
    call = powers.change_of_key(party, fresh, lost.kid)
    proposal = powers.decided(call)
    powers.pass_delay()
    assert is_silent(powers.ledger.reader, powers.no(party))
    powers.carry_out(proposal, call)
    assert not is_silent(powers.ledger.reader, powers.no(party))
    report = powers.certified_by(firm, fresh)
    assert report.valid, report.first_failure
    (shown,) = [key.proposal for key in report.keys if key.account == fresh.kid]
    assert shown is not None
    assert (shown.by, shown.confirmed_by) == (powers.no(powers.officers.first), powers.no(powers.officers.second))


def test_two_officers_replace_the_lost_key_of_a_third_officer(powers: Powers) -> None:
    """The lost key cannot be reported first, because fewer than three officers would be left."""
    officers, reader = powers.officers, powers.ledger.reader
    third, lost = powers.no(officers.third), powers.account(officers.third)
    report = calls.report(third, lost)
    number = powers.decided(report)
    fresh = powers.key()
    call = powers.change_of_key(officers.third, fresh, lost)
    replacing = powers.decided(call)
    goes_on(powers)
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, report), "PARTY_TOO_FEW_OFFICERS")
    powers.carry_out(replacing, call)
    assert reader.officers() == 3
    assert reader.account(fresh.kid) is not None
    refused(lambda: powers.send(lost, calls.pause()), "PARTY_UNKNOWN_ACCOUNT")
    cancelled = powers.propose(fresh.kid, calls.set_status(powers.no(powers.cast.bank), "closed", "sanction"))
    powers.act(officers.first, calls.cancel(cancelled))
    powers.ledger.parties.keys.settle(officers.third)


def test_a_single_officer_can_only_place_holds_and_report_keys(powers: Powers) -> None:
    """With a single officer, nobody can register parties, give official roles or recover keys; registered parties can
    still act.
    """
    left, reader = powers.officers.first, powers.ledger.reader
    party = powers.cast.firms[powers.pilot.firm()]
    account = powers.account(left)
    call = powers.change_of_key(party, powers.key())
    number = powers.propose(account, call)
    listed = powers.registration("5e" * 32, powers.key())
    (event,) = powers.send(account, calls.propose_registration(powers.ledger.client.act_of(listed))).named("Proposed")
    refused(lambda: powers.send(account, calls.confirm(event.args["no"], listed)), "PARTY_OWN_PROPOSAL")
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_CONFIRMED")
    powers.send(account, calls.hold(["7a" * 32], "fraud"))
    assert reader.hold_of("7a" * 32).offices == ("authority",)
    powers.send(account, calls.report(powers.no(party), powers.account(party)))
    powers.pass_delay()
    assert is_silent(reader, powers.no(party))
    goes_on(powers)


def test_registered_parties_continue_without_officers_but_no_party_can_join(powers: Powers) -> None:
    """New parties can join only a new ledger with newly deployed contracts. The statements of the old ledger are
    invalid there.
    """
    goes_on(powers)
    outsiders = (powers.cast.bank, powers.cast.registrar, powers.ledger.installation.operator, powers.cast.supervisor)
    listed = powers.registration("6e" * 32, powers.key())
    for party in outsiders:
        proposed = calls.propose_registration(powers.ledger.client.act_of(listed))
        refused(lambda party=party, proposed=proposed: powers.act(party, proposed), "PARTY_LACKS_ROLE")
        recovery = powers.change_of_key(powers.cast.firms["1"], powers.key())
        refused(lambda party=party, call=recovery: powers.propose(powers.account(party), call), "PARTY_LACKS_ROLE")


def test_a_new_deployment_is_a_new_ledger(powers: Powers, tmp_path_factory: pytest.TempPathFactory) -> None:
    with create_ledger(Settings(home=tmp_path_factory.mktemp("anew"))) as anew:
        assert anew.reader.chain.ledger != powers.ledger.reader.chain.ledger
        assert anew.reader.officers() == 3


def test_a_thief_of_a_supervisors_key_can_pause_once_and_two_officers_end_the_pause(powers: Powers) -> None:
    """The two officers also remove the supervisor's role. Its removal takes effect before the thief may begin a second
    pause.
    """
    officers, ledger = powers.officers, powers.ledger
    stolen, no = powers.account(officers.other_supervisor), powers.no(officers.other_supervisor)
    powers.send(stolen, calls.pause())
    number = powers.propose(powers.account(officers.first), calls.end_pause())
    powers.act(officers.second, calls.confirm(number, calls.end_pause()))
    assert ledger.reader.paused_until() == 0
    refused(lambda: powers.send(stolen, calls.pause()), "PARTY_PAUSE_REST")
    strip = calls.set_roles(no, 0)
    number = powers.decided(strip)
    powers.pass_delay()
    powers.carry_out(number, strip)
    refused(lambda: powers.send(stolen, calls.pause()), "PARTY_LACKS_ROLE")
    goes_on(powers)


def test_a_too_short_waiting_period_is_refused_or_reported(
    powers: Powers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A short waiting period is allowed only on a local chain, where every verifier's report warns of it."""
    home = tmp_path_factory.mktemp("short")
    refused(
        lambda: create_ledger(Settings(home=home, rpc_url="http://127.0.0.1:1", delay=3_600)).__enter__(),
        "DELAY_TOO_SHORT",
    )
    assert not (home / "deployment.json").exists()
    firm = powers.pilot.firm()
    number = powers.pilot.certificate(firm)
    report = powers.judged(number, powers.actors.signer_of(powers.cast.firms[firm]))
    assert (report.delay, report.threshold, report.cautions) == (259_200, 2, ())
    assert [caution.code for caution in replace(report, delay=3_600).cautions] == ["DELAY_SHORT"]
