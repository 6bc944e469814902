"""The template (the rules) that a certificate names: it comes from the scenario, and is anchored no later than the
certificate.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from ledger.chain.reading.facts import collect_facts
from ledger.demo.actors import NOTE
from ledger.domain.canonical import canonical, digest
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.errors import InvalidInput
from ledger.installation.wiring import Ledger
from ledger.proof.bundle import Bundle
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation, verify
from ledger.rulebooks import templates
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.rulebooks.templates import expecting, known_template, require_own_template, template_of, template_reference
from ledger.usage import requests
from tests.support.actors.credit_bureau import SCENARIO
from tests.support.actors.persons import CONTRIBUTIONS, PersonActors
from tests.support.actors.pilots import Pilot
from tests.support.actors.withdrawals import withdraw
from tests.support.bundles.cast import LEDGER

PACKAGED = Path(str(files("ledger") / "scenarios"))
USAGE = sorted(path for path in PACKAGED.glob("S*.yaml") if path.stem != REGISTRATION_SCENARIO)
SAME = ("legal_basis", "payload_mode", "channels", "max_validity_days", "max_uses", "retention_days")
NOT_EXPECTED = "TEMPLATE_NOT_EXPECTED"


# --- when the statements behind a certificate were anchored
# -------------------------------------------------------------------------------------


def times(bundle: Bundle) -> tuple[int, int]:
    """Return two times: when the newest evidence was anchored, and when the certificate was anchored."""
    at = {anchor.log_batch: anchor.at for anchor in bundle.anchors}
    return max(at[item.position.log_batch] for item in bundle.evidence), at[bundle.position.log_batch]


def test_a_certificate_can_be_in_the_same_batch_as_the_statements_behind_the_certificate(pilot: Pilot) -> None:
    pilot.ledger.anchoring.flush()
    evidence, certificate = times(pilot.ledger.certificates.bundles.build(pilot.certificate(pilot.firm())))
    assert evidence == certificate


def test_a_certificate_can_be_in_a_later_batch_than_the_statements_behind_the_certificate(pilot: Pilot) -> None:
    """Each step is anchored in a separate batch, one minute after the previous step."""
    firm, ledger = pilot.firm(), pilot.ledger

    def a_minute_later() -> None:
        ledger.anchoring.flush()
        pilot.skip(60)

    consent = pilot.authorise(firm)
    a_minute_later()
    pilot.supply(firm, consent)
    a_minute_later()
    number = pilot.actors.issue({firm: consent})[firm]
    a_minute_later()
    evidence, certificate = times(ledger.certificates.bundles.build(number))
    assert evidence <= certificate - 60
    assert pilot.accept(firm, number).valid


def test_a_corrected_certificate_is_anchored_after_the_statements_behind_the_certificate(pilot: Pilot) -> None:
    """The new version rests on the provider's new answer, and its bundle also contains the withdrawal of the old
    answer. Both were anchored after the old version, and must be anchored before the new version.
    """
    persons = PersonActors(pilot)
    ledger = persons.ledger
    request, given = persons.authorised(persons.person())
    consent = given["social_insurance"].id
    persons.answer({consent: persons.supplied(CONTRIBUTIONS[:3])})
    (old,) = persons.certify([request])
    ledger.anchoring.flush()
    pilot.skip(60)
    persons.answer({consent: persons.supplied()})
    ledger.anchoring.flush()
    pilot.skip(60)
    new = ledger.usage.corrections.correct(ledger.actor(ledger.party), old.certificate_no)
    ledger.anchoring.flush()
    evidence, certificate = times(ledger.certificates.bundles.build(new.certificate_no))
    assert times(ledger.certificates.bundles.build(old.certificate_no))[1] + 60 <= evidence <= certificate - 60
    assert persons.accepted(new.certificate_no).valid


def test_a_withdrawal_anchored_after_the_certificate_is_not_reported_as_late_evidence(pilot: Pilot) -> None:
    firm = pilot.firm()
    consent = pilot.authorise(firm)
    pilot.supply(firm, consent)
    number = pilot.actors.issue({firm: consent})[firm]
    pilot.ledger.anchoring.flush()
    pilot.skip(60)
    withdraw(pilot.actors, consent)
    pilot.ledger.anchoring.flush()
    evidence, certificate = times(pilot.ledger.certificates.bundles.build(number))
    assert evidence > certificate
    assert pilot.accept(firm, number).checks[10].code == "AUTHORIZATION_WITHDRAWN"


# --- which rules apply ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", USAGE, ids=lambda path: path.stem)
def test_the_template_digest_can_be_computed_from_the_scenario_file(path: Path) -> None:
    """Anybody who has the scenario's file can compute the digest. Section 6 of docs/protocol.md describes how."""
    raw = yaml.safe_load(path.read_text("utf-8"))
    expected = {"type": "template", "v": 2, "ledger": LEDGER, "engine": 2, "scenario_digest": digest(canonical(raw))}
    expected |= {"scenario": raw["code"], "scenario_version": raw["version"]} | {name: raw[name] for name in SAME}
    expected |= {"fields": [{name: field[name] for name in ("name", "source", "rule")} for field in raw["fields"]]}
    assert template_of(ScenarioBook.read(path), LEDGER) == expected


def own_reading(pilot: Pilot, bundle: Bundle, nonce: str, named: frozenset[str] | None) -> Report:
    """Return the report of a bank that verifies with its own chain node and does not call the service."""
    facts = collect_facts(pilot.ledger.reader, bundle)
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce, templates=named)
    return verify(bundle.to_bytes(), facts, max(pilot.ledger.clock(), facts.block_time), expect)


@pytest.fixture
def lied(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Return a firm, and its certificate from a lying platform. The platform's rules take the wage from another column,
    but name the digest of the honest scenario.

    Bank, firm and provider sign without checking the rules.
    """

    def lying(scenario: Any, ledger: str) -> dict[str, Any]:
        template = template_of(scenario, ledger)
        for field in template["fields"]:
            if field["name"] == "wage_band":
                field["rule"] = field["rule"] | {"column": "output"}
        return template

    firm = pilot.firm()
    for module in (requests, templates):
        monkeypatch.setattr(module, "template_of", lying)
    number = pilot.certificate(firm)
    monkeypatch.undo()
    return firm, number


def test_a_certificate_whose_template_has_unexpected_rules_is_refused(pilot: Pilot, lied: tuple[str, str]) -> None:
    scenario = pilot.ledger.scenarios.get(SCENARIO)
    bundle, nonce = pilot.present(*lied)
    without = own_reading(pilot, bundle, nonce, None)
    assert (without.valid, without.claims["scenario_digest"]) == (True, scenario.digest)
    assert without.checks[10].details == {"template": without.claims["template"], "compared": False}
    known = frozenset({template_reference(scenario, pilot.ledger.reader.chain.ledger)})
    assert own_reading(pilot, bundle, nonce, known).checks[10].code == NOT_EXPECTED
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)
    assert pilot.ledger.verification.verify(bundle.to_bytes(), expect).report.checks[10].code == NOT_EXPECTED
    assert pilot.accept(*lied).checks[10].code == NOT_EXPECTED


def test_verification_compares_the_template_with_the_scenario_file(pilot: Pilot) -> None:
    firm = pilot.firm()
    number = pilot.certificate(firm)
    report = pilot.accept(firm, number)
    known = template_reference(pilot.ledger.scenarios.get(SCENARIO), pilot.ledger.reader.chain.ledger)
    assert (report.valid, report.checks[10].details) == (True, {"template": known, "compared": True})


def test_templates_named_by_the_verifier_take_precedence_over_the_scenario_file(
    pilot: Pilot, lied: tuple[str, str]
) -> None:
    """A bank that has read a template and accepts its rules can name this template to the verifier. The verifier then
    accepts the template, even if the rules in the bank's local file differ.
    """
    bundle, nonce = pilot.present(*lied)
    named = frozenset({own_reading(pilot, bundle, nonce, None).claims["template"]})
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce, templates=named)
    assert pilot.ledger.verification.verify(bundle.to_bytes(), expect).report.valid


@pytest.fixture
def next_version(pilot: Pilot, tmp_path: Path) -> Iterator[Pilot]:
    """The same ledger with a second version of the scenario, which allows nine uses."""
    text = (PACKAGED / f"{SCENARIO}.yaml").read_text("utf-8")
    raw = yaml.safe_load(text) | {"version": 2, "max_uses": 9}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(raw, allow_unicode=True), "utf-8")
    with pilot.under(scenarios=tmp_path) as other:
        yield other


def test_the_template_of_an_unknown_scenario_version_is_not_compared_with_a_file(
    pilot: Pilot, next_version: Pilot
) -> None:
    firm, theirs = pilot.firm(), next_version.ledger
    consent = next_version.authorise(firm)
    next_version.supply(firm, consent)
    number = next_version.actors.issue({firm: consent})[firm]
    theirs.anchoring.flush()
    bundle, nonce = next_version.present(firm, number)
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)

    def details(ledger: Ledger) -> dict[str, Any]:
        report = ledger.verification.verify(bundle.to_bytes(), expect).report
        assert report.valid, report.first_failure
        return report.checks[10].details

    template = template_reference(theirs.scenarios.get(SCENARIO), theirs.reader.chain.ledger)
    assert details(theirs) == {"template": template, "compared": True}
    assert details(pilot.ledger) == {"template": template, "compared": False}


def test_a_request_with_a_wrong_template_is_refused_before_the_consumer_signs(
    pilot: Pilot, next_version: Pilot
) -> None:
    ledger = pilot.ledger
    drafted = ledger.usage.requests.draft(pilot.actors.request(pilot.firm()), NOTE).entry
    assert require_own_template(ledger.scenarios, drafted)
    assert not require_own_template(next_version.ledger.scenarios, drafted)
    for changed in ({"template": "sha-256:" + "77" * 32}, {"ledger": LEDGER}):
        with pytest.raises(InvalidInput, match=NOT_EXPECTED):
            require_own_template(ledger.scenarios, drafted | changed)


def test_no_template_is_expected_for_an_unreadable_bundle(pilot: Pilot) -> None:
    expect = Expectation(consumer=pilot.cast.bank)
    for raw in (
        b"",
        b"{}",
        pilot.ledger.certificates.bundles.build(pilot.certificate(pilot.firm())).with_certificate("x").to_bytes(),
    ):
        assert expecting(pilot.ledger.scenarios, raw, expect) == expect
    for scenario, version in ((None, None), ([], {}), (SCENARIO, None), (SCENARIO, "1"), ("S99", 1)):
        entry: dict[str, Any] = {"scenario": scenario, "scenario_version": version, "ledger": LEDGER}
        assert known_template(pilot.ledger.scenarios, entry) is None
