"""The book of scenarios (the package's scenarios and the operator's own scenarios), and the conversion of a scenario to
JSON.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ledger.domain.definitions.scenario import Scenario
from ledger.domain.definitions.scenario_reader import scenario_of
from ledger.domain.rules.predicates import rule_version
from ledger.rulebooks.definitions import DefinitionBook


class ScenarioBook(DefinitionBook[Scenario]):
    """Finds scenarios by their code. Errors are those of ``scenario_of``, and ``SCENARIO_TWICE``,
    ``SCENARIO_UNKNOWN``.
    """

    noun = "scenario"
    parse = staticmethod(scenario_of)


def scenario_json(scenario: Scenario) -> dict[str, Any]:
    """Return the whole scenario as JSON values, as the API and the command line show it."""
    shown = asdict(scenario) | {
        "rule_version": rule_version(scenario.code, scenario.version),
        "consumer_kinds": sorted(scenario.consumer_kinds),
        "subject_kinds": sorted(scenario.subject_kinds),
        "pilot_from": scenario.pilot_from.isoformat(),
        "pilot_to": scenario.pilot_to.isoformat(),
    }
    for source in shown["sources"]:
        source["provider_kinds"] = sorted(source["provider_kinds"])
        source["columns"] = scenario.columns_of(source["name"])
    return shown
