"""The book of rulesets: the package's rulesets and the operator's own rulesets."""

from __future__ import annotations

from ledger.domain.definitions.ruleset import Ruleset, ruleset_of
from ledger.rulebooks.definitions import DefinitionBook


class RulesetBook(DefinitionBook[Ruleset]):
    """Rulesets by code; errors are ``RULESET_INVALID``, ``RULESET_TWICE``, ``RULESET_UNKNOWN``."""

    noun = "ruleset"
    parse = staticmethod(ruleset_of)
