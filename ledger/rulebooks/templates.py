"""Templates: what a scenario's file allows, as the log has it, and which of them are accepted here.

A certificate names its template, and the template its scenario. Only who has the scenario's file knows whether the
template is what the file gives (protocol §9, check 11).
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
    """What the scenario allows, as the log of that ledger keeps it; the same for the same definition."""
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
    """How entries of that ledger refer to the scenario's template, ``sha-256:…``."""
    return reference(statement_digest(template_of(scenario, ledger)))


def require_template(scenario: Scenario, asked: Mapping[str, Any]) -> None:
    """Raise ``Conflict`` ``SCENARIO_CHANGED`` for a request under another definition than the one in force.

    What is computed and issued by one definition under a request of another would verify nowhere.
    """
    if asked["template"] != template_reference(scenario, asked["ledger"]):
        raise Conflict(
            "SCENARIO_CHANGED",
            f"Scenario {scenario.code} was changed since the request was made.",
            where=f"request {asked['id']}",
            hint="The consumer asks again, under the scenario in force.",
        )


def known_template(scenarios: ScenarioBook, entry: Mapping[str, Any]) -> str | None:
    """The one template that a request or certificate may name, ``sha-256:…``, by the file of its scenario here.

    None where no file of that scenario's version is known here, and nothing can be compared.
    """
    named = (entry.get("scenario"), entry.get("scenario_version"))
    for scenario in scenarios.all():
        if named == (scenario.code, scenario.version):
            return template_reference(scenario, entry["ledger"])
    return None


def expecting(scenarios: ScenarioBook, bundle: Bundle | bytes, expect: Expectation) -> Expectation:
    """With the template that the bundle's certificate may rest on, unless the verifier named its templates itself.

    Never raises: of what cannot be read, nothing is expected here, and the verifier says what is wrong with it.
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
    """Compare a drafted request with the scenario's file here, before its consumer signs it; False where none is known.

    Whoever drafts it names the template: the rules of another would be asked of the subject in the consumer's name.
    Raises ``InvalidInput`` ``TEMPLATE_NOT_EXPECTED``.
    """
    known = known_template(scenarios, request)
    if known is not None and request.get("template") != known:
        raise InvalidInput(
            "TEMPLATE_NOT_EXPECTED",
            f"The request is not made under the rules of {request['scenario']} as they are known here.",
            where="template",
            hint="Do not sign it. Compare the scenario's file with the platform's, and draft the request again.",
        )
    return known is not None
