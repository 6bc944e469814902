"""The scenario book: the package's scenarios and an operator's own."""

from __future__ import annotations

from ledger.domain.scenario import Scenario, scenario_of
from ledger.service.definitions import DefinitionBook


class ScenarioBook(DefinitionBook[Scenario]):
    """Scenarios by code; errors are ``SCENARIO_INVALID``, ``SCENARIO_TWICE``, ``SCENARIO_UNKNOWN``."""

    noun = "scenario"
    parse = staticmethod(scenario_of)
