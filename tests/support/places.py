"""The paths of the project's files that tests read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[2]
DOCS: Final = PROJECT / "docs"
GUIDES: Final = DOCS / "guides"
SCENARIOS: Final = PROJECT / "ledger" / "scenarios"
OPENAPI: Final = DOCS / "openapi.json"
