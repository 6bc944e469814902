"""Templates: the rules of a scenario as an entry of the log, and which templates are accepted here.

A certificate names its template, and the template names its scenario. Only a verifier with the scenario's file can
check whether the template follows from the file (protocol §9, check 11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ledger.domain.definitions.scenario import Scenario
from ledger.domain.digests import reference
from ledger.domain.entries import statement_digest, template_entry
from ledger.domain.rules.predicates import ENGINE
from ledger.errors import BadBundle, Conflict, InvalidInput
from ledger.proof.bundle import Bundle, parse_bundle
from ledger.proof.sdjwt import parse_certificate
from ledger.proof.verifier import Expectation
from ledger.rulebooks.scenarios import ScenarioBook


def template_of(scenario: Scenario, ledger: str) -> dict[str, Any]:
    """Return the rules of the scenario as an entry for that ledger; equal definitions give equal entries."""
    return template_entry(
        ledger=ledger,
        scenario=scenario.code,
        scenario_version=scenario.version,
        scenario_digest=scenario.digest,
        legal_basis=scenario.legal_basis,
        payload_mode=scenario.payload_mode,
        channels=list(scenario.channels),
        max_validity_days=scenario.max_validity_days,
        max_uses=scenario.max_uses,
        retention_days=scenario.retention_days,
        engine=ENGINE,
        fields=[{"name": field.name, "source": field.source, "rule": dict(field.rule)} for field in scenario.fields],
    )


def template_reference(scenario: Scenario, ledger: str) -> str:
    """Return the reference by which entries of that ledger name the scenario's template, ``sha-256:…``."""
    return reference(statement_digest(template_of(scenario, ledger)))


def require_template(scenario: Scenario, asked: Mapping[str, Any]) -> None:
    """Raise ``Conflict`` ``SCENARIO_CHANGED`` for a request under another definition than the one in force.

    A certificate that is issued under one definition for a request under another would fail every verification.
    """
    if asked["template"] != template_reference(scenario, asked["ledger"]):
        raise Conflict(
            "SCENARIO_CHANGED",
            f"Scenario {scenario.code} was changed since the request was made.",
            where=f"request {asked['id']}",
            hint="Let the consumer send a new request under the scenario in force.",
        )


def known_template(scenarios: ScenarioBook, entry: Mapping[str, Any]) -> str | None:
    """Return the only template that a request or certificate may name, ``sha-256:…``, by the scenario's file here.

    Returns None if no file of that version of the scenario is known here: then nothing can be compared.
    """
    named = (entry.get("scenario"), entry.get("scenario_version"))
    for scenario in scenarios.all():
        if named == (scenario.code, scenario.version):
            return template_reference(scenario, entry["ledger"])
    return None


def expecting(scenarios: ScenarioBook, bundle: Bundle | bytes, expect: Expectation) -> Expectation:
    """Return ``expect`` with the template that the certificate may name, unless the verifier has named templates.

    Never raises: for a bundle that cannot be read nothing is expected, and the verifier reports what is wrong with it.
    """
    if expect.templates is not None:
        return expect
    try:
        read = parse_bundle(bundle) if isinstance(bundle, bytes) else bundle
        known = known_template(scenarios, parse_certificate(read.certificate).claims | {"ledger": read.chain.ledger})
    except (BadBundle, InvalidInput):
        return expect
    return expect if known is None else replace(expect, templates=frozenset({known}))


def require_own_template(scenarios: ScenarioBook, request: Mapping[str, Any]) -> bool:
    """Compare a drafted request with the scenario's file here, before the consumer signs.

    Returns False if no file is known here. The drafting platform names the template: with another template the subject
    would be asked under other rules in the consumer's name. Raises ``InvalidInput`` ``TEMPLATE_NOT_EXPECTED``.
    """
    known = known_template(scenarios, request)
    if known is not None and request.get("template") != known:
        raise InvalidInput(
            "TEMPLATE_NOT_EXPECTED",
            f"The request does not follow the rules of {request['scenario']} in the file here.",
            where="template",
            hint="Do not sign it. Compare your scenario file with the platform's, then draft the request again.",
        )
    return known is not None
