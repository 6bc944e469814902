"""Templates: a template is a log entry with the rules of a scenario. This module also says which templates are accepted
here.

A certificate names its template, and the template names its scenario. Only a verifier that has the scenario's file can
check that the template was made from the file (protocol §9, check 11).
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
    """Return the rules of the scenario as a log entry for the given ledger. Equal definitions give equal entries."""
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
    """Return the reference (``sha-256:…``) with which log entries of the given ledger name the scenario's template."""
    return reference(statement_digest(template_of(scenario, ledger)))


class TemplatesInForce:
    """References of the templates of the scenarios in force. For a set of requests, each reference is computed only
    once.
    """

    def __init__(self, scenarios: ScenarioBook) -> None:
        self._scenarios = scenarios
        self._references: dict[tuple[str, str], str] = {}

    def reference(self, code: str, ledger: str) -> str:
        """Return the ``template_reference`` of the scenario with this code, for the given ledger."""
        wanted = code, ledger
        if wanted not in self._references:
            self._references[wanted] = template_reference(self._scenarios.get(code), ledger)
        return self._references[wanted]

    def require(self, asked: Mapping[str, Any]) -> None:
        """Raise ``Conflict`` ``SCENARIO_CHANGED`` if the scenario's definition has changed since the request was made.

        If the request and its certificate followed different definitions, every verification of the certificate would
        fail.
        """
        if asked["template"] != self.reference(asked["scenario"], asked["ledger"]):
            raise Conflict(
                "SCENARIO_CHANGED",
                f"Scenario {asked['scenario']} was changed since the request was made.",
                where=f"request {asked['id']}",
                hint="Let the consumer send a new request under the scenario in force.",
            )


def known_template(scenarios: ScenarioBook, entry: Mapping[str, Any]) -> str | None:
    """Return the only template (``sha-256:…``) that a request or certificate may name, computed from the local scenario
    file.

    Returns None if there is no local file of this version of the scenario.
    """
    named = (entry.get("scenario"), entry.get("scenario_version"))
    for scenario in scenarios.all():
        if named == (scenario.code, scenario.version):
            return template_reference(scenario, entry["ledger"])
    return None


def expecting(scenarios: ScenarioBook, bundle: Bundle | bytes, expect: Expectation) -> Expectation:
    """Add to ``expect`` the template that the certificate may name, unless the verifier has named templates itself.

    Never raises. If a bundle cannot be read, ``expect`` stays unchanged, and the verifier reports what is wrong with
    the bundle.
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
    """Compare a drafted request with the local scenario file, before the consumer signs the request.

    Returns False if there is no local file. The comparison is needed because the platform that drafts the request also
    chooses the template. With a wrong template, the subject would be asked in the consumer's name under other rules.
    Raises ``InvalidInput`` ``TEMPLATE_NOT_EXPECTED``.
    """
    known = known_template(scenarios, request)
    if known is not None and request.get("template") != known:
        raise InvalidInput(
            "TEMPLATE_NOT_EXPECTED",
            f"The request does not follow the rules in the local file of {request['scenario']}.",
            where="template",
            hint="Do not sign it. Compare your scenario file with the platform's, then draft the request again.",
        )
    return known is not None
