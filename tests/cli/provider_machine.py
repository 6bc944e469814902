"""A provider's computer, for tests of the command line: it has a key, a source file and a source definition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.support.actors.pilots import ROWS
from tests.support.actors.providers import NAME, Town


class ProviderMachine:
    """A provider's computer (key, source file, source definition), and the folder of the platform whose tasks it
    answers.
    """

    def __init__(self, town: Town, *firms: str) -> None:
        self.town = town
        self.consents = town.consents(*firms)
        self.home = str(town.ledger.settings.home)
        key = town.ledger.custody.private_key(town.signer.kid).hex()
        self.key = written(town.folder / "grid.key", key)
        numbers = [town.ledger.parties.register.identity(town.pilot.cast.firms[firm])["identifier"] for firm in firms]
        lines = ["number,name,year,emp,wage,capital,output"]
        lines += [f"{number},{NAME},{','.join(row.values())}" for number in numbers for row in ROWS]
        folder = town.folder / "sources"
        folder.mkdir()
        written(folder / "statistics.csv", "\n".join(lines) + "\n")
        definition: dict[str, Any] = {
            "code": "statistics",
            "scenario": "S51",
            "source": "statistics",
            "kind": "file",
            "path": "statistics.csv",
            "key": {"attribute": "identifier", "column": "number"},
            "name_column": "name",
            "columns": {name: name for name in ROWS[0]},
            "as_of": {"day": "1984-12-31"},
            "timeout_seconds": 20,
        }
        self.definition = folder / "statistics.yaml"
        written(self.definition, yaml.safe_dump(definition, allow_unicode=True))
        self.sources = str(folder)


def written(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    return str(path)
